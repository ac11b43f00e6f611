//! The files of the recorders: private, complete, one for each output, with early error reports.

use super::process::{ANSWER, LIMIT, ask, listening, processes, signal, tap, wait_for};
use crate::support::child::run;
use crate::support::fake::Fake;
use crate::support::needs;
use crate::support::temp::TempDir;
use std::fs::{self, File, Permissions};
use std::io::{self, BufRead, BufReader, Cursor, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime};
use unix_http::json::Value;
use unix_http::tap;
use unix_http::traffic::{Conversation, Event, Observer, Side};

fn entries(har: &[u8]) -> usize {
    let har = Value::parse(har).unwrap();
    har.get("log").and_then(|log| log.get("entries")).unwrap().elements().len()
}

/// A disk with room for this many bytes.
struct Disk {
    file: Cursor<Vec<u8>>,
    room: u64,
}

impl Write for Disk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = self.room.saturating_sub(self.file.position()) as usize;
        match bytes.len().min(room) {
            0 if !bytes.is_empty() => Err(io::ErrorKind::StorageFull.into()),
            n => self.file.write(&bytes[..n]),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for Disk {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

#[test]
fn a_har_on_a_full_disk_stays_valid() {
    let mut stopped = 0;
    for room in 200..4000 {
        let mut disk = Disk { file: Cursor::new(Vec::new()), room };
        let har = tap::har(&mut disk, SystemTime::UNIX_EPOCH, true).unwrap();
        let mut conversation = Conversation::new(true);
        let see = &mut |event: &Event<'_>| har.see(1, Duration::ZERO, event);
        for _ in 0..5 {
            let ask = b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n";
            conversation.bytes(Side::Client, Duration::ZERO, ask, see);
            conversation.bytes(Side::Server, Duration::ZERO, ANSWER.as_bytes(), see);
        }
        let error = har.flush();
        drop(har);
        let file = disk.file.into_inner();
        assert!(file.len() as u64 <= room);
        match error {
            None => assert_eq!(entries(&file), 5, "{room}"),
            Some(error) => {
                assert!(error.starts_with("the HAR stopped: "), "{room}: {error}");
                assert!(entries(&file) < 5, "{room}");
                stopped += 1;
            }
        }
    }
    assert!((1000..3799).contains(&stopped), "{stopped}");
}

fn interrupted(mut child: Child) -> (Option<i32>, Vec<u8>) {
    signal(&child, "INT");
    let mut out = Vec::new();
    child.stdout.take().unwrap().read_to_end(&mut out).unwrap();
    (child.wait().unwrap().code(), out)
}

#[test]
fn a_recorder_can_write_to_stdout() {
    for (option, begin) in [("--har", "{\"log\":{"), ("--pcap", "\n\r\r\n"), ("--script", "#!/bin")]
    {
        let (dir, server) = (TempDir::new(), Fake::answer_and_close(ANSWER));
        let (child, path) = listening(&dir, &server.path(), &[option, "-"]);
        assert_eq!(ask(&path), ANSWER);
        let (code, out) = interrupted(child);
        assert_eq!(code, Some(0));
        assert!(out.starts_with(begin.as_bytes()), "{}", out.escape_ascii());
        if option == "--har" {
            assert_eq!(entries(&out), 1);
        }
    }
}

#[test]
fn outputs_do_not_share_a_file_or_the_stdout_of_the_command() {
    let (dir, server) = (TempDir::new(), Fake::answer_and_close(ANSWER));
    let to = server.path().display().to_string();
    let (file, link) = (dir.write("f", "what was there"), dir.join("link"));
    std::os::unix::fs::symlink(&file, &link).unwrap();
    let (file, link) = (file.display().to_string(), link.display().to_string());
    for (flags, why) in [
        (&["--har", &file, "--output", &file][..], "one file cannot have two outputs"),
        (&["--har", &file, "--pcap", &link], "one file cannot have two outputs"),
        (&["--har", &file, "--har", &file], "one file cannot have two outputs"),
        (&["--pcap", "-"], "--pcap -: the command has stdout; name a file"),
    ] {
        let arguments = [&["tap", "--to", &to], flags, &["--", "true"]].concat();
        let ended = run(&mut tap(&dir, &arguments), b"", LIMIT);
        assert_eq!(ended.code, 2, "{flags:?}: {}", ended.stderr());
        assert!(ended.stderr().contains(why), "{flags:?}: {}", ended.stderr());
    }
}

#[test]
fn an_existing_file_becomes_private_and_is_truncated() {
    let (dir, server) = (TempDir::new(), Fake::answer_and_close(ANSWER));
    let to = server.path().display().to_string();
    let file = dir.write("f.har", "x".repeat(100_000));
    fs::set_permissions(&file, Permissions::from_mode(0o666)).unwrap();
    let name = file.display().to_string();
    let arguments = ["tap", "-q", "--to", &to, "--har", &name, "--", "true"];
    assert_eq!(run(&mut tap(&dir, &arguments), b"", LIMIT).code, 0);
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(entries(&fs::read(&file).unwrap()), 0);
}

#[test]
fn an_error_is_reported_at_once_and_in_the_exit_code() {
    if File::options().write(true).open("/dev/full").is_err() {
        return;
    }
    let (dir, server) = (TempDir::new(), Fake::answer_and_close(ANSWER));
    let (mut child, path) = listening(&dir, &server.path(), &["--output", "/dev/full"]);
    assert_eq!(ask(&path), ANSWER);
    let mut line = String::new();
    BufReader::new(child.stderr.as_mut().unwrap()).read_line(&mut line).unwrap();
    assert!(line.starts_with("ucurl: tap: the text view stopped: "), "{line}");
    assert_eq!(interrupted(child).0, Some(23));
}

/// Starts a tap that waits for the reader of its pipe. Returns it with its message about that.
fn waiting(dir: &TempDir, more: &[&str]) -> Child {
    let pipe = dir.join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let pipe = pipe.display().to_string();
    let flags = ["tap", "-q", "--to", "/nowhere", "--pcap", &pipe];
    let mut command = tap(dir, &[&flags, more].concat());
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stderr.as_mut().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, format!("ucurl: tap: waiting for a reader of {pipe}\n"));
    child
}

#[test]
fn a_signal_ends_a_tap_whose_pipe_has_no_reader() {
    for more in [&[][..], &["--", "true"]] {
        for name in ["INT", "TERM", "HUP", "KILL"] {
            let dir = TempDir::new();
            let mut child = waiting(&dir, more);
            signal(&child, name);
            let status = child.wait().unwrap();
            assert!(!status.success(), "SIG{name} {more:?}: {status}");
            let mark = dir.path().display().to_string();
            wait_for("its processes to end", || processes(&mark).is_empty());
        }
    }
}

#[test]
fn a_pipe_gets_the_capture_once_it_has_a_reader() {
    let dir = TempDir::new();
    let mut child = waiting(&dir, &["--", "true"]);
    let capture = fs::read(dir.join("pipe")).unwrap();
    assert!(capture.starts_with(b"\n\r\r\n"), "{}", capture.escape_ascii());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

/// A pipe whose reader reads nothing blocks the traffic, but not the end.
#[test]
fn a_signal_ends_a_tap_whose_pipe_is_full() {
    let (dir, server) = (TempDir::new(), Fake::start(|peer| peer.send_for_ever(&[b'x'; 4096])));
    let pipe = dir.join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let name = pipe.display().to_string();
    let reader = std::thread::spawn(move || File::open(pipe).unwrap());
    let path = dir.join("tap.sock");
    let (listen, to) = (path.display().to_string(), server.path().display().to_string());
    let flags = ["tap", "-q", "--pcap", &name, "--listen", &listen, "--to", &to];
    let mut child = tap(&dir, &flags).stderr(Stdio::piped()).spawn().unwrap();
    let _reader = reader.join().unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap()).lines();
    wait_for("the tap", || path.exists());
    let mut client = std::os::unix::net::UnixStream::connect(&path).unwrap();
    client.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    client.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
    // Until the pipe of 64 KiB is full and no more bytes pass.
    let (mut passed, mut silent) = (0, false);
    while passed < 64 * 1024 || !silent {
        let read = client.read(&mut [0; 65536]);
        silent = read.is_err();
        passed += read.unwrap_or(0);
    }
    signal(&child, "INT");
    assert!(!child.wait().unwrap().success());
    assert!(said.any(|line| line.unwrap().contains("an output was stuck")));
    let mark = dir.path().display().to_string();
    wait_for("its processes to end", || processes(&mark).is_empty());
}

/// `docker run -it` sets raw mode, in which a bare LF does not return to column 1.
#[test]
fn lines_on_a_terminal_in_raw_mode_end_in_cr_lf() {
    if needs::program("script").is_none() {
        return;
    }
    let (dir, server) = (TempDir::new(), Fake::answer_and_close(ANSWER));
    let to = server.path().display().to_string();
    let tap = tap(&dir, &["tap", "--color", "never", "--to", &to, "--", "sh", "-c"]);
    let words = tap.get_args().map(|word| format!("'{}' ", word.display()));
    let ucurl = crate::support::child::ucurl();
    let ucurl = ucurl.get_program().display();
    let command = format!("env {} 'stty raw; {ucurl} -sS /hello'", words.collect::<String>());
    let mut script = Command::new("script");
    script.envs(tap.get_envs().filter_map(|(name, value)| Some((name, value?))));
    script.args(["-qec", &command, "/dev/null"]).env("SHELL", "/bin/sh");
    let shown = run(&mut script, b"", LIMIT).success();
    let view = &shown[shown.find("1.1").unwrap()..];
    assert!(
        view.contains("1.1 < HTTP/1.1 200 OK\r\n") && view.contains("1 * closed\r\n"),
        "{view}"
    );
    let bare = view.split_inclusive('\n').filter(|line| !line.ends_with("\r\n"));
    assert_eq!(bare.filter(|line| line.contains('\n')).collect::<Vec<_>>(), [""; 0], "{view:?}");
}
