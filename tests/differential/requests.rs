//! Requests to the library's server, nginx and node.

use super::{Row, peers};
use crate::cases::deliver::Case;
use crate::cases::{fields, request_framing, request_line};
use crate::support::serve::{serve, statuses};
use crate::support::temp::TempDir;
use std::collections::BTreeSet;
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

const LIMIT: Duration = Duration::from_secs(60);

pub struct Sent {
    pub id: &'static str,
    pub why: &'static str,
    pub wire: Vec<u8>,
}

/// Returns every case that is a request or a part of one, each followed by a last request.
pub fn cases() -> Vec<Sent> {
    let mut seen = BTreeSet::new();
    let mut cases = Vec::new();
    let mut add = |case: &Case, before: &[u8]| {
        let last = b"GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
        if seen.insert(case.id) {
            cases.push(Sent {
                id: case.id,
                why: case.why,
                wire: [before, &case.bytes(), last].concat(),
            });
        }
    };
    for table in request_line::TABLES.iter().chain(request_framing::TABLES) {
        table.cases.iter().for_each(|case| add(case, b""));
    }
    for table in fields::TABLES.iter().filter(|table| table.topic.ends_with("in a request")) {
        table.cases.iter().for_each(|case| add(case, b"GET / HTTP/1.1\r\nHost: a\r\n"));
    }
    cases
}

/// Describes the responses by the class of their status-codes: `answered, answered`, `refused`,
/// `nothing`.
fn talk(socket: &Path, wire: &[u8]) -> String {
    let mut stream = UnixStream::connect(socket).expect("a server");
    stream.set_read_timeout(Some(LIMIT)).expect("a socket");
    // The server may have answered and closed before the last byte.
    let _ = stream.write_all(wire).and_then(|()| stream.shutdown(Shutdown::Write));
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    match statuses(&String::from_utf8_lossy(&answer)) {
        Ok(statuses) if statuses.is_empty() => "nothing".into(),
        Ok(statuses) => {
            let word = |status: &u16| match status {
                100..=199 => None,
                200..=399 => Some("answered"),
                _ => Some("refused"),
            };
            statuses.iter().filter_map(word).collect::<Vec<_>>().join(", ")
        }
        Err(_) => "closed".into(),
    }
}

/// A process with a socket. Dropping it ends the process.
struct Server {
    child: Child,
    socket: PathBuf,
    _directory: TempDir,
}

impl Server {
    fn start(make: impl FnOnce(&TempDir) -> Command) -> Server {
        let directory = TempDir::new();
        let socket = directory.join("s");
        let mut command = make(&directory);
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("a server");
        let end = Instant::now() + LIMIT;
        while UnixStream::connect(&socket).is_err() {
            assert!(Instant::now() < end, "{command:?} does not listen");
            thread::sleep(Duration::from_millis(5));
        }
        Server { child, socket, _directory: directory }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn nginx(program: &Path, directory: &TempDir) -> Command {
    let at = directory.path().display();
    let paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|name| format!("{name}_temp_path {at}/{name};"));
    let configuration = format!(
        "daemon off; master_process off; pid {at}/pid; error_log stderr crit; events {{}} http {{ access_log off; {} \
         server {{ listen unix:{at}/s; return 200; }} }}",
        paths.concat()
    );
    let file = directory.write("nginx.conf", configuration);
    let mut command = Command::new(program);
    command.arg("-c").arg(file);
    command
}

pub fn rows() -> Vec<Row> {
    let cases = cases();
    let served = serve(|request, responder| {
        io::copy(request, &mut io::sink())?;
        // A response to HEAD has a length too, so that it can be read without its request.
        responder.field("Content-Length", "0").send("")
    });
    let ask = |socket: &Path| -> Vec<String> {
        cases.iter().map(|case| talk(socket, &case.wire)).collect()
    };
    let ours = ask(&served.dir.join("s"));
    let mut others: Vec<(&'static str, Vec<String>)> = Vec::new();
    if let Some(program) = peers::peer("nginx") {
        let server = Server::start(|directory| nginx(&program, directory));
        others.push(("nginx", ask(&server.socket)));
    }
    if let Some(program) = peers::peer("node") {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/differential/server.mjs");
        let server = Server::start(|directory| {
            let mut command = Command::new(program);
            command.arg(script).arg(directory.join("s"));
            command
        });
        others.push(("node", ask(&server.socket)));
    }
    let row = |(number, case): (usize, &Sent)| Row {
        id: case.id,
        why: case.why,
        ours: ours[number].clone(),
        others: others.iter().map(|(name, verdicts)| (*name, verdicts[number].clone())).collect(),
    };
    cases.iter().enumerate().map(row).collect()
}
