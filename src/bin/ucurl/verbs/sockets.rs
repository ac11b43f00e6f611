//! `ucurl sockets`: lists the processes that listen on Unix sockets, and their protocols.
//!
//! ```text
//! /proc/net/unix        Num: RefCount Protocol Flags Type St Inode Path     proc(5)
//!                       Flags 00010000: the socket listens; Type 0001: it is a stream
//! /proc/PID/fd/N        -> socket:[Inode], for processes that we may look into
//! ```
//!
//! `GET /_ping`, the first request of every Docker client, shows what a socket speaks. A server of
//! another protocol receives a request that it does not understand. A server that does not answer
//! receives a ttrpc request as well. `--no-ask` sends nothing, and a name as operand limits the
//! list, and the requests, to sockets and processes with that text in their name.

use crate::args::given::Given;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::env;
use std::ffi::OsStr;
use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;
use unix_http::base::number::{decimal, hexadecimal};
use unix_http::base::owner::owner_names;
use unix_http::base::text::harmless;
use unix_http::json::Value;
use unix_http::transport::{ConnectErrorKind, Timeouts, connect};
use unix_http::wire::ParseErrorKind;
use unix_http::{Client, Endpoint, Error};

/// The time limit of a socket's answer.
const PATIENCE: Duration = Duration::from_secs(1);
/// The number of sockets that are asked at once.
const AT_ONCE: usize = 8;

/// A ttrpc request for no service: length 0, stream 1, type 1 (request), no flags. A ttrpc server
/// answers it with an error: a frame of type 2 (response) on the same stream.
const TTRPC_REQUEST: [u8; 10] = [0, 0, 0, 0, 0, 0, 0, 1, 1, 0];

/// The usual places of engines, one in a line.
const PLACES: &str = include_str!("places.txt");

const HTTP: &str = "http/1";

/// A socket that a process listens on, or a place where one could.
struct Listening {
    endpoint: Endpoint,
    /// The mode of the socket file, its user and its group. An abstract name has none.
    file: Option<(u32, String, String)>,
    /// The name and the id of the process, if it can be seen.
    process: Option<(String, u64)>,
    /// The protocol, if it is known.
    protocol: Option<&'static str>,
    /// The server, or why the protocol is unknown.
    about: Cow<'static, str>,
}

/// Prints the list.
pub fn run(given: &Given) -> Result<i32, String> {
    let table = fs::read("/proc/net/unix")
        .map_err(|_| "there is no /proc/net/unix here to read the sockets from")?;
    let name = given.operands.first().map(|name| name.as_bytes()).unwrap_or_default();
    let (mut sockets, mut places) = (listening(&table), known_places());
    sockets.retain(|socket| socket.has(name));
    sockets.sort_by_key(|socket| socket.endpoint.to_string());
    places.retain(|place| place.has(name));
    if given.is_on("ask", true) {
        let there = places.iter_mut().filter(|place| place.file.is_some());
        let mut asked: Vec<&mut Listening> = sockets.iter_mut().chain(there).collect();
        for some in asked.chunks_mut(AT_ONCE) {
            std::thread::scope(|scope| {
                for socket in some {
                    scope.spawn(|| (socket.protocol, socket.about) = ask(&socket.endpoint));
                }
            });
        }
    }
    sockets.retain(|socket| !given.has("http") || socket.protocol == Some(HTTP));
    let text = if given.has("json") { json(&sockets) } else { list(&sockets, &places) };
    Ok(crate::console::print(&text) as i32)
}

fn list(sockets: &[Listening], places: &[Listening]) -> String {
    let mut text = String::new();
    for Listening { endpoint, file, process, about, .. } in sockets {
        let file = file.as_ref().map_or("no file".to_owned(), |(mode, user, group)| {
            format!("{mode:04o} {user}:{group}")
        });
        let process = process.as_ref().map_or("a process that cannot be seen".to_owned(), |it| {
            format!("{} (process {})", it.0, it.1)
        });
        let endpoint = harmless(endpoint.to_string().as_bytes());
        text += &format!("{endpoint}\n    {file}; {process}; {about}\n");
    }
    if !places.is_empty() {
        text += "\nPlaces of engines:\n";
    }
    for place in places {
        text += &format!("{}: {}\n", place.endpoint, place.about);
    }
    text
}

/// One array, with an object for each socket. Members that are unknown are left out.
fn json(sockets: &[Listening]) -> String {
    let objects = sockets.iter().map(|Listening { endpoint, file, process, protocol, about }| {
        let mut socket = Value::Object(Vec::new());
        socket.set("endpoint", endpoint.to_string());
        if let Some((mode, user, group)) = file {
            socket.set("mode", format!("{mode:04o}"));
            socket.set("user", user);
            socket.set("group", group);
        }
        if let Some((name, pid)) = process {
            socket.set("process", name);
            socket.set("pid", *pid);
        }
        if let Some(protocol) = *protocol {
            socket.set("protocol", protocol);
        }
        socket.set("about", &**about);
        socket
    });
    Value::from(objects.collect::<Vec<_>>()).to_string() + "\n"
}

