//! The tap between the docker command and dockerd. The output is the same with and without it. Its
//! recordings agree with each other, run again, and replace the engine.
//!
//! `UNIX_HTTP_TEST_TAP_MIB` is the size of the image that is saved and loaded (default: 8).

use crate::support::child::{Ended, run, ucurl};
use crate::support::needs::{self, program};
use crate::support::temp::TempDir;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use unix_http::docker::sha256_hex;
use unix_http::json::Value;

const LIMIT: Duration = Duration::from_secs(300);

/// Returns dockerd's socket, if the docker command is installed as well.
fn engine() -> Option<PathBuf> {
    program("docker")?;
    needs::docker()
}

/// Returns a shell that runs `script`, in which the docker command uses `socket`.
fn shell(socket: &Path, script: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script]).env("DOCKER_HOST", format!("unix://{}", socket.display()));
    command
        .env("DOCKER_CONFIG", "/nonexistent")
        .env("DOCKER_BUILDKIT", "0")
        .env("DOCKER_CLI_HINTS", "false");
    command
}

/// A tap with all recorders.
struct Tap {
    dir: TempDir,
    child: Option<Child>,
}

impl Tap {
    fn start(to: &Path) -> Tap {
        Tap::start_for(to, &[])
    }

    fn start_for(to: &Path, flags: &[&str]) -> Tap {
        let dir = TempDir::new();
        fs::create_dir(dir.join("run")).unwrap();
        let at = |name: &str| dir.join(name).display().to_string();
        let mut command = ucurl();
        command
            .env("XDG_RUNTIME_DIR", dir.join("run"))
            .args(["tap", "--listen", &at("tap"), "--to"])
            .arg(to);
        command.args([
            "-o",
            &at("view"),
            "--har",
            &at("har"),
            "--pcap",
            &at("pcap"),
            "--record",
            &at("rec"),
        ]);
        command.args(["--script", &at("script")]).args(flags);
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        BufReader::new(child.stderr.as_mut().unwrap()).read_line(&mut String::new()).unwrap();
        assert!(dir.join("tap").exists());
        let tap = Tap { dir, child: Some(child) };
        // All threads of the tap itself are running. Later ones belong to connections.
        let end = Instant::now() + LIMIT;
        while !tap
            .entries("task")
            .any(|thread| fs::read(thread.path().join("comm")).is_ok_and(|n| n == b"tap-viewer\n"))
        {
            assert!(Instant::now() < end, "no viewer");
            thread::sleep(Duration::from_millis(1));
        }
        tap
    }

    /// Returns the entries of a directory in /proc of the relaying process.
    fn entries(&self, what: &str) -> impl Iterator<Item = fs::DirEntry> {
        let front = self.child.as_ref().unwrap().id();
        let back = fs::read_to_string(format!("/proc/{front}/task/{front}/children")).unwrap();
        fs::read_dir(format!("/proc/{}/{what}", back.trim())).unwrap().flatten()
    }

    fn socket(&self) -> PathBuf {
        self.dir.join("tap")
    }

    /// Returns the numbers of threads and sockets of the relaying process. (It keeps large bodies
    /// in files until the script ends.)
    fn holds(&self) -> (usize, usize) {
        let is_socket = |fd: &fs::DirEntry| {
            fs::read_link(fd.path())
                .is_ok_and(|target| target.as_os_str().as_bytes().starts_with(b"socket:"))
        };
        (self.entries("task").count(), self.entries("fd").filter(is_socket).count())
    }

