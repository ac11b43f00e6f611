//! tar archives for the archive and build endpoints (POSIX.1-2017, pax, "ustar Interchange
//! Format").

/// Returns an archive with one regular file.
pub fn archive(name: &str, content: &[u8]) -> Vec<u8> {
    let mut tar = [&header(name, content.len() as u64)[..], content].concat();
    tar.resize(tar.len().next_multiple_of(512) + END, 0);
    tar
}

/// The end of an archive: two blocks of zeros.
pub const END: usize = 1024;

/// Returns the header block of a regular file.
pub fn header(name: &str, size: u64) -> [u8; 512] {
    let mut block = [0; 512];
    let mut put =
        |at: usize, text: &str| block[at..at + text.len()].copy_from_slice(text.as_bytes());
    put(0, name);
    put(100, "0000644\0");
    put(108, "0000000\0");
    put(116, "0000000\0");
    put(124, &format!("{size:011o}\0"));
    put(136, "14702460000\0");
    put(148, "        ");
    put(156, "0");
    put(257, "ustar\x0000");
    let sum: u32 = block.iter().map(|&byte| u32::from(byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    block
}
