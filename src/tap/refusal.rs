//! What a client is told that gets no answer from a server: in HTTP, and in JSON as Docker's own
//! errors are.

use crate::json::encode_string;
use crate::wire::reason_phrase;

/// A response that says why. Without `content` it is the answer to HEAD.
pub(super) fn refusal(status: u16, why: &str, content: bool) -> Vec<u8> {
    let reason = reason_phrase(status);
    let mut body = b"{\"message\":".to_vec();
    encode_string(&mut body, why);
    body.extend_from_slice(b"}\n");
    // The connection goes on after a 501: its request was read to the end.
    let close = if status == 501 { "" } else { "Connection: close\r\n" };
    let mut response = format!(
        "HTTP/1.1 {status} {reason}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n{close}\r\n",
        body.len()
    )
    .into_bytes();
    if content {
        response.extend_from_slice(&body);
    }
    response
}
