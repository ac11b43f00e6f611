//! curl 7.88, curl 8.14 and ucurl side by side: the same command lines (`lines.txt`) against one
//! recording server. Compared are the bytes of every request by connection, stdout, files, exit
//! code, and of stderr what scripts read there.

mod page;
mod server;

use crate::support::temp::TempDir;
use server::{Record, Server};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

/// One command line.
struct Line {
    text: String,
    /// Why ucurl differs, where it is meant to, and from which curls: 7, 8 or both.
    differs: Option<(String, &'static [u8])>,
    /// Compare the requests in the order they came, whatever connection they came on.
    fewer_connections: bool,
    /// Compare stdout as stderr is compared.
    stdout_is_trace: bool,
    args: Vec<String>,
    stdin: Vec<u8>,
}

fn lines() -> Vec<Line> {
    let mut lines: Vec<Line> = include_str!("lines.txt").lines().filter_map(line).collect();
    lines.extend(generated());
    // Those that wait come first, so that the others run meanwhile.
    lines.sort_by_key(|line| !["/drip", "/slow", "--retry"].iter().any(|w| line.text.contains(w)));
    lines
}

fn line(text: &str) -> Option<Line> {
    if text.is_empty() || text.starts_with('#') {
        return None;
    }
    let marks: [(&str, &[u8]); 3] = [("!", &[7, 8]), ("7!", &[7]), ("8!", &[8])];
    let (differs, command) = marks
        .into_iter()
        .find_map(|(mark, from)| {
            let (why, command) = text.strip_prefix(mark)?.split_once('!')?;
            Some((Some((why.to_owned(), from)), command.trim_start()))
        })
        .unwrap_or((None, text));
    let (fewer_connections, stdout_is_trace) =
        (command.starts_with("+ "), command.starts_with("? "));
    let command = if fewer_connections || stdout_is_trace { &command[2..] } else { command };
    let (command, stdin) = command.split_once("<<").unwrap_or((command, ""));
    let (args, stdin) = (words(command), unescaped(stdin));
    Some(Line { text: text.to_owned(), differs, fewer_connections, stdout_is_trace, args, stdin })
}

/// The lines of the table of flags.
fn rows() -> Vec<&'static str> {
    include_str!("../../../src/bin/ucurl/args/flags.txt").lines().collect()
}

/// Every flag of curl that can be turned on and off and is in, both ways.
fn generated() -> Vec<Line> {
    let rows = rows();
    let switches = rows
        .windows(2)
        .filter(|two| two[0].starts_with('-') && two[1].starts_with("bool in "))
        .map(|two| {
            let name = two[0].split("--").nth(1).unwrap_or_default();
            name.split(' ').next().unwrap_or_default().trim_start_matches("no-").to_owned()
        });
    // These end the run, or are refused the other way round.
    let other = ["help", "manual", "version", "keepalive", "tcp-nodelay", "remote-name"];
    let both = switches.filter(|name| !other.contains(&name.as_str()));
    both.flat_map(|name| {
        [format!("--{name} http://d/ok"), format!("--{name} --no-{name} http://d/404")]
    })
    .filter_map(|text| line(&text))
    .collect()
}

