//! Frames from a reader: to two writers as they come, or one by one.
//!
//! ```
//! use unix_http::docker::Demux;
//!
//! let wire = b"\x01\0\0\0\0\0\0\x04out\n\x02\0\0\0\0\0\0\x04err\n";
//! let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
//! let copied = Demux::new(&wire[..]).copy_to(&mut stdout, &mut stderr)?;
//! assert_eq!((stdout, stderr), (b"out\n".to_vec(), b"err\n".to_vec()));
//! assert_eq!((copied.stdout, copied.stderr), (4, 4));
//! # Ok::<(), unix_http::docker::DemuxError>(())
//! ```

use super::frames::{FrameDecoder, FrameError, Stream};
use std::fmt;
use std::io::{self, BufRead, Write};

/// Takes the frames off a reader.
///
/// As an iterator it gives `(stream, data)`, the data of one frame, or of a part of one that the
/// reader did not have whole. It ends after the first error, and at the end of the stream where
/// that is between two frames.
///
/// ```
/// use unix_http::docker::Demux;
///
/// let log = b"\x01\0\0\0\0\0\0\x04out\n\x02\0\0\0\0\0\0\x04err\n";
/// let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
/// Demux::new(&log[..]).copy_to(&mut stdout, &mut stderr)?;
/// assert_eq!((stdout, stderr), (b"out\n".to_vec(), b"err\n".to_vec()));
///
/// // A frame that is cut short is an error, after what came of it.
/// let cut = Demux::new(&log[..10]).copy_to(&mut Vec::new(), &mut Vec::new());
/// assert!(cut.is_err());
/// # Ok::<(), unix_http::docker::DemuxError>(())
/// ```
#[derive(Debug)]
pub struct Demux<R> {
    reader: R,
    decoder: FrameDecoder,
    over: bool,
}

/// How many bytes went where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Copied {
    /// To stdout, what frames of type 0 hold included.
    pub stdout: u64,
    /// To stderr.
    pub stderr: u64,
}

/// Why frames could not be read or copied to their end.
#[derive(Debug)]
pub enum DemuxError {
    /// The reader failed.
    Read(io::Error),
    /// What was read is not, or no longer, a stream of frames.
    Frame(FrameError),
    /// The writer for this stream failed.
    Write(Stream, io::Error),
}

impl<R: BufRead> Demux<R> {
    /// Reads frames from `reader`, which stands at the first one's header.
    pub fn new(reader: R) -> Demux<R> {
        Demux { reader, decoder: FrameDecoder::new(), over: false }
    }

    /// The reader, with what it has not given out yet.
    pub fn into_inner(self) -> R {
        self.reader
    }

    /// Copies every frame's data to where it belongs, and flushes before waiting for more, so that
    /// nothing that has come stays behind.
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
            let buffer = fill(&mut self.reader)?;
            if buffer.is_empty() {
                self.decoder.finish().map_err(DemuxError::Frame)?;
                return Ok(copied);
            }
            let mut input = buffer;
            let batch = copy_batch(&mut self.decoder, &mut input, stdout, stderr, &mut copied);
            let read = buffer.len() - input.len();
            self.reader.consume(read);
            stdout.flush().map_err(|error| DemuxError::Write(Stream::Stdout, error))?;
            stderr.flush().map_err(|error| DemuxError::Write(Stream::Stderr, error))?;
            batch?;
        }
    }

    fn read(&mut self) -> Result<Option<(Stream, Vec<u8>)>, DemuxError> {
        loop {
            let buffer = fill(&mut self.reader)?;
            if buffer.is_empty() {
                self.decoder.finish().map_err(DemuxError::Frame)?;
                return Ok(None);
            }
            let mut input = buffer;
            let next = self
                .decoder
                .next(&mut input)
                .map(|frame| frame.map(|(stream, data)| (stream, data.to_vec())));
            let read = buffer.len() - input.len();
            self.reader.consume(read);
            if let Some(frame) = next.map_err(DemuxError::Frame)? {
                return Ok(Some(frame));
            }
        }
    }
}

fn copy_batch(
    decoder: &mut FrameDecoder,
    input: &mut &[u8],
    stdout: &mut impl Write,
    stderr: &mut impl Write,
    copied: &mut Copied,
) -> Result<(), DemuxError> {
    while let Some((stream, data)) = decoder.next(input).map_err(DemuxError::Frame)? {
        let (written, count) = match stream {
            Stream::Stdin | Stream::Stdout => (stdout.write_all(data), &mut copied.stdout),
            Stream::Stderr => (stderr.write_all(data), &mut copied.stderr),
        };
        written.map_err(|error| DemuxError::Write(stream, error))?;
        *count += data.len() as u64;
    }
    Ok(())
}

/// What the reader has; empty at its end. A signal is no reason to end.
fn fill(reader: &mut impl BufRead) -> Result<&[u8], DemuxError> {
    let len = loop {
        match reader.fill_buf() {
            Ok(buffer) => break buffer.len(),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(DemuxError::Read(error)),
        }
    };
    if len == 0 { Ok(&[]) } else { reader.fill_buf().map_err(DemuxError::Read) }
}

impl<R: BufRead> Iterator for Demux<R> {
    type Item = Result<(Stream, Vec<u8>), DemuxError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.over {
            return None;
        }
        let next = self.read().transpose();
        self.over = !matches!(next, Some(Ok(_)));
        next
    }
}

impl fmt::Display for DemuxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DemuxError::Read(error) => write!(f, "cannot read frames: {error}"),
            DemuxError::Frame(error) => error.fmt(f),
            DemuxError::Write(Stream::Stderr, error) => {
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
