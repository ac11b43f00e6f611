//! Reads the two byte streams of one connection as HTTP, and pairs requests with responses.
//!
//! Responses arrive in the order of their requests (`RFC 9112 §9.3.2`). Requests may be pipelined,
//! a response may arrive before its request has ended, and 1xx responses precede the final one. The
//! response to HEAD or CONNECT cannot be read without its request. After a 101, a 2xx to CONNECT or
//! a response that ends with the connection, no message follows: the rest is a tunnel.
//!
//! After a request for an upgrade, a client may use the other protocol before the response arrives.
//! Observers see those bytes once the response decides how to read them.
//!
//! At most 1,024 unanswered requests are kept, with 512 KiB of heads.
//!
//! ```
//! use std::time::Duration;
//! use unix_http::traffic::{Conversation, Event, Side};
//!
//! let mut seen = Vec::new();
//! let mut see = |event: &Event<'_>| match event {
//!     Event::Request(x) => seen.push(format!("{} {}", x.method(), x.target().escape_ascii())),
//!     Event::Content(_, side, bytes) => seen.push(format!("{side}: {}", bytes.escape_ascii())),
//!     Event::Done(x) => seen.push(format!("{} bytes", x.received.content)),
//!     _ => {}
//! };
//! let (mut conversation, now) = (Conversation::new(true), Duration::ZERO);
//! conversation.bytes(Side::Client, now, b"GET /_ping HTTP/1.1\r\nHost: x\r\n\r\n", &mut see);
//! let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK";
//! conversation.bytes(Side::Server, now, answer, &mut see);
//! assert_eq!(seen, ["GET /_ping", "server: OK", "2 bytes"]);
//! ```

mod held;

use super::event::FaultKind::{Incomplete, IncompleteHead, TooManyRequests, Unanswered, Unasked};
use super::event::{Event, Fault};
use super::exchange::{Exchange, Message, Side};
use super::lane::{Lane, Reading};
use super::secrets::BodyMask;
use crate::wire::framing;
use crate::wire::head::{RequestLine, StatusLine};
use crate::wire::head_pieces::HeadPieces;
use crate::wire::{
    BodyDecoder, Framing, OVERHEAD_LIMIT, ParseError, RequestHead, ResponseHead, Step, Violation,
};
use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// The limits for unanswered requests: their number, and the bytes of their heads.
const OPEN_LIMIT: usize = 1024;
const OPEN_BYTES: u64 = 512 * 1024;

/// Turns the bytes of both sides into events. By default, secrets in events are masked.
#[derive(Debug, Default)]
pub struct Conversation {
    /// The client's direction and the server's.
    lanes: [Lane; 2],
    requests: HeadPieces<RequestLine>,
    responses: HeadPieces<StatusLine>,
    /// Exchanges that are not over, in order.
    open: VecDeque<Exchange>,
    count: u64,
    /// When the current bytes arrived.
    now: Duration,
    /// The exchange that turned the connection into a tunnel.
    tunnel: Option<u64>,
    /// When the client ended while its bytes were held back, and whether it ended properly.
    ends_held: Option<(Duration, bool)>,
    /// Whether responses cannot be parsed, so that some requests may have been answered.
    unread: bool,
    ignore_length: bool,
    scratch: Vec<u8>,
}

/// Receives events.
pub type See<'a> = dyn FnMut(&Event<'_>) + 'a;

impl Conversation {
    /// Starts a connection. With `cover`, secrets in events are masked.
    pub fn new(cover: bool) -> Conversation {
        let mut conversation = Conversation::default();
        conversation.lanes.iter_mut().for_each(|lane| lane.cover.off = !cover);
        conversation
    }

    /// Reads responses with a Content-Length to the end of the connection.
    pub fn ignore_length(&mut self) {
        self.ignore_length = true;
    }

    /// Receives bytes from one side.
    pub fn bytes(&mut self, side: Side, at: Duration, bytes: &[u8], see: &mut See<'_>) {
        self.now = at;
        // Content without secrets needs no copy, which saves a fifth of the time of a download.
        let Lane { reading, cover, .. } = self.lane(side);
        if let (Reading::Body(decoder), BodyMask::Off) = (reading, &cover.body)
            && decoder.run() > bytes.len() as u64
        {
            decoder.consume(bytes.len());
            if let Some(exchange) = self.count(side, |sizes| sizes.content += bytes.len() as u64) {
                see(&Event::Content(exchange, side, bytes));
            }
            return see(&Event::Bytes(side, bytes));
        }
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.clear();
        scratch.extend_from_slice(bytes);
        self.read(side, &mut scratch, see);
        see(&Event::Bytes(side, &scratch));
        self.scratch = scratch;
    }

