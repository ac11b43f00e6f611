//! A real Chromium without a window, driven through the DevTools protocol over two pipes.
//!
//! Each message is a JSON text that ends with NUL: commands go to descriptor 3 of the browser, and
//! answers and events come from descriptor 4. <https://chromedevtools.github.io/devtools-protocol/>

use super::needs::program;
use super::temp::TempDir;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};
use unix_http::base::base64;
use unix_http::json::Value;

/// No test waits longer than this for the browser.
const PATIENCE: Duration = Duration::from_secs(60);

/// Flags for a browser that runs as root and contacts no other server.
const FLAGS: [&str; 9] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
];

/// Collects violations of the Content-Security-Policy. Runs before the script of the page.
const WATCH: &str = "window.violations = []; document.addEventListener('securitypolicyviolation', \
    event => violations.push(`${event.violatedDirective} ${event.blockedURI}`));";

/// A browser with one page, ended on drop.
pub struct Browser {
    child: Child,
    commands: Option<ChildStdin>,
    messages: Receiver<Value>,
    session: String,
    last: u64,
    events: Vec<Value>,
    _profile: TempDir,
}

impl Browser {
    /// Starts a browser; `None` where none is installed.
    pub fn start() -> Option<Browser> {
        let path = program("chromium-headless-shell")?;
        let profile = TempDir::new();
        let mut command = Command::new("sh");
        command.args(["-c", r#"exec "$0" "$@" 3<&0 4>&1 </dev/null >&2"#]).arg(path).args(FLAGS);
        command.arg(format!("--user-data-dir={}", profile.path().display()));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect("a shell");
        let (commands, output) = (child.stdin.take(), child.stdout.take().expect("a pipe"));
        let messages = receive(output);
        let (session, last, events) = (String::new(), 0, Vec::new());
        let mut browser =
            Browser { child, commands, messages, session, last, events, _profile: profile };
        browser.attach();
        Some(browser)
    }

    fn attach(&mut self) {
        let target = self.call("Target.createTarget", r#"{"url":"about:blank"}"#);
        let id = target.get("targetId").and_then(Value::as_str).expect("a target").to_owned();
        let answer = self.call(
            "Target.attachToTarget",
            &object(|w| {
                w.name("targetId").string(&id);
                w.name("flatten").scalar(true);
            }),
        );
        self.session = answer.get("sessionId").and_then(Value::as_str).expect("one").to_owned();
        for domain in ["Page", "Runtime", "Network", "Log"] {
            self.call(&format!("{domain}.enable"), "{}");
        }
        let source = object(|w| _ = w.name("source").string(WATCH));
        self.call("Page.addScriptToEvaluateOnNewDocument", &source);
        self.window(1280, 800);
    }

    /// Sends a command, and waits for its result. Events on the way are kept.
    #[track_caller]
    fn call(&mut self, method: &str, params: &str) -> Value {
        self.last += 1;
        let session = match &self.session[..] {
            "" => String::new(),
            id => format!(r#","sessionId":"{id}""#),
        };
        let id = self.last;
        let text =
            format!("{{\"id\":{id},\"method\":\"{method}\",\"params\":{params}{session}}}\0");
        let commands = self.commands.as_mut().expect("it runs");
        commands.write_all(text.as_bytes()).expect("the browser reads");
        loop {
            let message = self.messages.recv_timeout(PATIENCE);
            let message = message.unwrap_or_else(|error| panic!("{method} {params}: {error}"));
            if message.get("id").and_then(Value::as_u64) != Some(id) {
                self.events.push(message);
                continue;
            }
            let Some(result) = message.get("result") else { panic!("{method}: {message:?}") };
            return result.clone();
        }
    }

    /// Opens an address, and waits until the page is loaded.
    #[track_caller]
    pub fn open(&mut self, url: &str) {
        let params = object(|w| _ = w.name("url").string(url));
        let answer = self.call("Page.navigate", &params);
        assert!(answer.get("errorText").is_none(), "{url}: {answer:?}");
        self.until("document.readyState === 'complete'");
    }

    /// Runs JavaScript in the page, with the rights of a click. Returns its value, or the value of
    /// its promise.
    #[track_caller]
    pub fn run(&mut self, script: &str) -> Value {
        let answer = self.call(
            "Runtime.evaluate",
            &object(|w| {
                w.name("expression").string(script);
                for flag in ["awaitPromise", "returnByValue", "userGesture"] {
                    w.name(flag).scalar(true);
                }
            }),
        );
        assert!(answer.get("exceptionDetails").is_none(), "{script}: {answer:?}");
        answer.get("result").and_then(|result| result.get("value")).cloned().unwrap_or(Value::Null)
    }

    /// The value of an expression as text.
    #[track_caller]
    pub fn text(&mut self, script: &str) -> String {
        let value = self.run(&format!("String({script})"));
        value.as_str().expect("a string").to_owned()
    }

    /// The text of the first element that matches.
    #[track_caller]
    pub fn text_of(&mut self, selector: &str) -> String {
        self.text(&format!("document.querySelector(`{selector}`)?.innerText"))
    }

    /// Waits until an expression is true.
    #[track_caller]
    pub fn until(&mut self, condition: &str) {
        let end = Instant::now() + PATIENCE;
        while self.run(&format!("Boolean({condition})")) != Value::Bool(true) {
            if Instant::now() > end {
                let shown = self.text("document.body?.innerText");
                panic!("not within {PATIENCE:?}: {condition}\n{shown}");
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until the text of the first element that matches contains `part`.
    #[track_caller]
    pub fn until_text(&mut self, selector: &str, part: &str) {
        self.until(&format!("document.querySelector(`{selector}`)?.innerText.includes(`{part}`)"));
    }

    /// Presses and releases a key, as `KeyboardEvent.key` names it.
    pub fn press(&mut self, key: &str) {
        let text = match key {
            "Enter" => "\r",
            key if key.chars().count() == 1 => key,
            _ => "",
        };
        let code = match key {
            "Tab" => 9,
            "Enter" => 13,
            _ => 0,
        };
        for kind in ["keyDown", "keyUp"] {
            let params = object(|w| {
                w.name("type").string(kind).name("key").string(key);
                w.name("windowsVirtualKeyCode").scalar(code);
                if kind == "keyDown" && !text.is_empty() {
                    w.name("text").string(text);
                }
            });
            self.call("Input.dispatchKeyEvent", &params);
        }
    }

    /// Types a text into the element that has the focus.
    pub fn type_text(&mut self, text: &str) {
        let params = object(|w| _ = w.name("text").string(text));
        self.call("Input.insertText", &params);
    }

    /// Clicks into the middle of the first element that matches.
    #[track_caller]
    pub fn click(&mut self, selector: &str) {
        let place = self.press_on(selector);
        self.release(&place);
    }

    /// Presses the mouse in the middle of an element. Returns the place for `release`.
    #[track_caller]
    pub fn press_on(&mut self, selector: &str) -> String {
        let place = self.text(&format!(
            "(() => {{ const found = document.querySelector(`{selector}`);
                found.scrollIntoView({{ block: 'nearest' }});
                const box = found.getBoundingClientRect();
                return `${{box.x + box.width / 2}} ${{box.y + box.height / 2}}`; }})()"
        ));
        self.mouse("mousePressed", &place);
        place
    }

    pub fn release(&mut self, place: &str) {
        self.mouse("mouseReleased", place);
    }

    fn mouse(&mut self, kind: &str, place: &str) {
        let (x, y) = place.split_once(' ').expect("two numbers");
        let params = object(|w| {
            w.name("type").string(kind).name("button").string("left");
            w.name("x").scalar(x).name("y").scalar(y).name("clickCount").scalar(1);
        });
        self.call("Input.dispatchMouseEvent", &params);
    }

    /// Sets the size of the window.
    pub fn window(&mut self, width: u32, height: u32) {
        let params = object(|w| {
            w.name("width").scalar(width).name("height").scalar(height);
            w.name("deviceScaleFactor").scalar(1).name("mobile").scalar(false);
        });
        self.call("Emulation.setDeviceMetricsOverride", &params);
    }

    /// Sets the colour scheme of the system: `light` or `dark`.
    pub fn colours(&mut self, scheme: &str) {
        let feature = format!(r#"{{"name":"prefers-color-scheme","value":"{scheme}"}}"#);
        self.call("Emulation.setEmulatedMedia", &format!(r#"{{"features":[{feature}]}}"#));
    }

    /// Lets the page read and write the clipboard.
    pub fn allow_clipboard(&mut self) {
        let session = std::mem::take(&mut self.session);
        let rights = r#"{"permissions":["clipboardReadWrite","clipboardSanitizedWrite"]}"#;
        self.call("Browser.grantPermissions", rights);
        self.session = session;
    }

    /// Writes what the window shows to a PNG file.
    pub fn picture(&mut self, file: &Path) {
        let two_frames = "new Promise(done => requestAnimationFrame(() => setTimeout(done)))";
        self.run(two_frames);
        let answer = self.call("Page.captureScreenshot", r#"{"format":"png"}"#);
        let data = answer.get("data").and_then(Value::as_str).expect("a picture");
        let png = base64::decode(data).expect("base64");
        assert!(png.starts_with(b"\x89PNG"));
        std::fs::create_dir_all(file.parent().expect("a directory")).expect("its directory");
        std::fs::write(file, png).expect("a file of the test");
    }

    /// The addresses that the browser asked for since it started.
    pub fn requested(&mut self) -> Vec<String> {
        self.told("Network.requestWillBeSent", "/request/url")
    }

    /// Returns errors of scripts, log entries of the browser, dialogs, and violations of the
    /// Content-Security-Policy.
    pub fn problems(&mut self) -> Vec<String> {
        let violations = self.text("violations.join('\\n')");
        let mut problems: Vec<String> = violations.lines().map(str::to_owned).collect();
        problems.extend(self.told("Runtime.exceptionThrown", "/exceptionDetails/text"));
        problems.extend(self.told("Log.entryAdded", "/entry/text"));
        problems.extend(self.told("Page.javascriptDialogOpening", "/message"));
        problems
    }

    /// The text at a JSON pointer in the parameters of every event of one kind.
    fn told(&mut self, method: &str, pointer: &str) -> Vec<String> {
        self.events.extend(self.messages.try_iter());
        let of_kind = |event: &&Value| event.get("method").and_then(Value::as_str) == Some(method);
        let events = self.events.iter().filter(of_kind);
        let text =
            |event: &Value| event.get("params")?.pointer(pointer)?.as_str().map(str::to_owned);
        events.filter_map(text).collect()
    }
}

impl Drop for Browser {
    /// Closes the commands, which ends the browser and all processes that it started.
    fn drop(&mut self) {
        self.commands = None;
        let end = Instant::now() + Duration::from_secs(10);
        while let Ok(None) = self.child.try_wait() {
            if Instant::now() > end {
                let _ = self.child.kill();
                let _ = self.child.wait();
                return;
            }
            thread::sleep(Duration::from_millis(5));
        }
    }
}

/// A JSON object as text.
fn object(inside: impl FnOnce(&mut Members)) -> String {
    let mut members = Members::default();
    inside(&mut members);
    Value::Object(members.members).to_string()
}

/// The members of an object; the last name waits for its value.
#[derive(Default)]
struct Members {
    name: String,
    members: Vec<(String, Value)>,
}

impl Members {
    fn name(&mut self, name: &str) -> &mut Members {
        self.name = name.to_owned();
        self
    }

    fn string(&mut self, text: &str) -> &mut Members {
        self.members.push((self.name.clone(), text.into()));
        self
    }

    fn scalar(&mut self, scalar: impl ToString) -> &mut Members {
        let value = Value::parse(scalar.to_string().as_bytes()).expect("a JSON text");
        self.members.push((self.name.clone(), value));
        self
    }
}

/// Reads messages on a thread of its own, so that a full pipe never stops the browser.
fn receive(output: ChildStdout) -> Receiver<Value> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let mut output = BufReader::new(output);
        let mut message = Vec::new();
        while let Ok(1..) = output.read_until(0, &mut message) {
            message.pop();
            // A lone surrogate in a text of the page makes JSON that our strict reader refuses.
            if Value::parse(&message).is_ok_and(|value| sender.send(value).is_err()) {
                return;
            }
            message.clear();
        }
    });
    receiver
}
