//! The command line that repeats a request, quoted for a shell.

use crate::base::text::visible;
use crate::traffic::secrets;
use crate::wire::{Field, Fields};

/// The command that repeats a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tap) enum Tool {
    /// Decodes Docker's frames and can attach.
    Ucurl,
    /// Prints frames unchanged and cannot send input to a container.
    Curl,
}

/// A request as options and a URL.
pub(in crate::tap) struct RepeatedRequest<'a> {
    pub method: &'a str,
    pub target: &'a [u8],
    pub fields: &'a Fields,
    /// The quoted value of `--data-binary`, if there is content.
    pub body: Option<String>,
    /// The text before the target: a scheme and a host, or nothing.
    pub origin: &'a str,
}

impl RepeatedRequest<'_> {
    /// Returns the words of the command; `word` quotes a text.
    pub fn words(&self, word: &dyn Fn(&[u8]) -> String) -> Vec<String> {
        let mut words = Vec::new();
        match self.method {
            "GET" if self.body.is_none() => {}
            "HEAD" => words.push("-I".into()),
            method => words.push(format!("-X {}", quoted_word(method.as_bytes()))),
        }
        words.extend(self.fields.iter().map(|line| format!("-H {}", field(line, word))));
        if let Some(body) = &self.body {
            if self.fields.get("Content-Type").is_none() {
                words.push("-H 'Content-Type:'".into());
            }
            words.push(format!("--data-binary {body}"));
        }
        if self.target.starts_with(b"/") {
            words.push(word(&[self.origin.as_bytes(), self.target].concat()));
        } else {
            // As a URL it would name another server than the engine.
            words.push(format!("--request-target {} {}/", word(self.target), self.origin));
        }
        words
    }
}

/// Returns the field lines that the same request needs on another connection.
pub(in crate::tap) fn repeated_fields(fields: Option<&Fields>) -> Fields {
    const OF_THE_CONNECTION: &str = "host connection upgrade user-agent content-length \
        transfer-encoding expect accept-encoding te trailer";
    let mut fields = fields.cloned().unwrap_or_default();
    for name in OF_THE_CONNECTION.split(' ') {
        fields.remove(name);
    }
    fields
}

/// Returns a field line as one word, with a variable in place of a masked value.
fn field(line: Field<'_>, word: &dyn Fn(&[u8]) -> String) -> String {
    let (name, value) = (line.name(), line.value());
    if secrets::is_secret_field(name) && secrets::is_covered(value) {
        let variable = name.to_ascii_uppercase().replace('-', "_");
        // The docker command sends {} in base64 if it has no credentials.
        let none = match variable.starts_with("X_REGISTRY") {
            true => "-e30=",
            false => "?was covered in the recording",
        };
        return format!("\"{name}: ${{{variable}:{none}}}\"");
    }
    word(&[name.as_bytes(), b": ", value].concat())
}

/// Returns whether a body fits into the command line, where a leading @ would name a file.
pub(in crate::tap) fn is_inline(body: &[u8]) -> bool {
    !body.contains(&0) && !body.starts_with(b"@") && std::str::from_utf8(body).is_ok()
}

/// Quotes text for a shell: within single quotes only the quote itself is special. Bytes that are
/// not UTF-8 are written with printf.
pub(in crate::tap) fn quoted(text: &[u8]) -> String {
    let mut quoted = String::new();
    for chunk in text.utf8_chunks() {
        quoted.push_str(&format!("'{}'", chunk.valid().replace('\'', "'\\''")));
        if !chunk.invalid().is_empty() {
            quoted.push_str(&format!("$(printf {})", printed(chunk.invalid())));
        }
    }
    if quoted.is_empty() { "''".into() } else { quoted }
}

/// Returns the quoted format for printf(1) that prints these bytes.
pub(in crate::tap) fn printed(text: &[u8]) -> String {
    let byte = |&b: &u8| match b {
        b'\n' => "\\n".into(),
        b'\r' => "\\r".into(),
        b'%' => "%%".into(),
        b'\\' => "\\\\".into(),
        b'\'' | 0..b' ' | 127.. => format!("\\{b:03o}"),
        _ => char::from(b).to_string(),
    };
    format!("'{}'", text.iter().map(byte).collect::<String>())
}

/// Quotes text unless it is a plain word.
pub(in crate::tap) fn quoted_word(text: &[u8]) -> String {
    match text.iter().all(u8::is_ascii_alphanumeric) {
        true => visible(text),
        false => quoted(text),
    }
}
