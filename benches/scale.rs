//! Does cost grow with the bytes, and with nothing else? `cargo bench --bench scale`, with `--
//! --write` to write `benches/SCALE.md` and `benches/scale.svg`.
//!
//! The server and the tap are processes of their own, and their clients raw sockets of this one.
//! Beside them stand a bare server and a bare relay: as many threads for each connection, which
//! read and write and look at nothing. What grows there as well is the system's: the kernel wakes a
//! thread that has slept longer, perhaps on the other core. So the same is measured once more with
//! everything on one core (`taskset`). `UNIX_HTTP_BENCH_REQUESTS` (10000) is how many requests are
//! made for each point and round; half of them first, not measured.

#[path = "support/serve.rs"]
mod serve;

use std::fmt::Write as _;
use std::hint::black_box;
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, thread};
use unix_http::connection::Connection;
use unix_http::server::{Limits, Server};
use unix_http::wire::{BodyDecoder, Framing, OVERHEAD_LIMIT, Progress, ResponseDecoder};
use unix_http::{Client, Endpoint};

const GET: &[u8] =
    b"GET /version HTTP/1.1\r\nHost: localhost\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n";
const CONNECTIONS: &[usize] = &[1, 10, 100, 1000];
const ROUNDS: usize = 3;

const INTRO: &str = "\
# How cost grows

Written by `cargo bench --bench scale -- --write`.

![](scale.svg)

Requests go round over the open connections. The bare server and the bare relay have the same threads, which read and
write and look at nothing: µs that grow there too are the kernel's, which wakes a thread that has slept for longer.

";

/// A process that listens there, ended with this value.
struct Process(Child);

impl Process {
    fn start(command: &mut Command, socket: &Path) -> io::Result<Process> {
        let process = Process(command.stdin(Stdio::null()).stdout(Stdio::null()).spawn()?);
        for _ in 0..1000 {
            if UnixStream::connect(socket).is_ok() {
                return Ok(process);
            }
            thread::sleep(Duration::from_millis(5));
        }
        Err(io::Error::other("it does not listen"))
    }

    /// Its memory and its children's: `ucurl tap` has the relay in one, to clean up after it.
    fn memory_kib(&self) -> u64 {
        let id = self.0.id();
        let children =
            fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap_or_default();
        let children = children.split_whitespace().filter_map(|child| child.parse().ok());
        children.chain([id]).map(resident_kib).sum()
    }
}

fn resident_kib(id: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().split(' ').next()?.parse().ok()).unwrap_or(0)
}

impl Drop for Process {
    /// Asked to end, the tap takes its socket file along before the next one needs the place.
    fn drop(&mut self) {
        let _ = (Command::new("kill").arg(self.0.id().to_string()).status(), self.0.wait());
    }
}

/// `--serve SOCKET`: the library's server, in a process of its own.
fn server(socket: &str) -> io::Result<()> {
    let content = &serve::VERSION[210..];
    let server = Server::bind(&Endpoint::Unix(socket.into())).map_err(io::Error::other)?;
    let server = server.with_limits(Limits { connections: 4096, ..Limits::default() });
    server
        .run(move |_, responder| responder.field("Content-Type", "application/json").send(content))
}

/// `--bare SOCKET`: a thread for each connection, which answers each read with the same bytes.
fn bare(socket: &str) -> io::Result<()> {
    for stream in UnixListener::bind(socket)?.incoming() {
        let mut stream = stream?;
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(1..) = stream.read(&mut buffer) {
                stream.write_all(serve::VERSION)?;
            }
            io::Result::Ok(())
        });
    }
    Ok(())
}

/// `--bare-relay SOCKET TO`: two threads for each connection, which write what they read.
fn bare_relay(socket: &str, to: &str) -> io::Result<()> {
    let pass = |mut from: UnixStream, mut to: UnixStream| {
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(n @ 1..) = from.read(&mut buffer) {
                to.write_all(&buffer[..n])?;
            }
            to.shutdown(Shutdown::Write)
        });
    };
    for client in UnixListener::bind(socket)?.incoming() {
        let (client, server) = (client?, UnixStream::connect(to)?);
        pass(client.try_clone()?, server.try_clone()?);
        pass(server, client);
    }
    Ok(())
}

fn ask(stream: &mut UnixStream, buffer: &mut [u8]) -> io::Result<()> {
    stream.write_all(GET)?;
    let mut got = 0;
    loop {
        got += match stream.read(&mut buffer[got..])? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            n => n,
        };
        // The answer is JSON, and ends as JSON does.
        if buffer[..got].ends_with(b"}\n") {
            return Ok(());
        }
    }
}

