//! Content that the kernel moves by itself: splice(2) takes the pages of a file, or what waits in a
//! pipe, into a pipe of ours, and from there into the socket. Nothing of it passes through this
//! process, and no buffer is needed. Of the time that reading and writing 128 KiB takes that is
//! 0.68 for a file and 0.77 for a pipe (`benches/RESULTS.md`).
//!
//! ```text
//! file or pipe --splice--> our pipe --splice--> socket
//! ```
//!
//! splice(2) is reached through [`io::copy`], which knows it for types of the standard library, one
//! of them a pipe. The detour over a pipe is what sendfile(2) does inside the kernel; for a pipe it
//! tells how much there is, which the chunk-size has to say before the first byte leaves. Pages are
//! lent, not copied: bytes of a file that are overwritten while they wait in the socket arrive as
//! they are then, as with sendfile(2).
//!
//! Declined: sources that are neither a pipe nor a regular file, whose reads may wait although they
//! were asked not to; content that is soon read and written; a process that a lost peer would kill
//! by SIGPIPE, which only a write can keep from being sent; Linux before 5.1 and other systems,
//! where a splice cannot be kept from waiting.

use crate::error::Error;
use std::fs::{self, File, Metadata};
use std::io::{self, PipeReader, PipeWriter};
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::UnixStream;
use std::sync::OnceLock;

/// What a pipe holds unless it was told otherwise: 16 pages (pipe(7)). What does not fit into ours
/// is left for later.
pub(super) const PIECE: u64 = 64 * 1024;

/// A regular file below this is sent in one write or two.
const WORTH: u64 = 256 * 1024;

/// The way of a source's bytes into a socket.
pub(super) struct Splice<'a> {
    /// The source, a socket by type only. [`io::copy`] goes from it to splice(2), and where the
    /// kernel refuses that, to recv(2), which fails on whatever is no socket: there is no error
    /// after which bytes would be lost.
    source: UnixStream,
    fill: PipeWriter,
    drain: PipeReader,
    socket: &'a UnixStream,
}

