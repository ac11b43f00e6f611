//! The files of a container, in memory, and how they travel: as tar archives (POSIX.1-1988 ustar).

use std::collections::BTreeMap;
use std::sync::Arc;

/// Names without a slash at either end; the root is the empty name. A directory has no content.
#[derive(Clone, Debug, Default)]
pub struct Files(BTreeMap<String, File>);

#[derive(Clone, Debug)]
pub struct File {
    /// Permission bits.
    pub mode: u32,
    /// Seconds since 1970.
    pub modified: u64,
    pub kind: Kind,
}

#[derive(Clone, Debug)]
pub enum Kind {
    Directory,
    Content(Arc<[u8]>),
    Link(String),
}

/// A path without `.`, `..` that leads out, and doubled slashes.
pub fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

impl Files {
    pub fn get(&self, path: &str) -> Option<&File> {
        const ROOT: &File = &File { mode: 0o755, modified: 0, kind: Kind::Directory };
        let path = clean(path);
        self.0
            .get(&path)
            .or((path.is_empty() || self.below(&path).next().is_some()).then_some(ROOT))
    }

    pub fn content(&self, path: &str) -> Option<&[u8]> {
        match &self.get(path)?.kind {
            Kind::Content(content) => Some(content),
            _ => None,
        }
    }

    pub fn is_directory(&self, path: &str) -> bool {
        self.get(path).is_some_and(|file| matches!(file.kind, Kind::Directory))
    }

    pub fn put(&mut self, path: &str, file: File) {
        self.0.insert(clean(path), file);
    }

    /// Writes a file; whether there is a directory for it, and none in its place.
    pub fn store(&mut self, path: &str, content: &[u8], append: bool, now: u64) -> bool {
        let path = clean(path);
        if path.is_empty() || self.is_directory(&path) || !self.is_directory(parent(&path)) {
            return false;
        }
        let before = if append { self.content(&path).unwrap_or_default() } else { &[] };
        let kind = Kind::Content([before, content].concat().into());
        self.put(&path, File { mode: 0o644, modified: now, kind });
        true
    }

    fn below(&self, directory: &str) -> impl Iterator<Item = (&str, &File)> {
        let prefix = if directory.is_empty() { String::new() } else { directory.to_owned() + "/" };
        let from = self.0.range(prefix.clone()..);
        from.map_while(move |(path, file)| Some((path.strip_prefix(&prefix)?, file)))
            .filter(|(path, _)| !path.is_empty())
    }

    /// The names in a directory; of a file, its own.
    pub fn names(&self, path: &str) -> Option<Vec<String>> {
        if !self.is_directory(path) {
            return self.get(path).map(|_| vec![path.to_owned()]);
        }
        let path = clean(path);
        let mut names: Vec<String> = self
            .below(&path)
            .filter_map(|(name, _)| Some(name.split('/').next()?.to_owned()))
            .collect();
        names.dedup();
        Some(names)
    }

    /// How many bytes of content there are.
    pub fn size(&self) -> usize {
        self.0
            .values()
            .map(|file| if let Kind::Content(content) = &file.kind { content.len() } else { 0 })
            .sum()
    }

    /// What is at `path` as an archive, under its last name.
    pub fn archive(&self, path: &str) -> Option<Vec<u8>> {
        let (path, mut out) = (clean(path), Vec::new());
        let name = path.rsplit('/').next().unwrap_or_default();
        let file = self.get(&path)?;
        if !name.is_empty() {
            entry(&mut out, name, file);
        }
        if let Kind::Directory = file.kind {
            for (below, file) in self.below(&path) {
                entry(&mut out, [name, below].join("/").trim_start_matches('/'), file);
            }
        }
        finish(&mut out);
        Some(out)
    }

    /// Copies a file to `target`, or into it where that is a directory; of a directory, what is in
    /// it. Whether there was something to copy.
    pub fn copy(&mut self, from: &Files, path: &str, target: &str) -> bool {
        let path = clean(path);
        let Some(file) = from.get(&path) else { return false };
        if let Kind::Directory = file.kind {
            for (below, file) in from.below(&path) {
                self.put(&[target, "/", below].concat(), file.clone());
            }
        } else {
            let name = path.rsplit('/').next().unwrap_or_default();
            let into = target.ends_with('/') || self.is_directory(target);
            self.put(
                &if into { [target, "/", name].concat() } else { target.to_owned() },
                file.clone(),
            );
        }
        true
    }

    /// Puts the files of an archive below `directory`.
    pub fn extract(&mut self, directory: &str, archive: &[u8]) -> Result<(), &'static str> {
        for (name, file) in read(archive)? {
            let path = [directory, &clean(&name)].join("/");
            self.put(&path, file);
        }
        Ok(())
    }
}

/// A file that is part of an archive.
pub fn plain(content: impl Into<Arc<[u8]>>, modified: u64) -> File {
    File { mode: 0o644, modified, kind: Kind::Content(content.into()) }
}

const BLOCK: usize = 512;

