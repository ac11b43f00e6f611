//! Images: the list, one of them, names, removal, and the ways in and out.

use super::api::{CONTENT, Call, Filters, Outcome, Reply, send_line};
use super::build::configure;
use super::engine::{Image, State, arch, published};
use super::files::Files;
use super::json::{filled, list as or_null, object, remove, text, words, write};
use super::names::{Pattern, Reference, registry, telling, told};
use std::io;
use std::time::{SystemTime, UNIX_EPOCH};
use unix_http::base::time::rfc3339;
use unix_http::json::Value;

fn seconds(time: SystemTime) -> i64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs() as i64
}

pub fn list(call: &mut Call<'_, '_>) -> Outcome {
    let filters = Filters::read(call, "before dangling label reference since")?;
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
        (_, true) => &["VirtualSize", "ContainerConfig"],
        (true, _) => &["VirtualSize"],
        _ => &[],
    };
    remove(&mut shown, gone);
    Ok(Reply::Json(200, shown))
}

pub fn history(call: &mut Call<'_, '_>, name: &str) -> Outcome {
    let state = call.engine.state();
    let image = state.image(name)?;
    let mut steps = image.history();
    steps.reverse();
    for (number, step) in steps.iter_mut().enumerate() {
        let id = if number == 0 { &image.id } else { "<missing>" };
        let tags = if number == 0 { or_null(image.names(false)) } else { Value::Null };
        *step = object!(Comment: text(step, "comment"), Created: seconds(image.created()),
            CreatedBy: text(step, "created_by"), Id: id, Size: 0_i64, Tags: tags);
    }
    Ok(Reply::Json(200, Value::Array(steps)))
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
        let (id, short, tags) = (image.id.clone(), &image.id[7..19], image.names(false));
        let full = Reference::parse(name).map(|reference| reference.full()).unwrap_or_default();
        let by_name = image.names.contains(&full);
        let is_last = !by_name || tags.len() <= 1;
        let user = state.containers.iter().find(|container| container.image_id == id);
        let running = user.is_some_and(|container| container.process.is_running());
        let user = user.map_or("", |user| &user.id[..12]);
        let how = if running { "cannot be forced" } else { "must be forced" };
        let kind = if running { "running" } else { "stopped" };
        match (by_name, is_last && !user.is_empty()) {
            (true, true) if !force => {
                let why = format!("container {user} is using its referenced image {short}");
                let what = format!("unable to remove repository reference \"{name}\"");
                return told!(409, "conflict: {what} (must force) - {why}");
            }
            (false, true) if running || !force => {
                let why = format!("image is being used by {kind} container {user}");
                return told!(409, "conflict: unable to delete {short} ({how}) - {why}");
            }
            (false, false) if tags.len() > 1 && !force => {
                let why = "image is referenced in multiple repositories";
                return told!(409, "conflict: unable to delete {short} ({how}) - {why}");
            }
            _ => {}
        }
        let mut gone = vec![full];
        if is_last {
            gone.clone_from(&image.names);
        }
        state.images.iter_mut().for_each(|image| image.names.retain(|name| !gone.contains(name)));
        gone.iter().for_each(|_| state.emit_image("untag", &id, &id));
        let mut reply: Vec<Value> = gone.iter().map(|name| object!(Untagged: name)).collect();
        if is_last && !running {
            state.images.retain(|image| image.id != id);
            state.emit_image("delete", &id, &id);
            reply.push(object!(Deleted: id));
        }
        Ok(Reply::Json(200, Value::Array(reply)))
    })
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
        let denied = "requested access to the resource is denied";
        let login = "repository does not exist or may require 'docker login'";
        return match (registry(&repository), &version[..1]) {
            (Some(host), _) => told!(500, "Get \"http://{host}/v2/\": there is no network here"),
            (None, "@") => told!(404, "manifest for {asked} not found: manifest unknown"),
            _ => told!(404, "pull access denied for {repository}, {login}: denied: {denied}"),
        };
    };
    image.names.retain(|name| version.starts_with(':') || name.contains('@'));
    let mut body = call.stream("application/json")?;
    send_line(
        &mut body,
        &object!(status: format!("Pulling from {repository}"), id: &version[1..]),
    )?;
    let (short, names) = (image.id[7..19].to_owned(), image.names.clone());
    let known = call.engine.state().find_image(&image.id).is_some();
    let news = ["Pulling fs layer", "Download complete", "Pull complete"];
    for status in news.iter().filter(|_| !known) {
        let nothing = Value::Object(Vec::new());
        send_line(&mut body, &object!(status: *status, progressDetail: nothing, id: &short))?;
    }
    call.engine.change(|state| state.add(image, &names, "pull"));
    let digest = names.iter().find_map(|name| name.split('@').nth(1)).unwrap_or_default();
    send_line(&mut body, &object!(status: format!("Digest: {digest}")))?;
    let outcome = if known { "Image is up to date for" } else { "Downloaded newer image for" };
    send_line(&mut body, &object!(status: format!("Status: {outcome} {repository}{version}")))?;
    Ok(Reply::Sent(body.finish()?))
}

fn import(call: &mut Call<'_, '_>) -> Outcome {
    let source = call.parameter("fromSrc");
    if source != "-" {
        return told!(500, "this demonstration has no network to import {source} from");
    }
    let name = [call.parameter("repo"), call.parameter("tag")].join(":");
    let mut files = Files::default();
    let archive = call.request.bytes(CONTENT)?;
    files.extract("/", &archive)?;
    let mut config = filled!("config.json");
    for change in call.parameters("changes") {
        let (name, argument) = change.split_once(' ').unwrap_or((change, ""));
        configure(&mut config, name, argument)?;
    }
    let now = rfc3339(SystemTime::now(), 9);
    let step = object!(created: &now, comment: "Imported from -");
    let image = Image::new(&config, files, now, vec![step]);
    let names: Vec<String> =
        Reference::parse(name.trim_end_matches(':')).map(|name| name.full()).into_iter().collect();
    let id = call.engine.change(|state| state.add(image, &names, "import"));
    let mut body = call.stream("application/json")?;
    send_line(&mut body, &object!(status: id))?;
    Ok(Reply::Sent(body.finish()?))
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
    let mut lines = Vec::new();
    let loaded = call.engine.change(|state| load_all(state, &archive, &mut lines));
    // The status-code was sent long ago.
    if let Some((_, why)) = loaded.as_ref().err().and_then(telling) {
        lines.push(object!(errorDetail: object!(message: why), error: why));
    }
    let mut body = call.stream("application/json")?;
    for one in lines.iter().filter(|line| !quiet || line.get("progress").is_none()) {
        send_line(&mut body, one)?;
    }
    Ok(Reply::Sent(body.finish()?))
}

fn load_all(state: &mut State, archive: &[u8], lines: &mut Vec<Value>) -> io::Result<()> {
    let mut given = Files::default();
    given.extract("/", archive)?;
    let read = |name: &str| match given.file(name) {
        Some(content) => Ok(content),
        None => told!(500, "open {name}: no such file or directory"),
    };
    let json = |name| match Value::parse(read(name)?) {
        Ok(value) => Ok(value),
        Err(error) => told!(500, "{name}: {error}"),
    };
    for one in json("manifest.json")?.elements() {
        let (record, mut files) = (json(text(one, "Config"))?, Files::default());
        for layer in words(one, "Layers") {
            let content = read(&layer)?;
            files.extract("/", content)?;
            lines.push(filled!("loading.json", id: layer.get(..12).unwrap_or(&layer),
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
