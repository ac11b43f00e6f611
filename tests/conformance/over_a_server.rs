//! The same requests to a real server. It answers a request that the tables reject once, with an
//! error, and closes the connection. A second request follows each: a server that sees the end of
//! the first one elsewhere would answer it.

use crate::cases::deliver::{Table, Want};
use crate::cases::{fields, request_framing, request_line};
use crate::support::serve::{Served, serve, statuses};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

/// Starts a server that counts its requests, and answers with their content.
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
fn a_rejected_request_is_answered_once() {
    let (server, _) = echo();
    let mut wrong = Vec::new();
    for (table, before) in requests() {
        for case in table.cases.iter().filter(|case| matches!(case.want, Want::Refused { .. })) {
            let answer = server.talk([before, &case.bytes(), HIDDEN].concat());
            let once = matches!(statuses(&answer).as_deref(), Ok([400 | 501 | 505]));
            // The response announces the end, and does not quote the request.
            if !once || !answer.contains("\r\nConnection: close\r\n") || answer.contains("hidden") {
                wrong.push(format!("{}: {answer}", case.id));
            }
        }
    }
    assert_eq!(wrong, [""; 0]);
}

/// The server answers the request after it too.
#[test]
fn a_valid_request_ends_where_the_table_says() {
    for case in request_framing::TABLES.iter().flat_map(|table| table.cases) {
        let Want::Value(value) = case.want else { continue };
        let Some((_, content)) = value.split_once(" > ") else { continue };
        let (server, asked) = echo();
        let answer = server.talk([case.wire, HIDDEN].concat());
        assert_eq!(statuses(&answer).unwrap(), [200, 200], "{}", case.id);
        assert_eq!(asked.load(SeqCst), 2, "{}", case.id);
        // Remove the trailer fields.
        let content = content.split(" | ").next().filter(|c| !c.contains(": ")).unwrap_or("");
        assert!(
            answer.escape_default().to_string().contains(&format!("{content} from /a")),
            "{}: {answer}",
            case.id
        );
        assert!(answer.ends_with(" from /hidden"), "{}: {answer}", case.id);
    }
}
