//! `POST /build`: a Dockerfile, a line at a time, with the progress as it goes.
//!
//! Known are FROM, RUN (on the demonstration's shell), COPY and ADD of files in the context, CMD,
//! ENTRYPOINT, ENV, LABEL and WORKDIR. Other instructions are named and passed over.

use super::engine::Command;
use super::files::Files;
use super::images;
use super::reply::{CONTENT, Call, Fault, Outcome, engine_fields};
use super::shell::{self, Machine, Stop};
use super::text::{fill, string};
use super::time;
use std::io::{self, Write};
use std::time::{Duration, SystemTime};
use unix_http::docker::sha256_hex;
use unix_http::json::Value;
use unix_http::server::BodyWriter;

/// How long the instructions of a Dockerfile may sleep.
const PATIENCE: Duration = Duration::from_secs(60);

pub fn build(call: &mut Call<'_, '_>) -> Outcome {
    let archive = call.request.bytes(CONTENT)?;
    let mut context = Files::default();
    context.extract("/", &archive).map_err(|why| Fault::told(500, &[why]))?;
    let file =
        Some(call.parameter("dockerfile")).filter(|name| !name.is_empty()).unwrap_or("Dockerfile");
    let Some(text) = context.content(file).map(|text| String::from_utf8_lossy(text).into_owned())
    else {
        return Err(Fault::told(500, &["Cannot locate specified Dockerfile: ", file]));
    };
    let steps = instructions(&text);
    if steps.first().is_none_or(|(name, _)| name != "FROM") {
        return Err(Fault::told(
            400,
            &["dockerfile parse error: no build stage in current context"],
        ));
    }
    let name = call.parameter("t").to_owned();
    let mut building = Build {
        call,
        body: None,
        context,
        command: Command::default(),
        files: Files::default(),
        image: String::new(),
    };
    let count = steps.len().to_string();
    for (number, (name, argument)) in steps.iter().enumerate() {
        let step =
            ["Step ", &(number + 1).to_string(), "/", &count, " : ", name, " ", argument].concat();
        building.say(&step)?;
        building.say("\n")?;
        if let Err((code, why)) = building.step(name, argument)? {
            building.line(&fill(
                r#"{"errorDetail":{"code":{{code}},"message":{{why}}},"error":{{why}}}"#,
                &[("code", &code.to_string()), ("why", &string(&why))],
            ))?;
            return building.finish();
        }
        building.say(&[" ---> ", &building.short(), "\n"].concat())?;
    }
    let names = [if name.is_empty() { String::new() } else { name.clone() }];
    let id = {
        let (command, files) = (building.command.clone(), building.files.clone());
        images::add(&mut building.call.engine.lock(), command, files, &names, "build")
    };
    building.call.engine.notify();
    building.line(&fill(r#"{"aux":{"ID":{{id}}}}"#, &[("id", &string(&id))]))?;
    building.say(&["Successfully built ", &id[7..19], "\n"].concat())?;
    if !name.is_empty() {
        let (repository, tag) = super::engine::split_reference(&name);
        building.say(&["Successfully tagged ", &repository, ":", &tag, "\n"].concat())?;
    }
    building.finish()
}

/// The instructions with their arguments; comments are left out and continued lines joined.
fn instructions(text: &str) -> Vec<(String, String)> {
    let joined = text.replace("\\\r\n", "").replace("\\\n", "");
    let lines =
        joined.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let split = |line: &str| {
        let (name, argument) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        (name.to_ascii_uppercase(), argument.trim().to_owned())
    };
    lines.map(split).collect()
}

struct Build<'c, 'a, 'b> {
    call: &'c mut Call<'a, 'b>,
    body: Option<BodyWriter<'a>>,
    context: Files,
    command: Command,
    files: Files,
    /// Names the state after the last step.
    image: String,
}

impl Build<'_, '_, '_> {
    fn line(&mut self, json: &str) -> Result<(), Fault> {
        let body = match &mut self.body {
            Some(body) => body,
            // dockerd answers before it has read to the end, and Go does not keep such a
            // connection.
            None => {
                let responder = engine_fields(self.call.responder()?, Some("application/json"));
                self.body.insert(responder.close().stream()?)
            }
        };
        body.write_all(&[json.as_bytes(), b"\r\n"].concat())?;
        Ok(body.flush()?)
    }

    fn say(&mut self, text: &str) -> Result<(), Fault> {
        // Go writes < and > so.
        let text = string(text).replace('<', "\\u003c").replace('>', "\\u003e");
        self.line(&[r#"{"stream":"#, &text, "}"].concat())
    }

    fn finish(self) -> Outcome {
        let body = self.body.ok_or(io::Error::from(io::ErrorKind::InvalidInput))?;
        Ok(body.finish()?.into())
    }

    fn short(&self) -> String {
        self.image.get(..12).unwrap_or_default().to_owned()
    }

    /// Follows an instruction; what is wrong with it, and the exit status of what it ran.
    fn step(&mut self, name: &str, argument: &str) -> Result<Result<(), (i64, String)>, Fault> {
        let words = || argument.split_whitespace();
        match name {
            "FROM" => {
                let state = self.call.engine.lock();
                let from = words().next().unwrap_or_default();
                match state.image(from) {
                    Some(at) => {
                        let image = &state.images[at];
                        (self.command, self.files) = (image.command.clone(), image.files.clone());
                        self.image = image.id[7..].to_owned();
                        return Ok(Ok(()));
                    }
                    None if from == "scratch" => {}
                    None => {
                        return Ok(Err((
                            1,
                            ["pull access denied for ", from, ", repository does not exist"]
                                .concat(),
                        )));
                    }
                }
            }
            "RUN" => {
                let container =
                    sha256_hex([&self.image, argument].concat().as_bytes())[..12].to_owned();
                self.say(&[" ---> Running in ", &container, "\n"].concat())?;
                let argv = exec_form(argument);
                let shown = argv.join(" ");
                let status = self.run(&argv)?;
                if status != 0 {
                    let status_text = status.to_string();
                    return Ok(Err((
                        status,
                        ["The command '", &shown, "' returned a non-zero code: ", &status_text]
                            .concat(),
                    )));
                }
                self.say(&["Removing intermediate container ", &container, "\n"].concat())?;
            }
            "COPY" | "ADD" => {
                let mut paths: Vec<&str> = words().filter(|word| !word.starts_with("--")).collect();
                let target = paths.pop().unwrap_or("/");
                for path in paths {
                    if !self.files.copy(&self.context, path, target) {
                        let why = [
                            name,
                            " failed: file not found in build context: stat ",
                            path,
                            ": file does not exist",
                        ];
                        return Ok(Err((1, why.concat())));
                    }
                }
            }
            "CMD" => self.command.cmd = exec_form(argument),
            "ENTRYPOINT" => {
                (self.command.entrypoint, self.command.cmd) = (exec_form(argument), Vec::new())
            }
            "ENV" => self.command.env.push(match argument.split_once(['=', ' ']) {
                Some((name, value)) => [name, "=", value.trim_matches('"')].concat(),
                None => [argument, "="].concat(),
            }),
            "LABEL" => {
                let (name, value) = argument.split_once('=').unwrap_or((argument, ""));
                self.command
                    .labels
                    .push((name.trim_matches('"').to_owned(), value.trim_matches('"').to_owned()));
            }
            "WORKDIR" => self.command.directory = argument.to_owned(),
            _ => {}
        }
        self.image = images::content_id(&self.command, &self.files)[7..].to_owned();
        Ok(Ok(()))
    }

    fn run(&mut self, argv: &[String]) -> Result<i64, Fault> {
        let env: Vec<(String, String)> = self
            .command
            .env
            .iter()
            .filter_map(|pair| pair.split_once('='))
            .map(|(n, v)| (n.into(), v.into()))
            .collect();
        let mut worker = Worker {
            files: std::mem::take(&mut self.files),
            output: Vec::new(),
            slept: Duration::ZERO,
        };
        let status = if argv.is_empty() { Ok(0) } else { shell::run(&mut worker, argv, &env) };
        self.files = worker.files;
        for line in worker.output.split_inclusive(|&b| b == b'\n') {
            self.say(&String::from_utf8_lossy(line))?;
        }
        Ok(status.unwrap_or(137))
    }
}

/// `["a", "b"]` as it is, anything else for the shell.
fn exec_form(argument: &str) -> Vec<String> {
    match Value::parse(argument.as_bytes()) {
        Ok(Value::Array(words)) => {
            words.iter().filter_map(|word| word.as_str().map(str::to_owned)).collect()
        }
        _ => ["/bin/sh", "-c", argument].map(str::to_owned).to_vec(),
    }
}

/// What RUN runs on: no input, and all of its output at its end.
struct Worker {
    files: Files,
    output: Vec<u8>,
    slept: Duration,
}

impl Machine for Worker {
    fn write(&mut self, _: bool, bytes: &[u8]) -> Result<(), Stop> {
        if self.output.len() > 1 << 20 {
            return Err(Stop::Killed);
        }
        self.output.extend_from_slice(bytes);
        Ok(())
    }

    fn sleep(&mut self, time: Duration) -> Result<(), Stop> {
        self.slept += time.max(Duration::from_millis(1));
        if self.slept > PATIENCE {
            return Err(Stop::Killed);
        }
        std::thread::sleep(time);
        Ok(())
    }

    fn read(&mut self) -> Result<Option<Vec<u8>>, Stop> {
        Ok(None)
    }

    fn file(&mut self, path: &str) -> Option<Vec<u8>> {
        self.files.content(path).map(<[u8]>::to_vec)
    }

    fn store(&mut self, path: &str, content: &[u8], append: bool) -> bool {
        self.files.store(path, content, append, time::unix(SystemTime::now()).0)
    }

    fn names(&mut self, path: &str) -> Option<Vec<String>> {
        self.files.names(path)
    }
}
