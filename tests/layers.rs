//! Arrows point downwards only: a layer that names one above it fails here.

use std::fs;
use std::path::{Path, PathBuf};

/// Each layer, and the crate's modules that it may name.
const MAY_NAME: &[(&str, &[&str])] = &[
    ("src/base", &["base"]),
    ("src/wire", &["base", "wire"]),
    ("src/json", &["base", "json"]),
    ("src/transport", &["base", "transport"]),
    ("src/error.rs", &["base", "wire", "transport"]),
    ("src/connection", &["base", "wire", "transport", "error"]),
    ("src/upgraded.rs", &["base", "transport"]),
    ("src/client", &["base", "wire", "transport", "error", "connection", "upgraded", "client"]),
    ("src/server", &["base", "wire", "transport", "error", "connection", "upgraded", "server"]),
    ("src/traffic", &["base", "wire", "json", "docker", "traffic"]),
    ("src/tap", &["base", "wire", "transport", "error", "json", "docker", "traffic", "tap"]),
    (
        "src/docker",
        &["base", "wire", "transport", "error", "connection", "json", "client", "docker"],
    ),
];

fn sources(place: &Path, found: &mut Vec<PathBuf>) {
    if place.is_dir() {
        for entry in fs::read_dir(place).unwrap() {
            sources(&entry.unwrap().path(), found);
        }
    } else if place.extension().is_some_and(|e| e == "rs") {
        found.push(place.to_owned());
    }
}

/// The code lines of a file: comments and the tests at its foot do not count.
fn code(file: &Path) -> Vec<(usize, String)> {
    let text = fs::read_to_string(file).unwrap();
    let lines = text.lines().take_while(|line| !line.starts_with("#[cfg(test)]"));
    let code = lines.enumerate().filter(|(_, line)| !line.trim_start().starts_with("//"));
    code.map(|(n, line)| (n + 1, line.to_owned())).collect()
}

/// The modules of this crate that a line names: what follows `crate::`, braces taken apart.
fn named(line: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in line.match_indices("crate::") {
        let rest = &line[at + "crate::".len()..];
        let names = match rest.strip_prefix('{') {
            Some(list) => list.split([',', '}']).map(str::trim).collect(),
            None => vec![rest],
        };
        for name in names {
            let end = name.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(name.len());
            if !name[..end].is_empty() {
                found.push(name[..end].to_owned());
            }
        }
    }
    found
}

#[test]
fn no_arrow_points_up() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut wrong = Vec::new();
    let mut judged = 0;
    for (layer, may_name) in MAY_NAME {
        let mut files = Vec::new();
        let place = root.join(layer);
        for place in [place.clone(), place.with_extension("rs")] {
            if place.exists() {
                sources(&place, &mut files);
            }
        }
        for file in files {
            for (n, line) in code(&file) {
                judged += 1;
                for name in named(&line) {
                    // Upper case is a type that lib.rs hands on: name its module instead.
                    if !may_name.contains(&name.as_str()) {
                        let file = file.strip_prefix(root).unwrap().display();
                        wrong.push(format!("{file}:{n}: {layer} names {name}"));
                    }
                }
            }
        }
    }
    assert!(judged > 1000, "the sources were not found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_wire_does_no_io() {
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/wire"), &mut files);
    assert!(files.len() > 5);
    for file in files {
        for (n, line) in code(&file) {
            for module in [
                "std::io",
                "std::net",
                "std::os",
                "std::thread",
                "std::time",
                "std::fs",
                "std::process",
            ] {
                assert!(!line.contains(module), "{}:{n}: {module}", file.display());
            }
        }
    }
}

#[test]
fn the_binary_uses_the_public_api_alone() {
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/bin"), &mut files);
    for file in files {
        for (n, line) in code(&file) {
            assert!(
                !line.contains("#[path"),
                "{}:{n}: takes a file from elsewhere",
                file.display()
            );
        }
    }
}

#[test]
fn names_are_found_where_they_stand() {
    assert_eq!(named("use crate::wire::{Fields, head};"), ["wire"]);
    assert_eq!(named("use crate::{client::Client, error::Error};"), ["client", "error"]);
    assert_eq!(named("let x = crate::Client::new();"), ["Client"]);
    assert!(named("use super::fields::Fields;").is_empty());
}
