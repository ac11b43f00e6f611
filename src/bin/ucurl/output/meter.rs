//! The progress meter, and the limits of `--max-filesize` and `--speed-limit`.

use crate::args::exit::Exit;
use crate::output::failure::Failure;
use crate::output::messages::Messages;
use crate::output::progress::{self, Numbers};
use crate::output::terminal;
use crate::plan::Operation;
use std::fs::File;
use std::io::Write as _;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use unix_http::base::sync::lock;

/// Counts the bytes that arrived and that were sent.
pub struct Monitor {
    pub meter: Option<Arc<Mutex<Meter>>>,
    max: Option<u64>,
    speed: Option<SpeedCheck>,
}

impl Monitor {
    pub fn new(meter: Option<Arc<Mutex<Meter>>>, operation: &Operation) -> Monitor {
        let speed = operation.speed_time.map(|time| SpeedCheck {
            slowest: operation.flags.speed_limit,
            time,
            fast_until: Instant::now(),
            window: (0, Instant::now()),
        });
        Monitor { meter, max: operation.flags.max_filesize, speed }
    }

    /// Notes the size of the body, if it is known.
    pub fn size(&mut self, size: Option<u64>) -> Result<(), Failure> {
        self.within_max(size.unwrap_or(0))?;
        if let Some(speed) = &mut self.speed {
            // The speed of the upload does not count for the download.
            let now = Instant::now();
            (speed.fast_until, speed.window) = (now, (0, now));
        }
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
        self.speed.as_mut().map_or(Ok(()), |speed| speed.check(bytes))
    }

    pub fn within_max(&self, bytes: u64) -> Result<(), Failure> {
        match self.max {
            Some(max) if bytes > max => {
                Err(Failure::new(Exit::FileSize, "the body is larger than --max-filesize"))
            }
            _ => Ok(()),
        }
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
            messages.put(progress::HEAD.as_bytes());
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
            0..1_000_000 => progress::speed(done, self.now.micros),
            micros => progress::speed(done.saturating_sub(before), micros),
        };
        if now - then >= Duration::from_secs(5) {
            self.last = (done, now);
        }
        self.shown = Some(now);
        let text = match self.bar {
            None => progress::meter(&self.now),
            Some(_) if done == 0 => return,
            Some(width) => progress::bar(&self.now, self.steps, width),
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

/// `--speed-limit` over `--speed-time`.
struct SpeedCheck {
    /// In bytes a second.
    slowest: u64,
    time: Duration,
    /// When the speed was last at the limit or above.
    fast_until: Instant,
    window: (u64, Instant),
}

impl SpeedCheck {
    /// Checks the speed of each second.
    fn check(&mut self, received: u64) -> Result<(), Failure> {
        let (before, then) = self.window;
        let passed = then.elapsed();
        if passed < Duration::from_secs(1) {
            return Ok(());
        }
        self.window = (received, Instant::now());
        let bytes = received.saturating_sub(before);
        if progress::speed(bytes, passed.as_micros() as u64) >= self.slowest {
            self.fast_until = Instant::now();
        }
        if self.fast_until.elapsed() < self.time {
            return Ok(());
        }
        let (slowest, seconds) = (self.slowest, self.time.as_secs());
        let text = format!("slower than {slowest} bytes a second for {seconds} seconds");
        Err(Failure::new(Exit::Timeout, text))
    }
}
