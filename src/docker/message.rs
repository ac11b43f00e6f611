//! The daemon's errors: in the body of an error response, and in a stream that began as a success.
//!
//! ```text
//! {"message":"No such container: nope"}                                    body of a 4xx or 5xx
//! {"cause":"no such container","message":"no container…","response":404}   the same from podman
//! {"errorDetail":{"code":5,"message":"…"},"error":"…"}                     one text after a 200
//! ```
//!
//! `/build`, `/images/create`, `/images/load` and push answer 200 before they know the outcome. An
//! [`ErrorScanner`] reads the bytes as they pass and finds the error.
//!
//! Other spellings such as `Error` (which means something else in `/wait`), an `error` deeper in an
//! object, and an empty `error` are not errors.

use crate::base::text::visible;
use crate::json::{Begun, JsonError, JsonText, JsonTexts, Next, Value};
use std::fmt;

/// The size limit of a message: 64 KiB.
pub(super) const MESSAGE_LIMIT: usize = 64 << 10;

/// Returns the message in the body of an error response, as one line: that of JSON, with podman's
/// `cause` unless the message contains it, or all of a text. An attach that fails sends its text as
/// `application/vnd.docker.raw-stream`.
pub fn error_message(content_type: Option<&[u8]>, body: &[u8]) -> Option<String> {
    let line = |text: &str| visible(text.trim().as_bytes());
    if let Ok(value) = Value::parse(body) {
        let text = |name| value.get(name)?.as_str().filter(|text| !text.is_empty());
        let message = text("message")?;
        return Some(match text("cause").filter(|cause| !message.contains(cause)) {
            Some(cause) => format!("{}: {}", line(message), line(cause)),
            None => line(message),
        });
    }
    let media_type = content_type?.split(|&byte| byte == b';').next()?.trim_ascii();
    let is_text = media_type.eq_ignore_ascii_case(b"text/plain")
        || media_type.eq_ignore_ascii_case(b"application/vnd.docker.raw-stream");
    let message = line(str::from_utf8(body).ok().filter(|_| is_text)?);
    Some(message).filter(|message| !message.is_empty())
}

/// An error object inside a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamError {
    /// `errorDetail.code`, if present: the exit code of a build step, for example.
    pub code: Option<i64>,
    /// `errorDetail.message`, else `error`; at most 64 KiB.
    pub message: String,
}

impl fmt::Display for StreamError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.message.trim() {
            "" => f.write_str("the daemon gives no reason"),
            message => f.write_str(&visible(message.as_bytes())),
        }
    }
}

impl std::error::Error for StreamError {}

/// Watches a stream of JSON texts for the first error object.
///
/// ```
/// use unix_http::docker::ErrorScanner;
///
/// let mut scanner = ErrorScanner::new();
/// scanner.feed(b"{\"status\":\"Pulling\"}\r\n{\"errorDetail\":");
/// assert!(scanner.feed(b"{\"message\":\"no such").is_none()); // not over yet
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
    /// Creates a scanner at the beginning of a stream.
    pub fn new() -> ErrorScanner {
        Self::default()
    }

    /// Reads the next bytes, up to the first error or the first byte that is not JSON. Returns the
    /// first error, once its object is complete.
    pub fn feed(&mut self, bytes: &[u8]) -> Option<&StreamError> {
        if self.error.is_none() {
            let error = &mut self.error;
            // `finish` returns the error of what is not JSON.
            _ = self.texts.feed(bytes, &mut |text| {
                if error.is_none() {
                    *error = stream_error(text)?;
                }
                Ok(())
            });
        }
        self.error.as_ref()
    }

    /// Ends the stream and returns the error in it, if there was one.
    ///
    /// # Errors
    /// Fails for a stream that is not JSON, or is truncated, without an error object before that.
    pub fn finish(mut self) -> Result<Option<StreamError>, JsonError> {
        if self.error.is_none() {
            self.texts.finish(&mut |text| text.value().map(drop))?;
        }
        Ok(self.error)
    }
}

/// Returns the error in a text. Only its two members are kept: a text can be large.
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
    let texts = [member("message"), error.as_ref()].map(|text| text?.as_str());
    let message = texts.into_iter().flatten().find(|text| !text.is_empty());
    if detail.is_none() && message.is_none() {
        return Ok(None);
    }
    let message: Vec<u8> = message.unwrap_or_default().bytes().take(MESSAGE_LIMIT).collect();
    Ok(Some(StreamError {
        code: member("code").and_then(Value::as_i64),
        message: String::from_utf8_lossy(&message).into_owned(),
    }))
}
