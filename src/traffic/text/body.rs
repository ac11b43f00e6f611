//! Shows bodies: JSON indented, Docker's frames decoded, text line by line, other bytes counted.

use super::fold;
use super::page::{Look, TextPage};
use crate::base::text::harmless;
use crate::docker::{FRAME_HEADER_LEN, FrameDecoder, is_probably_framed, may_begin_frames};
use crate::json::{JsonError, JsonText, JsonTexts};
use crate::traffic::exchange::{Exchange, Side};
use std::time::Duration;

/// The pause after which the limit starts again.
const SILENCE: Duration = Duration::from_secs(1);
/// The longest line that is shown in one piece.
const LINE: usize = 4096;
/// The index of the lines outside of frames.
const PLAIN: usize = 3;

/// The state of the view of one body.
pub(super) struct ShownBody {
    look: Look,
    kind: Kind,
    /// The lines of Docker's three streams, and those outside of frames.
    lines: [Lines; 4],
    /// Whether the fields and the target allow Docker's frames.
    frames: bool,
    media_type: String,
    /// Whether JSON is shown with its empty members.
    full: bool,
    limit: usize,
    /// The bytes shown and left out since the last pause.
    shown: usize,
    left_out: u64,
    last: Duration,
}

enum Kind {
    /// The kind is not known yet.
    Undecided(Vec<u8>),
    Json(Box<JsonTexts>),
    Frames(Box<FrameDecoder>),
    Text,
    /// The number of bytes.
    Binary(u64),
}

impl ShownBody {
    pub(super) fn new(
        exchange: &Exchange,
        side: Side,
        full: bool,
        limit: Option<usize>,
    ) -> ShownBody {
        let media_type = exchange.fields(side).and_then(|fields| fields.get("Content-Type"));
        let frames = side == Side::Server && is_probably_framed(media_type, exchange.target());
        let look = Look::of(side);
        let lines = [("stdin| ", look), ("stdout| ", look), ("stderr| ", look.red()), ("", look)];
        let lines = lines.map(|(label, look)| Lines { label, look, text: Vec::new() });
        let websocket = exchange.is_tunnel()
            && exchange.fields(side).is_some_and(|fields| fields.has_token("Upgrade", "websocket"));
        let counted = websocket || limit.is_none();
        let kind = if counted { Kind::Binary(0) } else { Kind::Undecided(Vec::new()) };
        let unknown = if websocket { "WebSocket frames" } else { "unknown type" };
        let media_type = media_type.map_or(unknown.to_owned(), harmless);
        let (limit, shown, left_out) = (limit.unwrap_or(0), 0, 0);
        let last = Duration::ZERO;
        ShownBody { look, kind, lines, frames, media_type, full, limit, shown, left_out, last }
    }

    /// Shows the next bytes, without waiting for the end of a line if they are `live`.
    pub(super) fn show(&mut self, at: Duration, bytes: &[u8], live: bool, page: &mut TextPage) {
        if at.saturating_sub(self.last) >= SILENCE && self.shown > 0 {
            self.resume(page);
        }
        self.last = at;
        let room = self.limit.saturating_sub(self.shown);
        let (bytes, mut rest) = bytes.split_at(bytes.len().min(room));
        self.shown += bytes.len();
        self.feed(bytes, page);
        if !rest.is_empty() {
            if self.left_out == 0 {
                self.end_json(page);
                self.flush(page);
            }
            self.left_out += rest.len() as u64;
            // The decoder must know where the next frame begins.
            if let Kind::Frames(decoder) = &mut self.kind {
                while let Ok(Some(_)) = decoder.next(&mut rest) {}
            }
        }
        if live {
            self.flush(page);
        }
    }

    pub(super) fn finish(&mut self, page: &mut TextPage) {
        self.decide(true, page);
        match &mut self.kind {
            Kind::Json(_) => self.end_json(page),
            Kind::Frames(decoder) => {
                if let (Err(error), 0) = (decoder.finish(), self.left_out) {
                    page.wrong(&error.to_string());
                }
            }
            Kind::Binary(total) => {
                let total = *total + std::mem::take(&mut self.left_out);
                page.line(self.look, &format!("({total} bytes, {})", self.media_type), b"");
            }
            _ => {}
        }
        self.flush(page);
        self.tell_left_out(page);
    }

    fn tell_left_out(&mut self, page: &mut TextPage) {
        if self.left_out > 0 {
            let line = format!("({} more bytes, {})", self.left_out, self.media_type);
            page.line(self.look, &line, b"");
            self.left_out = 0;
        }
    }

