//! Images: list, inspect, tag, remove, pull and import.

use super::api::*;
use super::files::Files;
use super::filters::Filters;

pub fn list(call: &mut Call<'_, '_>) -> Outcome {
    let state = call.state();
    let filters = Filters::read(&state, "images", call.parameter("filters"))?;
    let views = state.images.iter().rev().map(Image::view).filter(|view| filters.fit(view));
    let found = views.map(|view| shown(call, template!("image_summary.json"), &view));
    Ok(Reply::Json(200, found.collect::<Vec<_>>().into()))
}

pub fn inspect(call: &mut Call<'_, '_>) -> Outcome {
    let template = parsed(&filled_in(include_str!("image_inspect.json")));
    let view = call.state().image(&call.name)?.view();
    Ok(Reply::Json(200, shown(call, template, &view)))
}

/// Shapes an image, without the members that newer API versions no longer have.
fn shown(call: &Call<'_, '_>, template: Value, view: &Value) -> Value {
    let mut shown = shaped(template, view);
    for (version, name) in [(44, "VirtualSize"), (45, "ContainerConfig")] {
        if call.since(version) {
            take(&mut shown, name);
        }
    }
    shown
}

/// Reads the name in the parameters `repo` and `tag`.
fn new_name(call: &Call<'_, '_>) -> io::Result<String> {
    full_name([call.parameter("repo"), call.parameter("tag")].join(":").trim_end_matches(':'))
}

pub fn tag(call: &mut Call<'_, '_>) -> Outcome {
    let (new, mut state) = (new_name(call)?, call.state());
    let id = state.image(&call.name)?.id.clone();
    state.tag(&id, &new);
    state.emit("image", "tag", &id, object!(name: new));
    Ok(Reply::Empty(201))
}

pub fn delete(call: &mut Call<'_, '_>) -> Outcome {
    let (name, force, mut state) = (&call.name, call.truth("force"), call.state());
    let image = state.image(name)?;
    let (id, short, tags) = (image.id.clone(), &image.id[7..19], image.names(false).len());
    let full = full_name(name).unwrap_or_default();
    let by_name = image.names.contains(&full);
    let is_last = !by_name || tags <= 1;
    let uses = |container: &&Arc<Task>| text(&lock(&container.shown), "/Image") == id;
    let user = state.containers.iter().find(uses);
    let running = user.is_some_and(|container| container.is_running());
    let user = user.map_or("", |user| &user.id[..12]);
    let (how, kind) = if running { ("cannot", "running") } else { ("must", "stopped") };
    let is_unused = force || !by_name || !is_last || user.is_empty();
    ensure!(is_unused, "image-name-in-use", name, user, short);
    let is_free = by_name || force && !running;
    ensure!(is_free || user.is_empty(), "image-in-use", short, how, kind, user);
    ensure!(is_free || tags <= 1, "image-names", short);
    let gone = if is_last { image.names.clone() } else { vec![full] };
    state.images.iter_mut().for_each(|image| image.names.retain(|name| !gone.contains(name)));
    gone.iter().for_each(|_| state.emit("image", "untag", &id, object!(name: &id)));
    let mut reply: Vec<Value> = gone.iter().map(|name| object!(Untagged: name)).collect();
    if is_last && !running {
        state.images.retain(|image| image.id != id);
        state.emit("image", "delete", &id, object!(name: &id));
        reply.push(object!(Deleted: id));
    }
    Ok(Reply::Json(200, reply.into()))
}

/// `POST /images/create`: pulls an image, or imports the content with `fromSrc=-`.
pub fn create(call: &mut Call<'_, '_>) -> Outcome {
    let (name, tag) = (call.parameter("fromImage"), call.parameter("tag"));
    if name.is_empty() {
        return import(call);
    }
    let full = full_name(&match tag {
        "" => name.to_owned(),
        digest if digest.contains(':') => format!("{name}@{digest}"),
        tag => format!("{name}:{tag}"),
    })?;
    let is_digest = full.contains('@');
    let Some(mut image) = published(&full) else {
        return Err(match registry(&full) {
            Some(host) => refusal!("pull-no-network", host),
            None if is_digest => refusal!("pull-no-manifest", full),
            None => refusal!("pull-denied", repository(&full)),
        });
    };
    image.names.retain(|name| name.contains('@') || !is_digest);
    let names = image.names.clone();
    let digest = names.iter().find_map(|name| name.split('@').nth(1)).unwrap_or_default();
    let known = call.state().find_image(&image.id).is_some();
    let outcome = if known { "Image is up to date for" } else { "Downloaded newer image for" };
    let version = &full[repository(&full).len() + 1..];
    let lines = [
        object!(status: format!("Pulling from {}", repository(&full)), id: version),
        object!(status: format!("Digest: {digest}")),
        object!(status: format!("Status: {outcome} {full}")),
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
    ensure!(source == "-", "import-source", source);
    let has_changes = call.parameters("changes").next().is_some();
    ensure!(!has_changes, "absent", "changes of an import");
    let mut files = Files::default();
    files.extract("/", &call.request.bytes(CONTENT)?)?;
    let image = Image::new(template!("config.json"), files, "");
    let names: Vec<String> = new_name(call).into_iter().collect();
    let id = call.state().add(image, &names, "import");
    progress(call, &[object!(status: id)])
}
