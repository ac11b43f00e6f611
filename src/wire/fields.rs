//! Field lines: ordered, with a case-insensitive look-up.
//!
//! ```text
//! field-line   = field-name ":" OWS field-value OWS                   ; RFC 9112 §5
//! field-name   = token                                                ; RFC 9110 §5.1
//! field-value  = *field-content                                       ; RFC 9110 §5.5
//! obs-fold     = OWS CRLF RWS                                         ; RFC 9112 §5.2
//! ```
//!
//! What is declined, and why:
//! - white space before the colon: two readers would disagree about the name (`RFC 9112 §5.1`);
//! - a bare CR, NUL and other controls in a value: they end lines for some readers (`RFC 9110
//!   §5.5`);
//! - a folded line in a request (`RFC 9112 §5.2`); in a response each fold is read as one SP.
//!
//! ```
//! use unix_http::wire::Fields;
//!
//! let mut fields = Fields::new();
//! fields.push("Host", "localhost")?;
//! fields.push("Accept", "*/*")?;
//! assert_eq!(fields.get("host"), Some(&b"localhost"[..]));
//! assert_eq!(fields.get("Accept-Language"), None);
//! assert!(fields.push("X-Trick", "a\r\nHost: elsewhere").is_err());
//! # Ok::<(), unix_http::wire::EncodeError>(())
//! ```

use super::error::{EncodeError, ErrorKind, ParseError};
use super::grammar::{
    controls, is_ows, is_tchar, list, not_in_names, token_len, trim_ows, trim_ows_end,
    trim_ows_start, unmarked, value_len,
};
use super::head::Progress;
use std::fmt;

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Span {
    pub start: u32,
    pub end: u32,
}

impl Span {
    /// Spans are offsets into one head, which the limit keeps far below 4 GiB.
    pub(crate) fn new(start: usize, end: usize) -> Span {
        Span { start: start as u32, end: end as u32 }
    }

    pub(crate) fn of(self, bytes: &[u8]) -> &[u8] {
        bytes.get(self.start as usize..self.end as usize).unwrap_or_default()
    }
}

#[derive(Clone, Copy, Debug)]
struct Line {
    name: Span,
    value: Span,
    /// Where the value began on the wire; elsewhere than `value` when it was unfolded.
    offset: u32,
}

/// Field lines in the order they came or were put in.
#[derive(Clone, Default)]
pub struct Fields {
    /// The lines as they came (with the start-line before them, when parsed) or will be written,
    /// then unfolded values.
    pub(crate) bytes: Vec<u8>,
    lines: Vec<Line>,
}

/// One field line: a name and a value without the white space around it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Field<'a> {
    name: &'a [u8],
    value: &'a [u8],
    /// Where the value begins, from the first byte of the head it was parsed from.
    pub(crate) offset: usize,
}

impl<'a> Field<'a> {
    /// The name as it was written: a token, so ASCII; compare it without regard to case.
    pub fn name(&self) -> &'a str {
        std::str::from_utf8(self.name).unwrap_or_default()
    }

    pub(crate) fn name_bytes(&self) -> &'a [u8] {
        self.name
    }

    /// The value: any bytes but controls. ASCII in practice, but nothing promises it.
    pub fn value(&self) -> &'a [u8] {
        self.value
    }
}

/// A number as it is written in a field value.
pub(crate) struct Digits([u8; 20], usize);

impl Digits {
    pub(crate) fn of(mut number: u64) -> Digits {
        let (mut digits, mut at) = ([0; 20], 20);
        loop {
            at -= 1;
            digits[at] = b'0' + (number % 10) as u8;
            number /= 10;
            if number == 0 {
                return Digits(digits, at);
            }
        }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0[self.1..]
    }
}

impl fmt::Debug for Field<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name(), self.value.escape_ascii())
    }
}

impl Fields {
    /// No fields yet; allocates nothing.
    pub const fn new() -> Fields {
        Fields { bytes: Vec::new(), lines: Vec::new() }
    }

    /// How many field lines there are.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether there is no field line.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Adds a field line after the others. White space around the value is no part of it (`RFC 9110
    /// §5.5`).
    ///
    /// # Errors
    /// A name that is not a token; a value with a control in it (CR, LF and NUL among them): either
    /// could end the line and begin another.
    pub fn push(&mut self, name: &str, value: impl AsRef<[u8]>) -> Result<(), EncodeError> {
        check_name(name.as_bytes())?;
        check_value(value.as_ref())?;
        self.push_checked(name.as_bytes(), b": ", trim_ows(value.as_ref()));
        Ok(())
    }

