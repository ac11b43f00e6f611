//! Random mutations of texts, read by two readers that share no code.

use crate::{read, read_stream};

const SEEDS: &[&str] = &[
    r#"{"Id":"4c6ce6441cd9","Warnings":[],"State":{"Running":true,"Pid":-12.5e+3,"Error":null}}"#,
    r#"[0,-0,1.5E-7,"\u00e9\ud834\udd1e\\\"","é€𝄞",{"":{}},[[],[[]]]]"#,
    "{\"status\":\"Pulling\"}",
];

/// A simple reader of whole texts that follows the grammar.
fn accepts(text: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(text) else { return false };
    let chars: Vec<char> = text.chars().collect();
    value(&chars, space(&chars, 0)).is_some_and(|end| space(&chars, end) == chars.len())
}

fn space(c: &[char], at: usize) -> usize {
    at + c[at..].iter().take_while(|c| " \t\r\n".contains(**c)).count()
}

fn value(c: &[char], at: usize) -> Option<usize> {
    match c.get(at)? {
        '"' => string(c, at),
        '{' => list(c, at, '}', |c, at| {
            let at = space(c, string(c, at)?);
            (c.get(at) == Some(&':')).then_some(())?;
            value(c, space(c, at + 1))
        }),
        '[' => list(c, at, ']', value),
        't' => literal(c, at, "true"),
        'f' => literal(c, at, "false"),
        'n' => literal(c, at, "null"),
        _ => number(c, at),
    }
}

fn list(
    c: &[char],
    at: usize,
    end: char,
    item: impl Fn(&[char], usize) -> Option<usize>,
) -> Option<usize> {
    let mut at = space(c, at + 1);
    if c.get(at) == Some(&end) {
        return Some(at + 1);
    }
    loop {
        at = space(c, item(c, at)?);
        match *c.get(at)? {
            ',' => at = space(c, at + 1),
            last => return (last == end).then_some(at + 1),
        }
    }
}

fn literal(c: &[char], at: usize, text: &str) -> Option<usize> {
    let end = at + text.len();
    (c.get(at..end)?.iter().copied().eq(text.chars())).then_some(end)
}

fn digits(c: &[char], at: usize) -> Option<usize> {
    let n = c[at..].iter().take_while(|c| c.is_ascii_digit()).count();
    (n > 0).then_some(at + n)
}

fn number(c: &[char], mut at: usize) -> Option<usize> {
    at += usize::from(c[at] == '-');
    at = if c.get(at) == Some(&'0') { at + 1 } else { digits(c, at)? };
    if c.get(at) == Some(&'.') {
        at = digits(c, at + 1)?;
    }
    if matches!(c.get(at), Some('e' | 'E')) {
        at += 1 + usize::from(matches!(c.get(at + 1), Some('+' | '-')));
        at = digits(c, at)?;
    }
    Some(at)
}

fn string(c: &[char], at: usize) -> Option<usize> {
    let mut units = vec![];
    let mut at = if c.get(at)? == &'"' { at + 1 } else { return None };
    loop {
        match *c.get(at)? {
            '"' => break,
            '\\' if c.get(at + 1)? == &'u' => {
                let hex: String = c.get(at + 2..at + 6)?.iter().collect();
                if !hex.chars().all(|c| c.is_ascii_hexdigit()) {
                    return None;
                }
                units.push(u16::from_str_radix(&hex, 16).ok()?);
                at += 6;
            }
            '\\' if "\"\\/bfnrt".contains(c[at + 1]) => {
                units.push(u16::from(b'x'));
                at += 2;
            }
            '\\' | '\0'..'\x20' => return None,
            _ => {
                units.push(u16::from(b'x'));
                at += 1;
            }
        }
    }
    String::from_utf16(&units).ok().map(|_| at + 1)
}

struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % n as u64) as usize
    }
}

fn mutate(text: &mut Vec<u8>, random: &mut Random) {
    const BYTES: &[u8] = b"{}[]:,\"\\u0019aefn-+. \n\t\x00\x1f\x7f\x80\xbf\xc2\xe0\xed\xf0\xf4\xff";
    let (at, byte) = (random.below(text.len() + 1), BYTES[random.below(BYTES.len())]);
    match random.below(4) {
        0 => text.insert(at, byte),
        1 if at < text.len() => text[at] = byte,
        2 if at < text.len() => drop(text.remove(at)),
        _ => {
            let piece = text[at..text.len().min(at + 6)].to_vec();
            let to = random.below(text.len() + 1);
            text.splice(to..to, piece);
        }
    }
}

#[test]
fn both_readers_agree_in_every_delivery() {
    let seed = 0x9e37_79b9_7f4a_7c15;
    println!("seed {seed:#x}");
    let (mut random, mut accepted) = (Random(seed), 0);
    for round in 0..20_000 {
        let mut text = SEEDS[round % SEEDS.len()].as_bytes().to_vec();
        for _ in 0..=random.below(3) {
            mutate(&mut text, &mut random);
        }
        let whole = read(&text);
        assert_eq!(whole.end.is_ok(), accepts(&text), "{:?}", String::from_utf8_lossy(&text));
        let stream = read_stream([&text[..]]);
        if whole.end.is_ok() {
            assert_eq!(stream, whole, "{:?}", String::from_utf8_lossy(&text));
        }
        let pieces = read_stream(text.chunks(1 + random.below(4)));
        assert_eq!(stream, pieces, "{:?}", String::from_utf8_lossy(&text));
        accepted += u32::from(whole.end.is_ok());
    }
    assert!(
        (1_000..19_000).contains(&accepted),
        "both answers are tried: {accepted} of 20000 accepted"
    );
}
