//! What receives a body: it opens the file with the first byte, watches the limits and moves the
//! meter.

use crate::args::config::Group;
use crate::args::exit::Exit;
use crate::fetch::failure::Failure;
use crate::output::content::Content;
use crate::output::messages::Messages;
use crate::output::output;
use crate::output::progress::{self, Numbers};
use crate::output::terminal;
use std::fs::File;
use std::io::{BufRead as _, Read as _, Seek as _, Write as _};
use std::time::{Duration, Instant};
use unix_http::{Error, Response};

/// Where one transfer's body goes.
pub struct Sink<'s> {
    /// The file's name; `None` is stdout.
    pub name: Option<Vec<u8>>,
    file: Option<File>,
    stdout: &'s File,
    messages: &'s Messages,
    no_clobber: bool,
    create_dirs: bool,
    /// It goes to stdout, and that is a terminal.
    pub to_terminal: bool,
    /// The terminal must not get binary bytes.
    guard_terminal: bool,
    /// Field names in bold.
    pub styled: bool,
    pub meter: Option<Meter>,
    max_bytes: u64,
    slow: Option<Slow>,
    pub written: u64,
}

/// What is to be known of stdout.
#[derive(Clone, Copy)]
pub struct Terminal {
    pub is: bool,
    pub styled: bool,
}

impl<'s> Sink<'s> {
    pub fn new(
        name: Option<Vec<u8>>,
        explicit: bool,
        group: &Group,
        terminal: Terminal,
        stdout: &'s File,
        messages: &'s Messages,
    ) -> Sink<'s> {
        let to_terminal = name.is_none() && terminal.is;
        let slow = (group.speed_time > 0 && group.speed_limit > 0)
            .then(|| Slow::new(group.speed_limit, group.speed_time));
        Sink {
            file: None,
            stdout,
            messages,
            no_clobber: group.no_clobber,
            create_dirs: group.create_dirs,
            to_terminal,
            guard_terminal: to_terminal && !explicit,
            styled: to_terminal && terminal.styled,
            meter: None,
            max_bytes: group.max_filesize,
            slow,
            written: 0,
            name,
        }
    }

    /// The file to write to.
    fn open(&mut self) -> Result<&File, Failure> {
        let Some(name) = &self.name else { return Ok(self.stdout) };
        if self.file.is_none() {
            let failed = |error: std::io::Error| {
                let name = String::from_utf8_lossy(name);
                Failure::new(
                    Exit::Write,
                    format!("cannot write to {}: {error}", name.escape_debug()),
                )
            };
            if self.create_dirs {
                output::create_dirs(name).map_err(failed)?;
            }
            let (file, given) = output::open(name, self.no_clobber).map_err(failed)?;
            self.file = Some(file);
            self.name = Some(given);
        }
        Ok(self.file.as_ref().unwrap_or(self.stdout))
    }

    fn to_stdout(&self) -> bool {
        self.name.is_none()
    }

    /// Writes a head, for `-i`.
    pub fn head(&mut self, head: &[u8]) -> Result<(), Failure> {
        let shown = if self.to_terminal { terminal::harmless(head) } else { head.into() };
        let styled = if self.styled { bold(&shown).into() } else { shown };
        let to_stdout = self.to_stdout();
        let mut file = self.open()?;
        file.write_all(&styled).map_err(|error| Failure::of_writing(&error, to_stdout))?;
        self.written += head.len() as u64;
        Ok(())
    }

    /// For a terminal whose other end is a terminal.
    pub fn allow_any_bytes(&mut self) {
        self.guard_terminal = false;
    }

    /// Writes content that came some other way.
    pub fn write(&mut self, content: &[u8]) -> Result<(), Failure> {
        if content.is_empty() {
            return Ok(());
        }
        if self.guard_terminal && self.written < 2000 && content.contains(&0) {
            let text = "the body is binary and would upset the terminal; --demux takes Docker's frames apart, -o - writes it all the same, -o FILE into a file";
            return Err(Failure::new(Exit::Write, text));
        }
        let to_stdout = self.to_stdout();
        let mut file = self.open()?;
        file.write_all(content).map_err(|error| Failure::of_writing(&error, to_stdout))?;
        self.written += content.len() as u64;
        Ok(())
    }

    /// Writes the whole body as it comes.
    pub fn body(&mut self, response: &mut Response) -> Result<(), Failure> {
        loop {
            let content = match response.fill_buf() {
                Ok(content) => content,
                Err(error) => return Err(inner(error).into()),
            };
            if content.is_empty() {
                return Ok(());
            }
            let length = content.len();
            if self.max_bytes > 0 && response_bytes(self, length) > self.max_bytes {
                return Err(too_large());
            }
            self.write(content)?;
            response.consume(length);
            self.moved(response.received())?;
        }
    }

    /// Writes the whole body as it comes, by way of what changes it.
    pub fn through(
        &mut self,
        mut content: Content,
        response: &mut Response,
    ) -> Result<(), Failure> {
        loop {
            let body = match response.fill_buf() {
                Ok(body) => body,
                Err(error) => return Err(inner(error).into()),
            };
            if body.is_empty() {
                return content.finish(self);
            }
            let length = body.len();
            content.feed(body, self)?;
            response.consume(length);
            self.moved(response.received())?;
        }
    }

    /// So much of the body has come.
    pub fn moved(&mut self, received: u64) -> Result<(), Failure> {
        if self.max_bytes > 0 && received > self.max_bytes {
            return Err(too_large());
        }
        if let Some(meter) = &mut self.meter {
            meter.now.download = received;
            meter.tick(self.messages);
        }
        match &mut self.slow {
            Some(slow) => slow.check(received),
            None => Ok(()),
        }
    }

    /// A transfer that worked leaves a file, even an empty one.
    pub fn ensure_file(&mut self) -> Result<(), Failure> {
        self.open().map(|_| ())
    }

    /// Before another try: what was written into a file is taken back. How much that was.
    pub fn rewind(&mut self) -> std::io::Result<u64> {
        let Some(mut file) = self.file.as_ref() else { return Ok(0) };
        file.set_len(0)?;
        file.rewind()?;
        Ok(std::mem::take(&mut self.written))
    }

    /// `--remove-on-error`
    pub fn remove(&mut self) {
        if let (Some(name), Some(_)) = (&self.name, self.file.take()) {
            _ = std::fs::remove_file(output::path(name));
        }
    }
}

