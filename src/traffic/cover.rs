//! Masks the secrets in one direction of a connection with `*`.

use super::secrets::{BodyMask, HeadMask};
use crate::wire::Fields;

#[derive(Debug)]
pub(super) struct Cover {
    pub head: HeadMask,
    pub body: BodyMask,
}

impl Cover {
    pub fn new(on: bool) -> Cover {
        Cover { head: HeadMask::new(on), body: BodyMask::Off }
    }

    /// Begins bytes of an unknown kind. JSON and opaque bytes that have begun continue.
    pub fn begin_unknown(&mut self) {
        if !matches!(self.body, BodyMask::Json(_) | BodyMask::All) {
            self.begin(BodyMask::unknown());
        }
    }

    /// Returns a mask for bytes of an unknown kind that this one has seen already.
    pub fn again(&self) -> Cover {
        let mut cover = Cover::new(self.head.cover);
        cover.begin(match self.body {
            BodyMask::All => BodyMask::All,
            _ => BodyMask::unknown(),
        });
        cover
    }

    /// Begins a body, or a protocol whose secrets cannot be found ([`BodyMask::All`]).
    pub fn begin(&mut self, body: BodyMask) {
        self.body = if self.head.cover { body } else { BodyMask::Off };
    }

    /// Masks field lines, wherever they are.
    pub fn lines(&mut self, mut bytes: &mut [u8]) {
        while !bytes.is_empty() {
            let n = self.head.run(bytes);
            bytes = &mut bytes[n..];
        }
    }

    pub fn trailers(&self, trailers: &Fields) -> Fields {
        let mut covered = Fields::new();
        for field in trailers.iter() {
            let start = field.name().len() + 1;
            let mut line = [field.name().as_bytes(), b":", field.value(), b"\r\n"].concat();
            HeadMask::new(self.head.cover).run(&mut line);
            // It was parsed as a field line, so it is valid.
            let _ = covered.push(field.name(), &line[start..start + field.value().len()]);
        }
        covered
    }

    /// Masks everything that looks like a secret in bytes that cannot be parsed.
    pub fn unknown(&mut self, bytes: &mut [u8]) {
        self.lines(bytes);
        self.body.run(bytes);
    }
}
