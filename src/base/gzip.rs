//! Decompresses gzip, the content coding of `RFC 9110 §8.4.1.3`.
//!
//! ```text
//! file   = 1*member                                          ; RFC 1952
//! member = %x1F.8B.08 flags 6OCTET [extra] [name] [comment] [crc16] *block crc32 size
//! block  = final type ( stored / codes of literals, and of lengths with distances )  ; RFC 1951
//! ```
//!
//! ```
//! use unix_http::base::gzip::{GzipError, gunzip};
//!
//! let hi = b"\x1f\x8b\x08\0\0\0\0\0\x02\x03\xcb\xc8\x04\0\xac*\x93\xd8\x02\0\0\0";
//! assert_eq!(gunzip(hi, 2), Ok(b"hi".to_vec()));
//! assert_eq!(gunzip(hi, 1), Err(GzipError::TooLong));
//! assert_eq!(gunzip(&hi[..12], 2), Err(GzipError::CutShort));
//! ```

/// The reason why bytes cannot be decompressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GzipError {
    /// The bytes end too early.
    CutShort,
    /// The result is longer than the limit.
    TooLong,
    /// This part breaks the format.
    Invalid(&'static str),
}

use GzipError::{CutShort, Invalid, TooLong};

/// Decompresses all members. The result has at most `limit` bytes.
///
/// # Errors
/// Fails at the first part that breaks the format. RFC 1952 allows nothing after the last member.
pub fn gunzip(bytes: &[u8], limit: usize) -> Result<Vec<u8>, GzipError> {
    let mut input = Bits { bytes, held: 0, count: 0 };
    let mut out = Vec::new();
    loop {
        header(&mut input)?;
        let start = out.len();
        while !block(&mut input, &mut out, (start, limit))? {}
        (input.held, input.count) = (0, 0);
        let (sum, size) = (input.bits(32)?, input.bits(32)?);
        if sum != crc32(&out[start..]) || size != (out.len() - start) as u32 {
            return Err(Invalid("checksum"));
        }
        if input.bytes.is_empty() {
            return Ok(out);
        }
    }
}

fn header(input: &mut Bits<'_>) -> Result<(), GzipError> {
    const EXTRA: u32 = 4;
    const NAME_AND_COMMENT: [u32; 2] = [8, 16];
    const CRC: u32 = 2;
    if [input.bits(8)?, input.bits(8)?, input.bits(8)?] != [0x1f, 0x8b, 8] {
        return Err(Invalid("header"));
    }
    let flags = input.bits(8)?;
    if flags & 0xe0 != 0 {
        return Err(Invalid("flags"));
    }
    let mut skipped = 6;
    if flags & EXTRA != 0 {
        input.take(skipped)?;
        skipped = input.bits(16)? as usize;
    }
    input.take(skipped)?;
    for flag in NAME_AND_COMMENT {
        while flags & flag != 0 && input.bits(8)? != 0 {}
    }
    input.take(if flags & CRC != 0 { 2 } else { 0 }).map(drop)
}

/// The bits of a stream, from the least significant of each byte.
struct Bits<'a> {
    /// The bytes after the held bits.
    bytes: &'a [u8],
    held: u64,
    count: u32,
}

impl<'a> Bits<'a> {
    /// Reads a number of up to 32 bits.
    fn bits(&mut self, count: u32) -> Result<u32, GzipError> {
        while self.count < count {
            let (first, rest) = self.bytes.split_first().ok_or(CutShort)?;
            self.held |= u64::from(*first) << self.count;
            (self.bytes, self.count) = (rest, self.count + 8);
        }
        let bits = self.held & ((1 << count) - 1);
        (self.held, self.count) = (self.held >> count, self.count - count);
        Ok(bits as u32)
    }

    /// Takes whole bytes. No bit of another byte may be held.
    fn take(&mut self, n: usize) -> Result<&'a [u8], GzipError> {
        let (taken, rest) = self.bytes.split_at_checked(n).ok_or(CutShort)?;
        self.bytes = rest;
        Ok(taken)
    }
}

/// A Huffman code (RFC 1951 §3.2.2): codes of one length are consecutive numbers.
struct Code {
    /// How many symbols have a code of each length.
    counts: [u16; 16],
    /// The symbols in the order of their codes.
    symbols: Vec<u16>,
}

impl Code {
    /// Creates the code of symbols by the lengths of their codes; a symbol of length 0 has none.
    /// Also returns whether the code is incomplete.
    fn new(lengths: &[u8]) -> Result<(Code, bool), GzipError> {
        let mut counts = [0; 16];
        lengths.iter().for_each(|&length| counts[length as usize] += 1);
        let mut room = 1;
        for &count in &counts[1..] {
            room = 2 * room - i32::from(count);
            if room < 0 {
                return Err(Invalid("code lengths"));
            }
        }
        let mut symbols: Vec<u16> = (0..lengths.len() as u16).collect();
        symbols.retain(|&symbol| lengths[symbol as usize] > 0);
        symbols.sort_by_key(|&symbol| lengths[symbol as usize]);
        Ok((Code { counts, symbols }, room > 0))
    }

