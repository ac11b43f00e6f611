//! Where an explanation is written to, and how: lines of at most 80 columns, and nothing that a
//! terminal obeys.

use super::glossary::Remark;
use crate::base::text::visible;
use crate::traffic::secrets;
use std::borrow::Cow;
use std::fmt;
use std::io::{self, Write};

/// Lines are folded at this width: a terminal's usual 80 columns.
const WIDTH: usize = 79;
/// So many remarks are remembered; then they may be made again.
const SAID: usize = 1000;

const BOLD: &str = "\x1b[1m";
const DIM: &str = "\x1b[2m";
const CYAN: &str = "\x1b[36m";
const PLAIN: &str = "\x1b[0m";

pub(super) struct Page {
    out: Box<dyn Write + Send>,
    /// With a hex view of everything too.
    pub bytes: bool,
    /// For a terminal that shows colours.
    pub colour: bool,
    /// What has been said need not be said again.
    said: Vec<String>,
}

impl Page {
    pub fn new(out: Box<dyn Write + Send>) -> Page {
        Page { out, bytes: false, colour: false, said: Vec::new() }
    }

    /// A line that travelled, without secrets, and under it the remark.
    pub fn line(&mut self, side: char, line: &[u8], remark: Remark<'_>) -> io::Result<()> {
        self.print(&format!("{side} "), BOLD, &visible(&without_secret(line)))?;
        self.remark(remark)
    }

    /// What there is to say of the line above, and where it is written; once.
    pub fn remark(&mut self, (text, section): Remark<'_>) -> io::Result<()> {
        if text.is_empty() || self.said.iter().any(|said| said == text) {
            return Ok(());
        }
        if self.said.len() == SAID {
            self.said.clear();
        }
        self.said.push(text.to_string());
        for line in fold(&with_section(text, section), WIDTH - 4) {
            self.print("    ", DIM, &line)?;
        }
        Ok(())
    }

    /// What both sides have to decide alike.
    pub fn decision(&mut self, (text, section): Remark<'_>) -> io::Result<()> {
        let mut mark = "= ";
        for line in fold(&with_section(text, section), WIDTH - 2) {
            self.print("", CYAN, &format!("{mark}{line}"))?;
            mark = "  ";
        }
        Ok(())
    }

    /// The beginning of some content, on one line: `width` characters of it.
    pub fn quote(&mut self, content: &[u8], width: usize) -> io::Result<()> {
        // One byte more than is shown tells that there is more.
        let text = visible(&content[..content.len().min(width + 1)]);
        let (shown, more) = match text.char_indices().nth(width) {
            Some((end, _)) => (&text[..end], "…"),
            None => (&text[..], ""),
        };
        self.print("    ", "", &format!("\"{shown}\"{more}"))
    }

    /// The line from which on another exchange is explained.
    pub fn heading(&mut self, text: &str) -> io::Result<()> {
        self.print("== ", "", text)
    }

    /// With `--explain=bytes`: 16 bytes a line, with the offset of the first from the start of the
    /// message.
    pub fn hex(&mut self, side: char, bytes: &[u8], from: usize) -> io::Result<()> {
        let bytes = if self.bytes { bytes } else { &[] };
        for (n, row) in bytes.chunks(16).enumerate() {
            let mut text = format!("{:06x} ", from + n * 16);
            for byte in row {
                text.push_str(&format!(" {byte:02x}"));
            }
            let graphic = |&byte: &u8| match byte {
                b' '..=b'~' => byte as char,
                _ => '.',
            };
            let text = format!("{text:<56} {}", row.iter().map(graphic).collect::<String>());
            self.print(&format!("{side} "), "", &text)?;
        }
        Ok(())
    }

    pub fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn print(&mut self, before: &str, look: &str, text: &str) -> io::Result<()> {
        let line = match self.colour && !look.is_empty() {
            true => format!("{before}{look}{text}{PLAIN}\n"),
            false => format!("{before}{text}\n"),
        };
        self.out.write_all(line.as_bytes())
    }
}

impl fmt::Debug for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Page").field("bytes", &self.bytes).field("colour", &self.colour).finish()
    }
}

/// The field line, with `***` for a value that was covered, however long it is.
fn without_secret(line: &[u8]) -> Cow<'_, [u8]> {
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

/// The section's words stay together on one line: U+00A0 is no place to fold.
fn with_section(text: &str, section: &str) -> String {
    if section.is_empty() {
        text.to_string()
    } else {
        format!("{text} ·\u{a0}{}", section.replace(' ', "\u{a0}"))
    }
}

/// Lines of at most `width` characters, broken at spaces.
fn fold(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let last = lines.len() - 1;
        let room = lines[last].chars().count() + 1 + word.chars().count() <= width;
        match lines[last].is_empty() {
            true => lines[last].push_str(word),
            false if room => {
                lines[last].push(' ');
                lines[last].push_str(word);
            }
            false => lines.push(word.to_string()),
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