    /// Starts the limit again after a pause.
    fn resume(&mut self, page: &mut TextPage) {
        self.shown = 0;
        if self.left_out > 0 && !matches!(self.kind, Kind::Binary(_)) {
            self.tell_left_out(page);
            // After a pause, a new text probably begins.
            if matches!(self.kind, Kind::Json(_) | Kind::Text) {
                self.kind = Kind::Undecided(Vec::new());
            }
        }
    }

    /// Decides the kind, once there are enough bytes or these are `all`.
    fn decide(&mut self, all: bool, page: &mut TextPage) {
        let Kind::Undecided(first) = &mut self.kind else { return };
        let framed = self.frames && may_begin_frames(first);
        if framed && first.len() < FRAME_HEADER_LEN && !all {
            return;
        }
        let first = std::mem::take(first);
        self.kind = match first.iter().find(|b| !b.is_ascii_whitespace()) {
            _ if framed && !first.is_empty() => Kind::Frames(Box::default()),
            Some(b'{' | b'[') if self.may_be_json(&first) => Kind::Json(Box::default()),
            _ if is_text(&first) => Kind::Text,
            _ => Kind::Binary(0),
        };
        self.feed(&first, page);
    }

    /// Text is not JSON. Other bytes are JSON only if the texts in them are.
    fn may_be_json(&self, first: &[u8]) -> bool {
        let read = &mut |text: &JsonText<'_>| text.value().map(drop);
        !self.media_type.starts_with("text/") && JsonTexts::default().feed(first, read).is_ok()
    }

    fn feed(&mut self, mut bytes: &[u8], page: &mut TextPage) {
        let plain = &mut self.lines[PLAIN];
        match &mut self.kind {
            _ if bytes.is_empty() => {}
            Kind::Undecided(first) => {
                first.extend_from_slice(bytes);
                self.decide(false, page);
            }
            Kind::Json(texts) => {
                let before = texts.offset();
                let show = &mut |part: &[u8]| plain.push(part, page);
                let full = self.full;
                if texts.feed(bytes, &mut |text| lay_out(full, text, show)).is_err() {
                    let rest = &bytes[(texts.offset() - before) as usize..];
                    plain.flush(page);
                    page.note("not JSON after all; as text:");
                    self.kind = Kind::Text;
                    self.feed(rest, page);
                }
            }
            Kind::Frames(decoder) => loop {
                match decoder.next(&mut bytes) {
                    Ok(Some((stream, data))) => self.lines[stream as usize].push(data, page),
                    Ok(None) => return,
                    Err(error) => {
                        self.flush(page);
                        page.wrong(&error.to_string());
                        self.kind = Kind::Binary(0);
                        return;
                    }
                }
            },
            Kind::Text => plain.push(bytes, page),
            Kind::Binary(total) => *total += bytes.len() as u64,
        }
    }

    /// Shows the rest of an incomplete JSON text, without an error.
    fn end_json(&mut self, page: &mut TextPage) {
        if let Kind::Json(texts) = &mut self.kind {
            let show = &mut |part: &[u8]| self.lines[PLAIN].push(part, page);
            let _ = texts.finish(&mut |text| lay_out(self.full, text, show));
        }
    }

    /// Shows incomplete lines.
    fn flush(&mut self, page: &mut TextPage) {
        self.lines.iter_mut().for_each(|lines| lines.flush(page));
    }
}

fn lay_out(full: bool, text: &JsonText<'_>, show: &mut dyn FnMut(&[u8])) -> Result<(), JsonError> {
    if full { text.lay_out(show) } else { fold::lay_out(text, show) }
}

/// Returns whether bytes are UTF-8, perhaps truncated, with no NUL and few other controls.
fn is_text(bytes: &[u8]) -> bool {
    let control =
        |b: &u8| b.is_ascii_control() && !matches!(b, b'\n' | b'\r' | b'\t' | 0x1b | 0x08);
    let controls = bytes.iter().filter(|b| control(b)).count();
    let invalid = bytes.utf8_chunks().filter(|chunk| !chunk.invalid().is_empty()).count();
    !bytes.contains(&0) && (controls + invalid.saturating_sub(1)) * 10 <= bytes.len()
}

/// A sequence of lines. `text` is the beginning of the next one.
struct Lines {
    label: &'static str,
    look: Look,
    text: Vec<u8>,
}

impl Lines {
    fn push(&mut self, bytes: &[u8], page: &mut TextPage) {
        for part in bytes.split_inclusive(|&b| b == b'\n') {
            self.text.extend_from_slice(part);
            if part.ends_with(b"\n") || self.text.len() >= LINE {
                self.flush(page);
            }
        }
    }

    fn flush(&mut self, page: &mut TextPage) {
        if !self.text.is_empty() {
            let end = self.text.strip_suffix(b"\n").unwrap_or(&self.text);
            page.line(self.look, self.label, end.strip_suffix(b"\r").unwrap_or(end));
            self.text.clear();
        }
    }
}
