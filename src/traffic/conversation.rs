//! One connection's two streams of bytes, read as HTTP: requests one way, the responses to them the
//! other.
//!
//! Responses come in the order of their requests (`RFC 9112 §9.3.2`), whatever else happens:
//! requests may be sent before the responses to those before them (pipelining), a response may come
//! before its request has ended, 1xx responses come before the final one, and the reply to HEAD or
//! CONNECT can only be read by who knows the request. After a 101, a 2xx to CONNECT or a response
//! that ends with the connection, no further message can follow: what comes then is a tunnel.
//!
//! A client that asked for an upgrade may go on to speak the other protocol before it was told
//! whether it may. What it says is held back (from the observers, never from the server) until the
//! answer decides how it is to be read.
//!
//! No bytes move here: a relay passes them on, a client sends and reads them, then they are shown
//! to this.
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
//! conversation.bytes(Side::Server, now, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK", &mut see);
//! assert_eq!(seen, ["GET /_ping", "server: OK", "2 bytes"]);
//! ```

use super::event::{Event, Fault};
use super::exchange::{Exchange, Message, Side};
use super::secrets::{HeadMask, JsonMask};
use crate::wire::framing::Rule;
use crate::wire::head::Head;
use crate::wire::{
    BodyDecoder, ErrorKind, Framing, HeadDecoder, OVERHEAD_LIMIT, ParseError, Progress,
    RequestHead, ResponseHead, Step, framing,
};
use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// How many requests may wait for an answer.
const OPEN_LIMIT: usize = 1024;
/// How many bytes are held back until an answer tells how to read them.
const HELD_LIMIT: usize = 64 * 1024;

/// Takes what was read from two sides and tells what it means.
#[derive(Debug, Default)]
pub struct Conversation {
    cover: bool,
    requests: Lane<RequestHead>,
    responses: Lane<ResponseHead>,
    /// Exchanges that are not over, in order.
    open: VecDeque<Exchange>,
    count: u64,
    /// The exchange that the connection belongs to from its answer on.
    tunnel: Option<u64>,
    /// When the client ended while what it had said was held back, and whether in order.
    ends_held: Option<(Duration, bool)>,
    /// Whether responses could not be read any further: who was answered then nobody knows.
    unread: bool,
    scratch: Vec<u8>,
}

/// Where events go.
pub type See<'a> = dyn FnMut(&Event<'_>) + 'a;

/// One direction.
#[derive(Debug)]
struct Lane<H> {
    state: State,
    decoder: HeadDecoder<H>,
    /// The head as far as it has come, when that was not all at once.
    head: Vec<u8>,
    began: Duration,
    scan: HeadMask,
    cover: Cover,
    /// Which exchange's body is read.
    number: u64,
}

#[derive(Debug)]
enum State {
    Head,
    Body(BodyDecoder),
    /// What came behind a request whose answer decides how to read it, and what is wrong with it if
    /// it is a request.
    Held(Vec<u8>, Option<ParseError>),
    Tunnel(u64),
    Lost,
}

/// How a body's secrets are covered.
#[derive(Debug)]
enum Cover {
    Nothing,
    /// As the first byte of content says. Whether `Data` members are secret.
    Undecided(bool),
    Json(JsonMask),
}

impl<H> Default for Lane<H>
where
    HeadDecoder<H>: Default,
{
    fn default() -> Self {
        Lane {
            state: State::Head,
            decoder: HeadDecoder::default(),
            head: Vec::new(),
            began: Duration::ZERO,
            scan: HeadMask::new(false),
            cover: Cover::Nothing,
            number: 0,
        }
    }
}

/// A head that has come whole.
struct Whole<H> {
    head: H,
    began: Duration,
    len: usize,
}

