//! Images: the list, one of them, names, removal, pull and import.

use super::api::{CONTENT, Call, Outcome, Reply, VERSION, send_line};
use super::build::configure;
use super::engine::{Image, State, arch, published};
use super::files::Files;
use super::filters::{Filters, glob, has_label, truth};
use super::prelude::*;
use super::reference::{Reference, registry};

pub fn list(call: &mut Call<'_, '_>) -> Outcome {
    let filters = Filters::read(call, "before dangling label reference since")?;
    let state = call.engine.state();
    let mut shown = Vec::new();
    for image in state.images.iter().rev() {
        if fits(&state, image, &filters)? {
            let (size, labels) = (image.files.size(), members(&image.config, "Labels"));
            let labels = if labels.is_empty() { Value::Null } else { Value::Object(labels) };
            let mut one = filled!("image_summary.json", Created: unix(image.created),
                Id: &image.id, Labels: labels, ParentId: &image.parent, Size: size,
                RepoDigests: image.names(true), RepoTags: image.names(false), VirtualSize: size);
            if call.since(44) {
                remove(&mut one, &["VirtualSize"]);
            }
            shown.push(one);
        }
    }
    Ok(Reply::Json(200, Value::Array(shown)))
}

fn fits(state: &State, image: &Image, filters: &Filters) -> io::Result<bool> {
    filters.fit(|filter, wanted| {
        Ok(match filter {
            "before" => image.created < state.image(wanted)?.created,
            "since" => image.created > state.image(wanted)?.created,
            "dangling" => truth(filter, wanted)? == image.names(false).is_empty(),
            "label" => has_label(&image.config, wanted),
            _ => {
                let mut fits = false;
                for name in &image.names {
                    let short = name.split([':', '@']).next().unwrap_or_default();
                    fits |= glob(wanted, name)? || glob(wanted, short)?;
                }
                fits
            }
        })
    })
}

pub fn inspect(call: &mut Call<'_, '_>, name: &str) -> Outcome {
    let state = call.engine.state();
    let image = state.image(name)?;
    let (size, created) = (image.files.size(), rfc3339(image.created, 9));
    let mut shown = filled!("image_inspect.json", Id: &image.id, RepoTags: image.names(false),
        RepoDigests: image.names(true), Parent: &image.parent, Created: &created,
        ContainerConfig: filled!("config.json"), Config: image.config.clone(),
        Architecture: arch(), Size: size, VirtualSize: size, DockerVersion: VERSION,
        RootFS.Layers: vec![&image.id[..]], Metadata.LastTagTime: created);
    for (version, name) in [(44, "VirtualSize"), (45, "ContainerConfig")] {
        if call.since(version) {
            remove(&mut shown, &[name]);
        }
    }
    Ok(Reply::Json(200, shown))
}

/// The name in the parameters `repo` and `tag`.
fn new_name(call: &Call<'_, '_>) -> io::Result<String> {
    let name = [call.parameter("repo"), call.parameter("tag")].join(":");
    Ok(Reference::parse(name.trim_end_matches(':'))?.full())
}

pub fn tag(call: &mut Call<'_, '_>, name: &str) -> Outcome {
    let (new, mut state) = (new_name(call)?, call.engine.state());
    let id = state.image(name)?.id.clone();
    state.tag(&id, &new);
    state.emit_image("tag", &id, &new);
    Ok(Reply::Empty(201))
}

