//! Whole processes: ucurl compared with curl, socat, and a minimal program (the floor).
//!
//! ```text
//! cargo build --release
//! UNIX_HTTP_BENCH_UCURL=target/release/ucurl taskset -c 1 cargo bench --bench process
//! ```
//!
//! The floor is this program, called again (`floor` below), so that it is linked like the bench.
//! For static programs run `cargo static`, then `cargo bench --config .cargo/static.toml --bench
//! process`. The contenders take turns in every round. The output is the medians, and each
//! contender's peak of memory in the largest transfer. `UNIX_HTTP_BENCH_MIB` (1024),
//! `UNIX_HTTP_BENCH_ROUNDS` (5) and a word of the wanted rows (`-- upload`) make it shorter. Needs
//! no package.

#[path = "support/serve.rs"]
mod serve;

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, thread};

/// The least that a program can do: connect, write once, and copy the response to standard output
/// without parsing it. With `--put`: write the head of the request, then move standard input to the
/// socket in the kernel (splice).
fn floor(arguments: &[String]) -> io::Result<()> {
    let [socket, target, rest @ ..] = arguments else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    let mut stream = UnixStream::connect(socket)?;
    let (input, output) =
        (File::open("/dev/stdin"), File::options().write(true).open("/dev/stdout")?);
    if let [put, length] = rest
        && put == "--put"
    {
        let head =
            format!("PUT {target} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n");
        stream.write_all(head.as_bytes())?;
        move_all(input?, &stream)?;
        let _answer = stream.read(&mut [0; 256])?;
        return Ok(());
    }
    stream.write_all(format!("GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes())?;
    stream.shutdown(std::net::Shutdown::Write)?;
    let (mut buffer, mut output) = (vec![0; 64 * 1024], output);
    loop {
        match stream.read(&mut buffer)? {
            0 => return Ok(()),
            n => output.write_all(&buffer[..n])?,
        }
    }
}

/// Moves standard input into the socket with splice(2): directly from a pipe, or from a file
/// through a pipe, like sendfile(2). Does not support files that the kernel cannot splice.
fn move_all(input: File, mut stream: &UnixStream) -> io::Result<()> {
    let is_file = input.metadata()?.is_file();
    let mut source = io::PipeReader::from(OwnedFd::from(input));
    if !is_file {
        return io::copy(&mut source, &mut stream).map(drop);
    }
    let (drain, mut fill) = io::pipe()?;
    loop {
        let n = io::copy(&mut (&source).take(64 * 1024), &mut fill)?;
        if n == 0 {
            return Ok(());
        }
        io::copy(&mut (&drain).take(n), &mut stream)?;
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Work {
    Version,
    Null,
    Pipe,
    InMemory,
    Chunked,
    PutFile,
    PutPipe,
    PutKnown,
}

const WORKS: &[(Work, &str)] = &[
    (Work::Version, "GET /version"),
    (Work::Null, "to /dev/null"),
    (Work::Chunked, "chunked, to /dev/null"),
    (Work::Pipe, "to a pipe"),
    (Work::InMemory, "to a file in memory"),
    (Work::PutFile, "upload of a file"),
    (Work::PutPipe, "upload of a pipe, chunked"),
    (Work::PutKnown, "upload of a pipe, length known"),
];

struct Bench {
    place: serve::Place,
    memory: PathBuf,
    bytes: usize,
    ucurl: PathBuf,
}

const CONTENDERS: &[&str] = &["floor", "ucurl", "curl", "socat"];

impl Bench {
    fn target(&self, work: Work) -> String {
        match work {
            Work::Version => "/version".into(),
            Work::Chunked => format!("/chunked/{}/32768", self.bytes),
            Work::PutFile | Work::PutPipe | Work::PutKnown => "/put".into(),
            _ => format!("/length/{}", self.bytes),
        }
    }

    /// Returns `None` if a contender cannot do the work.
    fn command(&self, contender: &str, work: Work) -> Option<Command> {
        let (socket, target) = (self.place.join("s"), self.target(work));
        let url = format!("http://localhost{target}");
        let put = matches!(work, Work::PutFile | Work::PutPipe | Work::PutKnown);
        let mut command = match contender {
            "floor" => {
                let mut floor = Command::new(env::current_exe().ok()?);
                floor.arg("--floor").arg(socket).arg(target);
                if put {
                    floor.args(["--put", &self.bytes.to_string()]);
                }
                return Some(floor);
            }
            "socat" if !put => {
                let mut socat = Command::new("socat");
                socat.args(["-t60", "-"]).arg(format!("UNIX-CONNECT:{}", socket.display()));
                return Some(socat);
            }
            "socat" => return None,
            "ucurl" => Command::new(&self.ucurl),
            curl => Command::new(curl),
        };
        command.args(["-s", "--unix-socket"]).arg(socket).arg(url);
        match work {
            Work::PutFile => command.args(["-H", "Expect:", "-T"]).arg(self.memory.join("in")),
            // The floor still sends a length: otherwise each piece would need a chunk-size.
            Work::PutPipe => command.args(["-H", "Expect:", "-T", "-"]),
            Work::PutKnown => command.args([
                "-H",
                &format!("Content-Length: {}", self.bytes),
                "-H",
                "Expect:",
                "-T",
                "-",
            ]),
            _ => &mut command,
        };
        Some(command)
    }

    /// Returns the request, for the standard input of a program that does not know HTTP.
    fn ask(&self, work: Work) -> io::Result<Stdio> {
        let ask = self.place.join("ask");
        fs::write(&ask, format!("GET {} HTTP/1.1\r\nHost: localhost\r\n\r\n", self.target(work)))?;
        File::open(ask).map(Stdio::from)
    }

    /// Runs the contender once. Returns its time, and its peak of memory in KiB.
    fn run(&self, contender: &str, work: Work) -> Option<(Duration, u64)> {
        let mut command = self.command(contender, work)?;
        let input = match work {
            Work::PutFile => Stdio::from(File::open(self.memory.join("in")).ok()?),
            Work::PutPipe | Work::PutKnown => Stdio::piped(),
            _ if contender == "socat" => self.ask(work).ok()?,
            _ => Stdio::null(),
        };
        let output = match work {
            Work::Pipe => Stdio::piped(),
            Work::InMemory => Stdio::from(File::create(self.memory.join("out")).ok()?),
            _ => Stdio::null(),
        };
        command.stdin(input).stdout(output).stderr(Stdio::null());
        let start = Instant::now();
        let mut child = command.spawn().ok()?;
        let peak = self.attend(&mut child, work);
        let status = child.wait().ok()?;
        status.success().then(|| (start.elapsed(), peak))
    }

    /// Feeds and drains the child, and samples its memory meanwhile.
    fn attend(&self, child: &mut Child, work: Work) -> u64 {
        let (stdin, stdout, id) = (child.stdin.take(), child.stdout.take(), child.id());
        if work == Work::Version {
            return 0;
        }
        thread::scope(|scope| {
            let feeder = scope.spawn(move || {
                let block = vec![b'y'; 1 << 18];
                let mut left = if stdin.is_some() { self.bytes } else { 0 };
                if let Some(mut pipe) = stdin {
                    while left > 0 && pipe.write_all(&block[..left.min(block.len())]).is_ok() {
                        left = left.saturating_sub(block.len());
                    }
                }
            });
            let drainer = scope.spawn(move || {
                let mut block = vec![0; 1 << 18];
                if let Some(mut pipe) = stdout {
                    while pipe.read(&mut block).is_ok_and(|n| n > 0) {}
                }
            });
            let mut peak = 0;
            // A process that has ended reports no memory.
            while let Some(now) = peak_kib(id) {
                peak = now;
                thread::sleep(Duration::from_millis(5));
            }
            let _ = (feeder.join(), drainer.join());
            peak
        })
    }
}

fn peak_kib(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?
        .trim()
        .split(' ')
        .next()?
        .parse()
        .ok()
}

fn median(times: &mut [Duration]) -> Option<Duration> {
    times.sort();
    times.get(times.len() / 2).copied()
}

/// System calls of one `GET /version`, where strace is installed.
fn calls(bench: &Bench, contender: &str) -> Option<String> {
    let command = bench.command(contender, Work::Version)?;
    let table = bench.place.join("calls");
    let mut strace = Command::new("strace");
    strace.args(["-f", "-c", "-o"]).arg(&table).arg(command.get_program()).args(command.get_args());
    strace
        .stdin(bench.ask(Work::Version).ok()?)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .ok()?;
    let table = fs::read_to_string(table).ok()?;
    // % time, seconds, usecs/call, calls, errors (if there were any), total
    let total = table.lines().find(|line| line.ends_with(" total"))?;
    total.split_whitespace().nth(3).map(str::to_owned)
}

fn number(variable: &str, default: usize) -> usize {
    env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn main() -> io::Result<()> {
    let arguments: Vec<String> = env::args().collect();
    if let Some(at) = arguments.iter().position(|argument| argument == "--floor") {
        return floor(&arguments[at + 1..]);
    }
    let (mib, rounds) = (number("UNIX_HTTP_BENCH_MIB", 1024), number("UNIX_HTTP_BENCH_ROUNDS", 5));
    let place = serve::Place::new()?;
    serve::listen(&place.join("s"))?;
    let memory = match Path::new("/dev/shm").is_dir() {
        true => PathBuf::from(format!("/dev/shm/uh-bench-{}", std::process::id())),
        false => place.join("memory"),
    };
    fs::create_dir(&memory)?;
    let block = vec![b'y'; 1 << 20];
    let mut file = File::create(memory.join("in"))?;
    (0..mib).try_for_each(|_| file.write_all(&block))?;
    let ucurl = env::var_os("UNIX_HTTP_BENCH_UCURL")
        .map_or(env!("CARGO_BIN_EXE_ucurl").into(), PathBuf::from);
    let bench = Bench { place, memory, bytes: mib << 20, ucurl };

    println!(
        "| {mib} MiB, ms | {} |\n|---|{}",
        CONTENDERS.join(" | "),
        "--:|".repeat(CONTENDERS.len())
    );
    let mut peaks = vec![0; CONTENDERS.len()];
    let wanted = |name: &str| {
        !arguments[1..].iter().any(|word| !word.starts_with('-') && !name.contains(word.as_str()))
    };
    for (work, name) in WORKS.iter().filter(|(_, name)| wanted(name)) {
        let times = if *work == Work::Version { rounds * 40 } else { rounds };
        let mut took = vec![Vec::new(); CONTENDERS.len()];
        for round in 0..=times {
            for (at, contender) in CONTENDERS.iter().enumerate() {
                let Some((time, peak)) = bench.run(contender, *work) else { continue };
                peaks[at] = peak.max(peaks[at]);
                // The first round warms the caches.
                if round > 0 {
                    took[at].push(time);
                }
            }
        }
        let cell = |times: &mut Vec<Duration>| {
            median(times).map_or("".into(), |t| format!("{:.2}", t.as_secs_f64() * 1e3))
        };
        println!("| {name} | {} |", took.iter_mut().map(cell).collect::<Vec<_>>().join(" | "));
    }
    println!(
        "| peak memory, KiB | {} |",
        peaks.iter().map(u64::to_string).collect::<Vec<_>>().join(" | ")
    );
    let calls = CONTENDERS.iter().map(|contender| calls(&bench, contender).unwrap_or_default());
    println!("| system calls of GET /version | {} |", calls.collect::<Vec<_>>().join(" | "));
    fs::remove_dir_all(&bench.memory)
}
