//! A body as it travels: chunk by chunk, frame by frame.

use super::page::{Page, visible};
use std::io;
use unix_http::wire::{ChunkedDecoder, Framing, ParseError};

/// So many chunks and frames are shown one by one; of the others only the sum is.
const SHOWN: usize = 24;
/// So many bytes of a body are shown in hex with `--explain=bytes`.
const HEX: usize = 512;
/// So much is shown of a frame's content, and of each piece of content that is in no frame.
const TASTE: usize = 68;

/// Follows one body, whatever the pieces it comes in.
#[derive(Debug)]
pub struct BodyView {
    side: char,
    framing: Framing,
    chunks: Option<Chunks>,
    frames: Option<Frames>,
    /// How many bytes of the body have passed, framing and all.
    passed: usize,
    content: u64,
    /// How many pieces of it came.
    pieces: usize,
    /// Where the body begins, counted from the message's first byte.
    start: usize,
}

#[derive(Debug, Default)]
struct Chunks {
    decoder: ChunkedDecoder,
    /// The framing since the last content: a CR LF, a chunk-size line.
    framing: Vec<u8>,
    count: usize,
}

impl BodyView {
    /// A body that is sent (`>`) or comes (`<`), and begins `start` bytes after the message did.
    pub fn new(side: char, framing: Framing, frames: bool, start: usize) -> BodyView {
        let chunks = (framing == Framing::Chunked).then(Chunks::default);
        BodyView {
            side,
            framing,
            chunks,
            frames: frames.then(Frames::default),
            passed: 0,
            content: 0,
            pieces: 0,
            start,
        }
    }

    /// Whether it has begun.
    pub fn has_begun(&self) -> bool {
        self.passed > 0
    }

    /// Whether all of it has passed, as far as its framing can tell.
    pub fn is_whole(&self) -> bool {
        match (&self.chunks, self.framing) {
            (Some(chunks), _) => chunks.decoder.is_done(),
            (None, Framing::Length(length)) => self.content == length,
            _ => true,
        }
    }

    pub fn show(&mut self, page: &mut Page, mut bytes: &[u8]) -> io::Result<()> {
        if self.passed < HEX {
            page.hex(
                self.side,
                &bytes[..bytes.len().min(HEX - self.passed)],
                self.start + self.passed,
            )?;
        }
        self.passed += bytes.len();
        if self.chunks.is_none() {
            return self.content(page, bytes);
        }
        while let Some(chunks) = &mut self.chunks {
            let step = match chunks.decoder.step(bytes) {
                Ok(step) => step,
                Err(error) => return chunks.broken(page, self.side, bytes, error),
            };
            chunks.framing.extend_from_slice(&bytes[..step.framing]);
            if step.data == 0 && !chunks.decoder.is_done() {
                return Ok(());
            }
            chunks.line(page, self.side)?;
            let (data, rest) = bytes[step.framing..].split_at(step.data);
            chunks.decoder.consume(step.data);
            let done = chunks.decoder.is_done();
            self.content(page, data)?;
            bytes = rest;
            if done {
                return Ok(());
            }
        }
        Ok(())
    }

    fn content(&mut self, page: &mut Page, content: &[u8]) -> io::Result<()> {
        if self.content == 0
            && let Some(frames) = &self.frames
            && !frames.may_begin(content)
        {
            self.frames = None;
        }
        self.content += content.len() as u64;
        match &mut self.frames {
            Some(frames) => frames.show(page, self.side, content),
            None if page.content => self.taste(page, content),
            None => Ok(()),
        }
    }

    /// The beginning of a piece of content.
    fn taste(&mut self, page: &mut Page, content: &[u8]) -> io::Result<()> {
        self.pieces += usize::from(!content.is_empty());
        match (self.pieces, content.is_empty()) {
            (_, true) => Ok(()),
            (..=SHOWN, _) => quote(page, content),
            _ => page.remark(("further content is counted, not shown", "")),
        }
    }

    /// Sums up, whole or not.
    pub fn end(&mut self, page: &mut Page) -> io::Result<()> {
        let verb = if self.side == '>' { "sent" } else { "got" };
        let wrapped = self.chunks.as_ref().map_or(String::new(), |chunks| {
            let data = match chunks.count {
                1 => "1 chunk".to_string(),
                n => format!("{n} chunks"),
            };
            match chunks.decoder.is_done() {
                true => format!(" in {data}, {} bytes on the wire", self.passed),
                false => format!(" in {data}"),
            }
        });
        let frames = match &self.frames {
            Some(frames) if frames.count == 1 => ", 1 frame".into(),
            Some(frames) if frames.count > 0 => format!(", {} frames", frames.count),
            _ => String::new(),
        };
        let of = if self.framing == Framing::Tunnel { "" } else { " of content" };
        let sum = format!("{verb} {} bytes{of}{wrapped}{frames}", self.content);
        match (self.is_whole(), self.framing) {
            (true, _) if self.passed == 0 => Ok(()),
            (true, _) => page.decision(&sum, ""),
            (false, Framing::Length(length)) => {
                page.decision(&format!("{sum}, and that is not all of the {length}"), "RFC 9112 §8")
            }
            (false, _) => {
                page.decision(&format!("{sum}, and no last chunk: this is not all"), "RFC 9112 §8")
            }
        }
    }
}