impl<H: Head> Lane<H> {
    /// Reads on in a head: how many of the bytes belong to it, and the head once it is complete.
    fn head(
        &mut self,
        at: Duration,
        bytes: &mut [u8],
    ) -> (usize, Result<Option<Whole<H>>, ParseError>) {
        if self.head.is_empty() {
            self.began = at;
        }
        let (n, complete) = self.scan.run(bytes);
        let progress = if self.head.is_empty() && complete {
            self.decoder.decode(&bytes[..n])
        } else {
            self.head.extend_from_slice(&bytes[..n]);
            self.decoder.decode(&self.head)
        };
        let whole = match progress {
            Ok(Progress::Partial) => return (n, Ok(None)),
            Ok(Progress::Complete { len }) => Ok(Some(Whole {
                head: std::mem::take(&mut self.decoder).into_head(),
                began: self.began,
                len,
            })),
            Err(error) => Err(error),
        };
        if whole.is_ok() {
            self.head.clear();
        }
        (n, whole)
    }
}

impl Conversation {
    /// A new connection. Unless `cover` is false, secrets are covered in what is told.
    pub fn new(cover: bool) -> Conversation {
        let mut conversation = Conversation { cover, ..Conversation::default() };
        conversation.requests.scan = HeadMask::new(cover);
        conversation.responses.scan = HeadMask::new(cover);
        conversation
    }

    /// `bytes` came from that side.
    pub fn bytes(&mut self, side: Side, at: Duration, bytes: &[u8], see: &mut See<'_>) {
        if self.is_plain(side, bytes.len()) {
            self.plain(side, at, bytes, see);
            return see(&Event::Bytes(side, bytes));
        }
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.clear();
        scratch.extend_from_slice(bytes);
        self.read(side, at, &mut scratch, see);
        see(&Event::Bytes(side, &scratch));
        self.scratch = scratch;
    }

    /// That side sends no more.
    pub fn end(&mut self, side: Side, at: Duration, error: Option<&io::Error>, see: &mut See<'_>) {
        match (side, &self.requests.state) {
            // What is held back is read when the answer comes, and ends then.
            (Side::Client, State::Held(..)) => self.ends_held = Some((at, error.is_none())),
            _ => self.finish(side, at, error.is_none(), see),
        }
        see(&Event::Ended(side, error));
    }

    /// Nothing follows what was read of that side. An end that is not in order is no end of a
    /// message: of a body that the close delimits, nothing says then that this is all.
    fn finish(&mut self, side: Side, at: Duration, in_order: bool, see: &mut See<'_>) {
        match std::mem::replace(self.state(side), State::Lost) {
            State::Head => {
                let (received, exchange) = match side {
                    Side::Client => (self.requests.head.len(), None),
                    Side::Server => (
                        self.responses.head.len(),
                        self.awaiting().and_then(|at| self.open.get(at)),
                    ),
                };
                if received > 0 {
                    self.unread |= side == Side::Server;
                    see(&Event::Fault(exchange, side, Fault::IncompleteHead(received as u64)));
                }
            }
            State::Body(decoder) => {
                let number = self.number(side);
                match decoder.finish() {
                    Ok(()) if in_order => self.ended(side, number, at, &decoder, see),
                    Ok(()) => {}
                    Err(incomplete) => {
                        let exchange = self.open.iter().find(|exchange| exchange.number == number);
                        see(&Event::Fault(exchange, side, Fault::Incomplete(incomplete)));
                    }
                }
            }
            State::Tunnel(number) => {
                if let Some(exchange) = self.exchange(number) {
                    let message = message(exchange, side);
                    // A request ended where its framing said; only what answers it goes on to here.
                    message.ended.get_or_insert(at);
                    (message.last, message.complete) = (Some(at), in_order);
                }
            }
            State::Held(..) | State::Lost => {}
        }
    }

    /// Both directions are over.
    pub fn close(&mut self, see: &mut See<'_>) {
        if let State::Held(_, Some(error)) = &self.requests.state {
            see(&Event::Fault(None, Side::Client, Fault::Parse(*error)));
        }
        for exchange in self.open.drain(..) {
            if exchange.response.is_none() && !self.unread {
                see(&Event::Fault(Some(&exchange), Side::Server, Fault::Unanswered));
            }
            see(&Event::Done(&exchange));
        }
        see(&Event::Closed);
    }

