//! A guard in front of a real dockerd: the requests that it refuses, and their effect without it.

use crate::guard_cases::{ALLOWED, AMBIGUOUS, Case, DENIED, RULES, request};
use crate::support::child::{Ended, run, ucurl};
use crate::support::engine::LIMIT;
use crate::support::needs;
use crate::support::temp::TempDir;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use unix_http::Client;
use unix_http::json::Value;

/// A guard process. Dropping it ends the process.
struct Guard {
    dir: TempDir,
    child: Child,
}

impl Guard {
    fn start(engine: &Path, rules: &str) -> Guard {
        let dir = TempDir::new();
        let file = dir.write("rules", rules);
        let mut command = ucurl();
        command.arg("guard").arg("-q").arg("--listen").arg(dir.join("s")).arg("--to").arg(engine);
        command.arg(file).env("XDG_RUNTIME_DIR", dir.path());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        BufReader::new(child.stderr.as_mut().unwrap()).read_line(&mut String::new()).unwrap();
        assert!(dir.join("s").exists());
        Guard { dir, child }
    }

    fn socket(&self) -> PathBuf {
        self.dir.join("s")
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        _ = Command::new("kill").arg(self.child.id().to_string()).status();
        _ = self.child.wait();
    }
}

/// Sends bytes on a new connection. Returns the status-code and all bytes of the response.
fn raw(socket: &Path, bytes: &[u8]) -> (u16, String) {
    let mut stream = UnixStream::connect(socket).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    _ = stream.write_all(bytes);
    _ = stream.shutdown(Shutdown::Write);
    let mut answer = Vec::new();
    _ = stream.read_to_end(&mut answer);
    let answer = String::from_utf8_lossy(&answer).into_owned();
    (answer.get(9..12).and_then(|code| code.parse().ok()).unwrap_or(0), answer)
}

/// Returns the ids of an engine's containers.
fn containers(engine: &Path) -> Vec<String> {
    let list = Client::unix(engine).get("/containers/json?all=1").send().unwrap().text().unwrap();
    let list = Value::parse(list.as_bytes()).unwrap();
    let id = |container: &Value| container.get("Id").and_then(Value::as_str).unwrap().to_owned();
    list.elements().iter().map(id).collect()
}

fn remove(engine: &Path, id: &str) {
    let target = format!("/containers/{id}?force=1");
    _ = Client::unix(engine).delete(&target).send().unwrap().bytes();
}

fn created(answer: &str) -> Option<String> {
    let body = answer.split_once("\r\n\r\n")?.1;
    Some(Value::parse(body.as_bytes()).ok()?.get("Id")?.as_str()?.to_owned())
}

