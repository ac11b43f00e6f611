//! Lines that begin with their numbers and contain no control characters.

use crate::base::text::harmless;
use crate::traffic::exchange::Side;
use std::time::Duration;

/// The lines of one event.
pub(super) struct TextPage {
    pub(super) text: String,
    /// The beginning of every line.
    numbers: String,
    colour: bool,
}

/// A kind of line: its sign, the colour of the sign, and the style of the text.
#[derive(Clone, Copy)]
pub(super) struct Look(&'static str, &'static str, &'static str);

const PLAIN: &str = "\x1b[0m";
const BOLD: &str = "\x1b[1m";
const DIM: &str = "\x1b[2m";
const RED: &str = "\x1b[31m";
const GREEN: &str = "\x1b[32m";
const CYAN: &str = "\x1b[36m";

impl Look {
    const NOTE: Look = Look("* ", DIM, DIM);
    /// A line of one kind.
    pub(super) const PLAIN: Look = Look("", "", "");
    const WRONG: Look = Look("! ", RED, RED);

    pub(super) fn of(side: Side) -> Look {
        match side {
            Side::Client => Look("> ", CYAN, ""),
            Side::Server => Look("< ", GREEN, ""),
        }
    }

    pub(super) fn red(self) -> Look {
        Look(self.0, self.1, RED)
    }
}

impl TextPage {
    pub(super) fn new(
        connection: u64,
        exchange: Option<u64>,
        time: Option<Duration>,
        colour: bool,
    ) -> TextPage {
        let (dim, plain) = if colour { (DIM, PLAIN) } else { ("", "") };
        let exchange = exchange.map_or(String::new(), |exchange| format!(".{exchange}"));
        let time = time.map_or(String::new(), |time| format!("{:.3} ", time.as_secs_f64()));
        let numbers = format!("{dim}{time}{connection}{exchange}{plain} ");
        TextPage { text: String::new(), numbers, colour }
    }

    /// Appends a line.
    pub(super) fn line(&mut self, Look(sign, colour, look): Look, label: &str, bytes: &[u8]) {
        self.text.push_str(&self.numbers);
        self.paint(colour);
        self.text.push_str(sign);
        self.paint(PLAIN);
        self.paint(look);
        self.text.push_str(label);
        self.text.push_str(&harmless(bytes));
        if label.is_empty() && bytes.is_empty() && !self.colour {
            self.text.pop();
        }
        self.paint(if look.is_empty() { "" } else { PLAIN });
        self.text.push('\n');
    }

    fn paint(&mut self, colour: &str) {
        if self.colour {
            self.text.push_str(colour);
        }
    }

    pub(super) fn note(&mut self, line: &str) {
        self.line(Look::NOTE, "", line.as_bytes());
    }

    pub(super) fn wrong(&mut self, line: &str) {
        self.line(Look::WRONG, "", line.as_bytes());
    }

    pub(super) fn head(&mut self, side: Side, head: &[u8]) {
        let mut look = Look::of(side);
        look.2 = BOLD;
        for line in head.split_inclusive(|&b| b == b'\n') {
            let line = line.strip_suffix(b"\n").unwrap_or(line);
            self.line(look, "", line.strip_suffix(b"\r").unwrap_or(line));
            look = Look::of(side);
        }
    }
}
