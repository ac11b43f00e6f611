//! Every command in the README, in the recipes and at the head of every example is run, and what it
//! prints is compared.
//!
//! One format for all of them, a fenced block that begins with the word `console`:
//!
//! ````text
//! ```console engine
//! $ ucurl -s /_ping
//! OK
//! ```
//! ````
//!
//! - A line that begins with `$ ` is a command for `sh`; the lines below it are all it prints,
//!   standard error included, in the pattern language of `support/pattern.rs`. A backslash at the
//!   end of a line goes on in the next, and a here-document (`<<END` or `<<'END'`) up to its end.
//! - The commands of a block share one shell: variables and background jobs live on. Below a
//!   command that ends in `&` stands what it says before the next one may start. Jobs are ended
//!   with the block.
//! - Each command has to succeed. To show a failure, write `; echo $?` after it.
//! - The working directory is the repository, `TMPDIR` a private directory, and `ucurl` the one
//!   just built.
//!
//! The words after `console` say what the block needs:
//!
//! | word | meaning |
//! |---|---|
//! | `engine` | `DOCKER_HOST` is an engine with the image `busybox`: run on the demonstration engine and on a real dockerd |
//! | `docker` | the same, on a real dockerd only |
//! | `podman` | the same, on podman's service only |
//! | `root` | the user has to be root |
//! | `slow` | run only where nothing may be left out: `UNIX_HTTP_TEST_STRICT` |
//! | `NAME` | a program that has to be there: `jq`, `socat`, `curl` ... |
//! | `target=TRIPLE` | rustc has this target's standard library (`rustup target add`); left out where it does not, always |
//! | `ci` | not run here: `.ci/run` runs it |
//! | `hand` | not run: it takes hours, or installs things |
//!
//! No command is anywhere else: a line that begins with `$ ` in another block, or in a comment in
//! `src/`, fails.

use crate::support::demo::{self, Demo};
use crate::support::temp::TempDir;
use crate::support::{needs, pattern};
use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

/// A command may have to compile what it runs.
const LIMIT: Duration = Duration::from_secs(300);

/// A fenced `console` block.
struct Block {
    place: String,
    words: Vec<String>,
    steps: Vec<Step>,
}

/// A command and what it prints.
struct Step {
    command: String,
    expected: String,
}

/// Cargo runs a test in its package's directory.
fn repository() -> &'static Path {
    Path::new(".")
}

/// All files below a directory whose names end so, in order.
fn files(dir: &Path, end: &str) -> Vec<PathBuf> {
    let mut entries: Vec<PathBuf> = fs::read_dir(dir)
        .expect("a directory")
        .map(|entry| entry.expect("its entry").path())
        .collect();
    entries.sort();
    let found = entries.into_iter().flat_map(|path| match path.is_dir() {
        true => files(&path, end),
        false => vec![path],
    });
    found.filter(|path| path.extension().is_some_and(|found| found == end)).collect()
}

/// The README, the examples and the pages of the tests, as Markdown.
fn documents() -> Vec<(String, String)> {
    let read = |path: &Path| {
        fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    };
    let mut documents = vec![("README.md".to_owned(), read(&repository().join("README.md")))];
    let (examples, tests) = (repository().join("examples"), repository().join("tests"));
    for path in files(&examples, "md").iter().chain(&files(&tests, "md")) {
        documents.push((path.display().to_string(), read(path)));
    }
    for path in files(&examples, "rs").iter().filter(|path| path.parent() == Some(&examples)) {
        let head: String = read(path)
            .lines()
            .map_while(|line| line.strip_prefix("//!"))
            .fold(String::new(), |head, line| head + line.strip_prefix(' ').unwrap_or(line) + "\n");
        let name = path.strip_prefix(repository()).unwrap_or(path);
        documents.push((name.display().to_string(), head));
    }
    documents
}

