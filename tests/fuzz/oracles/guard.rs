//! A guard and an engine agree: in a request that passes, even a reader as lenient as Go's finds
//! nothing beyond the rules.

use super::plain::{self, Plain};
use std::collections::BTreeSet;
use unix_http::tap::AllowList;
use unix_http::wire::{BodyDecoder, RequestDecoder, framing};

const RULES: &str = "GET /containers/json ?all=1\nPOST /containers/*/start\n\
    POST /containers/create ?name=web* /Image=busy* /Cmd/*=* /Labels/a=* \
    /HostConfig/Binds/*=/srv/*:/x /HostConfig/NetworkMode=none";

/// The name in a rule, in lower case, and the prefix of its values.
const ALLOWED: &[(&str, &str)] = &[
    ("/image", "busy"),
    ("/cmd/*", ""),
    ("/labels/a", ""),
    ("/hostconfig/binds/*", "/srv/"),
    ("/hostconfig/networkmode", "none"),
];

/// A whole request, or the body of one.
pub fn check(bytes: &[u8]) {
    let is_request = bytes.starts_with(b"GET ") || bytes.starts_with(b"POST ");
    let head = "POST /v1.41/containers/create HTTP/1.1\r\nHost: x\r\nContent-Length: ";
    let body = format!("{head}{}\r\n\r\n", bytes.len());
    let request = if is_request { bytes.to_vec() } else { [body.as_bytes(), bytes].concat() };
    let Some(passed) = admit(RULES, &request) else { return };
    let passed = match passed {
        Ok(passed) => passed,
        Err(why) => {
            // The rule that the refusal suggests lets the request pass.
            let Some((_, needed)) = why.split_once("needed: ") else { return };
            if needed.starts_with(|c: char| c.is_ascii_uppercase()) && !needed.ends_with(" <") {
                assert!(matches!(admit(needed, &request), Some(Ok(_))), "{needed}");
            }
            return;
        }
    };
    let again = admit(RULES, &passed).expect("a request").expect("it passed before");
    assert_eq!(again, passed, "it is written in another way the second time");
    let Plain::Whole(head, len) = plain::request(&passed) else { panic!("no request") };
    let path = head.target.split(|&b| b == b'?').next().unwrap_or_default();
    let known = |b: u8| b.is_ascii_alphanumeric() || b"-._~/:@,=+!$&'()".contains(&b);
    assert!(path.iter().all(|&b| known(b)), "{}", path.escape_ascii());
    assert!(!path.windows(2).any(|two| two == b"//" || two == b".."));
    let content = &passed[len..];
    let length = head.fields.iter().find(|(name, _)| name.eq_ignore_ascii_case(b"content-length"));
    let length = length.map_or("0".into(), |(_, value)| String::from_utf8_lossy(value));
    assert_eq!(length, content.len().to_string());
    let mut found = Vec::new();
    if !content.is_empty() {
        let mut reader = Loose { text: content, at: 0 };
        reader.value("", &mut found);
        assert_eq!(reader.at, content.len(), "something stands behind the value");
    }
    for (place, value) in &found {
        let allowed = |(name, start): &(&str, &str)| {
            let mut pairs = name.split('/').zip(place.split('/'));
            let as_deep = name.split('/').count() == place.split('/').count();
            as_deep && pairs.all(|(a, b)| a == "*" || a == b) && value.starts_with(start)
        };
        let empty = ["null", "false", "0", "-1", "", "[]", "{}"].contains(&value.as_str());
        assert!(empty || ALLOWED.iter().any(allowed), "{place}={value}");
        assert!(!(place.ends_with("paths") && value == "[]"), "{place}={value}");
    }
}

/// Returns the verdict of the guard, or `None` if the bytes are not a request.
fn admit(rules: &str, request: &[u8]) -> Option<Result<Vec<u8>, String>> {
    let rules = AllowList::parse(rules).unwrap_or_else(|error| panic!("{rules}: {error}"));
    let mut decoder = RequestDecoder::new();
    let Ok(Some(len)) = decoder.decode(request) else { return None };
    let framing = framing::request(decoder.head()).ok()?.framing;
    let mut body = BodyDecoder::of_request(framing, len as u64, 1 << 16);
    let (mut content, mut at) = (Vec::new(), len);
    while !body.is_done() {
        let step = body.step(&request[at..]).ok()?;
        content.extend_from_slice(&request[at + step.framing..at + step.framing + step.data]);
        body.consume(step.data);
        at += step.framing + step.data;
        if step.framing + step.data == 0 && !body.is_done() {
            return None;
        }
    }
    Some(rules.admit(decoder.head(), Some(&content)).map_err(|denied| denied.to_string()))
}

/// Reads well-formed JSON, and normalises names as Go compares them.
struct Loose<'a> {
    text: &'a [u8],
    at: usize,
}

impl Loose<'_> {
    fn peek(&mut self) -> u8 {
        while self.text[self.at].is_ascii_whitespace() {
            self.at += 1;
        }
        self.text[self.at]
    }

    fn value(&mut self, place: &str, found: &mut Vec<(String, String)>) {
        let first = self.peek();
        match first {
            b'{' | b'[' => {
                self.at += 1;
                if matches!(self.peek(), b'}' | b']') {
                    let text = if first == b'{' { "{}" } else { "[]" };
                    found.push((place.to_owned(), text.to_owned()));
                }
                let mut names = BTreeSet::new();
                while !matches!(self.peek(), b'}' | b']') {
                    let mut name = "*".to_owned();
                    if first == b'{' {
                        name = fold(&self.string());
                        assert!(names.insert(name.clone()), "{place}/{name} twice");
                        assert_eq!(self.peek(), b':');
                        self.at += 1;
                    }
                    self.value(&format!("{place}/{name}"), found);
                    if self.peek() == b',' {
                        self.at += 1;
                    }
                }
                self.at += 1;
            }
            b'"' => {
                let text = self.string();
                found.push((place.to_owned(), text));
            }
            _ => {
                let rest = &self.text[self.at..];
                let end = rest.iter().position(|b| b",]}".contains(b)).unwrap_or(rest.len());
                let text = String::from_utf8_lossy(&rest[..end]).into_owned();
                found.push((place.to_owned(), text));
                self.at += end;
            }
        }
    }

    fn string(&mut self) -> String {
        self.peek();
        self.at += 1;
        let mut units = Vec::new();
        loop {
            let text = &self.text[self.at..];
            match text {
                [b'"', ..] => break,
                [b'\\', b'u', ..] => {
                    let digits = String::from_utf8_lossy(&text[2..6]).into_owned();
                    units.push(u16::from_str_radix(&digits, 16).expect("four digits"));
                    self.at += 6;
                }
                [b'\\', escape, ..] => {
                    let byte = match escape {
                        b'b' => 8,
                        b'f' => 12,
                        b'n' => 10,
                        b'r' => 13,
                        b't' => 9,
                        other => *other,
                    };
                    units.push(byte.into());
                    self.at += 2;
                }
                _ => {
                    let end = text.iter().position(|b| b"\"\\".contains(b)).expect("an end");
                    units.extend(String::from_utf8_lossy(&text[..end]).encode_utf16());
                    self.at += end;
                }
            }
        }
        self.at += 1;
        String::from_utf16_lossy(&units)
    }
}

/// Normalises a name as Go does: in any case, with the two letters that Unicode folds into ASCII.
fn fold(name: &str) -> String {
    let fold = |c| match c {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        '/' => '|',
        c => c.to_ascii_lowercase(),
    };
    name.chars().map(fold).collect()
}