/// Requests go round over that many open connections; µs a request, and the process's memory.
fn connections(
    socket: &Path,
    process: &Process,
    n: usize,
    requests: usize,
) -> io::Result<(f64, u64)> {
    let mut streams =
        (0..n).map(|_| UnixStream::connect(socket)).collect::<io::Result<Vec<_>>>()?;
    let mut buffer = [0; 4096];
    let rounds = (requests / n).max(2);
    let mut start = Instant::now();
    for round in 0..rounds {
        if round == rounds / 2 {
            start = Instant::now();
        }
        for stream in &mut streams {
            ask(stream, &mut buffer)?;
        }
    }
    let took = start.elapsed().as_secs_f64() * 1e6 / ((rounds - rounds / 2) * n) as f64;
    Ok((took, process.memory_kib()))
}

/// `--rows`: for each number of connections the medians of the rounds, in which the contenders take
/// turns: bare server, server, bare relay, tap, each µs a request and KiB of its memory.
fn rows(place: &serve::Place, requests: usize) -> io::Result<()> {
    let (behind, socket) = (place.join("bare"), place.join("it"));
    let own = |arguments: &[&str]| -> io::Result<Command> {
        let mut command = Command::new(env::current_exe()?);
        command.args(arguments);
        Ok(command)
    };
    let path = |path: &Path| path.display().to_string();
    let _behind = Process::start(&mut own(&["--bare", &path(&behind)])?, &behind)?;
    let mut tap = Command::new(env!("CARGO_BIN_EXE_ucurl"));
    tap.args(["tap", "--quiet", "--listen", &path(&socket), "--to", &path(&behind)])
        .stderr(Stdio::null());
    let mut contenders = [
        own(&["--bare", &path(&socket)])?,
        own(&["--serve", &path(&socket)])?,
        own(&["--bare-relay", &path(&socket), &path(&behind)])?,
        tap,
    ];
    for &n in CONNECTIONS {
        let mut results = [const { Vec::new() }; 4];
        for _ in 0..ROUNDS {
            for (contender, results) in contenders.iter_mut().zip(&mut results) {
                let process = Process::start(contender, &socket)?;
                results.push(connections(&socket, &process, n, requests)?);
                drop(process);
                let _ = fs::remove_file(&socket);
            }
        }
        let medians = results.map(|mut results| {
            results.sort_by(|a, b| a.0.total_cmp(&b.0));
            let (took, memory) = results[ROUNDS / 2];
            format!("{took} {memory}")
        });
        println!("{n} {}", medians.join(" "));
    }
    Ok(())
}

/// The rows, measured by a process of its own: [`rows`].
fn measured(command: &mut Command) -> io::Result<Vec<Vec<f64>>> {
    let output = command.stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err(io::Error::other("--rows failed"));
    }
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let row = |line: &str| {
        line.split(' ').map(|number| number.parse().map_err(io::Error::other)).collect()
    };
    text.lines().map(row).collect()
}

/// How the bare ones compare, over open connections.
fn many(title: &'static str, rows: Vec<Vec<f64>>) -> Table {
    let columns = vec![
        "connections",
        "bare server, µs",
        "server, µs",
        "× bare",
        "bare relay, µs",
        "tap, µs",
        "× bare",
        "server, KiB",
        "tap, KiB",
    ];
    let row =
        |r: Vec<f64>| vec![r[0], r[1], r[3], r[3] / r[1], r[5], r[7], r[7] / r[5], r[4], r[8]];
    Table { title, columns, rows: rows.into_iter().map(row).collect(), drawn: &[1, 2, 4, 5] }
}

/// That many threads share one client; µs a request, all of them together.
fn threads(socket: &Path, n: usize, requests: usize) -> f64 {
    let client = Client::builder(Endpoint::Unix(socket.into())).max_idle(n).build();
    let all = || {
        thread::scope(|scope| {
            for _ in 0..n {
                scope.spawn(|| {
                    for _ in 0..(requests / 2 / n).max(1) {
                        let answer =
                            client.get("/version").send().and_then(|response| response.bytes());
                        assert!(answer.is_ok(), "{answer:?}");
                    }
                });
            }
        });
    };
    all();
    let start = Instant::now();
    all();
    start.elapsed().as_secs_f64() * 1e6 / ((requests / 2 / n).max(1) * n) as f64
}