impl Chunks {
    /// The line that broke the framing, as far as it is worth looking at.
    fn broken(
        &mut self,
        page: &mut Page,
        side: char,
        rest: &[u8],
        error: ParseError,
    ) -> io::Result<()> {
        let line = [&self.framing[..], rest].concat();
        let line = line.strip_prefix(b"\r\n").unwrap_or(&line);
        let end = line.iter().position(|&b| b == b'\n').map_or(line.len(), |at| at + 1);
        let text = format!("refused: {}", error.kind.text());
        page.line(side, &line[..end.min(TASTE)], (&text, error.kind.section()))
    }

    /// The framing between two pieces of content, one line of it at a time.
    fn line(&mut self, page: &mut Page, side: char) -> io::Result<()> {
        let framing = std::mem::take(&mut self.framing);
        let mut rest = match framing.strip_prefix(b"\r\n") {
            Some(rest) => rest,
            None => &framing[..],
        };
        if rest.is_empty() {
            return Ok(());
        }
        let end = rest.iter().position(|&b| b == b'\n').map_or(rest.len(), |at| at + 1);
        let (size_line, trailer) = rest.split_at(end);
        let digits = size_line.iter().take_while(|b| b.is_ascii_hexdigit()).count();
        let hex = String::from_utf8_lossy(&size_line[..digits]).into_owned();
        let size = u64::from_str_radix(&hex, 16).unwrap_or(0);
        rest = trailer;
        if size > 0 {
            self.count += 1;
            if self.count > SHOWN {
                let further = "further chunks are counted, not shown";
                return if self.count == SHOWN + 1 { page.remark((further, "")) } else { Ok(()) };
            }
            let ext = if size_line.contains(&b';') {
                "; what follows the ; means nothing here"
            } else {
                ""
            };
            let text = format!("a chunk: {hex} (hex) is {size} bytes, then CR LF{ext}");
            return page.line(side, size_line, (&text, "RFC 9112 §7.1"));
        }
        page.line(side, size_line, ("size 0: the last chunk", "RFC 9112 §7.1"))?;
        for line in rest.split_inclusive(|&b| b == b'\n') {
            let remark = match line {
                b"\r\n" => ("an empty line: the body is over", "RFC 9112 §7.1"),
                _ => ("a trailer field: it came after the content", "RFC 9112 §7.1.2"),
            };
            page.line(side, line, remark)?;
        }
        Ok(())
    }
}

/// Docker's frames: `[stream, 0, 0, 0, length as 4 bytes, the largest first]`, then so many bytes.
#[derive(Debug, Default)]
struct Frames {
    header: Vec<u8>,
    left: usize,
    count: usize,
    taste: Vec<u8>,
}

impl Frames {
    fn may_begin(&self, content: &[u8]) -> bool {
        matches!(content, [0..=3, rest @ ..] if rest.iter().take(3).all(|&b| b == 0))
    }

    fn show(&mut self, page: &mut Page, side: char, mut content: &[u8]) -> io::Result<()> {
        while !content.is_empty() {
            if self.left == 0 {
                let need = (8 - self.header.len()).min(content.len());
                self.header.extend_from_slice(&content[..need]);
                content = &content[need..];
                let [stream, _, _, _, a, b, c, d] = self.header[..] else { return Ok(()) };
                self.left = u32::from_be_bytes([a, b, c, d]) as usize;
                self.count += 1;
                let name = ["stdin", "stdout", "stderr", "an error of the daemon"];
                let name =
                    name.get(stream as usize).copied().unwrap_or("no stream that Docker knows");
                if self.count <= SHOWN {
                    let bytes: Vec<String> =
                        self.header.iter().map(|b| format!("{b:02x}")).collect();
                    let text = format!("a frame of {name}: {} bytes", self.left);
                    page.line(
                        side,
                        bytes.join(" ").as_bytes(),
                        (&text, "Docker Engine API v1.41 attach"),
                    )?;
                }
                self.taste.clear();
                if self.left > 0 {
                    continue;
                }
            }
            let n = self.left.min(content.len());
            // One more than is shown tells that there is more.
            let room = TASTE + 1 - self.taste.len();
            self.taste.extend_from_slice(&content[..n.min(room)]);
            self.left -= n;
            content = &content[n..];
            if self.left == 0 {
                self.header.clear();
                if self.count <= SHOWN && !self.taste.is_empty() {
                    quote(page, &self.taste)?;
                }
            }
        }
        Ok(())
    }
}

/// The beginning of content, on one line.
fn quote(page: &mut Page, content: &[u8]) -> io::Result<()> {
    let text = visible(&content[..content.len().min(TASTE + 1)]);
    let (shown, more) = match text.char_indices().nth(TASTE) {
        Some((end, _)) => (&text[..end], "…"),
        None => (&text[..], ""),
    };
    page.print("    ", &format!("\"{shown}\"{more}"), "")
}
