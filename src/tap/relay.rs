//! The relay: forwards bytes between a listener and a target, unchanged and at once.

use super::gate::{Denied, Gate};
use super::guard::{AllowList, GuardedRequests, Turn};
use super::news::What;
use super::refusal::refusal;
use super::stopper::TapStopper;
use super::viewer::Viewer;
use crate::base::sync::lock;
use crate::traffic::{Observer, Side};
use crate::transport::connections::{Connections, Cut, Service};
use crate::transport::{Endpoint, Listener, Stream, connect};
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, SystemTime};

/// The initial size of a buffer: enough for a head and a small body.
const SMALL: usize = 4 * 1024;
/// The largest size. A buffer grows while reads fill it. A larger one is not faster (measured).
const LARGE: usize = 256 * 1024;
/// The stack size of a thread. Observers run on it; untouched pages take no memory.
const STACK: usize = 512 * 1024;
/// How long a rejected client may take to send its request and read the response.
const FAREWELL: Duration = Duration::from_secs(1);

/// Forwards the connections of a listener to a target and shows them to observers.
///
/// ```text
///             read          write
///   client ─────────▶ buffer ─────────▶ server
///   client ◀───────── buffer ◀───────── server
///                        └─ a copy ─▶ conversation ──▶ observers
/// ```
///
/// Each connection has two threads, one for each direction, so that neither waits for the other.
/// Each thread reads, writes, and queues a copy for the viewer thread. The result of parsing the
/// copy ([`Conversation`](crate::traffic::Conversation)) has no effect on the bytes.
///
/// The end of one direction is forwarded separately (shutdown(2)): this is how the standard input
/// of a container ends. A side that accepts no more bytes may still send, and its bytes are
/// forwarded. An error on one side ends both.
///
/// A relay cannot forward descriptors and credentials (`SCM_RIGHTS`, unix(7)). The server sees this
/// process as its peer, and a TCP reset becomes an ordinary end.
///
/// ```
/// use std::sync::{Arc, Mutex};
/// use std::{thread, time::Duration};
/// use unix_http::traffic::{Event, Observer};
/// use unix_http::transport::{Endpoint, Listener, PrivateDir};
/// use unix_http::{Client, Error, server::Server, tap::Relay};
///
/// #[derive(Default)]
/// struct Requests(Mutex<Vec<String>>);
///
/// impl Observer for Requests {
///     fn see(&self, connection: u64, _at: Duration, event: &Event<'_>) {
///         if let (Event::Request(x), Ok(mut seen)) = (event, self.0.lock()) {
///             let target = x.target().escape_ascii();
///             seen.push(format!("{connection}.{} {} {target}", x.number, x.method()));
///         }
///     }
/// }
///
/// let directory = PrivateDir::new_in(std::env::temp_dir())?;
/// let at = |name: &str| Endpoint::Unix(directory.path().join(name));
/// let _server = Server::bind(&at("server"))?.spawn(|_, responder| responder.send("OK"))?;
/// let seen = Arc::new(Requests::default());
/// let relay = Relay::new(Listener::bind(&at("tap"))?, at("server")).observe(Arc::clone(&seen));
/// let stopper = relay.stopper()?;
/// thread::scope(|scope| {
///     scope.spawn(|| relay.run());
///     assert_eq!(Client::new(at("tap")).get("/_ping").send()?.text()?, "OK");
///     stopper.stop(Duration::ZERO);
///     Ok::<_, Error>(())
/// })?;
/// assert_eq!(*seen.0.lock().unwrap(), ["1.1 GET /_ping"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Relay {
    listener: Listener,
    target: Endpoint,
    viewer: Viewer,
    allowed: Vec<String>,
    rules: Option<AllowList>,
    started: SystemTime,
    open: Arc<Connections<Pair>>,
}

impl Relay {
    /// Creates a relay without observers.
    pub fn new(listener: Listener, target: Endpoint) -> Relay {
        Relay {
            listener,
            target,
            viewer: Viewer::new(),
            allowed: Vec::new(),
            rules: None,
            started: SystemTime::now(),
            open: Arc::default(),
        }
    }