    /// Whether the next `n` bytes are content in which nothing is covered: they need not be copied.
    fn is_plain(&self, side: Side, n: usize) -> bool {
        let (state, cover) = match side {
            Side::Client => (&self.requests.state, &self.requests.cover),
            Side::Server => (&self.responses.state, &self.responses.cover),
        };
        matches!((state, cover), (State::Body(decoder), Cover::Nothing) if decoder.run() > n as u64)
    }

    fn plain(&mut self, side: Side, at: Duration, bytes: &[u8], see: &mut See<'_>) {
        let number = self.number(side);
        if let State::Body(decoder) = self.state(side) {
            decoder.consume(bytes.len());
        }
        if let Some(exchange) = self.exchange(number) {
            let message = message(exchange, side);
            message.content += bytes.len() as u64;
            message.last = Some(at);
            see(&Event::Content(exchange, side, bytes));
        }
    }

    fn read(&mut self, side: Side, at: Duration, mut bytes: &mut [u8], see: &mut See<'_>) {
        while !bytes.is_empty() {
            let used = match self.state(side) {
                State::Head if side == Side::Client => self.request_head(at, bytes, see),
                State::Head => self.response_head(at, bytes, see),
                State::Body(_) => self.body(side, at, bytes, see),
                State::Held(..) => self.hold(at, bytes, see),
                State::Tunnel(number) => {
                    let number = *number;
                    self.through_tunnel(side, number, at, bytes, see)
                }
                State::Lost => self.cover_lost(side, bytes),
            };
            bytes = &mut bytes[used..];
        }
    }

    fn request_head(&mut self, at: Duration, bytes: &mut [u8], see: &mut See<'_>) -> usize {
        let (used, whole) = self.requests.head(at, bytes);
        match whole {
            Ok(None) => {}
            Ok(Some(whole)) => self.request(at, whole, see),
            Err(error) if self.awaiting().is_some() => {
                // Perhaps no request, but what a client sends to the program behind an answer that
                // is still to come.
                let held = std::mem::take(&mut self.requests.head);
                let held = if held.is_empty() { bytes[..used].to_vec() } else { held };
                self.requests.state = State::Held(held, Some(error));
            }
            Err(error) => {
                self.lose(Side::Client, &mut bytes[..used]);
                see(&Event::Fault(None, Side::Client, Fault::Parse(error)));
            }
        }
        used
    }

    fn request(
        &mut self,
        at: Duration,
        Whole { head, began, len }: Whole<RequestHead>,
        see: &mut See<'_>,
    ) {
        if self.open.len() >= OPEN_LIMIT {
            self.lose(Side::Client, &mut []);
            return see(&Event::Fault(None, Side::Client, Fault::TooManyRequests));
        }
        self.count += 1;
        let decision = framing::request(&head);
        let sent = Message {
            decision: decision.ok(),
            began: Some(began),
            head_ended: Some(at),
            last: Some(at),
            head: len as u64,
            ..Message::default()
        };
        let (number, secret) =
            (self.count, head.target().windows(9).any(|part| part == b"/secrets/"));
        let exchange =
            Exchange { number, request: Some(Arc::new(head)), sent, ..Exchange::default() };
        see(&Event::Request(&exchange));
        self.requests.number = number;
        match decision {
            Ok(decision) => {
                let decoder = BodyDecoder::of_request(decision.framing, len as u64, OVERHEAD_LIMIT);
                self.open.push_back(exchange);
                self.requests.cover =
                    if self.cover { Cover::Undecided(secret) } else { Cover::Nothing };
                self.begin_body(Side::Client, number, at, decoder, see);
            }
            Err(error) => {
                self.lose(Side::Client, &mut []);
                see(&Event::Fault(Some(&exchange), Side::Client, Fault::Parse(error)));
                self.open.push_back(exchange);
            }
        }
    }

    fn response_head(&mut self, at: Duration, bytes: &mut [u8], see: &mut See<'_>) -> usize {
        let (used, whole) = self.responses.head(at, bytes);
        match whole {
            Ok(None) => {}
            Ok(Some(whole)) => self.response(at, whole, see),
            Err(error) => {
                self.lose(Side::Server, &mut bytes[..used]);
                let exchange = self.awaiting().and_then(|at| self.open.get(at));
                see(&Event::Fault(exchange, Side::Server, Fault::Parse(error)));
            }
        }
        used
    }

