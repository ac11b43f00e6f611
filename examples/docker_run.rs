//! # Lesson 12: `docker run` in HTTP
//!
//! Goal: put it all together, and write `docker run` in seven requests.
//!
//! The numbers in the source are those of the requests.
//!
//! ```console engine
//! $ cargo run -q --example docker_run -- --rm --network none busybox echo hello
//! hello
//! $ echo hello | cargo run -q --example docker_run -- --rm -i --network none busybox \
//!     sh -c 'cat; echo the end'
//! hello
//! the end
//! $ cargo run -q --example docker_run -- --rm --network none busybox \
//!     sh -c 'echo out; echo err >&2; exit 3' 2>/dev/null; echo "exit code $?"
//! out
//! exit code 3
//! $ cargo run -q --example docker_run -- --rm --network none busybox no-such-program; \
//!     echo "exit code $?"
//! docker_run: …no-such-program…
//! exit code 127
//! ```
//!
//! The options are those of `docker run`: `--rm`, `-i`, `--name NAME`, `--network NETWORK`. If the
//! image is missing, the program pulls it. It asks the engine that the `docker` command would ask.
//!
//! The order matters. The attach comes before the start, or the first lines would be lost. The
//! start comes before the input is sent, because nothing reads it earlier. The wait comes last,
//! when the output has ended: its response is the exit code.
//!
//! Look at:
//!
//! 1. `fn options`: the JSON of a container. `StdinOnce` closes the container's input with ours.
//! 2. `fn pull`: an error after the status arrives inside the 200, as in lesson 10.
//! 3. `NOT_FOUND`: `docker run` exits with the code that a shell would use.
//!
//! Read: Docker Engine API v1.41, the requests by name; RFC 9110 §7.8 (Upgrade), §15.5.5 (404).
//!
//! Exercise: add the option `-e NAME=VALUE`, any number of times. Then compare with the original:
//! `ucurl tap --brief -- docker run --rm busybox true` shows the requests of the docker command.
//!
//! Hint: the member `Env` of the create request is an array of such strings.

use std::env;
use std::error::Error;
use std::io::{self, BufRead, BufReader, stderr, stdin, stdout};
use std::net::Shutdown;
use std::process::ExitCode;
use std::thread;
use unix_http::Client;
use unix_http::docker::{self, Demux, Engine};
use unix_http::json::Value;

/// Exit codes for a container that cannot run: 125 is docker's, the others are those of a shell.
const ENGINE_FAILED: u8 = 125;
const CANNOT_BE_INVOKED: u8 = 126;
const NOT_FOUND: u8 = 127;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    match Run::from_args().and_then(|run| run.run()) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("docker_run: {error}");
            ExitCode::from(ENGINE_FAILED)
        }
    }
}

struct Run {
    client: Client,
    remove: bool,
    interactive: bool,
    name: Option<String>,
    network: String,
    image: String,
    command: Vec<String>,
}

impl Run {
    fn from_args() -> Result<Run> {
        let client = Engine::from_env()?.client().clone();
        let (mut remove, mut interactive, mut name, mut network) =
            (false, false, None, String::from("default"));
        let mut args = env::args().skip(1);
        let image = loop {
            let arg = args.next().ok_or(
                "docker_run [--rm] [-i] [--name NAME] [--network NETWORK] IMAGE [COMMAND...]",
            )?;
            match arg.as_str() {
                "--rm" => remove = true,
                "-i" => interactive = true,
                "--name" => name = args.next(),
                "--network" => network = args.next().ok_or("--network needs a value")?,
                option if option.starts_with('-') => {
                    return Err(format!("{option} is left as an exercise").into());
                }
                _ => break arg,
            }
        };
        Ok(Run { client, remove, interactive, name, network, image, command: args.collect() })
    }

