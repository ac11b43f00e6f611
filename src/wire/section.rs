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

use super::error::{ParseError, Violation};
use super::field::{Fields, Line, Span};
use super::grammar::{ows_len, token_len, trim_ows, value_len};

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
    /// Where the current line begins.
    at: usize,
    /// Where its value begins, after the colon; 0 until the colon is found.
    value: usize,
    /// Where the first byte is that was not examined yet.
    next: usize,
    /// The numbers of the folded lines, each with the unfolded value.
    unfolded: Vec<(usize, Vec<u8>)>,
}

impl SectionDecoder {
    pub(crate) fn new(lenience: Lenience) -> SectionDecoder {
        SectionDecoder { lenience, at: 0, value: 0, next: 0, unfolded: Vec::new() }
    }

    /// Starts over with a field section at `at`.
    pub(crate) fn reset(&mut self, at: usize) {
        self.unfolded.clear();
        (self.at, self.value, self.next) = (at, 0, at);
    }

    /// Adds the lines of `head` to `fields`. `head` holds the bytes of the last call and more.
    /// Returns the length of the whole head once it is complete.
    pub(crate) fn decode(
        &mut self,
        fields: &mut Fields,
        head: &[u8],
    ) -> Result<Option<usize>, ParseError> {
        loop {
            if self.value == 0 {
                self.next += token_len(&head[self.next..]);
                match head.get(self.next) {
                    Some(b':') if self.next > self.at => self.next += 1,
                    Some(b' ' | b'\t') if self.next == self.at => self.check_fold(fields)?,
                    _ => return self.end(fields, head),
                }
                self.value = self.next;
            }
            self.next += value_len(&head[self.next..]);
            let end = self.next;
            let Some(next) = line_end(head, end, Violation::FieldValue)? else { return Ok(None) };
            if next == end + 1 && !self.lenience.bare_lf {
                return Err(ParseError::new(Violation::ChunkLineEnd, end));
            }
            let text = &head[self.value..end];
            let start = self.value + ows_len(text);
            let value = Span::new(start, start + trim_ows(text).len());
            if self.value > self.at {
                let name = Span::new(self.at, self.value - 1);
                fields.lines.push(Line { name, value, offset: value.start });
            } else {
                self.unfold(fields, head, value.of(head));
            }
            (self.at, self.value, self.next) = (next, 0, next);
        }
    }

    /// Checks whether a line that begins with white space may continue the line before it.
    fn check_fold(&self, fields: &Fields) -> Result<(), ParseError> {
        let violation = match fields.is_empty() {
            true => Violation::LeadingSpace,
            false if self.lenience.folds => return Ok(()),
            false => Violation::ObsFold,
        };
        Err(ParseError::new(violation, self.at))
    }

    /// Joins a continuation line to the value before it with one SP.
    fn unfold(&mut self, fields: &Fields, head: &[u8], more: &[u8]) {
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
    }

    /// Reads the empty line at the end. Anything else that is not a field line is an error.
    fn end(&mut self, fields: &mut Fields, head: &[u8]) -> Result<Option<usize>, ParseError> {
        let in_name = self.next > self.at;
        let violation = match head[self.next..] {
            [] => return Ok(None),
            [b'\r' | b'\n', ..] if in_name => Violation::MissingColon,
            [b'\r'] => return Ok(None),
            [b'\r', b'\n', ..] => return Ok(Some(self.complete(fields, head, 2))),
            [b'\r', ..] => Violation::BareCr,
            [b'\n', ..] if self.lenience.bare_lf => {
                return Ok(Some(self.complete(fields, head, 1)));
            }
            [b'\n', ..] => Violation::ChunkLineEnd,
            [b' ' | b'\t', ..] => Violation::SpaceBeforeColon,
            _ => Violation::FieldName,
        };
        Err(ParseError::new(violation, self.next))
    }

    /// Copies the head into `fields`, which then outlive the input buffer.
    fn complete(&mut self, fields: &mut Fields, head: &[u8], line_end: usize) -> usize {
        let len = self.at + line_end;
        fields.bytes.extend_from_slice(&head[..len]);
        for (line, value) in self.unfolded.drain(..) {
            let start = fields.bytes.len();
            fields.bytes.extend_from_slice(&value);
            if let Some(line) = fields.lines.get_mut(line) {
                line.value = Span::new(start, start + value.len());
            }
        }
        len
    }
}

/// Returns where the line after the text that ends at `end` begins, or `None` if the line end has
/// not arrived.
///
/// Rejects a CR without an LF, because other readers would end the line there. Reports any
/// other byte as the violation `other`.
#[inline]
pub(super) fn line_end(
    head: &[u8],
    end: usize,
    other: Violation,
) -> Result<Option<usize>, ParseError> {
    match head[end..] {
        [b'\r', b'\n', ..] => Ok(Some(end + 2)),
        [b'\n', ..] => Ok(Some(end + 1)),
        [] | [b'\r'] => Ok(None),
        [b'\r', ..] => Err(ParseError::new(Violation::BareCr, end)),
        _ => Err(ParseError::new(other, end)),
    }
}
