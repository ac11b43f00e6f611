//! JSON: texts, sequences of them, what is printed, and the errors that stand in Docker's streams.

use super::{Pieces, bytewise};
use unix_http::docker::{DaemonMessage, ErrorScanner};
use unix_http::json::{Event, JsonError, Limits, Pointer, Pretty, Select, Tokenizer, Value};

pub fn check(bytes: &[u8]) {
    let mut pieces = Pieces::of(bytes);
    for sequence in [false, true] {
        let whole = read(sequence, [bytes]);
        for cut in [bytewise(bytes), pieces.cut(bytes)] {
            assert_eq!(read(sequence, cut), whole);
        }
    }
    values(bytes);
    pretty(bytes, &mut pieces);
    select(bytes, &mut pieces);
    errors(bytes, &mut pieces);
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = Pointer::parse(text);
    }
}

fn read<'a>(
    sequence: bool,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> (String, Result<(), JsonError>) {
    let mut tokenizer = if sequence { Tokenizer::sequence() } else { Tokenizer::one() };
    let (mut events, mut text) = (String::new(), Vec::new());
    let mut note = |event: Event| match event {
        Event::Text(_) | Event::Escape(_) | Event::Number(_) => event.append_text(&mut text),
        Event::EndName | Event::EndString | Event::EndNumber => {
            let text =
                String::from_utf8(std::mem::take(&mut text)).expect("the runs together are UTF-8");
            events += &format!("{text:?} {event:?} ");
        }
        _ => events += &format!("{event:?} "),
    };
    for mut piece in pieces {
        loop {
            match tokenizer.next(&mut piece) {
                Ok(Some(event)) => note(event),
                Ok(None) => break,
                Err(error) => return (events, Err(error)),
            }
        }
        assert!(piece.is_empty());
    }
    match tokenizer.finish() {
        Ok(last) => {
            last.into_iter().for_each(note);
            (events, Ok(()))
        }
        Err(error) => (events, Err(error)),
    }
}

fn values(bytes: &[u8]) {
    let value = Value::parse(bytes);
    assert_eq!(value.is_ok(), read(false, [bytes]).1.is_ok());
    if let Ok(value) = &value {
        for (name, member) in value.members() {
            assert!(value.get(name).is_some() && value.get_ignore_case(name).is_some());
            let _ = (member.as_i64(), member.as_bool(), member.as_str(), member.elements());
        }
    }
    let shallow = Limits { depth: 4, token: 16 };
    if let Ok(value) = Value::parse_within(bytes, shallow) {
        assert_eq!(Value::parse(bytes), Ok(value), "within limits it is the same");
    }
}

/// What is printed says the same, is printed again as it is, and holds nothing that moves a cursor.
fn pretty(bytes: &[u8], pieces: &mut Pieces) {
    let print = |pieces: Vec<&[u8]>| {
        let (mut pretty, mut out) = (Pretty::new(), Vec::new());
        let result = pieces.into_iter().try_for_each(|piece| pretty.feed(piece, &mut out));
        let result = result.and_then(|()| pretty.finish(&mut out));
        (out, result)
    };
    let (out, result) = print(vec![bytes]);
    assert_eq!(print(pieces.cut(bytes)), (out.clone(), result));
    if result.is_ok() {
        assert_eq!(read(true, [&out[..]]), read(true, [bytes]));
        assert_eq!(print(vec![&out]), (out.clone(), Ok(())));
        assert!(!out.iter().any(|b| matches!(b, 0..=9 | 11..=31 | 127)), "{}", out.escape_ascii());
    }
}

fn select(bytes: &[u8], pieces: &mut Pieces) {
    for path in ["", "/a", "/0", "/Config/Tty", "/a~1b/0"] {
        let run = |pieces: Vec<&[u8]>| {
            let (mut select, mut out) =
                (Select::new(Pointer::parse(path).expect("a pointer")), Vec::new());
            let result = pieces.into_iter().try_for_each(|piece| select.feed(piece, &mut out));
            let result = result.and_then(|()| select.finish(&mut out));
            (out, result, select.found())
        };
        let whole = run(vec![bytes]);
        assert_eq!(run(pieces.cut(bytes)), whole);
        if path.is_empty() && whole.1.is_ok() {
            assert_eq!(whole.2 > 0, !bytes.iter().all(u8::is_ascii_whitespace));
        }
    }
}

fn errors(bytes: &[u8], pieces: &mut Pieces) {
    let scan = |pieces: Vec<&[u8]>| {
        let mut scanner = ErrorScanner::new();
        pieces.into_iter().for_each(|piece| scanner.feed(piece));
        scanner.finish()
    };
    let whole = scan(vec![bytes]);
    assert_eq!(scan(pieces.cut(bytes)), whole);
    if let Ok(Some(error)) = whole {
        assert!(!error.to_string().contains(char::is_control));
    }
    for media_type in [None, Some(&b"text/plain"[..])] {
        if let Some(message) = DaemonMessage::from_body(media_type, bytes) {
            assert!(!message.to_string().contains(char::is_control));
        }
    }
}