impl<'a> Splice<'a> {
    /// `None` where reading and writing is to be preferred, or all that can be done.
    pub fn new(file: &File, socket: &'a UnixStream) -> Option<Splice<'a>> {
        let is_worth = |found: Metadata| {
            found.file_type().is_fifo() || found.is_file() && found.len() >= WORTH
        };
        if !file.metadata().is_ok_and(is_worth) || !may_splice() {
            return None;
        }
        Splice::over(file, socket).ok()
    }

    fn over(file: &File, socket: &'a UnixStream) -> io::Result<Splice<'a>> {
        let source = UnixStream::from(OwnedFd::from(file.try_clone()?));
        let (drain, fill) = io::pipe()?;
        // A socket by type only, too: `set_nonblocking` is an ioctl(2) that any descriptor knows.
        let fill = UnixStream::from(OwnedFd::from(fill));
        fill.set_nonblocking(true)?;
        Ok(Splice { source, fill: OwnedFd::from(fill).into(), drain, socket })
    }

    /// Takes up to `n` bytes, as many as are there and find room, without waiting; how many. An
    /// error means that this source is to be read.
    pub fn fill(&mut self, n: u64) -> io::Result<u64> {
        let mut source = io::Read::take(&self.source, n);
        let copied = io::copy(&mut source, &mut self.fill);
        match (n - source.limit(), copied) {
            (0, Err(error)) if error.kind() != io::ErrorKind::WouldBlock => Err(error),
            (moved, _) => Ok(moved),
        }
    }

    /// Sends the `n` bytes that were taken.
    pub fn drain(&self, n: u64) -> Result<(), Error> {
        copy(&self.drain, self.socket, n).map(drop).map_err(Error::send)
    }
}

/// Sends `n` bytes from a pipe, waiting for them; how many there were before its end.
pub(super) fn copy(pipe: &PipeReader, mut socket: &UnixStream, n: u64) -> io::Result<u64> {
    let mut rest = io::Read::take(pipe, n);
    loop {
        match io::copy(&mut rest, &mut socket) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result.map(|_| n - rest.limit()),
        }
    }
}

/// Whether a splice neither waits, if its output is not to (Linux 5.1), nor kills this process
/// (`SIGPIPE`, signal(7)).
pub(super) fn may_splice() -> bool {
    static SINCE_5_1: OnceLock<bool> = OnceLock::new();
    let read = |name: &str| fs::read_to_string(name).unwrap_or_default();
    let new_enough = || is_since_5_1(&read("/proc/sys/kernel/osrelease"));
    *SINCE_5_1.get_or_init(new_enough) && spares_us(&read("/proc/self/status"))
}

fn is_since_5_1(release: &str) -> bool {
    let mut numbers = release
        .split(|c: char| !c.is_ascii_digit())
        .map(|digits| digits.parse::<u32>().unwrap_or(0));
    (numbers.next(), numbers.next()) >= (Some(5), Some(1))
}

/// Whether SIGPIPE is ignored, as Rust's runtime has it unless a program changes that, or caught.
fn spares_us(status: &str) -> bool {
    const SIGPIPE: u64 = 1 << (13 - 1);
    let set = |line: &str| {
        let digits = line.strip_prefix("SigIgn:").or_else(|| line.strip_prefix("SigCgt:"))?;
        u64::from_str_radix(digits.trim(), 16).ok()
    };
    status.lines().filter_map(set).any(|signals| signals & SIGPIPE != 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Seek, SeekFrom, Write};

    static BYTES: [u8; 10_000] = [b'm'; 10_000];

    #[test]
    fn a_source_that_cannot_be_spliced_is_still_whole() {
        // Our own memory as a file: it can be read, and its reads know no splice.
        let Ok(mut memory) = File::open("/proc/self/mem") else { return };
        let address = BYTES.as_ptr() as usize as u64;
        memory.seek(SeekFrom::Start(address)).unwrap();
        let (ours, _theirs) = UnixStream::pair().unwrap();
        assert!(Splice::over(&memory, &ours).unwrap().fill(1000).is_err());
        assert_eq!(memory.stream_position().unwrap(), address);
        let mut read = [0; 10_000];
        memory.read_exact(&mut read).unwrap();
        assert_eq!(read, BYTES);
    }

    #[test]
    fn what_has_no_room_stays_in_the_source() {
        if !may_splice() {
            return;
        }
        let (source, mut feeder) = io::pipe().unwrap();
        // A page for each: an empty line does not join what stands before it once that was moved.
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        let source = File::from(OwnedFd::from(source));
        let mut splice = Splice::over(&source, &ours).unwrap();
        let mut moved = 0;
        let mut written = 0;
        while moved == written {
            feeder.write_all(&[b'0' + (written % 10) as u8]).unwrap();
            written += 1;
            moved += splice.fill(PIECE).unwrap();
            assert!(written < 1000, "no end of room");
        }
        assert_eq!(moved, written - 1);
        splice.drain(moved).unwrap();
        assert_eq!(splice.fill(PIECE).unwrap(), 1);
        splice.drain(1).unwrap();
        assert_eq!(splice.fill(PIECE).unwrap(), 0, "an empty pipe is not waited for");
        let mut arrived = vec![0; written as usize];
        theirs.read_exact(&mut arrived).unwrap();
        assert!(arrived.iter().enumerate().all(|(at, byte)| *byte == b'0' + (at % 10) as u8));
    }

    #[test]
    fn only_where_it_neither_waits_nor_kills() {
        assert!(["5.1.0", "5.10.0-21-amd64", "6.18.44", "10.0"].into_iter().all(is_since_5_1));
        assert!(
            !["", "5.0.21", "4.18.0-553.el8_10.x86_64", "Darwin"].into_iter().any(is_since_5_1)
        );
        assert!(spares_us(
            "SigBlk:\t0000000000000000\nSigIgn:\t0000000000001000\nSigCgt:\t0000000000000440\n"
        ));
        assert!(spares_us("SigIgn:\t0000000000000000\nSigCgt:\t0000000000001000\n"));
        assert!(!spares_us(
            "SigBlk:\t0000000000001000\nSigIgn:\t0000000000000fff\nSigCgt:\t0000000000002000\n"
        ));
        assert!(!spares_us(""));
    }
}
