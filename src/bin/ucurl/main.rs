//! ucurl: curl's command line for HTTP over Unix domain sockets.
#![forbid(unsafe_code)]
// The names of flags, exit codes and parts of URLs explain themselves.
#![allow(missing_docs)]

mod args;
mod console;
mod content;
#[cfg(feature = "commands")]
mod demo;
mod fetch;
mod output;
mod plan;
#[cfg(feature = "commands")]
mod verbs;

use args::config::Config;
use args::exit::Exit;
use args::{manual, parse};
use console::{print, say};
use std::ffi::OsStr;
use std::io::{self, Read as _, Write as _};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use unix_http::base::nearest::nearest;

const VERBS: [&str; 5] = ["demo", "tap", "guard", "replay", "sockets"];

/// Stands in for the verbs in a build without the Cargo feature `commands`, which is a third
/// smaller.
#[cfg(not(feature = "commands"))]
mod verbs {
    use crate::args::config::ABSENT;

    pub fn run(_: &str, _: &[Vec<u8>]) -> Result<i32, String> {
        Err(ABSENT.to_owned())
    }
}

fn main() {
    let args: Vec<Vec<u8>> = std::env::args_os().skip(1).map(|arg| arg.into_vec()).collect();
    let first = args.first().map_or(&b""[..], Vec::as_slice);
    std::process::exit(match VERBS.into_iter().find(|verb| verb.as_bytes() == first) {
        Some(verb) => verbs::run(verb, &args).unwrap_or_else(|why| {
            say(&format!("{verb}: {why}"));
            Exit::Usage as i32
        }),
        None => command(&args) as i32,
    });
}

/// Runs curl's command line.
fn command(args: &[Vec<u8>]) -> Exit {
    match args {
        [] => {
            say("no URL given; try: ucurl --demo --explain /version (help: ucurl -h)");
            return Exit::Usage;
        }
        [word, topic @ ..] if word == b"help" => {
            return print(&manual::help(topic.first().map(Vec::as_slice)));
        }
        [word, ..] if word == b"version" => return print(&manual::version()),
        [word, ..] => {
            if let Some(verb) = mistyped(word) {
                let word = word.escape_ascii();
                say(&format!(
                    "{word} is not a command; did you mean {verb}? (as a host: http://{word}/)"
                ));
                return Exit::Usage;
            }
        }
    }
    let (config, result) = parse::parse(args.iter().map(Vec::as_slice), &mut read_file);
    let Err(stop) = result else { return transfers(config) };
    for warning in &config.warnings {
        _ = io::stderr().write_all(&[b"Warning: ", &warning[..], b"\n"].concat());
    }
    if stop.exit == Exit::Ok {
        return print(&stop.text);
    }
    say(&stop.line());
    stop.exit
}

/// Returns the verb that a word in the place of one was probably meant to be.
fn mistyped(word: &[u8]) -> Option<&'static str> {
    let word = str::from_utf8(word).ok()?;
    let is_word = word.bytes().all(|byte| byte.is_ascii_alphabetic());
    nearest(word, VERBS.into_iter().chain(["help", "version"])).filter(|_| is_word)
}

/// Runs the transfers; with `--demo`, the engine lives as long as they do.
fn transfers(config: Config) -> Exit {
    #[cfg(feature = "commands")]
    if config.global.demo {
        return match verbs::start_demo() {
            Ok(demo) => fetch::run::run(config, Some(demo.server.endpoint())),
            Err(error) => {
                say(&format!("--demo: {error}"));
                Exit::Connect
            }
        };
    }
    fetch::run::run(config, None)
}

/// Reads a file; `-` is stdin.
fn read_file(name: &[u8]) -> io::Result<Vec<u8>> {
    if name != b"-" {
        return std::fs::read(OsStr::from_bytes(name));
    }
    let mut bytes = Vec::new();
    io::stdin().read_to_end(&mut bytes)?;
    Ok(bytes)
}
