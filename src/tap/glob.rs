//! Patterns of `tap --only` and of a guard: literal text, and `*` for any characters.

use crate::base::percent;

/// A pattern: the texts between its stars. A `*` next to other characters does not match `..`,
/// which would lead out of a directory.
#[derive(Clone, Debug)]
pub(super) struct Glob(Vec<String>);

impl Glob {
    /// Parses a pattern. `%20` is a space, `%2A` a star, `%25` a percent sign.
    pub fn parse(text: &str) -> Result<Glob, String> {
        let decode = |part: &str| String::from_utf8(percent::decode(part.as_bytes())?).ok();
        let parts = text.split('*').map(decode).collect::<Option<_>>();
        parts.map(Glob).ok_or_else(|| format!("{text}: % begins the code of a byte, %25 is a %"))
    }

    /// Returns whether only the text itself matches.
    pub fn is(&self, text: &str) -> bool {
        self.0 == [text]
    }

    pub fn matches(&self, text: &str) -> bool {
        let [first, middle @ .., last] = &self.0[..] else { return self.is(text) };
        let inner = text.strip_prefix(&**first).and_then(|inner| inner.strip_suffix(&**last));
        let Some(mut rest) = inner else { return false };
        for part in middle {
            match rest.split_once(&**part) {
                Some((run, after)) if !run.contains("..") => rest = after,
                _ => return false,
            }
        }
        !rest.contains("..") || self.0.iter().all(String::is_empty)
    }
}

/// Writes the pattern of a text, with `*` in place of each id.
pub(super) fn pattern(text: &str) -> String {
    let plain = |byte: u8| byte > b' ' && !b"%*\x7f".contains(&byte);
    let mut out = Vec::new();
    for part in text.split_inclusive(|c: char| !c.is_ascii_alphanumeric()) {
        let word = part.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
        let (star, rest) = if is_id(word) { ("*", &part[word.len()..]) } else { ("", part) };
        out.extend_from_slice(star.as_bytes());
        rest.bytes().for_each(|byte| percent::push(&mut out, byte, plain));
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Returns whether a word is an id of Docker: twelve or more hexadecimal digits, with a letter.
fn is_id(word: &str) -> bool {
    let digit = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
    word.len() >= 12 && word.bytes().all(digit) && word.bytes().any(|b| b.is_ascii_lowercase())
}