/// Appends a file to an archive.
pub fn entry(out: &mut Vec<u8>, name: &str, file: &File) {
    let (kind, content, link): (u8, &[u8], &str) = match &file.kind {
        Kind::Content(content) => (b'0', content, ""),
        Kind::Directory => (b'5', &[], ""),
        Kind::Link(target) => (b'2', &[], target),
    };
    let name = if kind == b'5' { name.to_owned() + "/" } else { name.to_owned() };
    // 100 bytes of name, or 155 of directory and 100 of the rest.
    let split = name.len().saturating_sub(100);
    let slash =
        if split == 0 { None } else { name[split - 1..].find('/').map(|at| at + split - 1) };
    let (directory, base) = slash.map_or(("", name.as_str()), |at| (&name[..at], &name[at + 1..]));
    let mut header = [0; BLOCK];
    let mut put = |at: usize, room: usize, bytes: &[u8]| {
        let n = bytes.len().min(room);
        header[at..at + n].copy_from_slice(&bytes[..n]);
    };
    put(0, 100, base.as_bytes());
    put(100, 8, octal(u64::from(file.mode), 7).as_bytes());
    put(108, 8, octal(0, 7).as_bytes());
    put(116, 8, octal(0, 7).as_bytes());
    put(124, 12, octal(content.len() as u64, 11).as_bytes());
    put(136, 12, octal(file.modified, 11).as_bytes());
    put(148, 8, b"        ");
    put(156, 1, &[kind]);
    put(157, 100, link.as_bytes());
    put(257, 8, b"ustar\x0000");
    put(265, 32, b"root");
    put(297, 32, b"root");
    put(345, 155, directory.as_bytes());
    let sum = header.iter().map(|&b| u64::from(b)).sum();
    header[148..155].copy_from_slice((octal(sum, 6) + "\0").as_bytes());
    out.extend_from_slice(&header);
    out.extend_from_slice(content);
    out.resize(out.len().next_multiple_of(BLOCK), 0);
}

/// Ends an archive with its two empty blocks.
pub fn finish(out: &mut Vec<u8>) {
    out.resize(out.len() + 2 * BLOCK, 0);
}

fn octal(number: u64, digits: usize) -> String {
    let digit = |at: usize| char::from(b'0' + (number >> (3 * at) & 7) as u8);
    (0..digits).rev().map(digit).collect()
}

/// The files of an archive in their order; what is neither a file nor a directory nor a symbolic
/// link is left out.
pub fn read(mut archive: &[u8]) -> Result<Vec<(String, File)>, &'static str> {
    let mut files = Vec::new();
    while let Some((header, rest)) = archive.split_at_checked(BLOCK) {
        if header.iter().all(|&b| b == 0) {
            return Ok(files);
        }
        let number = |from: usize, to: usize| {
            let digits = header[from..to].iter().filter(|b| matches!(b, b'0'..=b'7'));
            digits.fold(0u64, |n, b| n << 3 | u64::from(b - b'0'))
        };
        let blank = header
            .iter()
            .enumerate()
            .map(|(i, &b)| if (148..156).contains(&i) { 32 } else { u64::from(b) });
        if blank.sum::<u64>() != number(148, 156) {
            return Err("archive/tar: invalid tar header");
        }
        let size = usize::try_from(number(124, 136)).unwrap_or(usize::MAX);
        let content = rest.get(..size).ok_or("unexpected EOF")?;
        let text = |from: usize, to: usize| {
            let field = &header[from..to];
            String::from_utf8_lossy(field.split(|&b| b == 0).next().unwrap_or_default())
                .into_owned()
        };
        let directory = if &header[257..262] == b"ustar" { text(345, 500) } else { String::new() };
        let name = [directory.as_str(), &text(0, 100)].join("/");
        let kind = match header[156] {
            0 | b'0' => Some(Kind::Content(content.into())),
            b'5' => Some(Kind::Directory),
            b'2' => Some(Kind::Link(text(157, 257))),
            _ => None,
        };
        if let Some(kind) = kind {
            let mode = (number(100, 108) & 0o7777) as u32;
            files.push((
                name.trim_start_matches('/').to_owned(),
                File { mode, modified: number(136, 148), kind },
            ));
        }
        archive = rest.get(size.next_multiple_of(BLOCK)..).unwrap_or_default();
    }
    if archive.is_empty() { Ok(files) } else { Err("unexpected EOF") }
}

#[cfg(test)]
mod tests {
    use super::{Files, Kind, clean, plain, read};

    #[test]
    fn paths() {
        assert_eq!(clean("/a//./b/../../../c/"), "c");
        let mut files = Files::default();
        files.put("/a/b/c", plain(*b"hello", 1));
        assert_eq!(files.content("a/b/c"), Some(&b"hello"[..]));
        assert!(
            files.is_directory("/a/b") && files.is_directory("/") && !files.is_directory("/a/b/c")
        );
        assert_eq!(files.names("/"), Some(vec!["a".to_owned()]));
        assert!(
            files.store("/a/d", b"x", false, 2)
                && files.store("/a/d", b"y", true, 2)
                && !files.store("/z/d", b"", false, 2)
        );
        assert_eq!(files.content("/a/d"), Some(&b"xy"[..]));
    }

    #[test]
    fn archives() {
        let mut files = Files::default();
        files.put("/a/b", plain(*b"hello", 1_700_000_000));
        files.put(&["/a/", &"n".repeat(60), "/", &"m".repeat(90)].concat(), plain(*b"", 2));
        let archive = files.archive("/a").unwrap();
        assert_eq!(archive.len() % 512, 0);
        let found = read(&archive).unwrap();
        let names: Vec<_> = found.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["a/", "a/b", &["a/", &"n".repeat(60), "/", &"m".repeat(90)].concat()]);
        assert!(matches!(&found[1].1.kind, Kind::Content(content) if content[..] == *b"hello"));
        assert_eq!((found[1].1.mode, found[1].1.modified), (0o644, 1_700_000_000));
        let mut copy = Files::default();
        copy.extract("/x", &archive).unwrap();
        assert_eq!(copy.content("/x/a/b"), Some(&b"hello"[..]));
        // An archive that leads out of the directory does not.
        assert!(read(&archive[..700]).is_err());
        assert!(read(b"no tar").is_err());
        assert_eq!(read(&[]).unwrap().len(), 0);
    }
}
