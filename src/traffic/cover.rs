//! Masks the secrets in one direction of a connection with `*`.

use super::secrets::{BodyMask, HeadMask};
use crate::wire::Fields;

#[derive(Debug)]
pub(super) struct Cover {
    on: bool,
    head: HeadMask,
    body: BodyMask,
}

impl Cover {
    pub fn new(on: bool) -> Cover {
        Cover { on, head: HeadMask::new(on), body: BodyMask::Off }
    }

    /// Masks a head. Returns how many bytes belong to the head, and whether the head is complete.
    pub fn head(&mut self, bytes: &mut [u8]) -> (usize, bool) {
        self.head.run(bytes)
    }

    pub fn begin_head(&mut self) {
        self.head = HeadMask::new(self.on);
    }

    /// Begins bytes of an unknown kind. JSON and opaque bytes that have begun continue.
    pub fn begin_unknown(&mut self) {
        if !matches!(self.body, BodyMask::Json(_) | BodyMask::All) {
            self.begin(BodyMask::unknown());
        }
    }

    /// Returns a mask for bytes of an unknown kind that this one has seen already.
    pub fn again(&self) -> Cover {
        let mut cover = Cover::new(self.on);
        cover.begin(match self.body {
            BodyMask::All => BodyMask::All,
            _ => BodyMask::unknown(),
        });
        cover
    }

    /// Begins a body, or a protocol whose secrets cannot be found ([`BodyMask::All`]).
    pub fn begin(&mut self, body: BodyMask) {
        self.body = if self.on { body } else { BodyMask::Off };
    }

    pub fn content(&mut self, bytes: &mut [u8]) {
        self.body.run(bytes);
    }

    /// Masks field lines, wherever they are.
    pub fn lines(&mut self, mut bytes: &mut [u8]) {
        while !bytes.is_empty() {
            let (n, _) = self.head.run(bytes);
            bytes = &mut bytes[n..];
        }
    }

    pub fn trailers(&self, trailers: &Fields) -> Fields {
        let mut covered = Fields::new();
        for field in trailers.iter() {
            let start = field.name().len() + 1;
            let mut line = [field.name().as_bytes(), b":", field.value(), b"\r\n"].concat();
            HeadMask::new(self.on).run(&mut line);
            // It was parsed as a field line, so it is valid.
            let _ = covered.push(field.name(), &line[start..start + field.value().len()]);
        }
        covered
    }

    /// Masks everything that looks like a secret in bytes that cannot be parsed.
    pub fn unknown(&mut self, bytes: &mut [u8]) {
        self.lines(bytes);
        self.content(bytes);
    }

    pub fn is_off(&self) -> bool {
        matches!(self.body, BodyMask::Off)
    }
}
