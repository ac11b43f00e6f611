//! The progress meter, and the limits of `--max-filesize` and `--speed-limit`.

use crate::args::exit::Exit;
use crate::output::messages::{Failure, Messages};
use crate::output::terminal;
use crate::plan::Operation;
use std::fs::File;
use std::io::Write as _;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use unix_http::base::sync::lock;

/// Counts the bytes that arrived and that were sent.
pub struct Monitor<'t> {
    pub meter: Option<Arc<Mutex<Meter>>>,
    operation: &'t Operation,
    /// When the speed was last at the limit or above.
    fast_until: Instant,
    /// The bytes that had arrived when the speed was last measured.
    window: (u64, Instant),
}

impl<'t> Monitor<'t> {
    pub fn new(meter: Option<Arc<Mutex<Meter>>>, operation: &'t Operation) -> Monitor<'t> {
        let now = Instant::now();
        Monitor { meter, operation, fast_until: now, window: (0, now) }
    }

    /// Notes the size of the body, if it is known.
    pub fn size(&mut self, size: Option<u64>) -> Result<(), Failure> {
        self.within_max(size.unwrap_or(0))?;
        // The speed of the upload does not count for the download.
        let now = Instant::now();
        (self.fast_until, self.window) = (now, (0, now));
        if let Some(meter) = &self.meter {
            lock(meter).now.download_size = size;
        }
        Ok(())
    }

    /// Begins to send content, with its size, if it is known.
    pub fn sends(&self, size: Option<u64>) {
        if let Some(meter) = &self.meter {
            let now = &mut lock(meter).now;
            (now.upload, now.upload_size) = (0, size);
        }
    }

    /// Notes how much of the body has arrived.
    pub fn received(&mut self, bytes: u64) -> Result<(), Failure> {
        if let Some(meter) = &self.meter {
            let mut meter = lock(meter);
            meter.now.download = bytes;
            meter.tick();
        }
        self.within_max(bytes)?;
        self.check_speed(bytes)
    }

    pub fn within_max(&self, bytes: u64) -> Result<(), Failure> {
        match self.operation.flags.max_filesize {
            Some(max) if bytes > max => {
                Err(Failure::new(Exit::FileSize, "the body is larger than --max-filesize"))
            }
            _ => Ok(()),
        }
    }

    /// `--speed-limit` over `--speed-time`: checks the speed of each second.
    fn check_speed(&mut self, received: u64) -> Result<(), Failure> {
        let Some(time) = self.operation.speed_time else { return Ok(()) };
        let slowest = self.operation.flags.speed_limit;
        let (before, then) = self.window;
        let passed = then.elapsed();
        if passed < Duration::from_secs(1) {
            return Ok(());
        }
        self.window = (received, Instant::now());
        if speed(received.saturating_sub(before), passed.as_micros() as u64) >= slowest {
            self.fast_until = self.window.1;
        }
        if self.fast_until.elapsed() < time {
            return Ok(());
        }
        let seconds = time.as_secs();
        let text = format!("slower than {slowest} bytes a second for {seconds} seconds");
        Err(Failure::new(Exit::Timeout, text))
    }
}

/// The meter on stderr, or the bar.
pub struct Meter {
    out: Arc<File>,
    now: Numbers,
    /// The width of the bar of `-#`.
    bar: Option<usize>,
    steps: usize,
    start: Instant,
    shown: Option<Instant>,
    last: (u64, Instant),
}

impl Meter {
    /// Shows the first line.
    pub fn new(bar: bool, messages: &Messages) -> Meter {
        let (out, start) = (Arc::clone(&messages.out), Instant::now());
        let bar = bar.then(|| columns(&out));
        let (now, last) = (Numbers::default(), (0, start));
        let mut meter = Meter { out, now, bar, steps: 0, start, shown: None, last };
        if bar.is_none() {
            messages.put(HEAD.as_bytes());
            meter.show();
        }
        meter
    }

    /// Notes bytes of content that are sent.
    pub fn sent(&mut self, bytes: usize) {
        self.now.upload += bytes as u64;
        self.tick();
    }

    /// Shows a line if the last one is old.
    fn tick(&mut self) {
        let every = Duration::from_millis(if self.bar.is_some() { 100 } else { 1000 });
        if self.shown.is_none_or(|shown| shown.elapsed() >= every) {
            self.show();
        }
    }

    fn show(&mut self) {
        let now = Instant::now();
        let done = self.now.download + self.now.upload;
        self.now.micros = (now - self.start).as_micros() as u64;
        let (before, then) = self.last;
        self.now.current_speed = match (now - then).as_micros() as u64 {
            0..1_000_000 => speed(done, self.now.micros),
            micros => speed(done.saturating_sub(before), micros),
        };
        if now - then >= Duration::from_secs(5) {
            self.last = (done, now);
        }
        self.shown = Some(now);
        let text = match self.bar {
            None => line(&self.now),
            Some(_) if done == 0 => return,
            Some(width) => bar(&self.now, self.steps, width),
        };
        self.steps += 1;
        _ = (&*self.out).write_all(text.as_bytes());
    }

