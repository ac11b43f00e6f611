//! The decoder of a field section: a header section or a trailer section.
//!
//! ```text
//! field-section = *( field-line CRLF ) CRLF
//! field-line    = field-name ":" OWS field-value OWS                  ; RFC 9112 §5
//! obs-fold      = OWS CRLF RWS                                        ; RFC 9112 §5.2
//! ```
//!
//! Rejected:
//! - white space before the colon: two readers could disagree about the name (`RFC 9112 §5.1`);
//! - a bare CR, NUL and other controls in a value: some readers end a line there
//!   (`RFC 9110 §5.5`);
//! - a folded line in a request (`RFC 9112 §5.2`). In a response each fold is read as one SP.

use super::error::{ErrorKind, ParseError};
use super::field::{Fields, Line, Span};
use super::grammar::{is_ows, token_len, trim_ows, value_len};

/// The progress of a decoder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// All bytes so far are valid; more are needed.
    Partial,
    /// The head is complete.
    Complete {
        /// The length of the head in bytes, including its empty line.
        len: usize,
    },
}

/// Deviations from the grammar that the decoder accepts. Encoders never produce them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lenience {
    /// Each fold is read as one SP, as a user agent must (`RFC 9112 §5.2`).
    pub folds: bool,
    /// A lone LF ends a line. A head may allow this (`RFC 9112 §2.2`), a trailer section never
    /// does: only one of two readers would see its end there, and the other could miss a hidden
    /// request.
    pub bare_lf: bool,
}

/// Decodes a field section line by line. Resumes where it stopped when more bytes have arrived.
#[derive(Clone, Debug)]
pub(crate) struct SectionDecoder {
    lenience: Lenience,
    /// Where the first unread line begins.
    at: usize,
    /// Where the colon of that line is; 0 until it is found.
    colon: usize,
    /// How many bytes earlier calls examined. Later calls skip them.
    seen: usize,
    /// The numbers of the folded lines, each with the unfolded value.
    unfolded: Vec<(usize, Vec<u8>)>,
}

impl SectionDecoder {
    pub(crate) fn new(lenience: Lenience) -> SectionDecoder {
        SectionDecoder { lenience, at: 0, colon: 0, seen: 0, unfolded: Vec::new() }
    }

    /// Starts over with a field section at `at`.
    pub(crate) fn reset(&mut self, at: usize) {
        self.unfolded.clear();
        (self.at, self.colon, self.seen) = (at, 0, 0);
    }

    /// Adds the lines of `head` to `fields`. `head` holds the bytes of the last call and more.
    pub(crate) fn decode(
        &mut self,
        fields: &mut Fields,
        head: &[u8],
    ) -> Result<Progress, ParseError> {
        let progress = self.lines(fields, head);
        self.seen = head.len();
        progress
    }

    fn lines(&mut self, fields: &mut Fields, head: &[u8]) -> Result<Progress, ParseError> {
        loop {
            let error = match head[self.at..] {
                [b'\r', b'\n', ..] => return Ok(self.complete(fields, head, 2)),
                [b'\n', ..] if self.lenience.bare_lf => return Ok(self.complete(fields, head, 1)),
                [] | [b'\r'] => return Ok(Progress::Partial),
                [b'\n', ..] => ErrorKind::ChunkLineEnd,
                [b'\r', ..] => ErrorKind::BareCr,
                [b' ' | b'\t', ..] if fields.is_empty() => ErrorKind::LeadingSpace,
                [b' ' | b'\t', ..] if !self.lenience.folds => ErrorKind::ObsFold,
                [first, ..] => {
                    let read = match first {
                        b' ' | b'\t' => self.folded_line(fields, head)?,
                        _ => self.field_line(fields, head)?,
                    };
                    match read {
                        Some(next) => self.at = next,
                        None => return Ok(Progress::Partial),
                    }
                    continue;
                }
            };
            return Err(ParseError::new(error, self.at));
        }
    }

