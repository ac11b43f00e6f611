//! # Lesson 10, first half: an upload of known length
//!
//! Goal: copy a file into a container without holding it in memory.
//!
//! `docker cp FILE CONTAINER:DIR` is `PUT /containers/{id}/archive?path=DIR` with a tar archive of
//! one file. The length of the archive is known before it is sent, so the request has a
//! Content-Length.
//!
//! ```console engine
//! $ cargo run -q --example create_container -- copied-to
//! 201 Created
//! {"Id":"…","Warnings":[…]}
//! $ cargo run -q --example copy_in -- LICENSE-MIT copied-to:/tmp
//! PUT /containers/copied-to/archive?path=/tmp, … bytes
//! 200 OK
//! $ ucurl -s '/containers/copied-to/archive?path=/tmp/LICENSE-MIT' | tar -xO | cmp - LICENSE-MIT
//! $ ucurl -s -X DELETE /containers/copied-to
//! ```
//!
//! Arguments: a file, and the destination. The program asks the engine that the `docker` command
//! would ask.
//!
//! Look at:
//!
//! 1. `next_multiple_of`: a tar archive is made of blocks of 512 bytes.
//! 2. `.chain(`: the archive is its parts, one after the other. Only a small piece is in memory.
//! 3. `Body::reader`: states the length. The library fails if the reader ends too early.
//!
//! Read: RFC 9112 §6.2 (Content-Length), RFC 9110 §9.3.4 (PUT), §15.5.5 (404), RFC 9112 §9.6.
//!
//! Exercise: copy a file of 64 MiB to a container that does not exist. How much of it travels
//! before the client stops? Why must the engine close the connection?
//!
//! Hint: `ucurl tap --brief -- COMMAND` shows how many bytes a command sent. `truncate -s 64M FILE`
//! makes a large file at once.

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
    let file = file.ok_or("usage: copy_in FILE CONTAINER:DIR")?;
    let (container, dir) = to
        .as_deref()
        .and_then(|to| to.split_once(':'))
        .ok_or("usage: copy_in FILE CONTAINER:DIR")?;
    let name = Path::new(&file)
        .file_name()
        .and_then(|name| name.to_str())
        .ok_or("the file has no name in UTF-8")?;

    let file = File::open(&file)?;
    let size = file.metadata()?.len();
    let header = tar::header(name, 0o644, Kind::File { size })?;
    let length = BLOCK + size.next_multiple_of(BLOCK) + END.len() as u64;
    // A header, the content, zeros up to the end of a block, two blocks of zeros.
    let archive = Cursor::new(header)
        .chain(file.take(size))
        .chain(io::repeat(0).take(tar::padding(size) as u64));
    let archive = archive.chain(Cursor::new(END));

    let engine = Engine::from_env()?;
    let client = engine.client();
    let target = format!("/containers/{container}/archive?path={dir}");
    println!("PUT {target}, {length} bytes");
    let request = client.put(&target).field("Content-Type", "application/x-tar");
    let response = request.body(Body::reader(archive, Some(length))).send()?;
    println!("{} {}", response.status(), String::from_utf8_lossy(response.reason()));
    let copied = response.is_success();
    print!("{}", response.text()?);
    Ok(copied)
}
