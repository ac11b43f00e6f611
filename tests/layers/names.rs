//! One name, one type: a type that other files can use has a unique name in its crate, so that
//! `grep 'struct Request'` finds one place.

use super::known::may_only_shrink;
use super::source::{Source, library, program, tokens};
use std::collections::BTreeMap;

/// Names that several types share, `CRATE NAME`, and the number of types.
const KNOWN: &[(&str, usize)] = &[];

#[test]
fn a_name_denotes_one_type() {
    let mut found = BTreeMap::new();
    for (name, sources) in [("unix_http", library()), ("ucurl", program())] {
        for (of, files) in types(&sources).into_iter().filter(|(_, files)| files.len() > 1) {
            println!("{name} {of}: {}", files.join(", "));
            found.insert(format!("{name} {of}"), files.len());
        }
    }
    may_only_shrink("names of several types", KNOWN, &found);
}

/// Returns the types of a crate that are not private to a file, with their places.
fn types(sources: &[Source]) -> BTreeMap<String, Vec<String>> {
    let mut types: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for source in sources {
        let tokens = tokens(&source.code);
        let text = |at: usize| tokens.get(at).map_or("", |token| token.text.as_str());
        for at in 0..tokens.len() {
            let public = text(at) == "pub";
            // `pub(crate)` is four tokens.
            let kind = if text(at + 1) == "(" { at + 4 } else { at + 1 };
            if public && ["struct", "enum", "union", "trait", "type"].contains(&text(kind)) {
                types.entry(text(kind + 1).to_owned()).or_default().push(source.file.clone());
            }
        }
    }
    types
}
