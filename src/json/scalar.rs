//! Numbers, strings and UTF-8, a byte at a time: three small machines that can stop anywhere.
//!
//! ```text
//! number        = [ minus ] int [ frac ] [ exp ]      ; RFC 8259 §6
//! exp           = e [ minus / plus ] 1*DIGIT
//! frac          = decimal-point 1*DIGIT
//! int           = zero / ( digit1-9 *DIGIT )
//!
//! string        = quotation-mark *char quotation-mark ; RFC 8259 §7
//! char          = unescaped /
//!                 escape ( %x22 / %x5C / %x2F / %x62 / %x66 / %x6E / %x72 / %x74 / %x75 4HEXDIG )
//! unescaped     = %x20-21 / %x23-5B / %x5D-10FFFF
//!
//! UTF8-2        = %xC2-DF UTF8-tail                   ; RFC 3629 §4
//! UTF8-3        = %xE0 %xA0-BF UTF8-tail / %xE1-EC 2( UTF8-tail ) / %xED %x80-9F UTF8-tail / %xEE-EF 2( UTF8-tail )
//! UTF8-4        = %xF0 %x90-BF 2( UTF8-tail ) / %xF1-F3 3( UTF8-tail ) / %xF4 %x80-8F 2( UTF8-tail )
//! UTF8-tail     = %x80-BF
//! ```

use super::error::JsonErrorKind;

/// How far a number has come: the state is named after what was read last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NumberState {
    Start,
    Minus,
    Zero,
    Int,
    Point,
    Frac,
    E,
    Sign,
    Exp,
}

/// What a byte does to a number.
pub(super) enum NumberStep {
    /// It belongs to the number.
    Digit(NumberState),
    /// It is the first byte after the number.
    End,
}

impl NumberState {
    pub(super) fn step(self, byte: u8) -> Result<NumberStep, JsonErrorKind> {
        use NumberState::*;
        Ok(NumberStep::Digit(match (self, byte) {
            (Start, b'-') => Minus,
            (Start | Minus, b'0') => Zero,
            (Start | Minus, b'1'..=b'9') | (Int, b'0'..=b'9') => Int,
            (Zero, b'0'..=b'9') => return Err(JsonErrorKind::LeadingZero),
            (Zero | Int, b'.') => Point,
            (Point | Frac, b'0'..=b'9') => Frac,
            (Zero | Int | Frac, b'e' | b'E') => E,
            (E, b'+' | b'-') => Sign,
            (E | Sign | Exp, b'0'..=b'9') => Exp,
            _ if self.may_end() => return Ok(NumberStep::End),
            _ => return Err(JsonErrorKind::Digit),
        }))
    }

    pub(super) fn may_end(self) -> bool {
        use NumberState::*;
        matches!(self, Zero | Int | Frac | Exp)
    }
}

/// How far a string has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StringState {
    /// Between characters, or inside one of several bytes.
    Plain(Utf8),
    /// After a backslash.
    Escape,
    /// Within `\uXXXX`.
    Hex {
        have: u8,
        value: u16,
        high: Option<u16>,
    },
    /// After a high surrogate, whose other half must follow: its backslash, then its `u`.
    LowBackslash {
        high: u16,
    },
    LowU {
        high: u16,
    },
}

impl StringState {
    const PLAIN: StringState = StringState::Plain(Utf8::START);

    /// One byte of an escape; the character it stands for, with its last byte.
    pub(super) fn step(self, byte: u8) -> Result<(StringState, Option<char>), JsonErrorKind> {
        let c = match (self, byte) {
            (StringState::Escape, b'"' | b'\\' | b'/') => char::from(byte),
            (StringState::Escape, b'b') => '\u{8}',
            (StringState::Escape, b'f') => '\u{c}',
            (StringState::Escape, b'n') => '\n',
            (StringState::Escape, b'r') => '\r',
            (StringState::Escape, b't') => '\t',
            (StringState::Escape, b'u') => {
                return Ok((StringState::Hex { have: 0, value: 0, high: None }, None));
            }
            (StringState::LowBackslash { high }, b'\\') => {
                return Ok((StringState::LowU { high }, None));
            }
            (StringState::LowU { high }, b'u') => {
                return Ok((StringState::Hex { have: 0, value: 0, high: Some(high) }, None));
            }
            (StringState::Hex { have, value, high }, _) => return hex(have, value, high, byte),
            (StringState::LowBackslash { .. } | StringState::LowU { .. }, _) => {
                return Err(JsonErrorKind::Surrogate);
            }
            _ => return Err(JsonErrorKind::Escape),
        };
        Ok((StringState::PLAIN, Some(c)))
    }
}

/// One digit of `\uXXXX`. After the fourth it is a character, or half of one beyond U+FFFF.
fn hex(
    have: u8,
    value: u16,
    high: Option<u16>,
    byte: u8,
) -> Result<(StringState, Option<char>), JsonErrorKind> {
    let digit = char::from(byte).to_digit(16).ok_or(JsonErrorKind::Hex)?;
    let value = value << 4 | digit as u16;
    if have < 3 {
        return Ok((StringState::Hex { have: have + 1, value, high }, None));
    }
    let c = match (high, value) {
        (None, 0xd800..=0xdbff) => return Ok((StringState::LowBackslash { high: value }, None)),
        (Some(high), 0xdc00..=0xdfff) => {
            0x10000 + (u32::from(high - 0xd800) << 10) + u32::from(value - 0xdc00)
        }
        (Some(_), _) => return Err(JsonErrorKind::Surrogate),
        (None, _) => u32::from(value),
    };
    let c = char::from_u32(c).ok_or(JsonErrorKind::Surrogate)?;
    Ok((StringState::PLAIN, Some(c)))
}

/// How far a character has come: how many bytes are missing, and between which two the next must
/// lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Utf8 {
    missing: u8,
    low: u8,
    high: u8,
}

impl Utf8 {
    pub(super) const START: Utf8 = Utf8 { missing: 0, low: 0x80, high: 0xbf };

    pub(super) fn is_complete(self) -> bool {
        self.missing == 0
    }

    /// How many bytes at the front of `input` are a string's characters: up to a quotation mark, a
    /// backslash, a control character or a byte that is not UTF-8.
    pub(super) fn run(self, input: &[u8]) -> (Utf8, usize) {
        let mut state = self;
        for (at, &byte) in input.iter().enumerate() {
            match state.step(byte) {
                Some(next) => state = next,
                None => return (state, at),
            }
        }
        (state, input.len())
    }

    #[inline]
    fn step(self, byte: u8) -> Option<Utf8> {
        if self.missing > 0 {
            let missing = self.missing - 1;
            return (self.low..=self.high)
                .contains(&byte)
                .then_some(Utf8 { missing, ..Utf8::START });
        }
        let (missing, low, high) = match byte {
            b'"' | b'\\' => return None,
            0x20..=0x7f => return Some(Utf8::START),
            0xc2..=0xdf => (1, 0x80, 0xbf),
            0xe0 => (2, 0xa0, 0xbf),
            0xed => (2, 0x80, 0x9f),
            0xe1..=0xef => (2, 0x80, 0xbf),
            0xf0 => (3, 0x90, 0xbf),
            0xf4 => (3, 0x80, 0x8f),
            0xf1..=0xf3 => (3, 0x80, 0xbf),
            _ => return None,
        };
        Some(Utf8 { missing, low, high })
    }
}