fn blocks(name: &str, text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut lines = text.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        let Some(info) = line.strip_prefix("```") else { continue };
        let inside =
            lines.by_ref().map(|(_, line)| line).take_while(|line| !line.starts_with("```"));
        let inside: Vec<&str> = inside.collect();
        let mut words = info.split_whitespace().map(str::to_owned);
        let place = format!("{name}:{}", number + 1);
        match words.next().as_deref() {
            Some("console") => {
                blocks.push(Block { steps: steps(&inside, &place), words: words.collect(), place })
            }
            Some("rust" | "text" | "toml" | "json" | "http" | "abnf" | "ini" | "dockerfile") => {
                assert!(
                    !inside.iter().any(|line| line.starts_with("$ ")),
                    "{place}: commands belong in ```console"
                );
            }
            other => panic!(
                "{place}: a block of {other:?}: commands belong in ```console, other text in ```text"
            ),
        }
    }
    blocks
}

fn steps(lines: &[&str], place: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for line in lines {
        match (line.strip_prefix("$ "), steps.last_mut()) {
            (Some(command), _) => {
                steps.push(Step { command: command.to_owned(), expected: String::new() })
            }
            (None, Some(step))
                if step.command.ends_with('\\') || in_here_document(&step.command) =>
            {
                step.command += &format!("\n{line}")
            }
            (None, Some(step)) => step.expected += &format!("{line}\n"),
            (None, None) => panic!("{place}: a console block begins with a command: `$ ...`"),
        }
    }
    steps
}

fn in_here_document(command: &str) -> bool {
    command.lines().next().is_some_and(|line| line.contains("<<'END'") || line.contains("<<END"))
        && !command.ends_with("\nEND")
}

/// What DOCKER_HOST names while a block runs.
enum Host {
    Nothing,
    Real(PathBuf),
    Demo(Demo),
}

impl Host {
    fn socket(&self) -> Option<PathBuf> {
        match self {
            Host::Nothing => None,
            Host::Real(socket) => Some(socket.clone()),
            Host::Demo(demo) => Some(demo.socket()),
        }
    }
}

/// What a block is run with, in turn: nothing if something it needs is not here.
fn hosts(block: &Block) -> Vec<Host> {
    let mut hosts = vec![];
    let mut alone = true;
    for word in &block.words {
        alone &= !matches!(word.as_str(), "engine" | "docker" | "podman" | "ci" | "hand");
        match word.as_str() {
            "ci" | "hand" => {}
            target if target.starts_with("target=") => match has_target(&target["target=".len()..])
            {
                true => {}
                false => {
                    println!("docs: {} is left out: no {target} (rustup target add)", block.place);
                    return vec![];
                }
            },
            "docker" => hosts.extend(needs::docker().map(Host::Real)),
            "podman" => hosts.extend(needs::podman().map(Host::Real)),
            "engine" => {
                hosts.extend(demo::LANDED.then(|| Host::Demo(Demo::start())));
                hosts.extend(needs::docker().map(Host::Real));
            }
            "slow" if std::env::var_os("UNIX_HTTP_TEST_STRICT").is_none() => return vec![],
            "slow" => {}
            "root" if needs::root().is_none() => return vec![],
            "root" => {}
            program if needs::program(program).is_none() => return vec![],
            _ => {}
        }
    }
    if alone {
        hosts.push(Host::Nothing);
    }
    hosts
}

/// Whether rustc has a target's standard library.
fn has_target(target: &str) -> bool {
    let asked =
        Command::new("rustc").args(["--print", "target-libdir", "--target", target]).output();
    asked.is_ok_and(|asked| Path::new(String::from_utf8_lossy(&asked.stdout).trim()).is_dir())
}

/// One `sh`, fed command by command.
struct Shell {
    child: Child,
    output: Receiver<Vec<u8>>,
    _dir: TempDir,
}

/// Printed after each command, with its exit status.
const MARK: &str = "-- end of command:";

impl Shell {
    fn start(host: Option<&Path>) -> io::Result<Shell> {
        let dir = TempDir::new();
        let (reader, writer) = io::pipe()?;
        let ucurl = Path::new(env!("CARGO_BIN_EXE_ucurl")).parent().unwrap_or(Path::new("."));
        let path = format!("{}:{}", ucurl.display(), std::env::var("PATH").unwrap_or_default());
        let mut sh = Command::new("sh");
        sh.stdin(Stdio::piped())
            .stdout(writer.try_clone()?)
            .stderr(writer)
            .current_dir(repository());
        sh.env("PATH", path)
            .env("TMPDIR", dir.path())
            .env("DOCKER_CONFIG", dir.path())
            .env_remove("DOCKER_CONTEXT");
        match host {
            Some(socket) => sh.env("DOCKER_HOST", crate::support::fake::url(socket)),
            None => sh.env_remove("DOCKER_HOST"),
        };
        // A group of its own, so that background jobs can be ended with it.
        let child = sh.process_group(0).spawn()?;
        drop(sh);
        let (sender, output) = channel();
        thread::spawn(move || {
            let mut reader = BufReader::new(reader);
            let mut line = Vec::new();
            while reader.read_until(b'\n', &mut line).is_ok_and(|count| count > 0) {
                if sender.send(std::mem::take(&mut line)).is_err() {
                    return;
                }
            }
        });
        Ok(Shell { child, output, _dir: dir })
    }