/// The least time of a call, in ns, of enough calls to fill a fifth of a second.
fn least(mut work: impl FnMut()) -> f64 {
    let (start, mut best) = (Instant::now(), f64::MAX);
    while start.elapsed() < Duration::from_millis(200) {
        let (begin, mut calls) = (Instant::now(), 0);
        while calls == 0 || begin.elapsed() < Duration::from_millis(1) {
            (0..8).for_each(|_| work());
            calls += 8;
        }
        best = begin.elapsed().as_secs_f64().mul_add(1e9 / f64::from(calls), 0.0).min(best);
    }
    best
}

/// A head of about that many bytes, in field lines of 50; ns.
fn head(size: usize) -> (usize, f64) {
    let mut head = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n".to_vec();
    while head.len() + 52 <= size {
        head.extend_from_slice(
            format!("X-Line-{:05}: {}\r\n", head.len(), "v".repeat(34)).as_bytes(),
        );
    }
    head.extend_from_slice(b"\r\n");
    let mut decoder = ResponseDecoder::new();
    let took = least(|| {
        decoder.reset(OVERHEAD_LIMIT);
        assert_eq!(decoder.decode(black_box(&head)), Ok(Progress::Complete { len: head.len() }));
    });
    (head.len(), took)
}

/// A body in chunks of that size, from memory to a buffer of 64 KiB; ns a chunk.
fn chunks(of: usize) -> f64 {
    let one = serve::chunk(of);
    let count = ((1 << 20) / of).max(1);
    let wire = [one.repeat(count), b"0\r\n\r\n".to_vec()].concat();
    let (mut connection, mut out) = (Connection::new(&wire[..]), vec![0; 64 * 1024]);
    let took = least(|| {
        *connection.stream_mut() = black_box(&wire[..]);
        let mut body = BodyDecoder::new(Framing::Chunked, 0, OVERHEAD_LIMIT);
        while connection.read_body(&mut body, &mut out).is_ok_and(|n| n > 0) {}
        assert_eq!((body.is_done(), body.received()), (true, (of * count) as u64));
    });
    took / count as f64
}

/// A table of the page, and a panel of the picture: the first column is x, the one named is y.
struct Table {
    title: &'static str,
    columns: Vec<&'static str>,
    rows: Vec<Vec<f64>>,
    /// Which columns are drawn, over the first.
    drawn: &'static [usize],
}

impl Table {
    fn markdown(&self, page: &mut String) {
        let _ = writeln!(
            page,
            "## {}\n\n| {} |\n|{}",
            self.title,
            self.columns.join(" | "),
            "--:|".repeat(self.columns.len())
        );
        for row in &self.rows {
            let _ = writeln!(
                page,
                "| {} |",
                row.iter().map(|n| number(*n)).collect::<Vec<_>>().join(" | ")
            );
        }
        page.push('\n');
    }

    /// Both axes are logarithmic: what grows with x is a rising straight line, what does not is a
    /// level one.
    fn svg(&self, picture: &mut String, left: f64, top: f64) {
        const COLOURS: [&str; 4] = ["#0969da", "#bc4c00", "#1a7f37", "#8250df"];
        let (width, height) = (320.0, 180.0);
        let values = || self.rows.iter().flat_map(|row| self.drawn.iter().map(|&y| row[y]));
        let (x0, x1) = (self.rows[0][0], self.rows[self.rows.len() - 1][0]);
        let (y0, y1) = (
            values().fold(f64::MAX, f64::min).log10().floor(),
            values().fold(0.0, f64::max).log10().ceil(),
        );
        let x = |v: f64| left + width * (v / x0).log10() / (x1 / x0).log10();
        let y = |v: f64| top + height * (1.0 - (v.log10() - y0) / (y1 - y0));
        let _ = writeln!(
            picture,
            "<text x='{left}' y='{}' font-weight='bold'>{}</text>",
            top - 12.0,
            self.title
        );
        for power in y0 as i32..=y1 as i32 {
            let at = y(10_f64.powi(power));
            let _ = writeln!(picture, "<path d='M{left} {at:.1}h{width}' stroke='#d0d7de'/>");
            let label = number(10_f64.powi(power));
            let _ = writeln!(
                picture,
                "<text x='{}' y='{:.1}' text-anchor='end'>{label}</text>",
                left - 6.0,
                at + 4.0
            );
        }
        for row in &self.rows {
            let label = number(row[0]);
            let _ = writeln!(
                picture,
                "<text x='{:.1}' y='{}' text-anchor='middle'>{label}</text>",
                x(row[0]),
                top + height + 16.0
            );
        }
        let below = top + height + 34.0;
        let _ = writeln!(
            picture,
            "<text x='{}' y='{}' text-anchor='end'>{}</text>",
            left + width,
            top - 12.0,
            self.columns[0]
        );
        for (n, &column) in self.drawn.iter().enumerate() {
            let points: Vec<String> =
                self.rows.iter().map(|r| format!("{:.1},{:.1}", x(r[0]), y(r[column]))).collect();
            let colour = COLOURS[n % COLOURS.len()];
            let _ = writeln!(
                picture,
                "<polyline points='{}' fill='none' stroke='{colour}' stroke-width='2'/>",
                points.join(" ")
            );
            let (at, name) = (left + 92.0 * n as f64, self.columns[column]);
            let _ = writeln!(picture, "<text x='{at}' y='{below}' fill='{colour}'>{name}</text>");
        }
    }
}

