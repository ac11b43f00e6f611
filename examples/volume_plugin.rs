//! # A Docker plugin: the engine asks you
//!
//! Docker keeps volumes where a plugin says. A plugin is a server on a Unix socket in
//! `/run/docker/plugins`; the file's name is the driver's name, and the engine is the client. This
//! one keeps a volume as a directory.
//!
//! ```console docker root
//! $ cargo run -q --example volume_plugin -- mypy "$TMPDIR/volumes" >"$TMPDIR/asked" &
//! listening on unix:///run/docker/plugins/mypy.sock
//! $ ucurl -s --json '{"Name":"mypy-volume","Driver":"mypy"}' --select /Driver /volumes/create
//! mypy
//! $ ucurl -s '/containers/create?name=mypy' -o "$TMPDIR/created" --json '{"Image":"busybox","Cmd":["touch","/data/was-here"],'\
//! '"HostConfig":{"NetworkMode":"none","Binds":["mypy-volume:/data"]}}'
//! $ ucurl -sX POST /containers/mypy/start /containers/mypy/wait
//! {"Error":null,"StatusCode":0}
//! $ ls "$TMPDIR/volumes/mypy-volume"
//! was-here
//! $ ucurl -sX DELETE '/containers/mypy' /volumes/mypy-volume -w '%{http_code} '
//! 204 204
//! $ grep -e Create -e Mount "$TMPDIR/asked"
//! POST /VolumeDriver.Create {"Name":"mypy-volume","Opts":null}
//! POST /VolumeDriver.Mount {"Name":"mypy-volume","ID":"…"}
//! $ ls "$TMPDIR/volumes"
//! ```
//!
//! Arguments: the driver's name, and where to keep volumes. The engine has to be on this machine,
//! and only root may write in that directory. The engine speaks to plugins as `docker` speaks to
//! the engine: POST, JSON, and an error is a string.
//!
//! Read with it: Docker Engine managed plugins, Volume plugin protocol; RFC 9112 §3.2 (its Host
//! field is empty: why may it be?), RFC 9110 §9.3.3 (all is POST, even what only asks).
//!
//! Exercise: an authorization plugin answers `/AuthZPlugin.AuthZReq` with `{"Allow":true}` or
//! `{"Allow":false,"Msg":"..."}` for every request that anybody makes to the engine. Write one that
//! allows nothing but GET.

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf, absolute};
use std::process::exit;
use unix_http::json::Value;
use unix_http::server::{Request, Responder, Sent, Server};
use unix_http::transport::Endpoint;

/// No question is longer.
const LIMIT: usize = 64 * 1024;

fn main() {
    if let Err(error) = serve() {
        eprintln!("volume_plugin: {error}");
        exit(1);
    }
}

fn serve() -> Result<(), Box<dyn std::error::Error>> {
    let name = env::args().nth(1).unwrap_or("mypy".into());
    let dir = absolute(env::args().nth(2).unwrap_or("volumes".into()))?;
    fs::create_dir_all(&dir)?;
    fs::create_dir_all("/run/docker/plugins")?;

    let endpoint = Endpoint::Unix(format!("/run/docker/plugins/{name}.sock").into());
    let server = Server::bind(&endpoint)?;
    eprintln!("listening on {endpoint}");
    server.run(move |request, responder| answer(&dir, request, responder))?;
    Ok(())
}

/// What goes wrong is no status-code here: it is `Err` in an answer of 200, and not empty.
fn answer(dir: &Path, request: &mut Request<'_>, responder: Responder<'_>) -> io::Result<Sent> {
    let question = String::from_utf8_lossy(&request.bytes(LIMIT)?).trim_end().to_owned();
    let call = String::from_utf8_lossy(request.path()).into_owned();
    println!("{} {call} {question}", request.method());
    let answer = call_of(dir, &call, &question)
        .unwrap_or_else(|error| format!(r#"{{"Err":{}}}"#, Value::from(error.to_string())));
    responder.field("Content-Type", "application/vnd.docker.plugins.v1.2+json").send(answer)
}

fn call_of(dir: &Path, call: &str, question: &str) -> io::Result<String> {
    if call == "/Plugin.Activate" {
        return Ok(r#"{"Implements":["VolumeDriver"]}"#.into());
    }
    let question = Value::parse(question.as_bytes()).map_err(io::Error::other)?;
    let name =
        || question.get("Name").and_then(Value::as_str).ok_or(io::Error::other("which volume?"));
    match call {
        "/VolumeDriver.Capabilities" => Ok(r#"{"Capabilities":{"Scope":"local"}}"#.into()),
        "/VolumeDriver.Create" => {
            fs::create_dir_all(path_of(dir, name()?)?).map(|()| r#"{"Err":""}"#.into())
        }
        "/VolumeDriver.Remove" => {
            fs::remove_dir_all(path_of(dir, name()?)?).map(|()| r#"{"Err":""}"#.into())
        }
        // A plugin for a disk or a network would mount it here, and count: each container mounts
        // and unmounts once.
        "/VolumeDriver.Mount" | "/VolumeDriver.Path" => Ok(format!(
            r#"{{"Mountpoint":{},"Err":""}}"#,
            Value::from(&*existing(dir, name()?)?.to_string_lossy())
        )),
        "/VolumeDriver.Unmount" => Ok(r#"{"Err":""}"#.into()),
        "/VolumeDriver.Get" => {
            Ok(format!(r#"{{"Volume":{},"Err":""}}"#, volume(&existing(dir, name()?)?)))
        }
        "/VolumeDriver.List" => {
            let paths = fs::read_dir(dir)?
                .map(|entry| Ok(entry?.path()))
                .collect::<io::Result<Vec<PathBuf>>>()?;
            let volumes: Vec<String> = paths.iter().map(|path| volume(path)).collect();
            Ok(format!(r#"{{"Volumes":[{}],"Err":""}}"#, volumes.join(",")))
        }
        _ => Err(io::Error::other("no such call")),
    }
}

/// The directory of a volume. A name must not lead out of ours, whoever asks.
fn path_of(dir: &Path, name: &str) -> io::Result<PathBuf> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    match name.bytes().all(plain) && !name.starts_with('.') && !name.is_empty() {
        true => Ok(dir.join(name)),
        false => Err(io::Error::other(format!("{name:?} is no name for a volume"))),
    }
}

fn existing(dir: &Path, name: &str) -> io::Result<PathBuf> {
    let path = path_of(dir, name)?;
    if path.is_dir() { Ok(path) } else { Err(io::Error::other("no such volume")) }
}

fn volume(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    format!(
        r#"{{"Name":{},"Mountpoint":{}}}"#,
        Value::from(&*name),
        Value::from(&*path.to_string_lossy())
    )
}
