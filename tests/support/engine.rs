//! The engines that the tests may use, through ucurl and through the docker command, and containers
//! on them.

use super::child::{Ended, run, ucurl};
use super::live::Live;
use super::{fake::url, needs};
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// The time limit of each command, long enough for a busy machine.
pub const LIMIT: Duration = Duration::from_secs(120);

/// A dockerd, or a podman service.
pub struct Engine {
    pub is_docker: bool,
    pub name: &'static str,
    socket: PathBuf,
}

/// Returns all available engines. The docker command must be installed too.
pub fn engines() -> Vec<Engine> {
    let engine = |name, socket: Option<PathBuf>| {
        Some(Engine { is_docker: name == "dockerd", name, socket: socket? })
    };
    let all = [engine("dockerd", needs::docker()), engine("podman", needs::podman())];
    match needs::program("docker") {
        Some(_) => all.into_iter().flatten().collect(),
        None => Vec::new(),
    }
}

impl Engine {
    /// Returns `ucurl -sS`, which finds this engine as the docker command does.
    pub fn ucurl(&self, arguments: &[&str]) -> Command {
        let mut command = ucurl();
        command.env("DOCKER_HOST", url(&self.socket)).arg("-sS").args(arguments);
        command
    }

    pub fn docker(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("docker");
        command
            .env("DOCKER_HOST", url(&self.socket))
            .env_remove("DOCKER_CONTEXT")
            .env_remove("DOCKER_API_VERSION");
        // Both engines have this builder.
        command.env("DOCKER_BUILDKIT", "0").args(arguments);
        command
    }

    /// Runs ucurl.
    #[track_caller]
    pub fn ask(&self, arguments: &[&str], stdin: &[u8]) -> Ended {
        run(&mut self.ucurl(arguments), stdin, LIMIT)
    }

    /// Runs the docker command.
    #[track_caller]
    pub fn cli(&self, arguments: &[&str], stdin: &[u8]) -> Ended {
        run(&mut self.docker(arguments), stdin, LIMIT)
    }

    /// Returns the output of ucurl without its line end.
    #[track_caller]
    pub fn says(&self, arguments: &[&str]) -> String {
        self.ask(arguments, b"").success().trim_end().to_owned()
    }

    /// Returns a unique name.
    pub fn unused_name(&self) -> String {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        format!("uh-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
    }

    /// Creates a container of the image `busy`. `fields` are further members of the JSON.
    #[track_caller]
    pub fn container(&self, fields: &str) -> Container<'_> {
        let container = Container { engine: self, name: self.unused_name() };
        let json = format!(r#"{{"Image":"busy","HostConfig":{{"NetworkMode":"none"}},{fields}}}"#);
        let create = format!("/containers/create?name={}", container.name);
        let id = self.says(&["-f", "--json", &json, "--select", "/Id", &create]);
        assert_eq!(id.len(), 64, "{id}");
        container
    }

    /// Creates a container that runs until the test ends.
    #[track_caller]
    pub fn sleeper(&self) -> Container<'_> {
        let container = self.container(r#""Cmd":["sleep","300"]"#);
        container.start();
        container
    }
}

/// A container. Dropping it removes the container.
pub struct Container<'e> {
    pub engine: &'e Engine,
    pub name: String,
}

impl Container<'_> {
    /// Returns an API path below this container.
    pub fn path(&self, rest: &str) -> String {
        format!("/containers/{}{rest}", self.name)
    }

    #[track_caller]
    pub fn start(&self) {
        assert_eq!(self.engine.says(&["-f", "-X", "POST", &self.path("/start")]), "");
    }

    /// Waits until the container ends, and returns its exit code.
    #[track_caller]
    pub fn wait(&self) -> String {
        self.engine.says(&["-f", "-X", "POST", "--select", "/StatusCode", &self.path("/wait")])
    }

    /// Attaches `ucurl --hijack` to this container before it starts, so that no output is lost.
    #[track_caller]
    pub fn attach(&self, arguments: &[&str], query: &str) -> Live {
        let attach = self.path(&format!("/attach?stream=1&{query}"));
        Live::start_ucurl(self.engine.ucurl(&["--hijack", &attach]).args(arguments))
    }

    /// Creates an exec and returns its ID.
    #[track_caller]
    pub fn exec(&self, fields: &str) -> String {
        let json = format!(r#"{{"AttachStdout":true,"AttachStderr":true,{fields}}}"#);
        self.engine.says(&["-f", "--json", &json, "--select", "/Id", &self.path("/exec")])
    }
}

impl Drop for Container<'_> {
    fn drop(&mut self) {
        let remove = self.path("?force=1");
        let _ = self.engine.ucurl(&["-X", "DELETE", "-o", "/dev/null", &remove]).status();
    }
}
