//! The progress meter, and the limits of `--max-filesize` and `--speed-limit`.

use crate::args::exit::Exit;
use crate::output::failure::Failure;
use crate::output::messages::Messages;
use crate::output::progress::{self, Numbers};
use crate::plan::Operation;
use std::time::{Duration, Instant};

/// Watches how much of a body has arrived.
pub struct Monitor<'m> {
    pub meter: Option<Meter<'m>>,
    max: Option<u64>,
    speed: Option<SpeedCheck>,
}

impl<'m> Monitor<'m> {
    pub fn new(meter: Option<Meter<'m>>, operation: &Operation) -> Monitor<'m> {
        let speed = operation.timeouts.idle.map(|time| SpeedCheck {
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
        if let Some(meter) = &mut self.meter {
            meter.now.download_size = size;
        }
        Ok(())
    }

    /// Notes how much of the body has arrived.
    pub fn received(&mut self, bytes: u64) -> Result<(), Failure> {
        if let Some(meter) = &mut self.meter {
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
pub struct Meter<'m> {
    messages: &'m Messages,
    now: Numbers,
    /// The width of the bar of `-#`.
    bar: Option<usize>,
    start: Instant,
    shown: Option<Instant>,
    last: (u64, Instant),
}

impl<'m> Meter<'m> {
    /// Shows the first line.
    pub fn new(bar: bool, messages: &'m Messages) -> Meter<'m> {
        let bar = bar.then(columns);
        let start = Instant::now();
        let (now, last) = (Numbers::default(), (0, start));
        let mut meter = Meter { messages, now, bar, start, shown: None, last };
        if bar.is_none() {
            messages.put(progress::HEAD.as_bytes());
            meter.show();
        }
        meter
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
        let done = self.now.download;
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
        let total = self.now.download_size.unwrap_or(0);
        let text = match self.bar {
            None => progress::meter(&self.now),
            Some(_) if total == 0 && done == 0 => return,
            Some(width) => progress::bar(done, total, width),
        };
        self.messages.put(text.as_bytes());
    }

    /// Shows the last line.
    pub fn end(&mut self) {
        self.show();
        self.messages.put(b"\n");
    }
}

/// The width of the terminal, as the shell tells it.
fn columns() -> usize {
    let columns = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    columns.filter(|columns| (21..10_000).contains(columns)).unwrap_or(79)
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
