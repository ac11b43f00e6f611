//! Frames from a reader: to two writers as they come, or one by one.
//!
//! ```
//! use unix_http::docker::Demux;
//!
//! let log = b"\x01\0\0\0\0\0\0\x04out\n\x02\0\0\0\0\0\0\x04err\n";
//! let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
//! let copied = Demux::new(&log[..]).copy_to(&mut stdout, &mut stderr)?;
//! assert_eq!((stdout, stderr), (b"out\n".to_vec(), b"err\n".to_vec()));
//! assert_eq!((copied.stdout, copied.stderr), (4, 4));
//!
//! // A frame that is cut short is an error, after what came of it.
//! let cut = Demux::new(&log[..10]).copy_to(&mut Vec::new(), &mut Vec::new());
//! assert!(cut.is_err());
//! # Ok::<(), unix_http::docker::DemuxError>(())
//! ```

use super::frames::{FrameDecoder, FrameError, FrameStream};
use std::fmt;
use std::io::{self, BufRead, Write};

/// Takes the frames off a reader.
///
/// As an iterator it yields `(stream, data)`, the data of one frame, or of the part of one that the
/// reader had. It ends after the first error, and at the end of a stream that ends between two
/// frames.
#[derive(Debug)]
pub struct Demux<R> {
    reader: R,
    decoder: FrameDecoder,
    over: bool,
}

/// How many bytes were copied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Copied {
    /// To stdout, including frames of type 0.
    pub stdout: u64,
    /// To stderr.
    pub stderr: u64,
}

/// Why frames could not be read or copied to their end.
#[derive(Debug)]
pub enum DemuxError {
    /// The reader failed.
    Read(io::Error),
    /// The bytes are not, or no longer, a stream of frames.
    Frame(FrameError),
    /// The writer for this stream failed.
    Write(FrameStream, io::Error),
}

impl<R: BufRead> Demux<R> {
    /// Reads frames from `reader`, which stands at the first one's header.
    pub fn new(reader: R) -> Demux<R> {
        Demux { reader, decoder: FrameDecoder::new(), over: false }
    }

    /// Copies the data of every frame to its writer. Flushes before waiting for more, so that
    /// everything that has come is visible.
    ///
    /// # Errors
    /// All that came before it has been written.
    pub fn copy_to(
        &mut self,
        stdout: &mut impl Write,
        stderr: &mut impl Write,
    ) -> Result<Copied, DemuxError> {
        let mut copied = Copied::default();
        loop {
            let more = self.buffered(|stream, data| {
                let (written, count) = match stream {
                    FrameStream::Stdin | FrameStream::Stdout => {
                        (stdout.write_all(data), &mut copied.stdout)
                    }
                    FrameStream::Stderr => (stderr.write_all(data), &mut copied.stderr),
                };
                *count += data.len() as u64;
                written.map(|()| true).map_err(|error| DemuxError::Write(stream, error))
            });
            stdout.flush().map_err(|error| DemuxError::Write(FrameStream::Stdout, error))?;
            stderr.flush().map_err(|error| DemuxError::Write(FrameStream::Stderr, error))?;
            if !more? {
                return Ok(copied);
            }
        }
    }

    /// Passes the frames that the reader has to `take`, as long as that returns true. Waits only if
    /// the reader has nothing. Returns false at the end of the stream.
    fn buffered(
        &mut self,
        mut take: impl FnMut(FrameStream, &[u8]) -> Result<bool, DemuxError>,
    ) -> Result<bool, DemuxError> {
        let at_end = loop {
            match self.reader.fill_buf() {
                Ok(buffer) => break buffer.is_empty(),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(DemuxError::Read(error)),
            }
        };
        if at_end {
            return self.decoder.finish().map(|()| false).map_err(DemuxError::Frame);
        }
        let buffer = self.reader.fill_buf().map_err(DemuxError::Read)?;
        let mut input = buffer;
        let result = loop {
            match self.decoder.next(&mut input) {
                Err(error) => break Err(DemuxError::Frame(error)),
                Ok(None) => break Ok(true),
                Ok(Some((stream, data))) => match take(stream, data) {
                    Ok(true) => {}
                    Ok(false) => break Ok(true),
                    Err(error) => break Err(error),
                },
            }
        };
        let read = buffer.len() - input.len();
        self.reader.consume(read);
        result
    }
}

impl<R: BufRead> Iterator for Demux<R> {
    type Item = Result<(FrameStream, Vec<u8>), DemuxError>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut frame = None;
        while frame.is_none() && !self.over {
            let one = self.buffered(|stream, data| {
                frame = Some(Ok((stream, data.to_vec())));
                Ok(false)
            });
            self.over = !matches!(one, Ok(true));
            frame = frame.or(one.err().map(Err));
        }
        frame
    }
}

impl fmt::Display for DemuxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DemuxError::Read(error) => write!(f, "cannot read frames: {error}"),
            DemuxError::Frame(error) => error.fmt(f),
            DemuxError::Write(FrameStream::Stderr, error) => {
                write!(f, "cannot write to stderr: {error}")
            }
            DemuxError::Write(_, error) => write!(f, "cannot write to stdout: {error}"),
        }
    }
}

impl std::error::Error for DemuxError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            DemuxError::Read(error) | DemuxError::Write(_, error) => Some(error),
            DemuxError::Frame(error) => Some(error),
        }
    }
}
