//! Images: the list, one of them, names, and the ways in and out.

use super::engine::{Command, Image, State, published, split_reference};
use super::files::{self, Files, plain};
use super::reply::{CONTENT, Call, Fault, Outcome, Reply, VERSION};
use super::text::{self, fill, member, pairs, string, strings, words};
use super::time;
use std::io::Write;
use std::time::SystemTime;
use unix_http::docker::sha256_hex;
use unix_http::json::Value;

pub fn list(call: &mut Call<'_, '_>) -> Outcome {
    let filters = super::containers::filters(call)?;
    let named = filters.iter().find(|(name, _)| name == "reference").map(|(_, names)| names);
    let state = call.engine.lock();
    let shown = state.images.iter().rev().filter(|image| {
        let full = |name: &String| split_reference(name);
        named.is_none_or(|names| {
            names.iter().any(|name| image.tags.iter().any(|tag| full(tag) == full(name)))
        })
    });
    let one = |image: &Image| {
        let labels = &image.command.labels;
        fill(
            include_str!("image.json").trim_end(),
            &[
                ("created", &time::unix(image.created).0.to_string()),
                ("id", &string(&image.id)),
                (
                    "labels",
                    &if labels.is_empty() { "null".to_owned() } else { text::object(labels) },
                ),
                ("tags", &strings(&image.tags)),
                ("size", &image.files.size().to_string()),
            ],
        )
    };
    Ok(Reply::Json(200, text::list(shown.map(one)) + "\n"))
}

fn find(state: &State, name: &str) -> Result<usize, Fault> {
    let (repository, tag) = split_reference(name);
    state.image(name).ok_or_else(|| Fault::told(404, &["No such image: ", &repository, ":", &tag]))
}

fn config(command: &Command) -> String {
    let or_null =
        |words: &[String]| if words.is_empty() { "null".to_owned() } else { strings(words) };
    fill(
        include_str!("image_config.json").trim_end(),
        &[
            ("env", &or_null(&command.env)),
            ("cmd", &or_null(&command.cmd)),
            ("directory", &string(&command.directory)),
            ("entrypoint", &or_null(&command.entrypoint)),
            ("labels", &text::object(&command.labels)),
        ],
    )
}

pub fn inspect(call: &mut Call<'_, '_>, name: &str) -> Outcome {
    let state = call.engine.lock();
    let image = &state.images[find(&state, name)?];
    let layer = layer(image);
    let text = fill(
        include_str!("image_inspect.json"),
        &[
            ("id", &string(&image.id)),
            ("tags", &strings(&image.tags)),
            ("created", &string(&time::rfc3339(image.created))),
            ("version", &string(VERSION)),
            ("config", &config(&image.command)),
            ("arch", &string(super::arch())),
            ("size", &image.files.size().to_string()),
            ("layer", &string(&["sha256:", &sha256_hex(&layer)].concat())),
        ],
    );
    Ok(Reply::Json(200, text))
}

fn layer(image: &Image) -> Vec<u8> {
    image.files.archive("/").unwrap_or_default()
}

pub fn tag(call: &mut Call<'_, '_>, name: &str) -> Outcome {
    let new = [
        call.parameter("repo"),
        ":",
        Some(call.parameter("tag")).filter(|t| !t.is_empty()).unwrap_or("latest"),
    ]
    .concat();
    let mut state = call.engine.lock();
    let at = find(&state, name)?;
    state.tag(at, &new);
    let id = state.images[at].id.clone();
    state.emit_image("tag", &id, &new);
    call.engine.notify();
    Ok(Reply::Empty(201))
}

