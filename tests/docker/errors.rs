//! The daemon's errors, in bodies and in streams.

use crate::deliveries;
use crate::support::json_fault::{JsonErrorKind, JsonFault};
use unix_http::docker::{ErrorScanner, error_message};

/// The code and the message of an error.
type Told = (Option<i64>, &'static str);

/// A stream, and the error in it.
const STREAMS: &[(&str, &str, Option<Told>)] = &[
    ("nothing", "", None),
    (
        "dockerd 20.10.24, build",
        "{\"stream\":\"Step 1/2 : FROM busy\"}\r\n{\"stream\":\"\\n\"}\r\n{\"stream\":\"no\\n\"}\r\n{\"errorDetail\":{\"code\":5,\
         \"message\":\"The command '/bin/sh -c echo no; exit 5' returned a non-zero code: 5\"},\
         \"error\":\"The command '/bin/sh -c echo no; exit 5' returned a non-zero code: 5\"}\r\n",
        Some((Some(5), "The command '/bin/sh -c echo no; exit 5' returned a non-zero code: 5")),
    ),
    (
        "podman 4.3.1, pull",
        "{\"progressDetail\":{},\"errorDetail\":{\"message\":\"pinging \\\"127.0.0.1\\\": refused\"},\
         \"error\":\"pinging \\\"127.0.0.1\\\": refused\"}\n",
        Some((None, "pinging \"127.0.0.1\": refused")),
    ),
    ("error-alone", r#"{"error":"no"}"#, Some((None, "no"))),
    ("detail-alone", r#"{"errorDetail":{"message":"no"}}"#, Some((None, "no"))),
    ("detail-empty", r#"{"errorDetail":{}}"#, Some((None, ""))),
    ("detail-without-message", r#"{"errorDetail":{"code":7},"error":"no"}"#, Some((Some(7), "no"))),
    ("code-not-a-number", r#"{"errorDetail":{"code":"7","message":"no"}}"#, Some((None, "no"))),
    ("code-not-an-integer", r#"{"errorDetail":{"code":7.5,"message":"no"}}"#, Some((None, "no"))),
    ("escapes", r#"{"error":"\u003cno\u003e \ud83d\ude00"}"#, Some((None, "<no> \u{1f600}"))),
    ("the-first-of-two", "{\"error\":\"a\"}\n{\"error\":\"b\"}\n", Some((None, "a"))),
    ("the-last-of-the-same", r#"{"error":"a","error":"b"}"#, Some((None, "b"))),
    ("before-what-is-not-json", "{\"error\":\"a\"}\n<html>", Some((None, "a"))),
    ("error-empty", r#"{"error":"","stream":"x"}"#, None),
    ("error-null", r#"{"error":null,"errorDetail":null}"#, None),
    ("error-object", r#"{"error":{"message":"no"}}"#, None),
    ("error-number", r#"{"error":5}"#, None),
    ("other-case", r#"{"StatusCode":0,"Error":{"Message":"no"}}"#, None),
    ("deeper", r#"{"aux":{"error":"no","errorDetail":{}}}"#, None),
    ("in-an-array", r#"[{"error":"no"}]"#, None),
    ("in-a-string", r#"{"stream":"{\"error\":\"no\"}"}"#, None),
    ("as-a-value", r#"{"stream":"error","status":"errorDetail"}"#, None),
    ("scalars", "1 \"error\" null", None),
];

#[test]
fn an_error_is_found_in_a_stream() {
    for &(id, stream, want) in STREAMS {
        for slices in deliveries(stream.as_bytes()) {
            let mut scanner = ErrorScanner::new();
            slices.iter().for_each(|slice| _ = scanner.feed(slice));
            let found = scanner.finish().unwrap_or_else(|error| panic!("{id}: {error}"));
            let found = found.as_ref().map(|error| (error.code, error.message.as_str()));
            assert_eq!(found, want, "{id} as {slices:?}");
        }
    }
}

#[test]
fn an_error_is_reported_when_its_object_ends() {
    let mut scanner = ErrorScanner::new();
    assert_eq!(scanner.feed(b"{}\n{\"error\":\"no\""), None);
    let error = scanner.feed(b"} ").map(|error| (error.code, error.message.as_str()));
    assert_eq!(error, Some((None, "no")));
}

#[test]
fn a_stream_that_is_not_json_is_an_error() {
    let cases: &[(&str, JsonErrorKind, u64)] = &[
        ("<html>", JsonErrorKind::Value, 0),
        ("{\"stream\":\"x\"}\n{\"err", JsonErrorKind::Incomplete, 20),
        ("{\"error\":\"no\"", JsonErrorKind::Incomplete, 13),
    ];
    for &(stream, kind, offset) in cases {
        let mut scanner = ErrorScanner::new();
        scanner.feed(stream.as_bytes());
        let error = scanner.finish().unwrap_err();
        assert_eq!(JsonFault::from(error), JsonFault { kind, offset }, "{stream}");
    }
}

#[test]
fn an_endless_message_is_truncated() {
    let mut scanner = ErrorScanner::new();
    scanner.feed(b"{\"error\":\"");
    (0..100).for_each(|_| _ = scanner.feed(&[b'x'; 4096]));
    assert_eq!(scanner.feed(b"\"}").unwrap().message.len(), 64 << 10);
}

#[test]
fn the_message_of_an_error_response_is_found_in_its_body() {
    const JSON: Option<&str> = Some("application/json");
    let cases: &[(Option<&str>, &str, Option<&str>)] = &[
        (JSON, r#"{"message":"No such container: nope"}"#, Some("No such container: nope")),
        (JSON, "{\"message\":\"page not found\"}\n", Some("page not found")),
        (
            JSON,
            r#"{"cause":"no such container","message":"\"nope\" found: no such container","response":404}"#,
            Some("\"nope\" found: no such container"),
        ),
        (
            JSON,
            r#"{"cause":"disk full","message":"cannot create"}"#,
            Some("cannot create: disk full"),
        ),
        (None, r#"{"message":"a\nb\tc\u001b[31m"}"#, Some(r"a\nb\tc\x1b[31m")),
        (JSON, r#"{"message":""}"#, None),
        (JSON, r#"{"Message":"no"}"#, None),
        (JSON, r#"{"message":{"text":"no"}}"#, None),
        (JSON, "{\"message\":\"no\"", None),
        (JSON, "[]", None),
        (JSON, "", None),
        (Some("text/plain; charset=utf-8"), "Not Found\n", Some("Not Found")),
        (
            Some("application/vnd.docker.raw-stream"),
            "No such container: x\r\n",
            Some("No such container: x"),
        ),
        (Some("text/html"), "<html>", None),
        (None, "Not Found", None),
        (Some("text/plain"), " ", None),
    ];
    for &(content_type, body, want) in cases {
        let message = error_message(content_type.map(str::as_bytes), body.as_bytes());
        assert_eq!(message.as_deref(), want, "{body}");
    }
    assert_eq!(error_message(Some(b"text/plain"), b"\xff"), None);
}

#[test]
fn a_message_is_one_line() {
    let error = |text: &str| ErrorScanner::new().feed(text.as_bytes()).unwrap().to_string();
    assert_eq!(error(r#"{"error":"a\r\nb\u001b]0;x\u0007\n"}"#), r"a\r\nb\x1b]0;x\x07");
    assert_eq!(error(r#"{"error":" \n"}"#), "the daemon gives no reason");
}
