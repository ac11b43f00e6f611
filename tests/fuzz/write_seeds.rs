//! `cargo run --bin seeds` fills `corpus/TARGET/`.
#![allow(dead_code, unused_imports, missing_docs)]

#[path = "../cases/mod.rs"]
mod cases;
mod seeds;

use std::path::Path;
use std::{fs, io};

fn main() -> io::Result<()> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (target, number, seed) in seeds::seeds(here)? {
        let directory = here.join("corpus").join(target);
        fs::create_dir_all(&directory)?;
        fs::write(directory.join(format!("seed-{number:04}")), seed)?;
    }
    Ok(())
}
