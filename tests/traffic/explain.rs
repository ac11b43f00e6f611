//! `ucurl --explain`, compared with texts that were reviewed line by line against the RFCs.
//!
//! Each text in `tests/explain/` begins with the command. This file contains the exact bytes of the
//! server.

use crate::support::child::{run, ucurl};
use crate::support::fake::{Fake, Peer};
use crate::support::pattern;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use unix_http::base::secret_name::FIELDS;

/// The steps of the server on one connection. Then it waits until the client closes.
#[derive(Clone, Copy)]
enum Step {
    /// Reads up to and including these bytes.
    Until(&'static [u8]),
    Send(&'static [u8]),
    Close,
}
use Step::{Close, Send, Until};

const HEAD: Step = Until(b"\r\n\r\n");
const LAST_CHUNK: Step = Until(b"\r\n0\r\n\r\n");

struct Case {
    /// The name of the text.
    name: &'static str,
    /// The steps of the server on each connection.
    server: &'static [&'static [Step]],
    stdout: &'static [u8],
    code: i32,
}

const VERSION: Step = Send(
    b"HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nContent-Type: application/json\r\nDocker-Experimental: false\r\n\
      Ostype: linux\r\nServer: Docker/20.10.24 (linux)\r\nDate: Sun, 22 Nov 2026 02:25:55 GMT\r\n\
      Content-Length: 23\r\n\r\n{\"Version\":\"20.10.24\"}\n",
);
const PONG: Step = Send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK");

const CASES: &[Case] = &[
    Case { name: "length", server: &[&[HEAD, VERSION]], stdout: b"{\"Version\":\"20.10.24\"}\n", code: 0 },
    Case {
        name: "head",
        server: &[&[
            HEAD,
            Send(b"HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nContent-Length: 2\r\nPragma: no-cache\r\n\r\n"),
        ]],
        stdout: b"HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nContent-Length: 2\r\nPragma: no-cache\r\n\r\n",
        code: 0,
    },
    Case {
        name: "204",
        server: &[&[HEAD, Send(b"HTTP/1.1 204 No Content\r\nApi-Version: 1.41\r\n\r\n")]],
        stdout: b"",
        code: 0,
    },
    Case {
        name: "304",
        server: &[&[HEAD, Send(b"HTTP/1.1 304 Not Modified\r\nETag: \"v1\"\r\nContent-Length: 1000\r\n\r\n")]],
        stdout: b"",
        code: 0,
    },
    Case {
        name: "404",
        server: &[&[
            HEAD,
            Send(
                b"HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\nContent-Length: 38\r\n\r\n\
                  {\"message\":\"No such container: nope\"}\n",
            ),
        ]],
        stdout: b"{\"message\":\"No such container: nope\"}\n",
        code: 0,
    },
    Case {
        name: "409",
        server: &[&[
            HEAD,
            Until(b"}"),
            Send(
                b"HTTP/1.1 409 Conflict\r\nContent-Type: application/json\r\nContent-Length: 22\r\n\r\n\
                  {\"message\":\"Conflict\"}",
            ),
        ]],
        stdout: b"{\"message\":\"Conflict\"}",
        code: 0,
    },
    Case {
        name: "chunked",
        server: &[&[
            HEAD,
            Send(
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: Digest\r\n\r\n\
                  4\r\nWiki\r\n1A;note=\"no\"\r\nabcdefghijklmnopqrstuvwxyz\r\n0\r\nDigest: none\r\n\r\n",
            ),
        ]],
        stdout: b"Wikiabcdefghijklmnopqrstuvwxyz",
        code: 0,
    },
    Case {
        name: "close-delimited",
        server: &[&[HEAD, Send(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nto the end\n"), Close]],
        stdout: b"to the end\n",
        code: 0,
    },
    Case {
        name: "upgrade",
        server: &[&[
            HEAD,
            Send(b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n"),
            Until(b"hello\n"),
            Send(b"HELLO\n"),
            Close,
        ]],
        stdout: b"HELLO\n",
        code: 0,
    },
    Case {
        name: "frames",
        server: &[&[
            HEAD,
            Send(
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
                  c\r\n\x01\0\0\0\0\0\0\x04out\n\r\n8\r\n\x02\0\0\0\0\0\0\x04\r\n4\r\nerr\n\r\n0\r\n\r\n",
            ),
        ]],
        stdout: b"\x01\0\0\0\0\0\0\x04out\n\x02\0\0\0\0\0\0\x04err\n",
        code: 0,
    },
    Case {
        name: "expect",
        server: &[&[
            HEAD,
            Send(b"HTTP/1.1 100 Continue\r\n\r\n"),
            LAST_CHUNK,
            Send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
        ]],
        stdout: b"",
        code: 0,
    },
    Case {
        name: "expect-refused",
        server: &[&[HEAD, Send(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"), Close]],
        stdout: b"",
        code: 0,
    },
    Case {
        name: "redirect",
        server: &[&[
            HEAD,
            Until(b"{}"),
            Send(b"HTTP/1.1 302 Found\r\nLocation: /moved\r\nContent-Length: 5\r\n\r\nthere"),
            HEAD,
            PONG,
        ]],
        stdout: b"OK",
        code: 0,
    },
    Case {
        name: "connection-close",
        server: &[&[HEAD, Send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nOK"), Close]],
        stdout: b"OK",
        code: 0,
    },
    Case {
        name: "http-1.0",
        server: &[&[HEAD, Send(b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nOK"), Close]],
        stdout: b"OK",
        code: 0,
    },
    Case {
        name: "http-1.0-keep-alive",
        server: &[&[HEAD, Send(b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nOK")]],
        stdout: b"OK",
        code: 0,
    },
    Case {
        name: "left-over",
        server: &[&[HEAD, Send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOKOK")]],
        stdout: b"OK",
        code: 0,
    },
    Case {
        name: "form",
        server: &[&[
            HEAD,
            Until(b"}"),
            Send(
                b"HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: 48\r\n\r\n\
                  {\"message\":\"unsupported Content-Type for this\"}\n",
            ),
        ]],
        stdout: b"{\"message\":\"unsupported Content-Type for this\"}\n",
        code: 0,
    },
    Case {
        name: "upload",
        server: &[&[
            HEAD,
            LAST_CHUNK,
            Send(b"HTTP/1.1 201 Created\r\nLocation: /things/1\r\nContent-Length: 0\r\n\r\n"),
        ]],
        stdout: b"",
        code: 0,
    },
    Case {
        name: "broken-chunk",
        server: &[&[
            HEAD,
            Send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0x5\r\nworld\r\n0\r\n\r\n"),
        ]],
        stdout: b"hello",
        code: 56,
    },
    Case {
        name: "cut-short",
        server: &[&[HEAD, Send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello"), Close]],
        stdout: b"hello",
        code: 18,
    },
    Case { name: "reuse", server: &[&[HEAD, PONG, HEAD, PONG]], stdout: b"OKOK", code: 0 },
    Case { name: "stale", server: &[&[HEAD, PONG, HEAD, Close], &[HEAD, PONG]], stdout: b"OKOK", code: 0 },
    Case {
        name: "two-lengths",
        server: &[&[
            HEAD,
            Send(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nOK\r\n0\r\n\r\n"),
            Close,
        ]],
        stdout: b"OK",
        code: 0,
    },
    Case {
        name: "old-lines",
        server: &[&[HEAD, Send(b"HTTP/1.1 200 OK\nContent-Length: 2\r\nServer: a\r\n b\r\n\r\nOK")]],
        stdout: b"OK",
        code: 0,
    },
    Case {
        name: "secrets",
        server: &[&[
            HEAD,
            Send(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nWWW-Authenticate: Basic realm=\"x\"\r\n\r\n"),
        ]],
        stdout: b"",
        code: 0,
    },
    Case {
        name: "refused",
        server: &[&[HEAD, Send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"), Close]],
        stdout: b"",
        code: 61,
    },
    Case { name: "bytes", server: &[&[HEAD, PONG]], stdout: b"OK", code: 0 },
    Case {
        name: "attach",
        server: &[&[
            HEAD,
            Send(
                b"HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.multiplexed-stream\r\n\
                  Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n",
            ),
            Until(b"hello\n"),
            Send(b"\x01\0\0\0\0\0\0\x06HELLO\n"),
            Close,
        ]],
        stdout: b"HELLO\n",
        code: 0,
    },
    Case {
        name: "tap",
        server: &[&[
            HEAD,
            Until(b"}"),
            Send(
                b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: 24\r\n\r\n\
                  {\"Id\":\"1\",\"Warnings\":[]}",
            ),
        ]],
        stdout: b"{\"Id\":\"1\",\"Warnings\":[]}",
        code: 0,
    },
    Case {
        name: "tap-bytes",
        server: &[&[HEAD, Send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n")]],
        stdout: b"hello",
        code: 0,
    },
    Case {
        name: "tap-fault",
        server: &[&[HEAD, Send(b"HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nOK"), Close]],
        stdout: b"",
        code: 8,
    },
];

fn text(name: &str) -> String {
    let path = format!("tests/explain/{name}.txt");
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn serve(peer: &mut Peer, steps: &[Step]) -> std::io::Result<()> {
    for step in steps {
        match step {
            Until(bytes) => peer.read_until(bytes)?,
            Send(bytes) => peer.send(bytes)?,
            Close => return Ok(()),
        }
    }
    peer.read_to_end()
}

#[test]
fn every_explanation_matches_its_reviewed_text() {
    let mut failed = Vec::new();
    for case in CASES {
        let server = Fake::start(|peer| match case.server.get(peer.connection) {
            Some(steps) => serve(peer, steps),
            None => Ok(()),
        });
        let text = text(case.name);
        let (command, expected) = text.split_once('\n').expect("a command and its output");
        let command = command.strip_prefix("$ ").expect("a command");
        let socket = server.path();
        let program = ucurl();
        let path =
            Path::new(program.get_program()).parent().expect("its directory").display().to_string();
        let mut shell = Command::new("sh");
        shell.args(["-c", command]).current_dir(socket.parent().expect("its directory"));
        for (name, value) in program.get_envs() {
            match value {
                Some(value) => shell.env(name, value),
                None => shell.env_remove(name),
            };
        }
        shell.env("PATH", format!("{path}:{}", std::env::var("PATH").unwrap_or_default()));
        let ended = run(&mut shell, b"", Duration::from_secs(30));
        if let Err(why) = pattern::check(expected, &ended.stderr()) {
            failed.push(format!("{}: {why}", case.name));
        }
        assert_eq!(
            ended.stdout.escape_ascii().to_string(),
            case.stdout.escape_ascii().to_string(),
            "{}",
            case.name
        );
        assert_eq!(ended.code, case.code, "{}", case.name);
    }
    assert!(failed.is_empty(), "{} of {}\n\n{}", failed.len(), CASES.len(), failed.join("\n\n"));
}

#[test]
fn every_text_belongs_to_an_exchange_and_fits_a_terminal() {
    for entry in fs::read_dir("tests/explain").expect("tests/explain") {
        let name = entry.expect("an entry").file_name().into_string().expect("UTF-8");
        let name = name.strip_suffix(".txt").expect("a text");
        assert!(CASES.iter().any(|case| case.name == name), "{name}");
        for line in text(name).lines().skip(1) {
            let columns = line.chars().count();
            // Bytes of the exchange are shown unchanged, however long; comments are folded. Each
            // error is one line.
            let as_it_is = line.starts_with(['<', '>']) || line.starts_with("ucurl: ");
            assert!(columns < 80 || as_it_is, "{name}: {columns} columns: {line}");
        }
    }
}

/// Every secret field, in a request, an interim response, a final response and a trailer section.
#[test]
fn the_client_masks_what_the_tap_masks() {
    let fields = FIELDS.split_ascii_whitespace();
    let fields: String = fields.map(|name| format!("{name}: hunter2\r\n")).collect();
    let answer = format!(
        "HTTP/1.1 103 Early Hints\r\n{fields}\r\nHTTP/1.1 200 OK\r\n{fields}\
         Transfer-Encoding: chunked\r\n\r\n16\r\n{{\"password\":\"hunter2\"}}\r\n0\r\n{fields}\r\n"
    );
    let body = r#"{"Env":["DB_PASSWORD=hunter2"]}"#;
    for how in ["--explain", "--explain=bytes"] {
        let shown = |tap: bool| {
            let server = Fake::answer(answer.clone());
            let endpoint = format!("unix://{}", server.path().display());
            let mut command = ucurl();
            if tap {
                command.args(["tap", how, "--to", &endpoint, "--"]).arg(ucurl().get_program());
            } else {
                command.env("DOCKER_HOST", &endpoint).arg(how);
            }
            for name in FIELDS.split_ascii_whitespace() {
                command.arg("-H").arg(format!("{name}: hunter2"));
            }
            command.args(["-s", "-o", "/dev/null", "-d", body, "/auth"]);
            run(&mut command, b"", Duration::from_secs(30)).stderr()
        };
        let (client, tap) = (shown(false), shown(true));
        for (who, shown) in [("client", &client), ("tap", &tap)] {
            assert!(!shown.contains("hunter2"), "{who} {how}:\n{shown}");
            assert!(!shown.contains("68 75 6e 74 65 72 32"), "{who} {how}:\n{shown}");
            for name in FIELDS.split_ascii_whitespace() {
                for side in ['>', '<'] {
                    let line = format!("{side} {name}: ***\\r\\n\n");
                    assert!(shown.contains(&line), "{who} {how}: no {line} in\n{shown}");
                }
            }
        }
    }
}
