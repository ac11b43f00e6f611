//! Faults that real clients have found. The right values are the answers of dockerd 26.1.5.

use crate::support::demo::Demo;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use unix_http::Client;
use unix_http::base::percent::encode;
use unix_http::json::Value;

/// An engine with two sleeping containers, `l1` and `l2`, and `l3`, which was never started.
struct Engine {
    demo: Demo,
    client: Client,
}

impl Engine {
    fn start() -> Engine {
        let demo = Demo::start();
        let client = Client::unix(demo.socket());
        let engine = Engine { demo, client };
        for (name, labels) in [("l1", r#""a":"1","b":"1""#), ("l2", r#""a":"1","b":"2""#)] {
            engine.create(name, &format!(r#""Cmd":["sleep","60"],"Labels":{{{labels}}}"#));
            engine.expect("POST", &format!("/containers/{name}/start"), "", (204, ""));
        }
        engine.create("l3", r#""Cmd":["true"]"#);
        engine
    }

    #[track_caller]
    fn create(&self, name: &str, members: &str) -> String {
        let json = format!(r#"{{"Image":"busybox",{members}}}"#);
        let (status, text) = self.ask("POST", &format!("/containers/create?name={name}"), &json);
        assert_eq!(status, 201, "{text}");
        member(&text, "/Id")
    }

    #[track_caller]
    fn exec(&self, container: &str, members: &str) -> String {
        let (status, text) = self.ask(
            "POST",
            &format!("/containers/{container}/exec"),
            &format!(r#"{{"AttachStdout":true,"AttachStderr":true,{members}}}"#),
        );
        assert_eq!(status, 201, "{text}");
        member(&text, "/Id")
    }

    /// Sends a request. Returns the status-code and the text.
    fn ask(&self, method: &str, path: &str, json: &str) -> (u16, String) {
        let request = match method {
            "GET" => self.client.get(path),
            "DELETE" => self.client.delete(path),
            _ => self.client.post(path),
        };
        let request = if json.is_empty() { request } else { request.json(json) };
        let response = request.send().unwrap();
        let status = response.status();
        let text = if status == 304 { String::new() } else { response.text().unwrap() };
        (status, text.trim_end().to_owned())
    }

    /// Sends a request and compares the status-code, and the text or the message of an error.
    #[track_caller]
    fn expect(&self, method: &str, path: &str, json: &str, (status, text): (u16, &str)) {
        let (got, body) = self.ask(method, path, json);
        let message = if got >= 400 { member(&body, "/message") } else { body };
        assert_eq!((got, &message[..]), (status, text), "{method} {path} {json}");
    }

    /// Returns the names in a list with these filters.
    #[track_caller]
    fn names(&self, list: &str, filters: &str, member: &str) -> String {
        let path = format!("{list}filters={}", encode(filters.as_bytes()));
        let (status, text) = self.ask("GET", &path, "");
        assert_eq!(status, 200, "{filters}: {text}");
        let list = Value::parse(text.as_bytes()).unwrap();
        let first = |one: &Value| match one.get(member) {
            Some(Value::Array(names)) => names.first()?.as_str().map(str::to_owned),
            name => name?.as_str().map(str::to_owned),
        };
        list.elements().iter().filter_map(first).collect::<Vec<_>>().join(" ")
    }

    /// Sends a POST with this JSON that offers an upgrade, and returns the connection.
    fn hijack(&self, path: &str, json: &str) -> UnixStream {
        let mut stream = UnixStream::connect(self.demo.socket()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let length = json.len();
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{json}"
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream
    }
}

/// Returns the text or number at a place in a JSON text.
#[track_caller]
fn member(text: &str, place: &str) -> String {
    let value = Value::parse(text.as_bytes()).unwrap_or_else(|_| panic!("no JSON: {text}"));
    let found = place.split('/').skip(1).try_fold(&value, |value, name| match value {
        Value::Array(elements) => elements.get(name.parse::<usize>().ok()?),
        value => value.get(name),
    });
    match found {
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
        None => "none".to_owned(),
    }
}

/// Returns the bytes of the next read.
fn read(stream: &mut UnixStream) -> String {
    let mut buffer = [0; 4096];
    let n = stream.read(&mut buffer).unwrap();
    String::from_utf8_lossy(&buffer[..n]).into_owned()
}

/// Reads to the end.
fn rest(mut stream: UnixStream) -> String {
    let mut all = Vec::new();
    stream.read_to_end(&mut all).unwrap();
    String::from_utf8_lossy(&all).into_owned()
}

/// Reads until `end` has come.
fn until(stream: &mut UnixStream, end: &str) -> String {
    let mut all = String::new();
    while !all.contains(end) {
        let more = read(stream);
        assert!(!more.is_empty(), "ended after {all:?}, before {end:?}");
        all += &more;
    }
    all
}

#[test]
fn filters_of_containers() {
    let engine = Engine::start();
    for (filters, names) in [
        // Every label has to match.
        (r#"{"label":["a=1","b=2"]}"#, "/l2"),
        (r#"{"label":["a=1"]}"#, "/l2 /l1"),
        (r#"{"label":["b"]}"#, "/l2 /l1"),
        (r#"{"label":{"b=1":true,"b=2":false}}"#, "/l1"),
        // The name may begin with a slash. `^` and `$` stand for its ends.
        (r#"{"name":["^l1$"]}"#, "/l1"),
        (r#"{"name":["^/l1$"]}"#, "/l1"),
        (r#"{"name":["l"]}"#, "/l3 /l2 /l1"),
        (r#"{"name":["^l$"]}"#, ""),
        (r#"{"name":["1$"]}"#, "/l1"),
        (r#"{"name":["x", "3"]}"#, "/l3"),
        // A dot stands for any character, as in a regular expression.
        (r#"{"name":["l."]}"#, "/l3 /l2 /l1"),
        (r#"{"name":["^.1$"]}"#, "/l1"),
        (r#"{"name":["^/.1"]}"#, "/l1"),
        (r#"{"name":[".l3$"]}"#, "/l3"),
        (r#"{"name":["^.$"]}"#, ""),
        (r#"{"name":["^"]}"#, "/l3 /l2 /l1"),
        (r#"{"status":["created"]}"#, "/l3"),
        (r#"{"status":["created","running"],"label":["b=2"]}"#, "/l2"),
        (r#"{"before":["l2"]}"#, "/l1"),
        (r#"{"since":["l2"]}"#, "/l3"),
        (r#"{"ancestor":["busybox"]}"#, "/l3 /l2 /l1"),
        (r#"{"ancestor":["hello-world"]}"#, ""),
        (r#"{"volume":["x"]}"#, ""),
        (r#"{"network":["bridge"],"name":["l3"]}"#, "/l3"),
    ] {
        assert_eq!(engine.names("/containers/json?all=1&", filters, "Names"), names, "{filters}");
    }
    for (filters, error) in [
        (r#"{"nosuch":["x"]}"#, (400, "invalid filter 'nosuch'")),
        (r#"{"status":["nope"]}"#, (400, "invalid filter 'status=nope'")),
        (r#"{"before":["nope"]}"#, (404, "No such container: nope")),
        (r#"{"name":"l1"}"#, (400, "invalid filter")),
        ("junk", (400, "invalid filter")),
        (r#"{"name":["[l]"]}"#, (501, "this demonstration has no '[' in a filter '[l]'")),
        (r#"{"publish":["80"]}"#, (501, "this demonstration has no filter 'publish'")),
        (
            r#"{"exited":["x"]}"#,
            (400, "invalid filter 'exited=x': strconv.Atoi: parsing \"x\": invalid syntax"),
        ),
        ("[]", (400, "invalid filter")),
    ] {
        let path = format!("/containers/json?filters={}", encode(filters.as_bytes()));
        engine.expect("GET", &path, "", error);
    }
}

#[test]
fn filters_of_images_and_networks() {
    let engine = Engine::start();
    let images = |filters| engine.names("/images/json?", filters, "RepoTags");
    for (filters, names) in [
        (r#"{"dangling":["true"]}"#, ""),
        (r#"{"dangling":["false"]}"#, "busybox:latest hello-world:latest"),
        (r#"{"reference":["bus*"]}"#, "busybox:latest"),
        (r#"{"reference":["busybox:latest"]}"#, "busybox:latest"),
        (r#"{"reference":["nope"]}"#, ""),
        (r#"{"label":["a"]}"#, ""),
        (r#"{"since":["busybox"]}"#, ""),
    ] {
        assert_eq!(images(filters), names, "{filters}");
    }
    let networks = |filters| engine.names("/networks?", filters, "Name");
    for (filters, names) in [
        ("{}", "bridge host none"),
        (r#"{"name":["host"]}"#, "host"),
        (r#"{"driver":["null"]}"#, "none"),
        (r#"{"type":["custom"]}"#, ""),
        (r#"{"dangling":["true"]}"#, ""),
        (r#"{"scope":["swarm"]}"#, ""),
    ] {
        assert_eq!(networks(filters), names, "{filters}");
    }
    for list in ["/images/json", "/networks"] {
        let path = format!("{list}?filters=%7B%22nosuch%22:[%22x%22]%7D");
        engine.expect("GET", &path, "", (400, "invalid filter 'nosuch'"));
    }
    let path = "/images/json?filters=%7B%22before%22:[%22nope%22]%7D";
    engine.expect("GET", path, "", (404, "No such image: nope:latest"));
    engine.expect("GET", "/networks/nope", "", (404, "network nope not found"));
    engine.expect("GET", "/volumes/nope", "", (404, "get nope: no such volume"));
}

/// Moby trims and lower-cases booleans, so Python's `False` is false.
#[test]
fn booleans_are_read_as_moby_reads_them() {
    let engine = Engine::start();
    let running = "cannot remove container \"/l1\": container is running: \
                   stop the container before removing or force remove";
    for value in ["", "0", "no", "false", "none", "False", "FALSE", "None", "%20false%20"] {
        engine.expect("DELETE", &format!("/containers/l1?force={value}"), "", (409, running));
    }
    engine.expect("DELETE", "/containers/l1?force=True", "", (204, ""));
    engine.expect("DELETE", "/containers/l1?force=True", "", (404, "No such container: l1"));
}

#[test]
fn references_with_digests_tags_and_ids() {
    let engine = Engine::start();
    let zeros = format!("busybox@sha256:{}", "0".repeat(64));
    let none = format!("No such image: {zeros}");
    engine.expect("GET", &format!("/images/{zeros}/json"), "", (404, &none));
    engine.expect("DELETE", &format!("/images/{zeros}"), "", (404, &none));
    let json = format!(r#"{{"Image":"{zeros}","Cmd":["true"]}}"#);
    engine.expect("POST", "/containers/create", &json, (404, &none));
    let upper = "invalid reference format: repository name (library/Bad) must be lowercase";
    engine.expect("GET", "/images/Bad/json", "", (400, upper));
    engine.expect("GET", "/images/sha256:00/json", "", (404, "No such image: sha256:00"));

    let (_, image) = engine.ask("GET", "/images/busybox/json", "");
    let (id, digest) = (member(&image, "/Id"), member(&image, "/RepoDigests/0"));
    for name in ["docker.io/library/busybox:latest", &id, &id[7..], &id[7..19], &digest] {
        let (status, same) = engine.ask("GET", &format!("/images/{name}/json"), "");
        assert_eq!((status, member(&same, "/Id")), (200, id.clone()), "{name}");
    }
    // The digest that a pull prints can be pulled. The docker command sends it as a tag.
    let digest = digest.split('@').nth(1).unwrap();
    let pull = format!("/images/create?fromImage=busybox&tag={digest}");
    let (status, progress) = engine.ask("POST", &pull, "");
    assert!(status == 200 && progress.contains("Image is up to date"), "{progress}");
}

#[test]
fn one_of_several_tags_is_removed_alone() {
    let engine = Engine::start();
    engine.expect("POST", "/images/busybox/tag?repo=other", "", (201, ""));
    engine.expect("DELETE", "/images/other", "", (200, r#"[{"Untagged":"other:latest"}]"#));
    let (status, text) = engine.ask("DELETE", "/images/busybox", "");
    let start =
        "conflict: unable to remove repository reference \"busybox\" (must force) - container ";
    assert!(status == 409 && member(&text, "/message").starts_with(start), "{text}");
}

/// docker-py loses bytes that come with the head, and dockerode sends a body with each attach.
#[test]
fn a_hijacked_head_comes_alone() {
    let engine = Engine::start();
    engine.create("short", r#""Cmd":["echo","hi"]"#);
    let path = "/containers/short/attach?stream=1&stdout=1&logs=1";
    let mut attached = engine.hijack(path, r#"{"stream":true}"#);
    let head = read(&mut attached);
    assert!(head.starts_with("HTTP/1.1 101 UPGRADED\r\n") && head.ends_with("\r\n\r\n"), "{head}");
    engine.expect("POST", "/containers/short/start", "", (204, ""));
    assert_eq!(rest(attached), "\x01\0\0\0\0\0\0\x03hi\n");

    for _ in 0..5 {
        let exec = engine.exec("l1", r#""Cmd":["echo","hi"]"#);
        let mut stream = engine.hijack(&format!("/exec/{exec}/start"), "{}");
        let head = read(&mut stream);
        assert!(head.contains("multiplexed-stream") && head.ends_with("\r\n\r\n"), "{head}");
        assert_eq!(rest(stream), "\x01\0\0\0\0\0\0\x03hi\n");
    }
}

#[test]
fn a_failed_exec_sends_its_error_in_a_frame() {
    let engine = Engine::start();
    let exec = engine.exec("l1", r#""Cmd":["nosuch"]"#);
    let path = format!("/exec/{exec}/start");
    let said = "OCI runtime exec failed: exec failed: unable to start container process: \
                exec: \"nosuch\": executable file not found in $PATH: unknown\r\n";
    let mut stream = engine.hijack(&path, "{}");
    read(&mut stream);
    let text = rest(stream);
    let header = [1, 0, 0, 0, 0, 0, 0, said.len() as u8];
    assert_eq!(text.as_bytes()[..7], header[..7], "{text}");
    assert!(text.ends_with(said), "{text}");
    assert_eq!(member(&engine.ask("GET", &format!("/exec/{exec}/json"), "").1, "/ExitCode"), "126");
    let again = format!("Error: Exec command {exec} has already run");
    assert!(engine.ask("POST", &path, "{}").1.ends_with(&again));
    engine.expect("POST", "/exec/nope/start", "{}", (404, "No such exec instance: nope"));
}

#[test]
fn an_exec_has_its_own_directory_environment_and_frames() {
    let engine = Engine::start();
    let output = |members: &str, start: &str| {
        let exec = engine.exec("l1", members);
        let mut stream = engine.hijack(&format!("/exec/{exec}/start"), start);
        read(&mut stream);
        rest(stream)
    };
    let tty = r#"{"Tty":true}"#;
    assert_eq!(output(r#""Cmd":["pwd"],"WorkingDir":"/tmp","Tty":true"#, tty), "/tmp\r\n");
    let env = output(r#""Cmd":["env"],"Env":["Q=r"],"Tty":true"#, tty);
    assert!(env.lines().any(|line| line == "Q=r") && env.contains("HOSTNAME="), "{env}");
    // `Tty` of the start decides whether there are frames.
    let cmd = r#""Cmd":["echo","x"],"Tty":true"#;
    assert_eq!(output(cmd, "{}"), "\x01\0\0\0\0\0\0\x03x\r\n");
    assert_eq!(output(r#""Cmd":["echo","x"]"#, tty), "x\n");
    engine.create("named", r#""Cmd":["sleep","60"],"Hostname":"hh","Tty":true"#);
    engine.expect("POST", "/containers/named/start", "", (204, ""));
    let exec = engine.exec("named", r#""Cmd":["hostname"],"Tty":true"#);
    let mut stream = engine.hijack(&format!("/exec/{exec}/start"), tty);
    read(&mut stream);
    assert_eq!(rest(stream), "hh\r\n");
}

/// dockerode reads the output of a container as soon as its end is known.
#[test]
fn output_arrives_before_the_end() {
    let engine = Engine::start();
    let comes_first = |number: i32| {
        let name = format!("first{number}");
        engine.create(&name, r#""Cmd":["echo","hi"]"#);
        let mut attached =
            engine.hijack(&format!("/containers/{name}/attach?stream=1&stdout=1"), "");
        read(&mut attached);
        engine.expect("POST", &format!("/containers/{name}/start"), "", (204, ""));
        let wait = format!("/containers/{name}/wait");
        engine.expect("POST", &wait, "", (200, r#"{"StatusCode":0}"#));
        attached.set_nonblocking(true).unwrap();
        attached.read(&mut [0; 64]).is_ok_and(|n| n > 0)
    };
    assert!((0..10).all(comes_first));
}

/// bollard sets the size of a terminal as soon as it has the head.
#[test]
fn a_terminal_is_resized_as_soon_as_it_begins() {
    let engine = Engine::start();
    let exec = engine.exec("l1", r#""Cmd":["sleep","60"],"Tty":true"#);
    let mut stream = engine.hijack(&format!("/exec/{exec}/start"), r#"{"Tty":true}"#);
    read(&mut stream);
    engine.expect("POST", &format!("/exec/{exec}/resize?h=20&w=80"), "", (200, ""));
    let exec = engine.exec("l1", r#""Cmd":["nosuch"]"#);
    rest(engine.hijack(&format!("/exec/{exec}/start"), "{}"));
    let not = "exec process is not started";
    engine.expect("POST", &format!("/exec/{exec}/resize?h=20&w=80"), "", (400, not));
}

/// The shell runs a few commands and refuses other syntax by name.
#[test]
fn a_shell_runs_commands_one_after_the_other() {
    let engine = Engine::start();
    let no = |what: &str| format!("sh: this demonstration has no {what}\r\n");
    for (script, output) in [
        ("echo a; false && echo b && echo c; true && echo d", "a\r\nd\r\n".to_owned()),
        (r#"echo 'x  $y;' \"z ; 'q'\" >&2"#, "x  $y; z ; 'q'\r\n".to_owned()),
        (r#"false; sh -c 'exit 3' && echo never; echo '' again"#, " again\r\n".to_owned()),
        ("exit 3; echo never", String::new()),
        // It goes on, as a shell does that cannot open the file.
        ("echo a; echo b >/f; echo c", "a\r\n".to_owned() + &no(">/f") + "c\r\n"),
        ("echo a | cat", no("|")),
        ("sleep 1 & echo", no("&")),
        ("echo $Q", no("$Q")),
        (r#"echo \"a $Q\" b"#, no(r#""a $Q""#)),
        ("echo it's", no("it's")),
        ("while true", "while: not found (this demonstration knows few programs)\r\n".to_owned()),
    ] {
        let members = format!(r#""Cmd":["sh","-c","{script}"],"Env":["Q=r"],"Tty":true"#);
        let exec = engine.exec("l1", &members);
        let mut stream = engine.hijack(&format!("/exec/{exec}/start"), r#"{"Tty":true}"#);
        read(&mut stream);
        assert_eq!(rest(stream), output, "{script}");
    }
}

#[test]
fn a_terminal_echoes_interrupts_and_ends() {
    let engine = Engine::start();
    let tty = r#""Tty":true,"OpenStdin":true,"StdinOnce":true"#;
    for (name, typed, shown) in [
        ("t1", &b"echo x\r"[..], "echo x\r\nx\r\n"),
        ("t2", b"ab\x7f\x04", "ab\x08 \x08"),
        ("t3", b"sleep 60\r\x03", "sleep 60\r\n^C\r\n"),
    ] {
        engine.create(name, &format!(r#""Cmd":["sh"],{tty}"#));
        let path = format!("/containers/{name}/attach?stream=1&stdin=1&stdout=1");
        let mut stream = engine.hijack(&path, "");
        read(&mut stream);
        engine.expect("POST", &format!("/containers/{name}/start"), "", (204, ""));
        until(&mut stream, "/ # ");
        stream.write_all(typed).unwrap();
        until(&mut stream, shown);
        if name != "t3" {
            stream.write_all(b"\x15\x04").unwrap();
        }
    }
    // Ctrl-C ends the program with the status of SIGINT. Ctrl-D on an empty line ends the input.
    engine.create("cc", &format!(r#""Cmd":["cat"],{tty}"#));
    for (typed, code) in [(b"\x03", "130"), (b"\x04", "0")] {
        let mut stream = engine.hijack("/containers/cc/attach?stream=1&stdin=1&stdout=1", "");
        read(&mut stream);
        engine.expect("POST", "/containers/cc/start", "", (204, ""));
        stream.write_all(typed).unwrap();
        rest(stream);
        let (_, state) = engine.ask("GET", "/containers/cc/json", "");
        assert_eq!(member(&state, "/State/ExitCode"), code);
    }
}

#[test]
fn detaching_leaves_the_container_running() {
    let engine = Engine::start();
    let tty = r#""Cmd":["sh"],"Tty":true,"OpenStdin":true,"StdinOnce":true"#;
    engine.create("dd", tty);
    engine.expect("POST", "/containers/dd/start", "", (204, ""));
    let path = "/containers/dd/attach?stream=1&stdin=1&stdout=1";
    for (path, keys) in [
        (path.to_owned(), &b"\x10\x11"[..]),
        (format!("{path}&detachKeys=ctrl-x"), b"\x18"),
        (format!("{path}&detachKeys=a,b"), b"ab"),
    ] {
        let mut stream = engine.hijack(&path, "");
        read(&mut stream);
        // The first detach key alone is input.
        stream.write_all(&[&b"echo \x10;"[..], keys].concat()).unwrap();
        rest(stream);
        let (_, state) = engine.ask("GET", "/containers/dd/json", "");
        assert_eq!(member(&state, "/State/Running"), "true");
    }
    let exec = engine.exec("dd", r#""Cmd":["cat"],"AttachStdin":true,"Tty":true"#);
    let mut stream = engine.hijack(&format!("/exec/{exec}/start"), r#"{"Tty":true}"#);
    read(&mut stream);
    stream.write_all(b"\x10\x11").unwrap();
    let said = "exec attach failed: error on attach stdin: read escape sequence\r\n";
    assert_eq!(rest(stream), said);
    let wrong = "Invalid detach keys (ctrl-) provided";
    engine.expect("POST", &format!("{path}&detachKeys=ctrl-"), "", (400, wrong));
}

#[test]
fn settings_are_kept_and_those_without_effect_cause_warnings() {
    let engine = Engine::start();
    let json = r#"{"image":"busybox","Cmd":["true"],"User":"joe","HostConfig":{"Memory":1000,
        "Binds":["/a:/b"],"PortBindings":{"80/tcp":[{"HostPort":"8080"}]},"CapDrop":[],
        "RestartPolicy":{"Name":"always"},"LogConfig":{"Type":""}}}"#;
    let (_, created) = engine.ask("POST", "/containers/create?name=ww", json);
    let value = Value::parse(created.as_bytes()).unwrap();
    let warnings = value.get("Warnings").unwrap().elements();
    let warned: Vec<&str> = warnings.iter().filter_map(|w| w.as_str()?.split(' ').next()).collect();
    assert_eq!(warned, ["Binds", "Memory", "PortBindings", "RestartPolicy", "User"]);
    let (_, shown) = engine.ask("GET", "/containers/ww/json", "");
    for (place, value) in [
        ("/HostConfig/Memory", "1000"),
        ("/HostConfig/Binds/0", "/a:/b"),
        ("/HostConfig/RestartPolicy/Name", "always"),
        ("/HostConfig/RestartPolicy/MaximumRetryCount", "0"),
        ("/HostConfig/LogConfig/Type", "json-file"),
        ("/HostConfig/NetworkMode", "default"),
        ("/Config/User", "joe"),
        ("/Config/Image", "busybox"),
    ] {
        assert_eq!(member(&shown, place), value, "{place}");
    }
    for (json, status, start) in [
        (r#"{"Image":"busybox","Cmd":5}"#, 400, "invalid JSON: json: cannot unmarshal number"),
        (r#"{"Image":"busybox","Cmd":0}"#, 400, "invalid JSON: json: cannot unmarshal number"),
        (r#"{"Image":"busybox","Tty":"x"}"#, 400, "invalid JSON: json: cannot unmarshal string"),
        ("{}", 400, "config cannot be empty in order to create a container"),
        ("", 400, "invalid JSON: got EOF while reading request body"),
        (r#"{"Image":"nope"}"#, 404, "No such image: nope:latest"),
    ] {
        let (got, text) = engine.ask("POST", "/containers/create", json);
        let message = member(&text, "/message");
        assert!(got == status && message.starts_with(start), "{json}: {got} {message}");
    }
}

#[test]
fn missing_endpoints_are_refused_by_name() {
    let engine = Engine::start();
    for (method, path, what) in [
        ("POST", "/containers/l1/pause", "POST /containers/{id}/pause"),
        ("GET", "/v1.41/containers/l1/stats?stream=0", "GET /containers/{id}/stats"),
        ("POST", "/images/a/b/push", "POST /images/{name}/push"),
        ("GET", "/images/search?term=x", "GET /images/search"),
        ("GET", "/images/a/b/history", "GET /images/{name}/history"),
        ("GET", "/images/get?names=busybox", "GET /images/get"),
        ("POST", "/images/load", "POST /images/load"),
        ("GET", "/containers/l1/export", "GET /containers/{id}/export"),
        ("POST", "/containers/prune", "POST /containers/prune"),
        ("POST", "/volumes/create", "POST /volumes/create"),
        ("POST", "/commit?container=l1", "POST /commit"),
        ("GET", "/system/df", "GET /system/df"),
        ("POST", "/swarm/init", "POST /swarm/init"),
    ] {
        let why = format!("this demonstration has no {what}");
        engine.expect(method, path, "", (501, &why));
    }
    engine.expect("GET", "/nope", "", (404, "page not found"));
    engine.expect("POST", "/version", "", (404, "page not found"));
    let (status, text) = engine.ask("GET", "/services", "");
    assert!(status == 503 && text.contains("This node is not a swarm manager."), "{text}");
}

#[test]
fn versions_differ_as_clients_see_it() {
    let engine = Engine::start();
    for (version, virtual_size, config) in
        [("1.24", true, true), ("1.43", true, true), ("1.44", false, true), ("1.45", false, false)]
    {
        let (_, image) = engine.ask("GET", &format!("/v{version}/images/busybox/json"), "");
        let has = |name| member(&image, name) != "none";
        let has = (has("/VirtualSize"), has("/ContainerConfig/Hostname"));
        assert_eq!(has, (virtual_size, config), "{version}");
        let (_, list) = engine.ask("GET", &format!("/v{version}/images/json"), "");
        assert_eq!(member(&list, "/0/VirtualSize") != "none", virtual_size, "{version}");
    }
    let old = "client version 1.23 is too old. Minimum supported API version is 1.24, \
               please upgrade your client to a newer version";
    engine.expect("GET", "/v1.23/info", "", (400, old));
    let new = "client version 1.46 is too new. Maximum supported API version is 1.45";
    engine.expect("GET", "/v1.46/info", "", (400, new));
    for (version, kind) in [("1.41", "raw"), ("1.42", "multiplexed")] {
        let path = format!("/v{version}/containers/l1/attach?stream=1&stdout=1");
        let head = read(&mut engine.hijack(&path, ""));
        assert!(head.contains(&format!("vnd.docker.{kind}-stream\r\n")), "{version}: {head}");
    }
}

#[test]
fn events_of_the_past_end() {
    let engine = Engine::start();
    let ask = |query: &str| {
        let (status, text) = engine.ask("GET", &format!("/events?{query}"), "");
        (
            status,
            if status == 200 {
                text.lines().count().to_string()
            } else {
                member(&text, "/message")
            },
        )
    };
    // Two containers were created and started, the third only created.
    assert_eq!(ask("since=0&until=0"), (200, "5".to_owned()));
    assert_eq!(ask("until=0"), (200, "5".to_owned()));
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let now = format!("{}.{:09}", now.as_secs(), now.subsec_nanos());
    assert_eq!(ask(&format!("since=1&until={now}")), (200, "5".to_owned()));
    assert_eq!(ask(&format!("since={now}&until={now}")), (200, "0".to_owned()));
    assert_eq!(ask("until=1"), (200, "0".to_owned()));
    let only = encode(br#"{"event":["start"],"label":["a=1","b=2"]}"#);
    assert_eq!(ask(&format!("until={now}&filters={only}")), (200, "1".to_owned()));
    let past = "`since` time (2) cannot be after `until` time (1)";
    assert_eq!(ask("since=2&until=1"), (400, past.to_owned()));
    let wrong = "strconv.ParseInt: parsing \"x\": invalid syntax";
    assert_eq!(ask("since=x"), (500, wrong.to_owned()));
}

#[test]
fn statuses_and_messages_match_dockerd() {
    let engine = Engine::start();
    let id = member(&engine.ask("GET", "/containers/l3/json", "").1, "/Id");
    let not_running = format!("cannot kill container: l3: container {id} is not running");
    let no_exec = format!("container {id} is not running");
    let none = "No such container: nope";
    let kill = "cannot kill container: nope: No such container: nope";
    let digits = "strconv.Atoi: parsing \"\": invalid syntax";
    let new_name = "Error when allocating new name: Invalid container name (/@), \
                    only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed";
    let same = "Renaming a container with the same name as its current name";
    let path = "Could not find the file /nope in container l1";
    for (method, path, json, want) in [
        ("POST", "/containers/l1/start", "", (304, "")),
        ("POST", "/containers/l3/stop", "", (304, "")),
        ("POST", "/containers/l3/kill", "", (409, &not_running[..])),
        ("POST", "/containers/nope/kill", "", (404, kill)),
        (
            "POST",
            "/containers/l1/kill?signal=NOSIG",
            "",
            (400, "cannot kill container: l1: invalid signal: NOSIG"),
        ),
        ("POST", "/containers/l3/exec", r#"{"Cmd":["x"]}"#, (409, &no_exec)),
        ("POST", "/containers/l1/exec", r#"{"Cmd":[]}"#, (400, "No exec command specified")),
        ("POST", "/containers/nope/attach", "", (404, none)),
        ("POST", "/containers/nope/wait", "", (404, none)),
        ("POST", "/containers/l1/wait?condition=x", "", (400, "invalid condition: \"x\"")),
        ("POST", "/containers/l1/resize?h=1&w=1", "", (200, "")),
        ("POST", "/containers/l1/resize", "", (400, digits)),
        ("POST", "/containers/nope/resize?h=1&w=1", "", (404, none)),
        ("POST", "/exec/nope/resize?h=1&w=1", "", (404, "No such exec instance: nope")),
        ("POST", "/containers/l1/rename", "", (400, "Neither old nor new names may be empty")),
        ("POST", "/containers/l1/rename?name=l1", "", (400, same)),
        ("POST", "/containers/l1/rename?name=@", "", (400, new_name)),
        (
            "GET",
            "/containers/l1/logs",
            "",
            (400, "Bad parameters: you must choose at least one stream"),
        ),
        ("GET", "/containers/nope/logs?stdout=1", "", (404, none)),
        ("GET", "/containers/l1/archive?path=/nope", "", (404, path)),
        ("POST", "/images/busybox/tag?repo=j1&tag=2", "", (201, "")),
        ("DELETE", "/images/j1:2", "", (200, r#"[{"Untagged":"j1:2"}]"#)),
        ("POST", "/containers/l2/rename?name=r2", "", (204, "")),
        ("POST", "/containers/r2/restart?t=1", "", (204, "")),
        ("POST", "/containers/r2/start", "", (304, "")),
        ("POST", "/containers/nope/restart", "", (404, none)),
        ("POST", "/containers/l1/stop?t=1", "", (204, "")),
        ("DELETE", "/containers/l1", "", (204, "")),
    ] {
        engine.expect(method, path, json, want);
    }
}

#[test]
fn an_import_has_no_changes() {
    let engine = Engine::start();
    let import = |query: &str| {
        let context = crate::support::tar::archive("f", b"x");
        let path = format!("/images/create?fromSrc=-&repo=imported{query}");
        let response = engine.client.post(&path).body(context).send().unwrap();
        (response.status(), response.text().unwrap())
    };
    let (status, text) = import("&changes=CMD%20x");
    let why = "this demonstration has no changes of an import".to_owned();
    assert_eq!((status, member(&text, "/message")), (501, why));
    let (status, text) = import("");
    let (_, image) = engine.ask("GET", "/images/imported/json", "");
    assert_eq!((status, member(&text, "/status")), (200, member(&image, "/Id")));
}

/// Builds report errors as dockerd does, and a quiet build prints only the ID.
#[test]
fn builds_and_their_errors() {
    let engine = Engine::start();
    let build = |query: &str, dockerfile: &str| {
        let context = crate::support::tar::archive("Dockerfile", dockerfile.as_bytes());
        let path = format!("/build?{query}");
        let request = engine.client.post(&path);
        let response = request.field("Content-Type", "application/x-tar").body(context).send();
        let response = response.unwrap();
        (response.status(), response.text().unwrap())
    };
    let (status, text) = build("", "FRM x\n");
    let unknown = "dockerfile parse error on line 1: unknown instruction: FRM";
    assert!(status == 400 && text.contains(unknown), "{text}");
    let (status, text) = build("", "FROM busybox\nCOPY nofile /x\n");
    assert!(status == 200 && text.contains("stat nofile: file does not exist"), "{text}");
    let (_, text) = build("", "FROM busybox\nCOPY --from=0 /bin/sh /x\n");
    assert!(text.contains("this demonstration has no options of COPY"), "{text}");
    let (_, text) = build("", "FROM busybox\nRUN hostname\n");
    assert!(text.contains("can't open '/etc/hostname'"), "{text}");
    let (status, text) = build("", "FROM busybox\nRUN exit 3\n");
    let code = r#"{"errorDetail":{"code":3,"message":"The command '/bin/sh -c exit 3' returned"#;
    assert!(status == 200 && text.contains(code), "{text}");
    let (_, text) = build("q=1", "FROM busybox\nRUN echo hi\n");
    assert!(text.starts_with(r#"{"stream":"sha256:"#) && text.lines().count() == 1, "{text}");
    let (_, text) = build("t=mine:1", "FROM busybox\nCMD [\"cat\", \"/f\"]\n");
    assert!(text.ends_with("Successfully tagged mine:1\\n\"}\r\n"), "{text}");
    let (_, image) = engine.ask("GET", "/images/mine:1/json", "");
    assert_eq!(member(&image, "/Config/Cmd/1"), "/f");
    let (status, text) = build("labels=%7B%22l%22:%22m%22%7D", "FROM busybox\n");
    let why = "this demonstration has no labels of a build".to_owned();
    assert_eq!((status, member(&text, "/message")), (501, why));
    let (_, text) = build("", "FROM busybox\nENV A=b\n");
    assert!(text.contains("this demonstration has no Dockerfile instruction ENV"), "{text}");
}
