//! The others, and which versions of them are known.

use crate::support::needs;
use std::path::PathBuf;
use std::process::Command;

/// A program, how it tells its version, and the beginnings of the versions that the explanations
/// hold for.
pub const KNOWN: &[(&str, &str, &[&str])] = &[
    ("curl", "--version", &["curl 7.88."]),
    ("python3", "--version", &["Python 3.11."]),
    ("node", "--version", &["v20."]),
    ("nginx", "-v", &["nginx version: nginx/1.22."]),
];

/// The program, if it is here in a version that is known.
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
