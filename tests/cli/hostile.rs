//! Malicious and broken servers: a clear error, curl's exit code and little memory; never a hang, a
//! panic or a silent success.

use crate::support::child::{Ended, run, ucurl};
use crate::support::fake::{Fake, Peer};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(60);
const MEMORY_KIB: u64 = 16 * 1024;

fn get(server: &Fake) -> Ended {
    let ended =
        run(ucurl().arg("-sS").arg("--unix-socket").arg(server.path()).arg("/"), b"", LIMIT);
    assert!(ended.peak_kib < MEMORY_KIB, "{} KiB", ended.peak_kib);
    assert!(!ended.stderr().contains("panicked"), "{}", ended.stderr());
    ended
}

#[track_caller]
fn fails(server: &Fake, code: i32, says: &str) -> Ended {
    let ended = get(server);
    assert_eq!(ended.code, code, "{}", ended.stderr());
    let text = ended.stderr();
    assert!(text.contains(says), "{text}");
    assert_eq!(text.trim_end().lines().count(), 1, "{text}");
    ended
}

/// Sends `start`, then repeats `again` until the client closes.
fn endless(start: &'static str, again: &'static str) -> Fake {
    Fake::start(move |peer: &mut Peer| {
        peer.read_until(b"\r\n\r\n")?;
        peer.send(start.as_bytes())?;
        peer.send_for_ever(again.as_bytes())
    })
}

const CHUNKED: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

#[test]
fn endless_heads_are_ended() {
    for (what, server) in [
        ("fields", endless("HTTP/1.1 200 OK\r\n", "X: y\r\n")),
        ("one field", endless("HTTP/1.1 200 OK\r\nX: ", "y")),
        ("a reason-phrase", endless("HTTP/1.1 200 ", "O")),
        ("interim responses", endless("", "HTTP/1.1 103 Early Hints\r\n\r\n")),
        ("a folded field", endless("HTTP/1.1 200 OK\r\nX: y\r\n", " y\r\n")),
    ] {
        let ended = fails(&server, 56, "over the limit");
        assert_eq!(ended.stdout, b"", "{what}");
    }
}

#[test]
fn endless_chunked_framing_is_ended() {
    let trailers = [CHUNKED, "2\r\nOK\r\n0\r\n"].concat().leak() as &'static str;
    let ext = [CHUNKED, "2\r\nOK\r\n5;"].concat().leak() as &'static str;
    let zeros = [CHUNKED, "2\r\nOK\r\n0"].concat().leak() as &'static str;
    for server in [endless(trailers, "T: v\r\n"), endless(ext, "x"), endless(zeros, "0")] {
        assert_eq!(fails(&server, 56, "over the limit").stdout, b"OK");
    }
}

#[test]
fn extensions_larger_than_their_data_are_ended() {
    let chunk = format!("1;{}\r\nx\r\n", "e".repeat(1000)).leak() as &'static str;
    fails(&endless(CHUNKED, chunk), 56, "over the limit");
}

#[test]
fn a_huge_chunk_size_allocates_nothing() {
    let claim = [CHUNKED, "8000000000000000\r\nhello"].concat();
    assert_eq!(fails(&Fake::answer_and_close(claim), 18, "before the last chunk").stdout, b"hello");
    let claim = [CHUNKED, "10000000000000000\r\nhello"].concat();
    assert_eq!(fails(&Fake::answer_and_close(claim), 56, "over 2^64-1").stdout, b"");
    let claim = "HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\nhello";
    assert_eq!(
        fails(&Fake::answer_and_close(claim), 18, "5 of 18446744073709551615 bytes").stdout,
        b"hello"
    );
}

#[test]
fn a_cut_at_every_byte_is_an_error() {
    let whole =
        [CHUNKED, "5\r\nhello\r\n6;a=b\r\n world\r\n0\r\nT: v\r\n\r\n"].concat().into_bytes();
    let cuts: Vec<_> = (0..=whole.len()).collect();
    // Two at a time, so that the test is quick.
    std::thread::scope(|scope| {
        for half in cuts.chunks(cuts.len().div_ceil(2)) {
            let whole = &whole;
            scope.spawn(move || half.iter().for_each(|&cut| cut_at(whole, cut)));
        }
    });
}