impl Listening {
    fn at(endpoint: Endpoint, process: Option<(String, u64)>) -> Listening {
        // A relative path was relative to the directory of its process.
        let path = match &endpoint {
            Endpoint::Unix(path) if path.is_absolute() => fs::metadata(path).ok(),
            _ => None,
        };
        let file = path.map(|file| {
            let (user, group) = owner_names(&file);
            (file.mode() & 0o7777, user, group)
        });
        Listening { endpoint, file, process, protocol: None, about: "not asked".into() }
    }

    /// Returns whether the name of the socket or of its process contains `text`.
    fn has(&self, text: &[u8]) -> bool {
        let holds = |name: &[u8]| name.windows(text.len().max(1)).any(|part| part == text);
        text.is_empty()
            || holds(self.endpoint.to_string().as_bytes())
            || self.process.as_ref().is_some_and(|(name, _)| holds(name.as_bytes()))
    }
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
        sockets.push(Listening::at(endpoint, owners.get(inode).cloned()));
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

/// Returns the sockets of the processes that we may look into: inode, name and id of the process.
fn owners() -> BTreeMap<String, (String, u64)> {
    let mut owners = BTreeMap::new();
    for process in entries(Path::new("/proc")) {
        let pid = process.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let Some(pid) = decimal(pid.as_bytes()) else { continue };
        let name = fs::read(process.join("comm")).unwrap_or_default();
        let owner = (harmless(name.trim_ascii_end()), pid);
        for descriptor in entries(&process.join("fd")) {
            let Ok(target) = fs::read_link(descriptor) else { continue };
            let target = target.to_string_lossy();
            let inode = target.strip_prefix("socket:[").and_then(|rest| rest.strip_suffix(']'));
            if let Some(inode) = inode {
                owners.entry(inode.to_owned()).or_insert_with(|| owner.clone());
            }
        }
    }
    owners
}

fn entries(place: &Path) -> impl Iterator<Item = PathBuf> {
    fs::read_dir(place).into_iter().flatten().flatten().map(|entry| entry.path())
}

/// Asks a socket for its protocol. Returns it, and the server or why it is unknown.
fn ask(endpoint: &Endpoint) -> (Option<&'static str>, Cow<'static, str>) {
    let limits = Timeouts::default().connect(PATIENCE).total(PATIENCE);
    let client = Client::builder(endpoint.clone()).timeouts(limits).build();
    let response = match client.get("/_ping").send() {
        Ok(response) => response,
        Err(error) => {
            let (protocol, about) = not_http(&error, endpoint);
            return (protocol, about.into());
        }
    };
    let field = |name: &str| response.field(name).map(harmless);
    let engine = match (field("Libpod-Api-Version"), field("Api-Version")) {
        (Some(podman), _) => format!("podman {podman}"),
        (None, Some(version)) => format!("a Docker engine, API {version}"),
        (None, None) => response.head().version().to_string(),
    };
    let server = field("Server").map_or(String::new(), |server| format!(", {server}"));
    (Some(HTTP), (engine + &server).into())
}

fn not_http(error: &Error, endpoint: &Endpoint) -> (Option<&'static str>, &'static str) {
    let about = match error {
        Error::Parse(error) if error.kind() == ParseErrorKind::Http2 => {
            return (Some("http/2"), "HTTP/2 (gRPC)");
        }
        Error::Parse(_) | Error::IncompleteHead { received: 1.. } => "not HTTP",
        // ttrpc is the protocol of containerd's shims: gRPC's calls without HTTP/2. There, `GET `
        // is the length of a message of a gigabyte: the server waits for more.
        Error::Timeout(_) if is_ttrpc(endpoint) => return (Some("ttrpc"), "ttrpc, not HTTP"),
        Error::Timeout(_) => "did not answer",
        Error::Connect(error) => match error.kind() {
            ConnectErrorKind::TimedOut => "did not answer",
            ConnectErrorKind::PermissionDenied => "may not be asked: permission denied",
            ConnectErrorKind::NobodyListens => "there is a file, and no process listens",
            _ => "cannot be reached from here",
        },
        _ => "closes without an answer: not HTTP, or not for us",
    };
    (None, about)
}

fn is_ttrpc(endpoint: &Endpoint) -> bool {
    let mut frame = [0; 10];
    let asked = connect(endpoint, Some(PATIENCE)).map(|mut stream| {
        stream.set_timeouts(Timeouts::default().idle(PATIENCE))?;
        stream.write_all(&TTRPC_REQUEST)?;
        stream.read_exact(&mut frame)
    });
    matches!(asked, Ok(Ok(()))) && frame[4..] == [0, 0, 0, 1, 2, 0]
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
        let mut place = Listening::at(Endpoint::Unix(path), None);
        if place.file.is_none() {
            place.about = "not there".into();
        }
        place
    };
    PLACES.lines().filter_map(path).map(known).collect()
}