pub fn delete(call: &mut Call<'_, '_>, name: &str) -> Outcome {
    let (force, mut state) = (call.truth("force"), call.engine.state());
    let image = state.image(name)?;
    let (id, short, tags) = (image.id.clone(), &image.id[7..19], image.names(false));
    let full = Reference::parse(name).map(|reference| reference.full()).unwrap_or_default();
    let by_name = image.names.contains(&full);
    let is_last = !by_name || tags.len() <= 1;
    let user = state.containers.iter().find(|container| container.image_id == id);
    let running = user.is_some_and(|container| container.process.is_running());
    let user = user.map_or("", |user| &user.id[..12]);
    let (how, kind) = if running { ("cannot", "running") } else { ("must", "stopped") };
    let what = format!("conflict: unable to remove repository reference \"{name}\" (must force)");
    let why = format!("container {user} is using its referenced image {short}");
    ensure!(force || !by_name || !is_last || user.is_empty(), 409, "{what} - {why}");
    let what = format!("conflict: unable to delete {short}");
    let is_free = by_name || force && !running;
    let why = format!("image is being used by {kind} container {user}");
    ensure!(is_free || user.is_empty(), 409, "{what} ({how} be forced) - {why}");
    let why = "image is referenced in multiple repositories";
    ensure!(is_free || tags.len() <= 1, 409, "{what} (must be forced) - {why}");
    let gone = if is_last { image.names.clone() } else { vec![full] };
    state.images.iter_mut().for_each(|image| image.names.retain(|name| !gone.contains(name)));
    gone.iter().for_each(|_| state.emit_image("untag", &id, &id));
    let mut reply: Vec<Value> = gone.iter().map(|name| object!(Untagged: name)).collect();
    if is_last && !running {
        state.images.retain(|image| image.id != id);
        state.emit_image("delete", &id, &id);
        reply.push(object!(Deleted: id));
    }
    Ok(Reply::Json(200, Value::Array(reply)))
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
    let tag = version.strip_prefix(':');
    let image = published(&repository, tag.unwrap_or("latest"))
        .filter(|image| tag.is_some() || image.names.contains(&format!("{repository}{version}")));
    let missing = || {
        let denied = "denied: requested access to the resource is denied";
        let login = "repository does not exist or may require 'docker login'";
        match (registry(&repository), tag) {
            (Some(host), _) => refusal!(500, "Get \"http://{host}/v2/\": there is no network here"),
            (None, None) => refusal!(404, "manifest for {asked} not found: manifest unknown"),
            _ => refusal!(404, "pull access denied for {repository}, {login}: {denied}"),
        }
    };
    let mut image = image.ok_or_else(missing)?;
    image.names.retain(|name| tag.is_some() || name.contains('@'));
    let (id, names) = (image.id.clone(), image.names.clone());
    let digest = names.iter().find_map(|name| name.split('@').nth(1)).unwrap_or_default();
    let known = call.engine.state().find_image(&id).is_some();
    let outcome = if known { "Image is up to date for" } else { "Downloaded newer image for" };
    let mut lines = vec![object!(status: format!("Pulling from {repository}"), id: &version[1..])];
    if !known {
        let nothing = Value::Object(Vec::new());
        lines.push(object!(status: "Pull complete", progressDetail: nothing, id: &id[7..19]));
    }
    lines.push(object!(status: format!("Digest: {digest}")));
    lines.push(object!(status: format!("Status: {outcome} {repository}{version}")));
    call.engine.state().add(image, &names, "pull");
    progress(call, &lines)
}

fn progress(call: &mut Call<'_, '_>, lines: &[Value]) -> Outcome {
    let mut body = call.stream("application/json")?;
    lines.iter().try_for_each(|line| send_line(&mut body, line))?;
    Ok(Reply::Sent(body.finish()?))
}

fn import(call: &mut Call<'_, '_>) -> Outcome {
    let source = call.parameter("fromSrc");
    ensure!(source == "-", 500, "this demonstration has no network to import {source} from");
    let (mut files, mut config) = (Files::default(), filled!("config.json"));
    for change in call.parameters("changes") {
        let (name, argument) = change.split_once(' ').unwrap_or((change, ""));
        configure(&mut config, name, argument)?;
    }
    files.extract("/", &call.request.bytes(CONTENT)?)?;
    let image = Image::new(config, files, String::new());
    let names: Vec<String> = new_name(call).into_iter().collect();
    let id = call.engine.state().add(image, &names, "import");
    progress(call, &[object!(status: id)])
}
