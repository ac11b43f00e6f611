//! Shows bodies: JSON laid out, Docker's frames decoded, text line by line, other bytes counted.

use super::page::{Look, TextPage};
use crate::base::text::harmless;
use crate::docker::{FRAME_HEADER_LEN, FrameDecoder, FrameStream, OutputKind, may_begin_frames};
use crate::json::JsonTexts;
use crate::traffic::exchange::{Exchange, Side};
use std::time::Duration;

/// The silence after which the limit starts again.
const SILENCE: Duration = Duration::from_secs(1);
/// The longest line that is shown in one part.
const LINE: usize = 4096;

/// The state of the view of one body.
pub(super) struct ShownBody {
    side: Side,
    kind: Kind,
    /// Whether the fields and the target allow Docker's frames.
    frames: bool,
    media_type: String,
    limit: usize,
    /// The bytes shown and left out since the last silence.
    shown: usize,
    left_out: u64,
    last: Duration,
}

enum Kind {
    /// The first bytes do not tell the kind yet.
    Undecided(Vec<u8>),
    Json(Box<JsonTexts>, Lines),
    Frames(Box<FrameDecoder>, [Lines; 3]),
    Text(Lines),
    /// The number of bytes.
    Binary(u64),
}

/// The beginning of a line.
#[derive(Default)]
struct Lines(Vec<u8>);

impl ShownBody {
    pub(super) fn new(exchange: &Exchange, side: Side, limit: usize) -> ShownBody {
        let media_type = exchange.fields(side).and_then(|fields| fields.get("Content-Type"));
        let target = exchange.target().split(|&b| b == b'?').next().unwrap_or_default();
        let streams = [&b"/attach"[..], b"/logs", b"/start"];
        let frames = side == Side::Server
            && match OutputKind::of_content_type(media_type) {
                OutputKind::Multiplexed => true,
                OutputKind::DependsOnTty => streams.iter().any(|end| target.ends_with(end)),
                OutputKind::Other => false,
            };
        let kind = Kind::Undecided(Vec::new());
        let media_type = media_type.map_or("unknown type".to_owned(), harmless);
        let (shown, left_out, last) = (0, 0, Duration::ZERO);
        ShownBody { side, kind, frames, media_type, limit, shown, left_out, last }
    }

    /// Shows the next bytes; with `at_once`, without waiting for the end of a line.
    pub(super) fn show(
        &mut self,
        at: Duration,
        bytes: &[u8],
        at_once: bool,
        page: &mut TextPage<'_>,
    ) {
        if at.saturating_sub(self.last) >= SILENCE && self.shown > 0 {
            self.resume(page);
        }
        self.last = at;
        let room = self.limit.saturating_sub(self.shown);
        let (bytes, rest) = bytes.split_at(bytes.len().min(room));
        self.shown += bytes.len();
        self.feed(bytes, page);
        if !rest.is_empty() {
            if self.left_out == 0 {
                self.end_json(page);
                self.flush(page);
            }
            self.left_out += rest.len() as u64;
            self.skip(rest);
        }
        if at_once {
            self.flush(page);
        }
    }

    pub(super) fn finish(&mut self, page: &mut TextPage<'_>) {
        let look = Look::of(self.side);
        if let Kind::Undecided(first) = &mut self.kind {
            let first = std::mem::take(first);
            self.decide(&first, true, page);
        }
        match &mut self.kind {
            Kind::Json(..) => self.end_json(page),
            Kind::Frames(decoder, _) => {
                if let (Err(error), 0) = (decoder.finish(), self.left_out) {
                    page.wrong(&error.to_string());
                }
            }
            Kind::Binary(total) => {
                let total = *total + std::mem::take(&mut self.left_out);
                page.line(look, &format!("({total} bytes, {})", self.media_type), b"");
            }
            _ => {}
        }
        self.flush(page);
        self.tell_left_out(page);
    }

    fn tell_left_out(&mut self, page: &mut TextPage<'_>) {
        if self.left_out > 0 {
            let line = format!("({} more bytes, {})", self.left_out, self.media_type);
            page.line(Look::of(self.side), &line, b"");
            self.left_out = 0;
        }
    }

    /// Starts the limit again after a silence.
    fn resume(&mut self, page: &mut TextPage<'_>) {
        self.shown = 0;
        if self.left_out > 0 && !matches!(self.kind, Kind::Binary(_)) {
            self.tell_left_out(page);
            // After a silence, a new text probably begins.
            if matches!(self.kind, Kind::Json(..) | Kind::Text(_)) {
                self.kind = Kind::Undecided(Vec::new());
            }
        }
    }

