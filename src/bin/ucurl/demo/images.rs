//! Images: the list, one of them, names, removal, pull and import.

use super::api::{CONTENT, Call, Filters, Outcome, Reply, VERSION, send_line};
use super::engine::{Image, arch, published};
use super::files::Files;
use super::json::{filled, object, remove};
use super::names::{Reference, registry, told};
use std::time::UNIX_EPOCH;
use unix_http::base::time::rfc3339;
use unix_http::json::Value;

pub fn list(call: &mut Call<'_, '_>) -> Outcome {
    let filters = Filters::read(call, "before dangling label reference since")?;
    let dangling = filters.truth("dangling")?;
    let state = call.engine.state();
    let is_between = filters.between(&|name| Ok(state.image(name)?.created))?;
    let nothing = Value::Null;
    let mut shown = Vec::new();
    for image in state.images.iter().rev() {
        let named = |pattern: &String| {
            let short =
                |name: &String| name.split([':', '@']).next().unwrap_or_default().to_owned();
            image.names.iter().any(|name| glob(pattern, name) || glob(pattern, &short(name)))
        };
        let labels = image.config.get("Labels").unwrap_or(&nothing);
        let is_dangling = image.names(false).is_empty();
        if filters.any("reference", named)
            && is_between(image.created)
            && filters.has_labels(labels)
            && dangling.is_none_or(|wanted| wanted == is_dangling)
        {
            let created = image.created.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
            let labels = if labels.members().is_empty() { &nothing } else { labels };
            let size = image.files.size();
            let mut one = filled!("image_summary.json", Created: created as i64, Id: &image.id,
                Labels: labels.clone(), ParentId: &image.parent, RepoDigests: image.names(true),
                RepoTags: image.names(false), Size: size, VirtualSize: size);
            if call.since(44) {
                remove(&mut one, &["VirtualSize"]);
            }
            shown.push(one);
        }
    }
    Ok(Reply::Json(200, Value::Array(shown)))
}

/// Whether a text fits a pattern in which `*` stands for any characters.
fn glob(pattern: &str, text: &str) -> bool {
    let Some((before, after)) = pattern.split_once('*') else { return pattern == text };
    let rests =
        text.strip_prefix(before).map(|rest| rest.char_indices().map(|(at, _)| &rest[at..]));
    rests.is_some_and(|rests| rests.chain([""]).any(|rest| glob(after, rest)))
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
        let conflict = match user.map(|user| &user.id[..12]) {
            _ if force && (by_name || !running) => String::new(),
            Some(user) if by_name && is_last => format!(
                "unable to remove repository reference \"{name}\" (must force) - \
                 container {user} is using its referenced image {short}"
            ),
            Some(user) if !by_name => {
                let how = if running { "cannot be forced" } else { "must be forced" };
                let kind = if running { "running" } else { "stopped" };
                let why = format!("image is being used by {kind} container {user}");
                format!("unable to delete {short} ({how}) - {why}")
            }
            None if !by_name && tags.len() > 1 => {
                let why = "image is referenced in multiple repositories";
                format!("unable to delete {short} (must be forced) - {why}")
            }
            _ => String::new(),
        };
        if !conflict.is_empty() {
            return told!(409, "conflict: {conflict}");
        }
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
    if !known {
        let nothing = Value::Object(Vec::new());
        send_line(
            &mut body,
            &object!(status: "Pull complete", progressDetail: nothing, id: short),
        )?;
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
    if call.parameters("changes").next().is_some() {
        return told!(501, "this demonstration has no changes at an import");
    }
    let image = Image::new(filled!("config.json"), files, String::new());
    let name = Reference::parse(name.trim_end_matches(':')).map(|name| name.full());
    let names: Vec<String> = name.into_iter().collect();
    let id = call.engine.change(|state| state.add(image, &names, "import"));
    let mut body = call.stream("application/json")?;
    send_line(&mut body, &object!(status: id))?;
    Ok(Reply::Sent(body.finish()?))
}
