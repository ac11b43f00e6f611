//! gzip: files of zlib and gzip(1), and malformed ones.

use crate::support::needs;
use std::io::Write;
use std::process::{Command, Stdio};
use unix_http::base::base64;
use unix_http::base::gzip::GzipError::{CutShort, Invalid, TooLong};
use unix_http::base::gzip::gunzip;

const MADE_BY_ZLIB: &str = include_str!("../cases/gzip.txt");

/// Returns the name, text and file of each case.
fn cases() -> Vec<(&'static str, Vec<u8>, Vec<u8>)> {
    let text: String = (0..200).map(|n| format!("line {n}\n")).collect();
    let lines = MADE_BY_ZLIB.lines().filter(|line| !line.starts_with('#'));
    let case = |line: &'static str| {
        let [name, length, file] = line.split(' ').collect::<Vec<_>>().try_into().unwrap();
        let length: usize = length.parse().unwrap();
        (name, text.as_bytes()[..length].to_vec(), base64::decode(file).unwrap())
    };
    lines.map(case).collect()
}

#[test]
fn files_of_zlib_are_decoded() {
    for (name, text, file) in cases() {
        assert_eq!(gunzip(&file, text.len()).as_ref(), Ok(&text), "{name}");
        if let Some(limit) = text.len().checked_sub(1) {
            assert_eq!(gunzip(&file, limit), Err(TooLong), "{name}");
        }
    }
}

#[test]
fn files_of_gzip_are_decoded() {
    if needs::program("gzip").is_none() {
        return;
    }
    let text = include_str!("gzip.rs").repeat(20) + MADE_BY_ZLIB;
    for level in ["-1", "-6", "-9"] {
        let mut gzip = Command::new("gzip");
        gzip.args([level, "-c"]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut gzip = gzip.spawn().unwrap();
        gzip.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        let file = gzip.wait_with_output().unwrap().stdout;
        assert_eq!(gunzip(&file, 1 << 20).as_deref(), Ok(text.as_bytes()), "{level}");
    }
}

#[test]
fn truncated_and_damaged_files_are_errors() {
    for (name, text, file) in cases() {
        for cut in 0..file.len() {
            match gunzip(&file[..cut], text.len()) {
                Err(CutShort) => {}
                // The cut is between two members.
                Ok(part) => assert!(name == "members" && part == text[..20], "{name} at {cut}"),
                Err(error) => panic!("{name} at {cut}: {error:?}"),
            }
        }
        assert_eq!(gunzip(&[&file[..], b"x"].concat(), text.len()), Err(CutShort), "{name}");
        let rest = [&file[..], b"xyz"].concat();
        assert_eq!(gunzip(&rest, text.len()), Err(Invalid("header")), "{name}");
        // Damage to a date or to padding has no effect.
        for bit in 0..8 * file.len() {
            let mut damaged = file.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            let result = gunzip(&damaged, text.len());
            assert!(result.is_err() || result.as_ref() == Ok(&text), "{name}, bit {bit}");
        }
    }
}

/// The streams and reasons come from zlib's own test (`test/infcover.c`).
#[test]
fn malformed_blocks_are_errors() {
    for (stream, why) in [
        (&[0, 0, 0, 0, 0][..], "stored length"),
        (&[6], "block type"),
        (&[0xfc, 0, 0], "number of codes"),
        (&[4, 0, 0xfe, 0xff], "code lengths"),
        (&[4, 0, 0x24, 0x49, 0], "repeat"),
        (&[4, 0, 0x24, 0xe9, 0xff, 0xff], "repeat"),
        (&[4, 0, 0x24, 0xe9, 0xff, 0x6d], "block without an end"),
        (
            &[4, 0x80, 0x49, 0x92, 0x24, 0x49, 0x92, 0x24, 0x71, 0xff, 0xff, 0x93, 0x11, 0],
            "code lengths",
        ),
        (
            &[4, 0x80, 0x49, 0x92, 0x24, 0x49, 0x92, 0x24, 0xf, 0xb4, 0xff, 0xff, 0xc3, 0x84],
            "code lengths",
        ),
        (&[4, 0xc0, 0x81, 8, 0, 0, 0, 0, 0x20, 0x7f, 0xeb, 0xb, 0, 0], "code"),
        (&[2, 0x7e, 0xff, 0xff], "code"),
        (&[0xc, 0xc0, 0x81, 0, 0, 0, 0, 0, 0x90, 0xff, 0x6b, 4], "distance"),
    ] {
        let file = [b"\x1f\x8b\x08\0\0\0\0\0\0\xff", stream].concat();
        assert_eq!(gunzip(&file, 1000), Err(Invalid(why)), "{stream:x?}");
    }
    for (header, why) in
        [(b"\x1f\x8b\x07\0\0\0\0\0\0\xff", "header"), (b"\x1f\x8b\x08\x20\0\0\0\0\0\xff", "flags")]
    {
        assert_eq!(gunzip(header, 1000), Err(Invalid(why)));
    }
}

/// A few bits can stand for a match of 258 bytes. The output stops at the limit.
#[test]
fn a_bomb_ends_at_the_limit() {
    // A zero, then 258 zeros a thousand times (code 285, distance 1 of the fixed codes), without an
    // end.
    let mut bits = vec![1, 1, 0];
    bits.extend([0, 0, 1, 1, 0, 0, 0, 0]);
    for _ in 0..1000 {
        bits.extend([1, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0]);
    }
    let byte = |bits: &[u8]| bits.iter().rev().fold(0, |byte, bit| byte << 1 | bit);
    let stream: Vec<u8> = bits.chunks(8).map(byte).collect();
    let file = [&b"\x1f\x8b\x08\0\0\0\0\0\0\xff"[..], &stream].concat();
    assert_eq!(gunzip(&file, 258_000), Err(TooLong));
    assert_eq!(gunzip(&file, 258_001), Err(CutShort));
}
