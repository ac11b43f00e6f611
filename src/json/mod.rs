//! JSON, read strictly and a slice at a time: enough for Docker's contexts, error messages,
//! `--select` and `--pretty`.
//!
//! Not a serializer of your types. Everything here stands on one [`Tokenizer`], which takes slices
//! of any size, gives [`Event`]s, and holds none of the text:
//!
//! | to | use | memory |
//! |---|---|---|
//! | have a small text as a tree | [`Value::parse`] | the text |
//! | get one value out of each text of a stream | [`Select`] with a [`Pointer`] | a few words |
//! | lay a stream out for people | [`Pretty`] | a few words |
//! | do something else while it comes | [`Tokenizer`], [`Matcher`], [`Printer`] | a few words |
//! | write a string | [`encode_string`] | |
//!
//! # One strict policy
//! RFC 8259 lets a parser accept extensions (§9); this one has none. Refused: comments, trailing
//! commas, single quotes, `NaN` and `Infinity`, `+1`, `01`, `.5`, `1.`, control characters in
//! strings, bytes that are not UTF-8 (overlong forms and surrogates too), half a surrogate pair in
//! `\u` escapes, a byte order mark, and anything after the text. Where the RFC leaves a choice:
//!
//! | input | here |
//! |---|---|
//! | a number too large or too fine for any machine type | accepted, since numbers are kept as text (§6) |
//! | members of the same name (§4) | kept; [`Value::get`] takes the last, a [`Pointer`] that needs one of them fails |
//! | depth and lengths (§9) | bounded by [`Limits`] |
//!
//! ```
//! let value = unix_http::json::Value::parse(br#"{"message":"No such container: nope"}"#)?;
//! assert_eq!(value.get("message").and_then(|m| m.as_str()), Some("No such container: nope"));
//! # Ok::<(), unix_http::json::JsonError>(())
//! ```

mod error;
mod event;
mod matcher;
mod pointer;
mod pretty;
mod scalar;
mod select;
mod tokenizer;
mod value;

pub use error::{JsonError, JsonErrorKind};
pub use event::{Event, Limits};
pub use matcher::{Matcher, Miss, Place};
pub use pointer::Pointer;
pub use pretty::{Pretty, Printer, encode_string};
pub use select::Select;
pub use tokenizer::Tokenizer;
pub use value::Value;
