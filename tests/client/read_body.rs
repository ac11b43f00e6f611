//! `Connection::read_body` returns the same content and the same error, independent of the sizes of
//! the chunks, of the reads and of the caller's memory.

use std::cell::Cell;
use std::io::{self, Read};
use std::rc::Rc;
use unix_http::Error;
use unix_http::connection::Connection;
use unix_http::wire::{BodyDecoder, Framing, ResponseDecoder};

/// Pseudo-random numbers (xorshift).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn of(&mut self, choices: &[usize]) -> usize {
        choices[self.next() as usize % choices.len()]
    }
}

/// A stream whose reads end where the peer's writes ended, as on a Unix socket.
struct Pieces<'a> {
    wire: &'a [u8],
    pieces: Vec<usize>,
    reads: usize,
}

impl Read for Pieces<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let piece = self.pieces[self.reads % self.pieces.len()].min(self.wire.len());
        self.reads += 1;
        let n = (&self.wire[..piece]).read(out)?;
        self.wire = &self.wire[n..];
        Ok(n)
    }
}

/// Returns a random chunked body and its content.
fn chunked(chance: &mut Chance) -> (Vec<u8>, Vec<u8>) {
    let (mut wire, mut content) = (Vec::new(), Vec::new());
    let usual = chance.of(&[1, 100, 4096, 5000, 32 * 1024, 70_000]);
    for _ in 0..chance.of(&[1, 3, 7]) {
        let size = if chance.of(&[0, 0, 0, 1]) == 1 {
            chance.of(&[1, 17, 4095, 4097, 40_000])
        } else {
            usual
        };
        let line = match chance.of(&[0, 0, 0, 0, 1, 2]) {
            0 => format!("{size:x}\r\n"),
            1 => format!("000000{size:X}\r\n"),
            _ => format!("{size:x};name=\"a longer extension than a line without\"\r\n"),
        };
        wire.extend_from_slice(line.as_bytes());
        let start = content.len();
        let seed = chance.next() as usize;
        content.extend((seed..seed + size).map(|n| n as u8));
        wire.extend_from_slice(&content[start..]);
        wire.extend_from_slice(b"\r\n");
    }
    wire.extend_from_slice(if chance.of(&[0, 1]) == 0 {
        b"0\r\n\r\n"
    } else {
        b"0\r\nTrailer: yes\r\n\r\n"
    });
    (wire, content)
}

/// Returns everything that `read_body` delivers, how it ended, and the rest of the buffer.
fn read(wire: &[u8], pieces: Vec<usize>, memory: usize) -> (Vec<u8>, Result<(), Error>, Vec<u8>) {
    let mut connection = Connection::new(Pieces { wire, pieces, reads: 0 });
    let mut body = BodyDecoder::new(Framing::Chunked, 0, 64 * 1024);
    let (mut content, mut out) = (Vec::new(), vec![0; memory]);
    let end = loop {
        match connection.read_body(&mut body, &mut out) {
            Ok(0) => break Ok(()),
            Ok(n) => content.extend_from_slice(&out[..n]),
            Err(error) => break Err(error),
        }
    };
    assert_eq!(content.len() as u64, body.received());
    (content, end, connection.into_parts().1)
}

const PIECES: [usize; 8] = [1, 2, 6, 4096, 32 * 1024 + 2, 32 * 1024 + 8, 65_552, 1 << 20];
const MEMORY: [usize; 6] = [99, 4095, 4096, 32 * 1024, 64 * 1024, 300_000];

#[test]
fn content_is_the_same_in_every_delivery() {
    let mut chance = Chance(0x9e37_79b9_7f4a_7c15);
    for case in 0..100 {
        let (mut wire, content) = chunked(&mut chance);
        let end = wire.len();
        wire.extend_from_slice(b"HTTP/1.1 204 No Content\r\n\r\n");
        let pieces: Vec<usize> = (0..chance.of(&[1, 5])).map(|_| chance.of(&PIECES)).collect();
        let memory = chance.of(&MEMORY);
        let (found, ended, ahead) = read(&wire, pieces.clone(), memory);
        assert!(ended.is_ok(), "case {case}, {pieces:?}, {memory}: {ended:?}");
        assert!(found == content, "case {case}, {pieces:?}, {memory}");
        assert!(wire[end..].starts_with(&ahead), "case {case}: what follows was read as content");
    }
}

