//! RFC 9112 as code: bytes in, values out, no I/O.
//!
//! An HTTP/1.1 message is text followed, perhaps, by content (`RFC 9112 §2.1`):
//!
//! ```text
//! HTTP-message = start-line CRLF *( field-line CRLF ) CRLF [ message-body ]
//! ```
//!
//! The start-line and the field lines, up to and with the empty line, are called the **head** here.
//! Read in this order:
//!
//! 1. [`grammar`]: which bytes a token, a field value, a number may hold
//! 2. [`fields`]: field lines, in the order they came
//! 3. [`head`]: request heads and response heads, parsed and written
//! 4. [`framing`]: from a head to where the message body ends
//! 5. [`chunked`]: the transfer coding for bodies whose length is not known
//! 6. [`body`]: one decoder over all framings
//!
//! Everything that reads has three outcomes: a value, *Partial* (feed more bytes), or a
//! [`ParseError`] as soon as no further byte could mend the message. Nothing here owns a socket, so
//! one parser serves the client, the server, the tap and the fuzzer.
//!
//! ```
//! use unix_http::wire::{Framing, Progress, ResponseDecoder, framing};
//!
//! let wire = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK";
//! let mut decoder = ResponseDecoder::new();
//! assert_eq!(decoder.decode(&wire[..20])?, Progress::Partial);
//! assert_eq!(decoder.decode(wire)?, Progress::Complete { len: wire.len() - 2 });
//! assert_eq!(framing::response("GET", decoder.head())?.framing, Framing::Length(2));
//! # Ok::<(), unix_http::wire::ParseError>(())
//! ```

pub mod body;
pub mod chunked;
mod error;
pub mod fields;
pub mod framing;
pub mod grammar;
pub mod head;
mod reason;

pub use body::{BodyDecoder, Incomplete, Step};
pub use chunked::{ChunkedDecoder, encode_chunk, encode_last_chunk};
pub use error::{EncodeError, ErrorKind, ParseError};
pub use fields::{Field, Fields};
pub use framing::{Decision, Framing};
pub use head::{
    HeadDecoder, Progress, RequestDecoder, RequestHead, ResponseDecoder, ResponseHead, Version,
    encode_request, encode_response,
};
pub use reason::reason_phrase;

/// How many bytes of one message may be something other than content, unless said otherwise: 300
/// KiB, curl's own limit.
///
/// One budget bounds them all together, so that no part can be the one somebody forgot: heads, 1xx
/// heads before the final one, zeros and extensions in chunk-size lines, and the trailer section.
pub const OVERHEAD_LIMIT: usize = 300 * 1024;
