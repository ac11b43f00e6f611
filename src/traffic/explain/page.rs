//! Writes lines of at most 80 columns, without control characters.

use super::remarks::Remark;
use crate::base::text::visible;
use crate::traffic::secrets;
use std::borrow::Cow;

/// The longest line: a terminal usually has 80 columns.
const WIDTH: usize = 79;
/// How many remarks are remembered; then they may be made again.
const SAID: usize = 1000;

const BOLD: &str = "\x1b[1m";
const DIM: &str = "\x1b[2m";
const CYAN: &str = "\x1b[36m";
const PLAIN: &str = "\x1b[0m";

/// The text of one event, line by line.
#[derive(Default)]
pub(super) struct ExplainPage {
    pub text: String,
    /// Adds a hex view.
    pub bytes: bool,
    pub colour: bool,
    /// Remarks that are not repeated.
    said: Vec<String>,
}

impl ExplainPage {
    /// Writes a line of a message, without secrets, and a remark.
    pub fn line(&mut self, side: char, line: &[u8], remark: Remark<'_>) {
        self.print(&format!("{side} "), BOLD, &visible(&without_secret(line)));
        self.remark(&remark)
    }

    /// Writes a remark on the line above, once.
    pub fn remark(&mut self, (text, section): &Remark<'_>) {
        if text.is_empty() || self.said.iter().any(|said| said == text) {
            return;
        }
        if self.said.len() == SAID {
            self.said.clear();
        }
        self.said.push(text.to_string());
        for line in fold(&with_section(text, section), WIDTH - 4) {
            self.print("    ", DIM, &line);
        }
    }

    /// Writes a decision.
    pub fn decision(&mut self, (text, section): Remark<'_>) {
        let mut mark = "= ";
        for line in fold(&with_section(&text, section), WIDTH - 2) {
            self.print("", CYAN, &format!("{mark}{line}"));
            mark = "  ";
        }
    }

    /// Writes the first `width` characters of content on one line.
    pub fn quote(&mut self, content: &[u8], width: usize) {
        // One more byte shows that there is more.
        let text = visible(&content[..content.len().min(width + 1)]);
        let (shown, more) = match text.char_indices().nth(width) {
            Some((end, _)) => (&text[..end], "…"),
            None => (&text[..], ""),
        };
        self.print("    ", "", &format!("\"{shown}\"{more}"))
    }

    pub fn heading(&mut self, text: &str) {
        self.print("== ", "", text)
    }

    /// Writes a hex view, if it is on; `from` is the offset of the bytes in the message.
    pub fn hex(&mut self, side: char, bytes: &[u8], from: usize) {
        let bytes = if self.bytes { bytes } else { &[] };
        for (n, row) in bytes.chunks(16).enumerate() {
            let mut text = format!("{:06x} ", from + n * 16);
            for byte in row {
                text.push_str(&format!(" {byte:02x}"));
            }
            let graphic = |&b: &u8| if matches!(b, b' '..=b'~') { b as char } else { '.' };
            let row: String = row.iter().map(graphic).collect();
            self.print(&format!("{side} "), "", &format!("{text:<56} {row}"));
        }
    }

    fn print(&mut self, before: &str, look: &str, text: &str) {
        let (look, plain) = if self.colour && !look.is_empty() { (look, PLAIN) } else { ("", "") };
        for part in [before, look, text, plain, "\n"] {
            self.text.push_str(part);
        }
    }
}

/// Returns the field line, with `***` for a masked value of any length.
pub(crate) fn without_secret(line: &[u8]) -> Cow<'_, [u8]> {
    let Some(colon) = line.iter().position(|&b| b == b':') else { return line.into() };
    let (name, value) = (String::from_utf8_lossy(&line[..colon]), line[colon + 1..].trim_ascii());
    if !secrets::is_secret_field(name.trim_end()) || !secrets::is_covered(value) {
        return line.into();
    }
    let scheme = value.split(|&b| b == b' ').next().unwrap_or_default();
    let scheme = if scheme.contains(&b'*') { &b""[..] } else { scheme };
    let space = if scheme.is_empty() { &b""[..] } else { b" " };
    [name.as_bytes(), b": ", scheme, space, b"***\r\n"].concat().into()
}

/// Appends a section whose words stay on one line: U+00A0 is no place to fold.
fn with_section(text: &str, section: &str) -> String {
    match section.is_empty() {
        true => text.to_string(),
        false => format!("{text} ·\u{a0}{}", section.replace(' ', "\u{a0}")),
    }
}

/// Folds text at spaces into lines of at most `width` characters.
fn fold(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_string()),
        }
    }
    lines.iter().map(|line| line.replace('\u{a0}', " ")).collect()
}

#[cfg(test)]
mod tests {
    use super::fold;

    #[test]
    fn text_is_folded_at_spaces() {
        assert_eq!(fold("aa bb cc", 5), ["aa bb", "cc"]);
        assert_eq!(fold("aaaaaaa b", 5), ["aaaaaaa", "b"]);
    }
}
