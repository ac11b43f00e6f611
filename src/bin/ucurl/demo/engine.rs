//! What the engine knows: images, containers, processes, events. One lock around all of it, one
//! condition for every change.

use super::files::{File, Files, Kind, plain};
use super::process::{Process, Status};
use super::reply::Fault;
use super::{images, text, time};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};
use unix_http::docker::sha256_hex;

/// How many events are kept for those who ask later, as dockerd does.
const EVENTS: usize = 256;
/// How many ended containers are remembered, for those who wait for them.
const ENDED: usize = 256;

pub struct Engine {
    state: Mutex<State>,
    changed: Condvar,
}

pub struct State {
    serial: u64,
    pub images: Vec<Image>,
    pub containers: Vec<Container>,
    pub execs: Vec<Exec>,
    pub processes: BTreeMap<u64, Process>,
    pub events: VecDeque<Event>,
    /// How many events there have been.
    pub event_count: u64,
    /// Containers that are gone, and how they ended.
    pub ended: VecDeque<(String, i64)>,
}

pub struct Image {
    /// `sha256:` and 64 digits.
    pub id: String,
    /// `repository:tag`
    pub tags: Vec<String>,
    pub created: SystemTime,
    pub command: Command,
    pub files: Files,
}

/// What is run, and with what.
#[derive(Clone, Default)]
pub struct Command {
    pub entrypoint: Vec<String>,
    pub cmd: Vec<String>,
    pub env: Vec<String>,
    pub labels: Vec<(String, String)>,
    pub directory: String,
}

pub struct Container {
    pub id: String,
    pub name: String,
    pub created: SystemTime,
    /// As it was asked for.
    pub image: String,
    pub image_id: String,
    pub command: Command,
    pub tty: bool,
    pub open_stdin: bool,
    pub stdin_once: bool,
    /// AttachStdin, AttachStdout, AttachStderr.
    pub attach: [bool; 3],
    pub auto_remove: bool,
    pub network: String,
    pub process: u64,
    pub files: Files,
}

pub struct Exec {
    pub id: String,
    pub container: String,
    pub argv: Vec<String>,
    pub env: Vec<String>,
    pub tty: bool,
    /// Of stdin, stdout, stderr.
    pub attach: [bool; 3],
    pub process: u64,
}

pub struct Event {
    pub time: SystemTime,
    pub kind: &'static str,
    pub action: String,
    pub id: String,
    pub attributes: Vec<(String, String)>,
    pub line: String,
}

impl Engine {
    pub fn new() -> Engine {
        let mut state = State {
            serial: 0,
            images: Vec::new(),
            containers: Vec::new(),
            execs: Vec::new(),
            processes: BTreeMap::new(),
            events: VecDeque::new(),
            event_count: 0,
            ended: VecDeque::new(),
        };
        for name in ["hello-world", "busybox"] {
            state.images.extend(published(name, "latest"));
        }
        Engine { state: Mutex::new(state), changed: Condvar::new() }
    }

    /// A thread that panicked has not left the state half changed: nothing here panics while it
    /// holds the lock.
    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells everybody who waits that something has changed.
    pub fn notify(&self) {
        self.changed.notify_all();
    }

    /// Waits for a change, no longer than `limit`.
    pub fn wait<'a>(&self, state: MutexGuard<'a, State>, limit: Duration) -> MutexGuard<'a, State> {
        self.changed.wait_timeout(state, limit).unwrap_or_else(PoisonError::into_inner).0
    }
}

impl State {
    /// The same number of the same kind is always the same id, so that a test can be repeated.
    pub fn new_id(&mut self, kind: &str) -> String {
        self.serial += 1;
        sha256_hex([kind, " ", &self.serial.to_string()].concat().as_bytes())
    }

    pub fn new_process(&mut self, process: Process) -> u64 {
        self.serial += 1;
        self.processes.insert(self.serial, process);
        self.serial
    }

    /// A container by its id, its name or the beginning of its id.
    pub fn container(&self, name: &str) -> Result<usize, Fault> {
        let plain = name.strip_prefix('/').unwrap_or(name);
        let exact = self.containers.iter().position(|c| c.id == plain || c.name == plain);
        let begins = || {
            let mut found =
                (0..self.containers.len()).filter(|&i| self.containers[i].id.starts_with(plain));
            found.next().filter(|_| !plain.is_empty() && found.next().is_none())
        };
        exact.or_else(begins).ok_or_else(|| Fault::told(404, &["No such container: ", name]))
    }

    /// A container's main process.
    pub fn process_of(&self, container: usize) -> &Process {
        // A container's process is removed with it.
        static NONE: Process = Process::NONE;
        self.processes.get(&self.containers[container].process).unwrap_or(&NONE)
    }

    pub fn is_running(&self, container: usize) -> bool {
        self.process_of(container).status == Status::Running
    }

    /// An image by one of its names, its id or the beginning of its id.
    pub fn image(&self, name: &str) -> Option<usize> {
        let (repository, tag) = split_reference(name);
        let full = [&repository, ":", &tag].concat();
        let digits = name.strip_prefix("sha256:").unwrap_or(name);
        let by_id =
            |image: &Image| digits.len() >= 3 && image.id["sha256:".len()..].starts_with(digits);
        let tagged = self.images.iter().position(|image| image.tags.contains(&full));
        tagged.or_else(|| self.images.iter().position(by_id))
    }

    /// Gives an image a name, and takes it from the image that had it.
    pub fn tag(&mut self, image: usize, name: &str) {
        let (repository, tag) = split_reference(name);
        let full = [&repository, ":", &tag].concat();
        for other in &mut self.images {
            other.tags.retain(|name| *name != full);
        }
        self.images[image].tags.push(full);
    }

