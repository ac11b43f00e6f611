//! # Lesson 16: one thread, many connections
//!
//! Goal: wait for many connections at once, in one thread.
//!
//! The server of lesson 1 gives each connection a thread. A thread costs memory, and most of them
//! sleep. The other way is *readiness*: make every socket non-blocking, and ask the kernel which of
//! them have something to read. On Linux this is epoll(7).
//!
//! ```console engine
//! $ cargo run -q --example ready -- edge 100
//! 100 connections, 1 thread: 100 times 200 OK, … waits, … reads
//! $ cargo run -q --example ready -- level 100
//! 100 connections, 1 thread: 100 times 200 OK, … waits, … reads
//! ```
//!
//! The two modes differ in what the kernel reports:
//!
//! - **level**: a socket is reported as long as it holds bytes. One read for each report is enough.
//! - **edge**: a socket is reported when new bytes arrive, once. The program has to read until the
//!   socket is empty (`WouldBlock`), or it never hears of the rest.
//!
//! This is how both look to the kernel, with one connection and a buffer of 128 bytes:
//!
//! ```console engine strace
//! $ cargo build -q --example ready
//! $ strace -qq -s 9 -e signal=none -e trace=epoll_ctl,epoll_wait,recvfrom \
//!     "${CARGO_TARGET_DIR:-target}/debug/examples/ready" level 1 2>&1 | grep -v '^1 conn'
//! epoll_ctl(4, EPOLL_CTL_ADD, 3, {events=EPOLLIN, data={u32=0, u64=0}}) = 0
//! epoll_wait(4, [{events=EPOLLIN, data={u32=0, u64=0}}], 16, -1) = 1
//! recvfrom(3, "HTTP/1.1 "..., 128, 0, NULL, NULL) = 128
//! epoll_wait(4, [{events=EPOLLIN, data={u32=0, u64=0}}], 16, -1) = 1
//! recvfrom(3, "…"..., 128, 0, NULL, NULL) = …
//! …
//! $ strace -qq -s 9 -e signal=none -e trace=epoll_ctl,epoll_wait,recvfrom \
//!     "${CARGO_TARGET_DIR:-target}/debug/examples/ready" edge 1 2>&1 | grep -v '^1 conn'
//! epoll_ctl(4, EPOLL_CTL_ADD, 3, {events=EPOLLIN|EPOLLET, data={u32=0, u64=0}}) = 0
//! epoll_wait(4, [{events=EPOLLIN, data={u32=0, u64=0}}], 16, -1) = 1
//! recvfrom(3, "HTTP/1.1 "..., 128, 0, NULL, NULL) = 128
//! recvfrom(3, "…"..., 128, 0, NULL, NULL) = …
//! …
//! ```
//!
//! Arguments: `level` or `edge`, the number of connections, and the path to GET (`/_ping`). The
//! socket is that of DOCKER_HOST, or /var/run/docker.sock.
//!
//! The library's [`Client`](unix_http::Client) blocks, so it cannot be used here. Its core can:
//! [`ClientExchange`](unix_http::connection::ClientExchange) takes bytes and returns events. It
//! opens no socket, makes no system call, and does not care how many bytes arrive at once. This is
//! called *sans-I/O*.
//!
//! Look at:
//!
//! 1. `unsafe extern "C"`: std has no epoll, so this lesson alone declares three C functions. The
//!    rest of the file uses them through a safe type.
//! 2. `ErrorKind::WouldBlock`: not an error. The socket is empty, and the thread goes on to another
//!    one.
//! 3. `exchange.feed`: the same call for every protocol state. The exchange remembers where it was.
//!
//! Read: RFC 9112 §2.2 (a parser must take a message in any pieces), epoll(7) "Level-triggered and
//! edge-triggered".
//!
//! Exercise: in the mode `edge`, stop after one read, as `level` does. Guess what happens, then run
//! it.
//!
//! Hint: the first read returns 128 bytes. When is the kernel going to report this socket again?

use epoll::{EDGE, Epoll, READABLE};
use std::env;
use std::error::Error;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::process::exit;
use unix_http::connection::{ClientExchange, Received};
use unix_http::wire::Fields;

/// Small, so that one response takes several reads.
const BUFFER: usize = 128;

fn main() {
    if let Err(error) = ready() {
        eprintln!("ready: {error}");
        exit(1);
    }
}

/// A connection, its exchange, and the status of the response once it is complete.
struct Asked {
    stream: UnixStream,
    exchange: ClientExchange,
    status: u16,
}

#[derive(Default)]
struct Counts {
    waits: usize,
    reads: usize,
}

fn ready() -> Result<(), Box<dyn Error>> {
    let mut args = env::args().skip(1);
    let edge = args.next().is_some_and(|mode| mode == "edge");
    let count = args.next().map_or(Ok(3), |count| count.parse())?;
    let target = args.next().unwrap_or("/_ping".into());

    let mut connections = Vec::new();
    for _ in 0..count {
        connections.push(Asked::ask(&socket()?, &target)?);
    }
    let epoll = Epoll::new()?;
    for (number, asked) in connections.iter().enumerate() {
        let interest = if edge { READABLE | EDGE } else { READABLE };
        epoll.add(&asked.stream, interest, number as u64)?;
    }

    let (mut counts, mut open) = (Counts::default(), count);
    while open > 0 {
        counts.waits += 1;
        for number in epoll.wait()? {
            let asked = &mut connections[number as usize];
            // Level-triggered: one read, and the kernel reports what is left. Edge-triggered: read
            // until the socket is empty.
            while asked.read(&mut counts)? && edge {}
            if asked.exchange.is_over() {
                epoll.remove(&asked.stream)?;
                open -= 1;
            }
        }
    }
    let ok = connections.iter().filter(|asked| asked.status == 200).count();
    let Counts { waits, reads } = counts;
    println!("{count} connections, 1 thread: {ok} times 200 OK, {waits} waits, {reads} reads");
    Ok(())
}