    fn response(
        &mut self,
        at: Duration,
        Whole { head, began, len }: Whole<ResponseHead>,
        see: &mut See<'_>,
    ) {
        let unasked = self.awaiting().is_none();
        if unasked {
            self.count += 1;
            self.open.push_back(Exchange { number: self.count, ..Exchange::default() });
        }
        let Some(exchange) = self.awaiting().and_then(|at| self.open.get_mut(at)) else { return };
        let number = exchange.number;
        exchange.received.began.get_or_insert(began);
        exchange.received.last = Some(at);
        exchange.received.head += len as u64;
        if head.class() == 1 && head.status() != 101 {
            return see(&Event::Interim(exchange, &head));
        }
        let decision = framing::response(exchange.method(), &head);
        exchange.received.head_ended = Some(at);
        exchange.received.decision = decision.ok();
        exchange.response = Some(Arc::new(head));
        let unexpected = exchange.is_tunnel() && !asks_for_tunnel(exchange);
        see(&Event::Response(exchange));
        if unasked {
            see(&Event::Fault(Some(exchange), Side::Server, Fault::Unasked));
        } else if unexpected {
            let error = ParseError { kind: ErrorKind::UnexpectedUpgrade, offset: 9 };
            see(&Event::Fault(Some(exchange), Side::Server, Fault::Parse(error)));
        }
        match decision {
            Ok(decision) => {
                self.responses.number = number;
                self.responses.cover =
                    if self.cover { Cover::Undecided(false) } else { Cover::Nothing };
                if matches!(decision.framing, Framing::Tunnel | Framing::UntilClose) {
                    self.tunnel = Some(number);
                }
                if decision.framing == Framing::Tunnel {
                    self.responses.state = State::Tunnel(number);
                } else {
                    let decoder = BodyDecoder::new(decision.framing, len as u64, OVERHEAD_LIMIT);
                    self.begin_body(Side::Server, number, at, decoder, see);
                }
                self.release(at, see);
            }
            Err(error) => {
                see(&Event::Fault(Some(exchange), Side::Server, Fault::Parse(error)));
                self.lose(Side::Server, &mut []);
            }
        }
    }

    fn begin_body(
        &mut self,
        side: Side,
        number: u64,
        at: Duration,
        decoder: BodyDecoder,
        see: &mut See<'_>,
    ) {
        if decoder.is_done() {
            self.ended(side, number, at, &decoder, see);
        } else {
            *self.state(side) = State::Body(decoder);
        }
    }

    fn body(&mut self, side: Side, at: Duration, bytes: &mut [u8], see: &mut See<'_>) -> usize {
        let (number, State::Body(mut decoder)) =
            (self.number(side), std::mem::replace(self.state(side), State::Lost))
        else {
            return 0;
        };
        let Step { framing, data } = match decoder.step(bytes) {
            Ok(step) => step,
            Err(error) => {
                self.lose(side, &mut []);
                let exchange = self.open.iter().find(|exchange| exchange.number == number);
                see(&Event::Fault(exchange, side, Fault::Parse(error)));
                return 0;
            }
        };
        decoder.consume(data);
        self.cover(side, &mut bytes[framing..framing + data]);
        if let Some(exchange) = self.exchange(number) {
            let message = message(exchange, side);
            message.framing += framing as u64;
            message.content += data as u64;
            message.last = Some(at);
            if framing > 0 {
                see(&Event::Framing(exchange, side, &bytes[..framing]));
            }
            if data > 0 {
                see(&Event::Content(exchange, side, &bytes[framing..framing + data]));
            }
        }
        if decoder.is_done() {
            self.ended(side, number, at, &decoder, see);
        } else {
            *self.state(side) = State::Body(decoder);
        }
        framing + data
    }

