//! RFC 9112 as code: bytes in, values out, no I/O.
