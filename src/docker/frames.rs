//! Output in frames: the stdout and stderr of a container share one stream.
//!
//! ```text
//! stream     = *frame             ; Docker Engine API v1.41, ContainerAttach, "Stream format"
//! frame      = header *OCTET      ; as many as the length says
//! header     = type %x00 %x00 %x00 length
//! type       = %x00               ; stdin, which is written on stdout
//!            / %x01               ; stdout
//!            / %x02               ; stderr
//!            / %x03               ; an error of the daemon: text for people, then nothing more
//! length     = 4OCTET             ; most significant first
//! ```
//!
//! Frames are not lines: one line can span many frames, and one frame can contain many lines.
//!
//! Other types and non-zero padding are errors: the stream is not framed, like that of a container
//! with a terminal (`Config.Tty`). A truncated frame is an error, and so is type 3: the output is
//! incomplete, and a script must not continue with half of it.
//!
//! ```
//! use unix_http::docker::{FrameDecoder, FrameStream};
//!
//! let mut decoder = FrameDecoder::new();
//! let mut input = &b"\x01\0\0\0\0\0\0\x04out\n\x02\0\0\0\0\0\0\x04er"[..];
//! assert_eq!(decoder.next(&mut input)?, Some((FrameStream::Stdout, &b"out\n"[..])));
//! assert_eq!(decoder.next(&mut input)?, Some((FrameStream::Stderr, &b"er"[..])));
//! assert_eq!(decoder.next(&mut input)?, None); // Partial: feed me more
//! assert_eq!(
//!     decoder.finish().unwrap_err().to_string(),
//!     "the stream ended inside a frame, at byte 22: 2 of its 4 bytes are missing \
//!      (Docker Engine API, Stream format)"
//! );
//! # Ok::<(), unix_http::docker::FrameError>(())
//! ```

use crate::base::text::visible;
use std::fmt;

/// The bytes before a frame's data.
pub(crate) const FRAME_HEADER_LEN: usize = 8;

/// The size limit of a type 3 frame's text: 64 KiB.
pub(crate) const DAEMON_ERROR_LIMIT: usize = 64 << 10;

/// The stream that a frame's data belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FrameStream {
    /// Type 0: echoed input. It goes to stdout, as in the docker CLI.
    Stdin = 0,
    /// Type 1.
    Stdout = 1,
    /// Type 2.
    Stderr = 2,
}

/// Why a stream does not consist of frames, or no longer. Offsets count from its first byte.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FrameError {
    /// A byte that no header can contain there: a type other than 0 to 3, or non-zero padding.
    NotAFrame {
        /// The byte.
        found: u8,
        /// The offset of the byte.
        offset: u64,
    },
    /// A frame of type 3: the daemon failed.
    Daemon {
        /// The reason, without its line end; at most 64 KiB.
        message: String,
    },
    /// The stream ended inside a frame, after the data that was handed out.
    Incomplete {
        /// Where the stream ended.
        offset: u64,
        /// How many bytes of the data are missing, and how many the header announced; `None` inside
        /// the header.
        missing: Option<(u32, u32)>,
    },
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let why = match self {
            Self::Daemon { message } => {
                let message = visible(message.as_bytes());
                return write!(f, "error from the daemon in the stream: {message}");
            }
            Self::NotAFrame { found, offset } => {
                let tty = "; the output of a container with a terminal has no frames";
                let hint = if *offset < 4 { tty } else { "" };
                format!("not a frame: {found:#04x} at byte {offset}{hint}")
            }
            Self::Incomplete { offset, missing: None } => {
                format!("the stream ended inside a frame's header, at byte {offset}")
            }
            Self::Incomplete { offset, missing: Some((missing, length)) } => format!(
                "the stream ended inside a frame, at byte {offset}: {missing} of its {length} \
                 bytes are missing"
            ),
        };
        write!(f, "{why} (Docker Engine API, Stream format)")
    }
}

impl std::error::Error for FrameError {}

/// Decodes frames slice by slice, without storing data.
#[derive(Clone, Debug, Default)]
pub struct FrameDecoder {
    header: [u8; FRAME_HEADER_LEN],
    /// The number of header bytes read. With all of them, the decoder is inside the data.
    have: usize,
    /// The number of data bytes still to come.
    left: u32,
    message: Vec<u8>,
    offset: u64,
    frames: u64,
    failed: Option<FrameError>,
}

impl FrameDecoder {
    /// Creates a decoder at the beginning of a stream.
    pub fn new() -> FrameDecoder {
        Self::default()
    }

    /// Returns the header read last, the number of its frame (from 1; 0 before the first), and the
    /// number of data bytes still to come.
    pub(crate) fn frame(&self) -> ([u8; FRAME_HEADER_LEN], u64, u32) {
        (self.header, self.frames, self.left)
    }

