//! Where an explanation is written to, and how: lines of at most 80 columns, and nothing that a
//! terminal obeys.

use super::words::Remark;
use std::fs::File;
use std::io::{self, Write};
use unix_http::base::text::reorders_text;

/// Lines are folded at this width: a terminal's usual 80 columns.
const WIDTH: usize = 79;
/// So many remarks are known to have been made; then they may be made again.
const SAID: usize = 1000;

#[derive(Debug)]
pub struct Page {
    out: File,
    /// With a hex view of everything too.
    bytes: bool,
    /// For a terminal that shows colours.
    colour: bool,
    /// With a taste of the content, which is not to be seen elsewhere.
    pub content: bool,
    /// What has been said need not be said again.
    said: Vec<String>,
}

impl Page {
    pub fn new(out: File, bytes: bool, colour: bool) -> Page {
        Page { out, bytes, colour, content: false, said: Vec::new() }
    }

    /// A line that travelled, and under it the remark.
    pub fn line(&mut self, side: char, line: &[u8], remark: Remark) -> io::Result<()> {
        let (strong, plain) = if self.colour { ("\x1b[1m", "\x1b[0m") } else { ("", "") };
        self.print(&format!("{side} {strong}"), &visible(line), plain)?;
        self.remark(remark)
    }

    /// What there is to say of the line above, and where it is written; once.
    pub fn remark(&mut self, (text, section): Remark) -> io::Result<()> {
        if text.is_empty() || self.said.iter().any(|said| said == text) {
            return Ok(());
        }
        if self.said.len() == SAID {
            self.said.clear();
        }
        self.said.push(text.to_string());
        let (dim, plain) = if self.colour { ("\x1b[2m", "\x1b[0m") } else { ("", "") };
        for line in fold(&with_section(text, section), WIDTH - 4) {
            self.print(&format!("    {dim}"), &line, plain)?;
        }
        Ok(())
    }

    /// What has to be decided, by both sides alike.
    pub fn decision(&mut self, text: &str, section: &str) -> io::Result<()> {
        let (tint, plain) = if self.colour { ("\x1b[36m", "\x1b[0m") } else { ("", "") };
        let mut mark = "= ";
        for line in fold(&with_section(text, section), WIDTH - 2) {
            self.print(&format!("{tint}{mark}"), &line, plain)?;
            mark = "  ";
        }
        Ok(())
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
            let text =
                format!("{text:<56} {}", row.iter().map(|&b| graphic(b)).collect::<String>());
            self.print(&format!("{side} "), &text, "")?;
        }
        Ok(())
    }

    pub fn print(&mut self, before: &str, text: &str, after: &str) -> io::Result<()> {
        self.out.write_all(format!("{before}{text}{after}\n").as_bytes())
    }
}

/// The section's words stay together on one line: U+00A0 is no place to fold.
fn with_section(text: &str, section: &str) -> String {
    if section.is_empty() {
        text.to_string()
    } else {
        format!("{text} ·\u{a0}{}", section.replace(' ', "\u{a0}"))
    }
}

fn graphic(byte: u8) -> char {
    if byte.is_ascii_graphic() || byte == b' ' { byte as char } else { '.' }
}

/// The bytes as text that no terminal obeys: CR LF as `\r\n`, other controls and what is not UTF-8
/// as `\xNN`.
pub fn visible(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() + 8);
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\r' => text.push_str("\\r"),
                '\n' => text.push_str("\\n"),
                '\t' => text.push_str("\\t"),
                c if c.is_control() => {
                    c.to_string().bytes().for_each(|b| text.push_str(&format!("\\x{b:02x}")))
                }
                // What turns the direction of writing shows a value as another one.
                c if reorders_text(c) => text.extend(c.escape_unicode()),
                c => text.push(c),
            }
        }
        chunk.invalid().iter().for_each(|b| text.push_str(&format!("\\x{b:02x}")));
    }
    text
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
    use super::*;

    #[test]
    fn nothing_that_a_terminal_obeys_comes_through() {
        assert_eq!(visible(b"a\x1b[2Jb\xff\xc2\x9b\t\r\n"), "a\\x1b[2Jb\\xff\\xc2\\x9b\\t\\r\\n");
        assert_eq!(visible("ü".as_bytes()), "ü");
    }

    #[test]
    fn text_is_folded_at_spaces() {
        assert_eq!(fold("aa bb cc", 5), ["aa bb", "cc"]);
        assert_eq!(fold("aaaaaaa b", 5), ["aaaaaaa", "b"]);
    }
}
