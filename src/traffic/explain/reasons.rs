//! Sentences about decisions: where a body ends, and why a connection was kept or closed.

use super::glossary::Remark;
use crate::wire::framing::Rule;
use crate::wire::{Decision, Framing, Version};

/// What there is to say of Host where the endpoint is a Unix socket.
pub(super) const ANY_HOST: &str =
    "A Unix socket has none, so any name will do; Go's servers refuse a socket's path here";

pub(super) fn of_length(length: u64) -> String {
    match length {
        0 => "Content-Length: 0, so there is no content".into(),
        _ => format!("Content-Length: {length}, so the body ends after that many bytes"),
    }
}

pub(super) fn section_6_3(rule: Rule) -> String {
    format!("RFC 9112 §6.3, item {}", rule.item())
}

/// The answer begins before all of the request was sent; whether it was to wait for that.
pub(super) fn early_answer(waited: bool) -> Remark<'static> {
    match waited {
        true => ("the answer came first: the content is not sent", "RFC 9110 §10.1.1"),
        false => ("the answer begins before all of the request was sent", "RFC 9110 §7.5"),
    }
}

/// How an exchange ended.
pub(super) struct Outcome {
    pub kept: bool,
    pub decision: Decision,
    pub version: Version,
    /// All of the response came.
    pub whole: bool,
    /// The request and the response said `Connection: close`.
    pub closers: (bool, bool),
    /// Not all of the request was sent.
    pub unsent: bool,
}

impl Outcome {
    /// Why the connection was kept or closed.
    pub fn reason(&self) -> Remark<'static> {
        let Decision { framing, rule, persistent } = self.decision;
        let old = self.version == Version::Http10;
        match framing {
            _ if self.kept && old => (
                "the connection is kept: an HTTP/1.0 server that says keep-alive does so",
                "RFC 9112 §9.3",
            ),
            _ if self.kept => (
                "the connection is kept: HTTP/1.1 goes on until a side says close",
                "RFC 9112 §9.3",
            ),
            Framing::Tunnel => ("the connection is closed: the server has ended its direction", ""),
            Framing::UntilClose => {
                ("the connection is closed: its end was the end of the body", "RFC 9112 §9.6")
            }
            _ if !self.whole => (
                "the connection is closed: short of this answer's end, nobody knows where another begins",
                "RFC 9112 §9.3",
            ),
            _ if rule == Rule::TransferEncodingOverLength => (
                "the connection is closed: with two lengths stated nobody can be sure where the next answer begins",
                "RFC 9112 §6.3",
            ),
            Framing::Chunked if old => (
                "the connection is closed: HTTP/1.0 knows no Transfer-Encoding, so somebody is confused",
                "RFC 9112 §6.1",
            ),
            _ => self.closed_in_order(old, persistent),
        }
    }

    /// Why the connection was closed after an answer whose end is certain.
    fn closed_in_order(&self, old: bool, persistent: bool) -> Remark<'static> {
        match self.closers {
            (true, true) => ("the connection is closed: both sides said so", "RFC 9112 §9.6"),
            (true, false) => ("the connection is closed: the request said so", "RFC 9112 §9.6"),
            (false, true) => ("the connection is closed: the server said so", "RFC 9112 §9.6"),
            _ if old => (
                "the connection is closed: HTTP/1.0 goes on only where keep-alive is said",
                "RFC 9112 §9.3",
            ),
            _ if self.unsent => {
                ("the connection is closed: not all of the request was sent", "RFC 9112 §9.5")
            }
            _ if !persistent => (
                "the connection is closed: what its head says of a body does not go together",
                "RFC 9112 §6.1",
            ),
            _ => (
                "the connection is closed: bytes were left over that nobody asked for",
                "RFC 9112 §9.2",
            ),
        }
    }
}
