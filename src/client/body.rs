//! The content of a request: nothing, bytes in memory, or a reader.

use std::borrow::Cow;
use std::fmt;
use std::fs::File;
use std::io::{Read, Seek};

/// The content of a request.
///
/// ```
/// use unix_http::Body;
///
/// let known: Body = "{}".into(); // Content-Length: 2
/// let streamed = Body::reader(std::io::stdin()); // Transfer-Encoding: chunked
/// ```
#[derive(Default)]
pub struct Body<'a>(pub(super) Content<'a>);

#[derive(Default)]
pub(super) enum Content<'a> {
    /// No content, and no field that mentions any.
    #[default]
    None,
    Bytes(Cow<'a, [u8]>),
    Reader {
        reader: Box<dyn Read + Send>,
        length: Option<u64>,
    },
    /// Sent on the thread that calls.
    Borrowed {
        reader: Box<dyn Read + Send + 'a>,
        length: Option<u64>,
    },
}

impl<'a> Body<'a> {
    /// Bytes in memory, sent with Content-Length.
    pub fn bytes(bytes: impl Into<Cow<'a, [u8]>>) -> Body<'a> {
        Body(Content::Bytes(bytes.into()))
    }

    /// Everything that `reader` gives, sent chunked: each read becomes a chunk at once.
    ///
    /// ```no_run
    /// use std::process::{Command, Stdio};
    /// use unix_http::{Body, Client};
    ///
    /// let mut tar = Command::new("tar").args(["-c", "."]).stdout(Stdio::piped()).spawn()?;
    /// let context = tar.stdout.take().map_or(Body::default(), Body::reader);
    /// Client::unix("/run/docker.sock").post("/build").body(context).send()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn reader(reader: impl Read + Send + 'static) -> Body<'a> {
        Body(Content::Reader { reader: Box::new(reader), length: None })
    }

    /// The first `length` bytes of `reader`, sent with Content-Length. Fewer are an error.
    pub fn sized(reader: impl Read + Send + 'static, length: u64) -> Body<'a> {
        Body(Content::Reader { reader: Box::new(reader), length: Some(length) })
    }

    /// What `reader` gives, which may borrow: `length` bytes, or everything, sent chunked.
    ///
    /// Other content that is long has a thread of its own, so that it must own its source. This is
    /// sent by the thread that calls [`send`](super::RequestBuilder::send), before it waits for the
    /// response: no time limit ends a wait for the source, and a peer that answers early is not
    /// heard before it reads on or closes. It cannot be combined with
    /// [`expect_continue`](super::RequestBuilder::expect_continue).
    pub fn borrowed(reader: impl Read + Send + 'a, length: Option<u64>) -> Body<'a> {
        Body(Content::Borrowed { reader: Box::new(reader), length })
    }

    /// A file from its current position: with Content-Length if it is regular, chunked otherwise.
    ///
    /// # Errors
    /// Fails if the length or the position of the file cannot be read.
    pub fn file(mut file: File) -> std::io::Result<Body<'a>> {
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Ok(Body::reader(file));
        }
        let length = metadata.len().saturating_sub(file.stream_position()?);
        Ok(Body::sized(file, length))
    }

    /// Returns the number of bytes, if it is known.
    pub fn length(&self) -> Option<u64> {
        match &self.0 {
            Content::None => Some(0),
            Content::Bytes(bytes) => Some(bytes.len() as u64),
            Content::Reader { length, .. } | Content::Borrowed { length, .. } => *length,
        }
    }
}

impl Body<'_> {
    /// Takes the content for another thread. `copy` leaves bytes in memory for a second try.
    pub(super) fn take_or_copy(&mut self, copy: bool) -> Content<'static> {
        if let (Content::Bytes(bytes), true) = (&self.0, copy) {
            return Content::Bytes(Cow::Owned(bytes.to_vec()));
        }
        match std::mem::take(&mut self.0) {
            Content::None => Content::None,
            Content::Bytes(bytes) => Content::Bytes(Cow::Owned(bytes.into_owned())),
            Content::Reader { reader, length } => Content::Reader { reader, length },
            // It is sent on this thread.
            Content::Borrowed { .. } => Content::None,
        }
    }
}

macro_rules! from_bytes {
    ($($source:ty: $to_bytes:expr;)*) => {$(
        impl<'a> From<$source> for Body<'a> {
            fn from(content: $source) -> Self {
                Body::bytes($to_bytes(content))
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
        match (&self.0, self.length()) {
            (Content::None, _) => f.write_str("Body(none)"),
            (_, Some(length)) => write!(f, "Body({length} bytes)"),
            (_, None) => f.write_str("Body(of unknown length)"),
        }
    }
}
