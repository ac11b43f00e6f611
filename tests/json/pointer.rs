//! JSON Pointer (RFC 6901) on the texts of a stream and on trees.

use crate::deliveries;
use crate::support::json_fault::JsonErrorKind as Kind;
use crate::support::json_fault::{JsonErrorKind, JsonFault};
use unix_http::json::{JsonText, JsonTexts, Pointer, Value};

/// The document of RFC 6901 §5.
const SECTION_5: &str = r#"{
      "foo": ["bar", "baz"],
      "": 0,
      "a/b": 1,
      "c%d": 2,
      "e^f": 3,
      "g|h": 4,
      "i\\j": 5,
      "k\"l": 6,
      " ": 7,
      "m~n": 8
   }"#;

/// The values that were selected in a stream.
#[derive(Debug, Default, PartialEq)]
struct Selected {
    texts: usize,
    found: usize,
    /// Of the latest text.
    miss: Option<String>,
}

fn select(pointer: &str, text: &[u8]) -> (String, Selected, Result<(), JsonFault>) {
    let pointer = Pointer::parse(pointer).unwrap();
    let mut readings = deliveries(text).into_iter().map(|slices| {
        let (mut texts, mut out, mut selected) =
            (JsonTexts::default(), Vec::new(), Selected::default());
        let mut each = |text: &JsonText| {
            selected.miss = text.select(&pointer, &mut |value| {
                selected.found += 1;
                value.print(false, &mut |part| out.extend_from_slice(part));
            })?;
            selected.texts += 1;
            Ok(())
        };
        let end = slices.iter().try_for_each(|slice| texts.feed(slice, &mut each));
        let end = end.and_then(|()| texts.finish(&mut each));
        (String::from_utf8(out).unwrap(), selected, end.map_err(JsonFault::from))
    });
    let first = readings.next().unwrap();
    for other in readings {
        assert_eq!(first, other, "{pointer} in {:?}", String::from_utf8_lossy(text));
    }
    first
}

#[test]
fn pointers_follow_the_examples_of_the_standard() {
    let whole = format!("{SECTION_5}\n");
    let cases = [
        ("", whole.as_str()),
        ("/foo", "[\"bar\", \"baz\"]\n"),
        ("/foo/0", "bar\n"),
        ("/", "0\n"),
        ("/a~1b", "1\n"),
        ("/c%d", "2\n"),
        ("/e^f", "3\n"),
        ("/g|h", "4\n"),
        ("/i\\j", "5\n"),
        ("/k\"l", "6\n"),
        ("/ ", "7\n"),
        ("/m~0n", "8\n"),
    ];
    for (pointer, want) in cases {
        let (out, select, end) = select(pointer, SECTION_5.as_bytes());
        assert_eq!(
            (out.as_str(), end, select.found, select.miss),
            (want, Ok(()), 1, None),
            "{pointer:?}"
        );
    }
}