    /// Runs one command and compares. A command in the background is given time to say what is
    /// expected of it.
    fn run(&mut self, step: &Step) -> Result<(), String> {
        let stdin = self.child.stdin.as_mut().ok_or("the shell's input is closed")?;
        let script = format!("{{ {}\n}} </dev/null\nprintf '\\n{MARK} %d\\n' $?\n", step.command);
        stdin.write_all(script.as_bytes()).map_err(|error| error.to_string())?;

        let background = step.command.ends_with('&');
        let mut output = String::new();
        let mut status = None;
        let end = Instant::now() + LIMIT;
        loop {
            let compared = pattern::check(&step.expected, &output);
            if status.is_some() && (!background || compared.is_ok()) {
                return match status.as_deref() {
                    Some("0") => compared,
                    other => Err(format!("exit status {}\n{output}", other.unwrap_or("unknown"))),
                };
            }
            match self.output.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(line) => match String::from_utf8_lossy(&line).strip_prefix(MARK) {
                    Some(code) => {
                        status = Some(code.trim().to_owned());
                        // The line end before the mark is ours.
                        output.truncate(output.len().saturating_sub(1));
                    }
                    None => output += &String::from_utf8_lossy(&line),
                },
                Err(RecvTimeoutError::Timeout) => {
                    return Err(format!("not done after {LIMIT:?}\n{output}"));
                }
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(format!("the shell ended\n{output}"));
                }
            }
        }
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        let kill = format!("kill -s TERM -- -{}", self.child.id());
        let _ = Command::new("sh").arg("-c").arg(kill).stderr(Stdio::null()).status();
        let _ = self.child.wait();
    }
}

fn run(block: &Block, host: &Host) -> Result<(), String> {
    let host = host.socket();
    let host = host.as_deref();
    // The lessons create a container by its name, so one at a time, from and to a clean engine.
    let _engine = host.map(Lesson::on).transpose().map_err(|error| error.to_string())?;
    let mut shell = Shell::start(host).map_err(|error| error.to_string())?;
    let on = host.map(|host| format!(" (on {})", host.display())).unwrap_or_default();
    block.steps.iter().try_for_each(|step| {
        shell.run(step).map_err(|why| format!("{}{on}\n$ {}\n{why}", block.place, step.command))
    })
}

/// The lessons' turn on an engine: the directory of its socket locked, and without their container
/// before and after.
struct Lesson<'a> {
    socket: &'a Path,
    _lock: fs::File,
}

impl<'a> Lesson<'a> {
    #[allow(clippy::incompatible_msrv, reason = "CI runs this with the newest compiler only")]
    fn on(socket: &'a Path) -> io::Result<Self> {
        let lock = fs::File::open(socket.parent().unwrap_or(Path::new("/")))?;
        lock.lock()?;
        let lesson = Lesson { socket, _lock: lock };
        lesson.clean()?;
        Ok(lesson)
    }

    fn clean(&self) -> io::Result<()> {
        let mut stream = std::os::unix::net::UnixStream::connect(self.socket)?;
        stream
            .write_all(b"DELETE /containers/mypy?force=1 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        stream.read_to_end(&mut Vec::new()).map(drop)
    }
}

impl Drop for Lesson<'_> {
    fn drop(&mut self) {
        let _ = self.clean();
    }
}

