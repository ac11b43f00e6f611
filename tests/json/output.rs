//! What is written: strings, and the lay-out of `jq .`.

use crate::deliveries;
use crate::support::needs;
use std::io::Write;
use std::process::{Command, Stdio};
use unix_http::json::{Pointer, Pretty, Select, Value, encode_string};

fn pretty(text: &[u8]) -> String {
    let mut outs = deliveries(text).into_iter().map(|slices| {
        let (mut pretty, mut out) = (Pretty::new(), Vec::new());
        slices.iter().for_each(|slice| pretty.feed(slice, &mut out).unwrap());
        pretty.finish(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    });
    let first = outs.next().unwrap();
    outs.for_each(|other| assert_eq!(first, other));
    first
}

/// Texts whose numbers jq leaves as they are.
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
fn texts_are_laid_out() {
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
fn as_jq_lays_them_out() {
    let Some(jq) = needs::program("jq") else { return };
    let mut jq =
        Command::new(jq).arg(".").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let all: String = TEXTS.iter().map(|(text, _)| format!("{text}\n")).collect();
    jq.stdin.take().unwrap().write_all(all.as_bytes()).unwrap();
    let out = jq.wait_with_output().unwrap();
    assert!(out.status.success());
    assert_eq!(pretty(all.as_bytes()), String::from_utf8(out.stdout).unwrap());
}

#[test]
fn what_came_before_an_error_is_laid_out() {
    let (mut pretty, mut out) = (Pretty::new(), Vec::new());
    let error = pretty.feed(b"{\"a\":[1,x", &mut out).unwrap_err();
    assert_eq!((error.offset, out.as_slice()), (8, &b"{\n  \"a\": [\n    1"[..]));
}

#[test]
fn a_selected_value_can_be_laid_out() {
    let mut select = Select::new(Pointer::parse("/a").unwrap()).pretty();
    let mut out = Vec::new();
    select.feed(b"{\"a\":{\"b\":[1]}} {\"a\":\"x\\ny\"} {\"a\":null}", &mut out).unwrap();
    select.finish(&mut out).unwrap();
    assert_eq!(out, b"{\n  \"b\": [\n    1\n  ]\n}\nx\ny\nnull\n");
}

#[test]
fn strings_written_are_strings_read() {
    let all: String = (0..=0x2ff)
        .chain([0xd7ff, 0xe000, 0xfeff, 0xffff, 0x10000, 0x10ffff])
        .filter_map(char::from_u32)
        .collect();
    let mut out = Vec::new();
    encode_string(&mut out, &all);
    assert_eq!(Value::parse(&out), Ok(Value::String(all)));
}
