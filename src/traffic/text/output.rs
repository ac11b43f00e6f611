//! Lines on their way to a reader who may be slow.

use crate::base::sync::lock;
use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// How many bytes may wait to be written.
const WAITING_LIMIT: usize = 4 << 20;
/// How long to wait for more lines before writing: nobody sees it, and it spares the traffic most
/// of the wake-ups.
const GATHER: Duration = Duration::from_millis(1);

/// Writes from a thread of its own, in order; leaves out what it has no room for, and says so.
pub(super) struct Output {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    changed: Condvar,
}

#[derive(Default)]
struct Queue {
    text: String,
    /// Lines left out since there was room.
    left_out: u64,
    over: bool,
    error: Option<io::Error>,
}

impl Output {
    pub(super) fn new(mut out: impl Write + Send + 'static) -> Output {
        let shared = Arc::<Shared>::default();
        let theirs = Arc::clone(&shared);
        let thread =
            thread::Builder::new().name("tap-text".into()).spawn(move || theirs.run(&mut out));
        if let Err(error) = &thread {
            shared.queue().error = Some(io::Error::new(error.kind(), error.to_string()));
        }
        Output { shared, thread: Mutex::new(thread.ok()) }
    }

    /// Writes what `lines` appends, soon and together, or nothing of it.
    pub(super) fn write(&self, lines: &mut dyn FnMut(&mut String)) {
        let mut queue = self.shared.queue();
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
        let sleeps = before == 0 && !text.is_empty();
        drop(queue);
        if sleeps {
            self.shared.changed.notify_one();
        }
    }

    /// Waits until all is written. The error that ended it, if one did.
    pub(super) fn finish(&self) -> Option<io::Error> {
        self.shared.queue().over = true;
        self.shared.changed.notify_one();
        if let Some(thread) = lock(&self.thread).take() {
            let _ = thread.join();
        }
        self.shared.queue().error.take()
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        self.finish();
    }
}

fn tell_left_out(text: &mut String, lines: u64) {
    if lines > 0 {
        text.push_str(&format!("* {lines} lines were left out: they are read too slowly\n"));
    }
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        lock(&self.queue)
    }

    fn run(&self, out: &mut impl Write) {
        let mut text = String::new();
        loop {
            text.clear();
            let wait =
                |queue: &mut Queue| queue.text.is_empty() && queue.left_out == 0 && !queue.over;
            let queue =
                self.changed.wait_while(self.queue(), wait).unwrap_or_else(PoisonError::into_inner);
            let over = queue.over;
            drop(queue);
            if !over {
                thread::sleep(GATHER);
            }
            {
                let mut queue = self.queue();
                let over = queue.over;
                let Queue { text: waiting, left_out, .. } = &mut *queue;
                tell_left_out(waiting, std::mem::take(left_out));
                std::mem::swap(waiting, &mut text);
                if text.is_empty() && over {
                    return;
                }
            }
            if let Err(error) = out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
                self.queue().error = Some(error);
                return;
            }
        }
    }
}
