//! Replay: answers like a recorded engine, so that a test runs without an engine.

mod answers;
mod from_har;
mod from_recording;
mod har_events;
mod matching;
mod serve;

use super::stopper::TapStopper;
use super::viewer::TellProblem;
use crate::base::sync::Watched;
use crate::transport::connections::Connections;
use crate::transport::{Listener, Stream};
use answers::{Given, RecordedAnswer};
use from_recording::Answers;
use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// A recording that answers requests.
///
/// ```text
///   client ──▶ Listener ──▶ Replay ──▶ recorded responses, including their framing
///                             └──▶ 501 for an unknown request; names the nearest recorded one
/// ```
///
/// The source is the directory of a [`record`](super::record), replayed byte for byte, or a
/// [HAR](super::har), whose messages are encoded again.
///
/// - **Matching.** A request matches a recorded one with the same method and target. The order of
///   query parameters and the API version do not count. Among several matches, those with the same
///   body win, then those with the identical target, then unused ones, in recorded order; the
///   last one repeats. If secrets are masked in the recording, the comparison masks them too.
/// - **Strict**: method, target and body must be identical, and each response is used once.
/// - **Tunnels** (attach, exec). Each part of the server's output is sent once the client has sent
///   as much as in the recording, or has ended its side: the output of `cat` follows its input. A
///   head that ends HTTP is sent alone, because docker-py loses bytes that arrive with it.
/// - **Ends.** A connection ends as recorded. A tunnel, or a stream that its client left, stays
///   open until the client ends it. A broken response breaks at the same byte.
/// - **Order.** A container's `wait` is answered after its `start` and after the output of its
///   attach, which are on other connections: each part waits up to a second for all earlier
///   requests and responses.
/// - **Pace.** Responses are sent at once, or with the recorded delays of the server.
/// - **Damage.** A truncated recording, or a HAR with unsupported entries, is used as far as
///   possible; [`remarks`](Replay::remarks) lists the rest.
///
/// Sessions that negotiate something new cannot be replayed: BuildKit's over HTTP/2, and WebSocket,
/// whose clients check a hash of a new key.
///
/// ```
/// use std::time::Duration;
/// use std::{fs, thread};
/// use unix_http::tap::Replay;
/// use unix_http::transport::{Endpoint, Listener, PrivateDir};
/// use unix_http::{Client, Error};
///
/// let dir = PrivateDir::new_in(std::env::temp_dir())?;
/// let at = |name: &str| dir.path().join(name);
/// fs::write(at("index"), "ucurl recording 1\nstarted 0.000000000\nsecrets shown\n\
///     0.000000000 1 client 28\n0.100000000 1 server 40\n")?;
/// fs::write(at("1.client"), "GET /a HTTP/1.1\r\nHost: x\r\n\r\n")?;
/// fs::write(at("1.server"), "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")?;
///
/// let replay = Replay::open(dir.path())?;
/// let listener = Listener::bind(&Endpoint::Unix(at("s")))?;
/// let stopper = replay.stopper(&listener)?;
/// thread::scope(|scope| {
///     let run = scope.spawn(|| replay.run(&listener));
///     let client = Client::unix(at("s"));
///     assert_eq!(client.get("/a").send()?.text()?, "hi");
///     assert_eq!(client.get("/b").send()?.status(), 501);
///     stopper.stop(Duration::ZERO);
///     assert_eq!(run.join().unwrap().len(), 1);
///     Ok::<_, Error>(())
/// })?;
/// # drop(listener);
/// # ["index", "1.client", "1.server"].iter().try_for_each(|name| fs::remove_file(at(name)))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Replay {
    answers: Vec<RecordedAnswer>,
    /// Whether secrets are masked in the recording.
    covered: bool,
    remarks: Vec<String>,
    strict: bool,
    pace: bool,
    given: Watched<Given>,
    open: Arc<Connections<Stream>>,
    tell: Option<TellProblem>,
}

impl Replay {
    /// Reads a recording: a directory, or a HAR file.
    ///
    /// # Errors
    /// Fails with `InvalidData` and the place in the recording, or if reading fails.
    pub fn open(recording: impl AsRef<Path>) -> io::Result<Replay> {
        let path = recording.as_ref();
        let Answers { answers, covered, remarks } = match path.is_dir() {
            true => from_recording::read(path)?,
            false => from_har::read(&std::fs::read(path)?)?,
        };
        Ok(Replay {
            answers,
            covered,
            remarks,
            strict: false,
            pace: false,
            given: Watched::default(),
            open: Arc::default(),
            tell: None,
        })
    }

    /// Sets whether requests must be identical and each response is used once.
    #[must_use]
    pub fn strict(mut self, strict: bool) -> Replay {
        self.strict = strict;
        self
    }

    /// Sets whether responses take as long as in the recording.
    #[must_use]
    pub fn pace(mut self, pace: bool) -> Replay {
        self.pace = pace;
        self
    }

    /// Sets a callback for each problem when it happens: unknown requests, requests with another
    /// body and, if strict, unused responses at the end.
    #[must_use]
    pub fn on_problem(mut self, tell: impl Fn(&str) + Send + Sync + 'static) -> Replay {
        self.tell = Some(Box::new(tell));
        self
    }

    /// Returns the unusable parts of the recording, and the reasons.
    pub fn remarks(&self) -> &[String] {
        &self.remarks
    }

    /// Returns a handle that stops the replay from another thread.
    ///
    /// # Errors
    /// Fails if dup(2) fails.
    pub fn stopper(&self, listener: &Listener) -> io::Result<TapStopper> {
        TapStopper::new(listener, &self.open)
    }
}

impl fmt::Debug for Replay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replay").field("answers", &self.answers.len()).finish_non_exhaustive()
    }
}
