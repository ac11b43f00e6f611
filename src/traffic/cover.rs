//! Masks the secrets in one direction of a connection with `*`.

use super::secrets::{HeadMask, JsonMask, is_secret_field};
use crate::wire::Fields;

#[derive(Debug)]
pub(super) struct Cover {
    on: bool,
    head: HeadMask,
    content: ContentCover,
}

#[derive(Debug)]
enum ContentCover {
    Nothing,
    /// The first byte of content decides; with whether members named `Data` are secret.
    Undecided(bool),
    Json(JsonMask),
}

impl Cover {
    pub fn new(on: bool) -> Cover {
        Cover { on, head: HeadMask::new(on), content: ContentCover::Nothing }
    }

    /// Masks field values. Returns how many bytes belong to the head, and whether they end it.
    pub fn head(&mut self, bytes: &mut [u8]) -> (usize, bool) {
        self.head.run(bytes)
    }

    pub fn begin_head(&mut self) {
        self.head = HeadMask::new(self.on);
    }

    /// Begins a body; `data` tells whether members named `Data` are secret.
    pub fn begin_body(&mut self, data: bool) {
        self.content = if self.on { ContentCover::Undecided(data) } else { ContentCover::Nothing };
    }

    /// Begins bytes of an unknown kind, which may be JSON. A secret that has begun continues.
    pub fn begin_unknown(&mut self) {
        match &self.content {
            ContentCover::Json(mask) if mask.is_covering() => {}
            _ if self.on => self.content = ContentCover::Json(JsonMask::new(true)),
            _ => self.content = ContentCover::Nothing,
        }
    }

    pub fn content(&mut self, bytes: &mut [u8]) {
        if let ContentCover::Undecided(data) = self.content {
            match bytes.iter().find(|b| !matches!(b, b' ' | b'\t' | b'\r' | b'\n')) {
                None => return,
                Some(b'{' | b'[') => self.content = ContentCover::Json(JsonMask::new(data)),
                Some(_) => self.content = ContentCover::Nothing,
            }
        }
        if let ContentCover::Json(mask) = &mut self.content {
            mask.run(bytes);
        }
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
            let value = match self.on && is_secret_field(field.name()) {
                true => vec![b'*'; field.value().len()],
                false => field.value().to_vec(),
            };
            // It was read as a field line, so it can be one.
            let _ = covered.push(field.name(), value);
        }
        covered
    }

    /// Masks everything that looks like a secret in bytes that cannot be parsed.
    pub fn unknown(&mut self, bytes: &mut [u8]) {
        self.lines(bytes);
        self.content(bytes);
    }

    /// Masks every byte of a protocol whose secrets cannot be found.
    pub fn all(&self, bytes: &mut [u8]) {
        if self.on {
            bytes.fill(b'*');
        }
    }

    pub fn is_off(&self) -> bool {
        matches!(self.content, ContentCover::Nothing)
    }
}
