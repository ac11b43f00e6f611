//! The content of `-d` and its relatives: measured before the first request, opened for each.
//!
//! ```text
//! content = part *( separator part )      separator = "&", or nothing before a part of --json
//! part    = text / "@" file               text and small files in memory, large files streamed
//! ```

use crate::args::config::{Part, PartData};
use crate::output::messages::Failure;
use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::Path;
use unix_http::Body;

/// A file up to this size is kept in memory: it is sent in one write with the head, and its
/// size is the number of bytes read (files in /proc report a size of 0).
const SMALL: u64 = 64 << 10;

/// Content of known length.
#[derive(Debug, Default)]
pub struct PostContent {
    /// Texts, and large files between them.
    pieces: Vec<PartData>,
    pub length: u64,
}

impl PostContent {
    /// Measures the parts. Only regular files can be read again; others are read now, and with
    /// `in_memory` all of them.
    pub fn new(parts: Vec<Part>, in_memory: bool) -> Result<PostContent, Failure> {
        let mut content = PostContent { pieces: vec![PartData::Text(Vec::new())], length: 0 };
        for Part { separator, data } in parts {
            if content.length > 0 {
                content.push(separator.as_bytes());
            }
            match data {
                PartData::Text(text) => content.push(&text),
                PartData::File { name, text } => {
                    let added = content.add_file(&name, text, in_memory);
                    added.map_err(Failure::of_reading(&name))?;
                }
            }
        }
        Ok(content)
    }

    fn push(&mut self, bytes: &[u8]) {
        self.length += bytes.len() as u64;
        match self.pieces.last_mut() {
            Some(PartData::Text(all)) => all.extend_from_slice(bytes),
            _ => self.pieces.push(PartData::Text(bytes.to_vec())),
        }
    }

    fn add_file(&mut self, name: &Path, text: bool, in_memory: bool) -> io::Result<()> {
        let file = File::open(name)?;
        let metadata = file.metadata()?;
        let mut source = open(file, text);
        if !in_memory && metadata.is_file() && metadata.len() > SMALL {
            self.length += match text {
                true => io::copy(&mut source, &mut io::sink())?,
                false => metadata.len(),
            };
            self.pieces.push(PartData::File { name: name.to_owned(), text });
        } else {
            let mut bytes = Vec::new();
            source.read_to_end(&mut bytes)?;
            self.push(&bytes);
        }
        Ok(())
    }

    /// Returns the content of one request.
    pub fn body(&self) -> Result<Body<'_>, Failure> {
        if let [PartData::Text(bytes)] = &self.pieces[..] {
            return Ok(Body::from(&bytes[..]));
        }
        let mut all: Box<dyn Read + Send> = Box::new(io::empty());
        for piece in &self.pieces {
            all = match piece {
                PartData::Text(bytes) => Box::new(all.chain(Cursor::new(bytes.clone()))),
                PartData::File { name, text } => {
                    let file = File::open(name).map_err(Failure::of_reading(name))?;
                    Box::new(all.chain(open(file, *text)))
                }
            };
        }
        Ok(Body::reader(all, Some(self.length)))
    }

    /// Returns content that was read into memory.
    pub fn into_bytes(self) -> Vec<u8> {
        match self.pieces.into_iter().next() {
            Some(PartData::Text(bytes)) => bytes,
            _ => Vec::new(),
        }
    }
}

fn open(file: File, text: bool) -> Box<dyn Read + Send> {
    if text { Box::new(WithoutLineEnds(file)) } else { Box::new(file) }
}

/// The file of `-d @`, without its CR, LF and NUL.
struct WithoutLineEnds(File);

impl Read for WithoutLineEnds {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            let length = self.0.read(out)?;
            let mut kept = out[..length].to_vec();
            kept.retain(|byte| !matches!(byte, b'\r' | b'\n' | 0));
            out[..kept.len()].copy_from_slice(&kept);
            if length == 0 || !kept.is_empty() {
                return Ok(kept.len());
            }
        }
    }
}

/// A pipe with a length that the user stated. Further bytes are an error, reported before the last
/// byte is sent: the server never sees a request that looks complete.
pub struct StatedLength {
    file: File,
    left: u64,
}

impl StatedLength {
    pub fn new(file: File, length: u64) -> io::Result<StatedLength> {
        let mut stated = StatedLength { file, left: length };
        // Nothing else is read if the length is 0.
        _ = stated.read(&mut [])?;
        Ok(stated)
    }
}

impl Read for StatedLength {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let length = (&self.file).take(self.left).read(out)?;
        self.left -= length as u64;
        if self.left == 0 && self.file.read(&mut [0])? > 0 {
            return Err(io::Error::other("it is longer than Content-Length states"));
        }
        Ok(length)
    }
}
