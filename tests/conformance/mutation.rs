//! Random mutations of the tables' bytes. For each one: no panic, the same verdict in every
//! delivery, and a message that was read can be written and read again.
//!
//! The generator is xorshift64 with a fixed seed, so failures are reproducible.
//! `MUTATION_SEED=1234` and `MUTATION_ROUNDS=1000000` try other mutations, and more.

use crate::cases::deliver::{Reader, Step, Table};
use crate::cases::readers::Body;
use crate::cases::tables;
use std::panic::{AssertUnwindSafe, catch_unwind};
use unix_http::wire::{
    BodyDecoder, Fields, Framing, OVERHEAD_LIMIT, RequestDecoder, ResponseDecoder, encode_chunk,
    encode_last_chunk, encode_request, encode_response,
};

const SEED: u64 = 0x2545_f491_4f6c_dd1d;
const ROUNDS: u64 = 20_000;

struct Xorshift(u64);

impl Xorshift {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }
}

/// Words with a meaning in the grammar.
const WORDS: &[&[u8]] = &[
    b"\r\n",
    b"\r\n\r\n",
    b"\n",
    b"\r",
    b" ",
    b"\t",
    b"\0",
    b"\xff",
    b":",
    b";",
    b",",
    b"\"",
    b"0",
    b"5",
    b"f",
    b"00000000",
    b"ffffffffffffffff",
    b"0\r\n\r\n",
    b"\r\n ",
    b"HTTP/1.0",
    b"HTTP/1.1 200 ",
    b"GET / HTTP/1.1\r\n",
    b"A: b\r\n",
    b"Host: a\r\n",
    b"Content-Length: 5\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Connection: close\r\n",
];

/// Applies a few edits: changes bits, bytes and words, moves, duplicates or removes pieces, and
/// inserts pieces of other cases.
fn mutant(random: &mut Xorshift, seeds: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = seeds[random.below(seeds.len())].clone();
    for _ in 0..=random.below(3) {
        let at = random.below(bytes.len() + 1);
        let to = at + random.below((bytes.len() - at).min(24) + 1);
        match random.below(8) {
            0 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
            1 if at < bytes.len() => bytes[at] = random.next() as u8,
            2 => drop(bytes.drain(at..to)),
            3 => drop(bytes.splice(at..to, random.pick(WORDS).iter().copied())),
            4 | 5 => drop(bytes.splice(at..at, random.pick(WORDS).iter().copied())),
            6 => {
                let piece = bytes[at..to].to_vec();
                let there = random.below(bytes.len() + 1);
                bytes.splice(there..there, piece);
            }
            _ => {
                let other = &seeds[random.below(seeds.len())];
                let from = random.below(other.len() + 1);
                bytes.splice(at..to, other[from..].iter().copied().take(24));
            }
        }
    }
    bytes
}

#[test]
fn a_mutant_reads_the_same_in_every_delivery() {
    let from_env =
        |name, otherwise| std::env::var(name).map_or(otherwise, |v| v.parse().expect("a number"));
    let (seed, rounds) =
        (from_env("MUTATION_SEED", SEED).max(1), from_env("MUTATION_ROUNDS", ROUNDS));
    println!("MUTATION_SEED={seed} MUTATION_ROUNDS={rounds}");
    let tables: Vec<&Table> = tables().collect();
    let seeds: Vec<Vec<Vec<u8>>> =
        tables.iter().map(|table| table.cases.iter().map(|case| case.bytes()).collect()).collect();
    let mut random = Xorshift(seed);
    let mut verdicts = [0; 3];
    for round in 0..rounds {
        let which = random.below(tables.len());
        let bytes = mutant(&mut random, &seeds[which]);
        let cut = random.below(bytes.len() + 1);
        let checked = catch_unwind(AssertUnwindSafe(|| {
            let verdict = split_invariant(tables[which], &bytes, cut);
            written_and_read_again(&bytes);
            verdict
        }));
        let Ok(verdict) = checked else {
            panic!(
                "round {round}, seed {seed}, {}: \"{}\"",
                tables[which].topic,
                bytes.escape_ascii()
            );
        };
        verdicts[verdict] += 1;
    }
    // Each verdict must be frequent, otherwise the mutants test nothing.
    assert!(verdicts.iter().all(|&n| n >= rounds / 50), "partial, complete, refused: {verdicts:?}");
}

/// Returns 0 for Partial, 1 for Complete, 2 for an error.
fn split_invariant(table: &Table, bytes: &[u8], cut: usize) -> usize {
    let whole = (table.reader)().feed(bytes);
    let mut two = (table.reader)();
    let first = two.feed(&bytes[..cut]);
    let second = if first == Step::Partial { two.feed(bytes) } else { first };
    assert_eq!(second, whole, "cut at {cut}");
    let mut one = (table.reader)();
    let mut deliveries = (0..=bytes.len()).map(|end| (end, one.feed(&bytes[..end])));
    match (deliveries.find(|(_, step)| *step != Step::Partial), &whole) {
        (None, Step::Partial) => 0,
        (Some((end, step)), Step::Complete(_, used)) => {
            assert_eq!((end, &step), (*used, &whole), "byte by byte");
            1
        }
        (Some((end, step)), Step::Error(error)) => {
            assert_eq!(step, whole, "byte by byte");
            assert!(error.offset <= end as u64, "wrong at {}, known after {end}", error.offset);
            2
        }
        (one, _) => panic!("byte by byte {one:?}, whole {whole:?}"),
    }
}

/// Checks that a message which was read, written and read again is unchanged.
fn written_and_read_again(bytes: &[u8]) {
    let mut decoder = ResponseDecoder::new();
    if let Ok(Some(_)) = decoder.decode(bytes) {
        let head = decoder.head();
        let write = |fields: &Fields| {
            let (mut out, reason) = (Vec::new(), std::str::from_utf8(head.reason()).unwrap_or("?"));
            encode_response(
                &mut out,
                head.version(),
                head.status().clamp(100, 599),
                reason,
                fields,
            )
            .expect("it was read");
            out
        };
        let wire = write(head.fields());
        let mut again = ResponseDecoder::new();
        assert_eq!(again.decode(&wire), Ok(Some(wire.len())));
        assert_eq!(again.head().fields(), head.fields());
        assert_eq!(write(again.head().fields()), wire);
    }
    let mut decoder = RequestDecoder::new();
    if let Ok(Some(_)) = decoder.decode(bytes) {
        let head = decoder.head();
        let mut wire = Vec::new();
        encode_request(&mut wire, head.method(), head.target(), head.version(), head.fields())
            .expect("it was read");
        let mut again = RequestDecoder::new();
        assert_eq!(again.decode(&wire), Ok(Some(wire.len())));
        assert_eq!((again.head().method(), again.head().target()), (head.method(), head.target()));
        assert_eq!(
            (again.head().version(), again.head().fields()),
            (head.version(), head.fields())
        );
    }
    let mut body = chunked();
    if let Step::Complete(words, _) = body.feed(bytes) {
        let mut wire = Vec::new();
        body.content.chunks(3).for_each(|data| encode_chunk(&mut wire, data));
        encode_last_chunk(&mut wire, body.trailers());
        assert_eq!(chunked().feed(&wire), Step::Complete(words, wire.len()));
    }
}

fn chunked() -> Body {
    Body::new(BodyDecoder::new(Framing::Chunked, 0, OVERHEAD_LIMIT))
}