#[test]
fn every_command_prints_what_the_documents_say() {
    let blocks: Vec<Block> =
        documents().iter().flat_map(|(name, text)| blocks(name, text)).collect();
    assert!(
        blocks.iter().any(|block| block.place.starts_with("README.md")),
        "no command in the README"
    );
    let mut failed = Vec::new();
    for block in &blocks {
        for host in hosts(block) {
            failed.extend(run(block, &host).err());
        }
    }
    assert!(
        failed.is_empty(),
        "{} of {} blocks\n\n{}",
        failed.len(),
        blocks.len(),
        failed.join("\n\n")
    );
}

#[test]
fn every_example_is_a_lesson() {
    for (name, head) in documents()
        .iter()
        .filter(|(name, _)| name.starts_with("examples/") && name.ends_with(".rs"))
    {
        assert!(head.starts_with("# "), "{name}: begins with a title");
        assert!(!blocks(name, head).is_empty(), "{name}: no ```console block with its command");
        assert!(head.contains("RFC 9"), "{name}: names no section to read");
        assert!(head.contains("Exercise: "), "{name}: no exercise");
    }
}

#[test]
fn no_command_hides_in_a_comment() {
    for path in files(&repository().join("src"), "rs") {
        let text = fs::read_to_string(&path).expect("a source");
        let hidden = text
            .lines()
            .find(|line| line.trim_start().trim_start_matches("//").starts_with("! $ "));
        assert_eq!(hidden, None, "{}", path.display());
    }
}

/// The README's tables of flags are taken from the table of flags.
#[test]
fn every_flag_is_in_the_readme() {
    let readme = fs::read_to_string(repository().join("README.md")).expect("the README");
    let made = fs::read_to_string(repository().join("tests/cli/curl/FLAGS.md"))
        .expect("the table of flags");
    let (_, table) = made.split_once("\n## In\n").expect("those that are in");
    let table = table.split("\n## ").next().unwrap_or_default();
    let mut count = 0;
    for row in table.lines().filter_map(|line| line.strip_prefix("| `")) {
        let (shown, rest) = row.split_once("` | ").expect("a flag");
        let (help, differs) = rest.split_once(" | ").expect("what it does");
        count += 1;
        let wanted = match differs.starts_with("ucurl's own") {
            true => format!("| `{shown}` | {help} |"),
            false => format!("`{}`", shown.split(" <").next().unwrap_or(shown)),
        };
        assert!(readme.contains(&wanted), "not in the README: {wanted}");
    }
    assert!(count > 80, "{count}");
}

#[test]
fn the_pattern_language() {
    let fits = [
        ("", ""),
        ("a\n", "a\r\n"),
        ("…", ""),
        ("…\n", "a\nb\n"),
        ("a\n…\nd", "a\nd"),
        ("a\n…\nd", "a\nd\nc\nd"),
        ("Date: …", "Date: today"),
        ("{\"Id\":\"…\",…}", "{\"Id\":\"12\",\"Warnings\":[]}"),
        ("…b…", "abc"),
    ];
    for (pattern, text) in fits {
        assert_eq!(pattern::check(pattern, text), Ok(()), "{pattern:?} on {text:?}");
    }
    let misfits = [
        ("", "a"),
        ("a", ""),
        ("a", "b"),
        ("a", "a\nb"),
        ("a…", "ba"),
        ("a\n…\nd", "a\nb\nd\ne"),
        ("x…x", "x"),
        ("a b", "a  b"),
    ];
    for (pattern, text) in misfits {
        assert!(pattern::check(pattern, text).is_err(), "{pattern:?} on {text:?}");
    }
}

#[test]
fn a_wrong_document_is_caught() {
    let wrong = [
        ("```console\n$ echo one\ntwo\n```", "line 1 does not fit: \"one\""),
        ("```console\n$ echo one\n```", "line 1 does not fit: \"one\""),
        ("```console\n$ true\none\n```", "(the end)"),
        ("```console\n$ false\n```", "exit status 1"),
        ("```console\n$ echo oh >&2\nno\n```", "line 1 does not fit: \"oh\""),
        ("```console\n$ A=1\n$ echo $A\n2\n```", "line 1 does not fit: \"1\""),
        ("```console\n$ exit 3\n```", "the shell ended"),
    ];
    for (text, why) in wrong {
        for block in blocks("text", text) {
            let error = run(&block, &Host::Nothing).expect_err(text);
            assert!(error.contains(why), "{text:?}: {error}");
        }
    }
}
