//! One exchange as the page keeps it: all heads, sizes and times, and bodies up to a limit.

use crate::base::text::harmless;
use crate::docker::{FRAME_HEADER_LEN, is_probably_framed, may_begin_frames};
use crate::traffic::{Event, Exchange, Fault, Side};
use crate::wire::{Fields, ResponseHead};
use std::time::Duration;

/// How many bytes of a body are kept.
pub const BODY_LIMIT: usize = 128 << 10;
/// Bytes that arrive within this time of each other are one piece.
const GATHER: Duration = Duration::from_millis(100);
/// How many interim responses are kept.
const INTERIM_LIMIT: usize = 8;
/// The approximate memory of an exchange and of a piece, without their bytes.
const EXCHANGE_WEIGHT: usize = 1024;
const PIECE_WEIGHT: usize = 32;

/// A problem of an exchange, and the section of the broken rule.
#[derive(Clone, Debug)]
pub(super) struct KeptFault {
    pub text: String,
    pub rule: &'static str,
    /// The fault in what one side sent, if it is one.
    pub seen: Option<(Side, Fault)>,
}

impl KeptFault {
    pub fn new(text: &str, seen: Option<(Side, Fault)>) -> KeptFault {
        let rule = seen.map_or("", |(_, fault)| fault.section());
        KeptFault { text: harmless(text.as_bytes()), rule, seen }
    }

    pub fn seen(side: Side, fault: Fault) -> KeptFault {
        KeptFault::new(&format!("the {side}: {}", fault.text()), Some((side, fault)))
    }
}

/// An exchange, and the beginning of its bodies.
#[derive(Clone, Debug, Default)]
pub(super) struct KeptExchange {
    pub id: u64,
    pub connection: u64,
    pub version: u64,
    pub x: Exchange,
    pub interim: Vec<ResponseHead>,
    /// The trailer fields of the request and of the response.
    pub trailers: [Option<Fields>; 2],
    pub faults: Vec<KeptFault>,
    pub pieces: Vec<KeptPiece>,
    /// The bytes of the pieces, one after the other.
    pub bytes: Vec<u8>,
    /// How many bytes of each side are kept.
    pub kept: [usize; 2],
    pub done: bool,
    /// Whether a page has the last piece, which then must not grow.
    pub sealed: bool,
    /// The approximate memory in bytes.
    pub weight: usize,
}

/// Bytes that arrived together.
#[derive(Clone, Copy, Debug)]
pub(super) struct KeptPiece {
    pub at: Duration,
    pub side: Side,
    /// Whether they came after an upgrade.
    pub upgraded: bool,
    pub length: usize,
}

/// The kind of a body's content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ContentKind {
    None,
    Json,
    Frames,
    Text,
    Binary,
}

impl KeptExchange {
    pub fn new(id: u64, connection: u64) -> KeptExchange {
        KeptExchange { id, connection, weight: EXCHANGE_WEIGHT, ..KeptExchange::default() }
    }

    /// Keeps an event of the exchange.
    pub fn see(&mut self, at: Duration, x: &Exchange, event: &Event<'_>) {
        self.x.clone_from(x);
        match event {
            Event::Request(_) => self.add_head(x.sent.head as usize),
            Event::Response(_) => {
                self.add_head(x.response.as_ref().map_or(0, |head| head.as_bytes().len()));
            }
            Event::Interim(_, head) if self.interim.len() < INTERIM_LIMIT => {
                self.interim.push((*head).clone());
                self.add_head(head.as_bytes().len());
            }
            Event::Content(_, side, bytes) => self.add(at, *side, false, bytes),
            Event::Tunnel(_, side, bytes) => self.add(at, *side, true, bytes),
            Event::End(_, side, Some(trailers)) => {
                self.trailers[*side as usize] = Some((*trailers).clone());
                self.add_head(
                    trailers.iter().map(|field| field.name().len() + field.value().len()).sum(),
                );
            }
            Event::Fault(_, side, fault) => self.faults.push(KeptFault::seen(*side, *fault)),
            Event::Done(_) => {
                let left = "the client left in the middle of the response";
                self.faults.extend(x.left.map(|_| KeptFault::new(left, None)));
                self.done = true;
            }
            _ => {}
        }
    }

    /// Counts the memory of a section of fields: its bytes, and the positions of the fields.
    fn add_head(&mut self, length: usize) {
        self.weight += 2 * length;
    }

    fn add(&mut self, at: Duration, side: Side, upgraded: bool, bytes: &[u8]) {
        let kept = &mut self.kept[side as usize];
        let bytes = &bytes[..bytes.len().min(BODY_LIMIT.saturating_sub(*kept))];
        if bytes.is_empty() {
            return;
        }
        *kept += bytes.len();
        self.bytes.extend_from_slice(bytes);
        self.weight += bytes.len();
        match self.pieces.last_mut() {
            Some(last)
                if !self.sealed
                    && (last.side, last.upgraded) == (side, upgraded)
                    && at.saturating_sub(last.at) < GATHER =>
            {
                last.length += bytes.len();
            }
            _ => {
                self.pieces.push(KeptPiece { at, side, upgraded, length: bytes.len() });
                self.weight += PIECE_WEIGHT;
                self.sealed = false;
            }
        }
    }

    /// Returns the pieces with their bytes.
    pub fn pieces(&self) -> impl Iterator<Item = (&KeptPiece, &[u8])> {
        let mut rest = &self.bytes[..];
        self.pieces.iter().map(move |piece| {
            let (bytes, after) = rest.split_at(piece.length);
            rest = after;
            (piece, bytes)
        })
    }

    /// Returns all bytes that are kept of one side.
    pub fn bytes(&self, side: Side) -> impl Iterator<Item = u8> {
        let of_side = self.pieces().filter(move |(piece, _)| piece.side == side);
        of_side.flat_map(|(_, bytes)| bytes).copied()
    }

    /// Returns the kind of content that one side's Content-Type names.
    pub fn named_kind(&self, side: Side) -> ContentKind {
        let message = self.x.message(side);
        if message.content + message.tunnel == 0 {
            return ContentKind::None;
        }
        let media_type = self.x.fields(side).and_then(|fields| fields.get("Content-Type"));
        if side == Side::Server && is_probably_framed(media_type, self.x.target()) {
            let first: Vec<u8> = self.bytes(side).take(FRAME_HEADER_LEN).collect();
            if may_begin_frames(&first) {
                return ContentKind::Frames;
            }
        }
        let lower = media_type.unwrap_or_default().to_ascii_lowercase();
        let names = |part: &[u8]| lower.windows(part.len()).any(|window| window == part);
        match () {
            _ if names(b"json") => ContentKind::Json,
            _ if names(b"text/") || message.tunnel > 0 || media_type.is_none() => ContentKind::Text,
            _ if names(b"raw-stream") => ContentKind::Text,
            _ => ContentKind::Binary,
        }
    }
}
