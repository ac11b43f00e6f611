//! What the engine knows: images, containers, execs and events, behind one lock.

use super::files::Files;
use super::prelude::*;
use super::process::{Process, Watched};
use super::reference::Reference;
use std::collections::VecDeque;
use std::sync::MutexGuard;
use unix_http::docker::sha256_hex;

/// How many events are kept for clients that ask later, as in dockerd.
const EVENTS: usize = 256;

#[derive(Default)]
pub struct Engine {
    state: Mutex<State>,
    pub log: Arc<Watched<Log>>,
}

#[derive(Default)]
pub struct State {
    serial: u64,
    pub images: Vec<Image>,
    pub containers: Vec<Arc<Container>>,
    pub execs: Vec<Arc<Exec>>,
    log: Arc<Watched<Log>>,
}

/// The last events with their times, and how many there have been.
#[derive(Default)]
pub struct Log {
    pub events: VecDeque<(SystemTime, Value)>,
    pub count: usize,
}

pub struct Container {
    pub id: String,
    pub created: SystemTime,
    pub image_id: String,
    pub config: Value,
    /// What inspect shows, but for the config and what its process decides.
    pub shown: Mutex<Value>,
    pub process: Arc<Process>,
}

pub struct Exec {
    pub id: String,
    pub container: Arc<Container>,
    pub config: Value,
    pub process: Arc<Process>,
}

impl Container {
    pub fn argv(&self) -> Vec<String> {
        [words(&self.config, "Entrypoint"), words(&self.config, "Cmd")].concat()
    }

    pub fn name(&self) -> String {
        text(&lock(&self.shown), "Name").trim_start_matches('/').to_owned()
    }

    /// Something that inspect shows, by its JSON Pointer.
    pub fn at(&self, pointer: &str) -> Value {
        lock(&self.shown).pointer(pointer).cloned().unwrap_or(Value::Null)
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
    pub fn new(config: Value, files: Files, parent: String) -> Image {
        let created = SystemTime::now();
        let seed = format!("{parent} {} {config}", rfc3339(created, 9));
        let id = format!("sha256:{}", sha256_hex(seed.as_bytes()));
        Image { id, names: Vec::new(), parent, created, config, files }
    }

    pub fn names(&self, digests: bool) -> Vec<String> {
        self.names.iter().filter(|name| name.contains('@') == digests).cloned().collect()
    }
}

/// An image of the demonstration's registry, with its tag and its digest.
pub fn published(repository: &str, tag: &str) -> Option<Image> {
    let published = parsed(include_str!("published.json"));
    let (_, published) = published.members().iter().find(|(name, _)| name == repository)?;
    let mut files = Files::default();
    for (path, content) in published.get("Files")?.members() {
        let content = content.as_str()?.replace("$NAME", repository).replace("$TAG", tag);
        files.put(path, content.as_bytes());
    }
    let path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    let config = filled!("config.json", Cmd: words(published, "Cmd"), Env: vec![path]);
    let digest = |what: &str| sha256_hex(format!("{what} {repository}:{tag}").as_bytes());
    let id = format!("sha256:{}", digest("image"));
    let by_digest = format!("{repository}@sha256:{}", digest("manifest"));
    let created = UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    let names = vec![format!("{repository}:{tag}"), by_digest];
    Some(Image { id, names, created, ..Image::new(config, files, String::new()) })
}

pub fn arch() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

impl Engine {
    pub fn new() -> Engine {
        let engine = Engine::default();
        let images = ["hello-world", "busybox"].map(|name| published(name, "latest"));
        engine.state().images.extend(images.into_iter().flatten());
        engine.state().log = Arc::clone(&engine.log);
        engine
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    pub fn container(&self, name: &str) -> io::Result<Arc<Container>> {
        self.state().container(name)
    }

    pub fn emit(&self, container: &Container, action: &str, more: &[(&str, &str)]) {
        self.state().emit_container(container, action, more);
    }
}

impl State {
    /// The same number of the same kind is always the same id, so that a test can be repeated.
    pub fn new_id(&mut self, kind: &str) -> String {
        self.serial += 1;
        sha256_hex(format!("{kind} {}", self.serial).as_bytes())
    }

    /// A container by its id, its name or the beginning of its id.
    pub fn container(&self, name: &str) -> io::Result<Arc<Container>> {
        let plain = name.strip_prefix('/').unwrap_or(name);
        let exact = self.containers.iter().find(|c| c.id == plain || c.name() == plain);
        let mut begin = self.containers.iter().filter(|c| c.id.starts_with(plain));
        let only = begin.next().filter(|_| !plain.is_empty() && begin.next().is_none());
        exact.or(only).cloned().ok_or_else(|| refusal!(404, "No such container: {name}"))
    }

    /// An image by one of its names, its id or the beginning of its id.
    pub fn find_image(&self, name: &str) -> Option<&Image> {
        let digits = name.strip_prefix("sha256:").unwrap_or(name);
        let is_id = |image: &&Image| digits.len() >= 3 && image.id[7..].starts_with(digits);
        let full = Reference::parse(name).map(|reference| reference.full()).unwrap_or_default();
        let named = self.images.iter().find(|image| image.names.contains(&full));
        named.or_else(|| self.images.iter().find(is_id))
    }

    pub fn image(&self, name: &str) -> io::Result<&Image> {
        let by_id = name.starts_with("sha256:");
        let full = if by_id { name.to_owned() } else { Reference::parse(name)?.full() };
        self.find_image(name).ok_or_else(|| refusal!(404, "No such image: {full}"))
    }

    /// Gives an image a name, and takes it from the image that had it.
    pub fn tag(&mut self, id: &str, name: &str) {
        for image in &mut self.images {
            image.names.retain(|other| other != name);
            if image.id == id {
                image.names.push(name.to_owned());
            }
        }
    }

    /// Adds an image, if it is not there, and gives it names: its id.
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
        let mut line = filled!("event.json", status: action, id: id, Type: kind, Action: action,
            from: text(&attributes, "image"), Actor.ID: id, Actor.Attributes: attributes,
            time: unix(time), timeNano: since.as_nanos() as i64);
        if kind != "container" {
            remove(&mut line, &["from"]);
        }
        self.log.change(|log| {
            log.events.push_back((time, line));
            log.events.drain(..log.events.len().saturating_sub(EVENTS));
            log.count += 1;
        });
    }

    /// An event of a container, with attributes besides its image, name and labels.
    pub fn emit_container(&self, container: &Container, action: &str, more: &[(&str, &str)]) {
        let mut attributes = members(&container.config, "Labels");
        let own = [("image", text(&container.config, "Image")), ("name", &container.name())];
        let more = own.iter().chain(more);
        attributes.extend(more.map(|(name, value)| ((*name).into(), Value::from(*value))));
        attributes.sort_by(|(a, _), (b, _)| a.cmp(b));
        self.emit("container", action, &container.id, Value::Object(attributes));
    }

    pub fn emit_image(&self, action: &str, id: &str, name: &str) {
        self.emit("image", action, id, object!(name: name));
    }

    pub fn remove(&mut self, container: &Container) {
        let count = self.containers.len();
        self.containers.retain(|other| other.id != container.id);
        self.execs.retain(|exec| exec.container.id != container.id);
        if self.containers.len() < count {
            self.emit_container(container, "destroy", &[]);
            container.process.run.change(|run| run.removed = true);
        }
    }
}
