//! Explains a body: chunk by chunk, frame by frame.

use super::page::ExplainPage;
use super::remarks::{Remark, remark};
use crate::base::number::hexadecimal;
use crate::docker::{FrameDecoder, FrameError, may_begin_frames};
use crate::wire::Framing;

/// How many chunks and frames are shown one by one.
const SHOWN: u64 = 24;
/// How many bytes of a body are shown in hex.
const HEX: usize = 512;
/// How many characters are shown of each frame and each piece of content.
const TASTE: usize = 68;

/// The explanation of one body.
#[derive(Default)]
pub(super) struct BodyView {
    side: char,
    pub framing: Framing,
    /// The offset of the body in the message.
    start: usize,
    frames: Option<Frames>,
    /// Whether to quote content.
    quotes: bool,
    /// The number of bytes with framing.
    passed: usize,
    content: u64,
    chunks: u64,
    pieces: u64,
    /// The framing since the last content: a CR LF, a chunk-size line.
    pending: Vec<u8>,
    /// Whether bytes are missing, as the framing says.
    pub unfinished: bool,
}

impl BodyView {
    /// Creates the explanation of a body that is sent (`>`) or received (`<`). With `frames`, its
    /// first bytes of content may begin Docker's frames.
    pub fn new(side: char, framing: Framing, start: usize, quotes: bool, frames: bool) -> BodyView {
        let frames = frames.then(Frames::default);
        let unfinished = matches!(framing, Framing::Chunked | Framing::Length(1..));
        BodyView { side, framing, start, frames, quotes, unfinished, ..BodyView::default() }
    }

    pub fn has_begun(&self) -> bool {
        self.passed > 0
    }

    /// Takes framing, which is shown with the content that follows, or after the trailer section.
    pub fn framing(&mut self, page: &mut ExplainPage, bytes: &[u8]) {
        self.pending.extend_from_slice(bytes);
        self.pass(page, bytes);
        if self.pending.ends_with(b"\r\n\r\n") {
            self.framing_lines(page);
        }
    }

    pub fn content(&mut self, page: &mut ExplainPage, content: &[u8]) {
        self.pass(page, content);
        self.framing_lines(page);
        if self.content == 0 && !may_begin_frames(content) {
            self.frames = None;
        }
        self.content += content.len() as u64;
        if let Some(frames) = &mut self.frames {
            if !frames.show(page, self.side, content) {
                self.frames = None;
            }
        } else if self.quotes {
            self.taste(page, content);
        }
    }

    /// Shows the last line of broken framing with a remark. Returns whether there is one.
    pub fn broken(&mut self, page: &mut ExplainPage, remark: Remark<'_>) -> bool {
        let pending = std::mem::take(&mut self.pending);
        let line = pending.strip_prefix(b"\r\n").unwrap_or(&pending);
        if !line.is_empty() {
            page.line(self.side, &line[..line.len().min(TASTE)], remark);
        }
        !line.is_empty()
    }

    fn pass(&mut self, page: &mut ExplainPage, bytes: &[u8]) {
        let room = HEX.saturating_sub(self.passed).min(bytes.len());
        page.hex(self.side, &bytes[..room], self.start + self.passed);
        self.passed += bytes.len();
    }

    /// Shows the lines of framing between two pieces of content.
    fn framing_lines(&mut self, page: &mut ExplainPage) {
        let pending = std::mem::take(&mut self.pending);
        let mut lines =
            pending.strip_prefix(b"\r\n").unwrap_or(&pending).split_inclusive(|&b| b == b'\n');
        let Some(size_line) = lines.next() else { return };
        let digits = size_line.iter().take_while(|b| b.is_ascii_hexdigit()).count();
        let size = hexadecimal(&size_line[..digits]).unwrap_or(0);
        if size > 0 {
            self.chunks += 1;
            return self.chunk(page, size_line, digits, size);
        }
        page.line(self.side, size_line, remark("last chunk"));
        for line in lines {
            let kind = if line == b"\r\n" { "end of trailers" } else { "trailer field" };
            page.line(self.side, line, remark(kind));
        }
    }