    fn feed(&mut self, bytes: &[u8], page: &mut TextPage<'_>) {
        let look = Look::of(self.side);
        match &mut self.kind {
            _ if bytes.is_empty() => {}
            Kind::Undecided(first) => {
                first.extend_from_slice(bytes);
                let first = std::mem::take(first);
                self.decide(&first, false, page);
            }
            Kind::Json(texts, lines) => {
                let before = texts.offset();
                let show = &mut |part: &[u8]| lines.push(part, look, "", page);
                if texts.feed(bytes, &mut |text| text.lay_out(show)).is_err() {
                    let rest = &bytes[(texts.offset() - before) as usize..];
                    lines.flush(look, "", page);
                    page.note("not JSON after all; as text:");
                    self.kind = Kind::Text(Lines::default());
                    self.feed(rest, page);
                }
            }
            Kind::Frames(decoder, streams) => {
                let mut input = bytes;
                loop {
                    match decoder.next(&mut input) {
                        Ok(Some((stream, data))) => {
                            let (label, look) = label(look, stream);
                            streams[stream as usize].push(data, look, label, page);
                        }
                        Ok(None) => break,
                        Err(error) => {
                            page.wrong(&error.to_string());
                            self.kind = Kind::Binary(0);
                            break;
                        }
                    }
                }
            }
            Kind::Text(lines) => lines.push(bytes, look, "", page),
            Kind::Binary(total) => *total += bytes.len() as u64,
        }
    }

    /// Follows frames that are not shown, to find where the next one begins.
    fn skip(&mut self, bytes: &[u8]) {
        if let Kind::Frames(decoder, _) = &mut self.kind {
            let mut input = bytes;
            while let Ok(Some(_)) = decoder.next(&mut input) {}
        }
    }

    /// Shows the rest of an incomplete JSON text, without an error.
    fn end_json(&mut self, page: &mut TextPage<'_>) {
        let look = Look::of(self.side);
        if let Kind::Json(texts, lines) = &mut self.kind {
            let show = &mut |part: &[u8]| lines.push(part, look, "", page);
            let _ = texts.finish(&mut |text| text.lay_out(show));
        }
    }

    fn decide(&mut self, first: &[u8], all: bool, page: &mut TextPage<'_>) {
        let framed = self.frames && may_begin_frames(first);
        if framed && first.len() < FRAME_HEADER_LEN && !all {
            self.kind = Kind::Undecided(first.to_vec());
            return;
        }
        self.kind = match first.iter().find(|b| !b.is_ascii_whitespace()) {
            _ if framed && !first.is_empty() => Kind::Frames(Box::default(), Default::default()),
            Some(b'{' | b'[') => Kind::Json(Box::default(), Lines::default()),
            _ if is_text(first) => Kind::Text(Lines::default()),
            _ => Kind::Binary(0),
        };
        self.feed(first, page);
    }

    /// Shows incomplete lines.
    fn flush(&mut self, page: &mut TextPage<'_>) {
        let look = Look::of(self.side);
        match &mut self.kind {
            Kind::Frames(_, streams) => {
                let all = [FrameStream::Stdin, FrameStream::Stdout, FrameStream::Stderr];
                for (stream, lines) in all.into_iter().zip(streams) {
                    let (label, look) = label(look, stream);
                    lines.flush(look, label, page);
                }
            }
            Kind::Text(lines) | Kind::Json(_, lines) => lines.flush(look, "", page),
            _ => {}
        }
    }
}

fn label(look: Look, stream: FrameStream) -> (&'static str, Look) {
    match stream {
        FrameStream::Stdin => ("stdin| ", look),
        FrameStream::Stdout => ("stdout| ", look),
        FrameStream::Stderr => ("stderr| ", look.red()),
    }
}

/// Whether bytes are UTF-8, perhaps cut, with no NUL and few other controls.
fn is_text(bytes: &[u8]) -> bool {
    let control =
        |b: &u8| b.is_ascii_control() && !matches!(b, b'\n' | b'\r' | b'\t' | 0x1b | 0x08);
    if bytes.iter().all(|b| b.is_ascii() && !control(b)) {
        return true;
    }
    let controls = bytes.iter().filter(|b| control(b)).count();
    let invalid = bytes.utf8_chunks().filter(|chunk| !chunk.invalid().is_empty()).count();
    !bytes.contains(&0) && (controls + invalid.saturating_sub(1)) * 10 <= bytes.len()
}

impl Lines {
    fn push(&mut self, bytes: &[u8], look: Look, label: &str, page: &mut TextPage<'_>) {
        for part in bytes.split_inclusive(|&b| b == b'\n') {
            self.0.extend_from_slice(part);
            if part.ends_with(b"\n") || self.0.len() >= LINE {
                self.flush(look, label, page);
            }
        }
    }

    fn flush(&mut self, look: Look, label: &str, page: &mut TextPage<'_>) {
        if !self.0.is_empty() {
            let end = self.0.strip_suffix(b"\n").unwrap_or(&self.0);
            page.line(look, label, end.strip_suffix(b"\r").unwrap_or(end));
            self.0.clear();
        }
    }
}
