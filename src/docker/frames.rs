//! Output in frames: how stdout and stderr of a container share one stream.
//!
//! ```text
//! stream     = *frame                       ; Docker Engine API v1.41, POST /containers/{id}/attach, "Stream format"
//! frame      = header *OCTET                ; as many as the length says
//! header     = type %x00 %x00 %x00 length
//! type       = %x00                         ; stdin, which is written on stdout
//!            / %x01                         ; stdout
//!            / %x02                         ; stderr
//!            / %x03                         ; an error of the daemon: text for people, then nothing more
//! length     = 4OCTET                       ; most significant first
//! ```
//!
//! A frame has nothing to do with lines: one line can be many frames and one frame many lines.
//!
//! Declined: other types, and anything but zeros in the padding. Both mean that the stream is not
//! framed at all, as that of a container with a terminal (`Config.Tty`). A frame that is cut short
//! is an error, and so is type 3: what ends there is not the whole output, and a reader that stops
//! in silence would make a script go on with half of it.
//!
//! ```
//! use unix_http::docker::{FrameDecoder, Stream};
//!
//! let mut decoder = FrameDecoder::new();
//! let mut input = &b"\x01\0\0\0\0\0\0\x04out\n\x02\0\0\0\0\0\0\x04er"[..];
//! assert_eq!(decoder.next(&mut input)?, Some((Stream::Stdout, &b"out\n"[..])));
//! assert_eq!(decoder.next(&mut input)?, Some((Stream::Stderr, &b"er"[..])));
//! assert_eq!(decoder.next(&mut input)?, None); // Partial: feed me more
//! assert_eq!(
//!     decoder.finish().unwrap_err().to_string(),
//!     "the stream ended inside a frame, at byte 22: 2 of its 4 bytes are missing (Docker Engine API, Stream format)"
//! );
//! # Ok::<(), unix_http::docker::FrameError>(())
//! ```

use crate::base::text::visible;
use std::fmt;

/// The bytes before a frame's data.
pub const FRAME_HEADER_LEN: usize = 8;

/// How much of a type 3 frame's text is kept: 64 KiB.
pub const DAEMON_ERROR_LIMIT: usize = 64 << 10;

/// What a frame's data was written to, or read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stream {
    /// Type 0: what went in, echoed. Written on stdout, as the docker CLI does.
    Stdin = 0,
    /// Type 1.
    Stdout = 1,
    /// Type 2.
    Stderr = 2,
}

/// Why a stream is not, or no longer, one of frames. Offsets count from its first byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FrameError {
    /// A type other than 0 to 3.
    Type {
        /// The type.
        found: u8,
        /// Where it stands.
        offset: u64,
    },
    /// A byte of the padding that is not zero.
    Padding {
        /// Where it stands.
        offset: u64,
    },
    /// A frame of type 3: the daemon gave up, and says why.
    Daemon {
        /// What it says, without the line end; at most [`DAEMON_ERROR_LIMIT`] bytes of it.
        message: String,
    },
    /// The stream ended inside a frame's header.
    IncompleteHeader {
        /// Where the stream ended.
        offset: u64,
    },
    /// The stream ended inside a frame's data; what came of it has been handed out.
    Incomplete {
        /// How many bytes of the data never came.
        missing: u32,
        /// How many bytes it should have been.
        length: u32,
        /// Where the stream ended.
        offset: u64,
    },
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FrameError::Daemon { message } => {
                return write!(
                    f,
                    "error from the daemon in the stream: {}",
                    visible(message.as_bytes())
                );
            }
            FrameError::Type { found, offset } => {
                write!(f, "not a frame: type {found} at byte {offset}")?
            }
            FrameError::Padding { offset } => {
                write!(f, "not a frame: padding that is not zero at byte {offset}")?
            }
            FrameError::IncompleteHeader { offset } => {
                write!(f, "the stream ended inside a frame's header, at byte {offset}")?;
            }
            FrameError::Incomplete { missing, length, offset } => write!(
                f,
                "the stream ended inside a frame, at byte {offset}: {missing} of its {length} bytes are missing"
            )?,
        }
        if let FrameError::Type { offset: 0, .. } | FrameError::Padding { offset: 0..=3 } = self {
            f.write_str("; the output of a container with a terminal has no frames")?;
        }
        f.write_str(" (Docker Engine API, Stream format)")
    }
}