    /// Takes the next data off the front of `input`: the data of one frame, or a part of it, and
    /// never nothing. Returns `None` when the input is used up.
    ///
    /// # Errors
    /// [`FrameError`] as soon as the bytes decide it, after all data before it, and on every later
    /// call.
    pub fn next<'a>(
        &mut self,
        input: &mut &'a [u8],
    ) -> Result<Option<(FrameStream, &'a [u8])>, FrameError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let next = self.advance(input);
        self.failed = next.as_ref().err().cloned();
        next
    }

    /// Ends the stream.
    ///
    /// # Errors
    /// [`FrameError`] inside a frame. Returns a truncated error of the daemon as far as it came.
    pub fn finish(&self) -> Result<(), FrameError> {
        let left = (self.left, self.length());
        match (&self.failed, self.have, self.header[0]) {
            (Some(error), ..) => Err(error.clone()),
            (None, 0, _) => Ok(()),
            (None, FRAME_HEADER_LEN, 3) => Err(self.daemon_error()),
            (None, have, _) => Err(FrameError::Incomplete {
                offset: self.offset,
                missing: (have == FRAME_HEADER_LEN).then_some(left),
            }),
        }
    }

    fn advance<'a>(
        &mut self,
        input: &mut &'a [u8],
    ) -> Result<Option<(FrameStream, &'a [u8])>, FrameError> {
        while !input.is_empty() {
            if self.have < FRAME_HEADER_LEN && !self.header(input)? {
                break;
            }
            let data = take(input, self.left.try_into().unwrap_or(usize::MAX));
            self.left -= data.len() as u32;
            self.offset += data.len() as u64;
            if self.left == 0 {
                self.have = 0;
            }
            let stream = match self.header[0] {
                3 => {
                    let room = DAEMON_ERROR_LIMIT - self.message.len();
                    self.message.extend_from_slice(&data[..data.len().min(room)]);
                    if self.left == 0 {
                        return Err(self.daemon_error());
                    }
                    continue;
                }
                2 => FrameStream::Stderr,
                1 => FrameStream::Stdout,
                _ => FrameStream::Stdin,
            };
            if !data.is_empty() {
                return Ok(Some((stream, data)));
            }
        }
        Ok(None)
    }

    /// Takes as much of the header as there is; returns whether it is complete.
    fn header(&mut self, input: &mut &[u8]) -> Result<bool, FrameError> {
        for &byte in take(input, FRAME_HEADER_LEN - self.have) {
            self.header[self.have] = byte;
            if !may_begin_frames(&self.header) {
                return Err(FrameError::NotAFrame { found: byte, offset: self.offset });
            }
            self.have += 1;
            self.offset += 1;
        }
        if self.have < FRAME_HEADER_LEN {
            return Ok(false);
        }
        self.left = self.length();
        self.frames += 1;
        Ok(true)
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
    input.split_off(..n.min(input.len())).unwrap_or_default()
}

/// Appends `data` as one frame, or as several if it exceeds 32 bits of length; nothing for no data.
pub fn encode_frame(out: &mut Vec<u8>, stream: FrameStream, data: &[u8]) {
    for part in data.chunks(u32::MAX as usize) {
        out.extend_from_slice(&[stream as u8, 0, 0, 0]);
        out.extend_from_slice(&(part.len() as u32).to_be_bytes());
        out.extend_from_slice(part);
    }
}

/// Returns whether these bytes can begin a stream of frames: a known type, and zeros.
pub(crate) fn may_begin_frames(first: &[u8]) -> bool {
    first.iter().zip([0..=3, 0..=0, 0..=0, 0..=0]).all(|(byte, range)| range.contains(byte))
}

/// Returns whether a response consists of frames, according to its Content-Type.
///
/// | Content-Type | frames |
/// |---|---|
/// | `application/vnd.docker.multiplexed-stream` (upgraded, since API 1.42) | yes |
/// | `application/vnd.docker.raw-stream` | `None` |
/// | none (`/logs`), `application/octet-stream` (podman's `/logs`) | `None` |
/// | any other | no |
///
/// `None` means: unless the container has a terminal, which only `Config.Tty` or
/// `ProcessConfig.tty` tells.
pub fn is_framed(content_type: Option<&[u8]>) -> Option<bool> {
    let value = content_type?;
    let media_type = value.split(|&byte| byte == b';').next().unwrap_or_default();
    match media_type.trim_ascii().to_ascii_lowercase().as_slice() {
        b"application/vnd.docker.multiplexed-stream" => Some(true),
        b"application/vnd.docker.raw-stream" | b"application/octet-stream" => None,
        _ => Some(false),
    }
}

/// Guesses by the request-target what [`is_framed`] leaves open.
pub(crate) fn is_probably_framed(content_type: Option<&[u8]>, target: &[u8]) -> bool {
    let path = target.split(|&byte| byte == b'?').next().unwrap_or_default();
    let streams = [&b"/attach"[..], b"/logs", b"/start"];
    is_framed(content_type).unwrap_or_else(|| streams.iter().any(|end| path.ends_with(end)))
}
