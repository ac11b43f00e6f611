//! Encoders are as strict as decoders: no part of a message can break out of its place (RFC 9112
//! §11.1).

use crate::cases::wire_fault::{Violation as K, WireFault};
use unix_http::wire::{
    Fields, RequestDecoder, ResponseDecoder, Version, encode_chunk, encode_last_chunk,
    encode_request, encode_response,
};

fn request(method: &str, target: &[u8]) -> Result<Vec<u8>, WireFault> {
    let mut out = b"before ".to_vec();
    let result = encode_request(&mut out, method, target, Version::Http11, &Fields::new());
    assert_eq!(result.is_err(), out == b"before ", "an error appends nothing");
    result.map(|()| out.split_off(7)).map_err(WireFault::from)
}

fn response(status: u16, reason: &str) -> Result<Vec<u8>, WireFault> {
    let mut out = b"before ".to_vec();
    let result = encode_response(&mut out, Version::Http11, status, reason, &Fields::new());
    assert_eq!(result.is_err(), out == b"before ", "an error appends nothing");
    result.map(|()| out.split_off(7)).map_err(WireFault::from)
}

fn field(name: &str, value: &[u8]) -> Result<(), WireFault> {
    let mut fields = Fields::new();
    let result = fields.push(name, value);
    assert_eq!(result.is_err(), fields.is_empty(), "an error adds nothing");
    result.map_err(WireFault::from)
}

fn refused<T>(kind: K, offset: usize) -> Result<T, WireFault> {
    Err(WireFault { kind, offset: offset as u64 })
}

#[test]
fn encode_request_refuses_what_a_decoder_rejects() {
    assert_eq!(request("GET", b"/version").unwrap(), b"GET /version HTTP/1.1\r\n\r\n");
    assert_eq!(request("OPTIONS", b"*").unwrap(), b"OPTIONS * HTTP/1.1\r\n\r\n");
    assert_eq!(request("CONNECT", b"[::1]:80").unwrap(), b"CONNECT [::1]:80 HTTP/1.1\r\n\r\n");
    assert_eq!(request("get", b"http://a/?b").unwrap(), b"get http://a/?b HTTP/1.1\r\n\r\n");
    for (method, offset) in
        [("", 0), (" GET", 0), ("GE T", 2), ("GET\r\nX", 3), ("GET\n", 3), ("G\0", 1), ("G:", 1)]
    {
        assert_eq!(request(method, b"/"), refused(K::Method, offset), "{method:?}");
    }
    assert_eq!(request("GÉT", b"/"), refused(K::Method, 1));
    let targets: [(&[u8], usize); 9] = [
        (b"", 0),
        (b" /", 0),
        (b"/a b", 2),
        (b"/a HTTP/1.1\r\nX: y", 2),
        (b"/a\r\n", 2),
        (b"/\n", 1),
        (b"/\0", 1),
        (b"/\t", 1),
        (b"/\x7f", 1),
    ];
    for (target, offset) in targets {
        assert_eq!(request("GET", target), refused(K::Target, offset), "{}", target.escape_ascii());
    }
    for (method, target) in [
        ("GET", "version"),
        ("GET", "?a"),
        ("GET", "a:b/c?d"),
        ("GET", "127.0.0.1:80"),
        ("GET", "*"),
        ("OPTIONS", "*/a"),
        ("PRI", "*"),
        ("CONNECT", "/a"),
        ("CONNECT", "a"),
        ("CONNECT", "a:"),
    ] {
        let said = request(method, target.as_bytes());
        let is_absolute = target.starts_with("a:b");
        let want = if is_absolute { said.clone() } else { refused(K::TargetForm, 0) };
        assert_eq!((said.is_ok(), &said), (is_absolute, &want), "{method} {target}");
    }
}

#[test]
fn encode_response_refuses_what_a_decoder_rejects() {
    assert_eq!(response(200, "OK").unwrap(), b"HTTP/1.1 200 OK\r\n\r\n");
    assert_eq!(
        response(204, "").unwrap(),
        b"HTTP/1.1 204 \r\n\r\n",
        "a server must send the SP (RFC 9112 §4)"
    );
    assert_eq!(response(404, "Not\tFound").unwrap(), b"HTTP/1.1 404 Not\tFound\r\n\r\n");
    for status in [0, 1, 42, 99, 600, 999, 1000, 9999, u16::MAX] {
        assert_eq!(response(status, ""), refused(K::StatusCode, 0), "{status}");
    }
    for (reason, offset) in
        [("\r", 0), ("OK\r\nX: y", 2), ("OK\n", 2), ("O\0", 1), ("\x1b[2J", 0), ("\x7f", 0)]
    {
        assert_eq!(response(200, reason), refused(K::ReasonPhrase, offset), "{reason:?}");
    }
}

