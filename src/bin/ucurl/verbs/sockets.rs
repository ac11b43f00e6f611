//! `ucurl sockets`: which processes listen on Unix sockets here, and which sockets speak HTTP.
//!
//! ```text
//! /proc/net/unix        Num: RefCount Protocol Flags Type St Inode Path     proc(5)
//!                       Flags 00010000: the socket listens; Type 0001: it is a stream
//! /proc/PID/fd/N        -> socket:[Inode], for processes that we may look into
//! ```
//!
//! `GET /_ping`, the first request of every Docker client, shows what a socket speaks. A server of
//! another protocol receives one line that it does not understand; `--no-ask` sends nothing.

use crate::args::given::Given;
use std::collections::BTreeMap;
use std::env;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;
use unix_http::base::number::{decimal, hexadecimal};
use unix_http::base::text::harmless;
use unix_http::transport::{ConnectErrorKind, Timeouts};
use unix_http::wire::ErrorKind;
use unix_http::{Client, Endpoint, Error};

/// The time that a socket has to answer.
const PATIENCE: Duration = Duration::from_millis(500);
/// How many sockets are asked at once.
const AT_ONCE: usize = 8;

/// Where engines listen.
const PLACES: [&str; 10] = [
    "/var/run/docker.sock",
    "/run/podman/podman.sock",
    "/run/containerd/containerd.sock",
    "$XDG_RUNTIME_DIR/docker.sock",
    "$XDG_RUNTIME_DIR/podman/podman.sock",
    "~/.docker/run/docker.sock",
    "~/.docker/desktop/docker.sock",
    "~/.colima/default/docker.sock",
    "~/.rd/docker.sock",
    "~/.orbstack/run/docker.sock",
];

const NOT_ASKED: Result<String, &str> = Err("not asked");

/// A socket that a process listens on.
struct Listening {
    endpoint: Endpoint,
    owner: String,
    /// The server that speaks HTTP there, or why none is known.
    http: Result<String, &'static str>,
}

/// Prints the list.
pub fn run(given: &Given) -> Result<i32, String> {
    let table = fs::read("/proc/net/unix")
        .map_err(|_| "there is no /proc/net/unix here to read the sockets from")?;
    let (mut sockets, mut places) = (listening(&table), known_places());
    if given.is_on("ask", true) {
        let there = places.iter_mut().filter(|place| place.http == NOT_ASKED);
        let mut asked: Vec<&mut Listening> = sockets.iter_mut().chain(there).collect();
        for some in asked.chunks_mut(AT_ONCE) {
            std::thread::scope(|scope| {
                for socket in some {
                    scope.spawn(|| socket.http = ask(&socket.endpoint));
                }
            });
        }
    }
    sockets.retain(|socket| !given.has("http") || socket.http.is_ok());
    let mut text = String::new();
    for socket in &sockets {
        let endpoint = harmless(socket.endpoint.to_string().as_bytes());
        text += &format!("{endpoint}\n    {}; {}\n", socket.owner, socket.speaks());
    }
    text += "\nPlaces of engines:\n";
    for place in &places {
        text += &format!("{}: {}\n", place.endpoint, place.speaks());
    }
    Ok(crate::console::print(&text) as i32)
}

/// Returns the listening stream sockets that have a name.
fn listening(table: &[u8]) -> Vec<Listening> {
    let owners = owners();
    let mut sockets: Vec<Listening> = Vec::new();
    for line in table.split(|&byte| byte == b'\n') {
        let Some((flags, kind, inode, name)) = columns(line) else { continue };
        let listens = hexadecimal(flags.as_bytes()).is_some_and(|flags| flags & 0x10000 != 0);
        if !listens || kind != "0001" {
            continue;
        }
        let endpoint = match name.strip_prefix(b"@") {
            Some(name) => Endpoint::Abstract(name.to_vec()),
            None => Endpoint::Unix(PathBuf::from(OsStr::from_bytes(name))),
        };
        if sockets.iter().any(|socket| socket.endpoint == endpoint) {
            continue;
        }
        let owner = owners.get(inode).map_or("a process that cannot be seen from here", |o| o);
        sockets.push(Listening { endpoint, owner: owner.to_owned(), http: NOT_ASKED });
    }
    sockets
}

