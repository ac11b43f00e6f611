//! Masks the secrets in one direction of a connection with `*`.

use super::secrets::{BodyMask, HeadMask};
use crate::wire::Fields;

#[derive(Debug, Default)]
pub(super) struct Cover {
    /// Whether secrets stay.
    pub off: bool,
    pub head: HeadMask,
    pub body: BodyMask,
}

impl Cover {
    /// Begins bytes of an unknown kind. JSON and opaque bytes that have begun continue.
    pub fn begin_unknown(&mut self) {
        if !matches!(self.body, BodyMask::Json(_) | BodyMask::All) {
            self.begin(BodyMask::unknown());
        }
    }

    /// Returns a mask for bytes of an unknown kind that this one has seen already.
    pub fn again(&self) -> Cover {
        let mut cover = Cover { off: self.off, ..Cover::default() };
        cover.begin(match self.body {
            BodyMask::All => BodyMask::All,
            _ => BodyMask::unknown(),
        });
        cover
    }

    /// Begins a body, or a protocol whose secrets cannot be found ([`BodyMask::All`]).
    pub fn begin(&mut self, body: BodyMask) {
        self.body = if self.off { BodyMask::Off } else { body };
    }

    /// Masks field lines, wherever they are.
    pub fn lines(&mut self, mut bytes: &mut [u8]) {
        while !self.off && !bytes.is_empty() {
            let n = self.head.run(bytes);
            bytes = &mut bytes[n..];
        }
    }

    pub fn trailers(&self, trailers: &Fields) -> Fields {
        if self.off {
            return trailers.clone();
        }
        let mut covered = Fields::new();
        for field in trailers.iter() {
            let start = field.name().len() + 1;
            let mut line = [field.name().as_bytes(), b":", field.value(), b"\r\n"].concat();
            HeadMask::default().run(&mut line);
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
