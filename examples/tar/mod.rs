//! Writes tar archives (POSIX ustar) for uploads, without holding them in memory.
//!
//! ```text
//! archive = *( header content padding ) end
//! header  = 512 bytes, each part at its offset:
//!             0 name(100)    100 mode(8)   108 uid(8)     116 gid(8)
//!           124 size(12)     136 mtime(12) 148 checksum(8) 156 type(1)
//!           157 link(100)    257 "ustar" NUL "00"          345 prefix(155)
//!                         ; numbers are octal digits and a NUL
//! padding = *NUL          ; up to a multiple of 512
//! end     = 1024NUL
//! ```

use std::fs;
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Header and content are padded to a multiple of this size.
pub const BLOCK: u64 = 512;
/// The end of an archive.
pub const END: [u8; 1024] = [0; 1024];

/// The kind of an entry.
#[derive(Clone, Copy)]
#[allow(dead_code, reason = "a lesson uses what it needs")]
pub enum Kind<'a> {
    File { size: u64 },
    Directory,
    Link { to: &'a str },
}

/// Returns the header of one entry.
pub fn header(name: &str, mode: u32, kind: Kind<'_>) -> io::Result<[u8; BLOCK as usize]> {
    let (size, link, letter) = match kind {
        Kind::File { size } => (size, "", b'0'),
        Kind::Directory => (0, "", b'5'),
        Kind::Link { to } => (0, to, b'2'),
    };
    if name.len() > 100 || link.len() > 100 || size >= 8 << 30 {
        return Err(io::Error::other(format!(
            "{name}: too long or too large for a plain tar header"
        )));
    }
    let mut header = [0; BLOCK as usize];
    let mut put = |at: usize, text: &[u8]| header[at..at + text.len()].copy_from_slice(text);
    put(0, name.as_bytes());
    put(100, format!("{mode:07o}").as_bytes());
    put(108, b"0000000\x000000000");
    put(124, format!("{size:011o}").as_bytes());
    put(136, b"00000000000"); // no time: the same files make the same archive
    put(148, b"        "); // the checksum counts itself as spaces
    put(156, &[letter]);
    put(157, link.as_bytes());
    put(257, b"ustar\x0000");
    let sum: u32 = header.iter().map(|&byte| u32::from(byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    Ok(header)
}

/// Returns the number of zeros after content of this size.
pub fn padding(size: u64) -> usize {
    (size.next_multiple_of(BLOCK) - size) as usize
}

/// Writes the files below `dir` in the order of their names, each as it is read.
#[allow(dead_code, reason = "a lesson uses what it needs")]
pub fn write_dir(out: &mut impl Write, dir: &Path, below: &str) -> io::Result<()> {
    let mut entries = fs::read_dir(dir)?.collect::<io::Result<Vec<_>>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let (path, metadata) = (entry.path(), entry.metadata()?);
        let name = entry
            .file_name()
            .into_string()
            .map_err(|name| io::Error::other(format!("{name:?} is not UTF-8")))?;
        let (name, mode) = (format!("{below}{name}"), metadata.permissions().mode() & 0o7777);
        if metadata.is_dir() {
            let name = format!("{name}/");
            out.write_all(&header(&name, mode, Kind::Directory)?)?;
            write_dir(out, &path, &name)?;
        } else if metadata.is_symlink() {
            let to = fs::read_link(&path)?;
            out.write_all(&header(&name, 0o777, Kind::Link { to: &to.to_string_lossy() })?)?;
        } else if metadata.is_file() {
            let size = metadata.len();
            out.write_all(&header(&name, mode, Kind::File { size })?)?;
            let copied = io::copy(&mut fs::File::open(&path)?.take(size), out)?;
            if copied < size {
                return Err(io::Error::other(format!("{name} became shorter while it was read")));
            }
            out.write_all(&vec![0; padding(size)])?;
        }
    }
    Ok(())
}
