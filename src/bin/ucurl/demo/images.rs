//! Images: the list, one of them, names, removal, pull and import.

use super::api::*;
use super::files::Files;
use super::filters::Filters;
use super::reference::{Reference, registry};

pub fn list(call: &mut Call<'_, '_>) -> Outcome {
    let mut filters = Filters::read("images", call.parameter("filters"))?;
    let state = call.state();
    let created = |name: &str| Ok(text(&state.image(name)?.view(), "/Created").to_owned());
    filters.map("before", created)?;
    filters.map("since", created)?;
    let mut found = Vec::new();
    for view in state.images.iter().rev().map(Image::view) {
        if filters.fit(&view)? {
            found.push(shaped(template!("image_summary.json"), &view));
        }
    }
    if call.since(44) {
        found.iter_mut().for_each(|image| drop(take(image, "VirtualSize")));
    }
    Ok(Reply::Json(200, found.into()))
}

pub fn inspect(call: &mut Call<'_, '_>, name: &str) -> Outcome {
    let view = call.state().image(name)?.view();
    let mut shown = shaped(template!("image_inspect.json"), &view);
    fill!(shown, DockerVersion: VERSION, Architecture: arch());
    for (version, name) in [(44, "VirtualSize"), (45, "ContainerConfig")] {
        if call.since(version) {
            take(&mut shown, name);
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
    let (new, mut state) = (new_name(call)?, call.state());
    let id = state.image(name)?.id.clone();
    state.tag(&id, &new);
    state.emit_image("tag", &id, &new);
    Ok(Reply::Empty(201))
}

pub fn delete(call: &mut Call<'_, '_>, name: &str) -> Outcome {
    let (force, mut state) = (call.truth("force"), call.state());
    let image = state.image(name)?;
    let (id, short, tags) = (image.id.clone(), &image.id[7..19], image.names(false));
    let full = Reference::parse(name).map(|reference| reference.full()).unwrap_or_default();
    let by_name = image.names.contains(&full);
    let is_last = !by_name || tags.len() <= 1;
    let uses = |container: &&Arc<Task>| text(&lock(&container.shown), "/Image") == id;
    let user = state.containers.iter().find(uses);
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
    Ok(Reply::Json(200, reply.into()))
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
    let names = image.names.clone();
    let digest = names.iter().find_map(|name| name.split('@').nth(1)).unwrap_or_default();
    let known = call.state().find_image(&image.id).is_some();
    let outcome = if known { "Image is up to date for" } else { "Downloaded newer image for" };
    let lines = [
        object!(status: format!("Pulling from {repository}"), id: &version[1..]),
        object!(status: format!("Digest: {digest}")),
        object!(status: format!("Status: {outcome} {repository}{version}")),
    ];
    call.state().add(image, &names, "pull");
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
    let has_changes = call.parameters("changes").next().is_some();
    ensure!(!has_changes, 501, "this demonstration has no changes of an import");
    let mut files = Files::default();
    files.extract("/", &call.request.bytes(CONTENT)?)?;
    let image = Image::new(template!("config.json"), files, "");
    let names: Vec<String> = new_name(call).into_iter().collect();
    let id = call.state().add(image, &names, "import");
    progress(call, &[object!(status: id)])
}