    fn run(&self) -> Result<u8> {
        let id = self.create()?;
        let code = self.attach_and_start(&id);
        if self.remove {
            // 7. Remove the container and its volumes. `force` ends it first if it still runs.
            drop(docker::ok(self.client.delete(&format!("/containers/{id}?force=1&v=1")).send()?)?);
        }
        code
    }

    fn create(&self) -> Result<String> {
        let target = match &self.name {
            Some(name) => format!("/containers/create?name={name}"),
            None => "/containers/create".into(),
        };
        // 1. Create the container. It has no process yet.
        let mut created = self.client.post(&target).json(self.options()).send()?;
        if created.status() == 404 {
            eprintln!("Unable to find image '{}' locally", self.image);
            self.pull()?;
            created = self.client.post(&target).json(self.options()).send()?;
        }
        let created = docker::ok(created)?.json()?;
        created.get("Id").and_then(Value::as_str).map(String::from).ok_or("no Id".into())
    }

    /// Returns the JSON that describes the container, as the docker command writes it.
    fn options(&self) -> String {
        let command =
            if self.command.is_empty() { Value::Null } else { self.command.clone().into() };
        let (image, network) = (Value::from(&self.image), Value::from(&self.network));
        let stdin = self.interactive;
        format!(
            r#"{{"Image":{image},"Cmd":{command},"HostConfig":{{"NetworkMode":{network}}},
                "AttachStdin":{stdin},"AttachStdout":true,"AttachStderr":true,
                "OpenStdin":{stdin},"StdinOnce":{stdin}}}"#
        )
    }

    fn pull(&self) -> Result<()> {
        // 2. Pull the image, if it is missing. Errors arrive inside the 200.
        let tagged = self.image.rsplit('/').next().is_some_and(|last| last.contains([':', '@']));
        let tag = if tagged { "" } else { "&tag=latest" };
        let create = format!("/images/create?fromImage={}{tag}", self.image);
        let progress = docker::ok(self.client.post(&create).send()?)?;
        for line in progress.lines() {
            let message = Value::parse(line?.as_bytes())?;
            if let Some(error) = message.get("error").and_then(Value::as_str) {
                return Err(error.into());
            }
        }
        Ok(())
    }

    fn attach_and_start(&self, id: &str) -> Result<u8> {
        // 3. Attach: this connection will carry stdin, stdout and stderr. HTTP ends with a 101.
        let stdin_too = if self.interactive { "&stdin=1" } else { "" };
        let attach = format!("/containers/{id}/attach?stream=1&stdout=1&stderr=1{stdin_too}");
        let attached = docker::ok(self.client.post(&attach).upgrade("tcp").send()?)?;
        let attached = attached.into_upgraded().map_err(|_| "the connection stays HTTP")?;
        let (from, mut to) = attached.split()?;

        // 4. Start the process. 204: it runs.
        let started = self.client.post(&format!("/containers/{id}/start")).send()?;
        if let Err(error) = docker::ok(started) {
            let why = error.to_string();
            eprintln!("docker_run: {why}");
            let says = |text| why.contains(text);
            return Ok(if says("executable file not found") || says("no such file or directory") {
                NOT_FOUND
            } else if says("permission denied") || says("is a directory") {
                CANNOT_BE_INVOKED
            } else {
                ENGINE_FAILED
            });
        }

        // 5. Copy in both directions at once. The end of stdin is a half-close.
        if self.interactive {
            thread::spawn(move || {
                let _ = io::copy(&mut stdin(), &mut to);
                let _ = to.shutdown(Shutdown::Write);
            });
        }
        Demux::new(BufReader::new(from)).copy_to(&mut stdout(), &mut stderr())?;

        // 6. Wait for the exit code. The head of the response arrives at once, the content when the
        //    container has ended.
        let ended =
            docker::ok(self.client.post(&format!("/containers/{id}/wait")).send()?)?.json()?;
        let code = ended.get("StatusCode").and_then(Value::as_i64).ok_or("no StatusCode")?;
        Ok(u8::try_from(code)?)
    }
}