    fn chunk(&self, page: &mut ExplainPage, line: &[u8], digits: usize, size: u64) {
        if self.chunks > SHOWN {
            return page.remark(&remark("more chunks"));
        }
        let hex = String::from_utf8_lossy(&line[..digits]);
        let ext = match line.contains(&b';') {
            true => "; the extension after ; is ignored",
            false => "",
        };
        let text = format!("a chunk of {size} bytes ({hex} in hex), then CR LF{ext}");
        page.line(self.side, line, (text.into(), "RFC 9112 §7.1"))
    }

    /// Quotes the beginning of a piece of content.
    fn taste(&mut self, page: &mut ExplainPage, content: &[u8]) {
        self.pieces += 1;
        match self.pieces {
            ..=SHOWN => page.quote(content, TASTE),
            _ => page.remark(&remark("more content")),
        }
    }

    /// Writes the sums of the body.
    pub fn end(&self, page: &mut ExplainPage) {
        if !self.unfinished && self.passed == 0 {
            return;
        }
        let count = |n: u64, what: &str| match n {
            1 => format!("1 {what}"),
            n => format!("{n} {what}s"),
        };
        let verb = if self.side == '>' { "sent" } else { "received" };
        let of = if self.framing == Framing::Tunnel { "" } else { " of content" };
        let mut sum = format!("{verb} {} bytes{of}", self.content);
        if self.framing == Framing::Chunked {
            sum += &format!(" in {}", count(self.chunks, "chunk"));
            if !self.unfinished {
                sum += &format!(", {} bytes on the wire", self.passed);
            }
        }
        if let Some(frames @ 1..) = self.frames.as_ref().map(|frames| frames.decoder.frame().1) {
            sum += &format!(", {}", count(frames, "frame"));
        }
        match self.framing {
            _ if !self.unfinished => return page.decision((sum.into(), "")),
            Framing::Length(length) => {
                sum += &format!(", but Content-Length is {length}: the body is incomplete")
            }
            _ => sum += ", but no last chunk: the body is incomplete",
        }
        page.decision((sum.into(), "RFC 9112 §8"))
    }
}

/// Explains Docker's frames: each header, and the beginning of its content.
#[derive(Default)]
struct Frames {
    decoder: FrameDecoder,
    /// The number of the last header.
    shown: u64,
    taste: Vec<u8>,
}

impl Frames {
    /// Returns whether the content still consists of frames.
    fn show(&mut self, page: &mut ExplainPage, side: char, mut content: &[u8]) -> bool {
        loop {
            let next = self.decoder.next(&mut content);
            let (header, number, left) = self.decoder.frame();
            if number > self.shown {
                self.shown = number;
                self.header(page, side, header);
            }
            match next {
                Ok(None) => return true,
                Ok(Some((_, data))) => {
                    let room = (TASTE + 1).saturating_sub(self.taste.len());
                    self.taste.extend_from_slice(&data[..data.len().min(room)]);
                    if left == 0 && number <= SHOWN {
                        page.quote(&self.taste, TASTE);
                    }
                }
                Err(FrameError::Daemon { message }) => {
                    page.quote(message.as_bytes(), TASTE);
                    return false;
                }
                Err(error) => {
                    page.decision((error.to_string().into(), ""));
                    return false;
                }
            }
        }
    }

    fn header(&mut self, page: &mut ExplainPage, side: char, header: [u8; 8]) {
        self.taste.clear();
        if self.shown > SHOWN {
            return;
        }
        let [stream, _, _, _, length @ ..] = header;
        let name = ["stdin", "stdout", "stderr", "an error of the daemon"];
        let name = name.get(usize::from(stream)).copied().unwrap_or_default();
        let bytes = header.map(|byte| format!("{byte:02x}")).join(" ");
        let text = format!("a frame of {name}: {} bytes", u32::from_be_bytes(length));
        page.line(side, bytes.as_bytes(), (text.into(), "Docker Engine API v1.41 attach"))
    }
}