/// Bodies from which dockerd creates a privileged container, and targets that it accepts.
const WAYS_IN: &[(&str, &str)] = &[
    ("/containers/create", r#"{"Image":"busy","Cmd":["true"],"HostConfig":{"Privileged":true}}"#),
    ("/containers/create", r#"{"Image":"busy","Cmd":["true"],"hostconfig":{"PRIVILEGED":true}}"#),
    (
        "/containers/create",
        r#"{"Image":"busy","Cmd":["true"],"HostConfig":{},"hostconfig":{"Privileged":true}}"#,
    ),
    (
        "/containers/create",
        r#"{"Image":"busy","Cmd":["true"],"Ho\u017ftConfig":{"Privileged":true}}"#,
    ),
    (
        "/containers/create",
        r#"{"Image":"busy","Cmd":["true"],"H\u006fstConfig":{"Privi\u006ceged":true}}"#,
    ),
    (
        "/containers/create",
        r#"{"Image":"busy","Cmd":["true"],"HostConfig":null,"HostConfig":{"Privileged":true}}"#,
    ),
    (
        "/containers/create",
        r#"{"Image":"busy","Cmd":["true"],"HostConfig":{"Privileged":true}}{"x":1}"#,
    ),
    (
        "/%63ontainers%2fcreate",
        r#"{"Image":"busy","Cmd":["true"],"HostConfig":{"Privileged":true}}"#,
    ),
    (
        "/v0001.41/containers/create",
        r#"{"Image":"busy","Cmd":["true"],"HostConfig":{"Privileged":true}}"#,
    ),
    (
        "http://x/containers/create",
        r#"{"Image":"busy","Cmd":["true"],"HostConfig":{"Privileged":true}}"#,
    ),
];

#[test]
fn no_request_for_a_privileged_container_passes() {
    let Some(engine) = needs::docker() else { return };
    let guard = Guard::start(&engine, "POST /containers/create /Image=busy /Cmd/*=*\n");
    for (target, body) in WAYS_IN {
        let fields = "Content-Type: application/json\r\n";
        let request = request(&format!("POST {target}"), fields, body);
        let (refused, why) = raw(&guard.socket(), &request);
        assert_eq!((refused, created(&why)), (403, None), "{target} {body}: {why}");
        let (status, answer) = raw(&engine, &request);
        let Some(id) = created(&answer) else {
            // Since version 23, dockerd reads on after the first value.
            assert!(answer.contains("unexpected content after JSON"), "{target} {body}: {answer}");
            continue;
        };
        let inspect = format!("/containers/{id}/json");
        let inspected = Client::unix(&engine).get(&inspect).send().unwrap().text().unwrap();
        remove(&engine, &id);
        assert_eq!(status, 201, "{answer}");
        assert!(inspected.contains("\"Privileged\":true"), "{target} {body}: dockerd has changed");
    }
}

#[test]
fn only_allowed_requests_reach_the_engine() {
    let Some(engine) = needs::docker() else { return };
    let guard = Guard::start(&engine, &RULES.replace("POST /**", ""));
    let fields = |more: &str| format!("Content-Type: application/json\r\n{more}");
    for Case(line, more, body, _) in AMBIGUOUS.iter().chain(DENIED) {
        let (status, answer) = raw(&guard.socket(), &request(line, &fields(more), body));
        assert_eq!(status, 403, "{line} {body}: {answer}");
    }
    for Case(line, more, body, want) in ALLOWED.iter().filter(|case| !case.0.contains("prune")) {
        assert_eq!(*want, "");
        let (status, answer) = raw(&guard.socket(), &request(line, &fields(more), body));
        let Some(id) = created(&answer) else {
            assert!((100..600).contains(&status) && status != 403, "{line} {body}: {answer}");
            continue;
        };
        let inspect = format!("/containers/{id}/json");
        let inspected = Client::unix(&engine).get(&inspect).send().unwrap().text().unwrap();
        remove(&engine, &id);
        assert!(inspected.contains("\"Privileged\":false"), "{inspected}");
        assert!(inspected.contains("\"MaskedPaths\":[\"/proc/asound\""), "{inspected}");
    }
    assert_eq!(containers(&engine).iter().filter(|id| id.is_empty()).count(), 0);
}

fn docker(socket: &Path, script: &str) -> Ended {
    let mut command = Command::new("sh");
    let host = format!("unix://{}", socket.display());
    command.args(["-ec", script]).env("DOCKER_HOST", host).env("DOCKER_CONFIG", "/nonexistent");
    command.env("DOCKER_BUILDKIT", "0").env("DOCKER_CLI_HINTS", "false");
    run(&mut command, b"", LIMIT)
}

/// `tap --rules` writes the rules that a run needs. Under these rules the same run works, and no
/// other.
#[test]
fn a_run_works_under_exactly_the_rules_it_needed() {
    let (Some(engine), Some(_)) = (needs::docker(), needs::program("docker")) else { return };
    let dir = TempDir::new();
    let name = format!("uh-guard-{}", std::process::id());
    let script = format!(
        "docker run --network none --name {name} -e A='b c' -i busy sh -c 'echo \"$A\"; exit 3' \
         || echo $?; docker logs {name}; docker start -a {name} || echo $?; \
         docker exec {name} true || echo exec; docker rm {name}"
    );
    let mut tap = ucurl();
    tap.args(["tap", "-q", "--rules"]).arg(dir.join("rules")).arg("--to").arg(&engine);
    tap.args(["--", "sh", "-ec", &script]).env("DOCKER_CONFIG", "/nonexistent");
    let free = run(&mut tap, b"", LIMIT);
    let rules = fs::read_to_string(dir.join("rules")).unwrap();
    assert_eq!(free.stdout(), format!("b c\n3\nb c\nb c\n3\nexec\n{name}\n"), "{rules}");
    assert!(rules.contains("/Env/*=A=b%20c ") && rules.contains("POST /containers/*/start\n"));
    let guard = Guard::start(&engine, &rules);
    let guarded = docker(&guard.socket(), &script);
    assert_eq!(guarded.stdout(), free.stdout(), "{}\n{rules}", guarded.stderr());
    for other in ["-e A=x busy true", "--privileged busy true", "-v /:/x busy true", "busy true"] {
        let run = format!("docker run --network none --name {name} {other}");
        let refused = docker(&guard.socket(), &run);
        assert_eq!(refused.code, 125, "{other}: {}", refused.stdout());
        assert!(refused.stderr().contains("needed: POST /containers/create "), "{other}");
    }
    assert_eq!(docker(&guard.socket(), "docker ps").code, 1);
    assert!(!containers(&engine).contains(&name));
}

/// stdin, its end, and all output pass a guard.
#[test]
fn raw_connections_pass_a_guard() {
    let (Some(engine), Some(_)) = (needs::docker(), needs::program("docker")) else { return };
    let dir = TempDir::new();
    let script = "head -c 300000 /dev/zero | docker run --rm --network none -i busy wc -c";
    let mut tap = ucurl();
    tap.args(["tap", "-q", "--rules"]).arg(dir.join("rules")).arg("--to").arg(&engine);
    tap.args(["--", "sh", "-c", script]).env("DOCKER_CONFIG", "/nonexistent");
    assert_eq!(run(&mut tap, b"", LIMIT).success().trim(), "300000");
    let guard = Guard::start(&engine, &fs::read_to_string(dir.join("rules")).unwrap());
    assert_eq!(docker(&guard.socket(), script).success().trim(), "300000");
}

/// The docker command runs under the rules in `examples/guard`.
#[test]
fn the_preset_rule_files_allow_their_commands() {
    let (Some(engine), Some(_)) = (needs::docker(), needs::program("docker")) else { return };
    let preset = |name: &str| fs::read_to_string(format!("examples/guard/{name}.rules")).unwrap();
    let name = format!("ci-guard-{}", std::process::id());
    let image = format!("registry.example/team/{name}");
    let hardened =
        "--user 1000 --network none --cap-drop ALL --security-opt no-new-privileges --rm";
    let guard = Guard::start(&engine, &preset("ci-build"));
    let build = format!(
        "printf 'FROM busy\nRUN true\n' | docker build -q --network none -t {image} - 2>/dev/null; \
         docker run {hardened} --name {name} {image} id -u; \
         echo in | docker run -i {hardened} {image} cat; \
         docker image inspect -f '{{{{.Os}}}}' {image}"
    );
    let ended = docker(&guard.socket(), &build);
    assert!(ended.stdout().ends_with("\n1000\nin\nlinux\n"), "{ended:?}");
    for more in [
        "--privileged",
        "--user 0",
        "--network host",
        "--cap-add SYS_ADMIN",
        "--security-opt seccomp=unconfined",
        "--security-opt systempaths=unconfined",
        "-v /:/x",
        "--mount type=bind,src=/,dst=/x",
        "--mount type=volume,dst=/x,volume-opt=device=/",
        "--device /dev/null",
        "--pid host",
        "--ipc host",
        "--uts host",
        "--volumes-from x",
        "--entrypoint sh",
        "--cgroup-parent x",
        "--group-add 0",
        "--sysctl kernel.msgmax=1",
    ] {
        let refused = docker(&guard.socket(), &format!("docker run {hardened} {more} {image} id"));
        assert_eq!((refused.code, refused.stdout()), (125, String::new()), "{more}");
        assert!(refused.stderr().contains("the rule lacks "), "{more}: {}", refused.stderr());
    }
    for wrong in [
        format!("docker run {hardened} busy id"),
        format!("docker run --user 1000 --network none {image} id"),
        format!("printf 'FROM busy\n' | docker build -t {image} --network host -"),
        "printf 'FROM busy\n' | docker build -t other -".to_owned(),
        "docker ps".to_owned(),
        format!("docker rmi {image}"),
    ] {
        assert_ne!(docker(&guard.socket(), &wrong).code, 0, "{wrong}");
    }
    let run = format!("docker run -d --name {name} --network none busy sleep 300");
    docker(&engine, &run).success();
    let guard = Guard::start(&engine, &preset("read-only"));
    let look = format!(
        "docker version; docker ps -a --filter name={name}; docker images; docker top {name}; \
         docker inspect {name}; docker logs {name}; docker diff {name}; docker history busy; \
         docker network ls; docker volume ls; docker events --since 1 --until 2"
    );
    docker(&guard.socket(), &look).success();
    for wrong in [
        format!("docker exec {name} true"),
        format!("docker cp {name}:/etc/passwd -"),
        format!("docker attach {name}"),
        format!("docker rm -f {name}"),
        format!("docker rename {name} x"),
        "docker save busy".to_owned(),
        "docker run --network none busy true".to_owned(),
        "docker system prune -f".to_owned(),
    ] {
        assert_ne!(docker(&guard.socket(), &wrong).code, 0, "{wrong}");
    }
    let targets = ["/version", "/containers/json?all=1&limit=0", "/events?until=1&filters=%7B%7D"];
    for (name, allowed) in [("traefik", [true, true, false]), ("prometheus", [false, true, false])]
    {
        let guard = Guard::start(&engine, &preset(name));
        for (target, allowed) in targets.iter().zip(allowed) {
            let status = Client::unix(guard.socket()).get(target).send().unwrap().status();
            assert_eq!(status == 200, allowed, "{name} {target} {status}");
        }
    }
    docker(&engine, &format!("docker rm -f {name}; docker rmi {image}")).success();
}
