//! `ucurl sockets`: who listens on Unix sockets here, and which of them speak HTTP.
//!
//! ```text
//! /proc/net/unix        Num: RefCount Protocol Flags Type St Inode Path     proc(5)
//!                       Flags 00010000: the socket listens; Type 0001: it is a stream
//! /proc/PID/fd/N        -> socket:[Inode], for processes that we may look into
//! ```
//!
//! What a socket speaks is found by asking it: GET /_ping, as every Docker client does first. A
//! server of another protocol gets one line that it does not understand; `--no-ask` leaves it in
//! peace.

use crate::args::given::Given;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;
use unix_http::transport::{ConnectErrorKind, Timeouts};
use unix_http::wire::ErrorKind;
use unix_http::{Client, Endpoint, Error};

/// So long a socket may take to answer.
const PATIENCE: Duration = Duration::from_millis(500);
/// So many are asked at once.
const AT_ONCE: usize = 8;

/// Where engines listen, below the home directory, the runtime directory, and the root.
const AT_HOME: [&str; 5] = [
    ".docker/run/docker.sock",
    ".docker/desktop/docker.sock",
    ".colima/default/docker.sock",
    ".rd/docker.sock",
    ".orbstack/run/docker.sock",
];
const AT_RUNTIME: [&str; 2] = ["docker.sock", "podman/podman.sock"];
const AT_ROOT: [&str; 3] =
    ["/var/run/docker.sock", "/run/podman/podman.sock", "/run/containerd/containerd.sock"];

/// A socket that somebody listens on.
struct Listening {
    endpoint: Endpoint,
    owner: String,
    speaks: Speaks,
}

