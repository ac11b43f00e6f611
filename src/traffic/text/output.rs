//! A bounded queue of lines for a slow reader.

use crate::base::sync::lock;
use std::io::Write;
use std::sync::Mutex;

/// The limit of buffered bytes.
const WAITING_LIMIT: usize = 4 << 20;

/// Buffers lines until they are flushed. Counts lines for which there is no room.
pub(super) struct Output {
    queue: Mutex<Queue>,
    out: Mutex<Box<dyn Write + Send>>,
}

#[derive(Default)]
struct Queue {
    text: String,
    /// How many lines were left out.
    left_out: u64,
    error: Option<String>,
}

impl Output {
    pub(super) fn new(out: impl Write + Send + 'static) -> Output {
        Output { queue: Mutex::default(), out: Mutex::new(Box::new(out)) }
    }

    /// Buffers all of these lines, or none. Never waits for the reader.
    pub(super) fn write(&self, lines: &str) {
        let queue = &mut *lock(&self.queue);
        if queue.error.is_some() || lines.is_empty() {
            return;
        }
        if queue.text.len() + lines.len() > WAITING_LIMIT {
            queue.left_out += lines.lines().count() as u64;
        } else {
            queue.tell_left_out();
            queue.text.push_str(lines);
        }
    }

    /// Writes everything and waits for the reader. Returns the first error.
    pub(super) fn flush(&self) -> Option<String> {
        let mut out = lock(&self.out);
        let mut queue = lock(&self.queue);
        queue.tell_left_out();
        let text = std::mem::take(&mut queue.text);
        drop(queue);
        let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
        let mut queue = lock(&self.queue);
        if let Err(error) = written {
            queue.error.get_or_insert_with(|| error.to_string());
        }
        queue.error.clone()
    }
}

impl Queue {
    fn tell_left_out(&mut self) {
        if let lines @ 1.. = std::mem::take(&mut self.left_out) {
            let line = format!("* {lines} lines were left out: they are read too slowly\n");
            self.text.push_str(&line);
        }
    }
}
