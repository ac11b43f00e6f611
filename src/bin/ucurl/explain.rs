//! `--explain`: explains the client's own exchanges on standard error.

use std::fs::File;
use std::sync::Arc;
use std::time::Duration;
use unix_http::Endpoint;
use unix_http::client::ClientEvent;
use unix_http::traffic::{Conversation, Event, Explain, Observer, Side};
use unix_http::wire::Framing;

#[derive(Debug)]
pub struct Explainer {
    explain: Explain,
    /// Counts the exchanges.
    count: u64,
    /// More than one while a raw connection is open: requests about its container use another one.
    open: Vec<Exchange>,
}

#[derive(Debug)]
struct Exchange {
    number: u64,
    conversation: Conversation,
    answered: bool,
}

impl Explainer {
    /// Explains to `out`, with `bytes` also in hex.
    pub fn new(out: Arc<File>, bytes: bool, colour: bool) -> Explainer {
        let explain = Explain::new(out).bytes(bytes).colour(colour);
        Explainer { explain, count: 0, open: Vec::new() }
    }

    /// Writes a decision and its section.
    pub fn note(&self, text: &str, section: &str) {
        self.explain.note(text, section);
    }

    fn connecting(&self, endpoint: &Endpoint) {
        self.explain.toward_unix(matches!(endpoint, Endpoint::Unix(_) | Endpoint::Abstract(_)));
        let how = match endpoint {
            Endpoint::Unix(_) => "the address is a file, and its mode determines who may connect",
            Endpoint::Abstract(_) => {
                "the address is an abstract name, which has no mode: any local program may connect"
            }
            Endpoint::Tcp { .. } => {
                "the address is a host and a port, and nothing restricts who may connect"
            }
            _ => "a program of this system carries the bytes over its stdin and stdout",
        };
        self.note(&format!("connects to {endpoint}: {how}"), "");
    }

    fn begin(&mut self) {
        self.open.retain(|exchange| exchange.answered);
        self.count += 1;
        let (number, conversation) = (self.count, Conversation::new(true));
        self.open.push(Exchange { number, conversation, answered: false });
    }

    fn answered(&mut self, ignores_length: bool) {
        if let Some(exchange) = self.open.last_mut() {
            exchange.answered = true;
            if ignores_length {
                exchange.conversation.ignore_length();
            }
        }
    }

    fn bytes(&mut self, side: Side, bytes: &[u8]) {
        if let Some(Exchange { number, conversation, .. }) = self.open.last_mut() {
            let see = &mut |event: &Event<'_>| self.explain.see(*number, Duration::ZERO, event);
            conversation.bytes(side, Duration::ZERO, bytes, see);
        }
    }

    /// Ends an exchange, or an upgraded connection.
    pub fn end(&mut self, kept: bool) {
        if let Some(exchange) = self.open.pop() {
            self.explain.end(exchange.number, kept);
        }
    }

    /// Explains an event.
    pub fn on(&mut self, event: &ClientEvent<'_>) {
        match event {
            ClientEvent::Connecting(endpoint) => self.connecting(endpoint),
            ClientEvent::Reused(connection) => {
                let text = format!("reuses connection {connection}, without a new connect");
                self.note(&text, "RFC 9112 §9.3");
            }
            ClientEvent::Stale(_) => self.note(
                "the server had closed that connection, so the request is sent again on a new one",
                "RFC 9112 §9.3.1",
            ),
            ClientEvent::RequestHead(head) => {
                self.begin();
                self.bytes(Side::Client, head);
            }
            ClientEvent::RequestBody(bytes) => self.bytes(Side::Client, bytes),
            ClientEvent::ResponseHead(head, decision) => {
                if let Ok(Some(decision)) = decision {
                    let length = head.fields().get("Content-Length").is_some();
                    self.answered(length && decision.framing == Framing::UntilClose);
                }
                self.bytes(Side::Server, head.as_bytes());
            }
            ClientEvent::ResponseBody(bytes) => self.bytes(Side::Server, bytes),
            ClientEvent::Kept(_) => self.end(true),
            // Without a response, the error says why.
            ClientEvent::Closed(_) if self.open.last().is_some_and(|open| open.answered) => {
                self.end(false);
            }
            _ => {}
        }
    }
}