impl std::error::Error for FrameError {}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Header,
    Data(Stream),
    /// Within the text of a type 3 frame.
    Message,
}

/// Takes frames apart, slice by slice, without ever holding data.
#[derive(Clone, Debug)]
pub struct FrameDecoder {
    state: State,
    header: [u8; FRAME_HEADER_LEN],
    /// How much of the header has come.
    have: usize,
    /// How much of the data is still to come.
    left: u32,
    message: Vec<u8>,
    offset: u64,
    /// How many headers have been read.
    frames: u64,
    failed: Option<FrameError>,
}

impl Default for FrameDecoder {
    fn default() -> Self {
        FrameDecoder::new()
    }
}

impl FrameDecoder {
    /// A decoder at the beginning of a stream.
    pub fn new() -> FrameDecoder {
        let (state, message) = (State::Header, Vec::new());
        FrameDecoder {
            state,
            header: [0; FRAME_HEADER_LEN],
            have: 0,
            left: 0,
            message,
            offset: 0,
            frames: 0,
            failed: None,
        }
    }

    /// How many bytes have been read, headers and data.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Returns the header that was read last, the number of its frame (from 1; 0 before the first),
    /// and how much of the frame's data is still to come.
    pub fn frame(&self) -> ([u8; FRAME_HEADER_LEN], u64, u32) {
        (self.header, self.frames, self.left)
    }

    /// Takes the next data off the front of `input`: one frame's, or as much of it as there is.
    /// `None`: the input is used up, feed me more. The slice is never empty; a frame of length 0
    /// passes unnoticed.
    ///
    /// # Errors
    /// As soon as the bytes decide it, and the same one ever after. All data before it has been
    /// handed out.
    pub fn next<'a>(
        &mut self,
        input: &mut &'a [u8],
    ) -> Result<Option<(Stream, &'a [u8])>, FrameError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let next = self.advance(input);
        self.failed = next.as_ref().err().cloned();
        next
    }

    /// Tells that nothing more will come.
    ///
    /// # Errors
    /// When that is inside a frame. A daemon's error that was cut off is told as far as it came.
    pub fn finish(&self) -> Result<(), FrameError> {
        match (&self.failed, self.state) {
            (Some(error), _) => Err(error.clone()),
            (None, State::Header) if self.have == 0 => Ok(()),
            (None, State::Header) => Err(FrameError::IncompleteHeader { offset: self.offset }),
            (None, State::Data(_)) => Err(FrameError::Incomplete {
                missing: self.left,
                length: self.length(),
                offset: self.offset,
            }),
            (None, State::Message) => Err(self.daemon_error()),
        }
    }

    fn advance<'a>(
        &mut self,
        input: &mut &'a [u8],
    ) -> Result<Option<(Stream, &'a [u8])>, FrameError> {
        while let Some(&byte) = input.first() {
            match self.state {
                State::Header => {
                    if !self.whole_header(input) {
                        self.header_byte(byte)?;
                        take(input, 1);
                        self.offset += 1;
                    }
                }
                State::Data(stream) => {
                    let data = self.data(input);
                    return Ok(Some((stream, data)));
                }
                State::Message => {
                    let text = self.data(input);
                    let room = DAEMON_ERROR_LIMIT - self.message.len();
                    self.message.extend_from_slice(&text[..text.len().min(room)]);
                }
            }
            if self.state == State::Message && self.left == 0 {
                return Err(self.daemon_error());
            }
        }
        Ok(None)
    }

    /// Takes a header that is there as a whole, and right, at once: byte by byte is for those that
    /// are not.
    fn whole_header(&mut self, input: &mut &[u8]) -> bool {
        let (0, Some(&header @ [0..=3, 0, 0, 0, ..])) =
            (self.have, input.first_chunk::<FRAME_HEADER_LEN>())
        else {
            return false;
        };
        take(input, FRAME_HEADER_LEN);
        self.offset += FRAME_HEADER_LEN as u64;
        self.header = header;
        self.begin_data();
        true
    }

    fn header_byte(&mut self, byte: u8) -> Result<(), FrameError> {
        match (self.have, byte) {
            (0, 4..) => return Err(FrameError::Type { found: byte, offset: self.offset }),
            (1..=3, 1..) => return Err(FrameError::Padding { offset: self.offset }),
            _ => {}
        }
        self.header[self.have] = byte;
        self.have += 1;
        if self.have == FRAME_HEADER_LEN {
            self.begin_data();
        }
        Ok(())
    }

    fn begin_data(&mut self) {
        (self.have, self.left) = (0, self.length());
        self.frames += 1;
        self.state = match (self.header[0], self.left) {
            (3, _) => State::Message,
            (_, 0) => State::Header,
            (0, _) => State::Data(Stream::Stdin),
            (1, _) => State::Data(Stream::Stdout),
            (_, _) => State::Data(Stream::Stderr),
        };
    }

    /// As much of the data as there is.
    fn data<'a>(&mut self, input: &mut &'a [u8]) -> &'a [u8] {
        let data = take(input, self.left.try_into().unwrap_or(usize::MAX));
        self.left -= data.len() as u32;
        self.offset += data.len() as u64;
        if self.left == 0 && self.state != State::Message {
            self.state = State::Header;
        }
        data
    }

    fn length(&self) -> u32 {
        let [.., a, b, c, d] = self.header;
        u32::from_be_bytes([a, b, c, d])
    }

    fn daemon_error(&self) -> FrameError {
        FrameError::Daemon { message: String::from_utf8_lossy(&self.message).trim_end().to_owned() }
    }
}

