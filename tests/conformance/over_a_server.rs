//! The same requests to a real server: what the tables refuse is answered once, with an error, and
//! then the connection ends. Behind each stands a second request, which a reader that sees the
//! first one's end elsewhere would answer.

use crate::cases::deliver::{Table, Want};
use crate::cases::{fields, request_framing, request_line};
use crate::support::serve::{Served, serve, statuses};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

/// A server that counts what its handler is asked, and answers with what it was sent.
fn echo() -> (Served, &'static AtomicUsize) {
    let asked: &AtomicUsize = Box::leak(Box::default());
    let server = serve(move |request, responder| {
        asked.fetch_add(1, SeqCst);
        let mut content = request.bytes(10_000)?;
        content.extend_from_slice(b" from ");
        content.extend_from_slice(request.target());
        responder.send(content)
    });
    (server, asked)
}

const HIDDEN: &[u8] = b"GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n";

fn requests() -> impl Iterator<Item = (&'static Table, &'static [u8])> {
    let whole =
        request_line::TABLES.iter().chain(request_framing::TABLES).map(|table| (table, &b""[..]));
    let lines = fields::TABLES.iter().filter(|table| table.topic.ends_with("in a request"));
    whole.chain(lines.map(|table| (table, &b"GET / HTTP/1.1\r\n"[..])))
}

#[test]
fn what_is_refused_is_answered_once() {
    let (server, _) = echo();
    let mut wrong = Vec::new();
    for (table, before) in requests() {
        for case in table.cases.iter().filter(|case| matches!(case.want, Want::Refused { .. })) {
            let answer = server.talk([before, &case.bytes(), HIDDEN].concat());
            let once = matches!(statuses(&answer).as_deref(), Ok([400 | 501 | 505]));
            // What the client sent is nowhere in the answer, and the end is announced.
            if !once || !answer.contains("\r\nConnection: close\r\n") || answer.contains("hidden") {
                wrong.push(format!("{}: {answer}", case.id));
            }
        }
    }
    assert_eq!(wrong, [""; 0]);
}

/// A valid request is answered, and the one behind it too: the server sees the end where the tables
/// do.
#[test]
fn what_is_accepted_ends_where_the_table_says() {
    for case in request_framing::TABLES.iter().flat_map(|table| table.cases) {
        let Want::Value(value) = case.want else { continue };
        let Some((_, content)) = value.split_once(" > ") else { continue };
        let (server, asked) = echo();
        let answer = server.talk([case.wire, HIDDEN].concat());
        assert_eq!(statuses(&answer).unwrap(), [200, 200], "{}", case.id);
        assert_eq!(asked.load(SeqCst), 2, "{}", case.id);
        // Trailer fields are told apart from content.
        let content = content.split(" | ").next().filter(|c| !c.contains(": ")).unwrap_or("");
        assert!(
            answer.escape_default().to_string().contains(&format!("{content} from /a")),
            "{}: {answer}",
            case.id
        );
        assert!(answer.ends_with(" from /hidden"), "{}: {answer}", case.id);
    }
}
