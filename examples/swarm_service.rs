//! # Lesson 18: a service on a cluster
//!
//! Goal: speak to a cluster through the same socket, and change what others may be changing too.
//!
//! When one machine is not enough, Docker engines form a *swarm*. You do not create containers
//! then. You describe a *service*, "three of these", and the swarm keeps three *tasks* running on
//! its machines. The socket is the same, and so is the HTTP.
//!
//! ```console docker
//! $ ucurl -sSf -o /dev/null /swarm/init \
//!     --json '{"ListenAddr":"127.0.0.1:0","AdvertiseAddr":"127.0.0.1"}'
//! $ ucurl -s /services/create --json @- <<'END'
//! {
//!     "Name": "course-web",
//!     "Mode": { "Replicated": { "Replicas": 1 } },
//!     "TaskTemplate": { "ContainerSpec": {
//!         "Image": "busybox",
//!         "Env": ["SLOT={{.Task.Slot}}"],
//!         "Command": ["sh", "-c", "echo task $SLOT is up; sleep 600"]
//!     } }
//! }
//! END
//! {"ID":"…"}
//! $ cargo run -q --example swarm_service -- course-web 3
//! version …: 1 → 3 replicas
//! task …: running
//! task …: running
//! task …: running
//! $ LOG='/services/course-web/logs?stdout=1'
//! $ until [ "$(ucurl -s --demux "$LOG" | wc -l)" = 3 ]; do sleep 0.2; done
//! $ ucurl -s --demux "$LOG" | sort
//! task 1 is up
//! task 2 is up
//! task 3 is up
//! $ ucurl -s -X DELETE /services/course-web
//! $ ucurl -s -X POST '/swarm/leave?force=1'
//! ```
//!
//! The first command turns this engine into a swarm of one machine; the last one ends it. Do not
//! try it on an engine that belongs to a swarm already. The demo has no swarm. Arguments of the
//! program: a service, and the number of replicas. The image `busybox` has to be there (`docker
//! pull busybox`). The log holds the lines of all replicas, with the frames of lesson 9.
//!
//! An update sends the whole description of the service, not the change. Two clients that read,
//! change and write at the same time could undo each other's work. So every version has a number,
//! the update states which version it changes, and the engine refuses an update of an old one. This
//! is called *read-modify-write*, and HTTP has it as `ETag` and `If-Match`.
//!
//! Look at:
//!
//! 1. `pointer_mut`: changes one number, and keeps every member that this program does not know.
//! 2. `update?version=`: the number of the version that was read.
//! 3. `out of sequence`: another client was faster. Read again, and change that.
//!
//! Read: Docker Engine API v1.41 `POST /services/{id}/update`; RFC 9110 §13.1.1 (If-Match), §8.8.3
//! (ETag).
//!
//! Exercise: send two updates that state the same version. What does the engine answer to the
//! second one?
//!
//! Hint: no Rust is needed. `ucurl --select /Spec` prints the description, `--select
//! /Version/Index` the number.

use std::error::Error;
use std::process::exit;
use std::thread;
use std::time::{Duration, Instant};
use unix_http::Client;
use unix_http::docker::{self, Engine};
use unix_http::json::Value;

/// The time that the tasks have to run.
const PATIENCE: Duration = Duration::from_secs(60);

fn main() {
    if let Err(error) = scale() {
        eprintln!("swarm_service: {error}");
        exit(1);
    }
}

fn scale() -> Result<(), Box<dyn Error>> {
    let usage = "usage: swarm_service SERVICE REPLICAS";
    let service = std::env::args().nth(1).ok_or(usage)?;
    let replicas: u64 = std::env::args().nth(2).ok_or(usage)?.parse()?;
    let engine = Engine::from_env()?;
    let client = engine.client();

    while !update(client, &service, replicas)? {}

    let end = Instant::now() + PATIENCE;
    loop {
        let running = running(client, &service)?;
        if running.len() as u64 == replicas {
            running.iter().for_each(|id| println!("task {id}: running"));
            return Ok(());
        }
        if Instant::now() > end {
            return Err(format!("{} of {replicas} tasks run", running.len()).into());
        }
        thread::sleep(Duration::from_millis(100));
    }
}

/// Reads the service, changes one number, and writes all of it. Returns false if another client has
/// changed the service in the meantime.
fn update(client: &Client, service: &str, replicas: u64) -> Result<bool, Box<dyn Error>> {
    let read = docker::ok(client.get(&format!("/services/{service}")).send()?)?.json()?;
    let version = read.pointer("/Version/Index").and_then(Value::as_u64).ok_or("no version")?;
    let mut spec = read.get("Spec").ok_or("no Spec")?.clone();
    let number = spec.pointer_mut("/Mode/Replicated/Replicas").ok_or("not a replicated service")?;
    println!("version {version}: {number} → {replicas} replicas");
    *number = replicas.into();

    let target = format!("/services/{service}/update?version={version}");
    let written = docker::ok(client.post(&target).json(spec.to_string()).send()?);
    match written {
        Err(error) if error.to_string().contains("out of sequence") => Ok(false),
        written => Ok(written.map(|_| true)?),
    }
}

/// Returns the ids of the service's tasks that run.
fn running(client: &Client, service: &str) -> Result<Vec<String>, Box<dyn Error>> {
    let filters = format!(r#"{{"service":[{}]}}"#, Value::from(service));
    let tasks = docker::ok(client.get("/tasks").query("filters", filters).send()?)?.json()?;
    let state =
        |task: &&Value| task.pointer("/Status/State").and_then(Value::as_str) == Some("running");
    let id = |task: &Value| task.get("ID").and_then(Value::as_str).map(String::from);
    Ok(tasks.elements().iter().filter(state).filter_map(id).collect())
}
