//! Following a pointer through a text that streams by, with a few words of memory for each token of
//! the pointer.
//!
//! ```text
//! array-index = %x30 / ( %x31-39 *(%x30-39) )         ; RFC 6901 §4
//! ```
//!
//! Declined, with RFC 6901 §4: `-`, since the element after an array's last is not there; an index
//! with leading zeros; a name that stands in its object a second time, which makes evaluation fail
//! (what was selected has then gone out).
//!
//! ```
//! use unix_http::json::{Matcher, Place, Pointer, Tokenizer};
//!
//! let mut tokenizer = Tokenizer::one();
//! let mut matcher = Matcher::new(Pointer::parse("/State/Running")?);
//! let mut input = &br#"{"Id":"4c6","State":{"Running":true}}"#[..];
//! let mut places = Vec::new();
//! while let Some(event) = tokenizer.next(&mut input)? {
//!     if matcher.on(&event) != Ok(Place::Outside) {
//!         places.push(event);
//!     }
//! }
//! assert_eq!(places, [unix_http::json::Event::Bool(true)]);
//! # Ok::<(), unix_http::json::JsonError>(())
//! ```

use super::error::JsonErrorKind;
use super::event::Event;
use super::pointer::Pointer;
use std::fmt;

/// Where an event stands, seen from the value that a pointer selects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Somewhere else.
    Outside,
    /// The selected value begins.
    Begins,
    /// It goes on.
    Inside,
    /// It ends.
    Ends,
    /// It is this one event: `true`, `false` or `null`.
    Whole,
}

/// Why a text has no value where the pointer points: how near it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Miss {
    pointer: Pointer,
    /// How many tokens led to something.
    found: usize,
    at: Kind,
}

/// What they led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Object,
    Array,
    Scalar,
}

/// An open container on the way to the selected value.
#[derive(Clone, Debug)]
struct OnWay {
    kind: Kind,
    /// How many of an array's elements have begun.
    elements: u64,
    /// Whether the child that the next token names has begun.
    taken: bool,
}

/// How the name last read compares with the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Name {
    Other,
    /// It is being read, and so many bytes are the same.
    Reading(usize),
    Same,
}

/// Follows a tokenizer's events to the value that a pointer selects, holding none of the text.
///
/// ```
/// use unix_http::json::{Event, Matcher, Place, Pointer, Tokenizer};
///
/// let mut matcher = Matcher::new(Pointer::parse("/State/Status")?);
/// let (mut tokenizer, mut input, mut status) = (Tokenizer::one(), &br#"{"Id":"4f","State":{"Status":"exited"}}"#[..], vec![]);
/// while let Some(event) = tokenizer.next(&mut input)? {
///     if matches!(matcher.on(&event), Ok(Place::Begins | Place::Inside)) {
///         event.append_text(&mut status);
///     }
/// }
/// assert!(matcher.found().is_ok());
/// assert_eq!(status, b"exited");
/// # Ok::<(), unix_http::json::JsonError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Matcher {
    pointer: Pointer,
    /// How many containers are open.
    depth: usize,
    /// Those of them that lie on the way: the outermost ones.
    way: Vec<OnWay>,
    name: Name,
    /// The depth at which the selected value lies, while it goes on.
    selected: Option<usize>,
    found: bool,
    miss: Miss,
}

impl Matcher {
    /// A matcher at the beginning of a text.
    pub fn new(pointer: Pointer) -> Matcher {
        let miss = Miss { pointer: pointer.clone(), found: 0, at: Kind::Scalar };
        Matcher {
            pointer,
            depth: 0,
            way: Vec::new(),
            name: Name::Other,
            selected: None,
            found: false,
            miss,
        }
    }

    /// Whether the selected value has come, and if not, how near the text came to it.
    ///
    /// # Errors
    /// The [`Miss`]; final only when the text is over.
    pub fn found(&self) -> Result<(), &Miss> {
        if self.found { Ok(()) } else { Err(&self.miss) }
    }

