//! `POST /build`: follows a Dockerfile and streams the progress.

use super::api::*;
use super::files::Files;
use super::program;
use unix_http::server::{BodyWriter, Refusal};

const INSTRUCTIONS: &str = "ADD ARG CMD COPY ENTRYPOINT ENV EXPOSE FROM HEALTHCHECK LABEL \
    MAINTAINER ONBUILD RUN SHELL STOPSIGNAL USER VOLUME WORKDIR";

pub fn build(call: &mut Call<'_, '_>) -> Outcome {
    let mut context = Files::default();
    context.extract("/", &call.request.bytes(CONTENT)?)?;
    let file = call.parameter("dockerfile");
    let file = if file.is_empty() { "Dockerfile" } else { file };
    let dockerfile = context.file(file).ok_or_else(|| refusal!("build-no-file", file))?;
    let steps = instructions(&String::from_utf8_lossy(dockerfile))?;
    let has_labels = !matches!(call.parameter("labels"), "" | "{}" | "null");
    ensure!(!has_labels, "absent", "labels of a build");
    let tags: Vec<String> = call.parameters("t").map(full_name).collect::<io::Result<_>>()?;
    // dockerd answers before it has read all of the content. Go closes such a connection.
    let body = engine_fields(call.responder()?, "application/json").close().stream()?;
    let image = Image::new(template!("config.json"), Files::default(), "");
    let (engine, quiet) = (call.engine, call.truth("q"));
    let mut building = Build { engine, quiet, body, context, image };
    if let Err(error) = building.run_all(&steps, &tags) {
        // It is too late for a status-code.
        let Some((code, why)) = told(&error) else { return Err(error) };
        let detail = match code {
            0 | 501 => object!(message: why),
            code => object!(code: i64::from(code), message: why),
        };
        send_line(&mut building.body, &object!(errorDetail: detail, error: why))?;
    }
    Ok(Reply::Sent(building.body.finish()?))
}

/// Splits a Dockerfile into instructions with their arguments. Joins continued lines and leaves
/// comments out.
fn instructions(dockerfile: &str) -> io::Result<Vec<(String, String)>> {
    let mut steps = Vec::new();
    for (number, line) in dockerfile.replace("\\\r\n", "").replace("\\\n", "").lines().enumerate() {
        let line = line.trim();
        let (name, argument) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let name = name.to_ascii_uppercase();
        if name.is_empty() || name.starts_with('#') {
            continue;
        }
        let is_known = INSTRUCTIONS.split(' ').any(|known| known == name);
        ensure!(is_known, "build-unknown", number + 1, name);
        steps.push((name, argument.trim().to_owned()));
    }
    ensure!(!steps.is_empty(), "build-no-instructions");
    ensure!(steps[0].0 == "FROM", "build-no-stage");
    Ok(steps)
}

struct Build<'a> {
    engine: &'a Engine,
    quiet: bool,
    body: BodyWriter<'a>,
    context: Files,
    /// The result of the steps so far.
    image: Image,
}

impl Build<'_> {
    fn say(&mut self, text: &str) -> io::Result<()> {
        if self.quiet { Ok(()) } else { send_line(&mut self.body, &object!(stream: text)) }
    }

    fn run_all(&mut self, steps: &[(String, String)], tags: &[String]) -> io::Result<()> {
        for (number, (name, argument)) in steps.iter().enumerate() {
            self.say(&format!("Step {}/{} : {name} {argument}", number + 1, steps.len()))?;
            self.say("\n")?;
            self.step(name, argument)?;
            self.say(&format!(" ---> {}\n", &self.image.id[7..19]))?;
        }
        let id = lock(self.engine).add(self.image.clone(), tags, "build");
        let last = match self.quiet {
            true => object!(stream: format!("{id}\n")),
            false => object!(aux: object!(ID: &id)),
        };
        send_line(&mut self.body, &last)?;
        self.say(&format!("Successfully built {}\n", &id[7..19]))?;
        tags.iter().try_for_each(|name| self.say(&format!("Successfully tagged {name}\n")))
    }

    /// Follows an instruction. In place of a status-code, an error has the exit status of the
    /// command, or 0.
    fn step(&mut self, name: &str, argument: &str) -> io::Result<()> {
        match name {
            "FROM" => {
                let found = lock(self.engine).find_image(argument).cloned();
                ensure!(found.is_some() || argument == "scratch", "build-from", argument);
                self.image = found.unwrap_or(self.image.clone());
                return Ok(());
            }
            "COPY" => {
                ensure!(!argument.contains("--"), "absent", "options of COPY");
                let mut paths: Vec<&str> = argument.split_whitespace().collect();
                let target = paths.pop().unwrap_or("/");
                for path in paths {
                    ensure!(self.context.has(path), "build-copy", path);
                    self.image.files.copy(&self.context, path, target);
                }
            }
            "RUN" => self.run(command(argument))?,
            "CMD" => fill!(self.image.config, Cmd: command(argument)),
            _ => return Err(refusal!("absent", format!("Dockerfile instruction {name}"))),
        }
        let Image { config, files, id, .. } = self.image.clone();
        self.image = Image::new(config, files, &id);
        Ok(())
    }

    fn run(&mut self, argv: Vec<String>) -> io::Result<()> {
        let why = format!("The command '{}' returned a non-zero code: ", argv.join(" "));
        let files = Arc::new(Mutex::new(self.image.files.clone()));
        let env = words(&self.image.config, "/Env");
        let task = Task { argv, env, files, ..Task::default() };
        let status = program::run(&task);
        for record in &task.run.get().output {
            self.say(&String::from_utf8_lossy(&record.data))?;
        }
        if status == 0 {
            return Ok(());
        }
        Err(Refusal::new(u16::try_from(status).unwrap_or(1), why + &status.to_string()).into())
    }
}

/// Reads a command: `["a", "b"]`, or a script for the shell.
fn command(argument: &str) -> Vec<String> {
    match Value::parse(argument.as_bytes()) {
        Ok(list @ Value::Array(_)) => words(&list, ""),
        _ => ["/bin/sh", "-c", argument].map(str::to_owned).to_vec(),
    }
}
