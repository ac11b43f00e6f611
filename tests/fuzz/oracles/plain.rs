//! A second reader of heads and chunked bodies: a simple and slow implementation of RFC 9112 that
//! needs all bytes at once. It shares no code with the library, and so does not share its bugs.

/// Field lines, unfolded.
pub type Lines = Vec<(Vec<u8>, Vec<u8>)>;

/// The verdict of a plain reader.
#[derive(Debug, PartialEq, Eq)]
pub enum Plain<T> {
    /// The end is missing.
    Short,
    Wrong,
    /// The value, and the number of bytes it took.
    Whole(T, usize),
}

fn token(text: &[u8]) -> bool {
    !text.is_empty()
        && text.iter().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(b))
}

/// Returns whether the text contains no control but HTAB (RFC 9110 §5.5).
fn text(bytes: &[u8]) -> bool {
    bytes.iter().all(|&b| b == b'\t' || (b >= 0x20 && b != 0x7f))
}

fn trim(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = bytes {
        bytes = rest;
    }
    while let [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}

/// Returns the lines before the first empty one, and the number of bytes. A line ends in CR LF or,
/// unless `strict`, in LF. `skip` allows one empty line before them.
fn lines(bytes: &[u8], skip: bool, strict: bool) -> Plain<Vec<&[u8]>> {
    let (mut lines, mut at) = (Vec::new(), 0);
    loop {
        let Some(end) = bytes[at..].iter().position(|&b| b == b'\n') else { return Plain::Short };
        let line = &bytes[at..at + end];
        let line = match line.strip_suffix(b"\r") {
            Some(line) => line,
            None if strict => return Plain::Wrong,
            None => line,
        };
        let first = at == 0;
        at += end + 1;
        if line.is_empty() {
            if first && skip {
                continue;
            }
            return Plain::Whole(lines, at);
        }
        lines.push(line);
    }
}

fn fields(lines: &[&[u8]], folds: bool) -> Option<Lines> {
    let mut fields: Lines = Vec::new();
    for line in lines {
        if !text(line) {
            return None;
        }
        if matches!(line[0], b' ' | b'\t') {
            let (_, value) = fields.last_mut().filter(|_| folds)?;
            let more = trim(line);
            if !value.is_empty() && !more.is_empty() {
                value.push(b' ');
            }
            value.extend_from_slice(more);
            continue;
        }
        let colon = line.iter().position(|&b| b == b':').filter(|&at| token(&line[..at]))?;
        fields.push((line[..colon].to_vec(), trim(&line[colon + 1..]).to_vec()));
    }
    Some(fields)
}

/// Reads `HTTP/1.` DIGIT. Returns whether it is 1.0.
fn version(text: &[u8]) -> Option<bool> {
    match text {
        [b'H', b'T', b'T', b'P', b'/', b'1', b'.', minor] if minor.is_ascii_digit() => {
            Some(*minor == b'0')
        }
        _ => None,
    }
}

#[derive(Debug, PartialEq, Eq)]
pub struct Response {
    pub http10: bool,
    pub status: u16,
    pub reason: Vec<u8>,
    pub fields: Lines,
}

/// Reads a whole response head (`RFC 9112 §4`).
pub fn response(bytes: &[u8]) -> Plain<Response> {
    let (lines, len) = match lines(bytes, false, false) {
        Plain::Whole(lines, len) => (lines, len),
        Plain::Short => return Plain::Short,
        Plain::Wrong => return Plain::Wrong,
    };
    let head = || {
        let line = lines.first().filter(|line| text(line) && line.len() >= 12)?;
        let digits = &line[9..12];
        let reason = match &line[12..] {
            [] => &[],
            [b' ', reason @ ..] => reason,
            _ => return None,
        };
        (line[8] == b' ' && digits.iter().all(u8::is_ascii_digit)).then_some(())?;
        Some(Response {
            http10: version(&line[..8])?,
            status: digits.iter().fold(0, |n, d| n * 10 + u16::from(d - b'0')),
            reason: reason.to_vec(),
            fields: fields(&lines[1..], true)?,
        })
    };
    head().map_or(Plain::Wrong, |head| Plain::Whole(head, len))
}

#[derive(Debug, PartialEq, Eq)]
pub struct Request {
    pub http10: bool,
    pub method: Vec<u8>,
    pub target: Vec<u8>,
    pub fields: Lines,
}

/// Reads a whole request head (`RFC 9112 §3`). Of the four forms of a target, checks only `*`.
pub fn request(bytes: &[u8]) -> Plain<Request> {
    let (lines, len) = match lines(bytes, true, false) {
        Plain::Whole(lines, len) => (lines, len),
        Plain::Short => return Plain::Short,
        Plain::Wrong => return Plain::Wrong,
    };
    let head = || {
        let parts: Vec<&[u8]> = lines.first()?.split(|&b| b == b' ').collect();
        let [method, target, version_text] = parts[..] else { return None };
        let visible = !target.is_empty() && target.iter().all(|&b| b > b' ' && b != 0x7f);
        (token(method) && visible && (target != b"*" || method == b"OPTIONS")).then_some(())?;
        Some(Request {
            http10: version(version_text)?,
            method: method.to_vec(),
            target: target.to_vec(),
            fields: fields(&lines[1..], false)?,
        })
    };
    head().map_or(Plain::Wrong, |head| Plain::Whole(head, len))
}

/// Reads a chunked body (`RFC 9112 §7.1`): its content and trailer fields. Also returns the content
/// before the end of the bytes or the first malformed chunk.
pub fn chunked(bytes: &[u8], folds: bool) -> (Vec<u8>, Plain<Lines>) {
    let (mut content, mut at) = (Vec::new(), 0);
    loop {
        let Some(end) = bytes[at..].iter().position(|&b| b == b'\n') else {
            return (content, Plain::Short);
        };
        let Some(size) = bytes[at..at + end].strip_suffix(b"\r").and_then(chunk_size) else {
            return (content, Plain::Wrong);
        };
        at += end + 1;
        if size == 0 {
            let trailers = match lines(&bytes[at..], false, true) {
                Plain::Short => Plain::Short,
                Plain::Wrong => Plain::Wrong,
                Plain::Whole(lines, len) => fields(&lines, folds)
                    .map_or(Plain::Wrong, |lines| Plain::Whole(lines, at + len)),
            };
            return (content, trailers);
        }
        let data =
            &bytes[at..at + usize::try_from(size).unwrap_or(usize::MAX).min(bytes.len() - at)];
        content.extend_from_slice(data);
        at += data.len();
        match bytes[at..] {
            _ if (data.len() as u64) < size => return (content, Plain::Short),
            [] | [b'\r'] => return (content, Plain::Short),
            [b'\r', b'\n', ..] => at += 2,
            _ => return (content, Plain::Wrong),
        }
    }
}

/// Reads `*( BWS ";" BWS token [ BWS "=" BWS ( token / quoted-string ) ] )`.
fn chunk_ext(ext: &[u8]) -> bool {
    if ext.is_empty() {
        return true;
    }
    let bws = |bytes: &mut &[u8]| *bytes = bytes.trim_ascii_start();
    let word = |bytes: &mut &[u8]| {
        let (first, rest) = bytes.split_at(bytes.iter().take_while(|b| token(&[**b])).count());
        *bytes = rest;
        !first.is_empty()
    };
    let mut rest = ext;
    bws(&mut rest);
    let Some(mut rest) = rest.strip_prefix(b";").filter(|_| text(ext)) else { return false };
    bws(&mut rest);
    if !word(&mut rest) {
        return false;
    }
    let Some(mut value) = rest.trim_ascii_start().strip_prefix(b"=") else {
        return chunk_ext(rest);
    };
    bws(&mut value);
    let Some(quoted) = value.strip_prefix(b"\"") else {
        return word(&mut value) && chunk_ext(value);
    };
    let mut at = 0;
    while let Some(byte) = quoted.get(at) {
        match byte {
            b'"' => return chunk_ext(&quoted[at + 1..]),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    false
}

/// Reads `1*HEXDIG [ chunk-ext ]`.
fn chunk_size(line: &[u8]) -> Option<u64> {
    let digits = line.iter().take_while(|b| b.is_ascii_hexdigit()).count();
    let (size, ext) = line.split_at(digits);
    if size.is_empty() || !chunk_ext(ext) {
        return None;
    }
    let mut value: u64 = 0;
    for digit in size {
        value = value.checked_mul(16)?.checked_add(u64::from((*digit as char).to_digit(16)?))?;
    }
    Some(value)
}
