//! Images: the list, one of them, names, removal, and the ways in and out.

use super::api::{CONTENT, Call, Filters, Outcome, Reply};
use super::engine::{Image, State, arch, published};
use super::files::Files;
use super::json::{filled, list as or_null, object, remove, text, words, write};
use super::names::{Pattern, Reference, registry, told};
use std::io::{self, Write};
use std::time::{SystemTime, UNIX_EPOCH};
use unix_http::base::time::rfc3339;
use unix_http::json::Value;
use unix_http::server::BodyWriter;

fn seconds(time: SystemTime) -> i64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs() as i64
}

pub fn list(call: &mut Call<'_, '_>) -> Outcome {
    let filters = Filters::read(call, &["before", "dangling", "label", "reference", "since"])?;
    let dangling = filters.truth("dangling")?;
    let state = call.engine.state();
    let mut times = [None, None];
    for (time, name) in times.iter_mut().zip(["before", "since"]) {
        for value in filters.values(name) {
            *time = Some(state.image(value)?.created());
        }
    }
    let labels = |image: &Image| image.config().get("Labels").cloned().unwrap_or(Value::Null);
    let mut shown = Vec::new();
    for image in state.images.iter().rev() {
        let named = |pattern: &String| {
            let pattern = Pattern::shell(pattern);
            let short = |name: &str| name.split([':', '@']).next().map(str::to_owned);
            let fits =
                |name: &String| pattern.fits(name) || short(name).is_some_and(|n| pattern.fits(&n));
            image.names.iter().any(fits)
        };
        let (created, labels) = (image.created(), labels(image));
        let is_between =
            times[0].is_none_or(|t| created < t) && times[1].is_none_or(|t| created > t);
        let is_dangling = image.names(false).is_empty();
        if filters.any("reference", named)
            && is_between
            && filters.has_labels(&labels)
            && dangling.is_none_or(|wanted| wanted == is_dangling)
        {
            let size = image.files.size();
            let mut one = filled!("image_summary.json", Created: seconds(created), Id: &image.id,
                Labels: if labels.members().is_empty() { Value::Null } else { labels },
                ParentId: &image.parent, RepoDigests: image.names(true),
                RepoTags: image.names(false), Size: size, VirtualSize: size);
            if call.since(44) {
                remove(&mut one, &["VirtualSize"]);
            }
            shown.push(one);
        }
    }
    Ok(Reply::Json(200, Value::Array(shown)))
}

pub fn inspect(call: &mut Call<'_, '_>, name: &str) -> Outcome {
    let state = call.engine.state();
    let image = state.image(name)?;
    let size = image.files.size();
    let last = image.record.get("history").map_or(&[][..], Value::elements).last();
    let mut shown = filled!("image_inspect.json", Id: &image.id, RepoTags: image.names(false),
        RepoDigests: image.names(true), Parent: &image.parent,
        Comment: last.map_or("", |step| text(step, "comment")),
        Created: text(&image.record, "created"), ContainerConfig: filled!("config.json"),
        Config: image.config().clone(), Architecture: arch(), Size: size, VirtualSize: size,
        DockerVersion: super::api::VERSION,
        RootFS.Layers: words(image.record.get("rootfs").unwrap_or(&Value::Null), "diff_ids"),
        Metadata.LastTagTime: text(&image.record, "created"));
    let gone: &[&str] = match (call.since(44), call.since(45)) {
        (_, true) => &["VirtualSize", "ContainerConfig", "Container"],
        (true, _) => &["VirtualSize"],
        _ => &[],
    };
    remove(&mut shown, gone);
    Ok(Reply::Json(200, shown))
}

pub fn history(call: &mut Call<'_, '_>, name: &str) -> Outcome {
    let state = call.engine.state();
    let image = state.image(name)?;
    let steps = image.record.get("history").map_or(&[][..], Value::elements);
    let one = |(number, step): (usize, &Value)| {
        let (id, tags) = match number {
            0 => (&image.id[..], image.names(false)),
            _ => ("<missing>", Vec::new()),
        };
        object!(Comment: text(step, "comment"), Created: seconds(image.created()),
            CreatedBy: text(step, "created_by"), Id: id, Size: 0_i64, Tags: or_null(tags))
    };
    Ok(Reply::Json(200, Value::Array(steps.iter().rev().enumerate().map(one).collect())))
}

pub fn tag(call: &mut Call<'_, '_>, name: &str) -> Outcome {
    let new = [call.parameter("repo"), call.parameter("tag")].join(":");
    let new = Reference::parse(new.trim_end_matches(':'))?.full();
    call.engine.change(|state| {
        let id = state.image(name)?.id.clone();
        state.tag(&id, &new);
        state.emit_image("tag", &id, &new);
        Ok(Reply::Empty(201))
    })
}