    /// A message has come whole.
    fn ended(
        &mut self,
        side: Side,
        number: u64,
        at: Duration,
        decoder: &BodyDecoder,
        see: &mut See<'_>,
    ) {
        let tunnel = self.tunnel;
        if let Some(exchange) = self.exchange(number) {
            let message = message(exchange, side);
            (message.ended, message.last, message.complete) = (Some(at), Some(at), true);
            let waits = asks_for_tunnel(exchange) && exchange.response.is_none();
            see(&Event::End(exchange, side, decoder.trailers()));
            *self.state(side) = match (side, tunnel) {
                (Side::Client, Some(number)) => State::Tunnel(number),
                (Side::Client, None) if waits => {
                    self.cover_json(side);
                    State::Held(Vec::new(), None)
                }
                _ => State::Head,
            };
        }
        if tunnel.is_none()
            && let Some(at) = self.open.iter().position(|exchange| exchange.number == number)
            && self.open[at].received.complete
            && (self.open[at].sent.complete || self.open[at].request.is_none())
            && let Some(exchange) = self.open.remove(at)
        {
            see(&Event::Done(&exchange));
        }
    }

    fn hold(&mut self, at: Duration, bytes: &mut [u8], see: &mut See<'_>) -> usize {
        cover_lines(&mut self.requests.scan, bytes);
        let State::Held(held, error) = &mut self.requests.state else { return bytes.len() };
        held.extend_from_slice(bytes);
        let (long, is_request) = (held.len() > HELD_LIMIT, error.is_none());
        match long {
            // The tunnel is the likelier reading by far.
            true if is_request => {
                let held = std::mem::take(held);
                self.begin_tunnel(self.requests.number, at, held, see);
            }
            true => self.lose(Side::Client, &mut []),
            false => {}
        }
        if is_request {
            self.cover_held(bytes);
        }
        bytes.len()
    }

    /// From here on the client speaks another protocol, of which this is the beginning.
    fn begin_tunnel(&mut self, number: u64, at: Duration, mut held: Vec<u8>, see: &mut See<'_>) {
        self.requests.state = State::Tunnel(number);
        if !held.is_empty() {
            self.through_tunnel(Side::Client, number, at, &mut held, see);
        }
    }

    /// What is held back is shown at once as bytes, and nobody knows yet whether it is another
    /// protocol or more requests: covered is what either reading covers.
    fn cover_held(&mut self, bytes: &mut [u8]) {
        let number = self.requests.number;
        match self.cover && self.exchange(number).is_some_and(|x| asks_for_http2(x)) {
            true => bytes.fill(b'*'),
            false => self.cover(Side::Client, bytes),
        }
    }

    /// An answer has come: what was held back can be read.
    fn release(&mut self, at: Duration, see: &mut See<'_>) {
        let (mut held, error) = match (&mut self.requests.state, self.tunnel) {
            (State::Held(held, error), _) => (std::mem::take(held), *error),
            // A head that has begun is none: no request can follow.
            (State::Head, Some(_)) => (std::mem::take(&mut self.requests.head), None),
            _ => return,
        };
        match (self.tunnel, error) {
            (Some(number), _) => self.begin_tunnel(number, at, held, see),
            (None, Some(_)) if self.awaiting().is_some() => {
                return self.requests.state = State::Held(held, error);
            }
            (None, Some(error)) => {
                self.lose(Side::Client, &mut []);
                see(&Event::Fault(None, Side::Client, Fault::Parse(error)));
            }
            (None, None) => {
                self.requests.state = State::Head;
                self.requests.scan = HeadMask::new(self.cover);
                self.read(Side::Client, at, &mut held, see);
            }
        }
        // What was held back may hold another request for an upgrade, and more behind that.
        if let (Some((at, in_order)), false) =
            (self.ends_held, matches!(self.requests.state, State::Held(..)))
        {
            self.ends_held = None;
            self.finish(Side::Client, at, in_order, see);
        }
    }

