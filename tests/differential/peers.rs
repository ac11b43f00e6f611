//! The other programs and their known versions.

use crate::support::needs;
use std::path::PathBuf;
use std::process::Command;

/// A program, the flag that prints its version, and prefixes of the known versions.
pub const KNOWN: &[(&str, &str, &[&str])] = &[
    ("curl", "--version", &["curl 7.88."]),
    ("python3", "--version", &["Python 3.11."]),
    ("node", "--version", &["v20."]),
    ("nginx", "-v", &["nginx version: nginx/1.22."]),
];

/// Returns the program, if a known version is installed.
pub fn peer(name: &str) -> Option<PathBuf> {
    let program = needs::program(name)?;
    let (_, asks, known) = KNOWN.iter().find(|(known, ..)| *known == name).expect("a peer");
    let output = Command::new(&program).arg(asks).output().expect("its version");
    let version = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    match known.iter().any(|known| version.starts_with(known)) {
        true => Some(program),
        false => needs::left_out(
            name,
            &format!("its differences are known for {known:?}, not for {}", version.trim()),
        ),
    }
}
