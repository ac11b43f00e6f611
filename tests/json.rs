//! JSON (RFC 8259): which texts are accepted, which are rejected and where, in every delivery.
#![cfg(feature = "json")]

mod support;

mod json {
    mod grammar;
    mod mutation;
    mod output;
    mod pointer;
}

use support::json_fault::JsonFault;
use unix_http::json::{JsonTexts, Value};

/// The result of reading a stream: its texts with one word for each token, and how it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Reading {
    texts: String,
    end: Result<(), JsonFault>,
}

/// Reads one text.
fn read(text: &[u8]) -> Reading {
    let mut texts = String::new();
    let end = Value::parse(text).map(|value| note(&value, &mut texts));
    Reading { texts: texts.trim_end().to_owned(), end: end.map_err(JsonFault::from) }
}

/// Reads a stream of texts in slices.
fn read_stream<'a>(slices: impl IntoIterator<Item = &'a [u8]>) -> Reading {
    let (mut stream, mut texts) = (JsonTexts::default(), String::new());
    let mut end = Ok(());
    for slice in slices {
        end = stream.feed(slice, &mut |text| text.value().map(|value| note(&value, &mut texts)));
        if end.is_err() {
            assert_eq!(stream.feed(b" ", &mut |_| Ok(())), end, "an error is final");
            break;
        }
    }
    let end = end.and_then(|()| {
        stream.finish(&mut |text| text.value().map(|value| note(&value, &mut texts)))
    });
    Reading { texts: texts.trim_end().to_owned(), end: end.map_err(JsonFault::from) }
}

fn note(value: &Value, texts: &mut String) {
    match value {
        Value::Object(members) => {
            texts.push_str("{ ");
            for (name, value) in members {
                *texts += &format!("{name}: ");
                note(value, texts);
            }
            texts.push_str("} ");
        }
        Value::Array(elements) => {
            texts.push_str("[ ");
            elements.iter().for_each(|element| note(element, texts));
            texts.push_str("] ");
        }
        Value::String(text) => *texts += &format!("'{text}' "),
        Value::Number(number) => *texts += &format!("{number} "),
        Value::Bool(b) => *texts += &format!("{b} "),
        Value::Null => texts.push_str("null "),
    }
}

/// Returns every delivery of a text: whole, byte by byte, and cut in two at every position.
fn deliveries(text: &[u8]) -> Vec<Vec<&[u8]>> {
    let mut all = vec![vec![text], text.chunks(1).collect()];
    all.extend((0..=text.len()).map(|at| vec![&text[..at], &text[at..]]));
    all
}

/// Reads a stream in every delivery, and checks that all agree.
fn read_every_way(text: &[u8]) -> Reading {
    let reading = read_stream([text]);
    for slices in deliveries(text) {
        let other = read_stream(slices.iter().copied());
        assert_eq!(reading, other, "{:?} delivered as {slices:?}", String::from_utf8_lossy(text));
    }
    reading
}
