//! A real browser against the gate of a TCP port.

use crate::support::child::run;
use crate::support::needs::program;
use crate::support::temp::TempDir;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;
use unix_http::server::{Handle, Server};
use unix_http::tap::Relay;
use unix_http::traffic::{Event, Observer};
use unix_http::transport::{Endpoint, Listener};

type Log = Arc<Mutex<Vec<String>>>;

/// Every way in which a page can send a request without a preflight.
const PAGE: &str = r#"<!doctype html><title>begun</title>
<img src="TAP/img"><script src="TAP/script"></script>
<link rel="stylesheet" href="TAP/css"><iframe src="TAP/iframe"></iframe><iframe name="f"></iframe>
<iframe name="g"></iframe><form id="get" action="TAP/form-get" target="f"></form>
<form id="post" action="TAP/form-post" method="post" target="g"></form>
<iframe sandbox="allow-scripts allow-forms" srcdoc='<form method="post" action="TAP/sandbox"></form>
<script>document.forms[0].submit()</script>'></iframe><script>
const all = [
  fetch('TAP/get', {mode: 'no-cors'}), fetch('TAP/head', {mode: 'no-cors', method: 'HEAD'}),
  fetch('TAP/post', {mode: 'no-cors', method: 'POST', body: '{"Image":"x"}'}),
  fetch('TAP/no-referrer', {mode: 'no-cors', referrerPolicy: 'no-referrer'}),
  fetch('TAP/cors'), fetch('TAP/put', {method: 'PUT'}),
];
navigator.sendBeacon('TAP/beacon', 'x');
new WebSocket('TAP/containers/x/attach/ws'.replace('http', 'ws'));
document.getElementById('get').submit(); document.getElementById('post').submit();
Promise.allSettled(all).then(() => { document.title = 'done' });
</script>"#;

/// Requests that the gate rejected, with its reasons.
#[derive(Clone, Default)]
struct Refused(Log);

impl Observer for Refused {
    fn see(&self, _: u64, _: Duration, event: &Event<'_>) {
        if let Event::Refused(why) = event {
            self.0.lock().unwrap().push(why.to_string());
        }
    }
}

fn on_tcp() -> Endpoint {
    Endpoint::Tcp { host: "127.0.0.1".into(), port: 0 }
}

fn port(endpoint: &Endpoint) -> u16 {
    let Endpoint::Tcp { port, .. } = endpoint else { unreachable!() };
    *port
}

/// An engine that records the requests that reach it, and answers with `page`.
fn engine(at: &Endpoint, page: &'static str) -> (Handle, Log) {
    let log = Log::default();
    let seen = Arc::clone(&log);
    let server = Server::bind(at).unwrap().spawn(move |request, responder| {
        let target = request.target().escape_ascii().to_string();
        seen.lock().unwrap().push(target);
        responder.field("Content-Type", "text/html").send(page)
    });
    (server.unwrap(), log)
}

fn visit(browser: &PathBuf, url: &str) -> String {
    let profile = TempDir::new();
    let mut command = Command::new(browser);
    command.args(["--no-sandbox", "--disable-gpu", "--virtual-time-budget=10000", "--dump-dom"]);
    command.arg("--host-resolver-rules=MAP evil.example 127.0.0.1");
    command.arg(format!("--user-data-dir={}", profile.path().display())).arg(url);
    run(&mut command, b"", Duration::from_secs(120)).success()
}

#[test]
fn a_web_page_reaches_nothing_behind_a_tap() {
    let Some(browser) = program("chromium-headless-shell") else { return };
    let dir = TempDir::new();
    let (_engine, reached) = engine(&Endpoint::Unix(dir.join("engine")), "from the engine");
    let listener = Listener::bind(&on_tcp()).unwrap();
    let tap = port(listener.endpoint());
    let refused = Refused::default();
    let relay = Relay::new(listener, Endpoint::Unix(dir.join("engine"))).observe(refused.clone());
    let stopper = relay.stopper().unwrap();
    let page = PAGE.replace("TAP", &format!("http://127.0.0.1:{tap}")).leak();
    let (site, _) = engine(&on_tcp(), page);
    let run = thread::spawn(move || relay.run());
    let shown = visit(&browser, &format!("http://evil.example:{}/", port(site.endpoint())));
    let from_page = std::mem::take(&mut *reached.lock().unwrap());
    // An address that a person types passes.
    let typed = visit(&browser, &format!("http://127.0.0.1:{tap}/version"));
    stopper.stop(Duration::ZERO);
    run.join().unwrap();
    assert_eq!(from_page, [""; 0], "what reached the engine");
    assert!(shown.contains("<title>done</title>"), "{shown}");
    let refused = refused.0.lock().unwrap();
    assert!(refused.len() >= 8, "{refused:#?}");
    assert!(typed.contains("from the engine"), "{typed}");
    assert_eq!(reached.lock().unwrap()[0], "/version");
}
