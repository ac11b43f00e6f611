//! Time limits with real sockets: each one that is set expires, and no other.

use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::{Duration, Instant};

use unix_http::transport::{Stream, Timeouts};

const SHORT: Option<Duration> = Some(Duration::from_millis(40));
const LONG: Option<Duration> = Some(Duration::from_secs(60));
const IDLE: &str = "timed out: no byte in either direction within 40ms";
const TOTAL: &str = "timed out: the exchange was not finished within 40ms";

fn pair(limits: Timeouts) -> (Stream, UnixStream) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let mut ours = Stream::from(ours);
    ours.set_timeouts(limits).unwrap();
    (ours, theirs)
}

fn assert_limit(result: io::Result<usize>, text: &str) {
    let error = result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut, "never WouldBlock");
    assert_eq!(error.to_string(), text);
}

#[test]
fn the_error_names_the_limit() {
    let cases = [
        (TOTAL, Timeouts::default().total(SHORT).head(LONG).idle(LONG).connect(LONG)),
        (IDLE, Timeouts::default().idle(SHORT).total(LONG).head(LONG).connect(LONG)),
        (IDLE, Timeouts::default().idle(SHORT)),
        (TOTAL, Timeouts::default().total(SHORT)),
    ];
    for (text, limits) in cases {
        let start = Instant::now();
        let (mut ours, _theirs) = pair(limits);
        assert_limit(ours.read(&mut [0; 8]), text);
        assert!(start.elapsed() >= Duration::from_millis(40), "{text} came too early");
    }
}

#[test]
fn the_idle_limit_counts_both_directions_and_only_while_waiting() {
    let (ours, mut theirs) = pair(Timeouts::default().idle(Duration::from_secs(2)));
    // The caller is busy for longer than the limit, but the peer is not silent.
    thread::sleep(Duration::from_millis(2100));
    theirs.write_all(b"a").unwrap();
    assert_eq!((&ours).read(&mut [0; 8]).unwrap(), 1);
    // For three seconds there is nothing to read, but an upload makes progress.
    let upload = ours.try_clone().unwrap();
    let uploaded = thread::spawn(move || {
        for _ in 0..10 {
            (&upload).write_all(b"x").unwrap();
            thread::sleep(Duration::from_millis(300));
        }
    });
    let answer = thread::spawn(move || {
        theirs.read_exact(&mut [0; 10]).unwrap();
        theirs.write_all(b"answer").unwrap();
        theirs
    });
    assert_eq!((&ours).read(&mut [0; 8]).unwrap(), 6);
    uploaded.join().unwrap();
    drop(answer.join().unwrap());
}

#[test]
fn the_limits_apply_to_a_peer_that_does_not_read() {
    for (text, limits) in
        [(IDLE, Timeouts::default().idle(SHORT)), (TOTAL, Timeouts::default().total(SHORT))]
    {
        let (mut ours, _theirs) = pair(limits);
        let bytes = vec![0; 1 << 16];
        let failed = loop {
            match ours.write(&bytes) {
                Ok(_) => {}
                failed => break failed,
            }
        };
        assert_limit(failed, text);
    }
}

#[test]
fn limits_can_be_removed() {
    let (mut ours, mut theirs) = pair(Timeouts::default().idle(SHORT));
    assert_limit(ours.read(&mut [0]), IDLE);
    ours.set_timeouts(Timeouts::default()).unwrap();
    let socket = UnixStream::from(ours.as_fd().try_clone_to_owned().unwrap());
    assert_eq!(socket.read_timeout().unwrap(), None, "the next exchange has no limit");
    theirs.write_all(b"x").unwrap();
    assert_eq!(ours.read(&mut [0]).unwrap(), 1);
}
