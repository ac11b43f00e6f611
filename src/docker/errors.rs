//! The daemon's errors: in the body of an error response, and inside a stream that began as a
//! success.
//!
//! ```text
//! {"message":"No such container: nope"}                                    body of a 4xx or 5xx
//! {"cause":"no such container","message":"no container…","response":404}   the same from podman
//! {"errorDetail":{"code":5,"message":"…"},"error":"…"}                     one object of the stream, after a 200
//! ```
//!
//! `/build`, `/images/create`, `/images/load` and push answer 200 before they know whether they
//! will succeed, so that a client which only looks at the status takes every failure for a success.
//! An [`ErrorScanner`] looks at the bytes as they pass and changes none of them.
//!
//! Declined: `Error` and other spellings (`/wait` has one that means something else), an `error`
//! deeper in an object, and an empty one. A stream that is not JSON at all is told by
//! [`finish`](ErrorScanner::finish).
//!
//! ```
//! use unix_http::docker::ErrorScanner;
//!
//! let mut scanner = ErrorScanner::new();
//! scanner.feed(b"{\"stream\":\"no\\n\"}\r\n{\"errorDetail\":{\"code\":5,\"message\":\"returned a non-ze");
//! assert!(scanner.error().is_none());
//! scanner.feed(b"ro code: 5\"},\"error\":\"returned a non-zero code: 5\"}\r\n");
//! assert_eq!(scanner.error().unwrap().to_string(), "returned a non-zero code: 5");
//! ```

use crate::base::text::reorders_text;
use crate::json::{Begun, JsonError, JsonText, JsonTexts, Next, Value};
use std::fmt;

/// How much of a message is kept: 64 KiB.
pub const MESSAGE_LIMIT: usize = 64 << 10;

/// What the body of an error response says.
///
/// ```
/// use unix_http::docker::DaemonMessage;
///
/// let said = DaemonMessage::from_body(Some(b"application/json"), br#"{"message":"No such container: nope"}"#);
/// assert_eq!(said.map(|said| said.message).as_deref(), Some("No such container: nope"));
/// assert_eq!(DaemonMessage::from_body(Some(b"text/html"), b"<p>no"), None);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DaemonMessage {
    /// `message`
    pub message: String,
    /// `cause`, which only podman sends.
    pub cause: Option<String>,
}

impl DaemonMessage {
    /// Reads the body of an error response: JSON with a `message`, or text of a type that says so.
    /// An attach that fails sends its text as `application/vnd.docker.raw-stream`.
    pub fn from_body(content_type: Option<&[u8]>, body: &[u8]) -> Option<DaemonMessage> {
        if let Ok(value) = Value::parse(body) {
            let text = |name| {
                value
                    .get(name)
                    .and_then(Value::as_str)
                    .filter(|text| !text.is_empty())
                    .map(str::to_owned)
            };
            return text("message").map(|message| DaemonMessage { message, cause: text("cause") });
        }
        let media_type = content_type?.split(|&byte| byte == b';').next()?.trim_ascii();
        let is_text = [&b"text/plain"[..], b"application/vnd.docker.raw-stream"]
            .iter()
            .any(|text| media_type.eq_ignore_ascii_case(text));
        let message = str::from_utf8(body).ok().filter(|_| is_text)?.trim();
        (!message.is_empty()).then(|| DaemonMessage { message: message.to_owned(), cause: None })
    }
}

/// One line; the cause only where the message does not end with it, as podman's do.
impl fmt::Display for DaemonMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&one_line(&self.message))?;
        match &self.cause {
            Some(cause) if !self.message.contains(cause.as_str()) => {
                write!(f, ": {}", one_line(cause))
            }
            _ => Ok(()),
        }
    }
}

/// An error object inside a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamError {
    /// `errorDetail.code`, where there is one: the exit code of a build step, say.
    pub code: Option<i64>,
    /// `errorDetail.message`, else `error`; at most [`MESSAGE_LIMIT`] bytes.
    pub message: String,
    /// The offset, in the stream, of the byte after the object.
    pub offset: u64,
}

