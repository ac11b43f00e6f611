//! The state of the engine behind one lock: images, containers, execs and events.

use super::files::Files;
use super::prelude::*;
use super::process::{Process, Status, Watched};
use super::reference::{full_name, repository};
use std::collections::VecDeque;
use unix_http::docker::sha256_hex;

/// The number of past events that are kept, as in dockerd.
const EVENTS: usize = 256;

/// Docker's notation for a time that has not come.
const NEVER: &str = "0001-01-01T00:00:00Z";

pub type Engine = Mutex<State>;

#[derive(Default)]
pub struct State {
    serial: u64,
    pub images: Vec<Image>,
    pub containers: Vec<Arc<Task>>,
    pub execs: Vec<Arc<Task>>,
    pub log: Arc<Watched<Log>>,
}

/// The last events with their times, and the number of all events so far.
#[derive(Default)]
pub struct Log {
    pub events: VecDeque<(SystemTime, Value)>,
    pub count: usize,
}

/// A container or an exec: settings and a process.
pub struct Task {
    pub id: String,
    /// The ID of the container; of an exec, that of its container.
    pub container: String,
    /// Everything to show that does not depend on the process.
    pub shown: Mutex<Value>,
    pub process: Arc<Process>,
}

impl Task {
    /// Returns everything that lists, filters and inspect can show now. `View` has the values
    /// that inspect leaves out.
    pub fn view(&self) -> Value {
        let (run, mut view) = (self.process.run.get(), lock(&self.shown).clone());
        let moment = |time: Option<SystemTime>| time.map_or(NEVER.to_owned(), |t| rfc3339(t, 9));
        let ago = |time: Option<SystemTime>| {
            time.and_then(|time| time.elapsed().ok()).unwrap_or_default().as_secs()
        };
        let (state, status) = match run.status {
            Status::Created => ("created", "Created".to_owned()),
            Status::Running => ("running", format!("Up {} seconds", ago(run.started))),
            Status::Exited => {
                fill!(view, View.ExitCode: run.code);
                ("exited", format!("Exited ({}) {} seconds ago", run.code, ago(run.finished)))
            }
        };
        let is_running = run.status == Status::Running;
        fill!(view, State.Status: state, State.Running: is_running, State.ExitCode: run.code,
            State.Pid: i64::from(is_running), State.Error: &run.error, View.Status: status,
            State.StartedAt: moment(run.started), State.FinishedAt: moment(run.finished));
        view
    }

    pub fn is_exec(&self) -> bool {
        self.id != self.container
    }

    /// Returns the name of a container.
    pub fn name(&self) -> String {
        text(&lock(&self.shown), "/Name").trim_start_matches('/').to_owned()
    }
}

#[derive(Clone)]
pub struct Image {
    pub id: String,
    /// `repository:tag` and `repository@digest`
    pub names: Vec<String>,
    pub parent: String,
    pub created: SystemTime,
    pub config: Value,
    pub files: Files,
}

impl Image {
    pub fn new(config: Value, files: Files, parent: &str) -> Image {
        let created = SystemTime::now();
        let seed = format!("{parent} {} {config}", rfc3339(created, 9));
        let id = format!("sha256:{}", sha256_hex(seed.as_bytes()));
        Image { id, names: Vec::new(), parent: parent.to_owned(), created, config, files }
    }

    pub fn names(&self, digests: bool) -> Vec<String> {
        self.names.iter().filter(|name| name.contains('@') == digests).cloned().collect()
    }

    /// Returns everything that lists, filters and inspect can show.
    pub fn view(&self) -> Value {
        let labels = at(&self.config, "/Labels").clone();
        let labels = if labels.members().is_empty() { Value::Null } else { labels };
        object!(Id: &self.id, RepoTags: self.names(false), RepoDigests: self.names(true),
            Parent: &self.parent, Created: rfc3339(self.created, 9), Size: self.files.size(),
            Config: self.config.clone(), View: object!(Seconds: unix(self.created),
            Names: self.names.clone(), Dangling: self.names(false).is_empty(), Labels: labels))
    }
}

