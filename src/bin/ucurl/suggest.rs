//! For a flag that is misspelt: the one that was meant, perhaps.

use crate::flags::{self, Flag};

/// The flag whose name is nearest, if it is two edits away at most and no other is as near.
pub fn flag(name: &[u8]) -> Option<Flag> {
    let near = || {
        flags::all()
            .filter(|flag| !flag.is_out())
            .map(|flag| (distance(name, flag.long().as_bytes()), flag))
    };
    let (least, flag) = near().min_by_key(|(distance, _)| *distance)?;
    (least <= 2
        && least < name.len() / 2
        && near().filter(|(distance, _)| *distance == least).count() == 1)
        .then_some(flag)
}

/// How many letters have to be put in, taken out or replaced to make one of the other
/// (Levenshtein's distance).
fn distance(a: &[u8], b: &[u8]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        for (a, b, want) in [
            ("", "", 0),
            ("abc", "abc", 0),
            ("abc", "", 3),
            ("sockt", "socket", 1),
            ("ab", "ba", 2),
        ] {
            assert_eq!(distance(a.as_bytes(), b.as_bytes()), want, "{a} {b}");
            assert_eq!(distance(b.as_bytes(), a.as_bytes()), want, "{b} {a}");
        }
    }

    #[test]
    fn what_was_meant() {
        let meant = |name: &str| flag(name.as_bytes()).map(|flag| flag.long());
        assert_eq!(meant("unix-sockt"), Some("unix-socket"));
        assert_eq!(meant("explian"), Some("explain"));
        assert_eq!(meant("slient"), Some("silent"));
        assert_eq!(meant("nonsense"), None);
        assert_eq!(meant("x"), None);
    }
}
