//! Where `demo`, `tap`, `guard` and `replay` listen.

use crate::args::given::Given;
use crate::console::unbuffered;
use std::ffi::OsStr;
use std::io;
use std::path::{self, PathBuf};
use unix_http::base::random::random_token;
use unix_http::transport::{Admission, Endpoint, Listener, PrivateDir};

/// Binds to `--listen` with `--mode` and `--allow-remote`, or takes stdin if it is a listening
/// socket, as with systemd's `StandardInput=socket`. Without `--listen` the socket is in a private
/// directory, which is removed when the first value is dropped.
pub fn listener(given: &Given) -> Result<(Option<PrivateDir>, Listener), String> {
    let octal = |text: &OsStr| text.to_str().and_then(|text| u32::from_str_radix(text, 8).ok());
    let mode = given.value("mode").map_or(Some(0o600), octal).filter(|mode| *mode <= 0o777);
    let mode = mode.ok_or("--mode: needs an octal number up to 777")?;
    let remote = given.has("allow-remote");
    let admission = Admission::default().mode(mode).beyond_loopback(remote);
    let (endpoint, directory) = match given.value("listen") {
        Some(text) if text == "fd:0" => {
            let listener = unbuffered(io::stdin()).and_then(Listener::inherit);
            return Ok((None, listener.map_err(|error| format!("--listen fd:0: {error}"))?));
        }
        Some(text) => (place(text)?, None),
        None => private_socket().map_err(|error| format!("no private directory: {error}"))?,
    };
    let listener = Listener::bind_for(&endpoint, admission).map_err(|error| match endpoint {
        Endpoint::Tcp { .. } if error.kind() == io::ErrorKind::InvalidInput && !remote => {
            format!("{error} (--allow-remote)")
        }
        _ => error.to_string(),
    })?;
    Ok((directory, listener))
}

/// Reads `--listen`. Unlike an endpoint to dial, it may be a bare file name, and port 0 is any free
/// port. A path becomes absolute: the endpoint is printed and exported.
pub fn place(text: &OsStr) -> Result<Endpoint, String> {
    let any_port = text.to_str().and_then(|text| text.strip_suffix(":0"));
    let endpoint = match any_port.map(|host| Endpoint::parse(format!("{host}:1"))) {
        Some(Ok(Endpoint::Tcp { host, .. })) => return Ok(Endpoint::Tcp { host, port: 0 }),
        _ if !text.is_empty() && !text.as_encoded_bytes().contains(&b':') => {
            Ok(Endpoint::Unix(text.into()))
        }
        _ => Endpoint::parse(text),
    };
    match endpoint {
        Ok(Endpoint::Unix(path)) => {
            path::absolute(&path).map(Endpoint::Unix).map_err(|error| format!("--listen: {error}"))
        }
        Ok(endpoint) => Ok(endpoint),
        Err(error) => {
            let text = text.to_string_lossy();
            let host = if text.starts_with(':') { "127.0.0.1" } else { "" };
            let meant = format!("tcp://{host}{text}");
            Err(match Endpoint::parse(&meant) {
                Ok(_) => format!("{error}; did you mean {meant}?"),
                Err(_) => error.to_string(),
            })
        }
    }
}

/// Returns a place for a socket, in a private directory of this user. Its path has at most 107
/// bytes, since other programs cannot dial a longer one (unix(7)).
fn private_socket() -> io::Result<(Endpoint, Option<PrivateDir>)> {
    const NAMES: usize = "/.ucurl-0123456789abcdef/docker.sock".len();
    let runtime_dir = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let mut parents = runtime_dir.into_iter().chain([std::env::temp_dir()]);
    let fits = |dir: &PathBuf| dir.is_dir() && dir.as_os_str().len() + NAMES <= 107;
    let directory = PrivateDir::new_in(parents.find(fits).unwrap_or("/tmp".into()))?;
    Ok((Endpoint::Unix(directory.path().join("docker.sock")), Some(directory)))
}

/// Returns a listener for this process. On Linux it has an abstract name, which leaves nothing
/// behind when this process is killed, elsewhere a private directory.
pub fn private_listener(name: &str) -> io::Result<(Option<PrivateDir>, Listener)> {
    if cfg!(any(target_os = "linux", target_os = "android")) {
        let name = format!("{name}-{}", random_token()).into_bytes();
        return Ok((None, Listener::bind(&Endpoint::Abstract(name))?));
    }
    let (endpoint, directory) = private_socket()?;
    Ok((directory, Listener::bind(&endpoint)?))
}
