//! Why other programs differ from us.
//!
//! If we reject a message, the case itself names the rule. This file explains the other
//! differences: a program rejects a message that we accept, or reads it differently.

/// The programs, the cases, and the reason.
pub struct Explained {
    pub peers: &'static [&'static str],
    /// Ids; `*` matches any text.
    pub cases: &'static [&'static str],
    pub why: &'static str,
}

impl Explained {
    pub fn names(&self, id: &str) -> bool {
        self.cases.iter().any(|pattern| matches(pattern, id))
    }
}

fn matches(pattern: &str, id: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == id,
        Some((start, rest)) => id
            .strip_prefix(start)
            .is_some_and(|id| (0..=id.len()).any(|at| matches(rest, &id[at..]))),
    }
}

const fn so(
    peers: &'static [&'static str],
    cases: &'static [&'static str],
    why: &'static str,
) -> Explained {
    Explained { peers, cases, why }
}

pub const RESPONSES: &[Explained] = &[
    so(
        &["node"],
        &["rfc9112-2.2-*bare-lf", "rfc9112-2.2-*crlf", "rfc9112-2.2-*mixed*", "rfc9112-*-bare-lf"],
        "takes no lone LF for a line end, which a recipient MAY (RFC 9112 §2.2)",
    ),
    so(
        &["curl", "node"],
        &["rfc9110-2.5-minor-*", "rfc9112-9.3-http12"],
        "knows HTTP/1.0 and 1.1 and no more; a higher minor version is to be read as the highest known (RFC 9110 §2.5)",
    ),
    so(
        &["curl", "http.client"],
        &["rfc9110-15-class-0*", "rfc9110-15-000-*"],
        "refuses a status-code below 100; a client is to read it as a 5xx (RFC 9110 §15)",
    ),
    so(&["node"], &["rfc9112-6.3-cl-ows"], "takes no HTAB behind a length for OWS (RFC 9112 §5.1)"),
    so(
        &["node"],
        &["rfc9112-6.3-cl-repeated-*"],
        "refuses a length that is stated twice, as a recipient may (RFC 9112 §6.3)",
    ),
    so(
        &["http.client"],
        &["rfc9112-7-te-any-case"],
        "compares the value with the white space behind it, finds no coding it knows, and hands out raw chunks",
    ),
    so(
        &["curl", "http.client"],
        &["rfc9112-5.2-fold-before-chunked"],
        "finds no value before the fold, and hands out raw chunks",
    ),
    so(
        &["node"],
        &["rfc9112-5.2-fold*", "rfc9112-2.2-blank-line-with-space"],
        "refuses folded lines, which a user agent must read (RFC 9112 §5.2)",
    ),
    so(
        &["node"],
        &["rfc9112-6.3-te-over*", "rfc9112-6.1-204-te-and-cl"],
        "refuses a response with both framing fields; we read the chunks, as RFC 9112 §6.3 has it, and do not use the \
         connection again",
    ),
    so(
        &["curl"],
        &["rfc9112-6.3-te-over-bad-cl"],
        "judges a length that Transfer-Encoding overrides",
    ),
    so(&["node"], &["rfc9112-6.3-204-bad-cl"], "judges the length of a body that there cannot be"),
    so(
        &["http.client"],
        &["rfc9112-6.3-204-te", "rfc9112-6.1-204-te*"],
        "waits for the chunks of a 204, which has no body whatever its fields say (RFC 9112 §6.3 item 1)",
    ),
    so(
        &["curl"],
        &["rfc9112-7.1-many-leading-zeros", "rfc9112-7.1-last-chunk-of-many-zeros"],
        "counts the digits of a chunk-size, and zeros with them; 1*HEXDIG has no end (RFC 9112 §7.1)",
    ),
    so(
        &["node"],
        &["rfc9112-7.1.1-ext-bws"],
        "takes no BWS in a chunk-ext, which must be taken (RFC 9110 §5.6.3)",
    ),
    so(
        &["node"],
        &["rfc9112-7.1.2-trailer-*content-length"],
        "takes a Content-Length in the trailer section for one that frames; none may (RFC 9112 §6.5)",
    ),
];

pub const REQUESTS: &[Explained] = &[
    so(
        &["node"],
        &["rfc9112-2.2-*bare-lf", "rfc9112-2.2-*crlf", "rfc9112-2.2-*mixed*"],
        "takes no lone LF for a line end, which a recipient MAY (RFC 9112 §2.2)",
    ),
    so(
        &["node"],
        &[
            "rfc9112-2.3-request-http10",
            "rfc9112-3.2-host-missing-http10",
            "rfc9112-6*-request-*",
            "rfc9112-9.3-request-close",
            "rfc9112-9.3-request-http10",
        ],
        "reads on behind a last request, or behind a body that is none, before it answers; then the refusal of what it \
         finds there overtakes the answer",
    ),
    so(
        &["node"],
        &["rfc9112-9.3-request-http10-keep-alive"],
        "closes after an HTTP/1.0 request whatever its Connection field says",
    ),
    so(
        &["node"],
        &["rfc9112-9.3-request-upgrade"],
        "reads no request behind one that offered an upgrade, though it did not take the offer",
    ),
    so(
        &["nginx"],
        &["rfc9112-3.2-host-empty"],
        "refuses an empty Host, which RFC 9110 §7.2 has a client send",
    ),
    so(
        &["nginx"],
        &["rfc9112-6.3-request-cl-repeated"],
        "refuses a length that is stated twice, as a recipient may (RFC 9112 §6.3)",
    ),
    so(
        &["node"],
        &["rfc9112-11.2-*-in-trailer"],
        "takes a framing field in the trailer section for one that frames; none may (RFC 9112 §6.5)",
    ),
];
