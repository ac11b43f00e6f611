//! A regression test for performance that noise cannot disturb: it counts system calls and compares
//! them with the limits below. `benches/` measures the time.

use crate::support::again::name;
use crate::support::child::{run, system_calls, through};
use crate::support::{needs, serve};
use std::cell::Cell;
use std::env;
use std::io::{self, Read};
use std::process::Command;
use std::time::Duration;
use unix_http::connection::Connection;
use unix_http::wire::{BodyDecoder, ResponseDecoder, encode_chunk, framing};
use unix_http::{Client, Endpoint};

const LIMIT: Duration = Duration::from_secs(60);

/// A stream that fills every read, as a full socket does, and counts the reads.
struct Counted<'a>(&'a [u8], &'a Cell<usize>);

impl Read for Counted<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.1.set(self.1.get() + 1);
        self.0.read(out)
    }
}

/// Reads a response into a buffer of this size. Returns the length of its content, and the number
/// of reads.
fn reads(wire: &[u8], buffer: usize) -> (usize, usize) {
    let count = Cell::new(0);
    let mut connection = Connection::new(Counted(wire, &count));
    let mut decoder = ResponseDecoder::new();
    let len = connection.read_head(&mut decoder).unwrap().unwrap();
    let decision = framing::response("GET", decoder.head()).unwrap();
    let mut body = BodyDecoder::new(decision.framing, len as u64, 1024);
    let (mut out, mut content) = (vec![0; buffer], 0);
    loop {
        match connection.read_body(&mut body, &mut out).unwrap() {
            0 => return (content, count.get()),
            n => content += n,
        }
    }
}

fn with_length(n: usize) -> Vec<u8> {
    let mut wire = format!("HTTP/1.1 200 OK\r\nContent-Length: {n}\r\n\r\n").into_bytes();
    wire.resize(wire.len() + n, b'x');
    wire
}

fn in_chunks(n: usize, of: usize) -> Vec<u8> {
    let mut wire = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    for _ in 0..n / of {
        encode_chunk(&mut wire, &vec![b'x'; of]);
    }
    wire.extend_from_slice(b"0\r\n\r\n");
    wire
}

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

#[test]
fn a_small_response_takes_one_read() {
    assert_eq!(reads(&with_length(790), 64 * KIB), (790, 1));
    assert_eq!(reads(&in_chunks(1000, 100), 64 * KIB), (1000, 1));
}

#[test]
fn every_read_of_a_long_body_fills_the_buffer() {
    // The first read, of 16 KiB, contains the head. Each later read fills the caller's buffer.
    assert!(reads(&with_length(16 * MIB), 64 * KIB).1 <= 1 + 256);
    assert!(reads(&with_length(16 * MIB), 256 * KIB).1 <= 1 + 64);
}

#[test]
fn a_large_chunk_takes_one_read_and_small_ones_share_reads() {
    // The last bytes of a chunk arrive with its CR LF and the next chunk-size.
    assert!(reads(&in_chunks(16 * MIB, 32 * KIB), 64 * KIB).1 <= 512 + 8);
    assert!(reads(&in_chunks(16 * MIB, MIB), 256 * KIB).1 <= 64 + 24);
    // 5 % framing, read into the connection's buffer of 256 KiB.
    assert!(reads(&in_chunks(1_600_000, 100), 64 * KIB).1 <= 8 + 8);
}

/// Not a test: [`calls_of`] runs it in a process under strace, with instructions in the
/// environment.
#[test]
#[ignore = "run by the tests below"]
fn exchanges() {
    let Ok(plan) = env::var("UNIX_HTTP_GUARD") else { return };
    let [what, n, socket] = plan.split(' ').collect::<Vec<_>>()[..] else { panic!("{plan}") };
    let client = match what {
        "new" => Client::builder(Endpoint::Unix(socket.into())).max_idle(0).build(),
        _ => Client::unix(socket),
    };
    let mut buffer = [0; KIB];
    for _ in 0..n.parse().unwrap() {
        let request = if what == "post" { client.post("/").json("{}") } else { client.get("/") };
        let mut response = request.send().unwrap();
        while response.read(&mut buffer).unwrap() > 0 {}
    }
}

const FEW: u64 = 20;
const MANY: u64 = 220;

/// Returns 100 times what `count` counts in an exchange: in a process that makes many exchanges
/// minus one that makes few, which removes its start and end.
fn of_an_exchange(what: &str, count: impl Fn(Command) -> u64) -> u64 {
    let server = serve::serve(|request, responder| {
        io::copy(request, &mut io::sink())?;
        responder.field("Content-Type", "application/json").send("{\"Version\":\"1\"}\n")
    });
    let [few, many] = [FEW, MANY].map(|n| {
        let mut command = Command::new(env::current_exe().unwrap());
        let test = name(module_path!(), "exchanges");
        command.args(["--ignored", "--exact", &test, "--test-threads", "1"]);
        command.env("UNIX_HTTP_GUARD", format!("{what} {n} {}", server.dir.join("s").display()));
        count(command)
    });
    (many - few) * 100 / (MANY - FEW)
}

