//! The container or exec that a path names, and the engine's facts about it.
//!
//! ```text
//! /containers/ID/attach?stdin=1    GET /containers/ID/json    Config.Tty
//! /containers/ID/logs
//! /exec/ID/start                   GET /exec/ID/json          ProcessConfig.tty, OpenStdin
//! ```
//!
//! Only `Config.Tty` and `ProcessConfig.tty` say for certain whether the output comes in frames
//! (Docker Engine API v1.41, POST `/containers/{id}/attach`).

use std::time::Duration;
use unix_http::json::Value;
use unix_http::{Client, Timeouts};

/// A container or an exec, by its path in the API. A fact that is not known is `None`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerRef {
    /// Up to the ID.
    pub path: String,
    pub is_exec: bool,
    /// Whether its stdin is attached: `stdin` in the query of an attach. Only the engine knows it
    /// for an exec.
    pub stdin: Option<bool>,
    /// Whether it has a terminal. Only the engine knows it.
    pub terminal: Option<bool>,
}

/// The engine can resize a window only once the process runs, which may be shortly after the 101.
/// Try `n` waits `n` times this long.
const WAIT: Duration = Duration::from_millis(10);
const TRIES: u32 = 20;

impl ContainerRef {
    /// Finds a container or an exec in a path and a query.
    pub fn of(path: &str, query: &str) -> Option<ContainerRef> {
        let (at, is_exec) = match (path.find("/containers/"), path.find("/exec/")) {
            (Some(at), _) => (at + "/containers/".len(), false),
            (None, Some(at)) => (at + "/exec/".len(), true),
            (None, None) => return None,
        };
        let id = path[at..].split('/').next().filter(|id| !id.is_empty())?;
        let mut asked = query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        let stdin = match asked.find(|(name, _)| *name == "stdin") {
            // Docker reads these words as false.
            Some((_, value)) => !matches!(value, "" | "0" | "no" | "false" | "none"),
            // Podman's own API attaches to everything by default.
            None => path.contains("/libpod/"),
        };
        let path = path[..at + id.len()].to_owned();
        Some(ContainerRef { path, is_exec, stdin: (!is_exec).then_some(stdin), terminal: None })
    }

    /// Asks the engine for the facts that the path does not tell.
    pub fn inspect(&mut self, client: &Client, limits: Timeouts) {
        let asked = client.get(&[&self.path, "/json"].concat()).timeouts(limits).send();
        let response = asked.ok().filter(|response| response.is_success());
        let value = response.and_then(|response| Value::parse(&response.bytes().ok()?).ok());
        let at = |pointer| value.as_ref()?.pointer(pointer)?.as_bool();
        match self.is_exec {
            true => (self.terminal, self.stdin) = (at("/ProcessConfig/tty"), at("/OpenStdin")),
            false => self.terminal = at("/Config/Tty"),
        }
    }

    /// Sets the size of its window. As with the docker command, a failure is ignored.
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