    /// Shows the last line.
    pub fn end(&mut self) {
        self.show();
        _ = (&*self.out).write_all(b"\n");
    }
}

/// The width of the terminal, as curl finds it.
fn columns(out: &File) -> usize {
    let told = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let told = told.filter(|columns| (21..10_000).contains(columns));
    told.or_else(|| terminal::columns(out)).unwrap_or(79).clamp(20, 400)
}

/// The progress of a transfer. A size of `None` is unknown.
#[derive(Clone, Copy, Debug, Default)]
pub struct Numbers {
    pub download: u64,
    pub download_size: Option<u64>,
    pub upload: u64,
    pub upload_size: Option<u64>,
    pub micros: u64,
    /// Bytes a second in both directions, over the last five seconds.
    pub current_speed: u64,
}

/// The lines above the meter.
const HEAD: &str = "  % Total    % Received % Xferd  Average Speed   Time    Time     Time  Current
                                 Dload  Upload   Total   Spent    Left  Speed
";

/// Returns bytes a second.
pub fn speed(bytes: u64, micros: u64) -> u64 {
    match micros {
        0 => bytes.saturating_mul(1_000_000),
        _ => (u128::from(bytes) * 1_000_000 / u128::from(micros)) as u64,
    }
}

/// Returns the meter's line, with the carriage return before it.
pub fn line(now: &Numbers) -> String {
    let seconds = now.micros / 1_000_000;
    let direction = |done, size: Option<u64>| {
        let average = speed(done, now.micros);
        match size {
            Some(size) if average > 0 => (average, percent(done, size), size / average),
            _ => (average, 0, 0),
        }
    };
    let (down, received, download_time) = direction(now.download, now.download_size);
    let (up, sent, upload_time) = direction(now.upload, now.upload_size);
    let estimate = download_time.max(upload_time);
    let total = now.download_size.unwrap_or(now.download) + now.upload_size.unwrap_or(now.upload);
    format!(
        "\r{:3} {}  {received:3} {}  {sent:3} {}  {}  {} {} {} {} {}",
        percent(now.download + now.upload, total),
        five(total),
        five(now.download),
        five(now.upload),
        five(down),
        five(up),
        clock(estimate),
        clock(seconds),
        clock(estimate.saturating_sub(seconds)),
        five(now.current_speed),
    )
}

fn percent(part: u64, whole: u64) -> u64 {
    // Chunk framing counts as sent.
    let part = part.min(whole);
    match whole {
        0 => 0,
        1..=10_000 => part * 100 / whole,
        _ => part / (whole / 100),
    }
}

/// Returns a number of bytes in five columns.
fn five(bytes: u64) -> String {
    if bytes < 100_000 {
        return format!("{bytes:5}");
    }
    for (unit, letter) in [(1 << 10, 'k'), (1 << 20, 'M'), (1 << 30, 'G'), (1 << 40, 'T')] {
        if bytes < 100 * unit && matches!(letter, 'M' | 'G') {
            return format!("{:2}.{}{letter}", bytes / unit, bytes % unit / (unit / 10));
        }
        if bytes < 10_000 * unit {
            return format!("{:4}{letter}", bytes / unit);
        }
    }
    format!("{:4}P", bytes >> 50)
}

/// Returns a time in eight columns.
fn clock(seconds: u64) -> String {
    let (hours, days) = (seconds / 3600, seconds / 86_400);
    match seconds {
        0 => "--:--:--".into(),
        _ if hours <= 99 => format!("{hours:2}:{:02}:{:02}", seconds / 60 % 60, seconds % 60),
        _ if days <= 999 => format!("{days:3}d {:02}h", hours % 24),
        _ => format!("{days:7}d"),
    }
}

/// Returns the bar of `-#` of this width, with the carriage return before it. A transfer of unknown
/// size has a marker that moves back and forth, one column with each `step`.
pub fn bar(now: &Numbers, step: usize, width: usize) -> String {
    let total = now.download_size.unwrap_or(0) + now.upload_size.unwrap_or(0);
    if total == 0 {
        let room = width - 6;
        let at = room - room.abs_diff(step % (2 * room));
        return format!("\r{:at$}-=O=-{:rest$}", "", "", rest = room - at);
    }
    let (point, total) = (u128::from((now.download + now.upload).min(total)), u128::from(total));
    let room = width - 7;
    let done = "#".repeat((room as u128 * point / total) as usize);
    let tenths = (point * 1000 + total / 2) / total;
    format!("\r{done:room$} {:3}.{}%", tenths / 10, tenths % 10)
}
