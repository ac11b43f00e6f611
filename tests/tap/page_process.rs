//! `--web` and `--open` on the command line: the tap, a recording, the demo.

use super::process::{LIMIT, tap, wait_for};
use crate::support::child::run;
use crate::support::fake::Fake;
use crate::support::live::Live;
use crate::support::temp::TempDir;
use crate::support::web::{WebClient, WebEvent, number, text};
use std::fs;
use std::process::Command;

/// Starts ucurl and waits for the address of the page.
fn start(command: &mut Command) -> (Live, WebClient) {
    let mut live = Live::start(command);
    live.complains("watch at ");
    let url = live.complains("/\n");
    (live, WebClient::new(&url))
}

fn signal(live: &Live, name: &str) {
    let mut kill = Command::new("kill");
    assert!(kill.args([&format!("-{name}"), &live.id().to_string()]).status().unwrap().success());
}

fn engine() -> Fake {
    Fake::start(|peer| {
        while peer.read_until(b"\r\n\r\n").is_ok() {
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")?;
        }
        Ok(())
    })
}

#[test]
fn the_page_stays_after_the_command_and_its_exit_code_is_kept() {
    for (name, ends) in [("INT", Some(3)), ("TERM", Some(3)), ("HUP", Some(3))] {
        let (dir, engine) = (TempDir::new(), engine());
        let to = engine.path().display().to_string();
        let script = format!("{} -sS /a; exit 3", env!("CARGO_BIN_EXE_ucurl"));
        let arguments = ["tap", "--web", "--to", &to, "--", "sh", "-c", &script];
        let (mut live, web) = start(&mut tap(&dir, &arguments));
        let mut events = web.events(None);
        assert_eq!(text(&events.next().data, "program"), "ucurl tap");
        assert_eq!(number(&events.done("/a").data, "status"), 200);
        live.complains("tap: the page stays until Ctrl-C\n");
        events.until(|event| event.name == "end");
        assert!(web.get("").0 == 200 && web.detail(1, "").get("curl").is_some());
        drop(events);
        signal(&live, name);
        let ended = live.end();
        assert_eq!((ended.code, ended.stdout().as_str()), (ends.unwrap(), "hi"), "{name}");
        assert_eq!(fs::read_dir(dir.join("run")).unwrap().count(), 0, "{name}");
    }
}

#[test]
fn without_a_command_the_page_is_there_until_a_signal() {
    let (dir, engine) = (TempDir::new(), engine());
    let to = engine.path().display().to_string();
    let listen = dir.join("tap").display().to_string();
    let view = dir.join("view");
    let output = view.display().to_string();
    let arguments = ["tap", "--web=tcp://localhost:0", "--listen", &listen, "--to", &to];
    let (mut live, web) = start(tap(&dir, &arguments).args(["-o", &output, "--only", "/b"]));
    live.complains("listening");
    for path in ["/a", "/b"] {
        run(&mut tap(&dir, &["-sS", "--unix-socket", &listen, path]), b"", LIMIT).success();
    }
    let mut events = web.events(None);
    let all =
        events.until(|event| event.name == "exchange" && text(&event.data, "state") == "done");
    assert!(all[1..].iter().all(|event| text(&event.data, "target") == "/b"), "{all:?}");
    drop(events);
    signal(&live, "INT");
    assert_eq!(live.end().code, 0);
    assert!(fs::read_to_string(view).unwrap().contains("GET /b"), "-o writes the view as well");
}

#[test]
fn a_recording_and_the_demo_have_a_page() {
    let dir = TempDir::new();
    let script = format!("{0} -sS /_ping; {0} -sS /nothing", env!("CARGO_BIN_EXE_ucurl"));
    let record = dir.join("record").display().to_string();
    let (mut live, web) = start(&mut tap(&dir, &["demo", "--web", "--", "sh", "-c", &script]));
    assert_eq!(number(&web.events(None).done("/nothing").data, "status"), 404);
    let target = web.events(None).next().data;
    live.complains("demo: the page stays until Ctrl-C\n");
    let socket = text(&target, "target").strip_prefix("unix://").unwrap();
    assert!(socket.ends_with("/docker.sock"), "the address of the demo: {socket}");
    signal(&live, "INT");
    assert_eq!(live.end().code, 0);

    let engine = engine();
    let to = engine.path().display().to_string();
    let arguments = ["tap", "-q", "--record", &record, "--to", &to, "--", "sh", "-c", &script];
    run(&mut tap(&dir, &arguments), b"", LIMIT).success();
    let (mut live, web) = start(&mut tap(&dir, &["tap", "--read", &record, "--web"]));
    let events = web.events(None).until(|event| event.name == "end");
    assert_eq!(events[0].data.get("recording").unwrap().to_string(), "true");
    // An exchange that was open when the page connected comes twice.
    let is_done =
        |event: &&WebEvent| event.name == "exchange" && text(&event.data, "state") == "done";
    let done = events.iter().filter(is_done);
    let targets: Vec<&str> = done.map(|event| text(&event.data, "target")).collect();
    assert_eq!(targets, ["/_ping", "/nothing"]);
    live.complains("tap: the page stays until Ctrl-C\n");
    signal(&live, "INT");
    assert_eq!((live.end().code), 0);
}

#[test]
fn a_wrong_address_is_refused_with_a_reason() {
    let dir = TempDir::new();
    for (arguments, want) in [
        (&["tap", "--web=tcp://0.0.0.0:0"][..], "tap: --web: cannot listen on tcp://0.0.0.0:0: "),
        (&["tap", "--web=unix:///x.sock"], "tap: --web: unix:///x.sock: a browser needs "),
        (&["demo", "--web=nonsense:1"], "demo: "),
        (&["demo", "--open"], "demo: --open needs --web\n"),
        (&["tap", "--open", "--", "true"], "tap: --open needs --web\n"),
    ] {
        let ended = run(&mut tap(&dir, arguments), b"", LIMIT);
        let said = ended.stderr();
        assert_eq!(ended.code, 2, "{arguments:?}: {said}");
        let last = said.lines().last().unwrap().to_owned() + "\n";
        assert!(last.starts_with(&format!("ucurl: {want}")), "{arguments:?}: {said}");
    }
}

#[test]
fn open_starts_a_browser_or_says_that_there_is_none() {
    let program = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let dir = TempDir::new();
    let opened = dir.join("opened");
    dir.write_script(program, &format!("echo \"$1\" >'{}'\n", opened.display()));
    let path = format!("{}:/usr/bin:/bin", dir.path().display());
    let mut command = tap(&dir, &["demo", "--web", "--open"]);
    let (live, web) = start(command.env("PATH", path));
    wait_for("the browser", || fs::read(&opened).is_ok_and(|url| !url.is_empty()));
    let url = fs::read_to_string(&opened).unwrap();
    assert_eq!(url, format!("http://{}{}\n", web.authority, web.path));
    signal(&live, "INT");
    assert_eq!(live.end().code, 0);

    let empty = dir.join("empty");
    fs::create_dir(&empty).unwrap();
    let mut command = tap(&dir, &["demo", "--web", "--open", "--", "/bin/true"]);
    let (mut live, _) = start(command.env("PATH", &empty));
    live.complains(&format!("--open: cannot start {program}: it is not installed; "));
    // While the command runs, Ctrl-C is for the command.
    live.complains("the page stays until Ctrl-C\n");
    signal(&live, "INT");
    live.end();
}
