//! The grammar, the limits and the sequence mode.

use crate::support::json_fault::JsonErrorKind as Kind;
use crate::support::json_fault::{JsonErrorKind, JsonFault};
use crate::{read, read_every_way, read_stream};
use unix_http::json::{JsonTexts, Value};

/// What the page of `json` states (RFC 8259 §9).
const DEPTH_LIMIT: usize = 512;
const TEXT_LIMIT: usize = 64 << 20;

/// A valid text, and its content: names with a colon, strings in single quotes.
const VALID: &[(&str, &[u8], &str)] = &[
    ("rfc8259-2-ws-all-four", b" \t\r\n[ \t\r\n] \t\r\n", "[ ]"),
    ("rfc8259-2-scalar-text-string", b"\"a\"", "'a'"),
    ("rfc8259-2-scalar-text-number", b"42", "42"),
    ("rfc8259-2-scalar-text-negative", b"-0.1 ", "-0.1"),
    ("rfc8259-2-scalar-text-true", b"true", "true"),
    ("rfc8259-2-scalar-text-false", b"false", "false"),
    ("rfc8259-2-scalar-text-null", b"null\n", "null"),
    ("rfc8259-4-object-empty", b"{}", "{ }"),
    ("rfc8259-4-object-empty-spaced", b"{ }", "{ }"),
    ("rfc8259-4-object-one", b"{\"a\":1}", "{ a: 1 }"),
    ("rfc8259-4-object-two", b"{\"a\" : 1 , \"b\" : 2}", "{ a: 1 b: 2 }"),
    ("rfc8259-4-object-name-empty", b"{\"\":0}", "{ : 0 }"),
    ("rfc8259-4-object-name-escaped", b"{\"a\\u0062\\n\":0}", "{ ab\n: 0 }"),
    ("rfc8259-4-object-name-nul", b"{\"\\u0000\":0}", "{ \0: 0 }"),
    ("rfc8259-4-object-names-same", b"{\"a\":1,\"a\":2}", "{ a: 1 a: 2 }"),
    ("rfc8259-4-object-nested", b"{\"a\":{\"b\":{\"c\":[]}}}", "{ a: { b: { c: [ ] } } }"),
    ("rfc8259-5-array-empty", b"[]", "[ ]"),
    (
        "rfc8259-5-array-mixed",
        b"[null,1,\"1\",{},[],true,false]",
        "[ null 1 '1' { } [ ] true false ]",
    ),
    ("rfc8259-5-array-newlines", b"[1\n,\r\n2]", "[ 1 2 ]"),
    ("rfc8259-5-array-of-arrays", b"[[],[[]],[[[]]]]", "[ [ ] [ [ ] ] [ [ [ ] ] ] ]"),
    ("rfc8259-6-zero", b"[0]", "[ 0 ]"),
    ("rfc8259-6-minus-zero", b"[-0]", "[ -0 ]"),
    ("rfc8259-6-minus-zero-frac", b"[-0.0]", "[ -0.0 ]"),
    ("rfc8259-6-int", b"[1234567890]", "[ 1234567890 ]"),
    ("rfc8259-6-negative", b"[-1]", "[ -1 ]"),
    ("rfc8259-6-frac", b"[123.456]", "[ 123.456 ]"),
    ("rfc8259-6-frac-zero", b"[0.5,1.0,1.50]", "[ 0.5 1.0 1.50 ]"),
    ("rfc8259-6-exp", b"[0e1,0e+1,1E2,1e-2]", "[ 0e1 0e+1 1E2 1e-2 ]"),
    ("rfc8259-6-exp-zeros", b"[1e00,1e007]", "[ 1e00 1e007 ]"),
    ("rfc8259-6-frac-exp", b"[123.456E+78]", "[ 123.456E+78 ]"),
    ("rfc8259-6-beyond-u64", b"[18446744073709551616]", "[ 18446744073709551616 ]"),
    ("rfc8259-6-beyond-double", b"[1e9999,-1e-9999]", "[ 1e9999 -1e-9999 ]"),
    (
        "rfc8259-6-many-digits",
        b"[0.30000000000000000000000000000000000004]",
        "[ 0.30000000000000000000000000000000000004 ]",
    ),
    ("rfc8259-7-empty", b"[\"\"]", "[ '' ]"),
    ("rfc8259-7-two-character-escapes", br#"["\"\\\/\b\f\n\r\t"]"#, "[ '\"\\/\u{8}\u{c}\n\r\t' ]"),
    ("rfc8259-7-escaped-backslash-then-n", br#"["\\n"]"#, "[ '\\n' ]"),
    (
        "rfc8259-7-hex-both-cases",
        br#"["\u00e9\u00E9\uABCD\uabcd"]"#,
        "[ '\u{e9}\u{e9}\u{abcd}\u{abcd}' ]",
    ),
    ("rfc8259-7-escaped-nul", br#"["\u0000"]"#, "[ '\0' ]"),
    ("rfc8259-7-escaped-controls", br#"["\u0001\u001f\u007f"]"#, "[ '\u{1}\u{1f}\u{7f}' ]"),
    ("rfc8259-7-escaped-noncharacter", br#"["\uFFFF\ufdd0"]"#, "[ '\u{ffff}\u{fdd0}' ]"),
    ("rfc8259-7-surrogate-pair", br#"["\uD834\uDD1E"]"#, "[ '\u{1d11e}' ]"),
    ("rfc8259-7-surrogate-pair-first", br#"["\ud800\udc00"]"#, "[ '\u{10000}' ]"),
    ("rfc8259-7-surrogate-pair-last", br#"["\udbff\udfff"]"#, "[ '\u{10ffff}' ]"),
    (
        "rfc8259-7-two-surrogate-pairs",
        br#"["\ud83d\ude39\ud83d\udc8d"]"#,
        "[ '\u{1f639}\u{1f48d}' ]",
    ),
    ("rfc8259-7-raw-delete", b"[\"\x7f\"]", "[ '\u{7f}' ]"),
    ("rfc8259-7-structural-characters", b"[\"{}[]:,\"]", "[ '{}[]:,' ]"),
    ("rfc8259-7-comment-in-string", b"[\"a/*b*/c//d\"]", "[ 'a/*b*/c//d' ]"),
    ("rfc8259-7-as-docker-writes", br#"{"stream":" ---\u003e 98\n"}"#, "{ stream: ' ---> 98\n' }"),
    ("rfc8259-8.1-two-bytes", b"[\"\xc2\x80\xdf\xbf\"]", "[ '\u{80}\u{7ff}' ]"),
    (
        "rfc8259-8.1-three-bytes",
        b"[\"\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf\"]",
        "[ '\u{800}\u{d7ff}\u{e000}\u{ffff}' ]",
    ),
    (
        "rfc8259-8.1-four-bytes",
        b"[\"\xf0\x90\x80\x80\xf3\xbf\xbf\xbf\xf4\x8f\xbf\xbf\"]",
        "[ '\u{10000}\u{fffff}\u{10ffff}' ]",
    ),
    ("rfc8259-8.1-line-separators", b"[\"\xe2\x80\xa8\xe2\x80\xa9\"]", "[ '\u{2028}\u{2029}' ]"),
    ("rfc8259-8.1-bom-inside-string", b"[\"\xef\xbb\xbf\"]", "[ '\u{feff}' ]"),
    ("rfc8259-8.1-name", b"{\"\xe2\x82\xac\":0}", "{ \u{20ac}: 0 }"),
];

/// An invalid text, the rule that it breaks, and the offset of the error.
const INVALID: &[(&str, &[u8], JsonErrorKind, u64)] = &[
    ("rfc8259-2-nothing", b"", Kind::Incomplete, 0),
    ("rfc8259-2-only-space", b" \n", Kind::Incomplete, 2),
    ("rfc8259-2-form-feed", b"\x0c[]", Kind::Value, 0),
    ("rfc8259-2-vertical-tab-inside", b"[\x0b]", Kind::Value, 1),
    ("rfc8259-2-no-break-space", b"[\xc2\xa0]", Kind::Value, 1),
    ("rfc8259-2-nul", b"\0", Kind::Value, 0),
    ("rfc8259-2-nul-after", b"[]\0", Kind::TrailingData, 2),
    ("rfc8259-2-trailing-bracket", b"[1]]", Kind::TrailingData, 3),
    ("rfc8259-2-trailing-brace", b"{}}", Kind::TrailingData, 2),
    ("rfc8259-2-trailing-comma", b"[],", Kind::TrailingData, 2),
    ("rfc8259-2-trailing-comment", b"{}/**/", Kind::TrailingData, 2),
    ("rfc8259-2-trailing-word", b"{} x", Kind::TrailingData, 3),
    ("rfc8259-2-two-texts", b"{}\n{}", Kind::TrailingData, 3),
    ("rfc8259-2-two-numbers", b"1 2", Kind::TrailingData, 2),
    ("rfc8259-2-number-then-letter", b"2x", Kind::TrailingData, 1),
    ("rfc8259-2-open-array", b"[", Kind::Incomplete, 1),
    ("rfc8259-2-open-array-after-element", b"[1", Kind::Incomplete, 2),
    ("rfc8259-2-open-array-after-comma", b"[1,", Kind::Incomplete, 3),
    ("rfc8259-2-open-object", b"{", Kind::Incomplete, 1),
    ("rfc8259-2-open-object-after-name", b"{\"a\"", Kind::Incomplete, 4),
    ("rfc8259-2-open-object-after-colon", b"{\"a\":", Kind::Incomplete, 5),
    ("rfc8259-2-open-object-after-value", b"{\"a\":1", Kind::Incomplete, 6),
    ("rfc8259-2-open-string", b"\"a", Kind::Incomplete, 2),
    ("rfc8259-2-open-string-after-backslash", b"\"\\", Kind::Incomplete, 2),
    ("rfc8259-2-open-string-in-hex", b"\"\\u00", Kind::Incomplete, 5),
    ("rfc8259-2-open-string-in-pair", b"\"\\ud800\\", Kind::Incomplete, 8),
    ("rfc8259-2-open-string-in-utf8", b"\"\xe2\x82", Kind::Incomplete, 3),
    ("rfc8259-2-open-literal", b"tru", Kind::Incomplete, 3),
    ("rfc8259-2-open-minus", b"-", Kind::Incomplete, 1),
    ("rfc8259-2-open-point", b"1.", Kind::Incomplete, 2),
    ("rfc8259-2-open-exponent", b"1e+", Kind::Incomplete, 3),
    ("rfc8259-3-capital-true", b"[True]", Kind::Value, 1),
    ("rfc8259-3-capital-end", b"[nulL]", Kind::Literal, 4),
    ("rfc8259-3-half-literal", b"[tru]", Kind::Literal, 4),
    ("rfc8259-3-nul-for-null", b"[nul,1]", Kind::Literal, 4),
    ("rfc8259-3-literal-runs-on", b"[truex]", Kind::ElementEnd, 5),
    ("rfc8259-3-nan", b"[NaN]", Kind::Value, 1),
    ("rfc8259-3-minus-nan", b"[-NaN]", Kind::Digit, 2),
    ("rfc8259-3-infinity", b"[Infinity]", Kind::Value, 1),
    ("rfc8259-3-minus-infinity", b"[-Infinity]", Kind::Digit, 2),
    ("rfc8259-3-undefined", b"undefined", Kind::Value, 0),
    ("rfc8259-3-single-quotes", b"['a']", Kind::Value, 1),
    ("rfc8259-3-line-comment", b"// x\n{}", Kind::Value, 0),
    ("rfc8259-3-block-comment", b"{\"a\":/**/1}", Kind::Value, 5),
    ("rfc8259-3-closing-first", b"]", Kind::Value, 0),
    ("rfc8259-3-colon-in-array", b"[:1]", Kind::Value, 1),
    ("rfc8259-3-no-value", b"{\"a\":}", Kind::Value, 5),
    ("rfc8259-3-two-colons", b"{\"a\"::1}", Kind::Value, 5),
    ("rfc8259-4-no-quotes", b"{a:1}", Kind::Name, 1),
    ("rfc8259-4-single-quotes", b"{'a':1}", Kind::Name, 1),
    ("rfc8259-4-number-as-name", b"{1:1}", Kind::Name, 1),
    ("rfc8259-4-null-as-name", b"{null:1}", Kind::Name, 1),
    ("rfc8259-4-leading-comma", b"{,\"a\":1}", Kind::Name, 1),
    ("rfc8259-4-two-commas", b"{\"a\":1,,\"b\":2}", Kind::Name, 7),
    ("rfc8259-4-trailing-comma", b"{\"a\":1,}", Kind::TrailingComma, 7),
    ("rfc8259-4-bracket-in-object", b"{]", Kind::Name, 1),
    ("rfc8259-4-bracket-after-comma", b"{\"a\":1,]", Kind::Name, 7),
    ("rfc8259-4-no-colon", b"{\"a\" 1}", Kind::Colon, 5),
    ("rfc8259-4-comma-for-colon", b"{\"a\",1}", Kind::Colon, 4),
    ("rfc8259-4-equals-for-colon", b"{\"a\"=1}", Kind::Colon, 4),
    ("rfc8259-4-name-only", b"{\"a\"}", Kind::Colon, 4),
    ("rfc8259-4-no-comma", b"{\"a\":1 \"b\":2}", Kind::MemberEnd, 7),
    ("rfc8259-4-semicolon", b"{\"a\":1;}", Kind::MemberEnd, 6),
    ("rfc8259-4-wrong-end", b"{\"a\":1]", Kind::MemberEnd, 6),
    ("rfc8259-4-end-quote-escaped", b"{\"a\\\":1}", Kind::Incomplete, 8),
    ("rfc8259-5-leading-comma", b"[,1]", Kind::Value, 1),
    ("rfc8259-5-only-comma", b"[,]", Kind::Value, 1),
    ("rfc8259-5-two-commas", b"[1,,2]", Kind::Value, 3),
    ("rfc8259-5-trailing-comma", b"[1,]", Kind::TrailingComma, 3),
    ("rfc8259-5-trailing-comma-spaced", b"[\"\", ]", Kind::TrailingComma, 5),
    ("rfc8259-5-no-comma", b"[1 2]", Kind::ElementEnd, 3),
    ("rfc8259-5-no-comma-after-array", b"[[][]]", Kind::ElementEnd, 3),
    ("rfc8259-5-colon", b"[\"\":1]", Kind::ElementEnd, 3),
    ("rfc8259-5-wrong-end", b"[1}", Kind::ElementEnd, 2),
    ("rfc8259-5-wrong-end-at-once", b"[}", Kind::Value, 1),
    ("rfc8259-6-plus", b"[+1]", Kind::Value, 1),
    ("rfc8259-6-leading-point", b"[.5]", Kind::Value, 1),
    ("rfc8259-6-leading-zero", b"[012]", Kind::LeadingZero, 2),
    ("rfc8259-6-minus-leading-zero", b"[-01]", Kind::LeadingZero, 3),
    ("rfc8259-6-two-zeros", b"[00]", Kind::LeadingZero, 2),
    ("rfc8259-6-two-minuses", b"[--1]", Kind::Digit, 2),
    ("rfc8259-6-minus-space", b"[- 1]", Kind::Digit, 2),
    ("rfc8259-6-minus-point", b"[-.5]", Kind::Digit, 2),
    ("rfc8259-6-no-frac", b"[1.]", Kind::Digit, 3),
    ("rfc8259-6-no-frac-before-exp", b"[1.e1]", Kind::Digit, 3),
    ("rfc8259-6-two-points", b"[1.2.3]", Kind::ElementEnd, 4),
    ("rfc8259-6-no-exp", b"[1e]", Kind::Digit, 3),
    ("rfc8259-6-no-exp-after-sign", b"[1e+]", Kind::Digit, 4),
    ("rfc8259-6-exp-two-signs", b"[1e+-1]", Kind::Digit, 4),
    ("rfc8259-6-exp-frac", b"[1e1.5]", Kind::ElementEnd, 4),
    ("rfc8259-6-hex", b"[0x1]", Kind::ElementEnd, 2),
    ("rfc8259-6-hex-digits", b"[1a]", Kind::ElementEnd, 2),
    ("rfc8259-6-expression", b"[1+2]", Kind::ElementEnd, 2),
    ("rfc8259-6-thousands", b"[1 000]", Kind::ElementEnd, 3),
    ("rfc8259-6-fullwidth-digit", b"[\xef\xbc\x91]", Kind::Value, 1),
    ("rfc8259-7-newline", b"[\"a\nb\"]", Kind::Control, 3),
    ("rfc8259-7-tab", b"[\"\t\"]", Kind::Control, 2),
    ("rfc8259-7-nul", b"[\"a\0a\"]", Kind::Control, 3),
    ("rfc8259-7-unit-separator", b"[\"\x1f\"]", Kind::Control, 2),
    ("rfc8259-7-newline-in-name", b"{\"a\n\":1}", Kind::Control, 3),
    ("rfc8259-7-escape-x", br#"["\x00"]"#, Kind::Escape, 3),
    ("rfc8259-7-escape-capital-n", br#"["\N"]"#, Kind::Escape, 3),
    ("rfc8259-7-escape-capital-u", br#"["\U0041"]"#, Kind::Escape, 3),
    ("rfc8259-7-escape-quote", br#"["\'"]"#, Kind::Escape, 3),
    ("rfc8259-7-escape-zero", br#"["\0"]"#, Kind::Escape, 3),
    ("rfc8259-7-escape-newline", b"[\"\\\n\"]", Kind::Escape, 3),
    ("rfc8259-7-escape-utf8", b"[\"\\\xe2\x82\xac\"]", Kind::Escape, 3),
    ("rfc8259-7-hex-three", br#"["\u00A"]"#, Kind::Hex, 7),
    ("rfc8259-7-hex-g", br#"["\u00G0"]"#, Kind::Hex, 6),
    ("rfc8259-7-hex-braces", br#"["\u{41}"]"#, Kind::Hex, 4),
    ("rfc8259-7-hex-sign", br#"["\u+041"]"#, Kind::Hex, 4),
    ("rfc8259-7-lone-string", b"\"\"\"", Kind::TrailingData, 2),
    ("rfc8259-8.2-low-alone", br#"["\udc00"]"#, Kind::Surrogate, 7),
    ("rfc8259-8.2-high-alone", br#"["\ud800"]"#, Kind::Surrogate, 8),
    ("rfc8259-8.2-high-then-text", br#"["\ud800abc"]"#, Kind::Surrogate, 8),
    ("rfc8259-8.2-high-then-newline-escape", br#"["\ud800\n"]"#, Kind::Surrogate, 9),
    ("rfc8259-8.2-high-then-high", br#"["\ud800\ud800"]"#, Kind::Surrogate, 13),
    ("rfc8259-8.2-high-then-a", br#"["\udbff\u0041"]"#, Kind::Surrogate, 13),
    ("rfc8259-8.2-low-then-high", br#"["\udd1e\ud834"]"#, Kind::Surrogate, 7),
    ("rfc8259-8.2-high-then-hex-broken", br#"["\ud800\udc0"]"#, Kind::Hex, 13),
    ("rfc8259-8.1-bom", b"\xef\xbb\xbf{}", Kind::ByteOrderMark, 0),
    ("rfc8259-8.1-bom-cut", b"\xef\xbb{}", Kind::ByteOrderMark, 0),
    ("rfc8259-8.1-bom-later", b" \xef\xbb\xbf{}", Kind::Value, 1),
    ("rfc8259-8.1-utf16-le", b"[\0\"\0]\0", Kind::Value, 1),
    ("rfc8259-8.1-utf16-be", b"\0[\0]", Kind::Value, 0),
    ("rfc8259-8.1-utf16-bom", b"\xff\xfe[\0", Kind::Value, 0),
    ("rfc8259-8.1-latin1", b"[\"\xe9\"]", Kind::Utf8, 3),
    ("rfc8259-8.1-tail-alone", b"[\"\x80\"]", Kind::Utf8, 2),
    ("rfc8259-8.1-overlong-2", b"[\"\xc0\xaf\"]", Kind::Utf8, 2),
    ("rfc8259-8.1-overlong-2-c1", b"[\"\xc1\xbf\"]", Kind::Utf8, 2),
    ("rfc8259-8.1-overlong-3", b"[\"\xe0\x9f\xbf\"]", Kind::Utf8, 3),
    ("rfc8259-8.1-overlong-4", b"[\"\xf0\x8f\xbf\xbf\"]", Kind::Utf8, 3),
    ("rfc8259-8.1-surrogate", b"[\"\xed\xa0\x80\"]", Kind::Utf8, 3),
    ("rfc8259-8.1-beyond-10ffff", b"[\"\xf4\x90\x80\x80\"]", Kind::Utf8, 3),
    ("rfc8259-8.1-five-bytes", b"[\"\xf8\x88\x80\x80\x80\"]", Kind::Utf8, 2),
    ("rfc8259-8.1-ff", b"[\"\xff\"]", Kind::Utf8, 2),
    ("rfc8259-8.1-cut-by-quote", b"[\"\xe2\x82\"]", Kind::Utf8, 4),
    ("rfc8259-8.1-cut-by-escape", b"[\"\xc3\\n\"]", Kind::Utf8, 3),
    ("rfc8259-8.1-cut-by-lead", b"[\"\xe2\xc3\xa9\"]", Kind::Utf8, 3),
    ("rfc8259-8.1-in-name", b"{\"\xff\":0}", Kind::Utf8, 2),
    ("rfc8259-8.1-after-number", b"[1\xe9]", Kind::ElementEnd, 2),
];

#[test]
fn valid_texts_are_read() {
    for &(id, text, texts) in VALID {
        for reading in [read(text), read_every_way(text)] {
            assert_eq!((reading.texts.as_str(), reading.end), (texts, Ok(())), "{id}");
        }
    }
}

#[test]
fn a_written_value_is_read_back_unchanged() {
    for &(id, text, _) in VALID {
        let value = Value::parse(text).unwrap();
        assert_eq!(Value::parse(value.to_string().as_bytes()), Ok(value), "{id}");
    }
}

#[test]
fn a_truncated_text_is_incomplete() {
    for &(id, text, _) in VALID {
        let text = text.trim_ascii();
        if text[0] == b'-' || text[0].is_ascii_digit() {
            continue; // The beginning of a number can be a number.
        }
        for len in 0..text.len() {
            let end = Err(JsonFault { kind: Kind::Incomplete, offset: len as u64 });
            assert_eq!(read(&text[..len]).end, end, "{id} cut at {len}");
            if len > 0 {
                assert_eq!(read_stream([&text[..len]]).end, end, "{id} cut at {len} in a stream");
            }
        }
    }
}

#[test]
fn an_invalid_text_is_rejected_with_its_rule_and_offset() {
    for &(id, text, kind, offset) in INVALID {
        let end = Err(JsonFault { kind, offset });
        assert_eq!(read(text).end, end, "{id}");
        let stream = read_every_way(text).end;
        // A stream may contain several texts, or none.
        if kind != Kind::TrailingData && !text.trim_ascii().is_empty() {
            assert_eq!(stream, end, "{id} in a stream");
        }
    }
}

#[test]
fn an_error_is_reported_at_the_deciding_byte() {
    for &(id, text, kind, offset) in INVALID {
        if kind != Kind::Incomplete {
            let error = Err(JsonFault { kind, offset });
            let before = &text[..offset as usize];
            assert!(
                read(before).end.is_ok_and(|()| true)
                    || read(before).end == Err(JsonFault { kind: Kind::Incomplete, offset }),
                "{id} too early"
            );
            assert_eq!(read(&text[..=offset as usize]).end, error, "{id} not at once");
        }
    }
}

/// A live stream delivers each text with its last byte, and an error without waiting for a bracket.
#[test]
fn texts_and_errors_are_delivered_at_once() {
    for text in ["{}", "[[],{\"a\":\"]\\\"\"}]", "\"a\"", "1 ", "null\n"] {
        let (mut stream, mut seen) = (JsonTexts::default(), 0);
        for byte in text.bytes() {
            assert_eq!(seen, 0, "{text} too early");
            stream.feed(&[byte], &mut |text| text.value().map(|_| seen += 1)).unwrap();
        }
        assert_eq!(seen, 1, "{text} not at once");
    }
    for text in ["<", "]", ":", "\0", "\u{feff}", "\"\n", "[\"\t", "[\"\\\n"] {
        let mut stream = JsonTexts::default();
        let end = stream.feed(text.as_bytes(), &mut |text| text.value().map(drop));
        assert_eq!(end.map_err(JsonFault::from), read(text.as_bytes()).end, "{text:?}");
        assert!(end.is_err(), "{text:?}");
    }
}

#[test]
fn a_stream_is_split_into_texts() {
    let valid: &[(&str, &[u8], &str)] = &[
        ("empty", b"", ""),
        ("only-space", b"\r\n\n", ""),
        ("lf", b"{}\n{}\n", "{ } { }"),
        ("crlf", b"{\"a\":1}\r\n[]\r\n", "{ a: 1 } [ ]"),
        ("nothing-between", b"{}{}[]\"a\"\"b\"1[]null\"c\"", "{ } { } [ ] 'a' 'b' 1 [ ] null 'c'"),
        ("numbers", b"1 2\n-3", "1 2 -3"),
        ("literals", b"true null\tfalse", "true null false"),
        ("rfc7464-record-separators", b"\x1e{}\n\x1e1\n\x1e\"a\"\n", "{ } 1 'a'"),
    ];
    for &(id, text, texts) in valid {
        let reading = read_every_way(text);
        assert_eq!((reading.texts.as_str(), reading.end), (texts, Ok(())), "{id}");
    }
    let invalid: &[(&str, &[u8], JsonErrorKind, u64)] = &[
        ("literals-touch", b"truefalse", Kind::TrailingData, 4),
        ("number-touches-literal", b"1true", Kind::TrailingData, 1),
        ("literal-touches-number", b"null1", Kind::TrailingData, 4),
        ("numbers-touch", b"0-1", Kind::TrailingData, 1),
        ("comma", b"{},{}", Kind::Value, 2),
        ("closed-twice", b"{}}", Kind::Value, 2),
        ("cut", b"{}\n{", Kind::Incomplete, 4),
        ("record-separator-inside", b"[\x1e]", Kind::Value, 1),
        ("error-in-the-third", b"{}\n{}\n{x}", Kind::Name, 7),
    ];
    for &(id, text, kind, offset) in invalid {
        let reading = read_every_way(text);
        assert_eq!(reading.end, Err(JsonFault { kind, offset }), "{id}");
    }
    assert_eq!(read(b"\x1e{}").end, Err(JsonFault { kind: Kind::Value, offset: 0 }));
}

#[test]
fn each_limit_has_its_own_error() {
    let too_deep = |offset| Err(JsonFault { kind: Kind::TooDeep, offset });
    let nested = |open: &[u8], depth: usize, inner: &[u8], close: &[u8]| {
        [open.repeat(depth), inner.to_vec(), close.repeat(depth)].concat()
    };
    let (at, over) = (DEPTH_LIMIT, DEPTH_LIMIT as u64);
    let cases: &[(&str, Vec<u8>, Result<(), JsonFault>)] = &[
        ("depth-at", nested(b"[", at, b"", b"]"), Ok(())),
        ("depth-object-at", nested(b"{\"\":", at, b"0", b"}"), Ok(())),
        ("depth-over", nested(b"[", at + 1, b"", b"]"), too_deep(over)),
        ("depth-object-over", nested(b"[", at, b"{", b""), too_deep(over)),
        ("depth-beside", nested(b"[", at - 1, b"[],[]", b"]"), Ok(())),
        ("depth-bomb", b"[".repeat(1 << 20), too_deep(over)),
        ("depth-bomb-of-objects", b"{\"\":".repeat(1 << 20), too_deep(over * 4)),
    ];
    for (id, text, end) in cases {
        for reading in [read(text), read_stream([&text[..]]), read_stream(text.chunks(7))] {
            assert_eq!(reading.end, *end, "{id}");
        }
    }
}

#[test]
fn an_endless_text_is_rejected_at_the_limit() {
    let too_long = |offset| Err(JsonFault { kind: Kind::TooLong, offset });
    let mut stream = JsonTexts::default();
    let mut feed = |bytes: &[u8]| stream.feed(bytes, &mut |text| text.value().map(drop));
    assert_eq!(feed(b"[1]\n\""), Ok(()));
    let piece = vec![b'x'; 1 << 20];
    let end = (0..TEXT_LIMIT >> 20).try_for_each(|_| feed(&piece));
    assert_eq!(feed(b"\""), end, "an error is final");
    assert_eq!(end.map_err(JsonFault::from), too_long(4 + TEXT_LIMIT as u64));
}

#[test]
fn a_value_has_typed_accessors() {
    let text = br#"{"a":[1,-2.5,"x\u00e9",true,null,{}],"A":1,"a":{"b":"last"}}"#;
    let value = Value::parse(text).unwrap();
    let first = Value::Array(vec![
        Value::Number("1".into()),
        Value::Number("-2.5".into()),
        Value::String("x\u{e9}".into()),
        Value::Bool(true),
        Value::Null,
        Value::Object(vec![]),
    ]);
    let last = Value::Object(vec![("b".into(), Value::String("last".into()))]);
    assert_eq!(value.members()[0], ("a".to_owned(), first));
    assert_eq!(value.get("a"), Some(&last), "the last of several");
    assert_eq!(value.get("A").and_then(Value::as_i64), Some(1));
    assert_eq!(value.get("b"), None);
    assert_eq!(value.members()[0].1.elements()[3].as_bool(), Some(true));
    assert_eq!(value.elements(), []);
}

#[test]
fn numbers_keep_their_text() {
    let cases = [
        ("9223372036854775807", Some(i64::MAX), Some(i64::MAX as u64), Some(9223372036854775807.0)),
        ("18446744073709551615", None, Some(u64::MAX), Some(18446744073709551615.0)),
        ("18446744073709551616", None, None, Some(18446744073709551616.0)),
        ("-1", Some(-1), None, Some(-1.0)),
        ("1e3", None, None, Some(1000.0)),
        ("0.5", None, None, Some(0.5)),
        ("1e400", None, None, None),
        ("\"1\"", None, None, None),
    ];
    for (text, i64, u64, f64) in cases {
        let value = Value::parse(text.as_bytes()).unwrap();
        assert_eq!((value.as_i64(), value.as_u64(), value.as_f64()), (i64, u64, f64), "{text}");
    }
}
