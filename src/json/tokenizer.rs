//! The tokenizer: slices of any size in, events out, nothing held back and nothing copied.
//!
//! ```text
//! JSON-text = ws value ws                                             ; RFC 8259 §2
//! value     = false / null / true / object / array / number / string  ; §3
//! object    = begin-object [ member *( value-separator member ) ] end-object   ; §4
//! member    = string name-separator value
//! array     = begin-array [ value *( value-separator value ) ] end-array       ; §5
//! ```
//!
//! A [`sequence`](Tokenizer::sequence) is any number of JSON texts, one after the other: with white
//! space between them (JSON lines), a record separator before each (RFC 7464), or nothing at all
//! where no two could be read as one.
//!
//! Memory is a stack of one entry per open container, so that a text of any length can be read in a
//! few hundred bytes.
//!
//! ```
//! use unix_http::json::{Event, Tokenizer};
//!
//! let mut tokenizer = Tokenizer::one();
//! let mut input = &b"{\"Id\":\"4c6"[..];
//! assert_eq!(tokenizer.next(&mut input)?, Some(Event::BeginObject));
//! assert_eq!(tokenizer.next(&mut input)?, Some(Event::BeginName));
//! assert_eq!(tokenizer.next(&mut input)?, Some(Event::Text(b"Id")));
//! assert_eq!(tokenizer.next(&mut input)?, Some(Event::EndName));
//! assert_eq!(tokenizer.next(&mut input)?, Some(Event::BeginString));
//! assert_eq!(tokenizer.next(&mut input)?, Some(Event::Text(b"4c6")));
//! assert_eq!(tokenizer.next(&mut input)?, None); // Partial: feed me more
//!
//! let mut input = &b"ce6\"}"[..];
//! assert_eq!(tokenizer.next(&mut input)?, Some(Event::Text(b"ce6")));
//! # Ok::<(), unix_http::json::JsonError>(())
//! ```

use super::error::{JsonError, JsonErrorKind};
use super::event::{Event, Limits};
use super::scalar::{NumberState, NumberStep, StringState, Utf8};

/// What the next byte belongs to.
#[derive(Clone, Copy, Debug)]
enum State {
    /// A JSON text may begin.
    Text,
    /// The same, but the last text was a number or literal name, which another must not touch.
    TextApart,
    /// The one JSON text is over.
    Done,
    /// A value must begin: after a colon, or after a comma in an array.
    Value,
    /// An array's first element or its end.
    FirstElement,
    /// An object's first name or its end.
    FirstName,
    /// A name must begin, after a comma.
    Name,
    /// The colon after a name.
    Colon,
    /// A comma or the container's end, after a value.
    AfterValue,
    /// Within a name or string.
    String(StringState),
    /// Within a number.
    Number(NumberState),
    /// Within a literal name: what it says, and how much of it has come.
    Literal(Literal, usize),
    /// An error ends everything.
    Failed(JsonError),
}

#[derive(Clone, Copy, Debug)]
struct Literal {
    text: &'static [u8],
    event: Event<'static>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Container {
    Object,
    Array,
}

/// A strict RFC 8259 tokenizer over a stream, which can be cut at any byte.
///
/// ```
/// use unix_http::json::{Event, Tokenizer};
///
/// let mut tokenizer = Tokenizer::one();
/// let mut numbers = 0;
/// for mut piece in [&b"[1, 2"[..], b"3, 4]"] {
///     while let Some(event) = tokenizer.next(&mut piece)? {
///         numbers += usize::from(matches!(event, Event::EndNumber));
///     }
/// }
/// assert_eq!((numbers, tokenizer.depth()), (3, 0)); // 1, 23 and 4: a number may be cut
/// # Ok::<(), unix_http::json::JsonError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Tokenizer {
    state: State,
    open: Vec<Container>,
    /// Whether the string being read is a member's name.
    in_name: bool,
    offset: u64,
    /// How many bytes the current string or number may still have.
    room: u64,
    limits: Limits,
    sequence: bool,
}

impl Tokenizer {
    /// A tokenizer for exactly one JSON text.
    pub fn one() -> Tokenizer {
        let limits = Limits::default();
        Tokenizer {
            state: State::Text,
            open: Vec::new(),
            in_name: false,
            offset: 0,
            room: 0,
            limits,
            sequence: false,
        }
    }

    /// A tokenizer for any number of JSON texts, none included.
    pub fn sequence() -> Tokenizer {
        Tokenizer { sequence: true, ..Tokenizer::one() }
    }

    /// The same with other limits.
    pub fn with_limits(self, limits: Limits) -> Tokenizer {
        Tokenizer { limits, ..self }
    }

    /// How many containers are open. A text is over after an event that
    /// [`ends_value`](Event::ends_value) at depth 0.
    pub fn depth(&self) -> usize {
        self.open.len()
    }

