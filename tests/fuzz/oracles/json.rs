//! JSON: texts, streams, output, and the errors in Docker's streams.

use super::{Pieces, bytewise};
use unix_http::docker::{ErrorScanner, error_message};
use unix_http::json::{JsonError, JsonText, JsonTexts, Pointer, Value};

pub fn check(bytes: &[u8]) {
    let mut pieces = Pieces::of(bytes);
    let whole = read([bytes]);
    for cut in [bytewise(bytes), pieces.cut(bytes)] {
        assert_eq!(read(cut), whole);
    }
    value(bytes, whole);
    lay_out(bytes, &mut pieces);
    select(bytes, &mut pieces);
    errors(bytes, &mut pieces);
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = Pointer::parse(text);
    }
}

/// Feeds a stream in pieces and ends it.
fn stream<'a>(
    pieces: impl IntoIterator<Item = &'a [u8]>,
    mut each: impl FnMut(&JsonText) -> Result<(), JsonError>,
) -> Result<(), JsonError> {
    let mut texts = JsonTexts::default();
    let end = pieces.into_iter().try_for_each(|piece| texts.feed(piece, &mut each));
    end.and_then(|()| texts.finish(&mut each))
}

fn read<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> (Vec<Value>, Result<(), JsonError>) {
    let mut values = Vec::new();
    let end = stream(pieces, |text| text.value().map(|value| values.push(value)));
    (values, end)
}

/// A text is also a stream of one text. Writing and reading it again changes nothing.
fn value(bytes: &[u8], stream: (Vec<Value>, Result<(), JsonError>)) {
    let Ok(value) = Value::parse(bytes) else { return };
    for (name, member) in value.members() {
        assert!(value.get(name).is_some());
        let _ = (member.as_i64(), member.as_u64(), member.as_f64(), member.as_bool());
        let _ = (member.as_str(), member.elements());
    }
    assert_eq!(Value::parse(value.to_string().as_bytes()).as_ref(), Ok(&value));
    assert_eq!(stream, (vec![value], Ok(())));
}

/// Output has the same value, does not change when printed again, and contains no control
/// characters.
fn lay_out(bytes: &[u8], pieces: &mut Pieces) {
    let print = |pieces: Vec<&[u8]>| {
        let mut out = Vec::new();
        let result = stream(pieces, |text| text.lay_out(&mut |line| out.extend_from_slice(line)));
        (out, result)
    };
    let (out, result) = print(vec![bytes]);
    assert_eq!(print(pieces.cut(bytes)), (out.clone(), result));
    if result.is_ok() {
        assert_eq!(read([&out[..]]), read([bytes]));
        assert_eq!(print(vec![&out]), (out.clone(), Ok(())));
        assert!(!out.iter().any(|b| matches!(b, 0..=9 | 11..=31 | 127)), "{}", out.escape_ascii());
    }
}

fn select(bytes: &[u8], pieces: &mut Pieces) {
    for path in ["", "/a", "/0", "/Config/Tty", "/a~1b/0"] {
        let pointer = Pointer::parse(path).expect("a pointer");
        let run = |pieces: Vec<&[u8]>| {
            let (mut out, mut found) = (Vec::new(), 0);
            let result = stream(pieces, |text| {
                let mut tree = text.value();
                let before = found;
                let miss = text.select(&pointer, &mut |part| {
                    found += 1;
                    // The selected value is the one in the tree.
                    let value = part.value().expect("a selected value is JSON");
                    if let Ok(tree) = &mut tree {
                        assert!(tree.pointer(path).is_none_or(|there| *there == value));
                    }
                    part.print(false, &mut |piece| out.extend_from_slice(piece));
                })?;
                assert_eq!(miss.is_none(), found == before + 1);
                assert_eq!(miss.is_none(), tree.expect("JSON").pointer(path).is_some());
                Ok(())
            });
            (out, result, found)
        };
        let whole = run(vec![bytes]);
        assert_eq!(run(pieces.cut(bytes)), whole);
        if path.is_empty() && whole.1.is_ok() {
            let empty = bytes.iter().all(|b| b.is_ascii_whitespace() || *b == 0x1e);
            assert_eq!(whole.2 > 0, !empty);
        }
    }
}

fn errors(bytes: &[u8], pieces: &mut Pieces) {
    let scan = |pieces: Vec<&[u8]>| {
        let mut scanner = ErrorScanner::new();
        pieces.into_iter().for_each(|piece| _ = scanner.feed(piece));
        scanner.finish()
    };
    let whole = scan(vec![bytes]);
    assert_eq!(scan(pieces.cut(bytes)), whole);
    if let Ok(Some(error)) = whole {
        assert!(!error.to_string().contains(char::is_control));
    }
    for media_type in [None, Some(&b"text/plain"[..])] {
        if let Some(message) = error_message(media_type, bytes) {
            assert!(!message.to_string().contains(char::is_control));
        }
    }
}
