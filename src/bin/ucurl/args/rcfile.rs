//! The `-K` file.
//!
//! ```text
//! line      = OWS ( comment / option [ separator value ] )
//! comment   = first character # / * or nothing
//! option    = "-" … / "--" … / NAME          NAME ends at white space, "=" or ":"; with dashes at white space alone
//! value     = DQUOTE *( char / "\" char ) DQUOTE / word
//! ```

use crate::args::exit::Exit;
use crate::args::parse::{Parser, Stop, Used, Wrong};

/// A file may name another; one that names itself does not do so for ever.
const MAX_DEPTH: usize = 16;

/// Reads options from a file, `-` for stdin, where `-K` stands.
pub fn read(parser: &mut Parser, name: &[u8]) -> Result<(), Wrong> {
    let text = parser.file(name).ok().filter(|_| parser.depth < MAX_DEPTH);
    let Some(text) = text else {
        return Err(Wrong::Why("cannot be read", Exit::Read));
    };
    parser.depth += 1;
    let shown: &[u8] = if name == b"-" { b"<stdin>" } else { name };
    for (number, line) in text.split(|&byte| byte == b'\n').enumerate() {
        // A NUL ends a line for curl; here it is as white space, so that nothing is dropped unseen.
        let result = one(parser, line, shown, number + 1);
        if let Err(wrong) = result {
            parser.depth -= 1;
            return Err(wrong);
        }
    }
    parser.depth -= 1;
    Ok(())
}

fn one(parser: &mut Parser, line: &[u8], name: &[u8], number: usize) -> Result<(), Wrong> {
    let line = line.trim_ascii();
    if matches!(line, [] | [b'#' | b'/' | b'*', ..]) {
        return Ok(());
    }
    let dashed = line[0] == b'-';
    let separates = |byte: &u8| {
        byte.is_ascii_whitespace() || *byte == 0x0b || (!dashed && matches!(byte, b'=' | b':'))
    };
    let end = line.iter().position(separates).unwrap_or(line.len());
    let (option, rest) = line.split_at(end);
    let start = rest.iter().position(|byte| !separates(byte)).unwrap_or(rest.len());
    let value = match &rest[start..] {
        [] => None,
        [b'"', quoted @ ..] => Some(unquoted(quoted)),
        word => {
            let end = word.iter().position(u8::is_ascii_whitespace).unwrap_or(word.len());
            let after = word[end..].trim_ascii_start();
            if !after.is_empty() && after[0] != b'#' {
                let where_ = place(name, number);
                parser.warn(&[
                    &where_,
                    b"'",
                    option,
                    b"' has white space outside quotes; what follows it is not used",
                ]);
            }
            Some(word[..end].to_vec())
        }
    };
    let wrong = match parser.option(option, value.as_deref()) {
        Ok(Used::Alone) if value.as_ref().is_some_and(|value| !value.is_empty()) => {
            Wrong::Why("takes no value", Exit::Usage)
        }
        Ok(_) => return Ok(()),
        Err(wrong) => wrong,
    };
    match wrong {
        Wrong::Stop(Stop::Bad { .. }) | Wrong::Refused(_) => {
            let why = match wrong {
                Wrong::Refused(why) => why,
                _ => return Err(wrong),
            };
            let option = [&place(name, number)[..], option].concat();
            Err(Wrong::Stop(Stop::Bad { option, why, exit: Exit::Usage }))
        }
        Wrong::Stop(stop) => Err(Wrong::Stop(stop)),
        // curl warns and goes on
        Wrong::Why(why, _) => {
            let where_ = place(name, number);
            parser.warn(&[&where_, b"'", option, b"' ", why.as_bytes()]);
            Ok(())
        }
    }
}

fn place(name: &[u8], number: usize) -> Vec<u8> {
    [name, b":", number.to_string().as_bytes(), b": "].concat()
}

/// The text up to the closing quote.
fn unquoted(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.iter();
    while let Some(&byte) = bytes.next() {
        out.push(match byte {
            b'"' => break,
            b'\\' => match bytes.next() {
                Some(b't') => b'\t',
                Some(b'n') => b'\n',
                Some(b'r') => b'\r',
                Some(b'v') => 0x0b,
                Some(other) => *other,
                None => break,
            },
            other => other,
        });
    }
    out
}
