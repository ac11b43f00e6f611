//! `--web`: the live page of a tap, of a recording and of the demo.

use super::serve;
use super::supervise::Front;
use crate::args::given::Given;
use crate::console::say;
use std::io;
use std::process::{Command, Stdio};
use std::thread;
use std::time::SystemTime;
#[cfg(feature = "page")]
use unix_http::tap::{Origin, Page};
use unix_http::traffic::Observer;
use unix_http::transport::Endpoint;

/// The page, and the verb that shows it.
pub struct Web {
    observers: Observers,
    verb: &'static str,
}

/// Returns an observer of the page. The page is served until this closure is dropped.
type Observers = Box<dyn Fn() -> Box<dyn Observer>>;

/// Serves the page of `--web` and prints its address; `None` without `--web`.
pub fn open(
    given: &Given,
    target: &Endpoint,
    started: SystemTime,
    recording: bool,
) -> Result<Option<Web>, String> {
    if !given.has("web") {
        let open = given.has("open");
        return if open { Err("--open needs --web".into()) } else { Ok(None) };
    }
    let verb = given.verb.name();
    let place = match given.value("web").filter(|text| !text.is_empty()) {
        Some(text) => serve::place(text)?,
        None => Endpoint::Tcp { host: "127.0.0.1".into(), port: 0 },
    };
    let page = bind(given, &place, target, started, recording);
    let (url, observers) = page.map_err(|why| format!("--web: {why}"))?;
    say(&format!("{verb}: watch at {url}"));
    if given.has("open") {
        open_browser(&url);
    }
    Ok(Some(Web { observers, verb }))
}

#[cfg(feature = "page")]
fn bind(
    given: &Given,
    place: &Endpoint,
    target: &Endpoint,
    started: SystemTime,
    recording: bool,
) -> Result<(String, Observers), String> {
    let program = format!("ucurl {}", given.verb.name());
    let words = given.command.iter().flatten();
    let command = words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ");
    let origin = Origin::new(program, target.clone(), started);
    let page = Page::bind(place, origin.command(command).recording(recording))
        .map_err(|error| error.to_string())?;
    Ok((page.url().to_owned(), Box::new(move || Box::new(page.observer()))))
}

#[cfg(not(feature = "page"))]
fn bind(
    _: &Given,
    _: &Endpoint,
    _: &Endpoint,
    _: SystemTime,
    _: bool,
) -> Result<(String, Observers), String> {
    Err("this ucurl was built without the page (the Cargo feature `page`)".into())
}

impl Web {
    pub fn observer(&self) -> Box<dyn Observer> {
        (self.observers)()
    }

    /// Keeps the page after the command has ended with `code`, until the front asks to stop.
    pub fn stay(&self, front: &Front, code: i32) {
        say(&format!("{}: the page stays until Ctrl-C", self.verb));
        front.stay(code);
    }
}

/// Starts the program that opens a browser. The address is on its command line, where other users
/// of this machine can read it.
fn open_browser(url: &str) {
    let program = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let mut command = Command::new(program);
    command.arg(url).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    match command.spawn() {
        Ok(mut child) => _ = thread::spawn(move || child.wait()),
        Err(error) => {
            let why = match error.kind() {
                io::ErrorKind::NotFound => "it is not installed".into(),
                _ => error.to_string(),
            };
            say(&format!("--open: cannot start {program}: {why}; open the address yourself"));
        }
    }
}
