//! Arrows point down only: no layer uses a layer above it.

use super::paths::edges;
use super::source::{Source, library, program};

/// Each layer, and the other layers that it may use.
const MAY_USE: &[(&str, &[&str])] = &[
    ("base", &[]),
    ("wire", &["base"]),
    ("json", &["base"]),
    ("transport", &["base"]),
    ("error", &["base", "wire", "transport"]),
    ("connection", &["base", "wire", "transport", "error"]),
    ("client", &["base", "wire", "transport", "error", "connection"]),
    ("server", &["base", "wire", "transport", "error", "connection"]),
    ("docker", &["base", "wire", "transport", "error", "connection", "json", "client"]),
    ("traffic", &["base", "wire", "transport", "json", "docker"]),
    (
        "tap",
        &[
            "base",
            "wire",
            "transport",
            "error",
            "connection",
            "server",
            "json",
            "docker",
            "traffic",
        ],
    ),
    // It only re-exports.
    ("lib", &[]),
];

/// Returns `wire` for `src/wire/head.rs`, `error` for `src/error.rs`.
fn layer(file: &str) -> &str {
    let inside = file.strip_prefix("src/").unwrap_or(file);
    inside.split(['/', '.']).next().unwrap_or(inside)
}

#[test]
fn no_arrow_points_up() {
    let mut wrong = Vec::new();
    for (file, used) in edges(&library()) {
        let of = layer(&file).to_owned();
        let Some((_, below)) = MAY_USE.iter().find(|(name, _)| *name == of) else {
            panic!("{file}: a layer that has no place yet");
        };
        let above = used.iter().filter(|used| layer(used) != of && !below.contains(&layer(used)));
        wrong.extend(above.map(|used| format!("{file} uses {used}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_wire_does_no_io() {
    let wire = library().into_iter().filter(|source| source.file.starts_with("src/wire/"));
    let wire: Vec<Source> = wire.collect();
    assert!(wire.len() > 5);
    for source in wire {
        for module in ["io", "net", "os", "thread", "time", "fs", "process"] {
            assert!(
                !source.code.contains(&format!("std::{module}")),
                "{}: std::{module}",
                source.file
            );
        }
    }
}

#[test]
fn the_binary_uses_the_public_api_alone() {
    for source in program() {
        assert!(!source.code.contains("#[path"), "{}: takes a file from elsewhere", source.file);
    }
}