#[derive(Clone, PartialEq, Eq)]
enum Speaks {
    Unasked,
    Http(String),
    Other(&'static str),
}

/// Prints the list.
pub fn run(given: &Given) -> Result<i32, String> {
    let table = fs::read("/proc/net/unix")
        .map_err(|_| "there is no /proc/net/unix here to read the sockets from")?;
    let (mut sockets, mut places) = (listening(&table), known_places());
    if given.is_on("ask", true) {
        let there = places.iter_mut().filter(|place| place.speaks == Speaks::Unasked);
        let mut asked: Vec<&mut Listening> = sockets.iter_mut().chain(there).collect();
        for some in asked.chunks_mut(AT_ONCE) {
            std::thread::scope(|scope| {
                some.iter_mut().for_each(|socket| _ = scope.spawn(|| socket.ask()))
            });
        }
    }
    sockets.retain(|socket| !given.has("http") || matches!(socket.speaks, Speaks::Http(_)));
    let mut text = String::new();
    for socket in &sockets {
        let (name, speaks) = (visible_name(&socket.endpoint), socket.speaks.text());
        text += &format!("{name}\n    {}; {speaks}\n", socket.owner);
    }
    text += "\nPlaces of engines:\n";
    for place in &places {
        text += &format!("{}: {}\n", visible_name(&place.endpoint), place.speaks.text());
    }
    Ok(crate::print(&text) as i32)
}

/// The listening stream sockets that have a name, which may be any bytes.
fn listening(table: &[u8]) -> Vec<Listening> {
    let owners = owners();
    let mut sockets: Vec<Listening> = Vec::new();
    for line in table.split(|&byte| byte == b'\n') {
        let Some((flags, kind, inode, name)) = columns(line) else { continue };
        let listens = u64::from_str_radix(flags, 16).is_ok_and(|flags| flags & 0x10000 != 0);
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
        let owner = owners.iter().find(|(found, _)| found == inode);
        let owner = owner
            .map_or("a process that is not to be seen from here".to_owned(), |(_, who)| {
                who.clone()
            });
        sockets.push(Listening { endpoint, owner, speaks: Speaks::Unasked });
    }
    sockets
}

/// `Num: RefCount Protocol Flags Type St Inode Path`, where a path may hold spaces and a socket may
/// have none.
fn columns(line: &[u8]) -> Option<(&str, &str, &str, &[u8])> {
    let mut rest = line;
    let mut next = || {
        let word = rest.trim_ascii_start();
        let end = word.iter().position(|&byte| byte == b' ')?;
        rest = &word[end + 1..];
        str::from_utf8(&word[..end]).ok()
    };
    let (_, _, _, flags, kind, _, inode) =
        (next()?, next()?, next()?, next()?, next()?, next()?, next()?);
    Some((flags, kind, inode, rest))
}

/// The sockets of each process that we may look into: inode, and who it is.
fn owners() -> Vec<(String, String)> {
    let mut owners = Vec::new();
    for process in entries(Path::new("/proc")) {
        let Some(pid) =
            process.file_name().and_then(|name| name.to_str()).filter(|name| number(name))
        else {
            continue;
        };
        let name = fs::read_to_string(process.join("comm")).unwrap_or_default();
        for descriptor in entries(&process.join("fd")) {
            let Ok(target) = fs::read_link(descriptor) else { continue };
            let target = target.to_string_lossy();
            let inode = target.strip_prefix("socket:[").and_then(|rest| rest.strip_suffix(']'));
            if let Some(inode) = inode {
                owners.push((
                    inode.to_owned(),
                    [&plain(name.trim_end()), " (process ", pid, ")"].concat(),
                ));
            }
        }
    }
    owners
}

fn entries(place: &Path) -> impl Iterator<Item = PathBuf> {
    fs::read_dir(place).into_iter().flatten().flatten().map(|entry| entry.path())
}

fn number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

impl Speaks {
    fn text(&self) -> &str {
        match self {
            Speaks::Unasked => "not asked",
            Speaks::Http(what) => what,
            Speaks::Other(what) => what,
        }
    }
}

impl Listening {
    fn ask(&mut self) {
        let limits =
            Timeouts { connect: Some(PATIENCE), total: Some(PATIENCE), ..Timeouts::default() };
        let client = Client::builder(self.endpoint.clone()).timeouts(limits).build();
        self.speaks = match client.get("/_ping").send() {
            Ok(response) => {
                let field = |name: &str| {
                    response.field(name).map(|value| plain(&String::from_utf8_lossy(value)))
                };
                let server =
                    field("Server").map_or(String::new(), |server| [", ", &server].concat());
                Speaks::Http(match (field("Libpod-Api-Version"), field("Api-Version")) {
                    (Some(podman), _) => ["podman ", &podman, server.as_str()].concat(),
                    (None, Some(version)) => {
                        ["a Docker engine, API ", &version, server.as_str()].concat()
                    }
                    (None, None) => [response.version().as_str(), server.as_str()].concat(),
                })
            }
            Err(Error::Parse(error)) if error.kind == ErrorKind::Http2 => {
                Speaks::Other("HTTP/2 (gRPC)")
            }
            Err(Error::Parse(_) | Error::IncompleteHead { .. }) => Speaks::Other("not HTTP"),
            Err(Error::Timeout(_)) => Speaks::Other("did not answer"),
            Err(Error::Connect(error)) if error.kind() == ConnectErrorKind::TimedOut => {
                Speaks::Other("did not answer")
            }
            Err(Error::Connect(error)) if error.kind() == ConnectErrorKind::PermissionDenied => {
                Speaks::Other("may not be asked: permission denied")
            }
            Err(Error::Connect(error)) if error.kind() == ConnectErrorKind::NobodyListens => {
                Speaks::Other("there is a file, and nobody listens")
            }
            Err(Error::Connect(_)) => Speaks::Other("cannot be reached from here"),
            Err(_) => Speaks::Other("closes without an answer: not HTTP, or not for us"),
        };
    }
}

/// They are asked even where the table does not tell of them: a socket that was mounted into a
/// container from outside belongs to another network namespace (network_namespaces(7)).
fn known_places() -> Vec<Listening> {
    let mut places: Vec<PathBuf> = AT_ROOT.iter().map(PathBuf::from).collect();
    if let Some(runtime) = std::env::var_os("XDG_RUNTIME_DIR") {
        places.extend(AT_RUNTIME.iter().map(|place| Path::new(&runtime).join(place)));
    }
    if let Some(home) = std::env::home_dir() {
        places.extend(AT_HOME.iter().map(|place| home.join(place)));
    }
    let known = |place: PathBuf| {
        let speaks = if place.exists() { Speaks::Unasked } else { Speaks::Other("not there") };
        Listening { endpoint: Endpoint::Unix(place), owner: String::new(), speaks }
    };
    places.into_iter().map(known).collect()
}

fn visible_name(endpoint: &Endpoint) -> String {
    plain(&endpoint.to_string())
}

/// Names and answers of others, without what a terminal would obey.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::listening;

    #[test]
    fn the_kernels_table_is_read() {
        let table = b"Num       RefCount Protocol Flags    Type St Inode Path\n\
            0000000000000000: 00000002 00000000 00010000 0001 01 12345 /run/with space.sock\n\
            0000000000000000: 00000002 00000000 00010000 0001 01 12351 @no\xfftext\n\
            0000000000000000: 00000002 00000000 00010000 0001 01 12346 @name\n\
            0000000000000000: 00000003 00000000 00000000 0001 03 12347 /run/connected.sock\n\
            0000000000000000: 00000002 00000000 00000000 0002 01 12348 /run/datagrams.sock\n\
            0000000000000000: 00000002 00000000 00010000 0005 01 12349 /run/packets.sock\n\
            0000000000000000: 00000003 00000000 00000000 0001 03 12350\n";
        let names: Vec<String> =
            listening(table).iter().map(|socket| socket.endpoint.to_string()).collect();
        assert_eq!(
            names,
            ["unix:///run/with space.sock", "unix://@no\u{fffd}text", "unix://@name"]
        );
    }
}