pub fn delete(call: &mut Call<'_, '_>, name: &str) -> Outcome {
    let mut state = call.engine.lock();
    let at = find(&state, name)?;
    let id = state.images[at].id.clone();
    if let Some(container) = state.containers.iter().find(|container| container.image_id == id)
        && !call.truth("force")
    {
        let short = &container.id[..12];
        let why = [
            "conflict: unable to remove repository reference \"",
            name,
            "\" (must force) - container ",
            short,
            " is using its referenced image ",
            &id[7..19],
        ];
        return Err(Fault::told(409, &why));
    }
    let (repository, tag) = split_reference(name);
    let full = [&repository, ":", &tag].concat();
    let untagged: Vec<String> = match state.images[at].tags.contains(&full) {
        true => vec![full],
        false => state.images[at].tags.clone(),
    };
    state.images[at].tags.retain(|tag| !untagged.contains(tag));
    let mut gone = Vec::new();
    for name in &untagged {
        state.emit_image("untag", &id, &id);
        gone.push([r#"{"Untagged":"#, &string(name), "}"].concat());
    }
    if state.images[at].tags.is_empty() {
        state.images.remove(at);
        state.emit_image("delete", &id, &id);
        gone.push([r#"{"Deleted":"#, &string(&id), "}"].concat());
    }
    call.engine.notify();
    Ok(Reply::Json(200, text::list(gone) + "\n"))
}

/// `POST /images/create`: a pull, or with `fromSrc=-` an import of what is sent.
pub fn create(call: &mut Call<'_, '_>) -> Outcome {
    if call.parameter("fromImage").is_empty() { import(call) } else { pull(call) }
}

fn pull(call: &mut Call<'_, '_>) -> Outcome {
    let mut name = call.parameter("fromImage").to_owned();
    if !call.parameter("tag").is_empty() {
        name = [&name, ":", call.parameter("tag")].concat();
    }
    let (repository, tag) = split_reference(&name);
    let host =
        repository.split_once('/').map(|(host, _)| host).filter(|host| host.contains(['.', ':']));
    let Some(image) = published(&repository, &tag) else {
        let why = ", repository does not exist or may require 'docker login': denied: requested access to the resource is denied";
        return Err(match host {
            None => Fault::told(404, &["pull access denied for ", &repository, why]),
            Some(host) => Fault::told(
                500,
                &["Get \"http://", host, "/v2/\": this demonstration has no network"],
            ),
        });
    };
    let mut body = call.stream(Some("application/json"))?;
    let mut line = |text: &str| {
        body.write_all(&[text.as_bytes(), b"\r\n"].concat()).and_then(|()| body.flush())
    };
    line(&fill(
        r#"{"status":{{what}},"id":{{tag}}}"#,
        &[("what", &string(&["Pulling from ", &repository].concat())), ("tag", &string(&tag))],
    ))?;
    let id = image.id.clone();
    let short = string(&id[7..19]);
    let known = call.engine.lock().images.iter().any(|other| other.id == id);
    if !known {
        for step in [
            r#"{"status":"Pulling fs layer","progressDetail":{},"id":{{id}}}"#,
            r#"{"status":"Downloading","progressDetail":{"current":1024,"total":2048},"progress":"[=========================\u003e                         ]  1.024kB/2.048kB","id":{{id}}}"#,
            r#"{"status":"Download complete","progressDetail":{},"id":{{id}}}"#,
            r#"{"status":"Pull complete","progressDetail":{},"id":{{id}}}"#,
        ] {
            line(&fill(step, &[("id", &short)]))?;
        }
    }
    let mut state = call.engine.lock();
    if !known {
        state.images.push(image);
    }
    let full = [&repository, ":", &tag].concat();
    if let Some(at) = state.image(&id) {
        state.tag(at, &full);
    }
    state.emit_image("pull", &full, &repository);
    drop(state);
    call.engine.notify();
    line(&fill(r#"{"status":{{text}}}"#, &[("text", &string(&["Digest: ", &id].concat()))]))?;
    let outcome = if known { "Image is up to date for " } else { "Downloaded newer image for " };
    line(&fill(
        r#"{"status":{{text}}}"#,
        &[("text", &string(&["Status: ", outcome, &full].concat()))],
    ))?;
    Ok(body.finish()?.into())
}

fn import(call: &mut Call<'_, '_>) -> Outcome {
    let (source, repository) = (call.parameter("fromSrc"), call.parameter("repo"));
    if source != "-" {
        return Err(Fault::told(
            500,
            &["this demonstration has no network to import ", source, " from"],
        ));
    }
    let tag = Some(call.parameter("tag")).filter(|tag| !tag.is_empty()).unwrap_or("latest");
    let name = if repository.is_empty() { String::new() } else { [repository, ":", tag].concat() };
    let archive = call.request.bytes(CONTENT)?;
    let mut files = Files::default();
    files.extract("/", &archive).map_err(|why| Fault::told(500, &[why]))?;
    let id = add(&mut call.engine.lock(), Command::default(), files, &[name], "import");
    call.engine.notify();
    let mut body = call.stream(Some("application/json"))?;
    body.write_all([r#"{"status":"#, &string(&id), "}\r\n"].concat().as_bytes())?;
    body.flush()?;
    Ok(body.finish()?.into())
}

/// The same content is the same image.
pub fn content_id(command: &Command, files: &Files) -> String {
    let content = [config(command).as_bytes(), &files.archive("/").unwrap_or_default()].concat();
    ["sha256:", &sha256_hex(&content)].concat()
}

/// Adds an image, if it is not there, and gives it its names.
pub fn add(
    state: &mut State,
    command: Command,
    files: Files,
    names: &[String],
    action: &str,
) -> String {
    let id = content_id(&command, &files);
    let at = state.images.iter().position(|image| image.id == id).unwrap_or_else(|| {
        state.images.push(Image {
            id: id.clone(),
            tags: Vec::new(),
            created: SystemTime::now(),
            command,
            files,
        });
        state.images.len() - 1
    });
    for name in names.iter().filter(|name| !name.is_empty()) {
        state.tag(at, name);
    }
    state.emit_image(action, &id, names.first().filter(|name| !name.is_empty()).unwrap_or(&id));
    id
}

/// `GET /images/get?names=` and `/images/{name}/get`
pub fn save(call: &mut Call<'_, '_>, names: &[String]) -> Outcome {
    let mut archive = Vec::new();
    let state = call.engine.lock();
    let (mut manifest, mut repositories) = (Vec::new(), Vec::new());
    for name in names {
        let image = &state.images[find(&state, name)?];
        let (digits, layer, now) = (&image.id[7..], layer(image), time::unix(image.created).0);
        let diff = sha256_hex(&layer);
        let layer_name = [&diff, "/layer.tar"].concat();
        let text = fill(
            include_str!("saved.json"),
            &[
                ("arch", &string(super::arch())),
                ("config", &config(&image.command)),
                ("created", &string(&time::rfc3339(image.created))),
                ("layer", &string(&["sha256:", &diff].concat())),
            ],
        );
        files::entry(
            &mut archive,
            &[digits, ".json"].concat(),
            &plain(text.trim_end().as_bytes(), now),
        );
        files::entry(&mut archive, &layer_name, &plain(layer, now));
        manifest.push(fill(
            r#"{"Config":{{config}},"RepoTags":{{tags}},"Layers":[{{layer}}]}"#,
            &[
                ("config", &string(&[digits, ".json"].concat())),
                ("tags", &strings(&image.tags)),
                ("layer", &string(&layer_name)),
            ],
        ));
        for tag in &image.tags {
            let (repository, tag) = split_reference(tag);
            repositories.push(
                [string(&repository).as_str(), ":", &text::object(&[(tag, diff.clone())])].concat(),
            );
        }
    }
    drop(state);
    let list = text::list(repositories);
    let repositories = ["{", &list[1..list.len() - 1], "}\n"].concat();
    files::entry(
        &mut archive,
        "manifest.json",
        &plain((text::list(manifest) + "\n").into_bytes(), 0),
    );
    files::entry(&mut archive, "repositories", &plain(repositories.into_bytes(), 0));
    files::finish(&mut archive);
    let mut body = call.stream(Some("application/x-tar"))?;
    body.write_all(&archive)?;
    Ok(body.finish()?.into())
}

pub fn load(call: &mut Call<'_, '_>) -> Outcome {
    let archive = call.request.bytes(CONTENT)?;
    let quiet = call.truth("quiet");
    let mut given = Files::default();
    given.extract("/", &archive).map_err(|why| Fault::told(500, &[why]))?;
    let bad = |why: &str| Fault::told(500, &["invalid archive: ", why]);
    let read = |name: &str| {
        given.content(name).ok_or_else(|| bad("a file that the manifest names is missing"))
    };
    let manifest =
        Value::parse(read("manifest.json")?).map_err(|_| bad("manifest.json is not JSON"))?;
    let mut lines = Vec::new();
    for image in manifest.elements() {
        let saved = Value::parse(read(member(image, "Config"))?)
            .map_err(|_| bad("a config is not JSON"))?;
        let config = saved.get("config").unwrap_or(&Value::Null);
        let command = Command {
            entrypoint: words(config, "Entrypoint"),
            cmd: words(config, "Cmd"),
            env: words(config, "Env"),
            labels: pairs(config, "Labels"),
            directory: member(config, "WorkingDir").to_owned(),
        };
        let mut files = Files::default();
        for layer in words(image, "Layers") {
            let content = read(&layer)?;
            files.extract("/", content).map_err(|why| Fault::told(500, &[why]))?;
            let id = string(layer.get(..12).unwrap_or(&layer));
            lines.push(fill(
                include_str!("loading.json").trim_end(),
                &[("id", &id), ("size", &content.len().to_string())],
            ));
        }
        let names = words(image, "RepoTags");
        let id = add(&mut call.engine.lock(), command, files, &names, "load");
        let loaded = match names.is_empty() {
            true => vec![["Loaded image ID: ", &id, "\n"].concat()],
            false => names.iter().map(|name| ["Loaded image: ", name, "\n"].concat()).collect(),
        };
        lines.extend(loaded.iter().map(|text| [r#"{"stream":"#, &string(text), "}"].concat()));
    }
    call.engine.notify();
    let mut body = call.stream(Some("application/json"))?;
    for line in lines.iter().filter(|line| !quiet || line.starts_with(r#"{"stream"#)) {
        body.write_all(&[line.as_bytes(), b"\r\n"].concat())?;
        body.flush()?;
    }
    Ok(body.finish()?.into())
}