    /// Reads one field line. Returns where the next line begins, or `None` if the line is not all
    /// there.
    #[inline]
    fn field_line(
        &mut self,
        fields: &mut Fields,
        head: &[u8],
    ) -> Result<Option<usize>, ParseError> {
        if self.colon == 0 {
            let Some(colon) = self.field_name(head)? else { return Ok(None) };
            self.colon = colon;
        }
        let start = self.colon + 1;
        let Some((end, next)) = self.line_end(head, start)? else { return Ok(None) };
        let text = &head[start..end];
        let start = start + text.iter().take_while(|&&byte| is_ows(byte)).count();
        let value = Span::new(start, start + trim_ows(text).len());
        let name = Span::new(self.at, self.colon);
        fields.lines.push(Line { name, value, offset: value.start });
        self.colon = 0;
        Ok(Some(next))
    }

    /// Reads a continuation line and joins it to the value before it with one SP.
    fn folded_line(&mut self, fields: &Fields, head: &[u8]) -> Result<Option<usize>, ParseError> {
        let Some((end, next)) = self.line_end(head, self.at)? else { return Ok(None) };
        let more = trim_ows(&head[self.at..end]);
        let last = fields.lines.len() - 1;
        if self.unfolded.last().is_none_or(|(line, _)| *line != last) {
            self.unfolded.push((last, fields.lines[last].value.of(head).to_vec()));
        }
        if let Some((_, value)) = self.unfolded.last_mut()
            && !more.is_empty()
        {
            if !value.is_empty() {
                value.push(b' ');
            }
            value.extend_from_slice(more);
        }
        Ok(Some(next))
    }

    /// Finds the colon. Returns `None` if it has not arrived.
    fn field_name(&self, head: &[u8]) -> Result<Option<usize>, ParseError> {
        let from = self.at.max(self.seen);
        let colon = from + token_len(&head[from..]);
        let kind = match head.get(colon) {
            None => return Ok(None),
            Some(b':') if colon > self.at => return Ok(Some(colon)),
            Some(b' ' | b'\t') => ErrorKind::SpaceBeforeColon,
            Some(b'\r' | b'\n') => ErrorKind::MissingColon,
            Some(_) => ErrorKind::FieldName,
        };
        Err(ParseError::new(kind, colon))
    }

    /// Calls [`line_end`] where the previous call stopped.
    fn line_end(&self, head: &[u8], from: usize) -> Result<Option<(usize, usize)>, ParseError> {
        // The last byte seen may have been a CR without its LF.
        match line_end(head, from.max(self.seen.saturating_sub(1)))? {
            Some((end, next)) if next == end + 1 && !self.lenience.bare_lf => {
                Err(ParseError::new(ErrorKind::ChunkLineEnd, end))
            }
            line => Ok(line),
        }
    }

    /// Copies the head into `fields`, which then outlive the input buffer.
    fn complete(&mut self, fields: &mut Fields, head: &[u8], line_end: usize) -> Progress {
        let len = self.at + line_end;
        fields.bytes.extend_from_slice(&head[..len]);
        for (line, value) in self.unfolded.drain(..) {
            let start = fields.bytes.len();
            fields.bytes.extend_from_slice(&value);
            if let Some(line) = fields.lines.get_mut(line) {
                line.value = Span::new(start, start + value.len());
            }
        }
        Progress::Complete { len }
    }
}

/// Returns where the text starting at `from` ends and where the next line begins, or `None` if the
/// end of the line has not arrived.
///
/// Rejects a CR without an LF, because other readers would end the line there.
#[inline]
pub(super) fn line_end(head: &[u8], from: usize) -> Result<Option<(usize, usize)>, ParseError> {
    let end = from + value_len(&head[from..]);
    match head[end..] {
        [b'\r', b'\n', ..] => Ok(Some((end, end + 2))),
        [b'\n', ..] => Ok(Some((end, end + 1))),
        [] | [b'\r'] => Ok(None),
        [b'\r', ..] => Err(ParseError::new(ErrorKind::BareCr, end)),
        _ => Err(ParseError::new(ErrorKind::FieldValue, end)),
    }
}