    /// Adds an observer.
    #[must_use]
    pub fn observe(mut self, observer: impl Observer + 'static) -> Relay {
        self.viewer.observers.push(Box::new(observer));
        self
    }

    /// Sets a callback for the first error of each observer, when it happens.
    #[must_use]
    pub fn on_problem(mut self, tell: impl Fn(&str) + Send + Sync + 'static) -> Relay {
        self.viewer.on_problem = Some(Box::new(tell));
        self
    }

    /// Sets whether observers see [secrets](crate::traffic#secrets) (masked by default).
    #[must_use]
    pub fn show_secrets(self, show: bool) -> Relay {
        lock(&self.viewer.conversations).cover = !show;
        self
    }

    /// Also accepts requests with this Host on TCP (see [`Gate`]).
    #[must_use]
    pub fn allow_host(mut self, name: impl Into<String>) -> Relay {
        self.allowed.push(name.into());
        self
    }

    /// Passes only requests that these rules allow (see [`AllowList`]).
    #[must_use]
    pub fn guard(mut self, rules: AllowList) -> Relay {
        self.rules = Some(rules);
        self
    }

    /// Returns the address of the listener.
    pub fn endpoint(&self) -> &Endpoint {
        self.listener.endpoint()
    }

    /// Returns the moment from which observers count time.
    pub fn started(&self) -> SystemTime {
        self.started
    }

    /// Returns a handle that stops the relay from another thread.
    ///
    /// # Errors
    /// Fails if dup(2) fails.
    pub fn stopper(&self) -> io::Result<TapStopper> {
        TapStopper::new(&self.listener, &self.open)
    }

    /// Relays until it is stopped and every connection has ended. Then all threads have ended and
    /// the observers have written everything. Returns the errors of the observers.
    ///
    /// A failure ends only its own connection, and observers see it.
    pub fn run(&self) -> Vec<String> {
        self.open.begin();
        self.viewer.beside(STACK, || self.open.run(&self.listener, self));
        self.viewer.finish()
    }

    /// Forwards the bytes of one side, which `from` reads, until its end.
    fn pass(&self, pair: &Pair, side: Side, from: &mut dyn Read, mut gate: Option<Gate>) {
        let (_, to) = pair.ends(side);
        let mut spoken = false;
        let mut buffer = Arc::new(vec![0; SMALL]);
        let error = loop {
            let space = writable(&mut buffer);
            let n = match from.read(space).map_err(|error| error.downcast::<Denied>()) {
                Ok(0) => break None,
                Ok(n) => n,
                Err(Ok(denied)) => {
                    self.refuse(pair, &denied, true);
                    break None;
                }
                Err(Err(error)) => break Some(error),
            };
            let full = n == space.len() && n < LARGE;
            let (passed, len, denied) = match &mut gate {
                Some(gate) => {
                    let mut passed = Vec::with_capacity(n);
                    let denied = gate.admit(&buffer[..n], &mut passed).err();
                    let len = passed.len();
                    (Arc::new(passed), len, denied)
                }
                None => (Arc::clone(&buffer), n, None),
            };
            spoken |= len > 0;
            if let Err(error) = self.write(pair, side, (&passed, len)) {
                pair.turn.end();
                return self.viewer.tell(pair.number, What::Ended(side, Some(error)));
            }
            drop(passed);
            if let Some(denied) = denied {
                self.refuse(pair, &denied, !spoken);
                break None;
            }
            if full {
                buffer = Arc::new(vec![0; 8 * buffer.len()]);
            }
        };
        pair.turn.end();
        // The event is queued before the other side learns of it, because its end may be the
        // effect.
        let in_order = error.is_none();
        self.viewer.tell(pair.number, What::Ended(side, error));
        if in_order {
            let _ = to.shutdown(Shutdown::Write);
        } else {
            pair.cut();
        }
    }

