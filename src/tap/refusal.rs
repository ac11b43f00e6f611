//! Responses in place of those of a server, in the form of Docker's own errors.

use crate::json::JsonWriter;
use crate::wire::reason_phrase;

/// Encodes a response with the reason. Without `content` it is the response to HEAD.
pub(super) fn refusal(status: u16, why: &str, content: bool) -> Vec<u8> {
    let reason = reason_phrase(status);
    let mut json = JsonWriter::default();
    json.object(|json| _ = json.name("message").string(why));
    let body = [json.into_bytes(), b"\n".to_vec()].concat();
    // The connection stays open after a 501: its request was read to the end.
    let close = if status == 501 { "" } else { "Connection: close\r\n" };
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status} {reason}\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\n{close}\r\n"
    );
    [head.as_bytes(), if content { &body } else { b"" }].concat()
}
