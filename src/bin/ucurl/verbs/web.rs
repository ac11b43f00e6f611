//! `--web`: the live page of a tap, of a recording and of the demo.

use super::listen::place;
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

/// Returns an observer of the page. The page is served until this closure is dropped.
pub type Web = Box<dyn Fn() -> Box<dyn Observer>>;

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
        Some(text) => place(text)?,
        None => Endpoint::Tcp { host: "127.0.0.1".into(), port: 0 },
    };
    #[cfg(not(feature = "page"))]
    let page: Result<(String, Web), _> = {
        _ = (place, target, started, recording);
        Err("this ucurl was built without the page (the Cargo feature `page`)")
    };
    #[cfg(feature = "page")]
    let page = {
        let words = given.command.iter().flatten();
        let command = words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ");
        let origin = Origin::new(format!("ucurl {verb}"), target.clone(), started);
        Page::bind(&place, origin.command(command).recording(recording)).map(|page| {
            let url = page.url().to_owned();
            (url, Box::new(move || -> Box<dyn Observer> { Box::new(page.observer()) }))
        })
    };
    let (url, web) = page.map_err(|why| format!("--web: {why}"))?;
    say(&format!("{verb}: watch at {url}"));
    if given.has("open") {
        open_browser(&url);
    }
    Ok(Some(web))
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