    /// Takes note of the next event and says where it stands. When a text is over, another may
    /// begin.
    ///
    /// # Errors
    /// [`Ambiguous`](JsonErrorKind::Ambiguous) when a name asked for stands in its object a second
    /// time.
    pub fn on(&mut self, event: &Event) -> Result<Place, JsonErrorKind> {
        let after = match event {
            Event::BeginObject | Event::BeginArray => self.depth + 1,
            Event::EndObject | Event::EndArray => self.depth.saturating_sub(1),
            _ => self.depth,
        };
        let place = match self.selected {
            Some(depth) if event.ends_value() && after == depth => {
                self.selected = None;
                Place::Ends
            }
            Some(_) => Place::Inside,
            None if self.depth > self.way.len() => Place::Outside,
            None if event.begins_value() => self.value(event),
            None => self.between(event)?,
        };
        self.depth = after;
        Ok(place)
    }

    /// A value begins in the innermost container on the way, or at the root.
    fn value(&mut self, event: &Event) -> Place {
        if !self.is_on_way() {
            return Place::Outside;
        }
        if self.way.len() == self.pointer.tokens().len() {
            self.found = true;
            if event.ends_value() {
                return Place::Whole;
            }
            self.selected = Some(self.depth);
            return Place::Begins;
        }
        let kind = match event {
            Event::BeginObject => Kind::Object,
            Event::BeginArray => Kind::Array,
            _ => Kind::Scalar,
        };
        (self.miss.found, self.miss.at) = (self.way.len(), kind);
        if kind != Kind::Scalar {
            self.way.push(OnWay { kind, elements: 0, taken: false });
        }
        Place::Outside
    }

    /// Whether the value that begins is the root, or the child that the next token names.
    fn is_on_way(&mut self) -> bool {
        let depth = self.way.len();
        let Some(parent) = self.way.last_mut() else {
            self.found = false;
            return true;
        };
        let is_next = match parent.kind {
            Kind::Array => {
                parent.elements += 1;
                array_index(&self.pointer.tokens()[depth - 1]) == Some(parent.elements - 1)
            }
            _ => std::mem::replace(&mut self.name, Name::Other) == Name::Same,
        };
        parent.taken |= is_next;
        is_next
    }

    /// Names, and the ends of containers on the way.
    fn between(&mut self, event: &Event) -> Result<Place, JsonErrorKind> {
        let token = self.way.len().checked_sub(1).map_or("", |at| &self.pointer.tokens()[at]);
        self.name = match (event, self.name) {
            (Event::EndObject | Event::EndArray, _) => {
                self.way.pop();
                Name::Other
            }
            (Event::BeginName, _) => Name::Reading(0),
            (Event::Text(text), Name::Reading(n)) => same(token, n, text),
            (Event::Escape(c), Name::Reading(n)) => {
                same(token, n, c.encode_utf8(&mut [0; 4]).as_bytes())
            }
            (Event::EndName, Name::Reading(n)) if n == token.len() => Name::Same,
            (_, _) => Name::Other,
        };
        if self.name == Name::Same && self.way.last().is_some_and(|object| object.taken) {
            return Err(JsonErrorKind::Ambiguous);
        }
        Ok(Place::Outside)
    }
}

/// Whether `text` is what `token` has after its first `n` bytes.
fn same(token: &str, n: usize, text: &[u8]) -> Name {
    if token.as_bytes()[n..].starts_with(text) {
        Name::Reading(n + text.len())
    } else {
        Name::Other
    }
}

fn array_index(token: &str) -> Option<u64> {
    let digits = token.bytes().all(|byte| byte.is_ascii_digit());
    let leading_zero = token.len() > 1 && token.starts_with('0');
    if digits && !leading_zero { token.parse().ok() } else { None }
}

impl fmt::Display for Miss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let token = self.pointer.tokens().get(self.found).map_or("", String::as_str);
        match self.at {
            Kind::Object => write!(f, "no member {token:?} in the object at ")?,
            Kind::Array => write!(f, "no element {token:?} in the array at ")?,
            Kind::Scalar => write!(f, "no {token:?} in what is neither object nor array, at ")?,
        }
        if self.found == 0 {
            write!(f, "the root")?
        } else {
            self.pointer.write_first(self.found, f)?
        }
        write!(f, " (RFC 6901 §4)")
    }
}

impl std::error::Error for Miss {}