impl Asked {
    /// Connects and sends a request. It is short, so it fits into the socket's buffer. A long one
    /// would have to wait until the socket is writable, in the same loop.
    fn ask(socket: &str, target: &str) -> Result<Asked, Box<dyn Error>> {
        let mut stream = UnixStream::connect(socket)?;
        let (mut exchange, mut fields) = (ClientExchange::new(), Fields::new());
        fields.push("Host", "localhost")?;
        let mut request = Vec::new();
        exchange.request(&mut request, "GET", target.as_bytes(), &fields)?;
        stream.write_all(&request)?;
        stream.set_nonblocking(true)?;
        Ok(Asked { stream, exchange, status: 0 })
    }

    /// Reads once. Returns false if the socket is empty or the response is complete.
    fn read(&mut self, counts: &mut Counts) -> Result<bool, Box<dyn Error>> {
        let mut buffer = [0; BUFFER];
        counts.reads += 1;
        let received = match self.stream.read(&mut buffer) {
            Ok(0) => {
                self.exchange.finish()?;
                return Ok(false);
            }
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
            Err(error) => return Err(error.into()),
        };
        let mut input = &buffer[..received];
        while let Some(event) = self.exchange.feed(&mut input)? {
            if let Received::Head(head, _) = event {
                self.status = head.status();
            }
        }
        Ok(!self.exchange.is_over())
    }
}

/// DOCKER_HOST, or where Docker listens.
fn socket() -> Result<String, Box<dyn Error>> {
    let host = env::var("DOCKER_HOST").unwrap_or("unix:///var/run/docker.sock".into());
    Ok(host.strip_prefix("unix://").ok_or(format!("{host} is not unix:///path"))?.into())
}

/// epoll(7), which std does not have. This is the only unsafe code of the project.
mod epoll {
    #![allow(unsafe_code)]

    use std::ffi::c_int;
    use std::io;
    use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};

    pub const READABLE: u32 = 1; // EPOLLIN
    pub const EDGE: u32 = 1 << 31; // EPOLLET
    const ADD: c_int = 1;
    const REMOVE: c_int = 2;
    const CLOSE_ON_EXEC: c_int = 0o2000000;

    /// `struct epoll_event` of <sys/epoll.h>. The kernel packs it on x86-64 only.
    #[repr(C)]
    #[cfg_attr(target_arch = "x86_64", repr(packed))]
    #[derive(Clone, Copy)]
    struct Event {
        events: u32,
        data: u64,
    }

    unsafe extern "C" {
        fn epoll_create1(flags: c_int) -> c_int;
        fn epoll_ctl(epoll: c_int, operation: c_int, fd: c_int, event: *mut Event) -> c_int;
        fn epoll_wait(epoll: c_int, events: *mut Event, room: c_int, timeout: c_int) -> c_int;
    }

    /// A set of descriptors that the kernel watches. Dropping it closes it.
    pub struct Epoll(OwnedFd);

    impl Epoll {
        pub fn new() -> io::Result<Epoll> {
            // SAFETY: it takes no pointer.
            let fd = check(unsafe { epoll_create1(CLOSE_ON_EXEC) })?;
            // SAFETY: the descriptor is new, so nothing else owns it.
            Ok(Epoll(unsafe { OwnedFd::from_raw_fd(fd) }))
        }

        /// Watches a descriptor. [`wait`](Epoll::wait) reports it by this number.
        pub fn add(&self, source: &impl AsFd, events: u32, number: u64) -> io::Result<()> {
            self.control(ADD, source, Event { events, data: number })
        }

        pub fn remove(&self, source: &impl AsFd) -> io::Result<()> {
            self.control(REMOVE, source, Event { events: 0, data: 0 })
        }

        fn control(&self, operation: c_int, of: &impl AsFd, mut event: Event) -> io::Result<()> {
            let (epoll, fd) = (self.0.as_raw_fd(), of.as_fd().as_raw_fd());
            // SAFETY: both descriptors are open, and the kernel copies the event before it returns.
            check(unsafe { epoll_ctl(epoll, operation, fd, &mut event) }).map(drop)
        }

        /// Waits until a descriptor is ready. Returns the numbers of those that are.
        pub fn wait(&self) -> io::Result<Vec<u64>> {
            let mut events = [Event { events: 0, data: 0 }; 16];
            let (epoll, room) = (self.0.as_raw_fd(), events.len() as c_int);
            // SAFETY: the kernel writes at most `room` events, and `events` has room for them.
            let count = check(unsafe { epoll_wait(epoll, events.as_mut_ptr(), room, -1) })?;
            Ok(events[..count as usize].iter().map(|event| event.data).collect())
        }
    }

    fn check(result: c_int) -> io::Result<c_int> {
        if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
    }
}
