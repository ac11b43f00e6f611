//! The lessons with the library, compared with the docker command, the system's tar and a terminal.
//! `tests/docs/course.rs` compares their output.

use super::commands::Lesson;
use crate::support::child::{Ended, example, run, ucurl};
use crate::support::fake::{Fake, url};
use crate::support::needs;
use crate::support::temp::TempDir;
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use unix_http::Client;

const LIMIT: Duration = Duration::from_secs(60);

/// Returns the command of a lesson, which asks the engine on this socket.
fn lesson(name: &str, socket: &Path) -> Command {
    let mut command = example(name);
    command.env("DOCKER_HOST", url(socket));
    command
}

/// Returns the docker command, which asks the same engine.
fn docker(socket: &Path) -> Option<Command> {
    let mut command = Command::new(needs::program("docker")?);
    command.env("DOCKER_HOST", url(socket)).env_remove("DOCKER_CONTEXT");
    Some(command)
}

/// A sleeping container. Dropping it removes the container.
struct Sleeper {
    client: Client,
    name: String,
}

impl Sleeper {
    fn start(socket: &Path, name: &str) -> Sleeper {
        let (client, name) =
            (Client::unix(socket), format!("uh-lesson-{}-{name}", std::process::id()));
        let options =
            r#"{"Image":"busy","Cmd":["sleep","300"],"HostConfig":{"NetworkMode":"none"}}"#;
        let created =
            client.post(&format!("/containers/create?name={name}")).json(options).send().unwrap();
        assert_eq!(created.status(), 201);
        let started = client.post(&format!("/containers/{name}/start")).send().unwrap();
        assert_eq!(started.status(), 204);
        Sleeper { client, name }
    }
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        let _ = self.client.delete(&format!("/containers/{}?force=1", self.name)).send();
    }
}

#[test]
fn docker_run_ends_as_docker_run_does() {
    let Some(socket) = needs::docker() else { return };
    let _turn = Lesson::on(&socket).unwrap();
    let Some(_) = docker(&socket) else { return };
    let words = "line\n".repeat(50_000);
    let cases: [(&[&str], &str); 13] = [
        (&["busybox", "echo", "hello"], ""),
        (&["busybox", "sh", "-c", "echo out; echo err >&2; exit 3"], ""),
        (&["busybox", "sh", "-c", "exit 255"], ""),
        (&["busybox", "cat"], "not attached, so not read"),
        (&["-i", "busybox", "cat"], ""),
        (&["-i", "busybox", "cat"], &words),
        (&["-i", "busybox", "sh", "-c", "sort -u; echo done >&2"], &words),
        // The program ends while its stdin is still being sent.
        (&["-i", "busybox", "head", "-n", "1"], &words),
        (&["busybox", "printf", r"%s|", "two words", "\"quoted\"", "a\\b", "ü"], ""),
        (&["busybox", "head", "-c", "3000000", "/dev/zero"], ""),
        (&["busybox", "no-such-program"], ""),
        (&["busybox", "/etc"], ""),
        (&["busybox"], ""),
    ];
    for (args, stdin) in cases {
        let args = ["--rm", "--network", "none"].iter().chain(args);
        let ours = run(lesson("docker_run", &socket).args(args.clone()), stdin.as_bytes(), LIMIT);
        let theirs =
            run(docker(&socket).unwrap().arg("run").args(args.clone()), stdin.as_bytes(), LIMIT);
        let shown = args.copied().collect::<Vec<_>>().join(" ");
        assert_eq!(ours.code, theirs.code, "{shown}: {}", ours.stderr());
        assert!(
            ours.stdout == theirs.stdout,
            "{shown}: {} and {} bytes",
            ours.stdout.len(),
            theirs.stdout.len()
        );
        if !theirs.stderr().starts_with("docker: ") {
            assert_eq!(ours.stderr(), theirs.stderr(), "{shown}");
        } else {
            // Both quote the daemon, each in a sentence of its own.
            let why = ours
                .stderr()
                .strip_prefix("docker_run: ")
                .map(|why| why.trim().to_owned())
                .unwrap();
            assert!(theirs.stderr().contains(&why), "{shown}: {why}");
        }
    }
}

#[test]
fn a_container_that_was_not_asked_to_go_stays() {
    let Some(socket) = needs::docker() else { return };
    let _turn = Lesson::on(&socket).unwrap();
    let name = format!("uh-lesson-{}-stays", std::process::id());
    let args = ["--name", &name, "--network", "none", "busybox", "true"];
    assert_eq!(run(lesson("docker_run", &socket).args(args), b"", LIMIT).code, 0);
    let client = Client::unix(&socket);
    assert_eq!(client.delete(&format!("/containers/{name}")).send().unwrap().status(), 204);
}

