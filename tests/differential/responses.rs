//! Responses, read by ucurl, curl, http.client and node.

use super::{Row, peers};
use crate::cases::deliver::{Case, Want};
use crate::cases::{chunked, fields, response_framing, status_line};
use crate::support::child::{run, ucurl};
use crate::support::temp::TempDir;
use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(60);

pub struct Served {
    pub id: &'static str,
    pub why: &'static str,
    pub wire: Vec<u8>,
}

/// Returns every case that is a response to GET or a part of one.
pub fn cases() -> Vec<Served> {
    let mut seen = BTreeSet::new();
    let mut cases = Vec::new();
    let mut add = |case: &Case, before: &[u8], after: &[u8]| {
        if seen.insert(case.id) {
            let wire = [before, &case.bytes(), after].concat();
            cases.push(Served { id: case.id, why: case.why, wire });
        }
    };
    for case in status_line::TABLES.iter().flat_map(|table| table.cases) {
        add(case, b"", b"hello");
    }
    let framing = response_framing::TABLES.iter().filter(|table| table.topic.ends_with("to GET"));
    for case in framing.flat_map(|table| table.cases) {
        let chunked = b"5\r\nhello\r\n0\r\n\r\n";
        // The announced body. For a head that must be rejected, a body that can be read as
        // chunks, by length, and to the end.
        let after = match case.want {
            Want::Value(value) if value.starts_with("no body") => &b""[..],
            Want::Value(value) => match value.strip_prefix("length ") {
                Some(length) => {
                    &chunked[..length
                        .split(',')
                        .next()
                        .unwrap()
                        .parse::<usize>()
                        .unwrap()
                        .min(chunked.len())]
                }
                None => chunked,
            },
            Want::Refused { .. } => chunked,
        };
        add(case, b"", after);
    }
    for case in chunked::TABLES.iter().flat_map(|table| table.cases) {
        add(case, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"");
    }
    for table in fields::TABLES {
        for case in table.cases {
            match table.topic {
                topic if topic.ends_with("in a response") => {
                    add(case, b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n", b"hello")
                }
                topic if topic.ends_with("in a trailer section") => {
                    let before =
                        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n";
                    add(case, before, b"");
                }
                _ => {}
            }
        }
    }
    cases
}

/// Starts a server that answers `/N` with the bytes of case N, and closes.
fn serve(cases: &[Served], directory: &TempDir) {
    let listener =
        UnixListener::bind(directory.join("s")).expect("a socket in a private directory");
    let answers: Arc<Vec<Vec<u8>>> = Arc::new(cases.iter().map(|case| case.wire.clone()).collect());
    // Ends with the process.
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (Ok(mut stream), answers) = (stream, Arc::clone(&answers)) else { return };
            thread::spawn(move || {
                let (mut request, mut byte) = (Vec::new(), [0]);
                while !request.ends_with(b"\r\n\r\n") && stream.read_exact(&mut byte).is_ok() {
                    request.extend(byte);
                }
                let text = String::from_utf8_lossy(&request);
                let number =
                    text.split(['/', ' ']).nth(2).and_then(|number| number.parse::<usize>().ok());
                let _ = number
                    .and_then(|number| answers.get(number))
                    .map(|answer| stream.write_all(answer));
            });
        }
    });
}

/// Abbreviates a body or a refusal.
fn verdict(whole: bool, body: &[u8]) -> String {
    if whole { format!("\"{}\"", body.escape_ascii()) } else { "refused".into() }
}

/// Runs one process for each case.
fn one_by_one(mut command: impl FnMut() -> Command, socket: &Path, count: usize) -> Vec<String> {
    let ask = |number: usize, command: &mut Command| {
        command.args(["-q", "-sS", "--max-time", "60", "--unix-socket"]).arg(socket);
        let ended = run(command.arg(format!("http://localhost/{number}")), b"", LIMIT);
        verdict(ended.code == 0, &ended.stdout)
    };
    (0..count).map(|number| ask(number, &mut command())).collect()
}

/// Runs one process for all cases, which prints a line for each.
fn all_at_once(command: &mut Command, socket: &Path, count: usize) -> Vec<String> {
    let said = run(command.arg(socket).arg(count.to_string()), b"", LIMIT).success();
    let verdicts: Vec<_> = said
        .lines()
        .map(|line| {
            let words: Vec<_> = line.splitn(3, ' ').collect();
            let hex = words[2].as_bytes().chunks(2);
            let body: Vec<u8> = hex
                .map(|two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap())
                .collect();
            verdict(words[1] == "ok", &body)
        })
        .collect();
    assert_eq!(verdicts.len(), count, "a line for each case: {said}");
    verdicts
}

/// Returns the results of all programs for every case.
pub fn rows() -> Vec<Row> {
    let (cases, directory) = (cases(), TempDir::new());
    serve(&cases, &directory);
    let (socket, count) = (directory.join("s"), cases.len());
    let here = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/differential"));
    let mut others: Vec<(&'static str, Vec<String>)> = Vec::new();
    let ours = one_by_one(ucurl, &socket, count);
    if let Some(curl) = peers::peer("curl") {
        others.push(("curl", one_by_one(|| Command::new(&curl), &socket, count)));
    }
    for (name, program, script) in
        [("http.client", "python3", "client.py"), ("node", "node", "client.mjs")]
    {
        if let Some(program) = peers::peer(program) {
            others.push((
                name,
                all_at_once(Command::new(program).arg(here.join(script)), &socket, count),
            ));
        }
    }
    let row = |(number, case): (usize, &Served)| Row {
        id: case.id,
        why: case.why,
        ours: ours[number].clone(),
        others: others.iter().map(|(name, verdicts)| (*name, verdicts[number].clone())).collect(),
    };
    cases.iter().enumerate().map(row).collect()
}