/// A line split as sh splits it.
fn words(text: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for c in text.chars() {
        match (quote, c) {
            (Some(q), c) if q == c => quote = None,
            (Some(_), c) => word.get_or_insert_default().push(c),
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, ' ') => words.extend(word.take()),
            (None, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

/// `\n`, `\r` and `\\` in what is given as stdin.
fn unescaped(text: &str) -> Vec<u8> {
    text.replace("\\\\", "\0")
        .replace("\\n", "\n")
        .replace("\\r", "\r")
        .replace('\0', "\\")
        .into_bytes()
}

/// What one program did with a line.
#[derive(Debug, PartialEq)]
struct Outcome {
    exit: Option<i32>,
    requests: Vec<String>,
    stdout: String,
    files: BTreeMap<String, String>,
    stderr: Vec<String>,
}

/// The size of `big.txt`: more than curl sends without asking first.
const BIG: usize = 1100 * 1024;

/// A directory with the files that the lines name, and a server in it.
struct Place {
    dir: TempDir,
    server: Server,
}

impl Place {
    fn new() -> Place {
        let dir = TempDir::new();
        let server = Server::listen(&dir.join("s"));
        Place { dir, server }
    }

    fn fill(&self) {
        for entry in std::fs::read_dir(self.dir.path()).unwrap().flatten() {
            let (path, metadata) = (entry.path(), entry.metadata().unwrap());
            let stays = entry.file_name() == "s"
                || entry.file_name() == "big.txt" && metadata.len() == BIG as u64;
            match metadata.is_dir() {
                true => std::fs::remove_dir_all(path).unwrap(),
                false if !stays => std::fs::remove_file(path).unwrap(),
                false => {}
            }
        }
        std::fs::create_dir(self.dir.join("dir")).unwrap();
        let files: [(&str, &[u8]); 7] = [
            ("a.txt", b"one\ntwo\r\nthree\n"),
            ("h.txt", b"X-File: 1\r\nX-File2: 2\n\nX-File3:3\n"),
            ("k.txt", b"# options\nuser-agent = \"from file\"\nurl http://d/ok\n-i\n"),
            ("json.txt", b"{\n  \"from\": \"file\"\n}\n"),
            ("empty.txt", b""),
            ("dir/b.txt", b"in a directory\n"),
            ("dir/sp ace", b"with a space\n"),
        ];
        for (name, text) in files {
            std::fs::write(self.dir.join(name), text).unwrap();
        }
        if !self.dir.join("big.txt").exists() {
            std::fs::write(self.dir.join("big.txt"), vec![b'b'; BIG]).unwrap();
        }
        // A socket that nobody listens on any more.
        drop(std::os::unix::net::UnixListener::bind(self.dir.join("dead")).unwrap());
    }

    fn run(&self, program: &Path, line: &Line) -> Outcome {
        self.fill();
        self.server.take();
        // A password is asked for on the terminal: a session of its own has none.
        let mut command = Command::new(program);
        if line.args.iter().any(|arg| arg == "-u") {
            command = Command::new("setsid");
            command.arg(program);
        }
        let mut child = command
            .arg("--unix-socket")
            .arg(self.dir.join("s"))
            .args(&line.args)
            .current_dir(self.dir.path())
            .env_clear()
            // Where `tests/coverage` wants the counts of what ran.
            .envs(std::env::var_os("LLVM_PROFILE_FILE").map(|name| ("LLVM_PROFILE_FILE", name)))
            .env("HOME", self.dir.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A program that does not read its stdin closes it.
        _ = child.stdin.take().unwrap().write_all(&line.stdin);
        let output = child.wait_with_output().unwrap();
        let (record, log) = self.server.take();
        let record = if line.fewer_connections { vec![log] } else { record };
        let mut stderr = told(&output.stderr);
        if output.status.code() != Some(0) {
            // Of a failure the number counts; the words, and whether there is a warning before
            // them, are each one's own.
            stderr.retain(|line| line != "warning");
        }
        let stdout = if line.stdout_is_trace {
            told(&output.stdout).join("\n")
        } else {
            plain(&output.stdout)
        };
        Outcome {
            exit: output.status.code(),
            requests: readable(record),
            stdout: stdout.replace(&*self.dir.path().to_string_lossy(), "DIR"),
            files: self.files(),
            stderr,
        }
    }

    fn files(&self) -> BTreeMap<String, String> {
        let mut files = BTreeMap::new();
        let mut waiting = vec![self.dir.path().to_owned()];
        while let Some(dir) = waiting.pop() {
            for entry in std::fs::read_dir(dir).unwrap().flatten() {
                let (path, name) = (entry.path(), entry.path());
                let name =
                    name.strip_prefix(self.dir.path()).unwrap().to_string_lossy().into_owned();
                match path.is_dir() {
                    true => waiting.push(path),
                    false if matches!(name.as_str(), "s" | "dead" | "big.txt") => continue,
                    // What a trace says beside the bytes is each program's own, and so are the
                    // errors in a file.
                    false if name == "trace" || name == "err" => {
                        let text = std::fs::read(path).unwrap();
                        files.insert(name, told(&text).join("\n"));
                        continue;
                    }
                    false => {}
                }
                let text = std::fs::read(self.dir.join(&name)).unwrap_or_default();
                files.insert(name, plain(&text));
            }
        }
        files
    }
}

/// The two call themselves differently; nothing else may differ.
fn readable(record: Record) -> Vec<String> {
    record.iter().map(|bytes| plain(&without_runs(bytes))).collect()
}

/// Each KiB of `big.txt` as a word.
fn without_runs(mut bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    while let [first, rest @ ..] = bytes {
        match bytes.strip_prefix(&[b'b'; 1024]) {
            Some(behind) => {
                out.extend_from_slice(b"<1 KiB>");
                bytes = behind;
            }
            None => {
                out.push(*first);
                bytes = rest;
            }
        }
    }
    out
}

/// Text that can be compared: without the programs' own names, and without times and speeds.
fn plain(bytes: &[u8]) -> String {
    let text = bytes.escape_ascii().to_string().replace("\\n", "\\n\n").replace("\\\"", "\"");
    let text = text
        .replace("ucurl/0.1.0", "PROGRAM")
        .replace("curl/7.88.1", "PROGRAM")
        .replace("curl/8.14.1", "PROGRAM");
    let mut out = String::new();
    for (number, part) in text.split("\"curl_version\":\"").enumerate() {
        match number {
            0 => out.push_str(part),
            _ => out.push_str(part.split_once('"').map_or("", |(_, rest)| rest)),
        }
    }
    for key in ["time_", "speed_", "errormsg"] {
        let mut parts = out.split(&format!("\"{key}")).map(str::to_owned).collect::<Vec<_>>();
        for part in parts.iter_mut().skip(1) {
            let start = part.find(':').unwrap_or(0) + 1;
            let end = part[start..].find([',', '}']).unwrap_or(0) + start;
            part.replace_range(start..end, "N");
        }
        out = parts.join(&format!("\"{key}"));
    }
    out
}

/// What scripts read on stderr: the lines of `-v` that show heads, the number of an error, whether
/// there were warnings and a meter. The words are each program's own.
fn told(bytes: &[u8]) -> Vec<String> {
    let text = plain(bytes);
    let mut told = Vec::new();
    for line in text.split(['\n', '\r']) {
        let line = line.trim_end_matches("\\n").trim_end_matches("\\r");
        let heads = ["> ", "< ", "=> Send header", "<= Recv", "00"];
        if heads.iter().any(|start| line.starts_with(start)) {
            told.push(line.to_owned());
        } else if line.contains("% Total") {
            told.push("meter".to_owned());
        }
    }
    let errors =
        text.split("curl: (").skip(1).map(|rest| rest.split(')').next().unwrap_or_default());
    told.extend(errors.map(|number| format!("error {number}")));
    if text.contains("Warning: ") {
        told.push("warning".to_owned());
    }
    told
}

/// The system's curl, if it is 7.88, and the one that `UNIX_HTTP_TEST_CURL` names, if it is 8.14.
fn curl(major: u8) -> Option<PathBuf> {
    let (path, starts) = match major {
        7 => {
            let dirs = std::env::var_os("PATH")?;
            let mut paths = std::env::split_paths(&dirs).map(|dir| dir.join("curl"));
            (paths.find(|path| path.exists())?, &b"curl 7.88.1 "[..])
        }
        _ => (PathBuf::from(std::env::var_os("UNIX_HTTP_TEST_CURL")?), &b"curl 8.14.1 "[..]),
    };
    let version = Command::new(&path).arg("--version").output().ok()?;
    version.stdout.starts_with(starts).then_some(path)
}

#[test]
fn side_by_side_with_7_88() {
    match curl(7) {
        Some(curl) => side_by_side(&curl, 7),
        None => left_out("curl 7.88.1 is not installed"),
    }
}

#[test]
fn side_by_side_with_8_14() {
    match curl(8) {
        Some(curl) => side_by_side(&curl, 8),
        None => left_out("UNIX_HTTP_TEST_CURL names no curl 8.14.1; .ci/curl unpacks one"),
    }
}

/// Says so on stderr itself: the test harness swallows what `eprintln!` writes.
fn left_out(why: &str) {
    _ = writeln!(std::io::stderr(), "left out of cli: command lines side by side: {why}");
}

fn side_by_side(curl: &Path, major: u8) {
    let ucurl = PathBuf::from(env!("CARGO_BIN_EXE_ucurl"));
    let lines = lines();
    let next = AtomicUsize::new(0);
    let failures: Vec<String> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..12)
            .map(|_| {
                let (lines, next, ucurl) = (&lines, &next, &ucurl);
                scope.spawn(move || {
                    let (theirs, ours) = (Place::new(), Place::new());
                    let mut failures = Vec::new();
                    while let Some(line) = lines.get(next.fetch_add(1, Ordering::SeqCst)) {
                        failures.extend(compare(line, major, || {
                            std::thread::scope(|scope| {
                                let ours = scope.spawn(|| ours.run(ucurl, line));
                                (theirs.run(curl, line), ours.join().unwrap())
                            })
                        }));
                    }
                    failures
                })
            })
            .collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    assert!(lines.len() >= 200);
    println!("{} command lines, {} differ otherwise than they should", lines.len(), failures.len());
    assert!(
        failures.is_empty(),
        "{}\n{} of {} lines",
        failures.join("\n"),
        failures.len(),
        lines.len()
    );
}

/// What differs each time. Once only differs what depends on who is faster: whether a peer that
/// dies has died before it is written to, and how much of an upload went out before it was refused.
fn compare(line: &Line, major: u8, run: impl Fn() -> (Outcome, Outcome)) -> Option<String> {
    let mut failure = None;
    let why = line.differs.as_ref().filter(|(_, from)| from.contains(&major));
    let why = why.map(|(why, _)| why.as_str());
    for _ in 0..5 {
        let (curl, ucurl) = run();
        if (curl == ucurl) != why.is_some() {
            if let Some(once) = failure {
                println!("not every time: {once}");
            }
            return None;
        }
        failure = Some(report(&line.text, why, &curl, &ucurl));
    }
    failure
}

fn report(line: &str, why: Option<&str>, curl: &Outcome, ucurl: &Outcome) -> String {
    let mut out = format!("\n==== {line}\n");
    if let Some(why) = why {
        return out + &format!("is the same, and should differ because {why}\n{curl:?}\n");
    }
    let mut part = |name: &str, theirs: String, ours: String| {
        if theirs != ours {
            out.push_str(&format!("-- {name}\ncurl:  {theirs}\nucurl: {ours}\n"));
        }
    };
    part("exit", format!("{:?}", curl.exit), format!("{:?}", ucurl.exit));
    part("requests", curl.requests.join("|\n"), ucurl.requests.join("|\n"));
    part("stdout", curl.stdout.clone(), ucurl.stdout.clone());
    part("files", format!("{:#?}", curl.files), format!("{:#?}", ucurl.files));
    part("stderr", curl.stderr.join("\n"), ucurl.stderr.join("\n"));
    out
}

fn ucurl(args: &[&str]) -> std::process::Output {
    // Flags that name files find /dev/null in the place of a file.
    Command::new(env!("CARGO_BIN_EXE_ucurl"))
        .args(args)
        .current_dir("/dev")
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// The rows of the table: a flag as it is written, and its second line.
fn table() -> Vec<(&'static str, Vec<&'static str>)> {
    rows()
        .windows(2)
        .filter(|two| two[0].starts_with('-'))
        .map(|two| (two[0], two[1].split(' ').collect()))
        .collect()
}

fn long(shown: &str) -> &str {
    let name = shown.split("--").nth(1).unwrap_or_default();
    name.split([' ', '[']).next().unwrap_or_default()
}

#[test]
fn unsupported_flags_are_rejected_by_name_in_one_line() {
    let mut refused = 0;
    for (shown, words) in table() {
        if !matches!(words[1], "out" | "newer") {
            continue;
        }
        let flag = format!("--{}", long(shown));
        let takes = matches!(words[0], "text" | "file");
        let args = if takes { vec![flag.as_str(), "value", "/"] } else { vec![flag.as_str(), "/"] };
        let output = ucurl(&args);
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{shown}: {told}");
        assert!(output.stdout.is_empty() && told.lines().count() == 1, "{shown}: {told}");
        assert!(told.contains(&flag) && told.contains("is not supported: "), "{shown}: {told}");
        refused += 1;
        if let [b'-', letter, b','] = shown.as_bytes()[..3] {
            let flag = format!("-{}", letter as char);
            let output = ucurl(&[&flag, "value", "/"]);
            assert_eq!(output.status.code(), Some(2), "{flag}");
        }
    }
    assert!(refused > 150, "{refused}");
}

#[test]
fn every_supported_flag_is_known() {
    for (shown, words) in table() {
        if matches!(words[1], "out" | "newer") {
            continue;
        }
        let flag = format!("--{}", long(shown));
        let takes = matches!(words[0], "text" | "file");
        // No URL: the line is read to its end and nothing is transferred.
        let value = if words[0] == "file" { "null" } else { "1" };
        let args = if takes { vec![flag.as_str(), value] } else { vec![flag.as_str()] };
        let told = String::from_utf8_lossy(&ucurl(&args).stderr).into_owned();
        assert!(!told.contains("is unknown"), "{shown}: {told}");
    }
}

#[test]
fn help_manual_man_page_and_completions_have_every_flag() {
    let texts: Vec<String> =
        [["-h", "all"], ["--manual", "x"], ["--generate", "man"], ["--generate", "bash"]]
            .iter()
            .chain(&[["--generate", "zsh"], ["--generate", "fish"]])
            .map(|args| {
                let output = ucurl(args);
                assert!(output.status.success() && output.stderr.is_empty(), "{args:?}");
                String::from_utf8(output.stdout).unwrap()
            })
            .collect();
    for (shown, words) in table() {
        let name = long(shown);
        for (number, text) in texts.iter().enumerate() {
            // Completions offer what is in; help lists what is in.
            let out = matches!(words[1], "out" | "newer");
            if out && !matches!(number, 1 | 2) {
                continue;
            }
            let text = text.replace("\\-", "-");
            assert!(
                text.contains(&format!("--{name}")) || text.contains(&format!("-l {name}")),
                "{shown} in {number}"
            );
        }
    }
}

#[test]
fn categories_and_single_flags_have_help() {
    let categories = String::from_utf8(ucurl(&["-h", "category"]).stdout).unwrap();
    let names: Vec<&str> =
        categories.lines().skip(1).filter_map(|line| line.trim().split(':').next()).collect();
    assert!(names.contains(&"http") && names.contains(&"docker"));
    for name in names {
        let help = String::from_utf8(ucurl(&["-h", name]).stdout).unwrap();
        assert!(help.lines().count() > 2, "{name}: {help}");
    }
    let one = String::from_utf8(ucurl(&["-h", "-o"]).stdout).unwrap();
    assert!(one.contains("--output <file>"));
    let out = String::from_utf8(ucurl(&["-h", "cacert"]).stdout).unwrap();
    assert!(out.contains("TLS"));
    assert!(String::from_utf8(ucurl(&["-V"]).stdout).unwrap().starts_with("ucurl "));
}

/// Somebody who reads only the beginning, as `head -c1` does.
#[test]
fn a_reader_that_goes_away_ends_it_quietly() {
    let place = Place::new();
    let mut child = Command::new(env!("CARGO_BIN_EXE_ucurl"))
        .args(["-sS", "--unix-socket"])
        .arg(place.dir.join("s"))
        .arg("http://d/endless")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(
        (output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()),
        (Some(23), "")
    );
}

/// Arguments and file names are bytes.
#[test]
fn what_is_not_utf8_goes_through() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let programs = [curl(7), curl(8), Some(PathBuf::from(env!("CARGO_BIN_EXE_ucurl")))];
    let seen: Vec<_> = programs
        .iter()
        .flatten()
        .map(|program| {
            let place = Place::new();
            let output = Command::new(program)
                .args(["-s", "-A", "x", "--unix-socket"])
                .arg(place.dir.join("s"))
                .args(
                    [
                        &b"-H"[..],
                        b"X: \xff\xfe",
                        b"-d",
                        b"\x80=\x81",
                        b"-o",
                        b"out\xff",
                        b"http://d/\xfd?\xfc",
                    ]
                    .map(OsStr::from_bytes),
                )
                .current_dir(place.dir.path())
                .output()
                .unwrap();
            let text = std::fs::read(place.dir.path().join(OsStr::from_bytes(b"out\xff")))
                .unwrap_or_default();
            (output.status.code(), place.server.take().1, text)
        })
        .collect();
    let (exit, request, file) = seen.last().unwrap();
    assert_eq!((*exit, file.as_slice()), (Some(0), &b"ok\n"[..]));
    let parts: [&[u8]; 3] =
        [b"POST /%fd?\xfc HTTP/1.1\r\n", b"X: \xff\xfe\r\n", b"\r\n\r\n\x80=\x81"];
    for part in parts {
        assert!(
            request.windows(part.len()).any(|window| window == part),
            "{}",
            request.escape_ascii()
        );
    }
    assert!(seen.iter().all(|one| one == seen.last().unwrap()));
}
