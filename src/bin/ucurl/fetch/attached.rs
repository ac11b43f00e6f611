//! The other end of a raw connection: the container or the exec that a path names, and what the
//! engine knows of it.
//!
//! ```text
//! /containers/ID/attach?stdin=1    GET /containers/ID/json    Config.Tty
//! /containers/ID/logs
//! /exec/ID/start                   GET /exec/ID/json          ProcessConfig.tty, OpenStdin
//! ```
//!
//! `Config.Tty` and `ProcessConfig.tty` are the only certain answer to whether there are frames
//! (Docker Engine API v1.41, POST `/containers/{id}/attach`).

use std::time::Duration;
use unix_http::json::Value;
use unix_http::{Client, Timeouts};

/// A container or an exec, by the path that stands before what is done with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attached {
    path: String,
    exec: bool,
    /// `stdin` in an attach's query.
    asks_for_stdin: bool,
}

/// What the engine says of it; `None` where it says nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Inspected {
    pub terminal: Option<bool>,
    /// Whether what is sent reaches its stdin.
    pub stdin: Option<bool>,
}

/// A window's size can be set only once the process runs, which may be a little after the 101: so
/// often, and with this wait times the number of the try, it is tried again.
const TRIES: u32 = 20;
const WAIT: Duration = Duration::from_millis(10);

impl Attached {
    /// What a path and its query name; `None` for neither a container nor an exec.
    pub fn of(path: &str, query: &str) -> Option<Attached> {
        let (at, exec) = match (path.find("/containers/"), path.find("/exec/")) {
            (Some(at), _) => (at + "/containers/".len(), false),
            (None, Some(at)) => (at + "/exec/".len(), true),
            (None, None) => return None,
        };
        let id = path[at..].split('/').next().filter(|id| !id.is_empty())?;
        let mut asked = query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        let asks_for_stdin = match asked.find(|(name, _)| *name == "stdin") {
            // The words that Docker takes for no.
            Some((_, value)) => !matches!(value, "" | "0" | "no" | "false" | "none"),
            // Podman's own API attaches to everything unless told otherwise.
            None => path.contains("/libpod/"),
        };
        Some(Attached { path: path[..at + id.len()].to_owned(), exec, asks_for_stdin })
    }

    /// Whether the engine has to be asked who reads stdin: an attach says it itself.
    pub fn is_exec(&self) -> bool {
        self.exec
    }

    /// Asks the engine.
    pub fn inspect(&self, client: &Client, limits: Timeouts) -> Inspected {
        let asked = client.get(&[&self.path, "/json"].concat()).timeouts(limits).send();
        let body = asked
            .ok()
            .filter(|response| response.is_success())
            .and_then(|response| response.bytes().ok());
        let value = body.and_then(|body| Value::parse(&body).ok());
        let at = |names: &[&str]| {
            names.iter().try_fold(value.as_ref()?, |value, name| value.get(name))?.as_bool()
        };
        match self.exec {
            true => {
                Inspected { terminal: at(&["ProcessConfig", "tty"]), stdin: at(&["OpenStdin"]) }
            }
            false => Inspected { terminal: at(&["Config", "Tty"]), stdin: self.stdin() },
        }
    }

    /// What the path alone tells.
    pub fn stdin(&self) -> Option<bool> {
        (!self.exec).then_some(self.asks_for_stdin)
    }

    /// Tells it the size of its window. Where that fails it keeps the one it has, as with the
    /// docker command.
    pub fn resize(&self, client: &Client, rows: u16, columns: u16) {
        let target = format!("{}/resize?h={rows}&w={columns}", self.path);
        for number in 0..TRIES {
            std::thread::sleep(WAIT * number);
            if client.post(&target).send().is_ok_and(|response| response.is_success()) {
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Attached;

    #[test]
    fn paths_name_containers_and_execs() {
        let of = |path, query| {
            Attached::of(path, query).map(|it| (it.path.clone(), it.is_exec(), it.stdin()))
        };
        let container = |path: &str, stdin| Some((path.to_owned(), false, Some(stdin)));
        assert_eq!(
            of("/containers/a/attach", "stream=1&stdin=1"),
            container("/containers/a", true)
        );
        assert_eq!(
            of("/v1.41/containers/a/attach", "stdin=true"),
            container("/v1.41/containers/a", true)
        );
        assert_eq!(
            of("/containers/a/attach", "stdin=false&stdout=1"),
            container("/containers/a", false)
        );
        assert_eq!(of("/containers/a/attach", "stdin="), container("/containers/a", false));
        assert_eq!(
            of("/v4/libpod/containers/a/attach", "logs=1"),
            container("/v4/libpod/containers/a", true)
        );
        assert_eq!(of("/containers/a/logs", ""), container("/containers/a", false));
        assert_eq!(of("/exec/e1/start", ""), Some(("/exec/e1".into(), true, None)));
        for path in ["/session", "/grpc", "/containers/", "/exec/"] {
            assert_eq!(of(path, ""), None, "{path}");
        }
    }
}