    /// Forwards bytes.
    fn write(&self, pair: &Pair, side: Side, passed: (&Arc<Vec<u8>>, usize)) -> io::Result<()> {
        let (from, to) = pair.ends(side);
        let bytes = &passed.0[..passed.1];
        let written = self.viewer.pass_on(pair.number, side, passed, || { to }.write_all(bytes));
        if let Err(error) = written {
            // Bytes that the other side still sends are forwarded. A Unix socket reports the end to
            // the writer at once. TCP cannot, and would drop the unread bytes here.
            if !from.is_tcp() {
                let _ = from.shutdown(Shutdown::Read);
            }
            let why = format!("the {} takes no more: {error}", side.other());
            return Err(io::Error::new(error.kind(), why));
        }
        if self.rules.is_some() && side == Side::Server {
            pair.turn.follow(side, bytes);
        }
        Ok(())
    }

    /// Ends a connection after a denied request. In the middle of other responses, ours would look
    /// like the server's.
    fn refuse(&self, pair: &Pair, denied: &Denied, answer: bool) {
        self.viewer.tell(pair.number, What::Refused(denied.why.clone()));
        if answer {
            turn_away(&pair.client, denied.status, &denied.why, !denied.to_head);
            pair.cut();
        }
    }
}

impl Service for Relay {
    const STACK: usize = STACK;

    fn serve(&self, number: u64, client: Stream) {
        let server = match connect(&self.target, None) {
            Ok(server) => server,
            Err(error) => {
                let why = error.to_string();
                self.viewer.tell(number, What::Refused(why.clone()));
                return turn_away(&client, 502, &why, true);
            }
        };
        let pair = Arc::new(Pair { number, client, server, turn: Turn::new() });
        self.open.insert(number, &pair);
        self.viewer.tell(number, What::Opened);
        let Pair { client, server, turn, .. } = &*pair;
        let gate = client.is_tcp().then(|| Gate::new(&self.allowed));
        thread::scope(|scope| {
            let answers = || self.pass(&pair, Side::Server, &mut &*server, None);
            let thread = thread::Builder::new().stack_size(STACK);
            match (thread.spawn_scoped(scope, answers), &self.rules) {
                (Ok(_), None) => self.pass(&pair, Side::Client, &mut &*client, gate),
                (Ok(_), Some(rules)) => {
                    let mut requests = GuardedRequests::new(rules, gate, turn, client);
                    self.pass(&pair, Side::Client, &mut requests, None);
                }
                (Err(error), _) => {
                    self.fails(number, "no thread for another connection", &error);
                    pair.cut();
                }
            }
        });
        self.viewer.tell(number, What::Closed);
        self.open.remove(number);
        if client.is_tcp() {
            client.linger(FAREWELL);
        }
    }

    fn fails(&self, number: u64, what: &str, error: &io::Error) {
        self.viewer.tell(number, What::Refused(format!("{what}: {error}")));
    }
}

/// Returns a buffer to read into: the same one, unless the viewer still holds it.
fn writable(buffer: &mut Arc<Vec<u8>>) -> &mut Vec<u8> {
    if Arc::get_mut(buffer).is_none() {
        *buffer = Arc::new(vec![0; buffer.len()]);
    }
    Arc::make_mut(buffer)
}

/// Tells a client why its connection is refused, but only after its first bytes: clients that keep
/// connections treat an earlier response as an error.
fn turn_away(mut client: &Stream, status: u16, why: &str, content: bool) {
    let _ = client.set_read_timeout(Some(FAREWELL));
    if status == 502 {
        let _ = client.read(&mut [0; 4096]);
    }
    let _ = client.write_all(&refusal(status, why, content));
    client.linger(FAREWELL);
}

/// The two ends of one connection.
#[derive(Debug)]
struct Pair {
    number: u64,
    client: Stream,
    server: Stream,
    turn: Turn,
}

impl Pair {
    /// The source and the destination of one side's bytes.
    fn ends(&self, side: Side) -> (&Stream, &Stream) {
        match side {
            Side::Client => (&self.client, &self.server),
            Side::Server => (&self.server, &self.client),
        }
    }
}

impl Cut for Pair {
    fn cut(&self) {
        self.client.cut();
        self.server.cut();
    }
}
