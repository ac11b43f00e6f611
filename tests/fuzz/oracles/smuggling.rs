//! Where does each request in a sequence end? The server, the tap and the gate must agree:
//! otherwise one of them reads content where another reads a request.

use super::{Pieces, bytewise};
use std::time::Duration;
use unix_http::tap::Gate;
use unix_http::traffic::{Conversation, Event, Side};
use unix_http::wire::{BodyDecoder, Framing, OVERHEAD_LIMIT, RequestDecoder, RequestHead, framing};

pub fn check(bytes: &[u8]) {
    let (requests, end) = server(bytes);
    let mut pieces = Pieces::of(bytes);
    for cut in [vec![bytes], bytewise(bytes), pieces.cut(bytes)] {
        tap(cut, &requests, &end);
    }
    for cut in [vec![bytes], bytewise(bytes), pieces.cut(bytes)] {
        gate(bytes, cut, &requests, &end);
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Request {
    head: Vec<u8>,
    content: Vec<u8>,
    /// Where the request ends in the stream, once it is complete.
    end: Option<usize>,
}

#[derive(Debug, PartialEq, Eq)]
enum End {
    /// Every byte belongs to a request. The last request may be incomplete.
    Bytes,
    /// The head that begins at this byte is malformed, or the body is malformed at this byte.
    Wrong(usize),
    /// Another protocol may follow at this byte.
    Upgrade,
}

fn asks_for_tunnel(head: &RequestHead) -> bool {
    let fields = head.fields();
    head.method() == "CONNECT"
        || fields.has_token("Connection", "upgrade") && fields.get("Upgrade").is_some()
}

/// Reads as the server does: head, framing, body, next request.
fn server(bytes: &[u8]) -> (Vec<Request>, End) {
    let (mut requests, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        let start = at;
        let mut decoder = RequestDecoder::new();
        let len = match decoder.decode(&bytes[at..]) {
            Ok(None) => return (requests, End::Bytes),
            Ok(Some(len)) => len,
            Err(_) => return (requests, End::Wrong(at)),
        };
        let head = decoder.head();
        let Ok(decision) = framing::request(head) else { return (requests, End::Wrong(at)) };
        assert!(
            !matches!(decision.framing, Framing::UntilClose | Framing::Tunnel),
            "a request has an end"
        );
        let mut request =
            Request { head: head.as_bytes().to_vec(), content: Vec::new(), end: None };
        at += len;
        let mut body = BodyDecoder::of_request(decision.framing, len as u64, OVERHEAD_LIMIT);
        while !body.is_done() {
            match body.step(&bytes[at..]) {
                Err(error) => {
                    requests.push(request);
                    return (requests, End::Wrong(start + error.offset as usize));
                }
                Ok(step) if step.framing + step.data == 0 => {
                    requests.push(request);
                    return (requests, End::Bytes);
                }
                Ok(step) => {
                    request.content.extend_from_slice(
                        &bytes[at + step.framing..at + step.framing + step.data],
                    );
                    body.consume(step.data);
                    at += step.framing + step.data;
                }
            }
        }
        request.end = Some(at);
        requests.push(request);
        if asks_for_tunnel(head) {
            return (requests, End::Upgrade);
        }
    }
    (requests, End::Bytes)
}

fn tap(pieces: Vec<&[u8]>, requests: &[Request], end: &End) {
    let mut seen: Vec<Request> = Vec::new();
    let mut fault = false;
    let mut see = |event: &Event<'_>| match event {
        Event::Request(exchange) => {
            let head = exchange.request.as_ref().expect("it is a request").as_bytes().to_vec();
            seen.push(Request { head, content: Vec::new(), end: None });
        }
        Event::Content(exchange, Side::Client, content) => {
            seen[exchange.number as usize - 1].content.extend_from_slice(content);
        }
        Event::End(exchange, Side::Client, _) => {
            let before = exchange.number as usize - 1;
            let start =
                if before == 0 { 0 } else { seen[before - 1].end.expect("one after the other") };
            let sent = &exchange.sent;
            seen[before].end = Some(start + (sent.head + sent.content + sent.framing) as usize);
        }
        Event::Fault(_, Side::Client, _) => fault = true,
        _ => {}
    };
    let mut conversation = Conversation::new(false);
    for piece in pieces {
        conversation.bytes(Side::Client, Duration::ZERO, piece, &mut see);
    }
    if seen.len() > 1000 {
        return; // more unanswered requests than the tap holds
    }
    match end {
        // A head with malformed framing is shown, then reported. None of it is read as content.
        End::Wrong(_) => {
            let wrong = seen.split_off(requests.len().min(seen.len()));
            assert!(
                wrong.len() <= 1
                    && wrong
                        .iter()
                        .all(|request| request.content.is_empty() && request.end.is_none())
            );
            assert_eq!(seen, requests);
            // Until the response arrives, unreadable bytes may belong to another protocol.
            assert!(fault || seen.iter().any(|request| request.end.is_some()));
        }
        End::Bytes | End::Upgrade => {
            assert!(!fault);
            assert_eq!(seen, requests);
        }
    }
}

/// Checks that the gate and the server agree about every request that passes.
fn gate(bytes: &[u8], pieces: Vec<&[u8]>, requests: &[Request], end: &End) {
    let (mut gate, mut passed, mut refused) = (Gate::new(&[]), Vec::new(), None);
    for piece in pieces {
        if let Err(refusal) = gate.admit(piece, &mut passed) {
            refused = Some(refusal);
            break;
        }
    }
    assert!(bytes.starts_with(&passed), "bytes pass unchanged");
    let whole = requests.iter().filter_map(|request| request.end).next_back().unwrap_or(0);
    // The gate reads nothing after the head of an upgrade request, because no web page can send
    // one (see `gate`).
    let upgrade = requests.last().is_some_and(|request| {
        let mut decoder = RequestDecoder::new();
        decoder.decode(&request.head).is_ok() && asks_for_tunnel(decoder.head())
    });
    if upgrade && refused.is_none() {
        return;
    }
    match (refused, end) {
        (None, End::Wrong(at)) => panic!("no request at {at}, and it passed: {}", passed.len()),
        // A bare CR in a trailer section is detected at the byte after it.
        (Some(_), End::Wrong(at)) => {
            assert!(passed.len() <= at + 1, "{} bytes of {at}", passed.len())
        }
        // A request from a web page, or one without Host.
        (Some(_), End::Bytes | End::Upgrade) => {}
        (None, End::Bytes | End::Upgrade) => assert!(passed.len() >= whole),
    }
}