/// Finds an image in the demonstration's registry by its full name.
pub fn published(full: &str) -> Option<Image> {
    let (registry, name) = (template!("published.json"), repository(full));
    let tag = full.strip_prefix(name)?.strip_prefix(':').unwrap_or("latest");
    let published = registry.get(name)?;
    let mut files = Files::default();
    for (path, content) in published.get("Files")?.members() {
        let content = content.as_str()?.replace("$NAME", name).replace("$TAG", tag);
        files.put(path, content.as_bytes());
    }
    let mut config = template!("config.json");
    fill!(config, Cmd: words(published, "/Cmd"),
        Env: vec!["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]);
    let digest = |what: &str| sha256_hex(format!("{what} {name}:{tag}").as_bytes());
    let id = format!("sha256:{}", digest("image"));
    let names = [format!("{name}:{tag}"), format!("{name}@sha256:{}", digest("manifest"))];
    let created = UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    let image = Image { id, names: names.into(), created, ..Image::new(config, files, "") };
    image.names.iter().any(|name| name == full).then_some(image)
}

impl State {
    /// The state at the start, with two images.
    pub fn new() -> State {
        let images = ["hello-world:latest", "busybox:latest"].map(published);
        State { images: images.into_iter().flatten().collect(), ..State::default() }
    }

    /// Makes the next ID. The same requests in the same order get the same IDs.
    pub fn new_id(&mut self, kind: &str) -> String {
        self.serial += 1;
        sha256_hex(format!("{kind} {}", self.serial).as_bytes())
    }

    /// Finds a container by its ID, its name or the beginning of its ID.
    pub fn container(&self, name: &str) -> io::Result<Arc<Task>> {
        let plain = name.strip_prefix('/').unwrap_or(name);
        let exact = self.containers.iter().find(|c| c.id == plain || c.name() == plain);
        let mut begin = self.containers.iter().filter(|c| c.id.starts_with(plain));
        let only = begin.next().filter(|_| !plain.is_empty() && begin.next().is_none());
        exact.or(only).cloned().ok_or_else(|| refusal!("container-none", name))
    }

    pub fn exec(&self, id: &str) -> io::Result<Arc<Task>> {
        let exec = self.execs.iter().find(|exec| exec.id == id);
        exec.cloned().ok_or_else(|| refusal!("exec-none", id))
    }

    /// Finds an image by one of its names, its ID or the beginning of its ID.
    pub fn find_image(&self, name: &str) -> Option<&Image> {
        let digits = name.strip_prefix("sha256:").unwrap_or(name);
        let is_id = |image: &&Image| digits.len() >= 3 && image.id[7..].starts_with(digits);
        let full = full_name(name).unwrap_or_default();
        let named = self.images.iter().find(|image| image.names.contains(&full));
        named.or_else(|| self.images.iter().find(is_id))
    }

    pub fn image(&self, name: &str) -> io::Result<&Image> {
        let by_id = name.starts_with("sha256:");
        let full = if by_id { name.to_owned() } else { full_name(name)? };
        self.find_image(name).ok_or_else(|| refusal!("image-none", full))
    }

    /// Names an image. Another image with this name loses it.
    pub fn tag(&mut self, id: &str, name: &str) {
        for image in &mut self.images {
            image.names.retain(|other| other != name);
            if image.id == id {
                image.names.push(name.to_owned());
            }
        }
    }

    /// Adds an image if it is new, and names it. Returns its ID.
    pub fn add(&mut self, image: Image, names: &[String], action: &str) -> String {
        let id = image.id.clone();
        if self.images.iter().all(|other| other.id != id) {
            self.images.push(image);
        }
        names.iter().for_each(|name| self.tag(&id, name));
        self.emit_image(action, &id, names.first().unwrap_or(&id));
        id
    }

    fn emit(&self, kind: &str, action: &str, id: &str, attributes: Value) {
        let time = SystemTime::now();
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        let mut event = template!("event.json");
        fill!(event, status: action, id: id, Type: kind, Action: action, Actor.ID: id,
            from: text(&attributes, "/image"), Actor.Attributes: attributes, time: unix(time),
            timeNano: since.as_nanos() as i64);
        if kind != "container" {
            take(&mut event, "from");
        }
        self.log.change(|log| {
            log.events.push_back((time, event));
            log.events.drain(..log.events.len().saturating_sub(EVENTS));
            log.count += 1;
        });
    }

    /// Emits an event of a container or an exec, with more attributes than the usual ones.
    pub fn emit_task(&self, task: &Task, action: &str, more: &[(&str, &str)]) {
        let Ok(container) = self.container(&task.container) else { return };
        let (name, shown) = (container.name(), lock(&container.shown));
        let mut attributes = at(&shown, "/Config/Labels").members().to_vec();
        let own = [("image", text(&shown, "/Config/Image")), ("name", &name), ("execID", &task.id)];
        let own = own.iter().take(if task.is_exec() { 3 } else { 2 });
        let pairs = own.chain(more).map(|(name, value)| ((*name).into(), Value::from(*value)));
        attributes.extend(pairs);
        attributes.sort_by(|(a, _), (b, _)| a.cmp(b));
        self.emit("container", action, &container.id, Value::Object(attributes));
    }

    pub fn emit_image(&self, action: &str, id: &str, name: &str) {
        self.emit("image", action, id, object!(name: name));
    }

    pub fn remove(&mut self, container: &Task) {
        if self.container(&container.id).is_ok() {
            self.emit_task(container, "destroy", &[]);
            self.containers.retain(|other| other.id != container.id);
            self.execs.retain(|exec| exec.container != container.id);
            container.process.run.change(|run| run.removed = true);
        }
    }
}