    fn through_tunnel(
        &mut self,
        side: Side,
        number: u64,
        at: Duration,
        bytes: &mut [u8],
        see: &mut See<'_>,
    ) -> usize {
        let cover = self.cover;
        if let Some(exchange) = self.exchange(number) {
            if cover && asks_for_http2(exchange) {
                bytes.fill(b'*');
            }
            let message = message(exchange, side);
            message.tunnel += bytes.len() as u64;
            message.last = Some(at);
            see(&Event::Tunnel(exchange, side, bytes));
        }
        bytes.len()
    }

    /// Gives up reading that side at `bytes`, whose field lines are covered already.
    fn lose(&mut self, side: Side, bytes: &mut [u8]) {
        *self.state(side) = State::Lost;
        self.unread |= side == Side::Server;
        self.cover_json(side);
        self.cover(side, bytes);
    }

    /// From here on this may be JSON, at any place of it.
    fn cover_json(&mut self, side: Side) {
        let covers = self.cover;
        let cover = match side {
            Side::Client => &mut self.requests.cover,
            Side::Server => &mut self.responses.cover,
        };
        *cover = match std::mem::replace(cover, Cover::Nothing) {
            // The rest of a secret that has begun is one.
            Cover::Json(mask) if mask.is_covering() => Cover::Json(mask),
            _ if covers => Cover::Json(JsonMask::new(true)),
            _ => Cover::Nothing,
        };
    }

    /// What cannot be read is covered wherever it looks like a secret.
    fn cover_lost(&mut self, side: Side, bytes: &mut [u8]) -> usize {
        match side {
            Side::Client => cover_lines(&mut self.requests.scan, bytes),
            Side::Server => cover_lines(&mut self.responses.scan, bytes),
        }
        self.cover(side, bytes);
        bytes.len()
    }

    fn cover(&mut self, side: Side, bytes: &mut [u8]) {
        let cover = match side {
            Side::Client => &mut self.requests.cover,
            Side::Server => &mut self.responses.cover,
        };
        if let Cover::Undecided(data) = *cover {
            match bytes.iter().find(|b| !matches!(b, b' ' | b'\t' | b'\r' | b'\n')) {
                None => return,
                Some(b'{' | b'[') => *cover = Cover::Json(JsonMask::new(data)),
                Some(_) => *cover = Cover::Nothing,
            }
        }
        if let Cover::Json(mask) = cover {
            mask.run(bytes);
        }
    }

    /// The place of the exchange that the next response answers.
    fn awaiting(&self) -> Option<usize> {
        self.open.iter().position(|exchange| exchange.response.is_none())
    }

    fn exchange(&mut self, number: u64) -> Option<&mut Exchange> {
        self.open.iter_mut().find(|exchange| exchange.number == number)
    }

    fn state(&mut self, side: Side) -> &mut State {
        match side {
            Side::Client => &mut self.requests.state,
            Side::Server => &mut self.responses.state,
        }
    }

    fn number(&self, side: Side) -> u64 {
        match side {
            Side::Client => self.requests.number,
            Side::Server => self.responses.number,
        }
    }
}

fn message(exchange: &mut Exchange, side: Side) -> &mut Message {
    match side {
        Side::Client => &mut exchange.sent,
        Side::Server => &mut exchange.received,
    }
}

/// Whether this request, if it is granted, is the last of its connection.
fn asks_for_tunnel(exchange: &Exchange) -> bool {
    exchange.method() == "CONNECT"
        || exchange.fields(Side::Client).is_some_and(|fields| {
            fields.has_token("Connection", "upgrade") && fields.get("Upgrade").is_some()
        })
}

/// Whether it asks to speak HTTP/2, as BuildKit's session does.
fn asks_for_http2(exchange: &Exchange) -> bool {
    exchange.fields(Side::Client).is_some_and(|fields| fields.has_token("Upgrade", "h2c"))
}

fn cover_lines(scan: &mut HeadMask, mut bytes: &mut [u8]) {
    while !bytes.is_empty() {
        let (n, _) = scan.run(bytes);
        bytes = &mut bytes[n..];
    }
}

/// The rule that decided where a message ends, as a line for people.
pub fn reason(rule: Rule) -> String {
    format!("{} · RFC 9112 §6.3 item {}", rule.text(), rule.item())
}