#[test]
fn content_before_an_error_is_delivered_and_the_error_is_the_same() {
    let mut chance = Chance(0xd1b5_4a32_d192_ed03);
    for case in 0..100 {
        let (mut wire, _) = chunked(&mut chance);
        let at = chance.next() as usize % wire.len();
        if chance.of(&[0, 1]) == 0 {
            wire.truncate(at);
        } else {
            wire[at] = b'\0';
        }
        let slowly = read(&wire, vec![100], 99); // too small for direct reads
        let pieces: Vec<usize> = (0..chance.of(&[1, 5])).map(|_| chance.of(&PIECES)).collect();
        let memory = chance.of(&MEMORY);
        let (found, ended, _) = read(&wire, pieces.clone(), memory);
        assert!(
            found == slowly.0,
            "case {case}, {pieces:?}, {memory}: {} bytes, {}",
            found.len(),
            slowly.0.len()
        );
        let words = |end: Result<(), Error>| end.err().map(|error| error.to_string());
        assert_eq!(words(ended), words(slowly.1), "case {case}, {pieces:?}, {memory}");
    }
}

#[test]
fn bodies_in_sequence_can_be_read_in_both_ways() {
    let mut chance = Chance(0x2545_f491_4f6c_dd1d);
    for case in 0..60 {
        let bodies: Vec<_> = (0..3).map(|_| chunked(&mut chance)).collect();
        let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        let wire: Vec<u8> =
            bodies.iter().flat_map(|(wire, _)| [&head[..], wire].concat()).collect();
        let pieces = (0..3).map(|_| chance.of(&PIECES)).collect();
        let mut connection = Connection::new(Pieces { wire: &wire, pieces, reads: 0 });
        let mut decoder = ResponseDecoder::new();
        for (_, content) in &bodies {
            decoder.reset(1 << 16);
            assert_eq!(
                connection.read_head(&mut decoder).unwrap(),
                Some(head.len()),
                "case {case}"
            );
            let mut body = BodyDecoder::new(Framing::Chunked, head.len() as u64, 1 << 16);
            let (mut found, mut out) = (Vec::new(), vec![0; chance.of(&MEMORY)]);
            while !body.is_done() || found.len() < content.len() {
                if chance.of(&[0, 1]) == 0 {
                    let n = connection.read_body(&mut body, &mut out).unwrap();
                    found.extend_from_slice(&out[..n]);
                } else {
                    let part = connection.fill_body(&mut body).unwrap();
                    let part = &part[..part.len().div_ceil(2)];
                    found.extend_from_slice(part);
                    let n = part.len();
                    connection.consume_body(n);
                }
            }
            assert!(found == *content, "case {case}: {} bytes of {}", found.len(), content.len());
        }
    }
}

/// A stream that interrupts every third wait, as a time limit may, and fails the test if it is read
/// while content is available.
struct Impatient<'a> {
    pieces: Pieces<'a>,
    came: usize,
    asked: usize,
    /// Indexed by the number of bytes: how much content they contain. Ends with the body.
    content_by: &'a [usize],
    handed_out: Rc<Cell<usize>>,
}

impl Read for Impatient<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let content = self.content_by.get(self.came).expect("no read past the end of the body");
        assert_eq!(*content, self.handed_out.get(), "a read waits although content is there");
        self.asked += 1;
        if self.asked.is_multiple_of(3) {
            return Err(io::ErrorKind::TimedOut.into());
        }
        let n = self.pieces.read(out)?;
        self.came += n;
        Ok(n)
    }
}

/// Computes this with the decoder alone, byte by byte.
fn content_by(wire: &[u8]) -> Vec<usize> {
    let (mut body, mut by) = (BodyDecoder::new(Framing::Chunked, 0, 64 * 1024), Vec::new());
    for byte in wire {
        by.push(body.received() as usize);
        let step = body.step(std::slice::from_ref(byte)).unwrap();
        body.consume(step.data);
    }
    assert!(body.is_done());
    by
}

