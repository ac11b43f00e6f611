//! JSON, RFC 8259: what is read, what is refused and where, whatever the pieces it comes in.
#![cfg(feature = "json")]

mod support;

mod json {
    mod grammar;
    mod mutation;
    mod output;
    mod pointer;
}

use unix_http::json::{Event, JsonError, Tokenizer};

/// What a tokenizer made of a text: its events in a notation of one word each, and how it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Reading {
    events: String,
    end: Result<(), JsonError>,
}

/// Feeds the slices one after the other. Pieces of one string or number are put together: where
/// they were cut tells nothing.
fn read<'a>(mut tokenizer: Tokenizer, slices: impl IntoIterator<Item = &'a [u8]>) -> Reading {
    let (mut events, mut text) = (String::new(), Vec::new());
    let mut end = Ok(());
    'slices: for mut slice in slices {
        loop {
            match tokenizer.next(&mut slice) {
                Ok(Some(event)) => note(event, &mut text, &mut events),
                Ok(None) => break,
                Err(error) => {
                    assert_eq!(tokenizer.next(&mut &b" "[..]), Err(error), "an error is final");
                    end = Err(error);
                    break 'slices;
                }
            }
        }
        assert!(slice.is_empty(), "Partial leaves nothing of the input");
    }
    if end.is_ok() {
        match tokenizer.finish() {
            Ok(event) => event.into_iter().for_each(|event| note(event, &mut text, &mut events)),
            Err(error) => end = Err(error),
        }
    }
    Reading { events: events.trim_end().to_owned(), end }
}

fn note(event: Event, text: &mut Vec<u8>, events: &mut String) {
    match event {
        Event::BeginObject => events.push_str("{ "),
        Event::EndObject => events.push_str("} "),
        Event::BeginArray => events.push_str("[ "),
        Event::EndArray => events.push_str("] "),
        Event::BeginName | Event::BeginString | Event::BeginNumber => text.clear(),
        Event::Text(_) | Event::Escape(_) | Event::Number(_) => event.append_text(text),
        Event::EndName => {
            *events += &format!("{}: ", String::from_utf8(std::mem::take(text)).unwrap())
        }
        Event::EndString => {
            *events += &format!("'{}' ", String::from_utf8(std::mem::take(text)).unwrap())
        }
        Event::EndNumber => {
            *events += &format!("{} ", String::from_utf8(std::mem::take(text)).unwrap())
        }
        Event::Bool(b) => *events += &format!("{b} "),
        Event::Null => events.push_str("null "),
    }
}

/// Every way a text is delivered: whole, byte by byte, and cut in two at every place.
fn deliveries(text: &[u8]) -> Vec<Vec<&[u8]>> {
    let mut all = vec![vec![text], text.chunks(1).collect()];
    all.extend((0..=text.len()).map(|at| vec![&text[..at], &text[at..]]));
    all
}

/// Reads a text under every delivery, which all must agree.
fn read_every_way(tokenizer: &Tokenizer, text: &[u8]) -> Reading {
    let reading = read(tokenizer.clone(), [text]);
    for slices in deliveries(text) {
        let other = read(tokenizer.clone(), slices.iter().copied());
        assert_eq!(reading, other, "{:?} delivered as {slices:?}", String::from_utf8_lossy(text));
    }
    reading
}