/// System calls of an exchange, in hundredths.
fn calls_of(what: &str) -> Option<u64> {
    needs::program("strace")?;
    Some(of_an_exchange(what, |command| {
        let (ended, calls) = system_calls(&command, b"", LIMIT);
        ended.success();
        calls.values().sum::<u64>()
    }))
}

/// Allocations of an exchange, in hundredths.
fn allocations_of(what: &str) -> Option<u64> {
    needs::program("valgrind")?;
    Some(of_an_exchange(what, |command| {
        let ended = run(&mut through("valgrind", &[], &command), b"", LIMIT);
        // "total heap usage: 1,234 allocs, 1,230 frees, 56,789 bytes allocated"
        let said = ended.stderr();
        let total = said.split("total heap usage: ").nth(1).expect("valgrind's summary");
        let allocs: String =
            total.chars().take_while(|c| *c != ' ').filter(|c| *c != ',').collect();
        ended.success();
        allocs.parse().expect("a number")
    }))
}

/// The allowance for a loaded machine, which repeats a read or wakes a thread: half a call for each
/// exchange. One more call in each exchange still fails the test.
const NOISE: u64 = 50;

#[test]
fn a_request_on_a_kept_connection_takes_two_system_calls() {
    let Some(calls) = calls_of("kept") else { return };
    assert!(calls <= 200 + NOISE, "{calls} in 100 exchanges");
}

/// Not even the heads: they use the memory of the last ones. Short content is borrowed.
#[test]
fn a_request_on_a_kept_connection_allocates_nothing() {
    for what in ["kept", "post"] {
        let Some(allocations) = allocations_of(what) else { return };
        assert_eq!(allocations, 0, "{what}: in 100 exchanges");
    }
}

#[test]
fn a_request_with_content_takes_two_system_calls() {
    let Some(calls) = calls_of("post") else { return };
    assert!(calls <= 200 + NOISE, "{calls} in 100 exchanges");
}

#[test]
fn a_request_on_a_new_connection_takes_five_system_calls() {
    let Some(calls) = calls_of("new") else { return };
    // socket, connect, send, receive, close; a debug build also checks the descriptor before close.
    let limit = if cfg!(debug_assertions) { 600 } else { 500 };
    assert!(calls <= limit + NOISE, "{calls} in 100 exchanges");
}

#[test]
fn a_process_makes_few_system_calls() {
    let server = serve::serve(|_, responder| responder.send("pong"));
    let mut ucurl = Command::new(env!("CARGO_BIN_EXE_ucurl"));
    ucurl.args(["-s", "--unix-socket"]).arg(server.dir.join("s")).arg("http://localhost/_ping");
    // If cargo sets it, the loader searches each of its directories.
    ucurl.env_remove("LD_LIBRARY_PATH");
    if needs::program("strace").is_none() {
        return;
    }
    let (ended, calls) = system_calls(&ucurl, b"", LIMIT);
    assert_eq!(ended.success(), "pong");
    // A static release build makes 45; the loader of a dynamic one adds about 30.
    assert!(calls.values().sum::<u64>() <= 100, "{calls:?}");
    assert_eq!(
        ["socket", "connect", "sendto", "recvfrom"].map(|call| calls.get(call)),
        [Some(&1); 4],
        "{calls:?}"
    );
}

#[test]
fn memory_does_not_grow_with_the_body() {
    let server = serve::serve(|request, responder| {
        let mut content = io::repeat(b'x').take(67_108_864);
        if request.path() == b"/length" {
            return serve::send_reader(responder, &mut content, 67_108_864);
        }
        let mut answer = responder.stream()?;
        io::copy(&mut content, &mut answer)?;
        answer.finish()
    });
    for path in ["length", "chunked"] {
        let mut ucurl = Command::new(env!("CARGO_BIN_EXE_ucurl"));
        ucurl.args(["-s", "-o", "/dev/null", "-w", "%{size_download}", "--unix-socket"]);
        let ended = run(
            ucurl.arg(server.dir.join("s")).arg(format!("http://localhost/{path}")),
            b"",
            LIMIT,
        );
        // 3 MB of this is the code of a debug build.
        assert!(ended.peak_kib < 12 << 10, "{path}: {} KiB", ended.peak_kib);
        assert_eq!(ended.success(), "67108864");
    }
}
