//! Bodies to and from pipes: each piece reaches the reader when it arrives, and neither end of the
//! pipe is held up while the program waits for the socket.
//!
//! splice(2) from a socket to a pipe fails all of these: it holds the pipe's lock while it waits, so
//! that the pipe's reader sleeps, uninterruptibly, on bytes that are there.

use crate::support::child::ucurl;
use crate::support::fake::Fake;
use crate::support::temp::TempDir;
use std::fs::File;
use std::io::{self, Read, Seek};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};
use unix_http::transport::Endpoint;
use unix_http::{Client, Timeouts};

/// A piece that has not come by now is held back; a process that has not ended cannot be killed.
const LIMIT: Duration = Duration::from_secs(40);

const REPETITIONS: usize = 20;

/// A response of two pieces, in each framing.
const PIECES: [(&str, &str, [&str; 2]); 3] = [
    ("until close", "", ["one\n", "two\n"]),
    ("length", "Content-Length: 8\r\n", ["one\n", "two\n"]),
    ("chunked", "Transfer-Encoding: chunked\r\n", ["4\r\none\n\r\n", "4\r\ntwo\n\r\n0\r\n\r\n"]),
];

/// A server that sends the second piece on a signal, or when the sender of the signal is gone.
fn two_pieces(fields: &str, [one, two]: [&'static str; 2]) -> (Fake, mpsc::Sender<()>) {
    let (go, wait) = mpsc::channel();
    let head = format!("HTTP/1.1 200 OK\r\n{fields}\r\n");
    let server = Fake::start(move |peer| {
        peer.read_until(b"\r\n\r\n")?;
        peer.send(head.as_bytes())?;
        peer.pause(30);
        peer.send(one.as_bytes())?;
        let _ = wait.recv_timeout(LIMIT);
        peer.send(two.as_bytes())
    });
    (server, go)
}

fn get(server: &Fake, stdout: impl Into<Stdio>) -> Child {
    let mut command = ucurl();
    command.args(["-sN", "--unix-socket"]).arg(server.path()).arg("http://localhost/attach");
    command.stdout(stdout).spawn().unwrap()
}

/// Reads up to four bytes within the limit; fewer if the rest did not arrive.
fn four_bytes(mut pipe: impl Read + Send + 'static) -> (Vec<u8>, mpsc::Receiver<Vec<u8>>) {
    let (send, receive) = mpsc::channel();
    thread::spawn(move || {
        let mut piece = [0; 4];
        while pipe.read_exact(&mut piece).is_ok() && send.send(piece.to_vec()).is_ok() {}
    });
    (receive.recv_timeout(LIMIT / 2).unwrap_or_default(), receive)
}

/// Whether a child that was killed ends within the limit.
fn ends_when_killed(child: &mut Child) -> bool {
    child.kill().unwrap();
    let end = Instant::now() + LIMIT / 2;
    while Instant::now() < end {
        if child.try_wait().unwrap().is_some() {
            return true;
        }
        thread::sleep(Duration::from_millis(5));
    }
    false
}

#[test]
fn a_piece_reaches_a_pipe_before_the_next_is_sent() {
    for (framing, fields, pieces) in PIECES {
        let late: usize = thread::scope(|scope| {
            let run = || {
                let (server, go) = two_pieces(fields, pieces);
                let mut ucurl = get(&server, Stdio::piped());
                let (first, rest) = four_bytes(ucurl.stdout.take().unwrap());
                drop(go);
                let second = rest.recv_timeout(LIMIT).unwrap_or_default();
                assert!(ucurl.wait().unwrap().success());
                if first == b"one\n" {
                    assert_eq!(second, b"two\n");
                }
                usize::from(first.is_empty())
            };
            let runs: Vec<_> = (0..REPETITIONS).map(|_| scope.spawn(run)).collect();
            runs.into_iter().map(|run| run.join().unwrap()).sum()
        });
        assert_eq!(late, 0, "{framing}: pieces held back in so many of {REPETITIONS} runs");
    }
}

#[test]
fn the_reader_of_the_pipe_can_be_killed() {
    for (framing, fields, pieces) in PIECES {
        let (server, go) = two_pieces(fields, pieces);
        let (output, input) = io::pipe().unwrap();
        let mut reader = Command::new("cat").stdin(output).stdout(Stdio::piped()).spawn().unwrap();
        let mut ucurl = get(&server, input);
        let (_, _rest) = four_bytes(reader.stdout.take().unwrap());
        let ended = ends_when_killed(&mut reader);
        drop(go);
        reader.wait().unwrap();
        ucurl.wait().unwrap();
        assert!(ended, "{framing}: the reader of the pipe did not end when it was killed");
    }
}

#[test]
fn the_writer_of_a_pipe_that_is_uploaded_can_be_killed() {
    for fields in ["Transfer-Encoding: chunked", "Content-Length: 1000000000"] {
        let (go, wait) = mpsc::channel::<()>();
        let server = Fake::start(move |peer| {
            peer.read_until(b"\r\n\r\n")?;
            // The socket fills up, then the pipe.
            let _ = wait.recv_timeout(LIMIT);
            Ok(())
        });
        let mut writer =
            Command::new("cat").arg("/dev/zero").stdout(Stdio::piped()).spawn().unwrap();
        let mut command = ucurl();
        command.args(["-s", "-T", "-", "-H", "Expect:", "-H", fields, "--unix-socket"]);
        command.arg(server.path()).arg("http://localhost/");
        let mut ucurl = command.stdin(writer.stdout.take().unwrap()).spawn().unwrap();
        thread::sleep(Duration::from_millis(300));
        let ended = ends_when_killed(&mut writer);
        drop(go);
        drop(server);
        writer.wait().unwrap();
        ucurl.wait().unwrap();
        assert!(ended, "{fields}: the writer of the pipe did not end when it was killed");
    }
}

#[test]
fn every_sink_counts_and_gets_the_same_bytes() {
    let content = "0123456789abcdef".repeat(12_500);
    let chunk = |piece: &str| format!("{:x}\r\n{piece}\r\n", piece.len());
    let (half, rest) = content.split_at(70_000);
    let bodies = [
        ("until close", String::new(), content.clone()),
        ("length", format!("Content-Length: {}\r\n", content.len()), content.clone()),
        ("short", "Content-Length: 5\r\n".to_owned(), content[..5].to_owned()),
        (
            "chunked",
            "Transfer-Encoding: chunked\r\n".to_owned(),
            chunk(half) + &chunk(rest) + "0\r\n\r\n",
        ),
    ];
    let dir = TempDir::new();
    let limits = Timeouts::default().total(Duration::from_secs(20));
    for (framing, fields, body) in bodies {
        let want = if framing == "short" { &content[..5] } else { &content[..] };
        let server = Fake::answer_and_close(format!("HTTP/1.1 200 OK\r\n{fields}\r\n{body}"));
        for limits in [Timeouts::default(), limits] {
            let client = Client::builder(Endpoint::Unix(server.path())).timeouts(limits).build();
            let mut response = client.get("/").send().unwrap();
            let mut file = File::options()
                .read(true)
                .write(true)
                .create(true)
                .truncate(true)
                .open(dir.path().join("file"))
                .unwrap();
            assert_eq!(
                io::copy(&mut response, &mut &file).unwrap(),
                want.len() as u64,
                "{framing}"
            );
            file.rewind().unwrap();
            assert!(io::read_to_string(file).unwrap() == want, "{framing} to a file");

            let mut response = client.get("/").send().unwrap();
            let (output, input) = io::pipe().unwrap();
            let reader = thread::spawn(move || io::read_to_string(output).unwrap());
            let pipe = File::from(OwnedFd::from(input));
            assert_eq!(
                io::copy(&mut response, &mut &pipe).unwrap(),
                want.len() as u64,
                "{framing}"
            );
            drop(pipe);
            assert!(reader.join().unwrap() == want, "{framing} to a pipe");
        }
    }
}
