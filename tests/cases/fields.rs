//! `field-line = field-name ":" OWS field-value OWS` (RFC 9112 §5, RFC 9110 §5).
//!
//! The same lines are read after a status-line, after a request-line and after a last chunk: a
//! trailer section is parsed as strictly as a header section. The exceptions are folded lines and
//! lone LFs, which have their own tables.

use super::deliver::{Case, Table, no, ok};
use super::readers;
use super::wire_fault::Violation as K;

pub const TABLES: &[Table] = &[
    Table { topic: "field lines, in a response", reader: readers::response_fields, cases: CASES },
    Table { topic: "field lines, in a request", reader: readers::request_fields, cases: CASES },
    Table {
        topic: "field lines, in a trailer section",
        reader: readers::trailer_fields,
        cases: CASES,
    },
    Table { topic: "line ends, in a response", reader: readers::response_fields, cases: BARE_LF },
    Table { topic: "line ends, in a request", reader: readers::request_fields, cases: BARE_LF },
    Table {
        topic: "line ends, in a trailer section",
        reader: readers::trailer_fields,
        cases: BARE_LF_IN_TRAILERS,
    },
    Table { topic: "folded lines, in a response", reader: readers::response_fields, cases: FOLDS },
    Table {
        topic: "folded lines, in a request",
        reader: readers::request_fields,
        cases: FOLDS_IN_REQUESTS,
    },
];

