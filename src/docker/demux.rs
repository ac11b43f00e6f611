//! Reads frames from a reader: copies them to two writers, or yields them one by one.
//!
//! ```
//! use unix_http::docker::Demux;
//!
//! let log = b"\x01\0\0\0\0\0\0\x04out\n\x02\0\0\0\0\0\0\x04err\n";
//! let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
//! Demux::new(&log[..]).copy_to(&mut stdout, &mut stderr)?;
//! assert_eq!((stdout, stderr), (b"out\n".to_vec(), b"err\n".to_vec()));
//!
//! // A truncated frame is an error, after the part that arrived.
//! let cut = Demux::new(&log[..10]).copy_to(&mut Vec::new(), &mut Vec::new());
//! assert!(cut.is_err());
//! # Ok::<(), unix_http::docker::DockerError>(())
//! ```

use super::error::DockerError;
use super::frames::{FrameDecoder, FrameStream};
use std::io::{self, BufRead, Write};

/// Reads frames from a reader.
///
/// The iterator yields `(stream, data)`: the data of one frame or a part of it. It ends after the
/// first error, and when the stream ends between two frames.
#[derive(Debug)]
pub struct Demux<R> {
    reader: R,
    decoder: FrameDecoder,
    over: bool,
}

impl<R: BufRead> Demux<R> {
    /// Reads frames from `reader`, beginning with a header.
    pub fn new(reader: R) -> Demux<R> {
        Demux { reader, decoder: FrameDecoder::new(), over: false }
    }

    /// Copies the data of every frame to its writer, and flushes before it waits for more. Frames
    /// of type 0 go to stdout, as in the docker CLI.
    ///
    /// # Errors
    /// [`DockerError`], after everything before it has been written. That of a writer names it.
    pub fn copy_to(
        &mut self,
        stdout: &mut impl Write,
        stderr: &mut impl Write,
    ) -> Result<(), DockerError> {
        loop {
            let more = self.buffered(|stream, data| {
                match stream {
                    FrameStream::Stderr => written("stderr", stderr.write_all(data))?,
                    _ => written("stdout", stdout.write_all(data))?,
                }
                Ok(true)
            });
            written("stdout", stdout.flush())?;
            written("stderr", stderr.flush())?;
            if !more? {
                return Ok(());
            }
        }
    }

    /// Passes the frames that the reader has to `take` while that returns true, and waits only if
    /// there are none. Returns false at the end of the stream.
    fn buffered(
        &mut self,
        mut take: impl FnMut(FrameStream, &[u8]) -> Result<bool, DockerError>,
    ) -> Result<bool, DockerError> {
        let buffer = match self.reader.fill_buf() {
            Ok(buffer) => buffer,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(true),
            Err(error) => return Err(error.into()),
        };
        if buffer.is_empty() {
            self.decoder.finish()?;
            return Ok(false);
        }
        let mut input = buffer;
        let result = loop {
            match self.decoder.next(&mut input) {
                Err(error) => break Err(error.into()),
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

fn written(name: &str, result: io::Result<()>) -> Result<(), DockerError> {
    let named = |e: io::Error| io::Error::new(e.kind(), format!("cannot write to {name}: {e}"));
    result.map_err(|error| DockerError::Io(named(error)))
}

impl<R: BufRead> Iterator for Demux<R> {
    type Item = Result<(FrameStream, Vec<u8>), DockerError>;

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
