//! The lines of a `-K` file.
//!
//! ```text
//! line      = OWS ( comment / option [ separator value ] )
//! comment   = first character # / * or nothing
//! option    = "-" … / "--" … / NAME    NAME ends at white space, "=" or ":";
//!                                      with dashes it ends at white space alone
//! value     = DQUOTE *( char / "\" char ) DQUOTE / word
//! ```
//!
//! Unlike in curl, a NUL does not end a line: nothing is dropped silently.

/// A line with an option.
pub struct OptionLine<'t> {
    /// Counts from 1.
    pub number: usize,
    pub option: &'t [u8],
    pub value: Option<Vec<u8>>,
    /// Text follows the value: there is white space outside of quotes.
    pub has_more: bool,
}

/// Returns the lines with options.
pub fn lines(text: &[u8]) -> impl Iterator<Item = OptionLine<'_>> {
    let lines = text.split(|&byte| byte == b'\n').enumerate();
    lines.filter_map(|(at, line)| read(at + 1, line.trim_ascii()))
}

fn read(number: usize, line: &[u8]) -> Option<OptionLine<'_>> {
    if matches!(line, [] | [b'#' | b'/' | b'*', ..]) {
        return None;
    }
    let dashed = line[0] == b'-';
    let separates = |byte: &u8| {
        byte.is_ascii_whitespace() || *byte == 0x0b || (!dashed && matches!(byte, b'=' | b':'))
    };
    let end = line.iter().position(separates).unwrap_or(line.len());
    let (option, rest) = line.split_at(end);
    let start = rest.iter().position(|byte| !separates(byte)).unwrap_or(rest.len());
    let (value, has_more) = match &rest[start..] {
        [] => (None, false),
        [b'"', quoted @ ..] => (Some(unquoted(quoted)), false),
        word => {
            let end = word.iter().position(u8::is_ascii_whitespace).unwrap_or(word.len());
            let after = word[end..].trim_ascii_start();
            (Some(word[..end].to_vec()), !matches!(after, [] | [b'#', ..]))
        }
    };
    Some(OptionLine { number, option, value, has_more })
}

/// Returns the text up to the closing quote.
fn unquoted(text: &[u8]) -> Vec<u8> {
    let mut bytes = text.iter().copied();
    let character = || match bytes.next()? {
        b'"' => None,
        b'\\' => Some(match bytes.next()? {
            b't' => b'\t',
            b'n' => b'\n',
            b'r' => b'\r',
            b'v' => 0x0b,
            other => other,
        }),
        other => Some(other),
    };
    std::iter::from_fn(character).collect()
}