    /// Creates a code that must be complete, unless it has only one symbol.
    fn of_data(lengths: &[u8]) -> Result<Code, GzipError> {
        match Code::new(lengths)? {
            (code, true) if code.symbols.len() != usize::from(code.counts[1]) => {
                Err(Invalid("code lengths"))
            }
            (code, _) => Ok(code),
        }
    }

    fn symbol(&self, input: &mut Bits<'_>) -> Result<usize, GzipError> {
        let (mut code, mut first, mut index) = (0, 0, 0);
        for &count in &self.counts[1..] {
            let count = u32::from(count);
            code |= input.bits(1)?;
            if code < first + count {
                return Ok(self.symbols[(index + code - first) as usize].into());
            }
            index += count;
            first = (first + count) << 1;
            code <<= 1;
        }
        Err(Invalid("code"))
    }
}

/// Decompresses a block of the member that begins at `start`. Returns whether it is the last.
fn block(
    input: &mut Bits<'_>,
    out: &mut Vec<u8>,
    (start, limit): (usize, usize),
) -> Result<bool, GzipError> {
    let last = input.bits(1)? == 1;
    let (literals, distances) = match input.bits(2)? {
        0 => {
            (input.held, input.count) = (0, 0);
            let (length, complement) = (input.bits(16)?, input.bits(16)?);
            if length != !complement & 0xffff {
                return Err(Invalid("stored length"));
            }
            let stored = input.take(length as usize)?;
            if stored.len() > limit - out.len() {
                return Err(TooLong);
            }
            out.extend_from_slice(stored);
            return Ok(last);
        }
        1 => {
            // RFC 1951 §3.2.6
            let mut lengths = [8; 288];
            lengths[144..256].fill(9);
            lengths[256..280].fill(7);
            (Code::new(&lengths)?.0, Code::new(&[5; 30])?.0)
        }
        2 => codes(input)?,
        _ => return Err(Invalid("block type")),
    };
    loop {
        let length = match literals.symbol(input)? {
            256 => return Ok(last),
            symbol @ 0..256 => {
                if out.len() == limit {
                    return Err(TooLong);
                }
                out.push(symbol as u8);
                continue;
            }
            285 => 258,
            symbol @ ..285 => extended(symbol - 257, 4, input)? + 3,
            _ => return Err(Invalid("length")),
        };
        let distance = extended(distances.symbol(input)?, 2, input)? + 1;
        if distance > out.len() - start {
            return Err(Invalid("distance"));
        }
        if length > limit - out.len() {
            return Err(TooLong);
        }
        // The copy may overlap what it makes.
        for _ in 0..length {
            out.push(out[out.len() - distance]);
        }
    }
}

/// Returns a length or distance: its base and the value of its extra bits (RFC 1951 §3.2.5). Each
/// group of `steps` symbols has one extra bit more than the group before; the first two have none.
fn extended(symbol: usize, steps: usize, input: &mut Bits<'_>) -> Result<usize, GzipError> {
    let extra = (symbol / steps).saturating_sub(1);
    let base = match extra {
        0 => symbol,
        _ => (steps + symbol % steps) << extra,
    };
    Ok(base + input.bits(extra as u32)? as usize)
}

/// Reads the codes of a dynamic block (RFC 1951 §3.2.7).
fn codes(input: &mut Bits<'_>) -> Result<(Code, Code), GzipError> {
    const ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
    let literals = input.bits(5)? as usize + 257;
    let all = literals + input.bits(5)? as usize + 1;
    let count = input.bits(4)? as usize + 4;
    if literals > 286 || all - literals > 30 {
        return Err(Invalid("number of codes"));
    }
    let mut lengths = [0; 19];
    for &symbol in &ORDER[..count] {
        lengths[symbol] = input.bits(3)? as u8;
    }
    let (code, incomplete) = Code::new(&lengths)?;
    if incomplete {
        return Err(Invalid("code lengths"));
    }
    let mut lengths = Vec::new();
    while lengths.len() < all {
        let (length, repeat) = match code.symbol(input)? {
            16 => {
                let last = *lengths.last().ok_or(Invalid("repeat"))?;
                (last, 3 + input.bits(2)?)
            }
            17 => (0, 3 + input.bits(3)?),
            18 => (0, 11 + input.bits(7)?),
            length => (length as u8, 1),
        };
        lengths.extend(std::iter::repeat_n(length, repeat as usize));
    }
    if lengths.len() > all {
        return Err(Invalid("repeat"));
    }
    if lengths[256] == 0 {
        return Err(Invalid("block without an end"));
    }
    Ok((Code::of_data(&lengths[..literals])?, Code::of_data(&lengths[literals..])?))
}

/// The checksum of RFC 1952 §8.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |sum: u32, _| (sum >> 1) ^ (0xedb8_8320 & (sum & 1).wrapping_neg());
    !bytes.iter().fold(!0, |sum, &byte| (0..8).fold(sum ^ u32::from(byte), step))
}
