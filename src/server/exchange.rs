//! One connection from its first byte to its last: requests and responses in turn.

use super::access::Access;
use super::answer::{Answer, Asked, invalid};
use super::connection_state::{ConnectionState, DRAIN, UNKNOWN};
use super::incoming::{Incoming, Phase};
use super::limits::Limits;
use super::refusal::Refusal;
use super::request::{Request, authority, length, too_large};
use super::responder::{Responder, Sent};
use crate::connection::Connection;
use crate::error::Error;
use crate::transport::{Limit, Timeout};
use crate::wire::{BodyDecoder, Decision, Framing, RequestDecoder, RequestHead, Version, framing};
use std::any::Any;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// The buffer of a new connection; few requests are longer.
const BUFFER: usize = 2048;
/// How long to read on after an early close, so that the client gets the response.
const LINGER: Duration = Duration::from_secs(2);

/// A handler of any kind.
pub(super) type Handler = dyn Fn(&mut Request<'_>, Responder<'_>) -> io::Result<Sent> + Send + Sync;
/// An observer of any kind.
pub(super) type AccessObserver = dyn Fn(&Access<'_>) + Send + Sync;

/// What all connections of a server share.
pub(super) struct Setup {
    pub handler: Box<Handler>,
    pub observer: Option<Box<AccessObserver>>,
    pub limits: Limits,
}

impl Setup {
    /// Calls the observer. Catches its panic, which would end the thread of the connection.
    pub fn tell(&self, access: &Access<'_>) {
        if let Some(observer) = &self.observer {
            _ = catch_unwind(AssertUnwindSafe(|| observer(access)));
        }
    }
}

/// The next step on the connection.
#[derive(PartialEq, Eq)]
enum Next {
    Request,
    Close,
    /// Close in two steps: the client may still be sending.
    Linger,
}

/// Serves a connection until it ends, or HTTP on it.
pub(super) fn serve(state: &Arc<ConnectionState>, setup: &Setup) {
    let limits = &setup.limits;
    let incoming = Incoming::new(Arc::clone(state), *limits);
    let mut conversation = Conversation {
        state,
        setup,
        connection: Connection::with_buffer(incoming, vec![0; BUFFER]),
        answer: Answer::new(Arc::clone(state)),
    };
    let mut decoder = RequestDecoder::new();
    if state.stream.set_write_timeout(limits.silence).is_err() {
        return;
    }
    loop {
        match conversation.exchange(&mut decoder) {
            Next::Request => {}
            Next::Close => return,
            Next::Linger => return state.stream.linger(LINGER),
        }
    }
}

struct Conversation<'a> {
    state: &'a ConnectionState,
    setup: &'a Setup,
    connection: Connection<Incoming>,
    answer: Answer,
}

