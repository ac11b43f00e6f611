//! A table of cases, and every way to deliver their bytes.
//!
//! A socket splits bytes at arbitrary positions, so a case states only what the bytes mean. The
//! runner delivers each case
//! - whole,
//! - byte by byte,
//! - in two pieces, cut at every position,
//! - with other bytes after it, which must stay unread.
//!
//! A valid message is *Partial* at every proper prefix, and incomplete if the connection ends
//! there. An invalid message is Partial until the deciding byte arrives. From then on it is the
//! same error at the same offset, while the connection stays open: a reader need not wait for a
//! line end to reject `5\rX` as a chunk-size.

use super::wire_fault::{Violation, WireFault};
use std::fmt::Debug;

/// Bytes and their meaning.
#[derive(Debug, Clone, Copy)]
pub struct Case {
    /// `rfc9112-6.3-cl-plus-sign`: the section, then the case.
    pub id: &'static str,
    /// The rule or the attack.
    pub why: &'static str,
    /// The bytes; in an invalid case, the bytes before the fault.
    pub wire: &'static [u8],
    /// The fault and the bytes after it; empty in a valid case.
    pub fault: &'static [u8],
    pub want: Want,
}

#[derive(Debug, Clone, Copy)]
pub enum Want {
    /// Accepted with this value, in the notation of the reader.
    Value(&'static str),
    /// Rejected at the first byte of `fault`, as soon as `needs` bytes of it have arrived (0 if
    /// something is missing).
    Refused { kind: Violation, needs: usize },
}

pub const fn ok(
    id: &'static str,
    why: &'static str,
    wire: &'static [u8],
    value: &'static str,
) -> Case {
    Case { id, why, wire, fault: b"", want: Want::Value(value) }
}

/// Rejected because of the first byte of `fault`, as soon as that byte has arrived.
pub const fn no(
    id: &'static str,
    why: &'static str,
    wire: &'static [u8],
    fault: &'static [u8],
    kind: Violation,
) -> Case {
    Case { id, why, wire, fault, want: Want::Refused { kind, needs: 1 } }
}

impl Case {
    /// Rejected only after `n` bytes of the fault.
    pub const fn needs(mut self, n: usize) -> Case {
        if let Want::Refused { kind, .. } = self.want {
            self.want = Want::Refused { kind, needs: n };
        }
        self
    }

    /// Rejected only after the whole fault: the fault is a field value, and the head must be
    /// complete before framing is decided.
    pub const fn needs_all(self) -> Case {
        let n = self.fault.len();
        self.needs(n)
    }

    pub fn bytes(&self) -> Vec<u8> {
        [self.wire, self.fault].concat()
    }
}

/// The verdict of a reader after each delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    Partial,
    /// The value in words, and the number of bytes it took.
    Complete(String, usize),
    Error(WireFault),
}

/// Reads one message: bytes in, a verdict out.
pub trait Reader {
    /// Reads `so_far`: everything that has arrived since the first byte.
    fn feed(&mut self, so_far: &[u8]) -> Step;

    /// Returns whether the message would be complete if the connection ended now.
    fn whole_at_end(&self) -> bool {
        false
    }
}

/// The cases of one topic and their reader.
pub struct Table {
    pub topic: &'static str,
    pub reader: fn() -> Box<dyn Reader>,
    pub cases: &'static [Case],
}

/// Bytes after a message: another message, a line end, garbage, a last chunk.
const TRAILING: [&[u8]; 4] = [b"HTTP/1.1 200 OK\r\n\r\n", b"\r\n", b"\0\xff", b"0\r\n\r\n"];

/// Delivers every case in every way, and reports all failures.
pub fn deliver(table: &Table) {
    let wrong: Vec<String> =
        table.cases.iter().filter_map(|case| in_every_way(table, case).err()).collect();
    assert!(
        wrong.is_empty(),
        "{}: {} of {} cases\n{}",
        table.topic,
        wrong.len(),
        table.cases.len(),
        wrong.join("\n")
    );
}

fn in_every_way(table: &Table, case: &Case) -> Result<(), String> {
    match case.want {
        Want::Value(value) => accepted(table, case, value),
        Want::Refused { kind, needs } => refused(table, case, kind, needs),
    }
}

fn accepted(table: &Table, case: &Case, value: &str) -> Result<(), String> {
    let wire = case.wire;
    let complete = Step::Complete(value.into(), wire.len());
    same(case, "whole", (table.reader)().feed(wire), &complete)?;
    for trailing in TRAILING {
        let with = [wire, trailing].concat();
        same(case, "with bytes after it", (table.reader)().feed(&with), &complete)?;
    }
    let mut one = (table.reader)();
    for at in 0..wire.len() {
        same(case, &format!("up to byte {at}, one by one"), one.feed(&wire[..at]), &Step::Partial)?;
        same(case, &format!("ended at byte {at}; complete"), one.whole_at_end(), &false)?;
        let mut two = (table.reader)();
        same(case, &format!("up to byte {at}, at once"), two.feed(&wire[..at]), &Step::Partial)?;
        same(case, &format!("cut at byte {at}"), two.feed(wire), &complete)?;
    }
    same(case, "byte by byte", one.feed(wire), &complete)
}

fn refused(table: &Table, case: &Case, kind: Violation, needs: usize) -> Result<(), String> {
    let wire = case.bytes();
    let known = case.wire.len() + needs;
    assert!(known <= wire.len(), "{}: a fault of {needs} bytes is not in the case", case.id);
    let error = Step::Error(WireFault { kind, offset: case.wire.len() as u64 });
    same(case, "whole", (table.reader)().feed(&wire), &error)?;
    let mut one = (table.reader)();
    for at in 0..=wire.len() {
        let want = if at < known { &Step::Partial } else { &error };
        if at <= known {
            same(case, &format!("up to byte {at}, one by one"), one.feed(&wire[..at]), want)?;
        }
        let mut two = (table.reader)();
        same(case, &format!("up to byte {at}, at once"), two.feed(&wire[..at]), want)?;
        if at < known {
            same(case, &format!("cut at byte {at}"), two.feed(&wire), &error)?;
        }
    }
    Ok(())
}

fn same<T: PartialEq + Debug>(case: &Case, how: &str, got: T, want: &T) -> Result<(), String> {
    if got == *want {
        return Ok(());
    }
    let Case { id, why, .. } = case;
    Err(format!(
        "{id}: {why}\n  \"{}\", {how}\n  got  {got:?}\n  want {want:?}",
        case.bytes().escape_ascii()
    ))
}
