//! Compares `ucurl demo` with recorded answers of dockerd, and runs the docker command on it.
//!
//! The requests are those of `tests/recorded/`. `heads-26.1.5.txt` has the heads of the answers
//! from dockerd 26.1.5. Without the docker command, only ucurl sends requests.

use crate::support::child::{Ended, run, ucurl};
use crate::support::demo::Demo;
use crate::support::fake::url;
use crate::support::live::Live;
use crate::support::needs;
use crate::support::tar::archive;
use crate::support::temp::TempDir;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const LIMIT: Duration = Duration::from_secs(60);

/// Runs `ucurl -sS -f` on the demonstration.
#[track_caller]
fn ask(demo: &Demo, arguments: &[&str], stdin: &[u8]) -> Ended {
    run(
        ucurl().env("DOCKER_HOST", url(&demo.socket())).args(["-sS", "-f"]).args(arguments),
        stdin,
        LIMIT,
    )
}

#[track_caller]
fn says(demo: &Demo, arguments: &[&str]) -> String {
    ask(demo, arguments, b"").success().trim_end().to_owned()
}

/// Creates a container of busybox, which the recordings call busy. Returns its ID.
#[track_caller]
fn container(demo: &Demo, name: &str, fields: &str) -> String {
    let json = format!(r#"{{"Image":"busy",{fields}}}"#);
    says(demo, &["--json", &json, "--select", "/Id", &format!("/containers/create?name={name}")])
}

#[track_caller]
fn exec(demo: &Demo, container: &str, words: &str) -> String {
    let json = format!(r#"{{"AttachStdout":true,"AttachStderr":true,"Cmd":{words}}}"#);
    says(demo, &["--json", &json, "--select", "/Id", &format!("/containers/{container}/exec")])
}

#[track_caller]
fn post(demo: &Demo, path: &str) {
    assert_eq!(says(demo, &["-X", "POST", path]), "", "{path}");
}

fn recorded(name: &str) -> Vec<u8> {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/recorded/docker-{name}.request"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Returns the lines of all heads up to the final one; `None` if it has not come. A 101 is final.
fn heads(bytes: &[u8]) -> Option<Vec<String>> {
    let text = String::from_utf8_lossy(bytes);
    let mut lines = Vec::new();
    let mut rest = &text[..];
    loop {
        let (head, after) = rest.split_once("\r\n\r\n")?;
        lines.extend(head.split("\r\n").map(str::to_owned));
        if !head.starts_with("HTTP/1.1 100 ") {
            return Some(lines);
        }
        rest = after;
    }
}

/// Removes the parts of a field line that differ between engines and moments.
fn shape(line: &str) -> String {
    match line.split_once(": ") {
        Some(("Date", date)) => {
            // Sun, 06 Nov 1994 08:49:37 GMT (RFC 9110 §5.6.7)
            let shape = date.chars().map(|c| if c.is_ascii_digit() { '0' } else { c });
            let shape: String = shape.collect();
            assert!(shape.len() == 29 && shape.get(3..8) == Some(", 00 "), "{date}");
            assert_eq!(shape.get(11..), Some(" 0000 00:00:00 GMT"), "{date}");
            "Date".to_owned()
        }
        Some(("Server", server)) => {
            assert!(
                server.starts_with("Docker/26.1.5") && server.ends_with(" (linux)"),
                "{server}"
            );
            "Server".to_owned()
        }
        Some((name @ ("Content-Length" | "X-Docker-Container-Path-Stat"), _)) => name.to_owned(),
        _ => line.to_owned(),
    }
}

/// Sends a recorded request, with one word replaced, and compares the head of the answer.
#[track_caller]
fn same_heads(demo: &Demo, name: &str, (old, new): (&str, &str)) {
    let request = String::from_utf8_lossy(&recorded(name)).replace(old, new);
    let mut stream = UnixStream::connect(demo.socket()).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    let (head, content) = request.split_at(request.find("\r\n\r\n").unwrap() + 4);
    stream.write_all(head.as_bytes()).unwrap();
    // Like curl, this sends the content of a request with Expect after the 100.
    let mut waits = head.contains("Expect: 100-continue");
    if !waits {
        stream.write_all(content.as_bytes()).unwrap();
    }
    let (mut answer, mut piece) = (Vec::new(), [0; 4096]);
    let ours = loop {
        if let Some(heads) = heads(&answer) {
            break heads;
        }
        if waits && answer.ends_with(b"\r\n\r\n") {
            stream.write_all(content.as_bytes()).unwrap();
            waits = false;
        }
        let n = stream.read(&mut piece).unwrap();
        assert!(n > 0, "{name}: ended after {:?}", String::from_utf8_lossy(&answer));
        answer.extend_from_slice(&piece[..n]);
    };
    let recorded =
        include_str!("heads-26.1.5.txt").replace("Builder-Version: 2", "Builder-Version: 1");
    let mut theirs = recorded.split("== ").filter_map(|head| head.split_once('\n'));
    let (_, theirs) = theirs.find(|(other, _)| *other == name).unwrap();
    let theirs: Vec<String> = theirs.lines().map(str::to_owned).collect();
    let shapes = |lines: &[String]| lines.iter().map(|line| shape(line)).collect::<Vec<_>>();
    assert_eq!(shapes(&ours), shapes(&theirs), "{name}");
}

/// Fields, their order, the framing, status-codes and reason-phrases are the same as dockerd's.
#[test]
fn heads_match_dockerd() {
    let demo = &Demo::start();
    let same = |name: &&str| same_heads(demo, name, ("", ""));
    let remove =
        |name: &str| drop(says(demo, &["-X", "DELETE", &format!("/containers/{name}?force=1")]));
    post(demo, "/images/busybox/tag?repo=busy");

    ["version", "ping-get", "ping-head", "pipelined"].iter().for_each(same);
    [
        "404-page",
        "404-container",
        "404-head",
        "400-api-version",
        "error-bad-json",
        "create-as-form",
    ]
    .iter()
    .for_each(same);
    ["pull-error", "import", "build-fails", "events"].iter().for_each(same);

    ["201-create", "409-conflict"].iter().for_each(same);
    remove("cap-docker");
    container(demo, "cap-docker", r#""Cmd":["sleep","300"]"#);
    ["204-start", "304-start", "logs-mux", "wait", "archive-get"].iter().for_each(same);
    // The demonstration has no file for its programs.
    same_heads(demo, "archive-head", ("/bin/busybox", "/etc/passwd"));
    remove("cap-docker");

    for (name, fixture, tty) in
        [("cap-docker-t", "logs-follow", false), ("cap-docker-y", "logs-tty", true)]
    {
        container(demo, name, &format!(r#""Cmd":["echo","out"],"Tty":{tty}"#));
        post(demo, &format!("/containers/{name}/start"));
        same(&fixture);
    }
    for fixture in ["attach-101", "attach-plain"] {
        container(demo, "cap-docker-a", r#""Cmd":["echo","out"]"#);
        same(&fixture);
        remove("cap-docker-a");
    }
    container(demo, "cap-docker-s", r#""Cmd":["sleep","300"]"#);
    post(demo, "/containers/cap-docker-s/start");
    same(&"exec-create");
    for fixture in ["exec-start-101", "exec-start-plain", "cli-exec-c2"] {
        let request = String::from_utf8_lossy(&recorded(fixture)).into_owned();
        let id = request.split('/').find(|word| word.len() == 64).unwrap();
        same_heads(demo, fixture, (id, &exec(demo, "cap-docker-s", r#"["true"]"#)));
    }
}

/// The start message, `/version` and `/info` all say that this is not Docker.
#[test]
fn it_says_that_it_is_a_demonstration() {
    let dir = TempDir::new();
    let socket = dir.join("s");
    let mut live = Live::start(ucurl().args(["demo", "--listen", &url(&socket)]));
    let said = live.complains("listening");
    assert!(
        said.contains("a demonstration of Docker's API, not Docker: no container runs"),
        "{said}"
    );
    let get = |path: &str| {
        run(ucurl().args(["-sS", "--unix-socket"]).arg(&socket).arg(path), b"", LIMIT).success()
    };
    assert!(get("/version").contains("a demonstration, not Docker"), "{}", get("/version"));
    assert!(
        get("/info").contains("a demonstration of ucurl, not Docker: no container runs"),
        "{}",
        get("/info")
    );
}

/// Missing routes and missing containers are answered with Docker's JSON.
#[test]
fn errors_are_dockers_json() {
    let demo = Demo::start();
    for (method, path, status, message) in [
        ("GET", "/nope", "404", "page not found"),
        ("GET", "/v1.41/nope", "404", "page not found"),
        ("PATCH", "/version", "404", "page not found"),
        (
            "GET",
            "/v9.99/version",
            "400",
            "client version 9.99 is too new. Maximum supported API version is 1.45",
        ),
        ("GET", "/containers/nope/json", "404", "No such container: nope"),
        ("POST", "/containers/nope/start", "404", "No such container: nope"),
        ("DELETE", "/images/nope", "404", "No such image: nope:latest"),
    ] {
        let options = ["-sS", "-X", method, "-w", "%{http_code}", path];
        let ended = run(ucurl().env("DOCKER_HOST", url(&demo.socket())).args(options), b"", LIMIT);
        let want = format!("{{\"message\":\"{message}\"}}\n{status}");
        assert_eq!((ended.code, ended.stdout()), (0, want), "{method} {path}");
    }
}

/// Runs create, attach, start, wait, logs, inspect, exec, archive and delete by ucurl alone.
#[test]
fn a_containers_life_by_ucurl() {
    let demo = &Demo::start();
    post(demo, "/images/busybox/tag?repo=busy");
    container(demo, "app", r#""Cmd":["sh","-c","echo out; echo err >&2; exit 7"]"#);
    let attach = "/containers/app/attach?stream=1&stdout=1&stderr=1";
    // A container can start again. A client that attaches before sees the output of that run only.
    for _ in 0..2 {
        let mut command = ucurl();
        command
            .env("DOCKER_HOST", url(&demo.socket()))
            .args(["-sS", "--hijack", "--demux", attach]);
        let mut attached = Live::start_ucurl(&mut command);
        attached.close();
        post(demo, "/containers/app/start");
        let ended = attached.end();
        assert_eq!(
            (ended.code, ended.stdout(), ended.stderr()),
            (0, "out\n".into(), "err\n".into())
        );
        let wait = ["-X", "POST", "--select", "/StatusCode", "/containers/app/wait"];
        assert_eq!(says(demo, &wait), "7");
    }
    let logs = ask(demo, &["--demux", "/containers/app/logs?stdout=1&stderr=1&tail=2"], b"");
    assert_eq!((logs.code, logs.stdout(), logs.stderr()), (0, "out\n".into(), "err\n".into()));
    assert_eq!(says(demo, &["--select", "/State/ExitCode", "/containers/app/json"]), "7");
    says(demo, &["-X", "DELETE", "/containers/app"]);
    assert_eq!(ask(demo, &["/containers/app/json"], b"").code, 22);

    container(demo, "box", r#""Cmd":["sleep","300"]"#);
    post(demo, "/containers/box/start");
    let put =
        ["-H", "Content-Type: application/x-tar", "-T", "-", "/containers/box/archive?path=/tmp"];
    assert_eq!(ask(demo, &put, &archive("note", b"by hand\n")).success(), "");
    let id = exec(demo, "box", r#"["cat","/tmp/note"]"#);
    let start = ["--demux", "--json", r#"{"Detach":false}"#, &format!("/exec/{id}/start")];
    assert_eq!(ask(demo, &start, b"").success(), "by hand\n");
    assert_eq!(says(demo, &["--select", "/ExitCode", &format!("/exec/{id}/json")]), "0");
    let tar = ask(demo, &["/containers/box/archive?path=/tmp/note"], b"");
    assert_eq!(tar.code, 0);
    assert_eq!(&tar.stdout[512..520], b"by hand\n");
}

/// The docker command, which talks to a demonstration.
struct Docker {
    demo: Demo,
    dir: TempDir,
}

impl Docker {
    fn start() -> Option<Docker> {
        needs::program("docker")?;
        Some(Docker { demo: Demo::start(), dir: TempDir::new() })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    #[track_caller]
    fn ends(&self, arguments: &[&str], stdin: &[u8]) -> Ended {
        let mut docker = Command::new("docker");
        docker
            .env("DOCKER_HOST", url(&self.demo.socket()))
            .env("DOCKER_CONFIG", self.path("config"));
        docker
            .env_remove("DOCKER_CONTEXT")
            .env_remove("DOCKER_API_VERSION")
            .env("DOCKER_BUILDKIT", "0");
        run(docker.current_dir(self.dir.path()).args(arguments), stdin, LIMIT)
    }

    #[track_caller]
    fn says(&self, arguments: &[&str]) -> String {
        self.ends(arguments, b"").success().trim_end().to_owned()
    }

    /// Compares the exit code, stdout and stderr.
    #[track_caller]
    fn tells(&self, arguments: &[&str], stdin: &[u8], (code, stdout, stderr): (i32, &str, &str)) {
        let ended = self.ends(arguments, stdin);
        assert_eq!(
            (ended.code, &ended.stdout()[..], &ended.stderr()[..]),
            (code, stdout, stderr),
            "{arguments:?}"
        );
    }
}

const SPLIT: [&str; 3] = ["sh", "-c", "echo out; echo err >&2; exit 7"];

#[test]
fn docker_runs_attaches_and_waits() {
    let Some(docker) = Docker::start() else { return };
    assert_eq!(docker.says(&["version", "--format", "{{.Server.APIVersion}}"]), "1.45");
    let platform = docker.says(&["version", "--format", "{{.Server.Platform.Name}}"]);
    assert!(platform.contains("demonstration, not Docker"), "{platform}");
    let images = docker.says(&["images", "--format", "{{.Repository}}:{{.Tag}}"]);
    assert_eq!(images.lines().collect::<Vec<_>>(), ["busybox:latest", "hello-world:latest"]);

    let hello = docker.says(&["run", "--rm", "hello-world"]);
    assert!(
        hello.contains("Hello from Docker!") && hello.contains("no container has run"),
        "{hello}"
    );
    docker.tells(&["run", "--rm", "-i", "busybox", "cat"], b"typed\n", (0, "typed\n", ""));
    docker.tells(
        &[&["run", "--name", "app", "busybox"], &SPLIT[..]].concat(),
        b"",
        (7, "out\n", "err\n"),
    );
    docker.tells(&["logs", "app"], b"", (0, "out\n", "err\n"));
    docker.tells(&["start", "-a", "app"], b"", (7, "out\n", "err\n"));
    docker.tells(&["logs", "--tail", "1", "app"], b"", (0, "", "err\n"));
    docker.tells(
        &["inspect", "app", "--format", "{{.Name}} {{.State.ExitCode}}"],
        b"",
        (0, "/app 7\n", ""),
    );
    docker.tells(
        &["ps", "-a", "--format", "{{.Names}} {{.Image}} {{.State}}"],
        b"",
        (0, "app busybox exited\n", ""),
    );
    docker.tells(&["rm", "app"], b"", (0, "app\n", ""));
    docker.tells(&["ps", "-aq"], b"", (0, "", ""));
    docker.tells(
        &["rm", "app"],
        b"",
        (1, "", "Error response from daemon: No such container: app\n"),
    );
}

#[test]
fn docker_execs_and_copies() {
    let Some(docker) = Docker::start() else { return };
    assert_eq!(docker.says(&["run", "-d", "--name", "box", "busybox", "sleep", "300"]).len(), 64);
    docker.tells(&[&["exec", "box"], &SPLIT[..]].concat(), b"", (7, "out\n", "err\n"));
    docker.tells(&["exec", "-i", "box", "cat"], b"typed\n", (0, "typed\n", ""));
    std::fs::write(docker.path("note"), "by hand\n").unwrap();
    docker.says(&["cp", "note", "box:/tmp/note"]);
    docker.tells(&["exec", "box", "cat", "/tmp/note"], b"", (0, "by hand\n", ""));
    docker.says(&["cp", "box:/tmp/note", "back"]);
    assert_eq!(std::fs::read_to_string(docker.path("back")).unwrap(), "by hand\n");

    docker.tells(&["stop", "box"], b"", (0, "box\n", ""));
    docker.tells(&["rm", "box"], b"", (0, "box\n", ""));
    // With a time limit the command ends.
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let now = format!("{}.{:09}", now.as_secs(), now.subsec_nanos());
    let events = docker.says(&[
        "events",
        "--since",
        "1",
        "--until",
        &now,
        "--format",
        "{{.Type}} {{.Action}}",
    ]);
    let of_box: Vec<&str> = events.lines().filter(|line| !line.contains("exec_")).collect();
    for (before, after) in [
        ("create", "start"),
        ("start", "kill"),
        ("kill", "die"),
        ("die", "stop"),
        ("stop", "destroy"),
    ] {
        let at =
            |action: &str| of_box.iter().position(|line| *line == format!("container {action}"));
        assert!(at(before).is_some() && at(before) < at(after), "{before}, {after}: {events}");
    }
    assert!(events.contains("container exec_create: cat"), "{events}");
}

#[test]
fn docker_builds() {
    let Some(docker) = Docker::start() else { return };
    let context = docker.path("context");
    std::fs::create_dir(&context).unwrap();
    std::fs::write(context.join("note"), "by hand\n").unwrap();
    let dockerfile = "FROM busybox\nCOPY note /note\nRUN echo built\nCMD [\"cat\", \"/note\"]\n";
    std::fs::write(context.join("Dockerfile"), dockerfile).unwrap();
    let progress = docker.says(&["build", "-t", "mine", "context"]);
    assert!(
        progress.contains("\nbuilt\n") && progress.ends_with("Successfully tagged mine:latest"),
        "{progress}"
    );
    // The image is the result of the last step.
    let ids: Vec<&str> = progress.lines().filter_map(|line| line.strip_prefix(" ---> ")).collect();
    let built = progress.lines().find_map(|line| line.strip_prefix("Successfully built "));
    assert_eq!(ids.last().copied(), built, "{progress}");
    docker.tells(&["run", "--rm", "mine"], b"", (0, "by hand\n", ""));

    docker.says(&["rmi", "mine"]);
    assert_eq!(docker.ends(&["image", "inspect", "mine"], b"").code, 1);

    std::fs::write(context.join("Dockerfile"), "FROM busybox\nRUN echo before; exit 3\n").unwrap();
    let ended = docker.ends(&["build", "context"], b"");
    assert!(ended.code != 0 && ended.stdout().contains("\nbefore\n"), "{}", ended.stdout());
    assert!(
        ended
            .stderr()
            .contains("The command '/bin/sh -c echo before; exit 3' returned a non-zero code: 3")
    );
}