    /// Ends one side.
    pub fn end(&mut self, side: Side, at: Duration, error: Option<&io::Error>, see: &mut See<'_>) {
        self.now = at;
        if side == Side::Client {
            self.open.iter_mut().for_each(|exchange| exchange.client_ends(at));
        }
        match self.lane(side).reading {
            // Held bytes are read, and end, when the response arrives.
            Reading::Held(..) => self.ends_held = Some((at, error.is_none())),
            _ => self.finish(side, error.is_none(), see),
        }
        see(&Event::Ended(side, error));
    }

    /// Ends the connection.
    pub fn close(&mut self, see: &mut See<'_>) {
        if let Reading::Held(_, Some(error)) = &self.lane(Side::Client).reading {
            see(&Event::Fault(None, Side::Client, (*error).into()));
        }
        for exchange in self.open.drain(..) {
            if exchange.response.is_none() && !self.unread {
                see(&Event::Fault(Some(&exchange), Side::Server, Fault(Unanswered)));
            }
            see(&Event::Done(&exchange));
        }
        see(&Event::Closed);
    }

    /// Updates the sizes of the current message, and returns its exchange.
    fn count(&mut self, side: Side, add: impl FnOnce(&mut Message)) -> Option<&mut Exchange> {
        let now = self.now;
        let exchange = self.exchange(side)?;
        let message = exchange.message_mut(side);
        message.last = Some(now);
        add(message);
        Some(exchange)
    }

    fn read(&mut self, side: Side, mut bytes: &mut [u8], see: &mut See<'_>) {
        while !bytes.is_empty() {
            let used = match &self.lane(side).reading {
                Reading::Head if side == Side::Client => self.request_head(bytes, see),
                Reading::Head => self.response_head(bytes, see),
                Reading::Body(_) => self.body(side, bytes, see),
                Reading::Held(..) => return self.hold(bytes, see),
                Reading::Tunnel => return self.through_tunnel(side, bytes, see),
                Reading::Lost => return self.lane(side).cover.unknown(bytes),
            };
            bytes = &mut bytes[used..];
        }
    }

    fn request_head(&mut self, bytes: &mut [u8], see: &mut See<'_>) -> usize {
        let lane = &mut self.lanes[Side::Client as usize];
        let (used, head) = lane.head(&mut self.requests, self.now, bytes);
        match head {
            Ok(None) => {}
            Ok(Some(head)) => self.request(head, see),
            Err(error) if self.awaiting().is_some() => {
                // Perhaps input for a tunnel that the next response opens.
                let mut held = std::mem::take(self.requests.partial());
                let lane = self.lane(Side::Client);
                if held.is_empty() {
                    held.extend_from_slice(&bytes[..used]);
                }
                lane.reading = Reading::Held(held, Some(error));
                lane.cover.begin_unknown();
                lane.cover.body.run(&mut bytes[..used]);
            }
            Err(error) => {
                self.lose(Side::Client, &mut bytes[..used]);
                if error.violation == Violation::Http2 {
                    self.lanes.iter_mut().for_each(|lane| lane.cover.begin(BodyMask::All));
                }
                see(&Event::Fault(None, Side::Client, error.into()));
            }
        }
        used
    }

    fn request(&mut self, head: RequestHead, see: &mut See<'_>) {
        let kept: u64 = self.open.iter().map(|exchange| exchange.sent.head).sum();
        if self.open.len() >= OPEN_LIMIT || kept > OPEN_BYTES {
            self.lose(Side::Client, &mut []);
            return see(&Event::Fault(None, Side::Client, Fault(TooManyRequests)));
        }
        self.count += 1;
        let (len, decision) = (head.as_bytes().len() as u64, framing::request(&head));
        let lane = &mut self.lanes[Side::Client as usize];
        let sent = Message {
            decision: decision.ok(),
            began: Some(lane.began),
            head_ended: Some(self.now),
            last: Some(self.now),
            head: len,
            ..Message::default()
        };
        let mask = BodyMask::of(head.target(), head.fields());
        let (number, request) = (self.count, Some(Arc::new(head)));
        let exchange = Exchange { number, request, sent, ..Exchange::default() };
        see(&Event::Request(&exchange));
        lane.number = exchange.number;
        match decision {
            Ok(decision) => {
                lane.cover.begin(mask);
                self.open.push_back(exchange);
                let decoder = BodyDecoder::of_request(decision.framing, len, OVERHEAD_LIMIT);
                self.begin_body(Side::Client, decoder, see);
            }
            Err(error) => {
                self.lose(Side::Client, &mut []);
                see(&Event::Fault(Some(&exchange), Side::Client, error.into()));
                self.open.push_back(exchange);
            }
        }
    }

