//! The engines the tests may use, each spoken to by ucurl and by the docker command; and containers
//! on them.

use super::child::{Ended, run, ucurl};
use super::live::Live;
use super::{fake::url, needs};
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// No command of these tests takes longer, on a machine that has much else to do.
pub const LIMIT: Duration = Duration::from_secs(120);

/// A dockerd, or podman's service.
pub struct Engine {
    pub is_docker: bool,
    pub name: &'static str,
    socket: PathBuf,
}

/// All there are; the docker command has to be there too.
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
    /// `ucurl -sS`, which finds this engine as the docker command does.
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
        // The builder that both engines have.
        command.env("DOCKER_BUILDKIT", "0").args(arguments);
        command
    }

    /// Runs ucurl to its end.
    #[track_caller]
    pub fn ask(&self, arguments: &[&str], stdin: &[u8]) -> Ended {
        run(&mut self.ucurl(arguments), stdin, LIMIT)
    }

    /// Runs the docker command to its end.
    #[track_caller]
    pub fn cli(&self, arguments: &[&str], stdin: &[u8]) -> Ended {
        run(&mut self.docker(arguments), stdin, LIMIT)
    }

    /// What ucurl prints, without its line end.
    #[track_caller]
    pub fn says(&self, arguments: &[&str]) -> String {
        self.ask(arguments, b"").success().trim_end().to_owned()
    }

    /// A name that nothing else has.
    pub fn unused_name(&self) -> String {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        format!("uh-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
    }

    /// Makes a container of the image `busy`; `fields` are more of the JSON.
    #[track_caller]
    pub fn container(&self, fields: &str) -> Container<'_> {
        let container = Container { engine: self, name: self.unused_name() };
        let json = format!(r#"{{"Image":"busy","HostConfig":{{"NetworkMode":"none"}},{fields}}}"#);
        let create = format!("/containers/create?name={}", container.name);
        let id = self.says(&["-f", "--json", &json, "--select", "/Id", &create]);
        assert_eq!(id.len(), 64, "{id}");
        container
    }

    /// One that runs until the test is over.
    #[track_caller]
    pub fn sleeper(&self) -> Container<'_> {
        let container = self.container(r#""Cmd":["sleep","300"]"#);
        container.start();
        container
    }
}

/// A container that is gone when the test is.
pub struct Container<'e> {
    pub engine: &'e Engine,
    pub name: String,
}

impl Container<'_> {
    /// A path of the API below this container.
    pub fn path(&self, rest: &str) -> String {
        format!("/containers/{}{rest}", self.name)
    }

    #[track_caller]
    pub fn start(&self) {
        assert_eq!(self.engine.says(&["-f", "-X", "POST", &self.path("/start")]), "");
    }

    /// Waits until it ends; its exit code.
    #[track_caller]
    pub fn wait(&self) -> String {
        self.engine.says(&["-f", "-X", "POST", "--select", "/StatusCode", &self.path("/wait")])
    }

    /// `ucurl --hijack` to this container, whose output will all come: nothing is started yet.
    #[track_caller]
    pub fn attach(&self, arguments: &[&str], query: &str) -> Live {
        let attach = self.path(&format!("/attach?stream=1&{query}"));
        Live::start_ucurl(self.engine.ucurl(&["--hijack", &attach]).args(arguments))
    }

    /// Makes an exec; its ID.
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
