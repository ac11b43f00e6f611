//! A verb of ucurl with `--web`, and a browser that shows its page.

use super::browser::Browser;
use super::child::{Ended, run, ucurl};
use super::live::Live;
use super::temp::TempDir;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// The method, the target and the status of a row.
const CELLS: &str = "['method', 'target', 'status'].map(name =>
    row.querySelector(`.${name}`).textContent.trim()).join(' ')";

/// The rows in the document from top to bottom, a line each.
fn rows() -> String {
    format!(
        "[...document.querySelectorAll('#rows .row')]
            .sort((one, other) => one.ariaRowIndex - other.ariaRowIndex)
            .map(row => {CELLS}).join('\\n')"
    )
}

/// A process that serves the page, ended on drop, and the browser.
pub struct Page {
    pub browser: Browser,
    pub url: String,
    dir: TempDir,
    process: Option<Live>,
}

impl Page {
    /// Runs `ucurl tap --web` in front of a socket, and opens the page.
    #[track_caller]
    pub fn of_tap(engine: &Path) -> Option<Page> {
        let engine = engine.display().to_string();
        Page::of(&["tap", "--web", "--to", &engine, "--listen", "tap"])
    }

    /// Runs ucurl with these arguments in a new directory, and opens the page that it names.
    #[track_caller]
    pub fn of(arguments: &[&str]) -> Option<Page> {
        let browser = Browser::start()?;
        let mut page = Page { browser, url: String::new(), dir: TempDir::new(), process: None };
        page.serve(arguments);
        page.browser.open(&page.url.clone());
        page.browser
            .until("['live', 'ended'].includes(document.getElementById('state').className)");
        Some(page)
    }

    /// Starts the process, and takes the address that it prints.
    #[track_caller]
    pub fn serve(&mut self, arguments: &[&str]) {
        let mut command = ucurl();
        command.current_dir(self.dir.path()).env("XDG_RUNTIME_DIR", self.dir.path());
        let mut process = Live::start(command.args(arguments));
        process.complains("watch at ");
        self.url = process.complains("\n").trim_end().to_owned();
        if arguments.contains(&"--listen") && !arguments.contains(&"--") {
            process.complains("listening");
        }
        self.process = Some(process);
    }

    /// The socket of `--listen tap`.
    pub fn socket(&self) -> PathBuf {
        self.dir.join("tap")
    }

    pub fn process(&mut self) -> &mut Live {
        self.process.as_mut().expect("it runs")
    }

    /// Ends the process by SIGTERM.
    #[track_caller]
    pub fn stop(&mut self) -> Ended {
        let process = self.process.take().expect("it runs");
        let mut kill = Command::new("kill");
        let id = process.id().to_string();
        run(kill.args(["-TERM", &id]), b"", Duration::from_secs(60)).success();
        process.end()
    }

    /// Waits until the list has these rows.
    #[track_caller]
    pub fn until_rows(&mut self, rows: &[&str]) {
        self.browser.until(&format!("{} === `{}`", self::rows(), rows.join("\n")));
    }

    /// Opens the exchange of a row, and waits until it is shown.
    #[track_caller]
    pub fn choose(&mut self, row: &str) {
        let literal = |c: char| if c.is_alphanumeric() { c.to_string() } else { format!("[{c}]") };
        self.choose_like(&row.chars().map(literal).collect::<String>());
    }

    /// Opens the exchange of the first row in view that matches a regular expression.
    #[track_caller]
    pub fn choose_like(&mut self, pattern: &str) {
        let find = format!(
            "[...document.querySelectorAll('#rows .row')]
                .find(row => /^{}$/.test({CELLS}))",
            pattern.replace('/', "\\/")
        );
        self.browser.until(&find);
        let name = self.browser.text(&format!("{find}.id"));
        self.browser.click(&format!("#{name}"));
        self.browser.until("document.querySelector('#detail h3')");
    }

    /// Takes a picture for `target/tmp/page/NAME.png`.
    #[track_caller]
    pub fn picture(&mut self, name: &str) {
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("page");
        self.browser.picture(&dir.join(format!("{name}.png")));
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        if self.process.is_some() && !std::thread::panicking() {
            self.stop();
        }
    }
}