    fn response_head(&mut self, bytes: &mut [u8], see: &mut See<'_>) -> usize {
        let lane = &mut self.lanes[Side::Server as usize];
        let (used, head) = lane.head(&mut self.responses, self.now, bytes);
        match head {
            Ok(None) => {}
            Ok(Some(head)) => self.response(head, see),
            Err(error) => {
                self.lose(Side::Server, &mut bytes[..used]);
                see(&Event::Fault(self.awaiting(), Side::Server, error.into()));
            }
        }
        used
    }

    fn response(&mut self, head: ResponseHead, see: &mut See<'_>) {
        let len = head.as_bytes().len() as u64;
        let unasked = self.awaiting().is_none();
        if unasked {
            self.count += 1;
            self.open.push_back(Exchange { number: self.count, ..Exchange::default() });
        }
        let began = self.lane(Side::Server).began;
        let awaiting = self.open.iter_mut().find(|exchange| exchange.response.is_none());
        let Some(exchange) = awaiting else { return };
        exchange.received.began.get_or_insert(began);
        exchange.received.last = Some(self.now);
        exchange.received.head += len;
        let asked = exchange.response_to(self.ignore_length);
        let Some(decision) = asked.decide(&head).transpose() else {
            return see(&Event::Interim(exchange, &head));
        };
        let upgrade = asked.check_upgrade(&head).err().map(Fault::from);
        let fault = if unasked { Some(Fault(Unasked)) } else { upgrade };
        exchange.received.head_ended = Some(self.now);
        exchange.received.decision = decision.ok();
        self.lanes[Side::Server as usize].cover.begin(BodyMask::of(b"", head.fields()));
        exchange.response = Some(Arc::new(head));
        see(&Event::Response(exchange));
        if let Some(fault) = fault {
            see(&Event::Fault(Some(exchange), Side::Server, fault));
        }
        let number = exchange.number;
        match decision {
            Ok(decision) => self.answered(number, decision.framing, len, see),
            Err(error) => {
                see(&Event::Fault(Some(exchange), Side::Server, error.into()));
                self.lose(Side::Server, &mut []);
            }
        }
    }

    /// Continues after a final head with valid framing.
    fn answered(&mut self, number: u64, framing: Framing, len: u64, see: &mut See<'_>) {
        if matches!(framing, Framing::Tunnel | Framing::UntilClose) {
            self.tunnel = Some(number);
        }
        let lane = self.lane(Side::Server);
        lane.number = number;
        if framing == Framing::Tunnel {
            lane.reading = Reading::Tunnel;
        } else {
            let decoder = BodyDecoder::new(framing, len, OVERHEAD_LIMIT);
            self.begin_body(Side::Server, decoder, see);
        }
        self.release(see);
    }

    fn begin_body(&mut self, side: Side, decoder: BodyDecoder, see: &mut See<'_>) {
        if decoder.is_done() {
            self.ended(side, &decoder, see);
        } else {
            self.lane(side).reading = Reading::Body(decoder);
        }
    }

    fn body(&mut self, side: Side, bytes: &mut [u8], see: &mut See<'_>) -> usize {
        let lane = self.lane(side);
        let Reading::Body(mut decoder) = std::mem::replace(&mut lane.reading, Reading::Lost) else {
            return 0;
        };
        let Step { framing, data } = match decoder.step(bytes) {
            Ok(step) => step,
            Err(error) => {
                self.broken_body(side, error, bytes, see);
                return bytes.len();
            }
        };
        decoder.consume(data);
        // For the trailer section; chunk-size lines contain no secrets.
        lane.cover.lines(&mut bytes[..framing]);
        lane.cover.body.run(&mut bytes[framing..framing + data]);
        let add = |sizes: &mut Message| {
            sizes.framing += framing as u64;
            sizes.content += data as u64;
        };
        if let Some(exchange) = self.count(side, add) {
            if framing > 0 {
                see(&Event::Framing(exchange, side, &bytes[..framing]));
            }
            if data > 0 {
                see(&Event::Content(exchange, side, &bytes[framing..framing + data]));
            }
        }
        self.begin_body(side, decoder, see);
        framing + data
    }