fn take<'a>(input: &mut &'a [u8], n: usize) -> &'a [u8] {
    let (taken, rest) = input.split_at(n.min(input.len()));
    *input = rest;
    taken
}

/// The header of a frame with `length` bytes of data.
pub fn frame_header(stream: Stream, length: u32) -> [u8; FRAME_HEADER_LEN] {
    header(stream as u8, length)
}

fn header(kind: u8, length: u32) -> [u8; FRAME_HEADER_LEN] {
    let [a, b, c, d] = length.to_be_bytes();
    [kind, 0, 0, 0, a, b, c, d]
}

/// Appends `data` as one frame, or as several when a length of 32 bits does not hold it; nothing
/// for no data.
///
/// ```
/// use unix_http::docker::{Stream, encode_frame};
///
/// let mut out = Vec::new();
/// encode_frame(&mut out, Stream::Stderr, b"err\n");
/// assert_eq!(out, b"\x02\0\0\0\0\0\0\x04err\n");
/// ```
pub fn encode_frame(out: &mut Vec<u8>, stream: Stream, data: &[u8]) {
    encode(out, stream as u8, data);
}

/// Appends a frame of type 3: an error of the daemon, after which the stream ends.
pub fn encode_error_frame(out: &mut Vec<u8>, message: &str) {
    encode(out, 3, message.as_bytes());
}

fn encode(out: &mut Vec<u8>, kind: u8, data: &[u8]) {
    for part in data.chunks(u32::MAX as usize) {
        out.extend_from_slice(&header(kind, part.len() as u32));
        out.extend_from_slice(part);
    }
}

/// Whether these bytes can begin a stream of frames: a type that is known, and zeros.
pub fn may_begin_frames(first: &[u8]) -> bool {
    first.iter().zip([0..=3, 0..=0, 0..=0, 0..=0]).all(|(byte, range)| range.contains(byte))
}

/// What a response's Content-Type tells about frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputKind {
    /// `application/vnd.docker.multiplexed-stream`: frames. Sent from API 1.42 on, for an upgraded
    /// connection.
    Multiplexed,
    /// `application/vnd.docker.raw-stream`, or no type at all (`/logs`), or
    /// `application/octet-stream`, which podman's `/logs` gets for the look of the frames' first
    /// bytes: frames, unless the container has a terminal. `Config.Tty` of the container, or
    /// `ProcessConfig.tty` of the exec, is the only certain answer.
    DependsOnTty,
    /// Any other type: no frames.
    Other,
}

impl OutputKind {
    /// Reads a Content-Type, whatever its case and its parameters.
    pub fn of_content_type(content_type: Option<&[u8]>) -> OutputKind {
        let Some(value) = content_type else { return OutputKind::DependsOnTty };
        let media_type = value.split(|&byte| byte == b';').next().unwrap_or_default().trim_ascii();
        if media_type.eq_ignore_ascii_case(b"application/vnd.docker.multiplexed-stream") {
            OutputKind::Multiplexed
        } else if [&b"application/vnd.docker.raw-stream"[..], b"application/octet-stream"]
            .iter()
            .any(|kind| media_type.eq_ignore_ascii_case(kind))
        {
            OutputKind::DependsOnTty
        } else {
            OutputKind::Other
        }
    }
}