#[rustfmt::skip]
const CASES: &[Case] = &[
    ok("rfc9112-5-none", "*( field-line CRLF )",
        b"\r\n", ""),
    ok("rfc9112-5-plain", "name, colon, one SP, value",
        b"Server: x\r\n\r\n", "Server: x"),
    ok("rfc9112-5-many-in-order", "lines keep their order and names their case",
        b"b: 1\r\nA: 2\r\nB: 3\r\n\r\n", "b: 1 | A: 2 | B: 3"),
    ok("rfc9112-5-no-ows", "OWS is optional",
        b"A:b\r\n\r\n", "A: b"),
    ok("rfc9112-5.1-much-ows", "any amount of OWS is not part of the value",
        b"A: \t  b \t \r\n\r\n", "A: b"),
    ok("rfc9112-5.1-inner-space-kept", "white space inside a value is part of it",
        b"A: b \t c\r\n\r\n", "A: b \\t c"),
    ok("rfc9110-5.5-empty-value", "field-value = *field-content",
        b"A:\r\nB: \r\nC: \t \r\n\r\n", "A:  | B:  | C: "),
    ok("rfc9110-5.5-colons-in-value", "the first colon ends the name",
        b"A: b: c:d\r\n\r\n", "A: b: c:d"),
    ok("rfc9110-5.5-obs-text", "opaque bytes, kept unchanged",
        b"A: \xc3\xa9\xff\x80\r\n\r\n", "A: \\xc3\\xa9\\xff\\x80"),
    ok("rfc9110-5.5-nel-is-not-a-line-end", "only Unicode readers end a line at NEL and LINE SEPARATOR",
        b"A: b\xc2\x85Set-Cookie: c\xe2\x80\xa8D: e\r\n\r\n",
        "A: b\\xc2\\x85Set-Cookie: c\\xe2\\x80\\xa8D: e"),
    ok("rfc9110-5.6.2-every-tchar", "every tchar",
        b"!#$%&'*+-.^_`|~09azAZ: b\r\n\r\n", "!#$%&'*+-.^_`|~09azAZ: b"),
    ok("rfc9110-5.1-underscore-is-another-name", "Content_Length is not Content-Length, although CGI confuses them",
        b"Content_Length: x\r\n\r\n", "Content_Length: x"),
    ok("rfc9110-5.3-repeated", "lines with one name stay separate, which Set-Cookie needs",
        b"Set-Cookie: a\r\nSet-Cookie: b\r\n\r\n", "Set-Cookie: a | Set-Cookie: b"),

    no("rfc9112-5.1-space-before-colon", "two readers could disagree about the name",
        b"Server", b" : x\r\n\r\n", K::SpaceBeforeColon),
    no("rfc9112-5.1-tab-before-colon", "two readers could disagree about the name",
        b"Content-Length", b"\t: 5\r\n\r\n", K::SpaceBeforeColon),
    no("rfc9112-5.1-space-before-colon-later", "the same on a later line",
        b"A: b\r\nTransfer-Encoding", b" : chunked\r\n\r\n", K::SpaceBeforeColon),
    no("rfc9112-5.1-vt-before-colon", "C's isspace counts VT as white space, but it is not a tchar",
        b"Content-Length", b"\x0b: 5\r\n\r\n", K::FieldName),
    no("rfc9112-5.1-nbsp-before-colon", "Unicode readers count NBSP as white space",
        b"Content-Length", b"\xc2\xa0: 5\r\n\r\n", K::FieldName),
    no("rfc9112-5.1-space-in-name", "a name is one token",
        b"A", b" b: c\r\n\r\n", K::SpaceBeforeColon),
    no("rfc9112-2.2-space-before-first-field", "a hidden field: some readers skip the line, others read it",
        b"", b" A: b\r\n\r\n", K::LeadingSpace),
    no("rfc9112-2.2-tab-before-first-field", "the same with HTAB",
        b"", b"\tA: b\r\n\r\n", K::LeadingSpace),
    no("rfc9112-2.2-blank-line-with-space", "looks like the empty line, but is not",
        b"", b" \r\n\r\n", K::LeadingSpace),
    no("rfc9112-5-no-colon", "a line without a colon is an error, not skipped",
        b"garbage", b"\r\n\r\n", K::MissingColon),
    no("rfc9112-5-no-colon-bare-lf", "a line without a colon is an error, not skipped",
        b"garbage", b"\n\n", K::MissingColon),
    no("rfc9112-5-no-colon-later", "the same on a later line",
        b"A: b\r\nHTTP", b"\r\n\r\n", K::MissingColon),
    no("rfc9112-5-start-line-again", "a second status-line among the fields",
        b"A: b\r\nHTTP", b"/1.1 200 OK\r\n\r\n", K::FieldName),
    no("rfc9110-5.1-empty-name", "a token has at least one tchar",
        b"", b": x\r\n\r\n", K::FieldName),
    no("rfc9110-5.1-empty-name-later", "the same on a later line",
        b"A: b\r\n", b": x\r\n\r\n", K::FieldName),
    no("rfc9110-5.1-pseudo-header", ":authority exists only in HTTP/2",
        b"", b":authority: a\r\n\r\n", K::FieldName),
    no("rfc9110-5.1-delimiter-in-name", "( is not a tchar",
        b"A", b"(b): c\r\n\r\n", K::FieldName),
    no("rfc9110-5.1-nul-in-name", "readers in C see a shorter name",
        b"Content-Length", b"\0: 5\r\n\r\n", K::FieldName),
    no("rfc9110-5.1-obs-text-in-name", "tchar is ASCII",
        b"Caf", b"\xc3\xa9: b\r\n\r\n", K::FieldName),
    no("rfc9110-5.1-name-begins-with-control", "a stray control",
        b"A: b\r\n", b"\x08B: c\r\n\r\n", K::FieldName),
    no("rfc9110-5.5-nul-in-value", "readers in C stop here",
        b"A: b", b"\0c\r\n\r\n", K::FieldValue),
    no("rfc9110-5.5-control-in-value", "a control character",
        b"A: b", b"\x01c\r\n\r\n", K::FieldValue),
    no("rfc9110-5.5-escape-in-value", "a control character, and a terminal's escape sequence",
        b"A: ", b"\x1b]0;x\x07\r\n\r\n", K::FieldValue),
    no("rfc9110-5.5-del-in-value", "DEL is a control character too",
        b"A: b", b"\x7fc\r\n\r\n", K::FieldValue),
    no("rfc9110-5.5-vt-in-value", "C's isspace counts VT as white space, and would find chunked",
        b"Transfer-Encoding: ", b"\x0bchunked\r\n\r\n", K::FieldValue),
    no("rfc9110-5.5-ff-in-value", "the same with FF",
        b"Content-Length: 5", b"\x0c\r\n\r\n", K::FieldValue),
    no("rfc9112-2.2-value-bare-cr", "response splitting: other readers end the line here",
        b"A: b", b"\rSet-Cookie: c\r\n\r\n", K::BareCr).needs(2),
    no("rfc9112-2.2-value-bare-cr-first", "immediately after the colon",
        b"A:", b"\rb\r\n\r\n", K::BareCr).needs(2),
    no("rfc9112-2.2-value-cr-cr-lf", "the first CR is a bare CR, not part of the line end",
        b"A: b", b"\r\r\n\r\n", K::BareCr).needs(2),
    no("rfc9112-2.2-name-bare-cr", "in a name",
        b"A", b"\rB: c\r\n\r\n", K::MissingColon),
    no("rfc9112-2.2-line-begins-with-cr", "half of an empty line",
        b"A: b\r\n", b"\rB: c\r\n\r\n", K::BareCr).needs(2),
    no("rfc9112-2.2-empty-line-cr-cr", "other readers end the head here",
        b"A: b\r\n", b"\r\r\n", K::BareCr).needs(2),
];

