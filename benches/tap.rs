//! `ucurl tap` compared with socat: `cargo bench --bench tap`.
//!
//! The server and the client run in this process, the relay between them in another. The bench
//! measures the client's time: the transfer of a gigabyte in each direction, requests on a kept
//! connection, and requests on new connections. The contenders take turns in every round, so that a
//! busy machine affects all of them. The output is the median of the rounds.
//!
//! `UNIX_HTTP_BENCH_MIB` (1024) and `UNIX_HTTP_BENCH_ROUNDS` (5) make it shorter.

use std::io::{self, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

/// A relay between client and server: a name, the share of the bytes that it gets (1/n, for slow
/// ones), and the command for (listen, connect).
type Contender = (&'static str, usize, fn(&str, &str) -> Option<Command>);

const CONTENDERS: &[Contender] = &[
    ("direct", 1, |_, _| None),
    ("ucurl tap > /dev/null", 1, |listen, connect| {
        Some(tap(&["--listen", listen, "--to", connect]))
    }),
    ("ucurl tap --quiet", 1, |listen, connect| {
        Some(tap(&["--quiet", "--listen", listen, "--to", connect]))
    }),
    ("ucurl guard --quiet", 1, |listen, connect| {
        let rules = format!("{listen}.rules");
        fs::write(&rules, "GET /*\nPUT /* <\n").ok()?;
        let mut command = Command::new(env!("CARGO_BIN_EXE_ucurl"));
        command.args(["guard", "--quiet", "--listen", listen, "--to", connect, &rules]);
        Some(command)
    }),
    ("socat", 1, |listen, connect| Some(socat(&[], listen, connect))),
    ("socat -b 262144", 1, |listen, connect| Some(socat(&["-b", "262144"], listen, connect))),
    ("socat -v 2> /dev/null", 32, |listen, connect| Some(socat(&["-v"], listen, connect))),
];

fn tap(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ucurl"));
    command.arg("tap").args(arguments);
    command
}

fn socat(flags: &[&str], listen: &str, connect: &str) -> Command {
    let mut command = Command::new("socat");
    command
        .args(flags)
        .arg(format!("UNIX-LISTEN:{listen},fork"))
        .arg(format!("UNIX-CONNECT:{connect}"));
    command
}

struct Relay(Option<Child>);

impl Relay {
    fn start(command: Option<Command>, path: &Path) -> io::Result<Relay> {
        let Some(mut command) = command else { return Ok(Relay(None)) };
        let child =
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        let relay = Relay(Some(child));
        for _ in 0..1000 {
            // The file exists between bind(2) and listen(2) already.
            if UnixStream::connect(path).is_ok() {
                return Ok(relay);
            }
            thread::sleep(Duration::from_millis(5));
        }
        Err(io::Error::other("the relay does not listen"))
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        if let Some(mut child) = self.0.take() {
            let _ = Command::new("kill").arg(child.id().to_string()).status();
            let _ = child.wait();
        }
    }
}

/// Answers `GET /n` with n bytes, `PUT /n` after reading n bytes.
fn serve(listener: &UnixListener) {
    for stream in listener.incoming().map_while(Result::ok) {
        thread::spawn(move || answer(stream));
    }
}

fn answer(mut stream: UnixStream) -> io::Result<()> {
    let mut buffer = vec![b'x'; 1 << 18];
    let mut held = Vec::new();
    loop {
        while !held.windows(4).any(|w| w == b"\r\n\r\n") {
            let n = stream.read(&mut buffer)?;
            if n == 0 {
                return Ok(());
            }
            held.extend_from_slice(&buffer[..n]);
        }
        let end = held.windows(4).position(|w| w == b"\r\n\r\n").map_or(0, |at| at + 4);
        let line = String::from_utf8_lossy(&held[..end]).into_owned();
        let n: usize = line.split(['/', ' ']).nth(2).and_then(|n| n.parse().ok()).unwrap_or(0);
        if line.starts_with("PUT") {
            let mut left = n - (held.len() - end);
            held.clear();
            while left > 0 {
                left -= stream.read(&mut buffer)?;
            }
            stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n")?;
            buffer.fill(b'x');
        } else {
            held.drain(..end);
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {n}\r\n\r\n");
            if n < 1024 {
                stream.write_all(&[head.as_bytes(), &buffer[..n]].concat())?;
            } else {
                stream.write_all(head.as_bytes())?;
                let mut left = n;
                while left > 0 {
                    let part = left.min(buffer.len());
                    stream.write_all(&buffer[..part])?;
                    left -= part;
                }
            }
        }
    }
}

fn download(path: &Path, n: usize) -> io::Result<Duration> {
    let mut buffer = vec![0; 1 << 18];
    let mut stream = UnixStream::connect(path)?;
    let start = Instant::now();
    stream.write_all(format!("GET /{n} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes())?;
    let mut left = n;
    while left > 0 {
        let got = stream.read(&mut buffer)?;
        if got == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        left = left.saturating_sub(got);
    }
    Ok(start.elapsed())
}

fn upload(path: &Path, n: usize) -> io::Result<Duration> {
    let buffer = vec![b'y'; 1 << 18];
    let mut stream = UnixStream::connect(path)?;
    let start = Instant::now();
    stream.write_all(
        format!("PUT /{n} HTTP/1.1\r\nHost: x\r\nContent-Length: {n}\r\n\r\n").as_bytes(),
    )?;
    let mut left = n;
    while left > 0 {
        let part = left.min(buffer.len());
        stream.write_all(&buffer[..part])?;
        left -= part;
    }
    let _ = stream.read(&mut [0; 100])?;
    Ok(start.elapsed())
}

const SMALL: &[u8] = b"GET /100 HTTP/1.1\r\nHost: x\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n";

fn ask(stream: &mut UnixStream) -> io::Result<()> {
    stream.write_all(SMALL)?;
    let mut got = 0;
    let mut buffer = [0; 1024];
    while got < 140 {
        match stream.read(&mut buffer)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            n => got += n,
        }
    }
    Ok(())
}

/// Returns the median and the mean of n requests on one connection. Only the mean includes work
/// that is done later, for many requests at once.
fn kept(path: &Path, n: usize) -> io::Result<[Duration; 2]> {
    let mut stream = UnixStream::connect(path)?;
    let mut times = Vec::new();
    for _ in 0..n {
        let start = Instant::now();
        ask(&mut stream)?;
        times.push(start.elapsed());
    }
    let mean = times.iter().sum::<Duration>() / n as u32;
    Ok([median(times), mean])
}

/// Returns the median of n requests on separate connections.
fn fresh(path: &Path, n: usize) -> io::Result<Duration> {
    let mut times = Vec::new();
    for _ in 0..n {
        let start = Instant::now();
        ask(&mut UnixStream::connect(path)?)?;
        times.push(start.elapsed());
    }
    Ok(median(times))
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn number(variable: &str, default: usize) -> usize {
    env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn main() -> io::Result<()> {
    let (mib, rounds) = (number("UNIX_HTTP_BENCH_MIB", 1024), number("UNIX_HTTP_BENCH_ROUNDS", 5));
    let dir = env::temp_dir().join(format!("uh-bench-{}", std::process::id()));
    fs::create_dir(&dir)?;
    let server = dir.join("server");
    let listener = UnixListener::bind(&server)?;
    thread::spawn(move || serve(&listener));
    let bytes = mib << 20;
    let mut results = vec![[const { Vec::new() }; 5]; CONTENDERS.len()];
    for _ in 0..rounds {
        for (n, (name, part, command)) in CONTENDERS.iter().enumerate() {
            let listen = dir.join("relay");
            let command = command(&listen.display().to_string(), &server.display().to_string());
            let path: PathBuf = if command.is_some() { listen.clone() } else { server.clone() };
            let relay =
                Relay::start(command, &path).inspect_err(|error| eprintln!("{name}: {error}"));
            if let Ok(_relay) = relay {
                let bytes = bytes / part;
                let [kept, mean] = kept(&path, 2000)?;
                let took = [
                    download(&path, bytes)?,
                    upload(&path, bytes)?,
                    kept,
                    mean,
                    fresh(&path, 200)?,
                ];
                for (results, took) in results[n].iter_mut().zip(took) {
                    results.push(took);
                }
            }
            let _ = fs::remove_file(&listen);
        }
    }
    println!(
        "| between client and server | download MB/s | upload MB/s | kept, µs per request | its mean | new, µs per request |"
    );
    println!("|---|---|---|---|---|---|");
    for ((name, part, _), results) in CONTENDERS.iter().zip(results) {
        if results[0].is_empty() {
            println!("| {name} | not installed | | | | |");
            continue;
        }
        let [down, up, kept, mean, fresh] = results.map(|times| median(times).as_secs_f64());
        let rate = |time: f64| (bytes / part) as f64 / 1e6 / time;
        let [kept, mean, fresh] = [kept, mean, fresh].map(|time| time * 1e6);
        println!(
            "| {name} | {:.0} | {:.0} | {kept:.1} | {mean:.1} | {fresh:.1} |",
            rate(down),
            rate(up)
        );
    }
    fs::remove_dir_all(&dir)
}
