//! `POST /build`: a Dockerfile, an instruction at a time, with the progress as it goes.

use super::api::{CONTENT, Call, Outcome, engine_fields};
use super::engine::Image;
use super::files::Files;
use super::json::{at, filled, object, text, words, write};
use super::names::{Reference, told};
use super::program::{self, Start, Step};
use std::io::{self, Write};
use std::time::SystemTime;
use unix_http::base::time::rfc3339;
use unix_http::docker::sha256_hex;
use unix_http::json::Value;
use unix_http::server::BodyWriter;

pub fn build(call: &mut Call<'_, '_>) -> Outcome {
    let archive = call.request.bytes(CONTENT)?;
    let mut context = Files::default();
    context.extract("/", &archive).or_else(|why| told(500, why))?;
    let file = call.parameter("dockerfile");
    let file = if file.is_empty() { "Dockerfile" } else { file };
    let Some(dockerfile) = context.file(file).map(String::from_utf8_lossy) else {
        return told(500, format!("Cannot locate specified Dockerfile: {file}"));
    };
    let mut steps = instructions(&dockerfile)?;
    let labels = Value::parse(call.parameter("labels").as_bytes()).unwrap_or(Value::Null);
    for (name, value) in labels.members() {
        steps.push(("LABEL".to_owned(), format!("{name}={}", value.as_str().unwrap_or_default())));
    }
    let tags: Vec<String> = call.parameters("t").map(str::to_owned).collect();
    let quiet = call.truth("q");
    // dockerd answers before it has read to the end, and Go does not keep such a connection.
    let responder = engine_fields(call.responder()?, "application/json").close();
    let (body, image) = (responder.stream()?, None);
    let mut building = Build { call, body, quiet, context: &context, image };
    let count = steps.len();
    for (number, (name, argument)) in steps.iter().enumerate() {
        building.say(&format!("Step {}/{count} : {name} {argument}", number + 1))?;
        building.say("\n")?;
        if let Err((code, why)) = building.step(name, argument)? {
            let mut detail = object!(code: code, message: &why);
            if code == 0 {
                detail = object!(message: &why);
            }
            building.line(&object!(errorDetail: detail, error: &why))?;
            return Ok(building.body.finish()?.into());
        }
        building.say(&format!(" ---> {}\n", building.short()))?;
    }
    building.finish(&tags)
}

/// The instructions with their arguments; comments are left out and continued lines joined.
fn instructions(dockerfile: &str) -> io::Result<Vec<(String, String)>> {
    const KNOWN: [&str; 12] = [
        "ADD",
        "CMD",
        "COPY",
        "ENTRYPOINT",
        "ENV",
        "EXPOSE",
        "FROM",
        "LABEL",
        "RUN",
        "USER",
        "VOLUME",
        "WORKDIR",
    ];
    const ABSENT: [&str; 6] =
        ["ARG", "HEALTHCHECK", "MAINTAINER", "ONBUILD", "SHELL", "STOPSIGNAL"];
    let mut steps = Vec::new();
    for (number, line) in dockerfile.replace("\\\r\n", "").replace("\\\n", "").lines().enumerate() {
        let line = line.trim();
        let (name, argument) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let name = name.to_ascii_uppercase();
        match &name[..] {
            "" => {}
            comment if comment.starts_with('#') => {}
            known if KNOWN.contains(&known) => steps.push((name, argument.trim().to_owned())),
            absent if ABSENT.contains(&absent) => {
                return told(
                    501,
                    format!("this demonstration has no Dockerfile instruction {absent}"),
                );
            }
            other => {
                let why = format!(
                    "dockerfile parse error on line {}: unknown instruction: {other}",
                    number + 1
                );
                return told(400, why);
            }
        }
    }
    match steps.first() {
        None => told(400, "failed to parse Dockerfile: file with no instructions"),
        Some((name, _)) if name != "FROM" => told(400, "no build stage in current context"),
        Some(_) => Ok(steps),
    }
}

struct Build<'c, 'a, 'b> {
    call: &'c mut Call<'a, 'b>,
    body: BodyWriter<'a>,
    quiet: bool,
    context: &'c Files,
    /// What the steps so far have made.
    image: Option<Image>,
}

/// Why a step failed: the exit status of what it ran, or 0, and text.
type Failed = (i64, String);

