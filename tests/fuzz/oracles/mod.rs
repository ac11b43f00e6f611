//! Properties that hold for arbitrary bytes, one file for each part: `check(bytes)` panics if a
//! property is violated.
//!
//! The fuzzer calls these functions with its inputs; `cargo test --test fuzz` with the seeds, the
//! cases of the conformance tables, and everything that the fuzzer has found. The input is the
//! bytes on the wire. The bytes also determine how they are cut ([`Pieces`]), so one file is one
//! case.
//!
//! An oracle is one of
//! - **the same in every delivery**: whole, byte by byte, cut anywhere;
//! - **round trip**: encoding and parsing change nothing;
//! - **a second reader** ([`plain`]), written from the grammar, which shares no code with the first;
//! - **no dead end**: a Partial input can still become a message;
//! - **agreement**: server, relay and gate agree about where a message ends.

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

/// A xorshift64 generator, seeded with the bytes themselves.
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

    /// Returns where to cut `len` bytes: mostly small pieces, sometimes a large one. The last cut
    /// is
    /// `len`.
    pub fn cuts(&mut self, len: usize) -> Vec<usize> {
        let (mut cuts, mut at) = (Vec::new(), 0);
        while at < len {
            let most = [1, 2, 7, 64, len][self.below(5)];
            at = (at + 1 + self.below(most)).min(len);
            cuts.push(at);
        }
        cuts
    }

    /// Returns the bytes in pieces.
    pub fn cut<'a>(&mut self, bytes: &'a [u8]) -> Vec<&'a [u8]> {
        let mut from = 0;
        self.cuts(bytes.len())
            .into_iter()
            .map(|to| &bytes[std::mem::replace(&mut from, to)..to])
            .collect()
    }
}

/// Returns the bytes one by one.
pub fn bytewise(bytes: &[u8]) -> Vec<&[u8]> {
    bytes.chunks(1).collect()
}
