//! The files of a container in memory, and their form in transit: tar (POSIX.1-1988 ustar).

use super::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// The content of each file by its path, which begins with a slash. The path of a directory ends
/// in a slash, too; a directory is also there if something is in it. Links, modes and times are
/// not kept.
#[derive(Clone, Default)]
pub struct Files(BTreeMap<String, Arc<[u8]>>);

/// Removes `.`, `..`, doubled slashes and the last slash from a path. The root becomes empty.
pub fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.iter().flat_map(|part| ["/", part]).collect()
}

pub fn base_name(path: &str) -> &str {
    path.trim_end_matches('/').rsplit('/').next().unwrap_or_default()
}

impl Files {
    pub fn file(&self, path: &str) -> Option<&[u8]> {
        self.0.get(&clean(path)).map(|content| &content[..])
    }

    /// Lists a file, with an empty name, or everything below a directory, with names that begin
    /// with a slash.
    fn entries(&self, path: &str) -> impl Iterator<Item = (&str, &[u8])> {
        let path = clean(path);
        self.0.iter().filter_map(move |(key, content)| {
            let name = key.strip_prefix(&path)?;
            (name.is_empty() || name.starts_with('/')).then_some((name, &content[..]))
        })
    }

    pub fn is_directory(&self, path: &str) -> bool {
        clean(path).is_empty() || self.entries(path).any(|(name, _)| name.starts_with('/'))
    }

    pub fn names(&self, directory: &str) -> Vec<String> {
        let names = self.entries(directory).filter_map(|(name, _)| name.split('/').nth(1));
        let names: BTreeSet<&str> = names.filter(|name| !name.is_empty()).collect();
        names.into_iter().map(str::to_owned).collect()
    }

    /// Adds a file, or a directory if the path ends in a slash.
    pub fn put(&mut self, path: &str, content: &[u8]) {
        let slash = if path.ends_with('/') { "/" } else { "" };
        self.0.insert(clean(path) + slash, content.into());
    }

    pub fn size(&self) -> usize {
        self.0.values().map(|content| content.len()).sum()
    }

    pub fn has(&self, path: &str) -> bool {
        self.file(path).is_some() || self.is_directory(path)
    }

    /// Copies a file to `target`, or into it if it is a directory, or the content of a directory.
    pub fn copy(&mut self, from: &Files, path: &str, target: &str) {
        for (name, content) in from.entries(path) {
            let into = name.is_empty() && (target.ends_with('/') || self.is_directory(target));
            let name = if into { format!("/{}", base_name(path)) } else { name.to_owned() };
            self.put(&format!("{target}{name}"), content);
        }
    }

    /// Packs a file, or a directory with everything in it.
    pub fn archive(&self, path: &str) -> Vec<u8> {
        let (path, mut out) = (clean(path), Vec::new());
        if self.is_directory(&path) && !path.is_empty() {
            push(&mut out, &format!("{}/", base_name(&path)), b"");
        }
        for (below, content) in self.entries(&path).filter(|(below, _)| *below != "/") {
            let name = format!("{}{below}", base_name(&path));
            push(&mut out, name.trim_start_matches('/'), content);
        }
        out.resize(out.len() + 2 * BLOCK, 0);
        out
    }

    /// Unpacks the files and directories of an archive below `directory`. Leaves other entries
    /// out.
    ///
    /// # Errors
    /// Fails with the texts of Go's `archive/tar`.
    pub fn extract(&mut self, directory: &str, mut archive: &[u8]) -> io::Result<()> {
        let mut long_name = None;
        while let Some((header, rest)) = archive.split_at_checked(BLOCK) {
            if header.iter().all(|&b| b == 0) {
                return Ok(());
            }
            let is_header = sum(header) == octal(&header[148..156]);
            ensure!(is_header, "tar-header");
            let size = octal(&header[124..136]) as usize;
            let content = rest.get(..size).ok_or_else(|| refusal!("tar-end"))?;
            archive = rest.get(size.next_multiple_of(BLOCK)..).unwrap_or_default();
            let name = format!("{}/{}", field(&header[345..500]), field(&header[..100]));
            let name = format!("{directory}/{}", long_name.take().unwrap_or(name));
            match header[156] {
                0 | b'0' => self.put(name.trim_end_matches('/'), content),
                b'5' => self.put(&format!("{name}/"), b""),
                // Names too long for the header: `25 path=some/long/name` and LF.
                b'x' => {
                    let records = String::from_utf8_lossy(content);
                    let path = records.lines().find_map(|record| record.split_once(" path="));
                    long_name = path.map(|(_, path)| path.to_owned());
                }
                _ => {}
            }
        }
        ensure!(archive.is_empty(), "tar-end");
        Ok(())
    }
}

const BLOCK: usize = 512;

fn push(out: &mut Vec<u8>, name: &str, content: &[u8]) {
    // A header has 100 bytes for a name, and 155 for the directory before it.
    let cut = name.len().saturating_sub(101);
    let slash = name.bytes().skip(cut).position(|b| b == b'/').filter(|_| name.len() > 100);
    let (directory, base) =
        slash.map_or(("", name), |at| (&name[..cut + at], &name[cut + at + 1..]));
    let (mode, kind) = if name.ends_with('/') { (0o755, 5) } else { (0o644, 0) };
    let (size, now) = (content.len(), unix(SystemTime::now()));
    let zeros = "0000000\x000000000\0";
    let numbers = format!("{mode:07o}\0{zeros}{size:011o}\0{now:011o}\0        {kind}");
    let mut header = Vec::new();
    for (field, end) in
        [(base, 100), (&numbers, 257), ("ustar\x0000", 345), (directory, 500), ("", BLOCK)]
    {
        header.extend_from_slice(field.as_bytes());
        header.resize(end, 0);
    }
    let sum = format!("{:06o}\0 ", sum(&header));
    header[148..156].copy_from_slice(sum.as_bytes());
    out.extend([&header, content].concat());
    out.resize(out.len().next_multiple_of(BLOCK), 0);
}

/// Adds up a header's bytes. The field of the sum counts as spaces.
fn sum(header: &[u8]) -> u64 {
    let byte = |at| if (148..156).contains(&at) { b' ' } else { header[at] };
    (0..BLOCK).map(|at| u64::from(byte(at))).sum()
}

fn octal(field: &[u8]) -> u64 {
    let digits = field.iter().filter(|b| matches!(b, b'0'..=b'7'));
    digits.fold(0, |number, b| number << 3 | u64::from(b - b'0'))
}

fn field(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes.split(|&b| b == 0).next().unwrap_or_default()).into_owned()
}