/// Three significant digits, and no fraction where there is no need for one.
fn number(n: f64) -> String {
    match n {
        _ if n >= 1_048_576.0 && n % 1_048_576.0 == 0.0 => format!("{}Mi", n / 1_048_576.0),
        _ if n >= 4096.0 && n % 1024.0 == 0.0 => format!("{}Ki", n / 1024.0),
        _ if n >= 100.0 || n == n.trunc() => format!("{n:.0}"),
        _ if n >= 10.0 => format!("{n:.1}"),
        _ if n >= 0.1 => format!("{n:.2}"),
        _ => format!("{n:.3}"),
    }
}

fn main() -> io::Result<()> {
    let arguments: Vec<String> = env::args().collect();
    let words: Vec<&str> = arguments.iter().skip(1).map(String::as_str).collect();
    match words[..] {
        ["--serve", socket] => return server(socket),
        ["--bare", socket] => return bare(socket),
        ["--bare-relay", socket, to] => return bare_relay(socket, to),
        _ => {}
    }
    let requests =
        env::var("UNIX_HTTP_BENCH_REQUESTS").ok().and_then(|n| n.parse().ok()).unwrap_or(10_000);
    let place = serve::Place::new()?;
    if words == ["--rows"] {
        return rows(&place, requests);
    }
    let itself = env::current_exe()?;
    let mut tables = vec![many("Open connections", measured(Command::new(&itself).arg("--rows"))?)];
    match measured(Command::new("taskset").args(["-c", "0"]).arg(&itself).arg("--rows")) {
        Ok(rows) => tables.push(many("Open connections, all on one core", rows)),
        Err(error) => eprintln!("left out: all on one core: taskset: {error}"),
    }

    let server = place.join("server");
    let asked = Process::start(Command::new(itself).arg("--serve").arg(&server), &server)?;
    let rows =
        [1, 10, 100].iter().map(|&n| vec![n as f64, threads(&server, n, requests)]).collect();
    let shared = Table {
        title: "Threads over one Client",
        columns: vec!["threads", "µs/request"],
        rows,
        drawn: &[1],
    };
    drop(asked);

    let rows = [200, 1 << 10, 4 << 10, 16 << 10, 64 << 10].iter().map(|&size| {
        let (len, took) = head(size);
        vec![len as f64, took, took / len as f64]
    });
    let columns = vec!["bytes of head", "ns", "ns/byte"];
    let heads =
        Table { title: "Response heads, parsed", columns, rows: rows.collect(), drawn: &[1, 2] };

    let rows = (0..=24).step_by(4).map(|log| {
        let (of, took) = (1_usize << log, chunks(1 << log));
        vec![of as f64, took, of as f64 / took]
    });
    let columns = vec!["bytes of chunk", "ns/chunk", "GB/s"];
    let sizes = Table {
        title: "Chunks, decoded and copied",
        columns,
        rows: rows.collect(),
        drawn: &[1, 2],
    };

    tables.extend([shared, heads, sizes]);
    let (mut page, mut panels) = (String::new(), String::new());
    for (n, table) in tables.iter().enumerate() {
        table.markdown(&mut page);
        table.svg(&mut panels, 70.0 + 420.0 * (n % 2) as f64, 40.0 + 270.0 * (n / 2) as f64);
    }
    print!("{page}");
    if arguments.iter().any(|argument| argument == "--write") {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches");
        fs::write(directory.join("SCALE.md"), format!("{INTRO}{}\n", page.trim_end()))?;
        let height = 270 * tables.len().div_ceil(2);
        let open = format!(
            "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 840 {height}' font-family='sans-serif' font-size='11'>"
        );
        fs::write(
            directory.join("scale.svg"),
            format!("{open}\n<rect width='840' height='{height}' fill='#fff'/>\n{panels}</svg>\n"),
        )?;
    }
    Ok(())
}
