//! Time limits with real sockets: each one that is set expires, and no other.

use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::{Duration, Instant};

use unix_http::transport::{Clock, Limit, Stream, Timeout, Timeouts};

const SHORT: Option<Duration> = Some(Duration::from_millis(40));
const LONG: Option<Duration> = Some(Duration::from_secs(60));

fn pair(limits: Timeouts) -> (Stream, UnixStream, Clock) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let (mut ours, clock) = (Stream::from(ours), Clock::start(&limits));
    ours.set_clock(clock.clone()).unwrap();
    (ours, theirs, clock)
}

fn assert_limit(result: io::Result<usize>, limit: Limit) {
    let error = result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    let timeout = Timeout::of(&error).unwrap();
    assert_eq!((timeout.limit, Some(timeout.after)), (limit, SHORT));
    assert!(error.to_string().ends_with("within 40ms"), "{error}");
}

#[test]
fn the_error_names_the_limit() {
    let cases = [
        (Limit::Total, Timeouts::default().total(SHORT).head(LONG).idle(LONG).connect(LONG)),
        (Limit::Head, Timeouts::default().head(SHORT).total(LONG).idle(LONG).connect(LONG)),
        (Limit::Idle, Timeouts::default().idle(SHORT).total(LONG).head(LONG).connect(LONG)),
        (Limit::Idle, Timeouts::default().idle(SHORT)),
        (Limit::Head, Timeouts::default().head(SHORT)),
        (Limit::Total, Timeouts::default().total(SHORT)),
    ];
    for (limit, limits) in cases {
        let start = Instant::now();
        let (mut ours, _theirs, clock) = pair(limits);
        clock.request_sent();
        assert_limit(ours.read(&mut [0; 8]), limit);
        assert!(start.elapsed() >= Duration::from_millis(40), "{limit:?} came too early");
    }
}

#[test]
fn the_head_limit_begins_with_the_request_and_ends_with_the_head() {
    let (mut ours, mut theirs, clock) = pair(Timeouts::default().head(SHORT));
    // Another thread finishes the request while this one already waits. The limit still applies.
    let sender = clock.clone();
    let sent = thread::spawn(move || {
        thread::sleep(Duration::from_millis(100));
        let sent = Instant::now();
        sender.request_sent();
        sent
    });
    assert_limit(ours.read(&mut [0]), Limit::Head);
    let now = Instant::now();
    assert!(now >= sent.join().unwrap() + Duration::from_millis(40));

    let (mut ours, mut theirs_2, clock) = pair(Timeouts::default().head(SHORT));
    clock.request_sent();
    clock.head_received();
    thread::spawn(move || {
        thread::sleep(Duration::from_millis(80));
        theirs_2.write_all(b"late").unwrap();
    });
    assert_eq!(ours.read(&mut [0; 8]).unwrap(), 4, "after the head, a body may take its time");
    let _ = theirs.write(b"");
}

#[test]
fn a_head_may_arrive_before_the_request_is_finished() {
    let (mut ours, mut theirs, clock) = pair(Timeouts::default().head(SHORT));
    clock.head_received();
    clock.request_sent();
    thread::spawn(move || {
        thread::sleep(Duration::from_millis(80));
        theirs.write_all(b"late").unwrap();
    });
    assert_eq!(ours.read(&mut [0; 8]).unwrap(), 4);
}

#[test]
fn the_idle_limit_counts_both_directions_and_only_while_waiting() {
    let (ours, mut theirs, _) = pair(Timeouts::default().idle(Duration::from_secs(2)));
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
    for (limit, limits) in [
        (Limit::Idle, Timeouts::default().idle(SHORT)),
        (Limit::Total, Timeouts::default().total(SHORT)),
    ] {
        let (mut ours, _theirs, _) = pair(limits);
        let bytes = vec![0; 1 << 16];
        let failed = loop {
            match ours.write(&bytes) {
                Ok(_) => {}
                failed => break failed,
            }
        };
        assert_limit(failed, limit);
    }
}

#[test]
fn without_limits_there_is_no_clock() {
    let clock = Clock::start(&Timeouts::default());
    assert_eq!(clock.connect_limit(), None);
    let (mut ours, mut theirs, _) = pair(Timeouts::default().idle(SHORT));
    assert_limit(ours.read(&mut [0]), Limit::Idle);
    // The next exchange on the same connection has no limit: the socket's timeout is removed.
    ours.set_clock(clock).unwrap();
    assert_eq!(ours.as_unix().unwrap().read_timeout().unwrap(), None);
    theirs.write_all(b"x").unwrap();
    assert_eq!(ours.read(&mut [0]).unwrap(), 1);
}

#[test]
fn connect_uses_the_shorter_of_its_own_limit_and_the_total() {
    let of = |connect, total| {
        Clock::start(&Timeouts::default().connect(connect).total(total)).connect_limit()
    };
    let short = |limit| Timeout { limit, after: SHORT.unwrap() };
    assert_eq!(of(SHORT, None), SHORT.map(|left| (left, short(Limit::Connect))));
    assert_eq!(of(SHORT, LONG), SHORT.map(|left| (left, short(Limit::Connect))));
    let (left, timeout) = of(LONG, SHORT).unwrap();
    assert!(Some(left) <= SHORT && timeout == short(Limit::Total));
    let (left, _) = of(None, Some(Duration::ZERO)).unwrap();
    assert_eq!(left, Duration::from_millis(1), "never zero, which would be for ever");
}

#[test]
fn a_stream_without_a_clock_has_its_own_timeouts() {
    let (ours, _theirs) = UnixStream::pair().unwrap();
    let mut ours = Stream::from(ours);
    ours.set_read_timeout(SHORT).unwrap();
    let error = ours.read(&mut [0]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut, "one kind for a limit, never WouldBlock");
    assert!(ours.set_read_timeout(Some(Duration::ZERO)).is_err());
    ours.set_write_timeout(SHORT).unwrap();
    let bytes = vec![0; 1 << 16];
    let error = loop {
        if let Err(error) = ours.write(&bytes) {
            break error;
        }
    };
    assert_eq!(error.kind(), ErrorKind::TimedOut);
}
