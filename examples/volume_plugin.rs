//! # Lesson 14: a Docker plugin
//!
//! Goal: write a plugin, and let Docker be your client.
//!
//! A plugin tells Docker where to keep volumes. It is a server on a Unix socket in
//! `/run/docker/plugins`. The name of the file is the name of the driver. This plugin keeps each
//! volume in a directory.
//!
//! ```console docker root
//! $ D=$(mktemp -d)
//! $ cargo run -q --example volume_plugin -- course $D/volumes >$D/asked &
//! listening on unix:///run/docker/plugins/course.sock
//! $ ucurl -s --json '{"Name":"course-volume","Driver":"course"}' --select /Driver /volumes/create
//! course
//! $ ucurl -s '/containers/create?name=plugged' -o $D/created \
//!     --json '{"Image":"busybox","Cmd":["touch","/data/was-here"],'\
//! '"HostConfig":{"NetworkMode":"none","Binds":["course-volume:/data"]}}'
//! $ ucurl -s -X POST /containers/plugged/start /containers/plugged/wait
//! {"Error":null,"StatusCode":0}
//! $ ls $D/volumes/course-volume
//! was-here
//! $ ucurl -s -X DELETE /containers/plugged /volumes/course-volume
//! $ grep -e Create -e Mount $D/asked
//! POST /VolumeDriver.Create {"Name":"course-volume","Opts":null}
//! POST /VolumeDriver.Mount {"Name":"course-volume","ID":"…"}
//! $ ls $D/volumes
//! $ kill $!; rm -r $D
//! ```
//!
//! Arguments: the name of the driver, and the directory for the volumes. The engine has to run on
//! this machine, and only root may write to the directory of the plugins. The demo has no plugins.
//!
//! Look at:
//!
//! 1. `"/Plugin.Activate"`: the first request. The answer says which kind of plugin this is.
//! 2. `"Err"`: an error is a string in a 200. The status means nothing in this protocol.
//! 3. `fn path_of`: a name from outside must not lead out of the directory, as `../..` would.
//!
//! Read: Docker Engine managed plugins, Volume plugin protocol; RFC 9112 §3.2 (the engine sends an
//! empty Host: when may it?), RFC 9110 §9.3.3 (every call is a POST, even one that only asks).
//!
//! Exercise: refuse volumes with options (`Opts` is not null). Where does the user see your
//! message?
//!
//! Hint: `docker volume create -d course -o size=1g NAME` sends options; in the API they are
//! `DriverOpts`.

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf, absolute};
use std::process::exit;
use unix_http::json::Value;
use unix_http::server::{Request, Responder, Sent, Server};
use unix_http::transport::Endpoint;

/// A longer request is refused.
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
    server.spawn(move |request, responder| answer(&dir, request, responder))?.wait();
    Ok(())
}

/// Answers a request. An error has no status here: it is a non-empty `Err` in a 200.
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
        // A plugin for a disk or a network would mount it here, and count: every container mounts
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

/// Returns the directory of a volume. A name must not lead out of our directory.
fn path_of(dir: &Path, name: &str) -> io::Result<PathBuf> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    match name.bytes().all(plain) && !name.starts_with('.') && !name.is_empty() {
        true => Ok(dir.join(name)),
        false => Err(io::Error::other(format!("{name:?} is not a name for a volume"))),
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
