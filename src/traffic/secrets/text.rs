//! Secrets in text: `NAME=value`, `--name value`, URLs with credentials, swarm tokens.

use crate::base::secret_name::is_secret_name;

/// How many bytes at the end of a name are compared.
const NAME: usize = 256;

/// Appends a byte to a name and keeps only its end.
pub(super) fn push_name(name: &mut Vec<u8>, byte: u8) {
    if name.len() == 2 * NAME {
        name.drain(..NAME);
    }
    name.push(byte);
}

/// Sets an empty name as if its bytes were pushed.
pub(super) fn set_name(name: &mut Vec<u8>, bytes: &[u8]) {
    let drained = bytes.len().saturating_sub(2 * NAME).next_multiple_of(NAME);
    name.extend_from_slice(&bytes[drained..]);
}

/// The position of a decoded byte in the bytes of a read. An escape such as `%3D` takes several.
pub(super) type ByteSpan = (usize, usize);

pub(super) fn cover(raw: &mut [u8], (start, end): ByteSpan) {
    if let Some(bytes) = raw.get_mut(start..end) {
        bytes.fill(b'*');
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct TextMask {
    /// The name that ends here, if there is one.
    name: Vec<u8>,
    /// Whether the rest is secret, except further `=`, which end base64.
    pub covers: bool,
    /// Where the authority of a URL begins, if this is a URL: `//` userinfo `@` host.
    authority: Option<usize>,
    last: [u8; 2],
}

impl TextMask {
    /// Whether another space has no effect.
    pub fn is_blank(&self) -> bool {
        self.last == *b"  " && !self.covers
    }

    /// Begins a new text.
    pub fn clear(&mut self) {
        self.name.clear();
        (self.covers, self.authority, self.last) = (false, None, [0; 2]);
    }

    pub fn push(&mut self, byte: u8, at: ByteSpan, raw: &mut [u8]) {
        if !self.covers {
            self.look(byte, at, raw);
        } else if byte != b'=' || self.last[1] != b'=' {
            self.last[1] = byte;
            cover(raw, at);
        }
    }

    fn look(&mut self, byte: u8, at: ByteSpan, raw: &mut [u8]) {
        match self.authority {
            Some(start) if byte == b'@' => cover(raw, (start, at.0)),
            // RFC 3986 §3.2: the authority ends here.
            Some(_) if matches!(byte, b'/' | b'?' | b'#' | b'"' | b'\\' | ..=b' ') => {
                self.authority = None;
            }
            _ => {}
        }
        if byte == b'/' && self.last == *b":/" {
            self.authority = Some(at.1);
        }
        self.last = [self.last[1], byte];
        let name = &self.name[..];
        self.covers = match byte {
            b'=' => is_secret_name(name),
            b' ' => name.starts_with(b"--") && is_secret_name(name),
            b'-' => matches!(name, b"SWMTKN" | b"SWMKEY"),
            _ => false,
        };
        if byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.') {
            push_name(&mut self.name, byte);
        } else {
            self.name.clear();
        }
    }

    /// Ends a read, and masks possible credentials in a URL.
    pub fn cut(&mut self, raw: &mut [u8]) {
        if let Some(start) = &mut self.authority {
            cover(raw, (*start, raw.len()));
            *start = 0;
        }
    }
}
