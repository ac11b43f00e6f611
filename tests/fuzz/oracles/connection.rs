//! A sequence of responses through a `Connection`, compared with the decoders alone.

use super::{Pieces, bytewise};
use std::io::{self, Read};
use unix_http::Error;
use unix_http::connection::Connection;
use unix_http::wire::{
    BodyDecoder, Decision, Fields, OVERHEAD_LIMIT, ParseError, ResponseDecoder, framing,
};

pub fn check(bytes: &[u8]) {
    let mut pieces = Pieces::of(bytes);
    for method in ["GET", "HEAD", "CONNECT"] {
        let plainly = alone(method, bytes);
        for way in [
            Way::Fill(1 + pieces.below(9)),
            Way::Fill(usize::MAX),
            Way::Read(1 + pieces.below(9)),
            Way::Read(5000),
        ] {
            let cut = if pieces.below(3) == 0 { bytewise(bytes) } else { pieces.cut(bytes) };
            let other = through(method, Stream { pieces: cut, at: 0 }, way);
            assert_eq!(other, plainly, "{method}, {way:?}");
        }
    }
    framing_kept(bytes, &mut pieces);
}

/// One message.
#[derive(Debug, PartialEq)]
struct Seen {
    head: Vec<u8>,
    decision: Option<Decision>,
    content: Vec<u8>,
    trailers: Option<Fields>,
    end: End,
}

#[derive(Debug, PartialEq)]
enum End {
    Whole,
    Broken(ParseError),
    /// The received and the announced length.
    Incomplete(u64, Option<u64>),
    IncompleteHead(u64),
}

/// Reads with the decoders, all bytes at once.
fn alone(method: &str, bytes: &[u8]) -> Vec<Seen> {
    let (mut seen, mut rest) = (Vec::new(), bytes);
    while !rest.is_empty() {
        let mut message =
            Seen { head: vec![], decision: None, content: vec![], trailers: None, end: End::Whole };
        let mut decoder = ResponseDecoder::new();
        let decided = decoder.decode(rest).and_then(|progress| match progress {
            None => Ok(None),
            Some(len) => {
                framing::response(method, decoder.head()).map(|decision| Some((len, decision)))
            }
        });
        let (len, decision) = match decided {
            Ok(Some(decided)) => decided,
            Ok(None) => {
                message.end = End::IncompleteHead(rest.len() as u64);
                seen.push(message);
                return seen;
            }
            Err(error) => {
                message.end = End::Broken(error);
                seen.push(message);
                return seen;
            }
        };
        message.head = rest[..len].to_vec();
        message.decision = Some(decision);
        rest = &rest[len..];
        let mut body = BodyDecoder::new(decision.framing, len as u64, OVERHEAD_LIMIT - len);
        while !body.is_done() {
            match body.step(rest) {
                Err(error) => {
                    message.end = End::Broken(error);
                    break;
                }
                Ok(step) if step.framing + step.data == 0 => {
                    if let Err(incomplete) = body.finish() {
                        message.end = End::Incomplete(incomplete.received, incomplete.expected);
                    }
                    break;
                }
                Ok(step) => {
                    body.consume(step.data);
                    message
                        .content
                        .extend_from_slice(&rest[step.framing..step.framing + step.data]);
                    rest = &rest[step.framing + step.data..];
                }
            }
        }
        message.trailers = body.trailers().cloned();
        let more = message.end == End::Whole && decision.persistent;
        seen.push(message);
        if !more {
            return seen;
        }
    }
    seen
}

struct Stream<'a> {
    pieces: Vec<&'a [u8]>,
    at: usize,
}

impl Read for Stream<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while let Some(piece) = self.pieces.get_mut(self.at) {
            if piece.is_empty() {
                self.at += 1;
                continue;
            }
            return piece.read(out);
        }
        Ok(0)
    }
}

#[derive(Clone, Copy, Debug)]
enum Way {
    /// `fill_body`, and consume at most this many bytes.
    Fill(usize),
    /// `read_body` into this many bytes.
    Read(usize),
}

fn through(method: &str, stream: Stream, way: Way) -> Vec<Seen> {
    let (mut connection, mut decoder, mut seen) =
        (Connection::new(stream), ResponseDecoder::new(), Vec::new());
    loop {
        let mut message =
            Seen { head: vec![], decision: None, content: vec![], trailers: None, end: End::Whole };
        decoder.reset(OVERHEAD_LIMIT);
        let decided = connection.read_head(&mut decoder).and_then(|len| match len {
            None => Ok(None),
            Some(len) => Ok(Some((len, framing::response(method, decoder.head())?))),
        });
        let (len, decision) = match decided {
            Ok(Some(decided)) => decided,
            Ok(None) => return seen,
            Err(error) => {
                message.end = ended(error);
                seen.push(message);
                return seen;
            }
        };
        message.head = decoder.head().as_bytes().to_vec();
        message.decision = Some(decision);
        let mut body = BodyDecoder::new(decision.framing, len as u64, OVERHEAD_LIMIT - len);
        loop {
            let n = match way {
                Way::Fill(most) => connection.fill_body(&mut body).map(|content| {
                    let n = content.len().min(most);
                    message.content.extend_from_slice(&content[..n]);
                    n
                }),
                Way::Read(size) => {
                    let mut out = vec![0; size];
                    connection
                        .read_body(&mut body, &mut out)
                        .inspect(|&n| message.content.extend_from_slice(&out[..n]))
                }
            };
            match (n, way) {
                (Ok(0), _) => break,
                (Ok(n), Way::Fill(_)) => connection.consume_body(n),
                (Ok(_), Way::Read(_)) => {}
                (Err(error), _) => {
                    message.end = ended(error);
                    break;
                }
            }
        }
        assert_eq!(body.received(), message.content.len() as u64);
        message.trailers = body.trailers().cloned();
        let more = message.end == End::Whole && decision.persistent;
        seen.push(message);
        if !more {
            return seen;
        }
    }
}

fn ended(error: Error) -> End {
    match error {
        Error::Parse(error) => End::Broken(error),
        Error::Incomplete(incomplete) => End::Incomplete(incomplete.received, incomplete.expected),
        Error::IncompleteHead { received } => End::IncompleteHead(received),
        error => panic!("{error}"),
    }
}

/// curl's `--raw`: a body with its framing is exactly the received bytes.
fn framing_kept(bytes: &[u8], pieces: &mut Pieces) {
    let mut connection = Connection::new(Stream { pieces: pieces.cut(bytes), at: 0 });
    let mut decoder = ResponseDecoder::new();
    let Ok(Some(len)) = connection.read_head(&mut decoder) else { return };
    let Ok(decision) = framing::response("GET", decoder.head()) else { return };
    let mut body = BodyDecoder::new(decision.framing, len as u64, OVERHEAD_LIMIT - len);
    body.keep_framing();
    let (mut raw, mut out) = (Vec::new(), [0; 333]);
    while let Ok(n @ 1..) = connection.read_body(&mut body, &mut out) {
        raw.extend_from_slice(&out[..n]);
    }
    assert!(bytes[len..].starts_with(&raw));
}