    /// Adds a field line given whole, such as `Name:value`, to be written to the letter but for
    /// white space at its end.
    ///
    /// # Errors
    /// As [`push`](Fields::push), and for a line without a colon.
    pub fn push_line(&mut self, line: &[u8]) -> Result<(), EncodeError> {
        let colon = line.iter().position(|&b| b == b':');
        let colon =
            colon.ok_or(EncodeError { kind: ErrorKind::MissingColon, offset: line.len() })?;
        check_name(&line[..colon])?;
        check_value(&line[colon + 1..])
            .map_err(|e| EncodeError { offset: e.offset + colon + 1, ..e })?;
        let ows = line[colon + 1..].iter().take_while(|&&b| is_ows(b)).count();
        self.push_checked(
            &line[..colon],
            &line[colon..=colon + ows],
            trim_ows(&line[colon + 1 + ows..]),
        );
        Ok(())
    }

    /// Adds all the lines of `other`, each as `Name: value`, whatever white space stood around the
    /// colon.
    pub fn extend(&mut self, other: &Fields) {
        for field in other.iter() {
            self.push_checked(field.name, b": ", field.value);
        }
    }

    /// Adds `Content-Length: length`.
    pub fn push_length(&mut self, length: u64) {
        self.push_checked(b"Content-Length", b": ", Digits::of(length).as_bytes());
    }

    fn push_checked(&mut self, name: &[u8], colon: &[u8], value: &[u8]) {
        let start = self.bytes.len();
        for part in [name, colon, value] {
            self.bytes.extend_from_slice(part);
        }
        let end = self.bytes.len();
        let value = Span::new(end - value.len(), end);
        self.lines.push(Line {
            name: Span::new(start, start + name.len()),
            value,
            offset: value.start,
        });
    }

    /// Takes away every field line of that name; how many there were.
    pub fn remove(&mut self, name: &str) -> usize {
        let (before, bytes) = (self.lines.len(), &self.bytes);
        self.lines.retain(|line| !line.name.of(bytes).eq_ignore_ascii_case(name.as_bytes()));
        before - self.lines.len()
    }

    /// The value of the first field line of that name.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.iter()
            .find(|field| field.name.eq_ignore_ascii_case(name.as_bytes()))
            .map(|field| field.value)
    }

    /// Every field line of that name, in order.
    pub fn get_all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = Field<'a>> {
        self.iter().filter(move |field| field.name.eq_ignore_ascii_case(name.as_bytes()))
    }

    /// Whether a list-valued field (`Connection`, `Upgrade`) has that element, in any case, in any
    /// of its lines.
    pub fn has_token(&self, name: &str, token: &str) -> bool {
        self.get_all(name)
            .any(|field| list(field.value).any(|t| t.eq_ignore_ascii_case(token.as_bytes())))
    }

    /// Every field line, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Field<'_>> {
        self.lines.iter().map(|line| self.field(line))
    }

    /// Every field line whose name is as long as one that is looked for: the others are passed by
    /// without being read.
    pub(crate) fn of_name_len(
        &self,
        looked_for: impl Fn(usize) -> bool,
    ) -> impl Iterator<Item = Field<'_>> {
        let len = |name: Span| (name.end - name.start) as usize;
        self.lines
            .iter()
            .filter(move |line| looked_for(len(line.name)))
            .map(|line| self.field(line))
    }

    fn field(&self, line: &Line) -> Field<'_> {
        Field {
            name: line.name.of(&self.bytes),
            value: line.value.of(&self.bytes),
            offset: line.offset as usize,
        }
    }

    /// Appends the field lines to `out`, each with its CR LF.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        for line in &self.lines {
            let gap = Span { start: line.name.end, end: line.value.start };
            match gap.of(&self.bytes) {
                [b':', ows @ ..] if ows.iter().all(|&b| is_ows(b)) => {
                    out.extend_from_slice(
                        Span { start: line.name.start, end: line.value.end }.of(&self.bytes),
                    );
                }
                _ => {
                    for part in [line.name.of(&self.bytes), b": ", line.value.of(&self.bytes)] {
                        out.extend_from_slice(part);
                    }
                }
            }
            out.extend_from_slice(b"\r\n");
        }
    }

    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.lines.clear();
    }
}

impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// Equal when names (without regard to case) and values are the same, in the same order.
impl PartialEq for Fields {
    fn eq(&self, other: &Fields) -> bool {
        let same =
            |a: Field<'_>, b: Field<'_>| a.name.eq_ignore_ascii_case(b.name) && a.value == b.value;
        self.len() == other.len() && self.iter().zip(other.iter()).all(|(a, b)| same(a, b))
    }
}

impl Eq for Fields {}

fn check_name(name: &[u8]) -> Result<(), EncodeError> {
    match name.iter().position(|&b| !is_tchar(b)) {
        None if !name.is_empty() => Ok(()),
        at => Err(EncodeError { kind: ErrorKind::FieldName, offset: at.unwrap_or(0) }),
    }
}

pub(crate) fn check_value(value: &[u8]) -> Result<(), EncodeError> {
    match value_len(value) {
        offset if offset == value.len() => Ok(()),
        offset => Err(EncodeError { kind: ErrorKind::FieldValue, offset }),
    }
}

/// Appends one field line, whose name is known to be a token.
pub(crate) fn encode_field(out: &mut Vec<u8>, name: &str, value: &[u8]) -> Result<(), EncodeError> {
    check_value(value)?;
    for part in [name.as_bytes(), b": ", value, b"\r\n"] {
        out.extend_from_slice(part);
    }
    Ok(())
}

/// What a reader takes beside the grammar; a writer never writes it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lenience {
    /// A folded line is read with one SP for each fold, as a user agent must (`RFC 9112 §5.2`);
    /// else it is refused.
    pub folds: bool,
    /// A lone LF ends a line, as it may in a head (`RFC 9112 §2.2`). Not in a trailer section:
    /// where one reader ends a chunked body at `0 CR LF LF` and another does not, a request can
    /// hide.
    pub bare_lf: bool,
}

/// Reads a field section line by line, and goes on where it stopped when more bytes have come.
#[derive(Clone, Debug, Default)]
pub(crate) struct SectionDecoder {
    /// Where the first line begins that has not been read.
    at: usize,
    /// Where that line's colon is, once it was found.
    colon: usize,
    /// How many bytes were looked at already: a line that comes byte by byte is not read again from
    /// its start each time.
    seen: usize,
    /// Lines whose value was folded, and the value unfolded.
    unfolded: Vec<(usize, Vec<u8>)>,
}

impl SectionDecoder {
    /// Forgets what was read; the field section begins at `at`.
    #[inline]
    pub(crate) fn reset(&mut self, at: usize) {
        if !self.unfolded.is_empty() {
            self.unfolded.clear();
        }
        (self.at, self.colon, self.seen) = (at, 0, 0);
    }

    /// Reads on in `head`, which holds the same bytes as before and more, and puts what it finds
    /// into `fields`.
    pub(crate) fn decode(
        &mut self,
        fields: &mut Fields,
        head: &[u8],
        lenience: Lenience,
    ) -> Result<Progress, ParseError> {
        let progress = self.lines(fields, head, lenience);
        self.seen = head.len();
        progress
    }

    fn lines(
        &mut self,
        fields: &mut Fields,
        head: &[u8],
        lenience: Lenience,
    ) -> Result<Progress, ParseError> {
        loop {
            if self.at >= self.seen {
                self.at += plain_lines(&mut fields.lines, head, self.at);
            }
            let first = fields.is_empty();
            match head[self.at..] {
                [b'\r', b'\n', ..] => return Ok(self.complete(fields, head, 2)),
                [b'\n', ..] if lenience.bare_lf => return Ok(self.complete(fields, head, 1)),
                [b'\n', ..] => return Err(ParseError::new(ErrorKind::ChunkLineEnd, self.at)),
                [] | [b'\r'] => return Ok(Progress::Partial),
                [b'\r', ..] => return Err(ParseError::new(ErrorKind::BareCr, self.at)),
                [b' ' | b'\t', ..] if first => {
                    return Err(ParseError::new(ErrorKind::LeadingSpace, self.at));
                }
                [b' ' | b'\t', ..] if lenience.folds => {
                    let Some((end, next)) = self.line_end(head, self.at, lenience)? else {
                        return Ok(Progress::Partial);
                    };
                    self.unfold(fields, head, end);
                    self.at = next;
                }
                [b' ' | b'\t', ..] => return Err(ParseError::new(ErrorKind::ObsFold, self.at)),
                _ => {
                    if self.colon == 0 {
                        let Some(colon) = self.field_name(head)? else {
                            return Ok(Progress::Partial);
                        };
                        self.colon = colon;
                    }
                    let Some((end, next)) = self.line_end(head, self.colon + 1, lenience)? else {
                        return Ok(Progress::Partial);
                    };
                    let value = trimmed(head, self.colon + 1, end);
                    let line =
                        Line { name: Span::new(self.at, self.colon), value, offset: value.start };
                    fields.lines.push(line);
                    (self.at, self.colon) = (next, 0);
                }
            }
        }
    }