impl Conversation<'_> {
    fn exchange(&mut self, decoder: &mut RequestDecoder) -> Next {
        let state = self.state;
        state.begin(0, false);
        decoder.reset(self.setup.limits.overhead);
        let begun = self.connection.has_buffered();
        self.connection.stream_mut().expect_head(begun);
        if !state.wait(begun) {
            return Next::Close;
        }
        let read = self.connection.read_head(decoder);
        let stays = state.work();
        self.connection.stream_mut().phase = Phase::Body;
        let started = Instant::now();
        let len = match read {
            Ok(Some(len)) => len,
            Ok(None) => return Next::Close,
            // No request has begun: close without a response.
            Err(Error::Timeout(Timeout { limit: Limit::Idle, .. }) | Error::Receive(_)) => {
                return Next::Close;
            }
            Err(Error::IncompleteHead { .. }) if !stays => return Next::Close,
            Err(error) => {
                let refusal = Refusal::of_message(&error, self.connection.buffered()[1]);
                self.refuse(Asked::default(), &refusal);
                self.tell(None, started, Some(&error));
                return Next::Linger;
            }
        };
        let head = decoder.head();
        let mut asked =
            Asked { head: head.method() == "HEAD", version: head.version(), persistent: false };
        match self.judge(head) {
            Err(refusal) => {
                self.refuse(asked, &refusal);
                self.tell(Some(head), started, Some(&refusal));
                Next::Linger
            }
            Ok((decision, expects)) => {
                asked.persistent = decision.persistent && stays;
                state.begin(length(decision.framing).unwrap_or(UNKNOWN), expects);
                let mut body = BodyDecoder::of_request(
                    decision.framing,
                    len as u64,
                    self.setup.limits.overhead.saturating_sub(len),
                );
                let failed = self.answer(head, &mut body, asked, decision.framing).err();
                self.tell(Some(head), started, failed.as_ref().map(|error| error as _));
                self.after(&mut body)
            }
        }
    }

    /// Decides the framing of a request and whether the client waits for `100 Continue`.
    fn judge(&self, head: &RequestHead) -> Result<(Decision, bool), Refusal> {
        head.host().map_err(|error| Refusal::new(400, error.to_string()))?;
        match (head.method(), head.target()) {
            ("CONNECT", _) => return Err(Refusal::new(501, "this is no proxy (RFC 9110 §9.3.6)")),
            ("OPTIONS", b"*") | (_, [b'/', ..]) => {}
            (_, target) if authority(target).is_some() => {}
            _ => return Err(Refusal::new(400, BAD_TARGET)),
        }
        let decision = framing::request(head).map_err(|error| Refusal::of_framing(&error, head))?;
        let (length, limit) = (length(decision.framing), self.setup.limits.content);
        if let Some(limit) = limit.filter(|limit| length > Some(*limit)) {
            return Err(too_large(limit));
        }
        let expects = expectation(head)? && decision.framing != Framing::NoBody;
        Ok((decision, expects))
    }

    /// Calls the handler, and responds if it failed before it sent anything.
    fn answer(
        &mut self,
        head: &RequestHead,
        body: &mut BodyDecoder,
        asked: Asked,
        framing: Framing,
    ) -> io::Result<()> {
        let Setup { handler, limits, .. } = self.setup;
        let (state, limit) = (self.state, limits.content);
        let connection = &mut self.connection;
        let mut request = Request { head, framing, body, connection, state, limit };
        let responder = Responder::new(&mut self.answer, asked);
        let handled = catch_unwind(AssertUnwindSafe(|| handler(&mut request, responder)))
            .unwrap_or_else(|panic| Err(io::Error::other(panic_text(&*panic))));
        if !state.answered.load(Ordering::Acquire) {
            let error = handled.err().unwrap_or_else(|| invalid("a Sent of another request"));
            let (refusal, kept) = Refusal::of_handler(&error);
            self.refuse(Asked { persistent: asked.persistent && kept, ..asked }, &refusal);
            return Err(error);
        }
        handled.map(drop)
    }

    fn tell(
        &self,
        request: Option<&RequestHead>,
        started: Instant,
        error: Option<&(dyn std::error::Error + 'static)>,
    ) {
        if self.setup.observer.is_none() {
            return;
        }
        let (peer, sent, took) = (self.state.peer(), self.answer.sent, started.elapsed());
        let answered = self.state.answered.load(Ordering::Acquire);
        let status = answered.then_some(self.answer.status);
        self.setup.tell(&Access { request, peer, status, sent, took, error });
    }

    /// Decides what happens to the connection after an exchange.
    fn after(&mut self, body: &mut BodyDecoder) -> Next {
        let invited = !self.state.expects.load(Ordering::Acquire);
        if !self.answer.whole {
            return Next::Close;
        }
        if self.answer.asked.persistent && invited && self.drain(body) {
            return Next::Request;
        }
        if body.is_done() && !self.connection.has_buffered() { Next::Close } else { Next::Linger }
    }

    /// Drops the content that the handler left. Returns whether the next request can be found.
    fn drain(&mut self, body: &mut BodyDecoder) -> bool {
        let limit = body.received().saturating_add(DRAIN);
        loop {
            self.connection.discard_buffered(body);
            if body.is_done() {
                return true;
            }
            if body.received() > limit || !matches!(self.connection.fill_body(body), Ok([_, ..])) {
                return body.is_done();
            }
        }
    }

    fn refuse(&mut self, asked: Asked, refusal: &Refusal) {
        // An error means that the client has gone.
        let _ = Responder::new(&mut self.answer, asked).refuse(refusal);
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("the handler panicked: {}", text.unwrap_or("no message"))
}

const BAD_TARGET: &str = "a request-target that is neither a path nor a URI (RFC 9112 §3.2)";

/// Whether the client waits for `100 Continue`; HTTP/1.0 has no such thing (`RFC 9110 §10.1.1`).
fn expectation(head: &RequestHead) -> Result<bool, Refusal> {
    let mut expected = head.fields().get_all("Expect").peekable();
    let waits = head.version() == Version::Http11 && expected.peek().is_some();
    if waits && !expected.all(|field| field.value().eq_ignore_ascii_case(b"100-continue")) {
        let why = "an expectation other than 100-continue (RFC 9110 §10.1.1)";
        return Err(Refusal::new(417, why));
    }
    Ok(waits)
}
