//! "Did you mean …?"
//!
//! ```
//! use unix_http::base::nearest::{distance, nearest};
//!
//! assert_eq!(distance(b"kitten", b"sitting"), 3);
//! assert_eq!(nearest("explian", ["explain", "expect100-timeout", "silent"]), Some("explain"));
//! assert_eq!(nearest("nonsense", ["explain", "silent"]), None);
//! ```

/// Only this many leading bytes are compared: the cost is the product of both lengths.
const LONGEST: usize = 300;

/// Returns the number of edits between two texts: bytes inserted, deleted or replaced, or two
/// neighbours swapped (the optimal string alignment distance).
pub fn distance(a: &[u8], b: &[u8]) -> usize {
    let (a, b) = (&a[..a.len().min(LONGEST)], &b[..b.len().min(LONGEST)]);
    let mut above = Vec::new();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for i in 0..a.len() {
        let mut next = vec![i + 1];
        for j in 0..b.len() {
            let replaced = row[j] + usize::from(a[i] != b[j]);
            let mut least = replaced.min(row[j + 1] + 1).min(next[j] + 1);
            if i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j] {
                let swapped: usize = above[j - 1] + 1;
                least = least.min(swapped);
            }
            next.push(least);
        }
        above = std::mem::replace(&mut row, next);
    }
    row[b.len()]
}

/// Returns the candidate that `name` probably misspells: at most two edits away, fewer edits than
/// half the length of `name`, and closer than every other candidate.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let edits = |candidate: &'a str| (distance(name.as_bytes(), candidate.as_bytes()), candidate);
    let mut found: Vec<_> = candidates.into_iter().map(edits).collect();
    found.sort_unstable();
    let (least, candidate) = *found.first()?;
    let is_alone = found.get(1).is_none_or(|(edits, _)| *edits > least);
    (is_alone && least <= 2 && least * 2 < name.len()).then_some(candidate)
}
