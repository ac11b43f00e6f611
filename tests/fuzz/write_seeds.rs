//! `cargo run --bin seeds` fills `corpus/TARGET/`.
#![allow(dead_code, unused_imports, missing_docs)]

#[path = "../conformance/chunked.rs"]
mod chunked;
#[path = "../conformance/deliver.rs"]
mod deliver;
#[path = "../conformance/fields.rs"]
mod fields;
#[path = "../conformance/readers.rs"]
mod readers;
#[path = "../conformance/request_framing.rs"]
mod request_framing;
#[path = "../conformance/request_line.rs"]
mod request_line;
#[path = "../conformance/response_framing.rs"]
mod response_framing;
mod seeds;
#[path = "../conformance/status_line.rs"]
mod status_line;

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
