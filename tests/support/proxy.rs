//! A relay between a client and a server that injects a fault at one byte of one direction.

use super::temp::TempDir;
use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// A direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum To {
    Server,
    Client,
}

/// The fault after a number of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// No fault.
    None,
    /// Both connections end, and bytes in transit are lost.
    Cut,
    /// This direction ends properly. The other continues.
    End,
    /// This direction ends before its last bytes. Then the other one ends.
    EndBoth,
    /// No more bytes pass, without a signal to either side.
    Stall,
    /// The bytes before and after arrive separately.
    Split,
    /// The bytes after this are delayed by this many milliseconds.
    Delay(u64),
    /// Every byte arrives separately.
    Bytewise,
}

#[derive(Clone, Copy, Debug)]
pub struct Plan {
    pub fault: Fault,
    pub to: To,
    /// After this many bytes in that direction.
    pub at: u64,
    /// On which connection, counted from 0 since the plan was set.
    pub connection: u64,
}

impl Plan {
    pub const NONE: Plan = Plan { fault: Fault::None, to: To::Client, at: 0, connection: 0 };
}

pub struct Proxy {
    dir: TempDir,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    plan: Mutex<(Plan, u64)>,
    stop: AtomicBool,
    /// How many faults were injected.
    done: AtomicU64,
    /// How many bytes passed on the connection of the last plan, to the server and to the client.
    passed: [AtomicU64; 2],
}

impl Proxy {
    pub fn start(server: &Path) -> Proxy {
        let dir = TempDir::new();
        let listener = UnixListener::bind(dir.join("s")).expect("a socket in a private directory");
        let (stop, done, passed) = (AtomicBool::new(false), AtomicU64::new(0), Default::default());
        let shared = Arc::new(Shared { plan: Mutex::new((Plan::NONE, 0)), stop, done, passed });
        let (mine, server) = (Arc::clone(&shared), server.to_owned());
        let thread = thread::spawn(move || {
            thread::scope(|scope| {
                for client in listener.incoming() {
                    if mine.stop.load(Ordering::SeqCst) {
                        return;
                    }
                    let (Ok(client), Ok(server)) = (client, UnixStream::connect(&server)) else {
                        continue;
                    };
                    let plan = mine.next_plan();
                    let shared = &mine;
                    scope.spawn(move || relay(&client, &server, plan, shared));
                }
            });
        });
        Proxy { dir, shared, thread: Some(thread) }
    }

    pub fn path(&self) -> PathBuf {
        self.dir.join("s")
    }

    /// Sets the plan for the next connections.
    pub fn plan(&self, plan: Plan) {
        *self.shared.plan.lock().unwrap_or_else(PoisonError::into_inner) = (plan, 0);
    }

    /// Returns how many faults were injected so far.
    pub fn faults(&self) -> u64 {
        self.shared.done.load(Ordering::SeqCst)
    }

    /// Returns how many bytes passed in a direction on the connection of the last plan.
    pub fn passed(&self, to: To) -> u64 {
        self.shared.passed[to as usize].load(Ordering::SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        let _ = UnixStream::connect(self.path());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Shared {
    /// Returns the plan if it is for the next connection.
    fn next_plan(&self) -> Option<Plan> {
        let mut plan = self.plan.lock().unwrap_or_else(PoisonError::into_inner);
        let mine = plan.0.connection == plan.1;
        plan.1 += 1;
        mine.then_some(plan.0)
    }
}

fn relay(client: &UnixStream, server: &UnixStream, plan: Option<Plan>, shared: &Shared) {
    let way = |to| plan.filter(|plan| plan.to == to);
    let count = |to: To| plan.map(|_| &shared.passed[to as usize]);
    for to in [To::Server, To::Client] {
        if let Some(count) = count(to) {
            count.store(0, Ordering::SeqCst);
        }
    }
    thread::scope(|scope| {
        scope.spawn(|| pass(client, server, way(To::Server), count(To::Server), shared));
        pass(server, client, way(To::Client), count(To::Client), shared);
    });
}

/// Forwards bytes until the end. The plan decides whether the other direction learns of a fault.
fn pass(
    from: &UnixStream,
    to: &UnixStream,
    plan: Option<Plan>,
    count: Option<&AtomicU64>,
    shared: &Shared,
) {
    let (mut buffer, mut passed) = ([0; 4096], 0);
    let mut plan = plan.filter(|plan| plan.fault != Fault::None);
    if let Some(Plan { fault: Fault::Bytewise, .. }) = plan {
        shared.done.fetch_add(1, Ordering::SeqCst);
    }
    loop {
        if let Some(Plan { fault, at, .. }) = plan
            && passed == at
            && fault != Fault::Bytewise
        {
            plan = None;
            shared.done.fetch_add(1, Ordering::SeqCst);
            if !injure(fault, from, to) {
                return;
            }
        }
        // Read no further than to the byte of the plan.
        let room = match plan {
            Some(Plan { fault: Fault::Bytewise, .. }) => 1,
            Some(Plan { at, .. }) => {
                usize::try_from(at - passed).unwrap_or(usize::MAX).min(buffer.len())
            }
            None => buffer.len(),
        };
        let n = match { from }.read(&mut buffer[..room]) {
            Ok(n) if n > 0 => n,
            _ => break,
        };
        passed += n as u64;
        if let Some(count) = count {
            count.store(passed, Ordering::SeqCst);
        }
        if { to }.write_all(&buffer[..n]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
    // The receiver is gone, so this side cannot send any more.
    let _ = from.shutdown(Shutdown::Read);
}

/// Returns whether this direction continues.
fn injure(fault: Fault, from: &UnixStream, to: &UnixStream) -> bool {
    let both = |how| [from, to].iter().for_each(|stream| drop(stream.shutdown(how)));
    match fault {
        Fault::None | Fault::Bytewise => {}
        Fault::Cut => {
            both(Shutdown::Both);
            return false;
        }
        Fault::End => {
            let _ = to.shutdown(Shutdown::Write);
            let _ = from.shutdown(Shutdown::Read);
            return false;
        }
        Fault::EndBoth => {
            let _ = from.shutdown(Shutdown::Write);
            thread::yield_now();
            let _ = to.shutdown(Shutdown::Write);
            let _ = from.shutdown(Shutdown::Read);
            return false;
        }
        Fault::Stall => {
            // Until one of the two closes.
            while matches!({ from }.read(&mut [0; 1024]), Ok(1..)) {}
            both(Shutdown::Both);
            return false;
        }
        Fault::Split => thread::sleep(Duration::from_micros(50)),
        Fault::Delay(milliseconds) => thread::sleep(Duration::from_millis(milliseconds)),
    }
    true
}
