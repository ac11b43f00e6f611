//! Output: strings, and the indentation of `jq .`.

use crate::deliveries;
use crate::support::json_fault::{JsonErrorKind, JsonFault};
use crate::support::needs;
use std::io::Write;
use std::process::{Command, Stdio};
use unix_http::json::{JsonText, JsonTexts, Pointer, Value};

/// Indents a stream in every delivery.
fn lay_out(text: &[u8]) -> (String, Result<(), JsonFault>) {
    let mut outs = deliveries(text).into_iter().map(|slices| {
        let (mut texts, mut out) = (JsonTexts::default(), Vec::new());
        let mut print = |text: &JsonText| text.lay_out(&mut |line| out.extend_from_slice(line));
        let end = slices.iter().try_for_each(|slice| texts.feed(slice, &mut print));
        let end = end.and_then(|()| texts.finish(&mut print));
        (String::from_utf8(out).unwrap(), end.map_err(JsonFault::from))
    });
    let first = outs.next().unwrap();
    outs.for_each(|other| assert_eq!(first, other));
    first
}

fn pretty(text: &[u8]) -> String {
    let (out, end) = lay_out(text);
    assert_eq!(end, Ok(()), "{out}");
    out
}

/// Texts whose numbers jq does not change.
const TEXTS: &[(&str, &str)] = &[
    ("{}", "{}\n"),
    ("[]", "[]\n"),
    (" \"a\" ", "\"a\"\n"),
    ("1", "1\n"),
    ("{\"a\":1}", "{\n  \"a\": 1\n}\n"),
    ("[1,[],{},[[]]]", "[\n  1,\n  [],\n  {},\n  [\n    []\n  ]\n]\n"),
    (
        "{\"a\":{\"b\":[true,false,null]},\"c\":\"\"}",
        "{\n  \"a\": {\n    \"b\": [\n      true,\n      false,\n      null\n    ]\n  },\n  \"c\": \"\"\n}\n",
    ),
    ("{}\r\n{\"a\":[]}[1] 2", "{}\n{\n  \"a\": []\n}\n[\n  1\n]\n2\n"),
    (r#""\u003e\/\u00e9\ud834\udd1e é""#, "\">/\u{e9}\u{1d11e} é\"\n"),
    (r#""\"\\\b\f\n\r\t\u0000\u001f\u007f""#, "\"\\\"\\\\\\b\\f\\n\\r\\t\\u0000\\u001f\\u007f\"\n"),
    ("\"\x7f\"", "\"\\u007f\"\n"),
    (r#"{"k\n\u0061":1}"#, "{\n  \"k\\na\": 1\n}\n"),
];

#[test]
fn texts_are_indented() {
    for (text, want) in TEXTS {
        assert_eq!(pretty(text.as_bytes()), *want, "{text}");
    }
    assert_eq!(
        pretty(b"[1.50,1e400,123456789012345678901234567890]"),
        "[\n  1.50,\n  1e400,\n  123456789012345678901234567890\n]\n"
    );
    assert_eq!(pretty(b""), "");
}

#[test]
fn the_indentation_is_that_of_jq() {
    let Some(jq) = needs::program("jq") else { return };
    let mut jq =
        Command::new(jq).arg(".").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let all: String = TEXTS.iter().map(|(text, _)| format!("{text}\n")).collect();
    jq.stdin.take().unwrap().write_all(all.as_bytes()).unwrap();
    let out = jq.wait_with_output().unwrap();
    assert!(out.status.success());
    assert_eq!(pretty(all.as_bytes()), String::from_utf8(out.stdout).unwrap());
}

/// The rest of the text is printed unchanged: nothing is lost.
#[test]
fn a_text_is_indented_up_to_an_error() {
    let cases: &[(&[u8], &str, JsonErrorKind, u64)] = &[
        (b"{\"a\":[1,x]}", "{\n  \"a\": [\n    1,\n    x]}", JsonErrorKind::Value, 8),
        (b"{} {\"a\":[1, \"b", "{}\n{\n  \"a\": [\n    1,\n    \"b", JsonErrorKind::Incomplete, 14),
        (b"[1,]", "[\n  1,]", JsonErrorKind::TrailingComma, 3),
        (b"{\"a\" 1}", "{\"a\" 1}", JsonErrorKind::Colon, 5),
        (b"{\"a\": nope}", "{\n  \"a\":  nope}", JsonErrorKind::Literal, 7),
        (b"<html>", "<", JsonErrorKind::Value, 0),
    ];
    for &(text, out, kind, offset) in cases {
        let want = (out.to_owned(), Err(JsonFault { kind, offset }));
        assert_eq!(lay_out(text), want, "{}", text.escape_ascii());
    }
}

/// Each element can become a line of twice the depth, so output is passed on line by line.
#[test]
fn a_deep_text_is_passed_on_line_by_line() {
    let text = [b"[".repeat(500), b"0,".repeat(1000), b"0".to_vec(), b"]".repeat(500)].concat();
    let (mut longest, mut total) = (0, 0);
    let text = JsonText { bytes: &text, offset: 0 };
    text.lay_out(&mut |line| (longest, total) = (longest.max(line.len()), total + line.len()))
        .unwrap();
    assert!(longest < 1100 && total > 1_000_000, "{longest} of {total}");
}

#[test]
fn a_selected_value_can_be_indented() {
    let (mut texts, mut out) = (JsonTexts::default(), Vec::new());
    let pointer = Pointer::parse("/a").unwrap();
    let mut print = |text: &JsonText| {
        text.select(&pointer, &mut |value| {
            value.print(true, &mut |part| out.extend_from_slice(part))
        })
        .map(drop)
    };
    texts.feed(b"{\"a\":{\"b\":[1]}} {\"a\":\"x\\ny\"} {\"a\":null}", &mut print).unwrap();
    assert_eq!(out, b"{\n  \"b\": [\n    1\n  ]\n}\nx\ny\nnull\n");
}

#[test]
fn a_value_is_written_with_its_commas() {
    let text =
        r#"{"":"{","n\n":-7,"b":true,"list":[[],{},":",1.50,{"a":[1.5,{}],"a":null}],"last":null}"#;
    assert_eq!(Value::parse(text.as_bytes()).unwrap().to_string(), text);
    for number in ["1e", "NaN"] {
        let value = Value::Number(number.into());
        assert_eq!(value.to_string(), "null", "no number is written that is none");
    }
}

#[test]
fn a_written_string_is_read_back_unchanged() {
    let all: String = (0..=0x2ff)
        .chain([0xd7ff, 0xe000, 0xfeff, 0xffff, 0x10000, 0x10ffff])
        .filter_map(char::from_u32)
        .collect();
    let out = Value::String(all.clone()).to_string();
    assert_eq!(Value::parse(out.as_bytes()), Ok(Value::String(all)));
}
