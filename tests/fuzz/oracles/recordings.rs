//! Recordings: arbitrary ones are read, and arbitrary conversations are written.
//!
//! The input is a HAR; or, separated by lines `====`, an index and the bytes of both sides; or both
//! sides of a conversation, which every recorder records.

use std::cell::RefCell;
use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use unix_http::Endpoint;
use unix_http::json::Value;
use unix_http::tap::{self, Recording, Replay};
use unix_http::traffic::{Conversation, Event, Observer, Side};
use unix_http::transport::PrivateDir;

const BETWEEN: &[u8] = b"\n====\n";

/// Text in memory, for an observer that owns its output.
#[derive(Clone, Default)]
struct Shared(std::sync::Arc<std::sync::Mutex<Vec<u8>>>);

impl std::io::Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("no panic").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Collects the bytes of both sides.
#[derive(Default)]
struct Seen(std::sync::Mutex<[Vec<u8>; 2]>);

impl Observer for Seen {
    fn see(&self, _: u64, _: Duration, event: &Event<'_>) {
        if let Event::Bytes(side, bytes) = event {
            self.0.lock().expect("no panic")[*side as usize].extend_from_slice(bytes);
        }
    }
}

/// A directory for this thread.
pub struct Place(PrivateDir);

impl Place {
    pub fn new() -> Place {
        let memory = PathBuf::from("/dev/shm");
        let parent = if memory.is_dir() { memory } else { std::env::temp_dir() };
        Place(PrivateDir::new_in(parent).expect("a directory"))
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    fn empty(&self) {
        for entry in fs::read_dir(self.0.path()).expect("our directory") {
            let path = entry.expect("an entry").path();
            let removed =
                if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
            removed.expect("our file");
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.empty();
    }
}

thread_local!(static PLACE: RefCell<Place> = RefCell::new(Place::new()));

pub fn check(bytes: &[u8]) {
    let mut parts: Vec<&[u8]> = Vec::new();
    let mut rest = bytes;
    while let Some(at) =
        rest.windows(BETWEEN.len()).position(|window| window == BETWEEN).filter(|_| parts.len() < 2)
    {
        parts.push(&rest[..at]);
        rest = &rest[at + BETWEEN.len()..];
    }
    parts.push(rest);
    PLACE.with_borrow(|place| {
        match parts[..] {
            [har] => read_har(place, har),
            [client, server] => write_all(place, client, server),
            [index, client, server] => read_recording(place, index, client, server),
            _ => {}
        }
        place.empty();
    });
}

fn read_har(place: &Place, har: &[u8]) {
    let file = place.0.path().join("har");
    fs::write(&file, har).expect("our file");
    if let Ok(replay) = Replay::open(&file) {
        assert_eq!(
            format!("{replay:?}").contains("answers: 0"),
            Value::parse(har).is_ok_and(|har| entries(&har) == 0)
        );
    }
}

fn entries(har: &Value) -> usize {
    har.get("log").and_then(|log| log.get("entries")).map_or(0, |entries| entries.elements().len())
}

fn read_recording(place: &Place, index: &[u8], client: &[u8], server: &[u8]) {
    let at = |name: &str| place.0.path().join(name);
    fs::write(at("index"), [b"ucurl recording 1\n", index].concat()).expect("our file");
    fs::write(at("1.client"), client).expect("our file");
    fs::write(at("1.server"), server).expect("our file");
    let opened = Recording::open(place.0.path());
    let replay = Replay::open(place.0.path());
    assert!(opened.is_ok() || replay.is_err());
}

fn write_all(place: &Place, client: &[u8], server: &[u8]) {
    let at = |name: &str| place.0.path().join(name);
    for covered in [false, true] {
        let dir = at(if covered { "covered" } else { "shown" });
        let (start, endpoint) = (SystemTime::UNIX_EPOCH, Endpoint::Unix("/run/it's.sock".into()));
        let mut file = Cursor::new(Vec::new());
        let har = tap::har(&mut file, start, true).expect("memory");
        let pcap = tap::pcap(Vec::new(), start, "/s").expect("memory");
        let record = tap::record(&dir, start, covered).expect("our directory");
        let (for_us, for_curl) = (Shared::default(), Shared::default());
        let script = tap::script(for_us.clone(), &endpoint);
        let curl_script = tap::curl_script(for_curl.clone(), &endpoint);
        let observers: [&dyn Observer; 5] = [&har, &pcap, &record, &script, &curl_script];
        let (mut conversation, now) = (Conversation::new(covered), Duration::from_millis(5));
        let mut see = |event: &unix_http::traffic::Event<'_>| {
            observers.iter().for_each(|o| o.see(1, now, event))
        };
        see(&Event::Opened);
        conversation.bytes(Side::Client, now, client, &mut see);
        conversation.bytes(Side::Server, now, server, &mut see);
        conversation.end(Side::Client, now, None, &mut see);
        conversation.end(Side::Server, now, None, &mut see);
        conversation.close(&mut see);
        for observer in observers {
            assert_eq!(observer.finish(), None);
        }

        let recording = Recording::open(&dir).expect("what was written is read");
        let read = Seen::default();
        recording.show(false, &read).expect("what was written is shown");
        let [from_client, from_server] = read.0.into_inner().expect("no panic");
        assert_eq!(from_client.len() + from_server.len(), client.len() + server.len());
        if !covered {
            assert_eq!((&from_client[..], &from_server[..]), (client, server));
        }
        Replay::open(&dir).expect("what was written is replayed");
        drop(har);
        let har = file.into_inner();
        Value::parse(&har).expect("a HAR is JSON");
        fs::write(at("written.har"), &har).expect("our file");
        // A status-code below 100 cannot be encoded again.
        let _ = Replay::open(at("written.har"));
        for script in [for_us, for_curl] {
            shell(&script.0.lock().expect("no panic"));
        }
    }
}

/// Checks that a shell sees only the recorder's own words outside of quotes and here-documents, and
/// no recorded bytes.
fn shell(script: &[u8]) {
    let text = std::str::from_utf8(script).expect("text");
    assert!(text.starts_with("#!/bin/sh\n"));
    let (mut single, mut double, mut here) = (false, false, false);
    let mut bare = String::new();
    for line in text.split_inclusive('\n') {
        if here {
            here = line != "END\n";
            assert!(
                !here
                    || line
                        .trim_end()
                        .bytes()
                        .all(|b| b.is_ascii_alphanumeric() || b"+/=".contains(&b)),
                "{line}"
            );
            continue;
        }
        if !single && !double && line.starts_with('#') {
            assert!(!line.trim_end_matches('\n').contains(char::is_control), "{line:?}");
            continue;
        }
        here = !single && line.ends_with("<<'END'\n");
        let mut chars = line.chars();
        while let Some(c) = chars.next() {
            match c {
                '\'' if !double => single = !single,
                _ if single => {}
                '\\' => bare.extend(chars.next().filter(|&c| c != '\'')),
                '"' => double = !double,
                c => bare.push(c),
            }
        }
    }
    assert!(!single && !double && !here, "a quote or a here-document is open at the end");
    const OURS: &str = "{}()[]$|&;<>:=*.,#@%!?\\/-_ \n";
    let strange = bare.chars().find(|&c| !c.is_ascii_alphanumeric() && !OURS.contains(c));
    assert_eq!(strange, None, "{bare}");
    assert!(!bare.contains('`'), "{bare}");
    for (at, _) in bare.match_indices("$(") {
        let command = &bare[at + 2..];
        assert!(
            ["ask", "printf ", "mktemp "].iter().any(|ours| command.starts_with(ours)),
            "{bare}"
        );
    }
}