/// `--max-filesize` counts content; what `-i` wrote before it does not.
fn response_bytes(sink: &Sink, more: usize) -> u64 {
    sink.meter.as_ref().map_or(sink.written, |meter| meter.now.download) + more as u64
}

pub fn too_large() -> Failure {
    Failure::new(Exit::FileSize, "the body is larger than --max-filesize")
}

/// The error of the exchange inside an error of reading.
fn inner(error: std::io::Error) -> Error {
    Error::from_io(error).unwrap_or_else(Error::Receive)
}

/// Reads a body that nobody wants, so that its connection can be used again.
pub fn discard(response: &mut Response) -> Result<(), Failure> {
    let mut nowhere = [0; 8192];
    loop {
        match response.read(&mut nowhere) {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            Err(error) => return Err(inner(error).into()),
        }
    }
}

/// A head with the names of its fields in bold.
fn bold(head: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(head.len() * 2);
    for (number, line) in head.split_inclusive(|&byte| byte == b'\n').enumerate() {
        match line.iter().position(|&byte| byte == b':').filter(|_| number > 0) {
            Some(colon) => out.extend_from_slice(
                &[b"\x1b[1m", &line[..colon], b"\x1b[0m", &line[colon..]].concat(),
            ),
            None => out.extend_from_slice(line),
        }
    }
    out
}

/// The meter on stderr, or the bar.
pub struct Meter {
    pub now: Numbers,
    bar: Option<usize>,
    start: Instant,
    shown: Option<Instant>,
    last: (u64, Instant),
}

impl Meter {
    /// Shows its first line.
    pub fn new(bar: Option<usize>, messages: &Messages) -> Meter {
        let start = Instant::now();
        let mut meter =
            Meter { now: Numbers::default(), bar, start, shown: None, last: (0, start) };
        if bar.is_none() {
            messages.put(progress::HEAD.as_bytes());
            meter.show(messages);
        }
        meter
    }

    /// Shows a line when the last one is old: a second for numbers, a tenth of one for the bar.
    pub fn tick(&mut self, messages: &Messages) {
        let every = Duration::from_millis(if self.bar.is_some() { 100 } else { 1000 });
        if self.shown.is_none_or(|shown| shown.elapsed() >= every) {
            self.show(messages);
        }
    }

    fn show(&mut self, messages: &Messages) {
        let now = Instant::now();
        let done = self.now.download + self.now.upload;
        self.now.micros = (now - self.start).as_micros() as u64;
        let (before, then) = self.last;
        let average = progress::speed(done, self.now.micros);
        self.now.current_speed = match (now - then).as_micros() as u64 {
            0..1_000_000 => average,
            micros => progress::speed(done.saturating_sub(before), micros),
        };
        if now - then >= Duration::from_secs(5) {
            self.last = (done, now);
        }
        self.shown = Some(now);
        let text = match self.bar {
            None => progress::meter(&self.now),
            Some(width) => {
                let total = self.now.download_size.unwrap_or(0) + self.now.upload_size.unwrap_or(0);
                if total == 0 && done == 0 {
                    return;
                }
                progress::bar(done, total, width)
            }
        };
        messages.put(text.as_bytes());
    }

    /// Shows the last line and ends it.
    pub fn end(&mut self, messages: &Messages) {
        self.show(messages);
        messages.put(b"\n");
    }
}

/// `--speed-limit` and `--speed-time`.
struct Slow {
    limit: u64,
    time: Duration,
    /// When the speed fell below the limit.
    since: Option<Instant>,
    window: (u64, Instant),
}

impl Slow {
    fn new(limit: u64, seconds: u64) -> Slow {
        Slow { limit, time: Duration::from_secs(seconds), since: None, window: (0, Instant::now()) }
    }

    /// Looks at the speed of the last second.
    fn check(&mut self, received: u64) -> Result<(), Failure> {
        let (before, then) = self.window;
        let passed = then.elapsed();
        if passed < Duration::from_secs(1) {
            return Ok(());
        }
        self.window = (received, Instant::now());
        if progress::speed(received - before, passed.as_micros() as u64) >= self.limit {
            self.since = None;
            return Ok(());
        }
        match self.since {
            None => self.since = Some(then),
            Some(since) if since.elapsed() >= self.time => {
                let text = format!(
                    "slower than {} bytes a second for {} seconds",
                    self.limit,
                    self.time.as_secs()
                );
                return Err(Failure::new(Exit::Timeout, text));
            }
            Some(_) => {}
        }
        Ok(())
    }
}
