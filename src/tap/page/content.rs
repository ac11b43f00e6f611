//! Shows the content of an exchange as numbered pieces: text, Docker's frames, or hex.

use super::kept::{ContentKind, KeptExchange, KeptPiece};
use crate::base::number::LOWER_HEX;
use crate::base::text::harmless_lines;
use crate::docker::{FrameDecoder, FrameError, FrameStream};
use crate::json::JsonWriter;
use crate::tap::record::har::time;
use crate::traffic::Side;

/// Returns the kind of one side's content, which the bytes decide as well as the Content-Type.
pub(super) fn kind(kept: &KeptExchange, side: Side) -> ContentKind {
    let named = kept.named_kind(side);
    let body = match named {
        ContentKind::None | ContentKind::Frames => return named,
        _ => kept.bytes(side).collect::<Vec<u8>>(),
    };
    let valid = std::str::from_utf8(&body).map_or_else(|e| e.error_len().is_none(), |_| true);
    match named {
        ContentKind::Json if valid => ContentKind::Json,
        _ if is_text(&body) => ContentKind::Text,
        _ => ContentKind::Binary,
    }
}

/// Whether the bytes are mostly text. ESC counts as text, because terminals get it; NUL never does.
fn is_text(bytes: &[u8]) -> bool {
    let odd = |b: &u8| matches!(b, 0..=8 | 11 | 12 | 14..=26 | 28..=31 | 127);
    let invalid = bytes.utf8_chunks().map(|chunk| chunk.invalid().len());
    let odd = bytes.iter().filter(|b| odd(b)).count() + invalid.sum::<usize>();
    odd * 8 <= bytes.len() && !bytes.contains(&0)
}

/// Writes pieces from number `after` on, and counts them all.
pub(super) struct PieceWriter<'a> {
    json: &'a mut JsonWriter,
    after: usize,
    pub count: usize,
    kinds: [ContentKind; 2],
    frames: FrameDecoder,
    /// The incomplete characters of each side, and of each stream in frames.
    cut: [Vec<u8>; 5],
}

impl PieceWriter<'_> {
    pub fn new(json: &mut JsonWriter, kinds: [ContentKind; 2], after: usize) -> PieceWriter<'_> {
        let (frames, cut) = (FrameDecoder::new(), Default::default());
        PieceWriter { json, after, count: 0, kinds, frames, cut }
    }

    pub fn write(&mut self, kept: &KeptExchange) {
        for (piece, bytes) in kept.pieces() {
            match (piece.side, self.kinds[piece.side as usize]) {
                (_, ContentKind::Binary) => self.hex(piece, bytes),
                (Side::Server, ContentKind::Frames) => self.frames(piece, bytes),
                (side, _) => self.text(piece, "", side as usize, bytes),
            }
        }
    }

    fn frames(&mut self, piece: &KeptPiece, mut bytes: &[u8]) {
        loop {
            match self.frames.next(&mut bytes) {
                Ok(None) => return,
                Ok(Some((stream, data))) => {
                    let (name, cut) = match stream {
                        FrameStream::Stdin => ("stdin", 2),
                        FrameStream::Stdout => ("stdout", 3),
                        _ => ("stderr", 4),
                    };
                    self.text(piece, name, cut, data);
                }
                Err(error) => {
                    self.kinds[piece.side as usize] = ContentKind::Binary;
                    if let FrameError::Daemon { message } = error {
                        self.text(piece, "daemon", 1, message.as_bytes());
                    }
                    if !bytes.is_empty() {
                        self.hex(piece, bytes);
                    }
                    return;
                }
            }
        }
    }

    /// Writes text. An incomplete character at its end waits for the next piece.
    fn text(&mut self, piece: &KeptPiece, stream: &str, cut: usize, bytes: &[u8]) {
        let mut text = std::mem::take(&mut self.cut[cut]);
        text.extend_from_slice(bytes);
        let tail = text.utf8_chunks().last().map_or(&b""[..], |chunk| chunk.invalid());
        let is_cut = std::str::from_utf8(tail).is_err_and(|error| error.error_len().is_none());
        self.cut[cut] = text.split_off(text.len() - if is_cut { tail.len() } else { 0 });
        let exact = self.kinds[piece.side as usize] == ContentKind::Json;
        let text = if exact { text.into() } else { harmless_lines(&text) };
        self.piece(piece, stream, "text", &String::from_utf8_lossy(&text));
    }

    fn hex(&mut self, piece: &KeptPiece, bytes: &[u8]) {
        let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
        let hex: String = digits.map(|digit| char::from(LOWER_HEX[usize::from(digit)])).collect();
        self.piece(piece, "", "hex", &hex);
    }

    fn piece(&mut self, piece: &KeptPiece, stream: &str, name: &str, content: &str) {
        self.count += 1;
        if self.count <= self.after {
            return;
        }
        let from = if piece.side == Side::Client { "request" } else { "response" };
        self.json.object(|json| {
            time(json, "t", piece.at);
            json.name("from").string(from).name("stream").string(stream);
            json.name("upgraded").scalar(piece.upgraded).name(name).string(content);
        });
    }
}