#[test]
fn exec_ends_as_docker_exec_does() {
    let Some(socket) = needs::docker() else { return };
    let _turn = Lesson::on(&socket).unwrap();
    let Some(_) = docker(&socket) else { return };
    let container = Sleeper::start(&socket, "exec");
    let words = "b\na\n".repeat(50_000);
    let cases: [(&[&str], &str); 5] = [
        (&["sort", "-u"], &words),
        (&["sh", "-c", "echo out; echo err >&2; exit 7"], ""),
        (&["sh", "-c", "cat; cat >&2"], "all of it to the first"),
        (&["no-such-program"], ""),
        (&["head", "-c", "3000000", "/dev/zero"], ""),
    ];
    for (command, stdin) in cases {
        let ours =
            lesson("exec_interactive", &socket).arg(&container.name).args(command).run(stdin);
        let theirs =
            docker(&socket).unwrap().args(["exec", "-i", &container.name]).args(command).run(stdin);
        assert_eq!((ours.code, ours.stderr()), (theirs.code, theirs.stderr()), "{command:?}");
        assert!(ours.stdout == theirs.stdout, "{command:?}: {}", ours.stdout());
    }
}

trait Run {
    fn run(&mut self, stdin: &str) -> Ended;
}

impl Run for Command {
    fn run(&mut self, stdin: &str) -> Ended {
        run(self, stdin.as_bytes(), LIMIT)
    }
}

#[test]
fn the_terminal_is_put_back_whatever_happens() {
    let Some(socket) = needs::docker() else { return };
    let _turn = Lesson::on(&socket).unwrap();
    let Some(_) = needs::program("script") else { return };
    let container = Sleeper::start(&socket, "tty");
    let exec = lesson("exec_interactive", &socket);
    let exec = format!("{} {}", exec.get_program().display(), container.name);
    let dir = TempDir::new();
    let pid = dir.join("pid");
    let pid = pid.display();
    // `script` provides a terminal. Each case prints how it ended, and whether the terminal is as
    // before.
    let cases = [
        ("the exec ends", format!("{exec} sh -c 'test -t 0 && exit 3'; echo code $?"), "code 3"),
        ("it cannot begin", format!("{exec} /no/such/program >/dev/null; echo code $?"), "code 12"),
        (
            "it is killed",
            format!(
                "exec 3<&0; (while stty -a <&3 | grep -q ' icanon'; do sleep 0.02; done; kill -KILL $(cat {pid})) & \
                 sh -c 'echo $$ >{pid}; exec {exec} sleep 99'; echo code $?; \
                 until stty -a | grep -q ' icanon'; do sleep 0.02; done"
            ),
            "code 137",
        ),
    ];
    for (case, commands, says) in cases {
        let commands = format!(
            "before=$(stty -g); {commands}; test \"$(stty -g)\" = \"$before\" && echo as it was"
        );
        let mut script = Command::new("script");
        script
            .args(["-qec", &commands, "/dev/null"])
            .env("DOCKER_HOST", url(&socket))
            .env("SHELL", "/bin/sh");
        let ended = script.run("");
        assert!(ended.stdout().contains(says), "{case}: {}", ended.stdout());
        assert!(ended.stdout().contains("as it was"), "{case}: {}", ended.stdout());
    }
}

/// The system's tar reads the archive of a build.
#[test]
fn the_tar_of_a_build_is_one_that_tar_reads() {
    let Some(_) = needs::program("tar") else { return };
    let dir = TempDir::new();
    dir.write("in/Dockerfile", "FROM scratch\n");
    dir.write("in/empty", "");
    dir.write("in/sub/dir/exactly-a-block", [7; 512]);
    dir.write("in/sub/large", vec![1; 300_000]);
    symlink("sub/large", dir.join("in/link")).unwrap();
    let body = sent_by(example("build_image").arg(dir.join("in")).arg("name"));
    fs::create_dir(dir.join("out")).unwrap();
    let mut tar = Command::new("tar");
    run(tar.arg("-x").arg("-C").arg(dir.join("out")), &body, LIMIT).success();
    run(Command::new("diff").arg("-r").args([dir.join("in"), dir.join("out")]), b"", LIMIT)
        .success();
    assert_eq!(fs::read_link(dir.join("out/link")).unwrap(), Path::new("sub/large"));

    let file = dir.write("one", vec![2; 100_000]);
    let body = sent_by(example("copy_in").arg(&file).arg("c:/"));
    run(tar.args(["--strip-components=0"]), &body, LIMIT).success();
    run(Command::new("cmp").args([file, dir.join("out/one")]), b"", LIMIT).success();
}

