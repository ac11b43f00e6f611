//! Patterns in rules: literal text, and `*` for any run of characters.

use crate::base::percent;
use std::fmt;

/// A pattern: the texts between its stars. Beside other characters a `*` does not match `..`, which
/// would lead out of a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::tap) struct Glob(Vec<String>);

impl Glob {
    /// Reads a pattern. `%20` stands for a space, `%2A` for a star, `%25` for a percent sign.
    pub fn parse(text: &str) -> Result<Glob, String> {
        let decode = |part: &str| String::from_utf8(percent::decode(part.as_bytes())?).ok();
        let parts = text.split('*').map(decode).collect::<Option<_>>();
        parts.map(Glob).ok_or_else(|| format!("{text}: % begins the code of a byte, %25 is a %"))
    }

    /// The pattern of this text, with `*` in place of each id.
    pub fn of(text: &str) -> Glob {
        let mut parts = vec![String::new()];
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let word = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
            let (taken, after) = rest.split_at(word.max(first.len_utf8()));
            match parts.last_mut() {
                Some(part) if !is_id(taken) => part.push_str(taken),
                _ => parts.push(String::new()),
            }
            rest = after;
        }
        Glob(parts)
    }

    /// Whether nothing but the text itself matches.
    pub fn is(&self, text: &str) -> bool {
        matches!(&self.0[..], [only] if only == text)
    }

    pub fn matches(&self, text: &str) -> bool {
        let [first, middle @ .., last] = &self.0[..] else { return self.is(text) };
        let inner = text.strip_prefix(&**first).and_then(|inner| inner.strip_suffix(&**last));
        let Some(mut rest) = inner else { return false };
        let lone = self.0.iter().all(String::is_empty);
        for part in middle {
            let Some((run, after)) = rest.split_once(&**part) else { return false };
            if run.contains("..") {
                return lone;
            }
            rest = after;
        }
        lone || !rest.contains("..")
    }
}

impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = |byte: u8| byte > b' ' && !b"%*\x7f".contains(&byte);
        let encoded = self.0.iter().map(|part| {
            let mut out = Vec::new();
            part.bytes().for_each(|byte| percent::push(&mut out, byte, plain));
            String::from_utf8_lossy(&out).into_owned()
        });
        f.write_str(&encoded.collect::<Vec<_>>().join("*"))
    }
}

/// Whether a word is an id of Docker: twelve or more hexadecimal digits, with a letter.
fn is_id(word: &str) -> bool {
    let digit = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
    word.len() >= 12 && word.bytes().all(digit) && word.bytes().any(|b| b.is_ascii_lowercase())
}
