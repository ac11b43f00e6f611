//! "Did you mean …?"
//!
//! ```
//! use unix_http::base::nearest::{distance, nearest};
//!
//! assert_eq!(distance(b"kitten", b"sitting"), 3);
//! assert_eq!(nearest("explian", ["explain", "expect100-timeout", "silent"]), Some("explain"));
//! assert_eq!(nearest("nonsense", ["explain", "silent"]), None);
//! ```

/// Longer texts are compared by their first bytes: the work grows with the product of both lengths.
const LONGEST: usize = 300;

/// Returns Levenshtein's distance: the bytes to insert, delete or replace.
pub fn distance(a: &[u8], b: &[u8]) -> usize {
    let (a, b) = (&a[..a.len().min(LONGEST)], &b[..b.len().min(LONGEST)]);
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

/// Returns the candidate that `name` was probably meant to be: at most two edits away, fewer than
/// half the length of `name`, and nearer than every other candidate.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let mut best: Option<(usize, &str)> = None;
    let mut unique = false;
    for candidate in candidates {
        let edits = distance(name.as_bytes(), candidate.as_bytes());
        match best {
            Some((least, _)) if edits > least => {}
            Some((least, _)) if edits == least => unique = false,
            _ => (best, unique) = (Some((edits, candidate)), true),
        }
    }
    let (edits, candidate) = best?;
    (unique && edits <= 2 && edits * 2 < name.len()).then_some(candidate)
}