pub fn delete(call: &mut Call<'_, '_>, name: &str) -> Outcome {
    let force = call.truth("force");
    call.engine.change(|state| {
        let image = state.image(name)?;
        let (id, short, tags) = (image.id.clone(), image.id[7..19].to_owned(), image.names(false));
        let full = Reference::parse(name).map(|reference| reference.full()).unwrap_or_default();
        let by_name = image.names.contains(&full);
        let user = state.containers.iter().find(|container| container.image_id == id);
        let running = user.is_some_and(|container| container.process.is_running());
        let is_last = !by_name || tags.len() <= 1;
        let mut repositories: Vec<&str> = tags.iter().filter_map(|tag| tag.rsplit(':').nth(1)).collect();
        repositories.dedup();
        match user {
            Some(user) if is_last && by_name && !force => {
                let user = &user.id[..12];
                return told(409, format!("conflict: unable to remove repository reference \"{name}\" (must force) - container {user} is using its referenced image {short}"));
            }
            Some(user) if !by_name && (running || !force) => {
                let (how, state) = if running { ("cannot be forced", "running") } else { ("must be forced", "stopped") };
                let user = &user.id[..12];
                return told(409, format!("conflict: unable to delete {short} ({how}) - image is being used by {state} container {user}"));
            }
            None if !by_name && repositories.len() > 1 && !force => {
                return told(409, format!("conflict: unable to delete {short} (must be forced) - image is referenced in multiple repositories"));
            }
            _ => {}
        }
        let gone = untag(state, &id, if is_last { None } else { Some(&full) });
        let mut reply: Vec<Value> = gone.into_iter().map(|name| object!(Untagged: name)).collect();
        if is_last && !running {
            state.images.retain(|image| image.id != id);
            state.emit_image("delete", &id, &id);
            reply.push(object!(Deleted: id));
        }
        Ok(Reply::Json(200, Value::Array(reply)))
    })
}

/// Takes one name of an image away, or all of them.
fn untag(state: &mut State, id: &str, only: Option<&String>) -> Vec<String> {
    let mut gone = Vec::new();
    for image in state.images.iter_mut().filter(|image| image.id == id) {
        let goes = |name: &String| only.is_none_or(|only| only == name);
        (gone, image.names) = image.names.drain(..).partition(goes);
    }
    gone.iter().for_each(|_| state.emit_image("untag", id, id));
    gone
}

/// Sends a line of progress.
fn line(body: &mut BodyWriter<'_>, line: &Value) -> io::Result<()> {
    body.write_all((write(line) + "\r\n").as_bytes())?;
    body.flush()
}

/// `POST /images/create`: a pull, or with `fromSrc=-` an import of what is sent.
pub fn create(call: &mut Call<'_, '_>) -> Outcome {
    let (name, tag) = (call.parameter("fromImage"), call.parameter("tag"));
    if name.is_empty() {
        return import(call);
    }
    let asked = match tag {
        "" => name.to_owned(),
        digest if digest.contains(':') => format!("{name}@{digest}"),
        tag => format!("{name}:{tag}"),
    };
    let Reference { repository, version } = Reference::parse(&asked)?;
    let tag = version.strip_prefix(':').unwrap_or("latest").to_owned();
    let image = published(&repository, &tag).filter(|image| {
        version.starts_with(':') || image.names.contains(&format!("{repository}{version}"))
    });
    let Some(mut image) = image else {
        return match (registry(&repository), &version[..1]) {
            (Some(host), _) => {
                told(500, format!("Get \"http://{host}/v2/\": this demonstration has no network"))
            }
            (None, "@") => told(
                404,
                format!(
                    "manifest for {repository}{version} not found: manifest unknown: manifest unknown"
                ),
            ),
            _ => told(
                404,
                format!(
                    "pull access denied for {repository}, repository does not exist or may require 'docker login': denied: requested access to the resource is denied"
                ),
            ),
        };
    };
    let mut body = call.stream("application/json")?;
    line(&mut body, &object!(status: format!("Pulling from {repository}"), id: &version[1..]))?;
    let (id, short) = (image.id.clone(), image.id[7..19].to_owned());
    let known = call.engine.state().images.iter().any(|image| image.id == id);
    for status in
        ["Pulling fs layer", "Download complete", "Pull complete"].iter().filter(|_| !known)
    {
        line(
            &mut body,
            &object!(status: *status, progressDetail: Value::Object(Vec::new()), id: &short[..]),
        )?;
    }
    let names: Vec<String> = image
        .names
        .drain(..)
        .filter(|name| version.starts_with(':') || name.contains('@'))
        .collect();
    let digest =
        names.last().and_then(|name| name.split('@').nth(1)).unwrap_or_default().to_owned();
    call.engine.change(|state| state.add(image, &names, "pull"));
    line(&mut body, &object!(status: format!("Digest: {digest}")))?;
    let outcome = if known { "Image is up to date for" } else { "Downloaded newer image for" };
    line(&mut body, &object!(status: format!("Status: {outcome} {repository}{version}")))?;
    Ok(body.finish()?.into())
}