#[test]
fn a_field_line_cannot_start_another_line() {
    for (name, offset) in
        [("", 0), (" A", 0), ("A ", 1), ("A B", 1), ("A:", 1), ("A\r\nB", 1), ("A\0", 1), ("É", 0)]
    {
        assert_eq!(field(name, b"x"), refused(K::FieldName, offset), "{name:?}");
    }
    let values: [(&[u8], usize); 8] = [
        (b"\r", 0),
        (b"a\r\nB: c", 1),
        (b"a\r\n b", 1), // a sender must not fold (RFC 9112 §5.2)
        (b"a\n", 1),
        (b"a\r", 1),
        (b"\0", 0),
        (b"a\x0b", 1),
        (b"a\x7f", 1),
    ];
    for (value, offset) in values {
        assert_eq!(field("A", value), refused(K::FieldValue, offset), "{}", value.escape_ascii());
    }
    for value in [&b""[..], b"b", b"b \t c", b"\xc3\xa9\xff", b"a: b, \"c\""] {
        assert_eq!(field("A", value), Ok(()));
    }
}

#[test]
fn push_line_keeps_the_line_unchanged() {
    let line = |line: &[u8]| {
        let (mut fields, mut out) = (Fields::new(), Vec::new());
        fields.push_line(line)?;
        encode_request(&mut out, "GET", b"/", Version::Http11, &fields)?;
        Ok(out.split_off(16))
    };
    assert_eq!(line(b"A: b").unwrap(), b"A: b\r\n\r\n");
    assert_eq!(line(b"A:b").unwrap(), b"A:b\r\n\r\n", "unchanged");
    assert_eq!(line(b"A:").unwrap(), b"A:\r\n\r\n");
    assert_eq!(line(b"A"), refused(K::MissingColon, 1));
    assert_eq!(line(b""), refused(K::MissingColon, 0));
    assert_eq!(line(b": b"), refused(K::FieldName, 0));
    assert_eq!(line(b"A : b"), refused(K::FieldName, 1));
    assert_eq!(line(b"A: b\r\nB: c"), refused(K::FieldValue, 4));
    assert_eq!(line(b"A\r\nB: c"), refused(K::FieldName, 1));
}

/// White space around a value is not part of it (RFC 9110 §5.5).
#[test]
fn white_space_around_a_value_is_removed() {
    let mut fields = Fields::new();
    fields.push("A", " \tb c\t ").unwrap();
    fields.push("B", " ").unwrap();
    fields.push_line(b"C: \td ").unwrap();
    let values: Vec<&[u8]> = fields.iter().map(|f| f.value()).collect();
    assert_eq!(values, [&b"b c"[..], b"", b"d"]);
    assert_eq!(through_the_wire(&fields), fields);
}

fn fields(lines: &[(&str, &str)]) -> Fields {
    let mut fields = Fields::new();
    lines.iter().for_each(|(name, value)| fields.push(name, value).unwrap());
    fields
}

/// `RFC 9110 §5.1`, `§5.3`
#[test]
fn fields_are_equal_with_names_in_any_case_in_the_same_order() {
    let ab = fields(&[("A", "b")]);
    assert_eq!(ab, fields(&[("a", "b")]));
    for other in [&[][..], &[("A", "B")], &[("B", "b")], &[("A", "b"), ("A", "b")]] {
        assert_ne!(ab, fields(other), "{other:?}");
    }
    assert_ne!(fields(&[("A", "b"), ("C", "d")]), fields(&[("C", "d"), ("A", "b")]));
}

#[test]
fn fields_are_found_and_removed_by_name_in_any_case() {
    let mut all = fields(&[("A", "1"), ("b", "2"), ("a", "3"), ("C", "x, Close ,y"), ("c", "z")]);
    assert_eq!(
        (all.get("a"), all.get("B"), all.get("d")),
        (Some(&b"1"[..]), Some(&b"2"[..]), None)
    );
    assert_eq!(all.get_all("a").map(|f| f.value()).collect::<Vec<_>>(), [b"1", b"3"]);
    let has = ["x", "close", "CLOSE", "y", "z", "clos", "closed", "x, Close", ""]
        .map(|token| all.has_token("C", token));
    assert_eq!(has, [true, true, true, true, true, false, false, false, false]);
    assert!(!all.has_token("A", "close") && !all.has_token("D", "close"));
    assert_eq!((all.remove("A"), all.remove("A"), all.len()), (2, 0, 3));
    assert_eq!(through_the_wire(&all), fields(&[("b", "2"), ("C", "x, Close ,y"), ("c", "z")]));
}

