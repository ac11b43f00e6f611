//! One value out of each text of a stream, written while it comes: `--select /Id`.
//!
//! A selected string comes out as its characters, with the escapes undone and without quotation
//! marks, so that a shell can use it; any other value as it stands in the text, byte for byte, or
//! laid out as by [`Pretty`](super::Pretty). A line end follows each.
//!
//! ```
//! use unix_http::json::{Pointer, Select};
//!
//! let mut select = Select::new(Pointer::parse("/Id")?);
//! let mut out = Vec::new();
//! select.feed(b"{\"Id\":\"4c6ce6\",\"Warnings\":[]}\n", &mut out)?;
//! select.finish(&mut out)?;
//! assert_eq!(out, b"4c6ce6\n");
//! assert_eq!(select.found(), 1);
//! # Ok::<(), unix_http::json::JsonError>(())
//! ```

use super::error::{JsonError, JsonErrorKind};
use super::event::{Event, Limits};
use super::matcher::{Matcher, Miss, Place};
use super::pointer::Pointer;
use super::pretty::Printer;
use super::tokenizer::Tokenizer;

/// How a selected value is written.
#[derive(Clone, Debug)]
enum Form {
    /// A string's characters.
    Characters,
    /// As it stands.
    Raw,
    /// Laid out.
    Pretty(Printer),
}

/// Writes the value that a pointer selects in each text of a stream, holding none of it.
///
/// ```
/// use unix_http::json::{Pointer, Select};
///
/// let (mut select, mut out) = (Select::new(Pointer::parse("/status")?), Vec::new());
/// select.feed(b"{\"status\":\"start\",\"id\":\"1\"}\n{\"status\":", &mut out)?;
/// select.feed(b"\"die\"}", &mut out)?;
/// select.finish(&mut out)?;
/// assert_eq!(out, b"start\ndie\n");
/// # Ok::<(), unix_http::json::JsonError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Select {
    tokenizer: Tokenizer,
    matcher: Matcher,
    pretty: bool,
    form: Form,
    inside: bool,
    texts: u64,
    found: u64,
}

impl Select {
    /// For any number of texts one after the other, within the default [`Limits`].
    pub fn new(pointer: Pointer) -> Select {
        let (tokenizer, matcher) = (Tokenizer::sequence(), Matcher::new(pointer));
        Select {
            tokenizer,
            matcher,
            pretty: false,
            form: Form::Raw,
            inside: false,
            texts: 0,
            found: 0,
        }
    }

    /// The same with objects and arrays laid out.
    pub fn pretty(self) -> Select {
        Select { pretty: true, ..self }
    }

    /// The same within limits of one's own.
    pub fn with_limits(self, limits: Limits) -> Select {
        Select { tokenizer: self.tokenizer.with_limits(limits), ..self }
    }

    /// How many texts are over.
    pub fn texts(&self) -> u64 {
        self.texts
    }

    /// How many selected values have begun.
    pub fn found(&self) -> u64 {
        self.found
    }

    /// How near the latest text came to the selected value, when it did not have it.
    pub fn miss(&self) -> Option<&Miss> {
        self.matcher.found().err()
    }

    /// Reads on in the stream and appends the selected values, as far as they have come.
    ///
    /// # Errors
    /// At the first byte that is not JSON, or with [`Ambiguous`](JsonErrorKind::Ambiguous) at the
    /// end of the second name; `out` then has all that came before it.
    pub fn feed(&mut self, mut input: &[u8], out: &mut Vec<u8>) -> Result<(), JsonError> {
        loop {
            let before = input;
            let next = self.tokenizer.next(&mut input);
            let read = &before[..before.len() - input.len()];
            let event = match next {
                Ok(Some(event)) => event,
                other => {
                    // What was read on the way to an event that is not there yet belongs to the
                    // value all the same.
                    if self.inside && matches!(self.form, Form::Raw) {
                        out.extend_from_slice(read);
                    }
                    return other.map(drop);
                }
            };
            self.on(&event, read, out)?;
        }
    }

    /// The stream is over.
    ///
    /// # Errors
    /// [`Incomplete`](JsonErrorKind::Incomplete) inside a text, and when there was none.
    pub fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), JsonError> {
        if let Some(event) = self.tokenizer.finish()? {
            self.on(&event, b"", out)?;
        }
        if self.texts == 0 { Err(self.error(JsonErrorKind::Incomplete)) } else { Ok(()) }
    }

    /// One event, and the bytes that were read for it.
    fn on(&mut self, event: &Event, read: &[u8], out: &mut Vec<u8>) -> Result<(), JsonError> {
        let place = self.matcher.on(event).map_err(|kind| self.error(kind))?;
        if matches!(place, Place::Begins | Place::Whole) {
            self.found += 1;
            self.inside = true;
            self.form = match event {
                Event::BeginString => Form::Characters,
                _ if self.pretty || place == Place::Whole => Form::Pretty(Printer::new()),
                _ => Form::Raw,
            };
        }
        match (&mut self.form, place) {
            (_, Place::Outside) => {}
            (Form::Characters, _) => event.append_text(out),
            (Form::Pretty(printer), _) => printer.on(event, out),
            // White space and a colon or comma can stand before a value's own first byte.
            (Form::Raw, Place::Begins) => out.extend_from_slice(first_byte(event)),
            (Form::Raw, _) => out.extend_from_slice(read),
        }
        if matches!(place, Place::Ends | Place::Whole) {
            self.inside = false;
            if !matches!(self.form, Form::Pretty(_)) {
                out.push(b'\n');
            }
        }
        self.texts += u64::from(event.ends_value() && self.tokenizer.depth() == 0);
        Ok(())
    }

    fn error(&self, kind: JsonErrorKind) -> JsonError {
        JsonError { kind, offset: self.tokenizer.offset() }
    }
}

fn first_byte(event: &Event) -> &'static [u8] {
    match event {
        Event::BeginObject => b"{",
        Event::BeginArray => b"[",
        _ => b"",
    }
}
