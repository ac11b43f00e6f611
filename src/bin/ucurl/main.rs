//! ucurl: curl's command line for HTTP over Unix domain sockets.
#![forbid(unsafe_code)]
// The table of flags, curl's exit codes and its URLs explain themselves by name.
#![allow(missing_docs)]

mod args;
#[cfg(feature = "commands")]
mod demo;
mod explain;
mod fetch;
mod output;
mod verbs;

use args::config::Config;
use args::exit::Exit;
use args::parse::Stop;
use args::{generate, help, parse};
use fetch::run;
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt};

fn main() {
    let args: Vec<Vec<u8>> = std::env::args_os().skip(1).map(OsStringExt::into_vec).collect();
    let code = match args.first().and_then(|name| verbs::run(name, &args)) {
        Some(code) => code,
        None => command(&args) as i32,
    };
    std::process::exit(code);
}

fn command(args: &[Vec<u8>]) -> Exit {
    if args.is_empty() {
        return usage(b"", b"no URL; to begin with: ucurl --demo --explain /version", Exit::Usage);
    }
    let (config, result) = parse::parse(args.iter().map(Vec::as_slice), &mut read_file);
    if result.is_err() {
        warn(&config);
    }
    match result {
        Ok(()) => transfers(config),
        Err(Stop::Help(topic)) => print(&help::help(topic.as_deref())),
        Err(Stop::Manual) => print(&help::manual()),
        Err(Stop::Version) => print(&help::version()),
        Err(Stop::Generate(kind)) => match generate::generate(&kind) {
            Some(text) => print(&text),
            None => usage(b"--generate", b"makes man, bash, zsh, fish or markdown", Exit::Usage),
        },
        Err(Stop::Bad { option, why, exit }) => usage(&option, why.as_bytes(), exit),
    }
}

#[cfg(not(feature = "commands"))]
fn transfers(config: Config) -> Exit {
    run::run(config)
}

/// Runs the transfers; with `--demo`, the engine lives as long as they do.
#[cfg(feature = "commands")]
fn transfers(mut config: Config) -> Exit {
    let demo = match config.global.demo.then(demo::start).transpose() {
        Ok(demo) => demo,
        Err(error) => {
            say(&format!("--demo: {error}"));
            return Exit::Connect;
        }
    };
    if let Some(demo) = &demo {
        config.groups.iter_mut().for_each(|group| group.socket = Some(demo.socket()));
    }
    run::run(config)
}

/// A file's bytes; `-` is stdin.
fn read_file(name: &[u8]) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    match name {
        b"-" => io::stdin().lock().read_to_end(&mut bytes)?,
        name => File::open(std::ffi::OsStr::from_bytes(name))?.read_to_end(&mut bytes)?,
    };
    Ok(bytes)
}

fn print(text: &str) -> Exit {
    match io::stdout().write_all(text.as_bytes()) {
        Ok(()) => Exit::Ok,
        Err(_) => Exit::Write,
    }
}

/// One line that no option silences.
fn say(text: &str) {
    _ = io::stderr().write_all(["ucurl: ", text, "\n"].concat().as_bytes());
}

/// One line about the command line, whatever `-s` says.
fn usage(option: &[u8], why: &[u8], exit: Exit) -> Exit {
    let line = match option {
        b"" => [b"ucurl: ", why, b"; -h helps\n"].concat(),
        option => [b"ucurl: option ", option, b": ", why, b"\n"].concat(),
    };
    _ = io::stderr().write_all(&line);
    exit
}

fn warn(config: &Config) {
    for warning in &config.warnings {
        _ = io::stderr().write_all(&[b"Warning: ", &warning[..], b"\n"].concat());
    }
}