/// Returns the flags, the type, the inode and the path. A path may be any bytes, even spaces.
fn columns(line: &[u8]) -> Option<(&str, &str, &str, &[u8])> {
    let (mut rest, mut words) = (line, [""; 7]);
    for word in &mut words {
        rest = rest.trim_ascii_start();
        let end = rest.iter().position(|&byte| byte == b' ')?;
        *word = str::from_utf8(&rest[..end]).ok()?;
        rest = &rest[end + 1..];
    }
    let [_, _, _, flags, kind, _, inode] = words;
    Some((flags, kind, inode, rest))
}

/// Returns the sockets of the processes that we may look into: inode, and the process.
fn owners() -> BTreeMap<String, String> {
    let mut owners = BTreeMap::new();
    for process in entries(Path::new("/proc")) {
        let pid = process.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if decimal(pid.as_bytes()).is_none() {
            continue;
        }
        let name = fs::read(process.join("comm")).unwrap_or_default();
        let who = format!("{} (process {pid})", harmless(name.trim_ascii_end()));
        for descriptor in entries(&process.join("fd")) {
            let Ok(target) = fs::read_link(descriptor) else { continue };
            let target = target.to_string_lossy();
            let inode = target.strip_prefix("socket:[").and_then(|rest| rest.strip_suffix(']'));
            if let Some(inode) = inode {
                owners.entry(inode.to_owned()).or_insert_with(|| who.clone());
            }
        }
    }
    owners
}

fn entries(place: &Path) -> impl Iterator<Item = PathBuf> {
    fs::read_dir(place).into_iter().flatten().flatten().map(|entry| entry.path())
}

impl Listening {
    fn speaks(&self) -> &str {
        self.http.as_deref().unwrap_or_else(|why| why)
    }
}

/// Asks a socket for the server that speaks HTTP there.
fn ask(endpoint: &Endpoint) -> Result<String, &'static str> {
    let limits = Timeouts { connect: Some(PATIENCE), total: Some(PATIENCE), ..Timeouts::default() };
    let client = Client::builder(endpoint.clone()).timeouts(limits).build();
    let response = client.get("/_ping").send().map_err(|error| match &error {
        Error::Parse(error) if error.kind == ErrorKind::Http2 => "HTTP/2 (gRPC)",
        Error::Parse(_) | Error::IncompleteHead { .. } => "not HTTP",
        Error::Timeout(_) => "did not answer",
        Error::Connect(error) => match error.kind() {
            ConnectErrorKind::TimedOut => "did not answer",
            ConnectErrorKind::PermissionDenied => "may not be asked: permission denied",
            ConnectErrorKind::NobodyListens => "there is a file, and nobody listens",
            _ => "cannot be reached from here",
        },
        _ => "closes without an answer: not HTTP, or not for us",
    })?;
    let field = |name: &str| response.field(name).map(harmless);
    let engine = match (field("Libpod-Api-Version"), field("Api-Version")) {
        (Some(podman), _) => format!("podman {podman}"),
        (None, Some(version)) => format!("a Docker engine, API {version}"),
        (None, None) => response.version().as_str().to_owned(),
    };
    Ok(engine + &field("Server").map_or(String::new(), |server| format!(", {server}")))
}

/// Returns the places of engines. The kernel's table does not list all of them: a socket that was
/// mounted into a container belongs to another network namespace (network_namespaces(7)).
fn known_places() -> Vec<Listening> {
    let path = |place: &str| match place.split_once('/')? {
        ("~", rest) => Some(env::home_dir()?.join(rest)),
        ("$XDG_RUNTIME_DIR", rest) => Some(Path::new(&env::var_os("XDG_RUNTIME_DIR")?).join(rest)),
        _ => Some(PathBuf::from(place)),
    };
    let known = |path: PathBuf| {
        let http = if path.exists() { NOT_ASKED } else { Err("not there") };
        Listening { endpoint: Endpoint::Unix(path), owner: String::new(), http }
    };
    PLACES.into_iter().filter_map(path).map(known).collect()
}
