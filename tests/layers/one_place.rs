//! One idea has one place: no file above `src/base/` duplicates its code.

use super::known::may_only_shrink;
use super::source::{blanked, library, program};
use std::collections::BTreeMap;

/// The sign of a second copy, and the place of the first.
const SIGNS: &[(&str, &str)] = &[
    ("719_468", "base::time"),
    ("719468", "base::time"),
    ("146_097", "base::time"),
    ("146097", "base::time"),
    ("\"Jan\"", "base::time"),
    ("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "base::base64"),
    ("u{202e}", "base::text"),
    ("u{202E}", "base::text"),
    ("fn distance", "base::nearest"),
    ("fn edit_distance", "base::nearest"),
    ("fn lock(", "base::sync"),
    ("fn lock<", "base::sync"),
    ("fn percent_decode", "base::percent"),
    ("fn percent_encode", "base::percent"),
    ("fn escape_json", "json"),
    ("fn http_date", "base::time"),
    ("fn rfc3339", "base::time"),
];

/// Known second copies, `FILE: SIGN`.
const KNOWN: &[(&str, usize)] = &[];

#[test]
fn the_ground_floor_is_not_duplicated() {
    let mut found = BTreeMap::new();
    for source in library().into_iter().chain(program()) {
        if source.file.starts_with("src/base/") {
            continue;
        }
        let code = blanked(&source.text, false);
        for (sign, home) in SIGNS.iter().filter(|(sign, _)| code.contains(sign)) {
            found.insert(format!("{}: {sign} is for {home}", source.file), 0);
        }
    }
    may_only_shrink("ideas with a second place", KNOWN, &found);
}
