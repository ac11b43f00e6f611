//! Text that is safe to print on a terminal, and when to use colour.
//!
//! Bytes from a peer may contain escape sequences that clear the screen, set its title or answer a
//! prompt, and bidirectional controls that display one name as another. All outside text passes
//! through [`visible`] or [`harmless`] before it is shown.
//!
//! ```
//! use unix_http::base::text::{harmless, visible};
//!
//! assert_eq!(visible(b"a\tb\r\n\x1b[2J\xff"), r"a\tb\r\n\x1b[2J\xff");
//! assert_eq!(harmless(b"a\tb\x1b[2J\xff"), "a\tb\\x1b[2J\\xff");
//! assert_eq!(visible("user\u{202e}gpj.exe".as_bytes()), r"user\u{202e}gpj.exe");
//! ```

use std::borrow::Cow;
use std::io::IsTerminal;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Returns whether `c` is a bidirectional control or line separator of Unicode. HTTP allows these
/// characters, and they make one text look like another.
pub fn reorders_text(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}')
        || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Escapes bytes as one line of text that hides nothing: HTAB, CR and LF become `\t`, `\r` and
/// `\n`, other controls and invalid UTF-8 `\xNN`, and characters that reorder text `\u{N}`.
pub fn visible(bytes: &[u8]) -> String {
    escaped(bytes, false)
}

/// Escapes a path as [`visible`] does.
pub fn visible_path(path: &Path) -> String {
    visible(path.as_os_str().as_bytes())
}

/// Escapes bytes as [`visible`] does, but keeps HTAB.
pub fn harmless(bytes: &[u8]) -> String {
    escaped(bytes, true)
}

/// Escapes a URL as [`visible`] does, with `***` in place of its password. A malformed URL is
/// masked too: its password extends to the last `@`.
pub fn without_password(url: &[u8]) -> String {
    let scheme = url.windows(3).position(|three| three == b"://").map_or(0, |at| at + 3);
    let find = |wanted| url[scheme..].iter().position(|&byte| byte == wanted);
    let at = url.iter().rposition(|&byte| byte == b'@').unwrap_or(0);
    match find(b':').map(|colon| scheme + colon + 1) {
        Some(password) if password < at => {
            visible(&[&url[..password], b"***", &url[at..]].concat())
        }
        _ => visible(url),
    }
}

/// Escapes bytes as [`harmless`] does, but keeps line ends.
pub fn harmless_lines(lines: &[u8]) -> Cow<'_, [u8]> {
    if lines.iter().all(|byte| matches!(byte, b' '..=b'~' | b'\t' | b'\r' | b'\n')) {
        return lines.into();
    }
    let mut out = Vec::with_capacity(lines.len() * 2);
    for line in lines.split_inclusive(|&byte| byte == b'\n') {
        let text = line.strip_suffix(b"\r\n").or(line.strip_suffix(b"\n")).unwrap_or(line);
        out.extend_from_slice(harmless(text).as_bytes());
        out.extend_from_slice(&line[text.len()..]);
    }
    out.into()
}

fn escaped(bytes: &[u8], keep_tab: bool) -> String {
    // Nearly every line is plain.
    if bytes.iter().all(|byte| matches!(byte, b' '..=b'~')) {
        return String::from_utf8_lossy(bytes).into_owned();
    }
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\t' if keep_tab => text.push(c),
                '\t' => text.push_str("\\t"),
                '\r' => text.push_str("\\r"),
                '\n' => text.push_str("\\n"),
                '\0'..='\x1f' | '\x7f' => text.push_str(&format!("\\x{:02x}", c as u8)),
                c if c.is_control() || reorders_text(c) => text.extend(c.escape_unicode()),
                c => text.push(c),
            }
        }
        chunk.invalid().iter().for_each(|byte| text.push_str(&format!("\\x{byte:02x}")));
    }
    text
}

/// Returns whether output may have colours: it is a terminal, and `NO_COLOR` is not set
/// (<https://no-color.org>).
pub fn wants_colour(out: &impl IsTerminal) -> bool {
    out.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}
