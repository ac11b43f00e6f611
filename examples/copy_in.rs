//! # An upload of known length: a file into a container
//!
//! `docker cp FILE CONTAINER:DIR` is `PUT /containers/{id}/archive?path=DIR` with a tar of one
//! file. Its length is known before it begins, header and padding included, so it goes out with
//! Content-Length; and it is never in memory.
//!
//! ```console engine
//! $ cargo run -q --example create_container -- mypy
//! 201 Created
//! {"Id":"…","Warnings":[…]}
//! $ cargo run -q --example copy_in -- LICENSE-MIT mypy:/tmp
//! PUT /containers/mypy/archive?path=/tmp, … bytes
//! 200 OK
//! $ ucurl -s '/containers/mypy/archive?path=/tmp/LICENSE-MIT' | tar -xO | cmp - LICENSE-MIT
//! ```
//!
//! Arguments: a file, and where to. The engine is the one that the docker command would ask.
//!
//! Read with it: RFC 9112 §6.2 (Content-Length), RFC 9110 §9.3.4 (PUT), §15.5.5 (404: no such
//! container, or directory).
//!
//! Exercise: copy to a container that does not exist, and a file of a gigabyte. Does all of it
//! travel before the answer comes? (The client listens while it sends; the daemon says `Connection:
//! close`. Why must it?)

mod tar;

use std::error::Error;
use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::Path;
use std::process::ExitCode;
use tar::{BLOCK, END, Kind};
use unix_http::Body;
use unix_http::docker::Engine;

fn main() -> ExitCode {
    match copy_in() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("copy_in: {error}");
            ExitCode::FAILURE
        }
    }
}

fn copy_in() -> Result<bool, Box<dyn Error>> {
    let (file, to) = (std::env::args().nth(1), std::env::args().nth(2));
    let file = file.ok_or("which file?")?;
    let (container, dir) =
        to.as_deref().and_then(|to| to.split_once(':')).ok_or("where to? CONTAINER:DIR")?;
    let name =
        Path::new(&file).file_name().and_then(|name| name.to_str()).ok_or("a file has a name")?;

    let file = File::open(&file)?;
    let size = file.metadata()?.len();
    let header = tar::header(name, 0o644, Kind::File { size })?;
    let length = BLOCK + size.next_multiple_of(BLOCK) + END.len() as u64;
    // A tar is its parts, one after the other.
    let archive = Cursor::new(header)
        .chain(file.take(size))
        .chain(io::repeat(0).take(tar::padding(size) as u64));
    let archive = archive.chain(Cursor::new(END));

    let engine = Engine::from_env()?;
    let client = engine.client();
    let target = format!("/containers/{container}/archive?path={dir}");
    println!("PUT {target}, {length} bytes");
    let request = client.put(&target).field("Content-Type", "application/x-tar");
    let response = request.body(Body::sized(archive, length)).send()?;
    println!("{} {}", response.status(), String::from_utf8_lossy(response.reason()));
    let copied = response.is_success();
    print!("{}", response.text()?);
    Ok(copied)
}