fn import(call: &mut Call<'_, '_>) -> Outcome {
    let source = call.parameter("fromSrc");
    if source != "-" {
        return told(500, format!("this demonstration has no network to import {source} from"));
    }
    let name = [call.parameter("repo"), call.parameter("tag")].join(":");
    let mut files = Files::default();
    let archive = call.request.bytes(CONTENT)?;
    files.extract("/", &archive).or_else(|why| told(500, why))?;
    let mut config = filled!("config.json");
    for change in call.parameters("changes") {
        super::build::configure(&mut config, change)?;
    }
    let now = rfc3339(SystemTime::now(), 9);
    let step = object!(created: &now, comment: "Imported from -");
    let image = Image::new(&config, files, now, vec![step]);
    let names: Vec<String> =
        Reference::parse(name.trim_end_matches(':')).map(|name| name.full()).into_iter().collect();
    let id = call.engine.change(|state| state.add(image, &names, "import"));
    let mut body = call.stream("application/json")?;
    line(&mut body, &object!(status: id))?;
    Ok(body.finish()?.into())
}

/// `GET /images/get?names=` and `/images/{name}/get`
pub fn save(call: &mut Call<'_, '_>, names: &[String]) -> Outcome {
    let (mut files, mut manifest) = (Files::default(), Vec::new());
    let state = call.engine.state();
    for name in names {
        let image = state.image(name)?;
        let (config, layer) =
            (format!("{}.json", &image.id[7..]), format!("{}/layer.tar", &image.id[7..]));
        files.put(&config, write(&image.record).as_bytes());
        files.put(&layer, &image.files.archive("/").unwrap_or_default());
        let full = Reference::parse(name).map(|reference| reference.full()).unwrap_or_default();
        let tags = if image.names.contains(&full) { vec![full] } else { image.names(false) };
        manifest.push(object!(Config: config, RepoTags: tags, Layers: vec![layer]));
    }
    drop(state);
    files.put("manifest.json", write(&Value::Array(manifest)).as_bytes());
    call.send("application/x-tar", &files.archive("/").unwrap_or_default())
}

pub fn load(call: &mut Call<'_, '_>) -> Outcome {
    let archive = call.request.bytes(CONTENT)?;
    let quiet = call.truth("quiet");
    let (mut given, mut lines) = (Files::default(), Vec::new());
    let loaded = given.extract("/", &archive).map_err(str::to_owned);
    let loaded =
        loaded.and_then(|()| call.engine.change(|state| load_all(state, &given, &mut lines)));
    // The status-code was sent long ago.
    if let Err(why) = loaded {
        lines.push(object!(errorDetail: object!(message: &why), error: &why));
    }
    let mut body = call.stream("application/json")?;
    for one in lines.iter().filter(|line| !quiet || line.get("progress").is_none()) {
        line(&mut body, one)?;
    }
    Ok(body.finish()?.into())
}

fn load_all(state: &mut State, given: &Files, lines: &mut Vec<Value>) -> Result<(), String> {
    let read =
        |name: &str| given.file(name).ok_or(format!("open {name}: no such file or directory"));
    let json = |name: &str| Value::parse(read(name)?).map_err(|error| format!("{name}: {error}"));
    for one in json("manifest.json")?.elements() {
        let (record, mut files) = (json(text(one, "Config"))?, Files::default());
        for layer in words(one, "Layers") {
            let content = read(&layer)?;
            files.extract("/", content)?;
            lines.push(filled!("loading.json", id: &layer[..12.min(layer.len())],
                progressDetail.current: content.len(), progressDetail.total: content.len()));
        }
        let tags = words(one, "RepoTags");
        let id = state.add(Image::from_record(record, files), &tags, "load");
        let said = tags.iter().map(|name| format!("Loaded image: {name}\n"));
        let unnamed = tags.is_empty().then(|| format!("Loaded image ID: {id}\n"));
        lines.extend(said.chain(unnamed).map(|text| object!(stream: text)));
    }
    Ok(())
}