fn cut_at(whole: &[u8], cut: usize) {
    let ended = get(&Fake::answer_and_close(&whole[..cut]));
    let head = CHUNKED.len();
    let code = match cut {
        0 => 52,
        _ if cut == whole.len() => 0,
        // curl accepts an incomplete head and exits with 0.
        _ if cut < head => 56,
        _ => 18,
    };
    assert_eq!(ended.code, code, "cut at {cut}: {}", ended.stderr());
    // All content before the cut is delivered.
    let content: Vec<u8> = [(head + 3, 5), (head + 17, 6)]
        .iter()
        .flat_map(|&(start, len)| {
            whole[start..start + len].iter().enumerate().map(move |(n, &b)| (start + n, b))
        })
        .filter(|(at, _)| *at < cut)
        .map(|(_, b)| b)
        .collect();
    assert_eq!(ended.stdout, content, "cut at {cut}");
}

#[test]
fn a_large_body_needs_no_memory() {
    const SIZE: u64 = 1 << 30;
    let length = Fake::start(|peer| {
        peer.read_until(b"\r\n\r\n")?;
        peer.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {SIZE}\r\n\r\n").as_bytes())?;
        let block = vec![b'x'; 1 << 20];
        (0..SIZE >> 20).try_for_each(|_| peer.send(&block))
    });
    let chunked = Fake::start(|peer| {
        peer.read_until(b"\r\n\r\n")?;
        peer.send(CHUNKED.as_bytes())?;
        let chunk = [&b"8000\r\n"[..], &[b'x'; 0x8000], b"\r\n"].concat().repeat(32);
        (0..SIZE >> 20).try_for_each(|_| peer.send(&chunk))?;
        peer.send(b"0\r\n\r\n")
    });
    for server in [length, chunked] {
        let mut command = ucurl();
        command.arg("-sS").arg("-o").arg("/dev/null").args([
            "-w",
            "%{size_download}",
            "--unix-socket",
        ]);
        let ended = run(command.arg(server.path()).arg("/"), b"", LIMIT);
        assert_eq!((ended.code, ended.stdout()), (0, SIZE.to_string()), "{}", ended.stderr());
        assert!(ended.peak_kib < 8 * 1024, "{} KiB", ended.peak_kib);
    }
}

#[test]
fn other_protocols_and_broken_heads_are_errors() {
    fails(&Fake::answer_and_close("220 mail.example ESMTP\r\n"), 1, "not an HTTP/1 message");
    fails(&Fake::answer_and_close(&b"\x00\x00\x12\x04\0\0\0\0\0\0\x03\0\0\0\x80"[..]), 1, "HTTP/2");
    fails(&Fake::answer_and_close("HTTP/1.1 2x0 OK\r\n\r\n"), 1, "status-code");
    fails(
        &Fake::answer_and_close("HTTP/1.1 200 OK\r\nBad Name: x\r\n\r\n"),
        8,
        "space before the colon",
    );
    fails(
        &Fake::answer_and_close("HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\nhello"),
        8,
        "Content-Length",
    );
}

/// `-I --max-filesize` reads the announced length as strictly as a GET does.
#[test]
fn a_length_that_is_no_number_fails_a_head_request() {
    for (value, code) in [("5", 0), ("50", 63), ("+50", 8), ("0x5", 8), ("5, 6", 8), ("-1", 8)] {
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {value}\r\n\r\n");
        let server = Fake::answer(head);
        for limit in ["10", "0"] {
            let code = if limit == "0" && code == 63 { 0 } else { code };
            let mut command = ucurl();
            command.args(["-sI", "--max-filesize", limit, "--unix-socket"]).arg(server.path());
            let ended = run(command.arg("/"), b"", LIMIT);
            assert_eq!(ended.code, code, "Content-Length: {value}, at most {limit}");
        }
    }
}
