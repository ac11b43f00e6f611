//! Faults at every byte of create, upload, logs and attach: the connection is reset, closed in one
//! direction or in both, stalled, split or delayed.
//!
//! The library's client talks to the library's server through a proxy. The first exchange of each
//! kind runs without a fault and measures the number of bytes in each direction. Then every byte
//! gets every kind of fault. In each case:
//! - a split or delayed exchange is complete;
//! - a truncated exchange is an error, never a shorter success, and the content before the error is
//!   correct;
//! - no container is created twice, even when the client retries;
//! - no connection, descriptor or thread is left.
//!
//! `UNIX_HTTP_TEST_STRICT` also stalls at more bytes, and harms more bytes of a long upload.

use crate::support::again::alone;
use crate::support::proxy::{Fault, Plan, Proxy, To};
use crate::support::serve::{Served, serve_within};
use std::collections::HashMap;
use std::fs;
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};
use unix_http::docker::{Demux, FrameStream, encode_frame};
use unix_http::server::{Limits, Request, Responder, Sent};
use unix_http::{Body, Client, Timeouts, Upgraded};

/// The content of requests and responses.
const UPLOAD: usize = 20_000;
const OUT: &[&[u8]] = &[b"first\n", b"a second line\n", b"", b"third, and last\n"];

type Created = Arc<Mutex<HashMap<Vec<u8>, u64>>>;

fn content() -> Vec<u8> {
    (0..UPLOAD).map(|at| (at * 7 % 251) as u8).collect()
}

fn framed(parts: &[&[u8]]) -> Vec<u8> {
    let mut wire = Vec::new();
    for (at, part) in parts.iter().enumerate() {
        encode_frame(
            &mut wire,
            if at % 2 == 0 { FrameStream::Stdout } else { FrameStream::Stderr },
            part,
        );
    }
    wire
}

fn answer(
    created: &Created,
    request: &mut Request<'_>,
    responder: Responder<'_>,
) -> io::Result<Sent> {
    match (request.method(), request.path()) {
        ("GET", b"/_ping") => responder.send("OK"),
        ("POST", b"/containers/create") => {
            let (name, json) = (request.query().unwrap_or_default().to_vec(), request.bytes(1000)?);
            assert_eq!(
                json, br#"{"Image":"busy","Cmd":["true"]}"#,
                "a body that is not whole is no body"
            );
            *created.lock().expect("no panic").entry(name).or_default() += 1;
            responder
                .status(201)
                .field("Content-Type", "application/json")
                .send("{\"Id\":\"4c6ce6\",\"Warnings\":[]}\n")
        }
        ("PUT", b"/archive") => {
            let got = request.bytes(UPLOAD + 1)?;
            assert_eq!(got, content(), "a body that is not whole is no body");
            responder.send("unpacked\n")
        }
        ("GET", b"/logs") => {
            let mut body = responder.stream()?;
            for (at, part) in OUT.iter().enumerate() {
                let mut frame = Vec::new();
                encode_frame(
                    &mut frame,
                    if at % 2 == 0 { FrameStream::Stdout } else { FrameStream::Stderr },
                    part,
                );
                body.write_all(&frame)?;
                body.flush()?;
            }
            body.finish()
        }
        ("POST", b"/attach") => {
            let (upgraded, sent) = responder.upgrade(request, "tcp")?;
            thread::spawn(move || echo(upgraded));
            Ok(sent)
        }
        _ => responder.status(404).send(""),
    }
}

/// The container: echoes its input, and ends with it.
fn echo(mut upgraded: Upgraded) {
    let mut line = [0; 64];
    while let Ok(n @ 1..) = upgraded.read(&mut line) {
        if upgraded.write_all(&framed(&[&line[..n]])).is_err() {
            break;
        }
    }
    let _ = upgraded.stream().shutdown(Shutdown::Write);
}

/// The result of an exchange: a whole response, or the content before the error.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Whole(u16, Vec<u8>),
    Broken(Vec<u8>, String),
}

fn read_out(reader: impl io::BufRead, status: u16) -> Outcome {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    match Demux::new(reader).copy_to(&mut stdout, &mut stderr) {
        Ok(_) => Outcome::Whole(status, [stdout, stderr].concat()),
        Err(error) => Outcome::Broken(stdout, error.to_string()),
    }
}

fn whole(response: Result<unix_http::Response, unix_http::Error>) -> Outcome {
    let mut response = match response {
        Ok(response) => response,
        Err(error) => return Outcome::Broken(Vec::new(), error.to_string()),
    };
    let (status, mut body) = (response.status(), Vec::new());
    match response.read_to_end(&mut body) {
        Ok(_) => Outcome::Whole(status, body),
        Err(error) => Outcome::Broken(body, error.to_string()),
    }
}