fn through_the_wire(fields: &Fields) -> Fields {
    let mut out = Vec::new();
    encode_response(&mut out, Version::Http11, 200, "OK", fields).unwrap();
    let mut decoder = ResponseDecoder::new();
    assert_eq!(decoder.decode(&out), Ok(Some(out.len())));
    decoder.head().fields().clone()
}

#[test]
fn chunks_are_encoded_without_extensions() {
    let chunk = |data: &[u8]| {
        let mut out = Vec::new();
        encode_chunk(&mut out, data);
        out
    };
    assert_eq!(chunk(b""), b"", "a chunk of size 0 would end the body");
    assert_eq!(chunk(b"a"), b"1\r\na\r\n");
    assert_eq!(chunk(b"\r\n0\r\n\r\n"), b"7\r\n\r\n0\r\n\r\n\r\n");
    assert_eq!(chunk(&[b'x'; 255])[..4], *b"ff\r\n");
    assert_eq!(chunk(&[b'x'; 256])[..5], *b"100\r\n");
    assert_eq!(chunk(&[b'x'; 65536])[..7], *b"10000\r\n");
    let (mut out, mut trailers) = (Vec::new(), Fields::new());
    encode_last_chunk(&mut out, &trailers);
    assert_eq!(out, b"0\r\n\r\n");
    trailers.push("Digest", "x").unwrap();
    out.clear();
    encode_last_chunk(&mut out, &trailers);
    assert_eq!(out, b"0\r\nDigest: x\r\n\r\n");
}

#[test]
fn encoders_write_a_byte_only_where_decoders_accept_it() {
    for byte in 0..=255u8 {
        let is_ascii_text = byte.is_ascii() && !byte.is_ascii_control();
        if let Ok(name) = std::str::from_utf8(&[b'A', byte, b'Z']) {
            assert_eq!(field(name, b"x").is_ok(), is_token(byte), "{byte:#x} in a name");
            assert_eq!(request(name, b"/").is_ok(), is_token(byte), "{byte:#x} in a method");
            assert_eq!(
                response(200, name).is_ok(),
                byte == b'\t' || is_ascii_text,
                "{byte:#x} in a reason-phrase"
            );
        }
        let value = [b'a', byte, b'z'];
        assert_eq!(
            field("A", &value).is_ok(),
            byte == b'\t' || byte >= 0x80 || is_ascii_text,
            "{byte:#x} in a value"
        );
        assert_eq!(
            request("GET", &[b'/', byte, b'z']).is_ok(),
            byte > b' ' && byte != 0x7f,
            "{byte:#x} in a target"
        );
    }
}

#[test]
fn decoders_accept_a_byte_only_where_the_grammar_allows_it() {
    let response = |wire: &[u8]| ResponseDecoder::new().decode(wire).is_ok();
    let request = |wire: &[u8]| RequestDecoder::new().decode(wire).is_ok();
    for byte in 0..=255u8 {
        let text = byte == b'\t' || byte >= b' ' && byte != 0x7f;
        // At the end of the input, an LF may still follow the CR.
        let (line_end, lf) = (byte == b'\r' || byte == b'\n', byte == b'\n');
        assert_eq!(
            response(&[b"HTTP/1.1 200 a", &[byte][..]].concat()),
            text || line_end,
            "{byte:#x} in a reason"
        );
        assert_eq!(
            response(&[b"HTTP/1.1 200 OK\r\nA: b", &[byte][..]].concat()),
            text || line_end,
            "{byte:#x} in a value"
        );
        assert_eq!(
            response(&[b"HTTP/1.1 200 OK\r\nA: b", &[byte][..], b"c"].concat()),
            text || lf,
            "{byte:#x} in a value"
        );
        let colon = byte == b':';
        assert_eq!(
            response(&[b"HTTP/1.1 200 OK\r\nA", &[byte][..]].concat()),
            is_token(byte) || colon,
            "{byte:#x} in a name"
        );
        assert_eq!(
            request(&[b"G", &[byte][..]].concat()),
            is_token(byte) || byte == b' ',
            "{byte:#x} in a method"
        );
        let target = byte >= b' ' && byte != 0x7f;
        assert_eq!(request(&[b"GET /", &[byte][..]].concat()), target, "{byte:#x} in a target");
    }
}

/// `token`, copied from RFC 9110 §5.6.2.
fn is_token(byte: u8) -> bool {
    b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".contains(&byte)
}