    /// Where the colon is; `None` when it has not come.
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

    /// [`line_end`], on from where it got to before.
    fn line_end(
        &self,
        head: &[u8],
        from: usize,
        lenience: Lenience,
    ) -> Result<Option<(usize, usize)>, ParseError> {
        // The last byte seen may have been a CR that waits for its LF.
        match line_end(head, from.max(self.seen.saturating_sub(1)))? {
            Some((end, next)) if next == end + 1 && !lenience.bare_lf => {
                Err(ParseError::new(ErrorKind::ChunkLineEnd, end))
            }
            line => Ok(line),
        }
    }

    /// Takes a copy of the head, so that the fields live longer than the buffer they were read
    /// from.
    #[inline]
    fn complete(&mut self, fields: &mut Fields, head: &[u8], line_end: usize) -> Progress {
        let len = self.at + line_end;
        fields.bytes.extend_from_slice(&head[..len]);
        if !self.unfolded.is_empty() {
            self.put_unfolded(fields);
        }
        Progress::Complete { len }
    }

    #[cold]
    fn put_unfolded(&mut self, fields: &mut Fields) {
        for (line, value) in self.unfolded.drain(..) {
            let start = fields.bytes.len();
            fields.bytes.extend_from_slice(&value);
            if let Some(line) = fields.lines.get_mut(line) {
                line.value = Span::new(start, start + value.len());
            }
        }
    }

    /// Joins the continuation line up to `end` to the value before it, with one SP.
    fn unfold(&mut self, fields: &Fields, head: &[u8], end: usize) {
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
    }
}

/// Reads lines from `from` on while they are all there and as plain as nearly every one:
/// `field-name ":" OWS field-value OWS CR LF`, without HTAB and rare tchars. How many bytes they
/// take up; [`SectionDecoder::lines`] reads on from there.
#[inline(never)]
fn plain_lines(lines: &mut Vec<Line>, head: &[u8], from: usize) -> usize {
    let mut at = from;
    while let [first, ..] = head[at..]
        && first != b'\r'
    {
        let line = &head[at..];
        // Both searches begin at the line's start: neither has to wait for the other.
        let (colon, end) = (unmarked(line, not_in_names), unmarked(line, controls));
        let plain =
            0 < colon && colon < end && line[colon] == b':' && line[end..].starts_with(b"\r\n");
        if !plain {
            break;
        }
        let value = trimmed(head, at + colon + 1, at + end);
        lines.push(Line { name: Span::new(at, at + colon), value, offset: value.start });
        at += end + 2;
    }
    at - from
}

/// The bytes from `start` to `end` without the white space around them.
#[inline]
fn trimmed(head: &[u8], start: usize, end: usize) -> Span {
    let text = &head[start..end];
    if let [b' ', first, .., last] = text
        && *first > b' '
        && *last > b' '
    {
        return Span::new(start + 1, end);
    }
    let text = trim_ows_start(text);
    let start = end - text.len();
    Span::new(start, start + trim_ows_end(text).len())
}

/// Where the text from `from` ends and where the next line begins; `None` when the line's end has
/// not come.
///
/// A lone LF ends a line too, as a recipient may have it (`RFC 9112 §2.2`); a CR that no LF follows
/// is refused, since other readers would end the line there.
#[inline]
pub(crate) fn line_end(head: &[u8], from: usize) -> Result<Option<(usize, usize)>, ParseError> {
    let end = from + value_len(&head[from..]);
    match head[end..] {
        [b'\r', b'\n', ..] => Ok(Some((end, end + 2))),
        [b'\n', ..] => Ok(Some((end, end + 1))),
        [] | [b'\r'] => Ok(None),
        [b'\r', ..] => Err(ParseError::new(ErrorKind::BareCr, end)),
        _ => Err(ParseError::new(ErrorKind::FieldValue, end)),
    }
}
