//! `/containers/{id}/archive`: copies files into and out of a container, as tar.

use super::api::*;
use super::files::{base_name, clean};
use unix_http::base::base64::encode;

/// Answers GET with a path as an archive, and HEAD with a description of it. `docker cp` uses both.
pub fn get(call: &mut Call<'_, '_>) -> Outcome {
    let path = call.parameter("path").to_owned();
    ensure!(!path.is_empty(), "path-empty");
    let files = lock(&call.container()?.files).clone();
    ensure!(files.has(&path), "path-none", path, call.name);
    let (cleaned, file) = (clean(&path), files.file(&path));
    let last = if cleaned.is_empty() { "/" } else { base_name(&cleaned) };
    // A directory has the highest bit of Go's os.FileMode.
    let mode = if file.is_some() { 0o644 } else { 1 << 31 | 0o755_i64 };
    let described = object!(name: last, size: file.map_or(4096, <[u8]>::len), mode: mode,
        mtime: rfc3339(SystemTime::now(), 0), linkTarget: "");
    let is_head = call.request.method() == "HEAD";
    let kind = if is_head { "" } else { "application/x-tar" };
    let header = encode(write(&described).as_bytes());
    let responder = engine_fields(call.responder()?, kind);
    let responder = responder.field("X-Docker-Container-Path-Stat", header);
    if is_head {
        return Ok(Reply::Sent(responder.send("")?));
    }
    let mut body = responder.stream()?;
    body.write_all(&files.archive(&path))?;
    Ok(Reply::Sent(body.finish()?))
}

pub fn put(call: &mut Call<'_, '_>) -> Outcome {
    let path = call.parameter("path").to_owned();
    ensure!(!path.is_empty(), "path-empty");
    let container = call.container()?;
    let files = &container.files;
    // Errors are sent before the upload is read.
    let target = lock(files).clone();
    ensure!(target.file(&path).is_none(), "path-no-directory");
    ensure!(target.is_directory(&path), "path-none", path, call.name);
    let archive = call.request.bytes(CONTENT)?;
    lock(files).extract(&path, &archive)?;
    call.state().emit_task(&container, "extract-to-dir", &[]);
    Ok(Reply::Empty(200))
}