/// Returns the content of the only request that a lesson sends.
fn sent_by(command: &mut Command) -> Vec<u8> {
    use std::io::Read;
    use unix_http::connection::Connection;
    use unix_http::wire::{BodyDecoder, OVERHEAD_LIMIT, RequestDecoder, framing};
    let server = Fake::start(|peer| {
        let mut stream = peer.stream().try_clone()?;
        let (mut connection, mut decoder) = (Connection::new(&mut stream), RequestDecoder::new());
        connection.read_head(&mut decoder)?;
        let decision = framing::request(decoder.head()).map_err(std::io::Error::other)?;
        let mut body = BodyDecoder::new(decision.framing, 0, OVERHEAD_LIMIT);
        let mut content = Vec::new();
        loop {
            let piece = connection.fill_body(&mut body)?.to_vec();
            if piece.is_empty() {
                break;
            }
            connection.consume_body(piece.len());
            content.extend(piece);
        }
        peer.note(&content);
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")?;
        stream.read(&mut [0]).map(drop)
    });
    run(command.env("DOCKER_HOST", url(&server.path())), b"", LIMIT).success();
    server.received().concat()
}

#[test]
fn half_a_directory_is_never_sent_as_a_whole_one() {
    let server = Fake::start(|peer| peer.read_to_end());
    let dir = TempDir::new();
    let missing = dir.join("no-such-directory");
    let ended = run(
        example("build_image").arg(missing).arg("name").env("DOCKER_HOST", url(&server.path())),
        b"",
        LIMIT,
    );
    assert_eq!(ended.code, 1);
    assert!(ended.stderr().contains("No such file or directory"), "{}", ended.stderr());
    let sent = String::from_utf8(server.received().concat()).unwrap();
    assert!(
        sent.contains("Transfer-Encoding: chunked") && !sent.ends_with("0\r\n\r\n"),
        "{sent:?}"
    );
}

/// A process that runs until it is dropped.
struct Background(Child);

impl Background {
    fn start(command: &mut Command) -> Background {
        Background(
            command
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap(),
        )
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn until<T>(mut ready: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + LIMIT;
    loop {
        match ready() {
            Some(value) => return value,
            None => assert!(Instant::now() < end, "not ready in time"),
        }
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_server_of_ones_own_answers_as_http_wants_it() {
    let dir = TempDir::new();
    let socket = dir.join("notes.sock");
    let _server = Background::start(example("web_server").arg(&socket));
    until(|| UnixStream::connect(&socket).ok());
    assert_eq!(fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o600);

    let client = Client::unix(&socket);
    for (form, status) in [
        ("text=%3Cscript%3E&x=1", 303),
        ("x=1&text=a+b%2B", 303),
        ("x=1", 400),
        ("text=%+5", 400),
        ("text=", 400),
    ] {
        assert_eq!(client.post("/notes").body(form).send().unwrap().status(), status, "{form}");
    }
    assert_eq!(client.post("/notes").body(vec![b'a'; 70_000]).send().unwrap().status(), 413);
    assert_eq!(client.get("/notes").send().unwrap().text().unwrap(), "<script>\na b+\n");
    let page = client.get("/").send().unwrap().text().unwrap();
    assert!(page.contains("<li>&lt;script>\n<li>a b+\n"), "{page}");
    let refused = client.put("/").body("x").send().unwrap();
    assert_eq!((refused.status(), refused.field("Allow")), (405, Some(&b"GET, HEAD"[..])));
    assert_eq!(client.get("/nowhere").send().unwrap().status(), 404);
}

#[test]
fn a_browser_sees_the_page_through_the_tap() {
    let Some(browser) = needs::program("chromium-headless-shell") else { return };
    let dir = TempDir::new();
    let socket = dir.join("notes.sock");
    let _server = Background::start(example("web_server").arg(&socket));
    until(|| UnixStream::connect(&socket).ok());
    let client = Client::unix(&socket);
    let posted = client.post("/notes").body("text=a+note+for+the+browser").send().unwrap();
    assert!(posted.status() < 400);

    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let listen = format!("tcp://127.0.0.1:{port}");
    let _tap = Background::start(ucurl().args(["tap", "--listen", &listen, "--to", &url(&socket)]));
    until(|| TcpStream::connect(("127.0.0.1", port)).ok());
    let page = format!("http://127.0.0.1:{port}/");
    let shown = Command::new(browser)
        .args(["--no-sandbox", "--dump-dom", &page])
        .current_dir(dir.path())
        .run("");
    // The browser adds the end tag of the list item, which HTML lets an author leave out.
    assert!(shown.success().contains("<li>a note for the browser\n</li>"));
}

#[test]
fn a_health_check_says_it_with_its_exit_code() {
    let cases: [(&[u8], i32, &str); 5] = [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 0, ""),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 0, ""),
        (
            b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n",
            1,
            "503 Service Unavailable",
        ),
        (b"HTTP/1.1 302 Found\r\nLocation: /login\r\nContent-Length: 0\r\n\r\n", 1, "302 Found"),
        (b"", 1, "without a response"),
    ];
    for (answer, code, says) in cases {
        let server = Fake::answer_and_close(answer);
        let ended =
            run(example("health_check").args([&url(&server.path()), "/health"]), b"", LIMIT);
        assert_eq!(ended.code, code, "{}", answer.escape_ascii());
        assert!(ended.stderr().contains(says) && ended.stdout.is_empty(), "{}", ended.stderr());
    }
}