    /// Ends the tap with SIGTERM. Returns its complaints.
    fn stop(&mut self) -> String {
        let mut child = self.child.take().unwrap();
        assert!(
            Command::new("kill")
                .args(["-TERM", &child.id().to_string()])
                .status()
                .unwrap()
                .success()
        );
        let mut said = String::new();
        child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(0), "{said}");
        assert!(!self.socket().exists());
        assert_eq!(fs::read_dir(self.dir.join("run")).unwrap().count(), 0);
        said
    }

    fn read(&self, name: &str) -> String {
        String::from_utf8_lossy(&fs::read(self.dir.join(name)).unwrap()).into_owned()
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Containers and images of the test. Dropping this removes them.
struct Mine {
    name: String,
    socket: PathBuf,
}

impl Mine {
    fn new(socket: &Path, what: &str) -> Mine {
        Mine { name: format!("uh-tap-{what}-{}", std::process::id()), socket: socket.to_owned() }
    }
}

impl Drop for Mine {
    fn drop(&mut self) {
        let name = &self.name;
        let script = format!(
            "docker ps -aq --filter name={name} | xargs -r docker rm -f; docker images -q {name} | sort -u | xargs -r docker rmi -f"
        );
        let _ = run(&mut shell(&self.socket, &script), b"", LIMIT);
    }
}

fn outcome(ended: &Ended) -> (i32, String, String) {
    // Large outputs are compared by hash.
    let text = |bytes: &[u8]| match bytes.len() {
        0..10_000 => String::from_utf8_lossy(bytes).into_owned(),
        n => format!("{n} bytes, {}", sha256_hex(bytes)),
    };
    (ended.code, text(&ended.stdout), text(&ended.stderr))
}

/// Returns request-lines and status-codes: here of the view, below of the HAR and the capture.
fn of_the_view(view: &str) -> Vec<String> {
    let mut seen = Vec::new();
    for line in view.lines() {
        let mut words = line.split(' ');
        let (Some(_), Some(sign), Some(first)) = (words.next(), words.next(), words.next()) else {
            continue;
        };
        match (sign, words.next(), words.next()) {
            (">", Some(target), Some("HTTP/1.1")) => seen.push(format!("{first} {target}")),
            ("<", Some(status), _) if first == "HTTP/1.1" => seen.push(status.to_owned()),
            _ => {}
        }
    }
    seen.sort();
    seen
}

fn of_the_har(har: &str) -> Vec<String> {
    let har = Value::parse(har.as_bytes()).unwrap();
    let text =
        |value: &Value, name: &str| value.get(name).and_then(Value::as_str).unwrap().to_owned();
    let mut seen = Vec::new();
    for entry in har.get("log").unwrap().get("entries").unwrap().elements() {
        let (request, response) = (entry.get("request").unwrap(), entry.get("response").unwrap());
        let url = text(request, "url");
        seen.push(format!(
            "{} {}",
            text(request, "method"),
            &url[url[7..].find('/').unwrap() + 7..]
        ));
        seen.push(response.get("status").unwrap().as_i64().unwrap().to_string());
    }
    seen.sort();
    seen
}

fn of_the_capture(tshark: &Path, capture: &Path) -> Vec<String> {
    let mut command = Command::new(tshark);
    command.arg("-r").arg(capture).args(["-Y", "http", "-T", "fields"]);
    command.args([
        "-e",
        "http.request.method",
        "-e",
        "http.request.uri",
        "-e",
        "http.response.code",
    ]);
    let mut seen = Vec::new();
    for line in run(&mut command, b"", LIMIT).success().lines() {
        let parts: Vec<&str> = line.split('\t').collect();
        // A packet can hold several messages, and a response can repeat the URI of its request.
        match parts[..] {
            [methods, uris, ""] => seen
                .extend(methods.split(',').zip(uris.split(',')).map(|(m, u)| format!("{m} {u}"))),
            [_, _, codes] => seen.extend(codes.split(',').map(str::to_owned)),
            _ => {}
        }
    }
    seen.sort();
    seen
}

#[test]
fn the_docker_command_prints_the_same_through_a_tap() {
    let Some(engine) = engine() else { return };
    let mut tap = Tap::start(&engine);
    let before = tap.holds();
    let mine = Mine::new(&engine, "same");
    let name = &mine.name;
    let mib = std::env::var("UNIX_HTTP_TEST_TAP_MIB").unwrap_or("8".into());
    let work = TempDir::new();
    let at = |name: &str| work.join(name).display().to_string();
    work.write("context/Dockerfile", "FROM busy\nCOPY file /file\nRUN cat /file; echo built\n");
    work.write("context/file", "in the context\n");
    let prepare = format!(
        "set -e
        docker run -d --name {name}-log --network none busy sh -c 'for n in 1 2 3 4 5; do echo out $n; echo err $n >&2; done'
        docker wait {name}-log
        docker run -d --name {name}-run --network none busy sleep 1000
        mkdir {tar}; head -c {mib}M /dev/urandom > {tar}/data; tar -C {tar} -c . | docker import - {name}:big
        docker build -t {name}:built --network none {context} >/dev/null 2>&1",
        tar = at("tar"),
        context = at("context"),
    );
    run(&mut shell(&engine, &prepare), b"", LIMIT).success();
    let input = vec![b'i'; 300_000];
    let follow = "for n in 1 2 3; do echo $n; sleep 0.05; done";
    let scripts = [
        "docker version".to_owned(),
        // Not the default columns: "CREATED 14 seconds ago" changes a moment later.
        format!(
            "docker image ls --no-trunc --format '{{{{json .ID}}}} {{{{.Repository}}}} {{{{.Tag}}}} {{{{.Size}}}}' {name}:built"
        ),
        "docker run --rm --network none busy sh -c 'echo out; echo err >&2; exit 3'".into(),
        "docker run --rm -i --network none busy cat".into(),
        "docker run --rm -i --network none busy sh -c 'read x; echo $x; wc -c'".into(),
        format!("docker exec -i {name}-run sh -c 'wc -c; echo err >&2; exit 4'"),
        format!("docker exec {name}-run nothing-here"),
        format!("docker logs {name}-log"),
        format!("c=$(docker run -d --network none busy sh -c '{follow}'); docker logs -f $c; docker rm $c >/dev/null"),
        format!(
            "docker events --since 0 --until $(docker info -f '{{{{.SystemTime}}}}') --filter container={name}-log"
        ),
        format!(
            "mkfifo {f} && exec 3<>{f}; since=$(docker info -f '{{{{.SystemTime}}}}')
            docker events --since $since --filter container={name}-ev --format '{{{{.Action}}}}' >&3 & events=$!
            docker run --rm --network none --name {name}-ev busy true
            sed /destroy/q <&3; kill $events; wait $events; rm {f}",
            f = at("fifo")
        ),
        format!(
            "cat > {f}; docker cp {f} {name}-run:/tmp/in && docker cp {name}-run:/tmp/in - | tar -xO; echo $?",
            f = at("f")
        ),
        format!("docker cp {name}-run:/nothing - ; echo $?"),
        format!("docker build -t {name}:built --network none {}", at("context")),
        format!("docker save {name}:big"),
        format!("docker save {name}:big | docker load"),
        format!("docker inspect {name}-log -f '{{{{.Config.Cmd}}}} {{{{.State.ExitCode}}}}'"),
        "docker inspect --type container nothing-of-that-name".into(),
        "docker pull 127.0.0.1:1/nothing".into(),
    ];
    for script in &scripts {
        let bare = run(&mut shell(&engine, script), &input, LIMIT);
        let tapped = run(&mut shell(&tap.socket(), script), &input, LIMIT);
        assert_eq!(outcome(&tapped), outcome(&bare), "{script}");
    }
    // Many commands at once.
    let ps = format!(
        "docker ps --no-trunc --filter name={name}-run --format '{{{{.ID}}}} {{{{.Names}}}}'"
    );
    let want = run(&mut shell(&engine, &ps), b"", LIMIT).success();
    assert!(want.contains(name), "{want}");
    thread::scope(|scope| {
        for _ in 0..50 {
            scope.spawn(|| {
                assert_eq!(run(&mut shell(&tap.socket(), &ps), b"", LIMIT).success(), want)
            });
        }
    });
    // The last connections end shortly after their commands.
    let end = Instant::now() + LIMIT;
    while tap.holds() != before {
        assert!(Instant::now() < end, "{:?} threads and sockets, {before:?} before", tap.holds());
        thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(tap.stop(), "");

    // The three recordings agree.
    let view = tap.read("view");
    let seen = of_the_view(&view);
    assert!(seen.len() > 200, "{} lines", seen.len());
    assert_eq!(of_the_har(&tap.read("har")), seen);
    if let Some(tshark) = program("tshark") {
        assert_eq!(of_the_capture(&tshark, &tap.dir.join("pcap")), seen);
    }
    // The tap understood every byte. (The docker command leaves before its /wait is answered.)
    let is_fault = |line: &&str| {
        line.split(' ').nth(1) == Some("!") && !line.contains("the client takes no more")
    };
    let faults: Vec<&str> = view.lines().filter(is_fault).collect();
    let at = |n: &str| {
        view.lines()
            .filter(|line| line.split([' ', '.']).next() == Some(n))
            .collect::<Vec<_>>()
            .join("\n")
    };
    let told: Vec<String> =
        faults.iter().filter_map(|fault| fault.split(' ').next()).map(at).collect();
    assert_eq!(faults, [""; 0], "{}", told.join("\n"));
}

/// BuildKit's session is HTTP/2 on an upgraded connection. The docker command of 20.10 has it built
/// in, and newer ones have it in the buildx plugin.
#[test]
fn buildkit_builds_through_a_tap() {
    let Some(engine) = engine() else { return };
    let mine = Mine::new(&engine, "kit");
    let work = TempDir::new();
    work.write("Dockerfile", "FROM busy\nCOPY file /file\n");
    work.write("file", "in the context\n");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let commands =
        std::env::split_paths(&path).map(|dir| dir.join("docker")).filter(|file| file.is_file());
    let build = |docker: &Path, socket: &Path| {
        let script = format!(
            "DOCKER_BUILDKIT=1 {} build -q -t {} {}",
            docker.display(),
            mine.name,
            work.path().display()
        );
        run(&mut shell(socket, &script), b"", LIMIT)
    };
    let built =
        commands.map(|docker| (build(&docker, &engine), docker)).find(|(bare, _)| bare.code == 0);
    let Some((bare, docker)) = built else {
        return println!("left out: no docker command here speaks to BuildKit");
    };
    let mut tap = Tap::start(&engine);
    let tapped = build(&docker, &tap.socket());
    assert_eq!(outcome(&tapped), outcome(&bare));
    assert_eq!(tap.stop(), "");
    let view = tap.read("view");
    assert!(view.contains("/session HTTP/1.1\n") && view.contains(" < HTTP/1.1 101 "), "{view}");
    // Credentials travel in its frames, which the tap does not read.
    assert!(
        !String::from_utf8_lossy(&fs::read(tap.dir.join("pcap")).unwrap())
            .contains("PRI * HTTP/2.0")
    );
}

const SESSION: &str = "set -e
    id=$(docker run -d --network none --label uh-tap=1 busy sh -c 'echo out; echo err >&2')
    docker wait $id >/dev/null
    docker logs $id
    docker rm $id >/dev/null
    echo | docker run --rm -i --network none busy sh -c 'cat >/dev/null; echo done'";

fn rerun(script: &Path) -> Ended {
    let mut sh = Command::new("sh");
    sh.arg(script).env("UCURL", env!("CARGO_BIN_EXE_ucurl")).env_remove("DOCKER_HOST");
    run(&mut sh, b"", LIMIT)
}

/// The same with curl. It leaves Docker's frames as they are.
#[test]
fn a_script_of_curl_does_the_same() {
    let (Some(engine), Some(_)) = (engine(), program("curl")) else { return };
    let mut tap = Tap::start_for(&engine, &["--script-for", "curl"]);
    let (session, _) = SESSION.rsplit_once('\n').unwrap();
    run(&mut shell(&tap.socket(), session), b"", LIMIT).success();
    tap.stop();
    let ended = rerun(&tap.dir.join("script"));
    let (out, err) = (ended.stdout(), ended.stderr());
    assert_eq!((ended.code, err.as_str()), (0, ""), "{out}\n{}", tap.read("script"));
    assert!(out.contains("\0\0\0\x04out\n") && out.contains("\0\0\0\x04err\n"), "{out:?}");
    let created = out
        .lines()
        .find_map(|line| line.strip_prefix("{\"Id\":\""))
        .expect("the id of what it made");
    let left = run(&mut shell(&engine, &format!("docker inspect {}", &created[..64])), b"", LIMIT);
    assert_eq!(left.code, 1, "it removed its container: {}", left.stdout());
}

/// Records `docker run -d`, `docker logs` and `docker rm` as a script. The script does the same
/// with a container of its own.
#[test]
fn a_recorded_script_does_the_same() {
    let Some(engine) = engine() else { return };
    let mut tap = Tap::start(&engine);
    run(&mut shell(&tap.socket(), SESSION), b"", LIMIT).success();
    tap.stop();
    for _ in 0..2 {
        let ended = rerun(&tap.dir.join("script"));
        let (out, err) = (ended.stdout(), ended.stderr());
        assert_eq!(ended.code, 0, "{out}\n{err}\n{}", tap.read("script"));
        assert!(
            out.lines().any(|line| line == "out") && out.lines().any(|line| line == "done"),
            "{out}"
        );
        assert!(err.lines().any(|line| line == "err"), "{err}");
        let id = out.lines().find(|line| line.len() == 64).expect("the id of what it made");
        let left = run(&mut shell(&engine, &format!("docker inspect {id}")), b"", LIMIT);
        assert_eq!(left.code, 1, "it removed its container: {}", left.stdout());
    }
}

/// The docker command has the same output with a recording as with the engine.
#[test]
fn a_recording_can_replace_the_engine() {
    let Some(engine) = engine() else { return };
    let mut tap = Tap::start(&engine);
    let session = format!(
        "{SESSION}; docker version; docker image ls -q busy; docker inspect --type container nothing-here || echo $?"
    );
    let real = run(&mut shell(&tap.socket(), &session), b"", LIMIT);
    tap.stop();
    for (recording, flags) in [("rec", &[][..]), ("rec", &["--pace"]), ("har", &[])] {
        let mut replay = ucurl();
        replay
            .arg("replay")
            .args(flags)
            .arg(tap.dir.join(recording))
            .args(["--", "sh", "-c", &session]);
        replay.env("DOCKER_CONFIG", "/nonexistent").env("XDG_RUNTIME_DIR", tap.dir.join("run"));
        let ended = run(&mut replay, b"", LIMIT);
        assert_eq!(outcome(&ended), outcome(&real), "{recording} {flags:?}");
    }
    assert_eq!(fs::read_dir(tap.dir.join("run")).unwrap().count(), 0);
}
