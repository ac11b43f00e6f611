//! The content of a request: nothing, bytes in memory, or a reader.

use std::borrow::Cow;
use std::fmt;
use std::fs::File;
use std::io::{Read, Seek};

/// The content of a request. Bytes and text convert into one, to be sent with Content-Length.
///
/// ```
/// use unix_http::Body;
///
/// let known: Body = "{}".into(); // Content-Length: 2
/// let streamed = Body::reader(std::io::stdin(), None); // Transfer-Encoding: chunked
/// ```
#[derive(Default)]
pub struct Body<'a> {
    pub(super) content: Content<'a>,
    /// The number of bytes; `None` if it is unknown, or if there is no content.
    pub(super) length: Option<u64>,
}

#[derive(Default)]
pub(super) enum Content<'a> {
    /// No content, and no field that announces any.
    #[default]
    None,
    Bytes(Cow<'a, [u8]>),
    Reader(Box<dyn Read + Send>),
    /// Sent by the thread that calls `send`.
    Borrowed(Box<dyn Read + Send + 'a>),
}

impl<'a> Body<'a> {
    /// Creates content from a reader: its first `length` bytes, sent with Content-Length, or all of
    /// it, sent chunked. Fewer bytes are an error. Each read becomes a chunk at once.
    ///
    /// ```no_run
    /// use std::process::{Command, Stdio};
    /// use unix_http::{Body, Client};
    ///
    /// let mut tar = Command::new("tar").args(["-c", "."]).stdout(Stdio::piped()).spawn()?;
    /// let context = tar.stdout.take().map_or(Body::default(), |out| Body::reader(out, None));
    /// Client::unix("/run/docker.sock").post("/build").body(context).send()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn reader(reader: impl Read + Send + 'static, length: Option<u64>) -> Body<'a> {
        Body { content: Content::Reader(Box::new(reader)), length }
    }

    /// Creates content from a reader that may borrow, otherwise as [`reader`](Body::reader).
    ///
    /// The thread that calls [`send`](super::RequestBuilder::send) sends it, and then waits for the
    /// response. A thread of its own sends other long content, which therefore must own its source.
    ///
    /// No time limit interrupts a read from the source: limits are checked before each write to the
    /// peer. Set a timeout on a source that may block, such as a socket. A response that arrives
    /// early is noticed when all content was sent, or when a write fails. Borrowed
    /// content excludes [`expect_continue`](super::RequestBuilder::expect_continue).
    pub fn borrowed(reader: impl Read + Send + 'a, length: Option<u64>) -> Body<'a> {
        Body { content: Content::Borrowed(Box::new(reader)), length }
    }

    /// Creates content from a file, from its current position on. A regular file is sent with
    /// Content-Length, any other chunked.
    ///
    /// # Errors
    /// Fails if the length or the position of the file cannot be read.
    pub fn file(mut file: File) -> std::io::Result<Body<'a>> {
        let metadata = file.metadata()?;
        let length = match metadata.is_file() {
            true => Some(metadata.len().saturating_sub(file.stream_position()?)),
            false => None,
        };
        Ok(Body::reader(file, length))
    }

    /// Takes the content for another thread. With `copy`, bytes in memory stay for a second try.
    pub(super) fn take_or_copy(&mut self, copy: bool) -> Content<'static> {
        if let (Content::Bytes(bytes), true) = (&self.content, copy) {
            return Content::Bytes(bytes.to_vec().into());
        }
        match std::mem::take(&mut self.content) {
            Content::Bytes(bytes) => Content::Bytes(bytes.into_owned().into()),
            Content::Reader(reader) => Content::Reader(reader),
            // Borrowed content is sent on this thread.
            Content::None | Content::Borrowed(_) => Content::None,
        }
    }
}

macro_rules! from_bytes {
    ($($source:ty: $to_bytes:expr;)*) => {$(
        impl<'a> From<$source> for Body<'a> {
            fn from(content: $source) -> Self {
                let bytes: Cow<'a, [u8]> = $to_bytes(content).into();
                Body { length: Some(bytes.len() as u64), content: Content::Bytes(bytes) }
            }
        }
    )*};
}

from_bytes! {
    &'a [u8]: <&[u8]>::from;
    &'a str: str::as_bytes;
    Vec<u8>: Vec::from;
    String: String::into_bytes;
}

impl fmt::Debug for Body<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.content, self.length) {
            (Content::None, _) => f.write_str("Body(none)"),
            (_, Some(length)) => write!(f, "Body({length} bytes)"),
            (_, None) => f.write_str("Body(of unknown length)"),
        }
    }
}