#[test]
fn read_body_does_not_wait_while_content_is_available() {
    let mut chance = Chance(0x8cb9_2ba7_2f3d_8dd7);
    for case in 0..20 {
        let (mut wire, content) = chunked(&mut chance);
        let by = content_by(&wire);
        wire.extend_from_slice(b"HTTP/1.1 204 No Content\r\n\r\n");
        let pieces: Vec<usize> = (0..chance.of(&[1, 5])).map(|_| chance.of(&PIECES)).collect();
        let handed_out = Rc::new(Cell::new(0));
        let mut connection = Connection::new(Impatient {
            pieces: Pieces { wire: &wire, pieces, reads: 0 },
            came: 0,
            asked: 0,
            content_by: &by,
            handed_out: Rc::clone(&handed_out),
        });
        let mut body = BodyDecoder::new(Framing::Chunked, 0, 64 * 1024);
        let (mut found, mut out) = (Vec::new(), vec![0; chance.of(&MEMORY)]);
        loop {
            match connection.read_body(&mut body, &mut out) {
                Ok(0) => break,
                Ok(n) => found.extend_from_slice(&out[..n]),
                Err(Error::Receive(_)) => {}
                Err(error) => panic!("case {case}: {error}"),
            }
            handed_out.set(found.len());
        }
        assert!(found == content, "case {case}: {} bytes of {}", found.len(), content.len());
        let (stream, ahead) = connection.into_parts();
        assert!(ahead == wire[by.len()..stream.came], "case {case}: what follows is not all there");
    }
}

#[test]
fn chunks_of_one_size_share_reads() {
    let mut wire = Vec::new();
    for _ in 0..64 {
        wire.extend_from_slice(b"8000\r\n");
        wire.extend_from_slice(&[7; 32 * 1024]);
        wire.extend_from_slice(b"\r\n");
    }
    wire.extend_from_slice(b"0\r\n\r\n");
    let mut connection = Connection::new(Pieces { wire: &wire, pieces: vec![1 << 20], reads: 0 });
    let mut body = BodyDecoder::new(Framing::Chunked, 0, 64 * 1024);
    let mut out = vec![0; 64 * 1024];
    while connection.read_body(&mut body, &mut out).unwrap() > 0 {}
    assert_eq!(body.received(), 64 * 32 * 1024);
    // The buffer of 256 KiB, which grows at first, holds 7 chunks and a part of the next.
    let reads = connection.stream_mut().reads;
    assert!(reads <= 12, "{reads} reads");
}

#[test]
fn a_reused_decoder_reads_a_head_like_a_new_one() {
    let whole = |status: u16, date: &str| {
        format!("HTTP/1.1 {status} Why\r\nDate: {date}\r\nA: b\r\n c\r\n\r\n")
    };
    let (one, other) = (whole(200, "Sun"), whole(404, "Monday"));
    let broken = one.replace("A: b", "A : b");
    let longer = [&one[..one.len() - 2], "C: d\r\n\r\n"].concat();
    let outcome = |decoder: &mut ResponseDecoder, bytes: &str, step: usize| {
        let mut progress = decoder.decode(b"");
        for end in (step..bytes.len()).step_by(step).chain([bytes.len()]) {
            progress = decoder.decode(&bytes.as_bytes()[..end]);
            if progress != Ok(None) {
                break;
            }
        }
        (
            progress,
            progress
                .is_ok()
                .then(|| (format!("{:?}", decoder.head()), decoder.head().as_bytes().to_vec())),
        )
    };
    for first in [&one, &other, &broken] {
        for second in [&one, &other, &broken, &longer, &one[..one.len() - 1].to_string()] {
            for (step, limit) in
                [(1, 1000), (7, 1000), (1000, 1000), (1000, one.len()), (1000, one.len() - 1)]
            {
                let mut decoder = ResponseDecoder::new();
                let _ = outcome(&mut decoder, first, step);
                decoder.reset(limit);
                let again = outcome(&mut decoder, second, step);
                let mut fresh = ResponseDecoder::new();
                fresh.reset(limit);
                let new = outcome(&mut fresh, second, step);
                if again.0 == Ok(None) {
                    assert_eq!(new.0, again.0);
                } else {
                    assert_eq!(
                        again, new,
                        "{second:?} after {first:?} in steps of {step}, limit {limit}"
                    );
                }
            }
        }
    }
}
