//! RFC 9112 as code: bytes in, values out, no I/O.
//!
//! An HTTP/1.1 message is text, optionally followed by content (`RFC 9112 §2.1`):
//!
//! ```text
//! HTTP-message = start-line CRLF *( field-line CRLF ) CRLF [ message-body ]
//! ```
//!
//! The **head** is everything up to and including the empty line. Read in this order:
//!
//! 1. `grammar`: which bytes a token, a field value or a target may contain
//! 2. `field`: field lines as values; `section`: their decoder
//! 3. `head`: request heads and response heads, and their decoder; `start_line` and `target`: the
//!    rules of the first line; `encode`: the encoders
//! 4. [`framing`]: where the message body ends
//! 5. `chunked`: the transfer coding for bodies whose length is not known
//! 6. `body`: one decoder for all framings
//!
//! The shortcuts are in a file of their own, `fast`. Every decoder has three outcomes: a value,
//! `None` (feed more bytes), or a [`ParseError`] as soon as no further byte could make the
//! message valid.
//!
//! ```
//! use unix_http::wire::{Framing, ResponseDecoder, framing};
//!
//! let wire = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK";
//! let mut decoder = ResponseDecoder::new();
//! assert_eq!(decoder.decode(&wire[..20])?, None);
//! assert_eq!(decoder.decode(wire)?, Some(wire.len() - 2));
//! assert_eq!(framing::response("GET", decoder.head())?.framing, Framing::Length(2));
//! # Ok::<(), unix_http::wire::ParseError>(())
//! ```

mod body;
pub(crate) mod chunked;
pub(crate) mod encode;
mod error;
mod fast;
pub(crate) mod field;
pub mod framing;
pub(crate) mod grammar;
pub(crate) mod head;
pub(crate) mod head_pieces;
mod section;
mod start_line;
pub(crate) mod target;

pub use body::{BodyDecoder, Incomplete};
pub use chunked::{Step, encode_chunk, encode_last_chunk};
pub use encode::{encode_request, encode_response, reason_phrase};
pub(crate) use error::Violation;
pub use error::{EncodeError, ParseError, ParseErrorKind};
pub use field::{Field, Fields};
pub use framing::{Decision, Framing};
pub use head::{
    Head, HeadDecoder, RequestDecoder, RequestHead, ResponseDecoder, ResponseHead, Version,
};

/// The limit for all bytes of one message that are not content: 300 KiB, as in curl.
///
/// 1xx heads, the head, zeros and extensions in chunk-size lines, and the trailer section share
/// this budget.
pub const OVERHEAD_LIMIT: usize = 300 * 1024;