#[rustfmt::skip]
const BARE_LF: &[Case] = &[
    ok("rfc9112-2.2-field-bare-lf", "a recipient may accept a lone LF as a line end",
        b"A: b\nC: d\n\n", "A: b | C: d"),
    ok("rfc9112-2.2-field-mixed-line-ends", "line ends may differ from line to line",
        b"A: b\r\nC: d\nE: f\r\n\n", "A: b | C: d | E: f"),
    ok("rfc9112-2.2-empty-line-bare-lf", "only the empty line",
        b"A: b\r\n\n", "A: b"),
    ok("rfc9112-2.2-empty-line-crlf", "every line but the empty one",
        b"A: b\n\r\n", "A: b"),
];

// The MAY of RFC 9112 §2.2 is for old peers, which do not know chunks (erratum 7633). If one of two
// recipients ends a chunked body at `0\r\n\n` and the other does not, they disagree about the next
// message.
#[rustfmt::skip]
const BARE_LF_IN_TRAILERS: &[Case] = &[
    no("rfc9112-7.1.2-trailer-bare-lf", "chunked framing is CR LF throughout",
        b"A: b", b"\nC: d\r\n\r\n", K::ChunkLineEnd),
    no("rfc9112-7.1.2-trailer-bare-lf-empty-value", "chunked framing is CR LF throughout",
        b"A:", b"\n\r\n", K::ChunkLineEnd),
    no("rfc9112-7.1.2-end-bare-lf", "0 CR LF LF: only some readers see an end here",
        b"", b"\n", K::ChunkLineEnd),
    no("rfc9112-7.1.2-end-bare-lf-after-trailer", "the same after a trailer field",
        b"A: b\r\n", b"\n", K::ChunkLineEnd),
];

// obs-fold = OWS CRLF RWS. Each is read as one SP.
#[rustfmt::skip]
const FOLDS: &[Case] = &[
    ok("rfc9112-5.2-fold", "a user agent must replace it with SP",
        b"A: b\r\n c\r\n\r\n", "A: b c"),
    ok("rfc9112-5.2-fold-tab", "RWS may be HTAB",
        b"A: b\r\n\tc\r\nD: e\r\n\r\n", "A: b c | D: e"),
    ok("rfc9112-5.2-fold-with-ows", "white space before and after it is part of the fold",
        b"A: b \t\r\n \t c\r\n\r\n", "A: b c"),
    ok("rfc9112-5.2-fold-twice", "each fold is one SP",
        b"A: b\r\n c\r\n\td\r\n\r\n", "A: b c d"),
    ok("rfc9112-5.2-fold-bare-lf", "a lone LF ends a line here too",
        b"A: b\n c\n\n", "A: b c"),
    ok("rfc9112-5.2-fold-first", "the value may begin on the next line",
        b"A:\r\n b\r\n\r\n", "A: b"),
    ok("rfc9112-5.2-fold-last", "a fold with nothing after it is OWS",
        b"A: b\r\n \r\n\r\n", "A: b"),
    ok("rfc9112-5.2-fold-hides-a-field", "a continuation is not a field line, whatever it contains",
        b"A: b\r\n Transfer-Encoding: chunked\r\n\r\n", "A: b Transfer-Encoding: chunked"),
    ok("rfc9112-5.2-fold-of-two-lines", "each fold belongs to the line before it",
        b"A: b\r\n c\r\nD: e\r\n f\r\n\r\n", "A: b c | D: e f"),
    no("rfc9112-5.2-fold-nul", "a continuation is checked as strictly as its line",
        b"A: b\r\n c", b"\0\r\n\r\n", K::FieldValue),
    no("rfc9112-5.2-fold-bare-cr", "a continuation is checked as strictly as its line",
        b"A: b\r\n c", b"\rd\r\n\r\n", K::BareCr).needs(2),
];

#[rustfmt::skip]
const FOLDS_IN_REQUESTS: &[Case] = &[
    no("rfc9112-5.2-request-fold", "a server may reject it, here at the first byte of the fold",
        b"A: b\r\n", b" c\r\n\r\n", K::ObsFold),
    no("rfc9112-5.2-request-fold-tab", "the same with HTAB",
        b"A: b\r\nC: d\r\n", b"\te\r\n\r\n", K::ObsFold),
    no("rfc9112-5.2-request-fold-bare-lf", "the same after a lone LF",
        b"A: b\n", b" c\n\n", K::ObsFold),
    no("rfc9112-5.2-request-fold-chunked", "the value of Transfer-Encoding on the next line",
        b"Transfer-Encoding:\r\n", b" chunked\r\n\r\n", K::ObsFold),
];
