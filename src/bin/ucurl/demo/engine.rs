//! The state of the engine behind one lock: images, containers, execs and events.

use super::files::Files;
use super::prelude::*;
use super::task::Task;
use unix_http::docker::sha256_hex;

/// The number of past events that are kept, as in dockerd.
const EVENTS: usize = 256;

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
    pub events: Vec<(SystemTime, Value)>,
    pub count: usize,
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

/// Returns the full name of an image, `repository:tag` or `repository@digest`, without
/// `docker.io/library/`.
pub fn full_name(text: &str) -> io::Result<String> {
    let short = text.strip_prefix("docker.io/").unwrap_or(text);
    let short = short.strip_prefix("library/").unwrap_or(short);
    let (name, digest) = short.split_once('@').map_or((short, None), |(n, d)| (n, Some(d)));
    let (repository, tag) = match name.rsplit_once(':') {
        Some((repository, tag)) if !tag.contains('/') => (repository, tag),
        _ => (name, "latest"),
    };
    let path = &repository[registry(repository).map_or(0, |host| host.len() + 1)..];
    let library = if repository.contains('/') { "" } else { "library/" };
    let has_upper = path.contains(|c: char| c.is_ascii_uppercase());
    ensure!(!has_upper, "reference-upper", format!("{library}{repository}"));
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let is_word = |part: &str| !part.is_empty() && part.chars().all(is_plain);
    let is_digest = |digest: &str| digest.starts_with("sha256:") && digest.len() == 71;
    let is_valid = path.split('/').chain([tag]).all(is_word) && digest.is_none_or(is_digest);
    ensure!(is_valid, "reference");
    let version = digest.map_or(format!(":{tag}"), |digest| format!("@{digest}"));
    Ok(format!("{repository}{version}"))
}

pub fn registry(repository: &str) -> Option<&str> {
    let host = repository.split_once('/').map(|(host, _)| host);
    host.filter(|host| host.contains(['.', ':']) || *host == "localhost")
}

/// Returns a full name without its tag or digest.
pub fn repository(full: &str) -> &str {
    full.split_once('@').or(full.rsplit_once(':')).map_or(full, |(repository, _)| repository)
}

/// Finds an image in the demonstration's registry by its full name.
pub fn published(full: &str) -> Option<Image> {
    let (registry, name) = (template!("published.json"), repository(full));
    let tag = full.strip_prefix(name)?.strip_prefix(':').unwrap_or("latest");
    let mut images = registry.elements().iter();
    let published =
        images.find(|image| words(image, "/Names").iter().any(|other| other == name))?;
    let mut files = Files::default();
    for (path, content) in at(published, "/Files").members() {
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
        self.emit("image", action, &id, object!(name: names.first().unwrap_or(&id)));
        id
    }

    pub fn emit(&self, kind: &str, action: &str, id: &str, attributes: Value) {
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
            log.events.push((time, event));
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

    pub fn remove(&mut self, container: &Task) {
        if self.container(&container.id).is_ok() {
            self.emit_task(container, "destroy", &[]);
            self.containers.retain(|other| other.id != container.id);
            self.execs.retain(|exec| exec.container != container.id);
            container.run.change(|run| run.removed = true);
        }
    }
}
