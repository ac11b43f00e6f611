//! Runs the library against a real dockerd.

use crate::support::needs;
use std::io::{BufRead, Cursor, Read, Write};
use std::net::Shutdown;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use unix_http::docker::{FrameDecoder, FrameStream};
use unix_http::wire::Framing;
use unix_http::{Body, Client};

/// A container. Dropping it removes it from the engine.
struct Container<'a> {
    client: &'a Client,
    name: String,
}

impl<'a> Container<'a> {
    fn create(client: &'a Client, fields: &str) -> Container<'a> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name =
            format!("uh-lib-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let json = format!(r#"{{"Image":"busy","HostConfig":{{"NetworkMode":"none"}},{fields}}}"#);
        let response =
            client.post(&format!("/containers/create?name={name}")).json(json).send().unwrap();
        assert_eq!(response.status(), 201);
        assert!(response.text().unwrap().starts_with(r#"{"Id":""#));
        Container { client, name }
    }

    fn target(&self, rest: &str) -> String {
        format!("/containers/{}{rest}", self.name)
    }

    fn start(&self) {
        let response = self.client.post(&self.target("/start")).send().unwrap();
        assert_eq!((response.status(), response.decision().framing), (204, Framing::NoBody));
    }

    /// Blocks until the container ends. Returns the JSON with its exit code.
    fn wait(&self) -> String {
        self.client
            .post(&self.target("/wait"))
            .send()
            .unwrap()
            .text()
            .unwrap()
            .trim_end()
            .to_string()
    }
}

impl Drop for Container<'_> {
    fn drop(&mut self) {
        let _ = self.client.delete(&self.target("?force=1")).send();
    }
}

/// Returns the content of stdout and of stderr.
fn demux(mut bytes: &[u8]) -> [String; 2] {
    let (mut decoder, mut streams) = (FrameDecoder::new(), [const { Vec::new() }; 2]);
    while let Some((stream, data)) = decoder.next(&mut bytes).unwrap() {
        streams[usize::from(stream == FrameStream::Stderr)].extend_from_slice(data);
    }
    decoder.finish().unwrap();
    streams.map(|s| String::from_utf8(s).unwrap())
}

#[test]
fn the_version_is_read_and_a_container_created() {
    let Some(socket) = needs::docker() else { return };
    let client = Client::unix(socket);
    let response = client.get("/version").send().unwrap();
    assert_eq!(
        (response.status(), response.field("Content-Type")),
        (200, Some(&b"application/json"[..]))
    );
    assert!(response.text().unwrap().contains(r#""ApiVersion":"1."#));

    let container = Container::create(&client, r#""Cmd":["echo","hello"]"#);
    let taken = format!("/containers/create?name={}", container.name);
    let conflict = client.post(&taken).json(r#"{"Image":"busy","Cmd":["true"]}"#).send().unwrap();
    assert_eq!(conflict.status(), 409);
    assert!(conflict.is_reused());
    assert!(conflict.text().unwrap().starts_with(r#"{"message":"Conflict."#));
}

#[test]
fn a_container_is_created_run_and_deleted() {
    let Some(socket) = needs::docker() else { return };
    let client = Client::unix(socket);
    let container =
        Container::create(&client, r#""Cmd":["sh","-c","echo out; echo err >&2; exit 3"]"#);
    container.start();
    assert_eq!(container.wait(), r#"{"Error":null,"StatusCode":3}"#);
    let logs = client.get(&container.target("/logs?stdout=1&stderr=1")).send().unwrap();
    assert_eq!(logs.decision().framing, Framing::Chunked);
    assert_eq!(demux(&logs.bytes().unwrap()), ["out\n", "err\n"]);
    assert_eq!(client.delete(&container.target("")).send().unwrap().status(), 204);
    assert_eq!(client.head(&container.target("/json")).send().unwrap().bytes().unwrap(), b"");
}

#[test]
fn attach_carries_stdin_both_outputs_and_the_half_close() {
    let Some(socket) = needs::docker() else { return };
    let client = Client::unix(socket);
    let fields = r#""Cmd":["sh","-c","cat; echo done >&2"],"OpenStdin":true,"StdinOnce":true,"AttachStdin":true"#;
    let container = Container::create(&client, fields);
    let target = container.target("/attach?stream=1&stdin=1&stdout=1&stderr=1");
    let response = client.post(&target).upgrade("tcp").send().unwrap();
    assert_eq!(response.status(), 101);
    let (mut read, mut write) = response.into_upgraded().unwrap().split().unwrap();
    container.start();
    let again = container.target("/start");
    let again = client.post(&again).send().unwrap();
    assert_eq!((again.status(), again.decision().framing), (304, Framing::NoBody));
    let text = "line\n".repeat(20_000);
    let output = std::thread::scope(|scope| {
        scope.spawn(move || {
            write.write_all(text.as_bytes()).unwrap();
            write.shutdown(Shutdown::Write).unwrap();
        });
        let mut output = Vec::new();
        read.read_to_end(&mut output).unwrap();
        output
    });
    let [out, err] = demux(&output);
    assert!(out == "line\n".repeat(20_000), "{} bytes", out.len());
    assert_eq!(err, "done\n");
    assert_eq!(container.wait(), r#"{"Error":null,"StatusCode":0}"#);
}

#[test]
fn an_upload_that_is_refused_early_returns_the_daemons_response() {
    let Some(socket) = needs::docker() else { return };
    let client = Client::unix(socket);
    for body in
        [Body::reader(std::io::repeat(0), None), Body::reader(std::io::repeat(0), Some(1 << 40))]
    {
        let request = client
            .put("/containers/uh-no-such/archive?path=/tmp")
            .field("Content-Type", "application/x-tar");
        let response = request.body(body).send().unwrap();
        assert_eq!(response.status(), 404);
        assert!(response.text().unwrap().contains("No such container: uh-no-such"));
    }
}

#[test]
fn a_build_answers_while_it_reads() {
    let Some(socket) = needs::docker() else { return };
    let client = Client::unix(socket);
    let dockerfile = b"FROM busy\nRUN echo built\n";
    let mut tar = vec![0; 512];
    tar[..10].copy_from_slice(b"Dockerfile");
    tar[100..108].copy_from_slice(b"0000644\0");
    tar[108..124].copy_from_slice(b"0000000\x000000000\0");
    tar[124..136].copy_from_slice(format!("{:011o}\0", dockerfile.len()).as_bytes());
    tar[136..148].copy_from_slice(b"00000000000\0");
    tar[148..156].copy_from_slice(b"        ");
    tar[156] = b'0';
    tar[257..265].copy_from_slice(b"ustar\x0000");
    let sum: u32 = tar.iter().map(|&b| u32::from(b)).sum();
    tar[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    tar.extend_from_slice(dockerfile);
    tar.resize(512 * 4, 0);

    let target = "/build?networkmode=none&nocache=1&forcerm=1&t=uh-lib-build";
    let request = client.post(target).field("Content-Type", "application/x-tar");
    let response = request.body(Body::reader(Cursor::new(tar), None)).send().unwrap();
    assert_eq!(response.status(), 200);
    let lines: Vec<String> = response.lines().map(Result::unwrap).collect();
    assert!(lines.iter().any(|line| line.contains(r#""built\n""#)), "{lines:#?}");
    assert!(
        lines.iter().any(|line| line.contains("Successfully tagged uh-lib-build:latest")),
        "{lines:#?}"
    );
    assert_eq!(client.delete("/images/uh-lib-build?force=1").send().unwrap().status(), 200);
}

#[test]
fn events_arrive_as_they_happen() {
    let Some(socket) = needs::docker() else { return };
    let client = Client::unix(socket);
    let filter = "/events?filters=%7B%22event%22%3A%5B%22create%22%5D%7D";
    let mut events = client.get(filter).send().unwrap();
    let container = Container::create(&client, r#""Cmd":["true"]"#);
    let created = Instant::now();
    let mut line = String::new();
    while !line.contains(&container.name) {
        line.clear();
        assert_ne!(events.read_line(&mut line).unwrap(), 0);
    }
    assert!(created.elapsed() < Duration::from_secs(5), "an event is not held back");
}