#[test]
fn a_selected_value_is_printed_unchanged() {
    let cases: &[(&str, &str, &str, &str)] = &[
        ("string-escapes", "/a", r#"{"a":"x\u00e9\ud834\udd1e\n\"\/"}"#, "x\u{e9}\u{1d11e}\n\"/\n"),
        ("string-empty", "/a", r#"{"a":""}"#, "\n"),
        ("number-verbatim", "/a", r#"{"a":1.50e+07}"#, "1.50e+07\n"),
        ("number-last-in-array", "/1", "[1,2]", "2\n"),
        ("number-root", "", "12", "12\n"),
        ("string-root", "", "\"a b\"", "a b\n"),
        ("true", "/a", r#"{"a": true }"#, "true\n"),
        ("null", "/a/0", r#"{"a":[null]}"#, "null\n"),
        (
            "object-with-its-space",
            "/a",
            "{\"a\" :  { \"b\" :\t[ true , \"\\u0041\" ]\n} }",
            "{ \"b\" :\t[ true , \"\\u0041\" ]\n}\n",
        ),
        ("empty-containers", "/1", "[{},[],{}]", "[]\n"),
        ("name-escaped-in-the-text", "/abc", r#"{"a\u0062c":1}"#, "1\n"),
        ("name-of-two-tokens-one-prefix", "/ab", r#"{"a":1,"abc":2,"ab":3}"#, "3\n"),
        ("name-inside-other-object", "/b", r#"{"a":{"b":1},"b":2}"#, "2\n"),
        ("name-in-string", "/b", r#"{"a":"b","b":2}"#, "2\n"),
        ("numeric-name", "/0", r#"{"0":"x"}"#, "x\n"),
        ("numeric-name-leading-zero", "/01", r#"{"01":"x"}"#, "x\n"),
        ("minus-as-name", "/-", r#"{"-":"x"}"#, "x\n"),
        ("index-ten", "/10", "[0,1,2,3,4,5,6,7,8,9,[10]]", "[10]\n"),
        ("index-after-containers", "/2/0", r#"[[0],{"a":[1]},[2]]"#, "2\n"),
        ("deep", "/a/1/b/0", r#"{"a":[{"b":[9]},{"b":[7,8]}]}"#, "7\n"),
        ("tilde-one-escaped", "/~01", r#"{"~1":"x","/":"y"}"#, "x\n"),
        ("non-ascii", "/\u{20ac}", "{\"\\u20ac\":1}", "1\n"),
        ("same-name-elsewhere", "/a/b", r#"{"a":{"b":1},"c":{"b":2,"b":3}}"#, "1\n"),
    ];
    for &(id, pointer, text, want) in cases {
        let (out, selected, end) = select(pointer, text.as_bytes());
        assert_eq!((out.as_str(), end, selected.found), (want, Ok(()), 1), "{id}");
    }
}

#[test]
fn a_miss_is_explained() {
    let cases: &[(&str, &str, &str)] = &[
        ("/id", r#"{"Id":1}"#, "no member \"id\" in the object at the root (RFC 6901 §4)"),
        (
            "/State/Pid",
            r#"{"State":{"Running":true}}"#,
            "no member \"Pid\" in the object at /State (RFC 6901 §4)",
        ),
        ("/a~1b/x", r#"{"a/b":[1]}"#, "no element \"x\" in the array at /a~1b (RFC 6901 §4)"),
        ("/2", "[0,1]", "no element \"2\" in the array at the root (RFC 6901 §4)"),
        ("/-", "[0,1]", "no element \"-\" in the array at the root (RFC 6901 §4)"),
        ("/01", "[0,1]", "no element \"01\" in the array at the root (RFC 6901 §4)"),
        ("/+1", "[0,1]", "no element \"+1\" in the array at the root (RFC 6901 §4)"),
        (
            "/99999999999999999999",
            "[0]",
            "no element \"99999999999999999999\" in the array at the root (RFC 6901 §4)",
        ),
        ("/", "[0]", "no element \"\" in the array at the root (RFC 6901 §4)"),
        (
            "/a/b",
            r#"{"a":"b"}"#,
            "no \"b\" in a value that is neither object nor array, at /a (RFC 6901 §4)",
        ),
        (
            "/a",
            "null",
            "no \"a\" in a value that is neither object nor array, at the root (RFC 6901 §4)",
        ),
    ];
    for &(pointer, text, want) in cases {
        let (out, selected, end) = select(pointer, text.as_bytes());
        assert_eq!((out.as_str(), end, selected.found), ("", Ok(()), 0), "{pointer}");
        assert_eq!(selected.miss.unwrap(), want, "{pointer}");
    }
}

/// On an object, `*` is the name of a member.
#[test]
fn a_star_selects_every_element() {
    let list = r#"[{"Id":"a","N":["x","y"]},{"Id":"b","N":[]},{"N":["z"]}]"#;
    let cases = [
        ("/*/Id", list, "a\nb\n"),
        ("/*/N/*", list, "x\ny\nz\n"),
        ("/*/N/0", list, "x\nz\n"),
        ("/1/N/*", list, ""),
        ("/*", "[1, [2] ,{}]", "1\n[2]\n{}\n"),
        ("/*", "[]", ""),
        ("/a/*", r#"{"a":[]}"#, ""),
        ("/*", r#"{"*":1,"a":2}"#, "1\n"),
        ("/*/Id", "[] [{\"Id\":1}]\n[]", "1\n"),
    ];
    for (pointer, text, want) in cases {
        let (out, selected, end) = select(pointer, text.as_bytes());
        assert_eq!((out.as_str(), end), (want, Ok(())), "{pointer} in {text}");
        assert_eq!(selected.miss, None, "{pointer} in {text}");
    }
    let cases = [
        ("/*/Id", r#"[{"N":1},{"N":2}]"#, "no member \"Id\" in the object at /* (RFC 6901 §4)"),
        ("/*", r#"{"a":1}"#, "no member \"*\" in the object at the root (RFC 6901 §4)"),
        (
            "/*",
            "\"text\"",
            "no \"*\" in a value that is neither object nor array, at the root (RFC 6901 §4)",
        ),
    ];
    for (pointer, text, want) in cases {
        let (out, selected, _) = select(pointer, text.as_bytes());
        assert_eq!((out.as_str(), selected.miss.as_deref()), ("", Some(want)), "{pointer}");
    }
    // A repeated name in one element is ambiguous, the same name in two elements is not.
    let (out, _, end) = select("/*/a", br#"[{"a":1},{"a":2,"a":3}]"#);
    assert_eq!((out.as_str(), end.unwrap_err().kind), ("1\n2\n", Kind::Ambiguous));
}

#[test]
fn a_repeated_name_fails_after_the_first_value() {
    let ambiguous = |offset| Err(JsonFault { kind: Kind::Ambiguous, offset });
    let (out, _, end) = select("/a", br#"{"a":1,"a":2}"#);
    assert_eq!((out.as_str(), end), ("1\n", ambiguous(10)));
    let (out, _, end) = select("/a/b", br#"{"a":{"b":1},"a":{"b":2}}"#);
    assert_eq!((out.as_str(), end), ("1\n", ambiguous(16)));
    let (out, _, end) = select("/a/c", br#"{"a":{"b":1},"a":{"c":2}}"#);
    assert_eq!((out.as_str(), end), ("", ambiguous(16)));
}

#[test]
fn a_pointer_applies_to_every_text_of_a_stream() {
    let (out, selected, end) =
        select("/id", b"{\"id\":\"a\"}\r\n{\"x\":1}\r\n{\"id\":2}{\"id\":[3]}\n");
    assert_eq!((out.as_str(), end), ("a\n2\n[3]\n", Ok(())));
    assert_eq!((selected.texts, selected.found), (4, 3));
    let (_, selected, _) = select("/id", b"{\"id\":1}\n{\"x\":1}");
    assert!(selected.miss.is_some(), "the latest text has none");
}

/// A truncated value is not delivered: a script would continue with half an id.
#[test]
fn values_before_an_error_are_delivered() {
    let cases: &[(&str, &[u8], &str, JsonErrorKind, u64)] = &[
        ("/a", b"{\"a\":\"abc", "", Kind::Incomplete, 9),
        ("/a", b"{\"a\":[1, tx", "", Kind::Literal, 10),
        ("/a", b"{\"a\":1,}", "1\n", Kind::TrailingComma, 7),
        ("/a", b"{\"a\":1}{\"a\":2", "1\n2\n", Kind::Incomplete, 13),
        ("/a", b"{\"a\":1}\n{\"a\":tx}", "1\n", Kind::Literal, 14),
    ];
    for &(pointer, text, out, kind, offset) in cases {
        let (got, _, end) = select(pointer, text);
        let want = (out, Err(JsonFault { kind, offset }));
        assert_eq!((got.as_str(), end), want, "{:?}", String::from_utf8_lossy(text));
    }
    assert_eq!(select("/a", b"").1, Selected::default());
}

#[test]
fn a_pointer_selects_a_value_in_a_tree() {
    let value = Value::parse(br#"{"a":[{"b":1,"x/y":2}],"d":1,"d":2,"":3}"#).unwrap();
    let cases = [
        ("/a/0/b", Some("1")),
        ("/a/0/x~1y", Some("2")),
        ("/", Some("3")),
        ("/d", None),
        ("/a/1", None),
        ("/a/00", None),
        ("/a/-", None),
        ("/a/0/b/c", None),
        ("a", None),
    ];
    for (pointer, want) in cases {
        let got = value.pointer(pointer).map(Value::to_string);
        assert_eq!(got.as_deref(), want, "{pointer}");
    }
    assert_eq!(value.pointer(""), Some(&value));
}

#[test]
fn pointers_are_parsed_strictly() {
    let cases = [
        ("Id", Kind::PointerSlash, 0),
        (".Id", Kind::PointerSlash, 0),
        ("#/Id", Kind::PointerSlash, 0),
        ("/a~", Kind::PointerEscape, 2),
        ("/a~2", Kind::PointerEscape, 2),
        ("/~0~/b", Kind::PointerEscape, 3),
    ];
    for (text, kind, offset) in cases {
        let error = Pointer::parse(text).unwrap_err();
        assert_eq!(JsonFault::from(error), JsonFault { kind, offset }, "{text}");
    }
    for text in ["", "/", "//", "/a/b", "/~0/~1/~01"] {
        assert_eq!(Pointer::parse(text).unwrap().to_string(), text, "written as it was read");
    }
}

#[test]
fn a_value_can_be_changed_through_a_pointer() {
    let mut value = Value::parse(br#"{"a":[{"b/c":1},2],"n":null,"d":1,"d":2}"#).unwrap();
    *value.pointer_mut("/a/0/b~1c").unwrap() = Value::from(vec!["x"]);
    *value.pointer_mut("/a/1").unwrap() = (-7).into();
    value.set("n", true);
    value.set("new", 18_446_744_073_709_551_615_u64);
    // The last of several members counts, as for `get`.
    value.set("d", "last");
    let want = r#"{"a":[{"b/c":["x"]},-7],"n":true,"d":1,"d":"last","new":18446744073709551615}"#;
    assert_eq!(value.to_string(), want);
    for nowhere in ["/a/2", "/a/01", "/a/-", "/x", "/n/x", "/d", "a", "/a/0/b~2c"] {
        assert_eq!(value.pointer_mut(nowhere), None, "{nowhere}");
        assert_eq!(value.pointer(nowhere), None, "{nowhere}");
    }
    *value.pointer_mut("").unwrap() = Value::Null;
    value.set("no", "object");
    assert_eq!(value, Value::Null);
}
