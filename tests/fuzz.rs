//! Runs the checks of `tests/fuzz` without a fuzzer: on its seeds, on everything that it has found
//! (`tests/fuzz/found`), and on a few mutants of each. This is quick, reproducible, and needs no
//! nightly compiler.
//!
//! `FUZZ_ROUNDS=1000000 cargo test --test fuzz` tries more mutants.
#![cfg(feature = "commands")]
#![allow(dead_code, unused_imports, missing_docs)]

mod cases;
mod program;
mod fuzz {
    pub mod command_line;
    pub mod oracles;
    pub mod seeds;
}

use fuzz::oracles::Pieces;
use fuzz::{command_line, oracles, seeds};
use program::{args, console, content, fetch, output, plan};
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

type Check = fn(&[u8]);

const TARGETS: &[(&str, Check)] = &[
    ("chunked", oracles::chunked::check),
    ("connection", oracles::connection::check),
    ("endpoint", oracles::endpoint::check),
    ("flags", command_line::check),
    ("frames", oracles::frames::check),
    ("guard", oracles::guard::check),
    ("heads", oracles::heads::check),
    ("json", oracles::json::check),
    ("recordings", oracles::recordings::check),
    ("smuggling", oracles::smuggling::check),
    ("tap", oracles::tap::check),
];

fn check(target: &str, bytes: &[u8]) {
    let (_, check) = TARGETS.iter().find(|(name, _)| *name == target).expect("a target");
    if catch_unwind(AssertUnwindSafe(|| check(bytes))).is_err() {
        panic!("{target}: \"{}\"", bytes.escape_ascii());
    }
}

fn directory() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fuzz"))
}

#[test]
fn every_seed_passes() {
    let seeds = seeds::seeds(directory()).expect("the seeds");
    for (name, _) in TARGETS {
        assert!(seeds.iter().any(|(target, ..)| target == name), "no seed for {name}");
    }
    seeds.iter().for_each(|(target, _, seed)| check(target, seed));
}

#[test]
fn every_found_input_passes() {
    let mut found = 0;
    for (target, _) in TARGETS {
        let Ok(entries) = fs::read_dir(directory().join("found").join(target)) else { continue };
        for entry in entries {
            check(target, &fs::read(entry.expect("an entry").path()).expect("a file"));
            found += 1;
        }
    }
    assert!(found > 0, "the findings are not where they were");
}

#[test]
fn mutants_of_the_seeds_pass() {
    let rounds =
        std::env::var("FUZZ_ROUNDS").map_or(4000, |rounds| rounds.parse().expect("a number"));
    let seeds = seeds::seeds(directory()).expect("the seeds");
    let mut random = Pieces::of(b"mutants");
    for _ in 0..rounds {
        let (target, _, seed) = &seeds[random.below(seeds.len())];
        if seed.len() > 2000 {
            continue;
        }
        let mut bytes = seed.clone();
        for _ in 0..=random.below(3) {
            let at = random.below(bytes.len() + 1);
            let to = (at + random.below(16)).min(bytes.len());
            match random.below(5) {
                0 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
                1 => bytes.insert(at, b"\r\n \0:;,05f\"{/\x1b\xff"[random.below(15)]),
                2 => drop(bytes.drain(at..to)),
                3 => drop(bytes.splice(at..at, bytes[at..to].to_vec())),
                _ => {
                    let other = &seeds[random.below(seeds.len())].2;
                    let from = random.below(other.len());
                    bytes.splice(at..to, other[from..].iter().copied().take(24));
                }
            }
        }
        check(target, &bytes);
    }
}
