//! A fake daemon: answers as a recorded one did, so that what was tested once against a real engine
//! runs without one.
//!
//! ```text
//!   client ──▶ Listener ──▶ Replay ──▶ answers that were recorded, framing and all
//!                             └──▶ 501 for a request that was not, with the nearest that was
//! ```
//!
//! What is recorded: the directory of a [`Record`](super::Record), byte for byte, or a
//! [HAR](super::record::har), from which the bytes are made anew: a chunked body has other chunks then.
//!
//! **Which answer.** A request matches a recorded one with the same method and target; the order of
//! the query's parameters and the API version before the path do not count. Of several, those with
//! the same body come first, then those with the very same target, then those that were not given
//! yet, in the order they were recorded: a state that was asked for three times is answered three
//! times, and the third answer stays. Secrets that were covered are covered in what is compared,
//! too.
//!
//! **Strict**, for tests: method, target and body must be the same to the byte, and each recorded
//! answer is given once.
//!
//! **Tunnels** (attach, exec). What the server said is said again, each part when the client has
//! said as much as it had then, or has ended its side: so the output of `cat` follows its input.
//!
//! **Order.** A container's `wait` is answered when its `start` was asked for, on another
//! connection. So a part of an answer comes when everything that had been asked and answered before
//! it has been, or after a second.
//!
//! **Pace.** Apart from that answers come at once, or with the waits that were recorded.
//!
//! What cannot be replayed: sessions that agree on something new each time, as BuildKit's over
//! HTTP/2 do.
//!
//! ```
//! use std::io::{Read, Write};
//! use std::time::Duration;
//! use std::{fs, thread};
//! use unix_http::tap::Replay;
//! use unix_http::transport::{Endpoint, Listener, PrivateDir, connect};
//!
//! let dir = PrivateDir::new_in(std::env::temp_dir())?;
//! let at = |name: &str| dir.path().join(name);
//! fs::write(at("index"), "ucurl recording 1\nstarted 0.000000000\nsecrets shown\n\
//!     0.000000000 1 client 30\n0.100000000 1 server 40\n")?;
//! fs::write(at("1.client"), "GET /a HTTP/1.1\r\nHost: engine\r\n\r\n".replace("engine", "xxx"))?;
//! fs::write(at("1.server"), "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")?;
//!
//! let replay = Replay::open(dir.path())?;
//! let listener = Listener::bind(&Endpoint::Unix(at("s")))?;
//! let stopper = replay.stopper(&listener)?;
//! thread::scope(|scope| {
//!     let run = scope.spawn(|| replay.run(&listener));
//!     let mut client = connect(&Endpoint::Unix(at("s")), None)?;
//!     client.write_all(b"GET /a HTTP/1.1\r\nHost: other\r\n\r\n")?;
//!     let mut answer = [0; 40];
//!     client.read_exact(&mut answer)?;
//!     assert!(answer.ends_with(b"\r\n\r\nhi"));
//!     client.write_all(b"GET /b HTTP/1.1\r\nHost: other\r\n\r\n")?;
//!     client.read_exact(&mut answer)?;
//!     assert!(answer.starts_with(b"HTTP/1.1 501 Not Implemented"));
//!     stopper.stop(Duration::ZERO);
//!     Ok::<_, Box<dyn std::error::Error>>(())
//! })?;
//! assert_eq!(replay.problems().len(), 1);
//! # drop(listener);
//! # ["index", "1.client", "1.server"].iter().try_for_each(|name| fs::remove_file(at(name)))?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod answers;
mod from_har;
mod from_recording;
mod matching;
mod serve;

use crate::base::sync::lock;
use crate::transport::connections::Connections;
use crate::transport::{Listener, Stopper, Stream};
use answers::Answer;
use matching::Given;
use std::io;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

/// Answers as it was recorded.
#[derive(Debug)]
pub struct Replay {
    answers: Vec<Answer>,
    /// Whether secrets are covered in what was recorded.
    covered: bool,
    strict: bool,
    pace: bool,
    given: Mutex<Given>,
    changed: Condvar,
    open: Arc<Connections<Stream>>,
}

/// Ends a [`Replay`] from another thread.
#[derive(Debug)]
pub struct ReplayStopper {
    listener: Stopper,
    open: Arc<Connections<Stream>>,
}

impl ReplayStopper {
    /// From now on no connection is accepted. Those there are may go on for `grace`, then they are
    /// cut.
    pub fn stop(&self, grace: Duration) {
        self.listener.stop();
        self.open.end(grace);
    }
}

impl Replay {
    /// Reads a recording: a directory, or a HAR file.
    ///
    /// # Errors
    /// `InvalidData` with a line that says where; what the system says, otherwise.
    pub fn open(recording: impl AsRef<Path>) -> io::Result<Replay> {
        let path = recording.as_ref();
        let (answers, covered) = if path.is_dir() {
            from_recording::read(path)?
        } else {
            (from_har::read(&std::fs::read(path)?)?, true)
        };
        let given = Mutex::new(Given::new(answers.len()));
        Ok(Replay {
            answers,
            covered,
            strict: false,
            pace: false,
            given,
            changed: Condvar::new(),
            open: Arc::default(),
        })
    }

    /// Whether requests have to be the same to the byte, and each answer is given once. Not unless
    /// asked for.
    #[must_use]
    pub fn strict(mut self, strict: bool) -> Replay {
        self.strict = strict;
        self
    }

    /// Whether answers take the time they took. Not unless asked for.
    #[must_use]
    pub fn pace(mut self, pace: bool) -> Replay {
        self.pace = pace;
        self
    }

    /// How many answers there are.
    pub fn len(&self) -> usize {
        self.answers.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.answers.is_empty()
    }

    /// What went wrong so far: requests that were not recorded; when strict, also what was recorded
    /// and not asked for.
    pub fn problems(&self) -> Vec<String> {
        let given = lock(&self.given);
        let mut problems = given.problems.clone();
        if self.strict {
            let missed = self.answers.iter().zip(&given.counts).filter(|(_, count)| **count == 0);
            problems
                .extend(missed.map(|(answer, _)| format!("never asked for: {}", answer.name())));
        }
        problems
    }

    /// A handle that ends it.
    ///
    /// # Errors
    /// That of dup(2).
    pub fn stopper(&self, listener: &Listener) -> io::Result<ReplayStopper> {
        Ok(ReplayStopper { listener: listener.stopper()?, open: Arc::clone(&self.open) })
    }
}