    /// How many bytes have been read.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Takes the next event off the front of `input`. `None`: the input is used up, feed me more.
    ///
    /// # Errors
    /// As soon as the bytes decide it, and the same one ever after.
    pub fn next<'a>(&mut self, input: &mut &'a [u8]) -> Result<Option<Event<'a>>, JsonError> {
        while let Some(&byte) = input.first() {
            let found = match self.state {
                State::String(state) => self.string(state, input),
                State::Number(state) => self.number(state, input),
                State::Literal(literal, have) => self.literal(literal, have, byte, input),
                State::Failed(error) => Err(error),
                _ => self.structure(byte, input),
            };
            match found {
                Ok(None) => {}
                Ok(event) => return Ok(event),
                Err(error) => {
                    self.state = State::Failed(error);
                    return Err(error);
                }
            }
        }
        Ok(None)
    }

    /// Tells that nothing more will come. A number at the very end is over only now: its
    /// `EndNumber` is returned here.
    ///
    /// # Errors
    /// [`Incomplete`](JsonErrorKind::Incomplete) when the text is not over.
    pub fn finish(&mut self) -> Result<Option<Event<'static>>, JsonError> {
        match self.state {
            State::Done | State::TextApart => Ok(None),
            State::Text if self.sequence => Ok(None),
            State::Number(state) if self.open.is_empty() && state.may_end() => {
                self.value_ended(State::TextApart);
                Ok(Some(Event::EndNumber))
            }
            State::Failed(error) => Err(error),
            _ => Err(self.error(JsonErrorKind::Incomplete)),
        }
    }

    /// One byte between tokens, or the first of one.
    fn structure(
        &mut self,
        byte: u8,
        input: &mut &[u8],
    ) -> Result<Option<Event<'static>>, JsonError> {
        use JsonErrorKind as Kind;
        let inner = self.open.last().copied();
        let (state, event) = match (self.state, byte) {
            (State::TextApart, b' ' | b'\t' | b'\n' | b'\r') => (State::Text, None),
            (state, b' ' | b'\t' | b'\n' | b'\r') => (state, None),
            // RFC 7464 §2.2: a record separator stands before each text of a JSON text sequence.
            (State::Text | State::TextApart, 0x1e) if self.sequence => (State::Text, None),
            (State::FirstName, b'}') | (State::FirstElement, b']') => {
                return Ok(Some(self.end(input)));
            }
            (State::AfterValue, b'}') if inner == Some(Container::Object) => {
                return Ok(Some(self.end(input)));
            }
            (State::AfterValue, b']') if inner == Some(Container::Array) => {
                return Ok(Some(self.end(input)));
            }
            (State::AfterValue, b',') if inner == Some(Container::Object) => (State::Name, None),
            (State::AfterValue, b',') => (State::Value, None),
            (State::FirstName | State::Name, b'"') => {
                self.in_name = true;
                self.room = self.limits.token;
                (State::String(StringState::Plain(Utf8::START)), Some(Event::BeginName))
            }
            (State::Colon, b':') => (State::Value, None),
            (State::Value, b']') if inner == Some(Container::Array) => {
                return Err(self.error(Kind::TrailingComma));
            }
            (State::Name, b'}') => return Err(self.error(Kind::TrailingComma)),
            (State::FirstName | State::Name, _) => return Err(self.error(Kind::Name)),
            (State::Colon, _) => return Err(self.error(Kind::Colon)),
            (State::AfterValue, _) if inner == Some(Container::Object) => {
                return Err(self.error(Kind::MemberEnd));
            }
            (State::AfterValue, _) => return Err(self.error(Kind::ElementEnd)),
            (State::Done, _) => return Err(self.error(Kind::TrailingData)),
            (State::TextApart, byte) if !b"{[\"".contains(&byte) => {
                return Err(self.error(Kind::TrailingData));
            }
            (_, byte) => return self.begin_value(byte, input),
        };
        self.state = state;
        self.take(1, input);
        Ok(event)
    }

    /// The first byte of a value.
    fn begin_value(
        &mut self,
        byte: u8,
        input: &mut &[u8],
    ) -> Result<Option<Event<'static>>, JsonError> {
        self.room = self.limits.token;
        let (state, event) = match byte {
            b'{' | b'[' if self.open.len() == self.limits.depth => {
                return Err(self.error(JsonErrorKind::TooDeep));
            }
            b'{' => {
                self.open.push(Container::Object);
                (State::FirstName, Event::BeginObject)
            }
            b'[' => {
                self.open.push(Container::Array);
                (State::FirstElement, Event::BeginArray)
            }
            b'"' => {
                self.in_name = false;
                (State::String(StringState::Plain(Utf8::START)), Event::BeginString)
            }
            b'-' | b'0'..=b'9' => {
                self.state = State::Number(NumberState::Start);
                return Ok(Some(Event::BeginNumber));
            }
            b't' => return Ok(self.begin_literal(b"true", Event::Bool(true))),
            b'f' => return Ok(self.begin_literal(b"false", Event::Bool(false))),
            b'n' => return Ok(self.begin_literal(b"null", Event::Null)),
            0xef if self.offset == 0 => return Err(self.error(JsonErrorKind::ByteOrderMark)),
            _ => return Err(self.error(JsonErrorKind::Value)),
        };
        self.state = state;
        self.take(1, input);
        Ok(Some(event))
    }

    fn begin_literal(
        &mut self,
        text: &'static [u8],
        event: Event<'static>,
    ) -> Option<Event<'static>> {
        self.state = State::Literal(Literal { text, event }, 0);
        None
    }

    /// One byte of a literal name, RFC 8259 §3.
    fn literal(
        &mut self,
        literal: Literal,
        have: usize,
        byte: u8,
        input: &mut &[u8],
    ) -> Result<Option<Event<'static>>, JsonError> {
        if literal.text.get(have) != Some(&byte) {
            return Err(self.error(JsonErrorKind::Literal));
        }
        self.take(1, input);
        if have + 1 < literal.text.len() {
            self.state = State::Literal(literal, have + 1);
            return Ok(None);
        }
        self.value_ended(State::TextApart);
        Ok(Some(literal.event))
    }

    /// As much of a number as there is, RFC 8259 §6.
    fn number<'a>(
        &mut self,
        state: NumberState,
        input: &mut &'a [u8],
    ) -> Result<Option<Event<'a>>, JsonError> {
        let (mut state, mut len) = (state, 0);
        while let Some(&byte) = input.get(len) {
            match state.step(byte) {
                Ok(NumberStep::Digit(next)) if (len as u64) < self.room => state = next,
                // What came before the end or the error goes out first; then this byte is looked at
                // again.
                _ if len > 0 => break,
                Ok(NumberStep::Digit(_)) => return Err(self.error(JsonErrorKind::TooLong)),
                Ok(NumberStep::End) => {
                    self.value_ended(State::TextApart);
                    return Ok(Some(Event::EndNumber));
                }
                Err(kind) => return Err(self.error(kind)),
            }
            len += 1;
        }
        self.state = State::Number(state);
        Ok(Some(Event::Number(self.take_token(len, input))))
    }

    /// A run of a string's characters, or an escape, or the end of the string, RFC 8259 §7.
    fn string<'a>(
        &mut self,
        state: StringState,
        input: &mut &'a [u8],
    ) -> Result<Option<Event<'a>>, JsonError> {
        let StringState::Plain(utf8) = state else {
            return self.escape(state, input);
        };
        let within = input.len().min(self.room.min(usize::MAX as u64) as usize);
        let (utf8, len) = utf8.run(&input[..within]);
        self.state = State::String(StringState::Plain(utf8));
        if len > 0 {
            return Ok(Some(Event::Text(self.take_token(len, input))));
        }
        match input[0] {
            b'"' if utf8.is_complete() => {
                self.take(1, input);
                Ok(Some(self.end_string()))
            }
            _ if self.room == 0 => Err(self.error(JsonErrorKind::TooLong)),
            _ if !utf8.is_complete() => Err(self.error(JsonErrorKind::Utf8)),
            b'\\' => {
                self.take_token(1, input);
                self.state = State::String(StringState::Escape);
                Ok(None)
            }
            0..=0x1f => Err(self.error(JsonErrorKind::Control)),
            _ => Err(self.error(JsonErrorKind::Utf8)),
        }
    }

    /// One byte of an escape.
    fn escape(
        &mut self,
        state: StringState,
        input: &mut &[u8],
    ) -> Result<Option<Event<'static>>, JsonError> {
        if self.room == 0 {
            return Err(self.error(JsonErrorKind::TooLong));
        }
        let (next, c) = state.step(input[0]).map_err(|kind| self.error(kind))?;
        self.take_token(1, input);
        self.state = State::String(next);
        Ok(c.map(Event::Escape))
    }

    fn end_string(&mut self) -> Event<'static> {
        if self.in_name {
            self.state = State::Colon;
            return Event::EndName;
        }
        self.value_ended(State::Text);
        Event::EndString
    }

    /// Closes the innermost container.
    fn end(&mut self, input: &mut &[u8]) -> Event<'static> {
        self.take(1, input);
        let container = self.open.pop();
        self.value_ended(State::Text);
        if container == Some(Container::Object) { Event::EndObject } else { Event::EndArray }
    }

    /// A value is over; if it was a whole text, `next` says how another may follow.
    fn value_ended(&mut self, next: State) {
        self.state = match (self.open.is_empty(), self.sequence) {
            (false, _) => State::AfterValue,
            (true, true) => next,
            (true, false) => State::Done,
        };
    }

    fn take<'a>(&mut self, len: usize, input: &mut &'a [u8]) -> &'a [u8] {
        let (taken, rest) = input.split_at(len);
        *input = rest;
        self.offset += len as u64;
        taken
    }

    /// The same within a string or number.
    fn take_token<'a>(&mut self, len: usize, input: &mut &'a [u8]) -> &'a [u8] {
        self.room = self.room.saturating_sub(len as u64);
        self.take(len, input)
    }

    fn error(&self, kind: JsonErrorKind) -> JsonError {
        JsonError { kind, offset: self.offset }
    }
}
