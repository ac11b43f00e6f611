//! JSON: a strict reader of values, pointers, and a pretty printer.
//!
//! This is enough for Docker's contexts, requests, progress streams and error messages, and for
//! `--select` and `--pretty`. It does not serialize your own types.
//!
//! | to | use |
//! |---|---|
//! | parse a text into a tree | [`Value::parse`] |
//! | split a stream such as `/events` into texts | [`JsonTexts`] |
//! | print one value of a text | [`JsonText::select`] with a [`Pointer`] |
//! | indent a text | [`JsonText::lay_out`] |
//! | write JSON | a value's `Display` |
//!
//! # One strict policy
//! RFC 8259 §9 lets a parser accept extensions; this one accepts none. It rejects comments,
//! trailing commas, single quotes, `NaN` and `Infinity`, `+1`, `01`, `.5`, `1.`, control characters
//! in strings, bytes that are not UTF-8 (including overlong forms and surrogates), half a surrogate
//! pair in `\u` escapes, a byte order mark, and anything after the text. Where the RFC leaves a
//! choice:
//!
//! | input | here |
//! |---|---|
//! | a number that fits no machine type | accepted: numbers stay text (§6) |
//! | members with the same name (§4) | kept; [`Value::get`] takes the last, a [`Pointer`] fails |
//! | depth and length (§9) | at most 512 levels, and 64 MiB for each text of a stream |

mod error;
mod pointer;
mod pretty;
mod reader;
mod select;
mod texts;
mod value;
mod write;

pub use error::JsonError;
pub use pointer::Pointer;
#[cfg(feature = "docker")]
pub(crate) use reader::{Begun, Next};
pub use texts::{JsonText, JsonTexts};
pub use value::Value;
#[cfg(feature = "tap")]
pub(crate) use write::JsonWriter;