impl Build<'_, '_, '_> {
    fn line(&mut self, json: &Value) -> io::Result<()> {
        self.body.write_all((write(json) + "\r\n").as_bytes())?;
        self.body.flush()
    }

    fn say(&mut self, text: &str) -> io::Result<()> {
        if self.quiet { Ok(()) } else { self.line(&object!(stream: text)) }
    }

    fn id(&self) -> &str {
        self.image.as_ref().map_or("sha256:000000000000", |image| &image.id)
    }

    fn short(&self) -> String {
        self.id()[7..19].to_owned()
    }

    /// Follows an instruction.
    fn step(&mut self, name: &str, argument: &str) -> io::Result<Result<(), Failed>> {
        let (mut config, mut files, mut history) = match &self.image {
            Some(image) => {
                let history = image.record.get("history").map_or(&[][..], Value::elements);
                (image.config().clone(), image.files.clone(), history.to_vec())
            }
            None => (filled!("config.json"), Files::default(), Vec::new()),
        };
        let mut created_by = format!("/bin/sh -c #(nop)  {name} {argument}");
        match name {
            "FROM" => return Ok(self.from(argument)),
            "RUN" => {
                let argv = command(argument);
                created_by = argv.join(" ");
                let failed = self.run(argv, &config, &mut files)?;
                if let Err(failed) = failed {
                    return Ok(Err(failed));
                }
            }
            "COPY" | "ADD" => {
                let words = argument.split_whitespace().filter(|word| !word.starts_with("--"));
                let mut paths: Vec<&str> = words.collect();
                let target = paths.pop().unwrap_or("/");
                for path in paths {
                    if !files.copy(self.context, path, target) {
                        return Ok(Err((
                            0,
                            format!(
                                "{name} failed: file not found in build context or excluded by .dockerignore: stat {path}: file does not exist"
                            ),
                        )));
                    }
                }
            }
            _ => {
                configure(&mut config, &format!("{name} {argument}"))?;
                let id = sha256_hex(format!("{}{argument}", self.id()).as_bytes());
                self.say(&format!(" ---> Running in {}\n", &id[..12]))?;
                self.say(&format!(" ---> Removed intermediate container {}\n", &id[..12]))?;
            }
        }
        let now = rfc3339(SystemTime::now(), 9);
        history.push(object!(created: &now, created_by: created_by));
        let parent = self.image.as_ref().map(|image| image.id.clone()).unwrap_or_default();
        self.image = Some(Image { parent, ..Image::new(&config, files, now, history) });
        Ok(Ok(()))
    }

    fn from(&mut self, argument: &str) -> Result<(), Failed> {
        let name = argument.split_whitespace().next().unwrap_or_default();
        let state = self.call.engine.state();
        match state.find_image(name) {
            Some(image) => self.image = Some(image.clone()),
            None if name == "scratch" => {}
            None => {
                return Err((
                    0,
                    format!(
                        "pull access denied for {name}, repository does not exist or may require 'docker login'"
                    ),
                ));
            }
        }
        Ok(())
    }

    fn run(
        &mut self,
        argv: Vec<String>,
        config: &Value,
        files: &mut Files,
    ) -> io::Result<Result<(), Failed>> {
        let container =
            sha256_hex(format!("{}{}", self.id(), argv.join(" ")).as_bytes())[..12].to_owned();
        self.say(&format!(" ---> Running in {container}\n"))?;
        let pairs = words(config, "Env");
        let pairs = pairs.iter().filter_map(|pair| pair.split_once('='));
        let variables = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let directory = text(config, "WorkingDir").to_owned();
        let shown = argv.join(" ");
        let (steps, status) = program::plan(&Start { argv, variables, directory }, files);
        for step in steps {
            match step {
                Step::Write { data, .. } => self.say(&String::from_utf8_lossy(&data))?,
                Step::Sleep(time) => {
                    std::thread::sleep(time.min(std::time::Duration::from_secs(60)))
                }
                // There is no input.
                Step::Copy { .. } | Step::Shell => {}
            }
        }
        if status != 0 {
            return Ok(Err((
                status,
                format!("The command '{shown}' returned a non-zero code: {status}"),
            )));
        }
        self.say(&format!(" ---> Removed intermediate container {container}\n"))?;
        Ok(Ok(()))
    }

    fn finish(mut self, tags: &[String]) -> Outcome {
        let id = self.id().to_owned();
        let mut names = Vec::new();
        for tag in tags {
            names.push(Reference::parse(tag)?.full());
        }
        let image = self.image.take();
        self.call.engine.change(|state| image.map(|image| state.add(image, &names, "build")));
        if self.quiet {
            self.line(&object!(stream: format!("{id}\n")))?;
        } else {
            self.line(&object!(aux: object!(ID: &id)))?;
        }
        self.say(&format!("Successfully built {}\n", &id[7..19]))?;
        for name in &names {
            self.say(&format!("Successfully tagged {name}\n"))?;
        }
        Ok(self.body.finish()?.into())
    }
}

/// `["a", "b"]` as it is, anything else for the shell.
fn command(argument: &str) -> Vec<String> {
    match Value::parse(argument.as_bytes()) {
        Ok(list @ Value::Array(_)) => words(&object!(Cmd: list), "Cmd"),
        _ => ["/bin/sh", "-c", argument].map(str::to_owned).to_vec(),
    }
}

/// Changes a config as an instruction says.
pub fn configure(config: &mut Value, instruction: &str) -> io::Result<()> {
    let (name, argument) = instruction.split_once(' ').unwrap_or((instruction, ""));
    let (key, value) = argument.split_once(['=', ' ']).unwrap_or((argument, ""));
    let value = value.trim_matches('"');
    match name {
        "CMD" => *at(config, &["Cmd"]) = command(argument).into(),
        "ENTRYPOINT" => {
            *at(config, &["Entrypoint"]) = command(argument).into();
            *at(config, &["Cmd"]) = Value::Null;
        }
        "ENV" => {
            let mut env = words(config, "Env");
            env.retain(|pair| pair.split('=').next() != Some(key));
            env.push(format!("{key}={value}"));
            *at(config, &["Env"]) = env.into();
        }
        "LABEL" => *at(config, &["Labels", key.trim_matches('"')]) = value.into(),
        "WORKDIR" => *at(config, &["WorkingDir"]) = argument.into(),
        "USER" => *at(config, &["User"]) = argument.into(),
        "EXPOSE" => {
            *at(config, &["ExposedPorts", &format!("{argument}/tcp")]) = Value::Object(Vec::new())
        }
        "VOLUME" => *at(config, &["Volumes", argument]) = Value::Object(Vec::new()),
        _ => return told(501, format!("this demonstration has no Dockerfile instruction {name}")),
    }
    Ok(())
}
