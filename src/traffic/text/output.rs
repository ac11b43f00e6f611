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

    /// Buffers everything that `lines` appends, or nothing. Never waits for the reader.
    pub(super) fn write(&self, lines: &mut dyn FnMut(&mut String)) {
        let mut queue = lock(&self.queue);
        if queue.error.is_some() {
            return;
        }
        let Queue { text, left_out, .. } = &mut *queue;
        let before = text.len();
        tell_left_out(text, *left_out);
        let begun = text.len();
        lines(text);
        if text.len() == begun {
            text.truncate(before);
        } else if text.len() > WAITING_LIMIT {
            *left_out += text[begun..].lines().count() as u64;
            text.truncate(before);
        } else {
            *left_out = 0;
        }
    }

    /// Writes everything and waits for the reader. Returns the first error.
    pub(super) fn flush(&self) -> Option<String> {
        let mut out = lock(&self.out);
        let mut queue = lock(&self.queue);
        let left_out = std::mem::take(&mut queue.left_out);
        tell_left_out(&mut queue.text, left_out);
        let text = std::mem::take(&mut queue.text);
        drop(queue);
        let written = match text.is_empty() {
            true => Ok(()),
            false => out.write_all(text.as_bytes()).and_then(|()| out.flush()),
        };
        let mut queue = lock(&self.queue);
        if let Err(error) = written {
            queue.error.get_or_insert_with(|| error.to_string());
        }
        queue.error.clone()
    }
}

fn tell_left_out(text: &mut String, lines: u64) {
    if lines > 0 {
        text.push_str(&format!("* {lines} lines were left out: they are read too slowly\n"));
    }
}