fn create(client: &Client, name: u64) -> Outcome {
    let target = format!("/containers/create?name={name}");
    whole(client.post(&target).json(r#"{"Image":"busy","Cmd":["true"]}"#).send())
}

fn upload(client: &Client, _: u64) -> Outcome {
    whole(client.put("/archive").body(Body::reader(io::Cursor::new(content()), None)).send())
}

fn logs(client: &Client, _: u64) -> Outcome {
    match client.get("/logs").send() {
        Ok(response) if response.status() == 200 => read_out(response, 200),
        response => whole(response),
    }
}

fn attach(client: &Client, _: u64) -> Outcome {
    let attached =
        client.post("/attach").upgrade("tcp").send().map(|response| response.into_upgraded());
    let broken = |error: io::Error| Outcome::Broken(Vec::new(), error.to_string());
    let mut attached: Upgraded = match attached {
        Ok(Ok(attached)) => attached,
        Ok(Err(response)) => return whole(Ok(*response)),
        Err(error) => return Outcome::Broken(Vec::new(), error.to_string()),
    };
    if let Err(error) = attached
        .write_all(b"in and out\n")
        .and_then(|()| attached.stream().shutdown(Shutdown::Write))
    {
        return broken(error);
    }
    read_out(io::BufReader::new(attached), 101)
}

type Exchange = fn(&Client, u64) -> Outcome;

/// Returns whether a truncated response can look complete. A tunnel ends with its connection: a cut
/// between two frames looks like the end, and the container cannot detect that its input was cut.
fn may_be_short(harmed: &Outcome, truth: &Outcome) -> bool {
    let (Outcome::Whole(101, came), Outcome::Whole(101, all)) = (harmed, truth) else {
        return false;
    };
    all.starts_with(came)
}

struct Ring {
    server: Served,
    proxy: Proxy,
    created: Created,
    names: AtomicU64,
}

/// `patience` is the time after which the server gives up a stalled exchange.
fn ring(patience: Duration) -> Ring {
    let created = Created::default();
    let mine = Arc::clone(&created);
    let limit = Some(patience);
    let limits = Limits::default().connections(64).head(limit).idle(limit).silence(limit);
    let server = serve_within(limits, move |request, responder| answer(&mine, request, responder));
    let proxy = Proxy::start(&server.dir.join("s"));
    Ring { server, proxy, created, names: AtomicU64::new(0) }
}

impl Ring {
    fn passed(&self) -> [u64; 2] {
        [self.proxy.passed(To::Server), self.proxy.passed(To::Client)]
    }

    /// Returns a new client, or one with a kept connection (`second`).
    fn prepared(&self, second: bool, plan: Plan, idle: Duration) -> Client {
        loop {
            self.proxy.plan(plan);
            let client = self.client(idle);
            if !second || whole(client.get("/_ping").send()) == Outcome::Whole(200, b"OK".to_vec())
            {
                return client;
            }
            assert!(idle < PATIENCE, "no fault yet");
        }
    }

    fn client(&self, idle: Duration) -> Client {
        let timeouts = Timeouts::default().idle(idle).total(PATIENCE);
        Client::builder(unix_http::Endpoint::Unix(self.proxy.path())).timeouts(timeouts).build()
    }

    /// Runs the exchange, with or without an earlier one on the same connection.
    fn run(&self, exchange: Exchange, second: bool, plan: Plan, idle: Duration) -> Outcome {
        let (client, name) =
            (self.prepared(second, plan, idle), self.names.fetch_add(1, Ordering::SeqCst));
        let outcome = exchange(&client, name);
        let times =
            self.created.lock().expect("no panic").get(format!("name={name}").as_bytes()).copied();
        assert!(times.unwrap_or(0) <= 1, "created {times:?} times: {plan:?}, second: {second}");
        outcome
    }
}

/// Returns every `step`th position from `from` to `to`, and both ends.
fn places(from: u64, to: u64, step: u64) -> impl Iterator<Item = u64> {
    (from..=to).filter(move |at| (at - from).is_multiple_of(step) || *at == to || at - from < 8)
}

/// Without stalls, both sides wait much longer than any exchange takes.
const PATIENCE: Duration = Duration::from_secs(60);

fn sweep(exchange: Exchange) -> u64 {
    harm(exchange, PATIENCE, PATIENCE)
        + harm(exchange, Duration::from_millis(300), Duration::from_millis(40))
}

/// Applies every kind of fault that the bytes reveal; with short time limits, applies stalls
/// instead, which only the limits reveal.
fn harm(exchange: Exchange, servers: Duration, clients: Duration) -> u64 {
    let stalls = clients < PATIENCE;
    let thorough = std::env::var_os("UNIX_HTTP_TEST_STRICT").is_some();
    let mut patient = ring(PATIENCE);
    let mut hasty = ring(servers);
    for second in [false, true] {
        let before = match second {
            false => [0, 0],
            true => {
                let client = patient.client(PATIENCE);
                patient.proxy.plan(Plan::NONE);
                whole(client.get("/_ping").send());
                patient.passed()
            }
        };
        let truth = patient.run(exchange, second, Plan::NONE, PATIENCE);
        let Outcome::Whole(status, output) = &truth else { panic!("{truth:?}") };
        assert!([101, 200, 201].contains(status) && !output.is_empty());
        let passed = patient.passed();
        for to in [To::Server, To::Client] {
            // A fault right after the first request would hit the first response.
            let from = before[to as usize] + u64::from(second && to == To::Server);
            let end = passed[to as usize];
            if stalls {
                let step = (end - from).div_ceil(if thorough { 100 } else { 12 });
                for at in (from..end).step_by(step as usize) {
                    let plan = Plan { fault: Fault::Stall, to, at, connection: 0 };
                    judge(&hasty, exchange, second, plan, false, &truth, clients);
                }
                continue;
            }
            // Of a long upload: its framing, and a sample of the rest.
            let sample = if thorough || end - from < 1000 { 500 } else { 100 };
            let step = (end - from).div_ceil(sample);
            for fault in [Fault::Split, Fault::Cut, Fault::End, Fault::EndBoth] {
                for at in places(from, end, step) {
                    let plan = Plan { fault, to, at, connection: 0 };
                    judge(&patient, exchange, second, plan, at == end, &truth, clients);
                }
            }
            for (fault, at) in [(Fault::Bytewise, 0), (Fault::Delay(30), (from + end) / 2)] {
                let plan = Plan { fault, to, at, connection: 0 };
                assert_eq!(patient.run(exchange, second, plan, clients), truth, "{plan:?}");
            }
        }
    }
    // No connection hangs.
    let faults = patient.proxy.faults() + hasty.proxy.faults();
    for ring in [&mut patient, &mut hasty] {
        assert_eq!(ring.server.stop(PATIENCE), 0);
    }
    faults
}

fn open_descriptors() -> usize {
    fs::read_dir("/proc/self/fd").map_or(0, Iterator::count)
}

fn judge(
    ring: &Ring,
    exchange: Exchange,
    second: bool,
    plan: Plan,
    behind: bool,
    truth: &Outcome,
    idle: Duration,
) {
    let outcome = ring.run(exchange, second, plan, idle);
    let harmless = plan.fault == Fault::Split || behind;
    match (&outcome, truth) {
        _ if outcome == *truth => {
            // The request was retried on another connection, or answered before the fault.
            assert!(harmless || second || plan.to == To::Server, "{plan:?} was not noticed");
        }
        _ if harmless && plan.fault == Fault::Split => {
            panic!("{plan:?}, second: {second}: {outcome:?}")
        }
        // The server reports that the request was truncated.
        (Outcome::Whole(400..=599, _), _)
            if plan.to == To::Server || plan.fault == Fault::Stall => {}
        _ if may_be_short(&outcome, truth) => {}
        (Outcome::Broken(came, why), Outcome::Whole(_, output)) => {
            assert!(output.starts_with(came), "{plan:?}: {came:?}");
            assert!(!why.is_empty() && !why.contains('\n'), "{why:?}");
        }
        _ => panic!("{plan:?}, second: {second}: {outcome:?}"),
    }
}

/// A single test, because it counts the descriptors and threads of its process.
#[test]
fn a_fault_is_harmless_or_an_error() {
    if !alone(module_path!(), "a_fault_is_harmless_or_an_error") {
        return;
    }
    let (descriptors, begun) = (open_descriptors(), Instant::now());
    let exchanges: [(&str, Exchange); 4] =
        [("create", create), ("upload", upload), ("logs", logs), ("attach", attach)];
    thread::scope(|scope| {
        for (name, exchange) in exchanges {
            let named = thread::Builder::new().name(name.to_owned());
            let faults =
                named.spawn_scoped(scope, move || println!("{name}: {} faults", sweep(exchange)));
            faults.expect("a thread");
        }
    });
    println!("in {:?}", begun.elapsed());
    // The container's threads end by themselves, soon.
    while open_descriptors() != descriptors {
        assert!(
            begun.elapsed() < Duration::from_secs(300),
            "{descriptors} descriptors before, {} after",
            open_descriptors()
        );
        thread::sleep(Duration::from_millis(5));
    }
}