    /// Reports a framing error in the first line of `bytes`.
    fn broken_body(&mut self, side: Side, error: ParseError, bytes: &mut [u8], see: &mut See<'_>) {
        self.lose(side, &mut []);
        self.lane(side).cover.unknown(bytes);
        let mut exchange = self.exchange(side);
        if let Some(exchange) = &mut exchange {
            let start = if bytes.starts_with(b"\r\n") { 2 } else { 0 };
            let line_end = bytes[start..].iter().position(|&b| b == b'\n');
            let end = line_end.map_or(bytes.len(), |at| start + at + 1);
            exchange.message_mut(side).framing += end as u64;
            see(&Event::Framing(exchange, side, &bytes[..end]));
        }
        see(&Event::Fault(exchange.as_deref(), side, error.into()));
    }

    fn ended(&mut self, side: Side, decoder: &BodyDecoder, see: &mut See<'_>) {
        let lane = &mut self.lanes[side as usize];
        let mut open = self.open.iter_mut().enumerate();
        let Some((at, exchange)) = open.find(|(_, x)| x.number == lane.number) else { return };
        let message = exchange.message_mut(side);
        (message.ended, message.last) = (Some(self.now), Some(self.now));
        message.complete = true;
        let trailers = decoder.trailers().map(|trailers| lane.cover.trailers(trailers));
        see(&Event::End(exchange, side, trailers.as_ref()));
        lane.reading = match (side, self.tunnel) {
            (Side::Client, Some(number)) => {
                lane.number = number;
                Reading::Tunnel
            }
            (Side::Client, None) if exchange.asks_for_tunnel() && exchange.response.is_none() => {
                let opaque = exchange.is_opaque().then_some(BodyMask::All);
                lane.cover.begin(opaque.unwrap_or_else(BodyMask::unknown));
                Reading::Held(Vec::new(), None)
            }
            _ => Reading::Head,
        };
        let asked = exchange.sent.complete || exchange.request.is_none();
        let over = self.tunnel.is_none() && exchange.received.complete && asked;
        if over && let Some(exchange) = self.open.remove(at) {
            see(&Event::Done(&exchange));
        }
    }

    /// Ends the current message of one side. Only a proper end completes a body that ends with the
    /// connection.
    fn finish(&mut self, side: Side, in_order: bool, see: &mut See<'_>) {
        let now = self.now;
        match std::mem::replace(&mut self.lane(side).reading, Reading::Lost) {
            Reading::Head => {
                let received = self.partial(side).len() as u64;
                if received > 0 {
                    self.unread |= side == Side::Server;
                    let exchange = self.awaiting().filter(|_| side == Side::Server);
                    see(&Event::Fault(exchange, side, Fault(IncompleteHead(received))));
                }
            }
            Reading::Body(decoder) => match decoder.finish() {
                Ok(()) if in_order => self.ended(side, &decoder, see),
                Ok(()) => {}
                Err(incomplete) => {
                    let exchange = self.exchange(side);
                    see(&Event::Fault(exchange.as_deref(), side, Fault(Incomplete(incomplete))));
                }
            },
            Reading::Tunnel => {
                if let Some(exchange) = self.exchange(side) {
                    let message = exchange.message_mut(side);
                    // The request has ended already; the response ends here.
                    message.ended.get_or_insert(now);
                    (message.last, message.complete) = (Some(now), in_order);
                }
            }
            Reading::Held(..) | Reading::Lost => {}
        }
    }

    /// Stops parsing one side at `bytes`, whose field lines are masked already.
    fn lose(&mut self, side: Side, bytes: &mut [u8]) {
        self.unread |= side == Side::Server;
        let lane = self.lane(side);
        lane.reading = Reading::Lost;
        lane.cover.begin_unknown();
        lane.cover.body.run(bytes);
    }

    fn lane(&mut self, side: Side) -> &mut Lane {
        &mut self.lanes[side as usize]
    }

    fn exchange(&mut self, side: Side) -> Option<&mut Exchange> {
        let number = self.lanes[side as usize].number;
        self.open.iter_mut().find(|exchange| exchange.number == number)
    }

    /// Returns the exchange that the next response answers.
    fn awaiting(&self) -> Option<&Exchange> {
        self.open.iter().find(|exchange| exchange.response.is_none())
    }
}