/// One line.
impl fmt::Display for StreamError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.message.trim() {
            "" => f.write_str("the daemon gives no reason"),
            message => f.write_str(&one_line(message)),
        }
    }
}

impl std::error::Error for StreamError {}

/// A message of someone else's for a terminal: without line ends, and without anything that could
/// move the cursor or turn the direction of writing (Unicode's bidirectional controls).
pub(super) fn one_line(text: &str) -> String {
    let plain = |c: char| match c {
        '\t' | '\n' | '\r' => ' ',
        c if c.is_control() || reorders_text(c) => char::REPLACEMENT_CHARACTER,
        c => c,
    };
    text.trim().chars().map(plain).collect()
}

/// Watches a stream of JSON texts for the first error object.
///
/// ```
/// use unix_http::docker::ErrorScanner;
///
/// let mut scanner = ErrorScanner::new();
/// scanner.feed(b"{\"status\":\"Pulling\"}\r\n{\"errorDetail\":{\"message\":\"no such");
/// assert!(scanner.error().is_none()); // not over yet
/// scanner.feed(b" image\"},\"error\":\"no such image\"}\r\n");
/// assert!(scanner.finish()?.is_some_and(|error| error.to_string().contains("no such image")));
/// # Ok::<(), unix_http::json::JsonError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct ErrorScanner {
    texts: JsonTexts,
    error: Option<StreamError>,
}

impl ErrorScanner {
    /// A scanner at the beginning of a stream.
    pub fn new() -> ErrorScanner {
        ErrorScanner::default()
    }

    /// Looks at the next bytes. After the first error, or something that is not JSON, at no more.
    pub fn feed(&mut self, bytes: &[u8]) {
        let error = &mut self.error;
        if error.is_none() {
            // What is not JSON is told by `finish`.
            let _ = self.texts.feed(bytes, |text| {
                if error.is_none() {
                    *error = stream_error(text)?;
                }
                Ok(())
            });
        }
    }

    /// The first error, once its object is over.
    pub fn error(&self) -> Option<&StreamError> {
        self.error.as_ref()
    }

    /// The stream is over: the error in it, if there was one.
    ///
    /// # Errors
    /// The stream was not JSON, or was cut, and up to there had no error in it.
    pub fn finish(mut self) -> Result<Option<StreamError>, JsonError> {
        if self.error.is_none() {
            self.texts.finish(|text| text.value().map(drop))?;
        }
        Ok(self.error)
    }
}

/// The error that a text is, if it is one. A text can be large: only the two members are kept.
fn stream_error(text: &JsonText<'_>) -> Result<Option<StreamError>, JsonError> {
    let (mut detail, mut error) = (None, None);
    let mut reader = text.reader();
    if let Begun::Container(_) = reader.begin()? {
        loop {
            match reader.next()? {
                Next::Member(name) if name == "errorDetail" => detail = Some(reader.value()?),
                Next::Member(name) if name == "error" => error = Some(reader.value()?),
                Next::Member(_) | Next::Element => _ = reader.skip()?,
                Next::End(_) => break,
            }
        }
    }
    reader.finish()?;
    let detail = detail.filter(|detail| matches!(detail, Value::Object(_)));
    let member = |name| detail.as_ref().and_then(|detail| detail.get(name));
    let texts = [member("message"), error.as_ref()];
    let message =
        texts.into_iter().flatten().filter_map(Value::as_str).find(|text| !text.is_empty());
    if detail.is_none() && message.is_none() {
        return Ok(None);
    }
    let message = message.unwrap_or_default();
    let message = message[..message.floor_char_boundary(MESSAGE_LIMIT)].to_owned();
    let offset = text.offset + text.bytes.len() as u64;
    Ok(Some(StreamError { code: member("code").and_then(Value::as_i64), message, offset }))
}
