//! Secrets in text: `NAME=value`, `--name value`, URLs with credentials, swarm tokens.

use crate::base::secret_name::{NameTail, is_secret_name};

/// Where a decoded byte stands in the bytes of a read. An escape such as `%3D` takes several.
pub(super) type ByteSpan = (usize, usize);

pub(super) fn cover(raw: &mut [u8], (start, end): ByteSpan) {
    raw[start..end].fill(b'*');
}

#[derive(Clone, Debug, Default)]
pub(super) struct TextMask {
    /// The name that ends here, if one does.
    name: NameTail,
    pub covers: Covers,
    /// Where the authority of a URL begins, if this is one: `//` userinfo `@` host.
    authority: Option<usize>,
    last: [u8; 2],
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Covers {
    #[default]
    Nothing,
    /// All that follows, except further `=`, which end base64.
    Value,
    All,
}

impl TextMask {
    pub fn push(&mut self, byte: u8, at: ByteSpan, raw: &mut [u8]) {
        match self.covers {
            Covers::Nothing => self.look(byte, at, raw),
            Covers::Value if byte == b'=' => {}
            Covers::Value | Covers::All => {
                self.covers = Covers::All;
                cover(raw, at);
            }
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
        let name = self.name.bytes();
        let begins = match byte {
            b'=' => is_secret_name(name),
            b' ' => name.starts_with(b"--") && is_secret_name(name),
            b'-' => matches!(name, b"SWMTKN" | b"SWMKEY"),
            _ => false,
        };
        if begins {
            self.covers = Covers::Value;
        }
        if byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.') {
            self.name.push(byte);
        } else {
            self.name.clear();
        }
    }

    /// Ends a read. What may turn out to be credentials in a URL is covered.
    pub fn cut(&mut self, raw: &mut [u8]) {
        if let Some(start) = &mut self.authority {
            cover(raw, (*start, raw.len()));
            *start = 0;
        }
    }
}
