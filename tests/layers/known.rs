//! Lists of exceptions that may only shrink.

use std::collections::BTreeMap;

/// Compares the findings with the known exceptions, each with a size (0 if it has none). Fails if a
/// finding is new or has grown, and if an exception is no longer found.
#[track_caller]
pub fn may_only_shrink(list: &str, known: &[(&str, usize)], found: &BTreeMap<String, usize>) {
    let known: BTreeMap<&str, usize> = known.iter().copied().collect();
    let mut wrong = String::new();
    for (name, size) in found {
        match known.get(name.as_str()) {
            Some(allowed) if size <= allowed => {}
            Some(allowed) => wrong += &format!("  {name}: {size}, and was {allowed}\n"),
            None if *size == 0 => wrong += &format!("  {name}\n"),
            None => wrong += &format!("  {name}: {size}\n"),
        }
    }
    for name in known.keys().filter(|name| !found.contains_key(**name)) {
        wrong += &format!("  {name}: no longer so; take it off the list, thank you\n");
    }
    assert!(wrong.is_empty(), "{list}:\n{wrong}");
}
