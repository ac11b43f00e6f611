//! What must hold for any bytes whatever, one function a part: `check(bytes)` panics when it does
//! not.
//!
//! The fuzzer calls these with what it invents; `cargo test --test fuzz` with its seeds, with the
//! cases of the conformance tables, and with everything that was ever found. The input is what
//! would come over the wire, as it is: how it is cut up follows from the bytes themselves
//! ([`Pieces`]), so one file is one case.
//!
//! An oracle is one of
//! - **the same however it comes**: whole, byte by byte, cut anywhere;
//! - **written and read again**: parse after encode changes nothing;
//! - **a second reader** ([`plain`]), written from the grammar, sharing no code with the first;
//! - **no dead end**: what is called Partial can still become a message;
//! - **two parts agree**: server, relay and gate about where a message ends.

pub mod chunked;
pub mod connection;
pub mod endpoint;
pub mod frames;
pub mod guard;
pub mod heads;
pub mod json;
pub mod plain;
pub mod recordings;
pub mod smuggling;
pub mod tap;

/// xorshift64 over the bytes themselves: random, and the same for the same bytes.
pub struct Pieces(u64);

impl Pieces {
    pub fn of(bytes: &[u8]) -> Pieces {
        // FNV-1a.
        let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash: u64, &b| {
            (hash ^ u64::from(b)).wrapping_mul(0x100_0000_01b3)
        });
        Pieces(hash | 1)
    }

    pub fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % n.max(1) as u64) as usize
    }

    /// Where to cut `len` bytes: mostly small pieces, now and then a large one; the last is `len`.
    pub fn cuts(&mut self, len: usize) -> Vec<usize> {
        let (mut cuts, mut at) = (Vec::new(), 0);
        while at < len {
            let most = [1, 2, 7, 64, len][self.below(5)];
            at = (at + 1 + self.below(most)).min(len);
            cuts.push(at);
        }
        cuts
    }

    /// The same as pieces.
    pub fn cut<'a>(&mut self, bytes: &'a [u8]) -> Vec<&'a [u8]> {
        let mut from = 0;
        self.cuts(bytes.len())
            .into_iter()
            .map(|to| &bytes[std::mem::replace(&mut from, to)..to])
            .collect()
    }
}

/// Bytes, one by one.
pub fn bytewise(bytes: &[u8]) -> Vec<&[u8]> {
    bytes.chunks(1).collect()
}