    pub fn emit(
        &mut self,
        kind: &'static str,
        action: &str,
        id: &str,
        mut attributes: Vec<(String, String)>,
    ) {
        attributes.sort_unstable();
        let now = SystemTime::now();
        let (seconds, nanos) = (time::unix(now).0.to_string(), time::nanos(now));
        let image = attributes.iter().find(|(name, _)| name == "image" && kind == "container");
        let from = image
            .map(|(_, image)| [r#""from":"#, &text::string(image), ","].concat())
            .unwrap_or_default();
        let line = text::fill(
            include_str!("event.json"),
            &[
                ("action", &text::string(action)),
                ("id", &text::string(id)),
                ("from", &from),
                ("kind", &text::string(kind)),
                ("attributes", &text::object(&attributes)),
                ("seconds", &seconds),
                ("nanos", &nanos),
            ],
        );
        self.events.push_back(Event {
            time: now,
            kind,
            action: action.into(),
            id: id.into(),
            attributes,
            line,
        });
        self.event_count += 1;
        if self.events.len() > EVENTS {
            self.events.pop_front();
        }
    }

    /// An event of a container, with attributes besides its image, name and labels.
    pub fn emit_container(&mut self, container: usize, action: &str, more: &[(&str, &str)]) {
        let container = &self.containers[container];
        let mut attributes = container.command.labels.clone();
        attributes.extend([
            ("image".into(), container.image.clone()),
            ("name".into(), container.name.clone()),
        ]);
        attributes.extend(more.iter().map(|(name, value)| ((*name).into(), (*value).into())));
        let id = container.id.clone();
        self.emit("container", action, &id, attributes);
    }

    pub fn emit_image(&mut self, action: &str, id: &str, name: &str) {
        self.emit("image", action, id, vec![("name".into(), name.into())]);
    }

    /// Takes a container away with all that belongs to it.
    pub fn remove(&mut self, container: usize) {
        self.emit_container(container, "destroy", &[]);
        let container = self.containers.remove(container);
        let mut gone = vec![container.process];
        self.execs.retain(|exec| {
            let stays = exec.container != container.id;
            if !stays {
                gone.push(exec.process);
            }
            stays
        });
        let code = self.processes.get(&container.process).map_or(0, Process::code);
        self.ended.push_back((container.id, code));
        if self.ended.len() > ENDED {
            self.ended.pop_front();
        }
        for process in gone {
            if let Some(process) = self.processes.get_mut(&process) {
                process.orphan = true;
            }
        }
        self.processes.retain(|_, process| process.is_wanted());
    }
}

/// `repository` and `tag` of a name, without the parts that Docker adds by itself.
pub fn split_reference(name: &str) -> (String, String) {
    let name = name.split('@').next().unwrap_or_default();
    let name = name.strip_prefix("docker.io/").unwrap_or(name);
    let name = name.strip_prefix("library/").unwrap_or(name);
    match name.rsplit_once(':') {
        Some((repository, tag)) if !tag.contains('/') => (repository.to_owned(), tag.to_owned()),
        _ => (name.to_owned(), "latest".to_owned()),
    }
}

/// An image that the demonstration's registry has.
pub fn published(repository: &str, tag: &str) -> Option<Image> {
    const PUBLISHED: u64 = 1_700_000_000;
    let mut files = Files::default();
    let mut command = Command::default();
    match repository {
        "hello-world" => {
            command.cmd.push("/hello".into());
            files.put(
                "hello",
                File { mode: 0o755, ..plain(*b"the program of hello-world\n", PUBLISHED) },
            );
        }
        "busybox" | "alpine" | "debian" | "ubuntu" => {
            command.cmd.push(if repository == "busybox" { "sh" } else { "/bin/sh" }.into());
            for name in ["bin", "etc", "root", "tmp"] {
                files.put(name, File { mode: 0o755, modified: PUBLISHED, kind: Kind::Directory });
            }
            for name in ["cat", "echo", "ls", "printf", "sh", "sleep"] {
                let content = ["the program ", name, " of the demonstration\n"].concat();
                files.put(
                    &["bin/", name].concat(),
                    File { mode: 0o755, ..plain(content.into_bytes(), PUBLISHED) },
                );
            }
            files.put(
                "etc/os-release",
                plain(["ID=", repository, "\n"].concat().into_bytes(), PUBLISHED),
            );
            files.put("etc/passwd", plain(*b"root:x:0:0:root:/root:/bin/sh\n", PUBLISHED));
        }
        _ => return None,
    }
    command.env.push("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".into());
    let created = SystemTime::UNIX_EPOCH + Duration::from_secs(PUBLISHED);
    let id = images::content_id(&command, &files);
    Some(Image { id, tags: vec![[repository, ":", tag].concat()], created, command, files })
}

#[cfg(test)]
mod tests {
    use super::{Engine, split_reference};

    #[test]
    fn references() {
        for (name, repository, tag) in [
            ("busybox", "busybox", "latest"),
            ("busybox:1", "busybox", "1"),
            ("docker.io/library/busybox:1", "busybox", "1"),
            ("localhost:5000/a", "localhost:5000/a", "latest"),
            ("localhost:5000/a:b@sha256:0", "localhost:5000/a", "b"),
        ] {
            assert_eq!(split_reference(name), (repository.into(), tag.into()), "{name}");
        }
        let engine = Engine::new();
        let state = engine.lock();
        let id = &state.images[1].id;
        for name in ["busybox", "docker.io/busybox:latest", id, &id[7..], &id[7..19], &id[..20]] {
            assert_eq!(state.image(name), Some(1), "{name}");
        }
        assert_eq!(state.image("busybox:nope"), None);
    }
}
