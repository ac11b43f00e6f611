//! `/containers/{id}/archive` and `/export`: files in and out, as tar.

use super::files::{File, Kind, clean};
use super::reply::{CONTENT, Call, Fault, Outcome, Reply, engine_fields};
use super::text::{fill, string};
use super::time;
use std::io::Write;
use unix_http::base::base64;

/// `docker cp` asks with HEAD what a path is.
pub fn stat(call: &mut Call<'_, '_>, name: &str) -> Outcome {
    let header = found(call, name)?.0;
    let responder = engine_fields(call.responder()?, None);
    Ok(responder.field("X-Docker-Container-Path-Stat", header).send_head()?.into())
}

pub fn get(call: &mut Call<'_, '_>, name: &str) -> Outcome {
    let (header, archive) = found(call, name)?;
    let responder = engine_fields(call.responder()?, Some("application/x-tar"));
    let mut body = responder.field("X-Docker-Container-Path-Stat", header).stream()?;
    body.write_all(&archive)?;
    Ok(body.finish()?.into())
}

/// What is at the path: in a field, and as an archive.
fn found(call: &Call<'_, '_>, name: &str) -> Result<(Vec<u8>, Vec<u8>), Fault> {
    let path = path(call)?;
    let state = call.engine.lock();
    let container = &state.containers[state.container(name)?];
    let (Some(file), Some(archive)) = (container.files.get(path), container.files.archive(path))
    else {
        return Err(not_found(path, name));
    };
    let last = clean(path).rsplit('/').next().unwrap_or_default().to_owned();
    Ok((base64::encode(describe(&last, file).as_bytes()).into_bytes(), archive))
}

fn path<'a>(call: &'a Call<'_, '_>) -> Result<&'a str, Fault> {
    match call.parameter("path") {
        "" => Err(Fault::told(400, &["bad parameter: 'path' cannot be empty"])),
        path => Ok(path),
    }
}

fn not_found(path: &str, name: &str) -> Fault {
    Fault::told(404, &["Could not find the file ", path, " in container ", name])
}

fn describe(name: &str, file: &File) -> String {
    // Go's os.FileMode has bits of its own for what is not a plain file.
    let (bits, size, link) = match &file.kind {
        Kind::Content(content) => (0, content.len(), ""),
        Kind::Directory => (1 << 31, 4096, ""),
        Kind::Link(target) => (1 << 27, target.len(), target.as_str()),
    };
    fill(
        r#"{"name":{{name}},"size":{{size}},"mode":{{mode}},"mtime":{{mtime}},"linkTarget":{{link}}}"#,
        &[
            ("name", &string(if name.is_empty() { "/" } else { name })),
            ("size", &size.to_string()),
            ("mode", &(u64::from(file.mode) | bits).to_string()),
            ("mtime", &string(&time::rfc3339_seconds(file.modified))),
            ("link", &string(link)),
        ],
    )
}

pub fn put(call: &mut Call<'_, '_>, name: &str) -> Outcome {
    let path = path(call)?.to_owned();
    {
        // An error is told before the upload is read.
        let state = call.engine.lock();
        let container = &state.containers[state.container(name)?];
        match container.files.get(&path) {
            Some(file) if matches!(file.kind, Kind::Directory) => {}
            Some(_) => return Err(Fault::told(400, &["extraction point is not a directory"])),
            None => return Err(not_found(&path, name)),
        }
    }
    let archive = call.request.bytes(CONTENT)?;
    let mut state = call.engine.lock();
    let at = state.container(name)?;
    let files = &mut state.containers[at].files;
    files.extract(&path, &archive).map_err(|why| Fault::told(500, &[why]))?;
    state.emit_container(at, "extract-to-dir", &[]);
    call.engine.notify();
    Ok(Reply::Empty(200))
}

pub fn export(call: &mut Call<'_, '_>, name: &str) -> Outcome {
    let state = call.engine.lock();
    let archive = state.containers[state.container(name)?].files.archive("/").unwrap_or_default();
    drop(state);
    let mut body = call.stream(Some("application/x-tar"))?;
    body.write_all(&archive)?;
    Ok(body.finish()?.into())
}
