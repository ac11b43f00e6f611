//! Kills a dockerd of the test's own in the middle of wait, logs, attach, build, load and events,
//! and starts it again.
//!
//! Everything that arrived before is delivered. A response that is cut short causes one line on
//! stderr and curl's exit code. The next request works, even from a client that kept a connection
//! to the killed engine.

use crate::support::child::{Ended, run, ucurl};
use crate::support::fake::url;
use crate::support::live::Live;
use crate::support::needs;
use crate::support::tar;
use crate::support::temp::TempDir;
use std::fs::{self, File};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use unix_http::Client;

const LIMIT: Duration = Duration::from_secs(120);

/// A dockerd in a directory of its own, with the image busybox.
struct Own {
    dir: TempDir,
    dockerd: PathBuf,
    running: Option<Child>,
}

impl Own {
    fn start() -> Option<Own> {
        // Without an engine in the environment, this test starts none.
        needs::docker()?;
        needs::root()?;
        let dockerd = needs::program("dockerd")?;
        let busybox = fs::read(needs::program("busybox")?).expect("a program");
        // A program that needs a loader cannot be the only file of an image (elf(5), PT_INTERP).
        if busybox.windows(4).take(4096).any(|four| four == b"/ld-") {
            return needs::left_out("a static busybox", "install busybox-static");
        }
        let mut own = Own { dir: TempDir::new(), dockerd, running: None };
        if !own.run() {
            return needs::left_out(
                "a dockerd of its own",
                &format!("it does not start here: {}", own.last_words()),
            );
        }
        own.asks(
            &["-f", "-T", "-", "-X", "POST", "/images/create?fromSrc=-&repo=own"],
            &image(&busybox),
        )
        .success();
        Some(own)
    }

    fn socket(&self) -> PathBuf {
        self.dir.join("s")
    }

    /// Starts dockerd. Returns whether it answers.
    fn run(&mut self) -> bool {
        let log =
            File::options().create(true).append(true).open(self.dir.join("log")).expect("a file");
        // A killed dockerd leaves its pid file behind, and the next one would refuse to start.
        let _ = fs::remove_file(self.dir.join("pid"));
        let mut command = Command::new(&self.dockerd);
        command
            .arg("--data-root")
            .arg(self.dir.place().join("data"))
            .arg("--exec-root")
            .arg(self.dir.join("run"));
        command.arg("--pidfile").arg(self.dir.join("pid")).arg("-H").arg(url(&self.socket()));
        command.args(["--iptables=false", "--ip6tables=false", "--bridge=none"]);
        let errors = log.try_clone().expect("a file");
        command.stdin(Stdio::null()).stdout(log).stderr(errors);
        let mut child = command.spawn().expect("dockerd");
        let begun = Instant::now();
        let up = loop {
            if Client::unix(self.socket())
                .get("/_ping")
                .send()
                .is_ok_and(|response| response.status() == 200)
            {
                break true;
            }
            if child.try_wait().expect("a child").is_some() || begun.elapsed() > LIMIT {
                break false;
            }
            thread::sleep(Duration::from_millis(20));
        };
        self.running = Some(child);
        up
    }

    fn last_words(&self) -> String {
        let log = fs::read_to_string(self.dir.join("log")).unwrap_or_default();
        log.lines().next_back().unwrap_or_default().to_owned()
    }

    fn kill(&mut self) {
        let mut child = self.running.take().expect("it runs");
        child.kill().expect("SIGKILL");
        child.wait().expect("a child");
        // Its containerd is killed with it (prctl(2), PR_SET_PDEATHSIG). The next dockerd starts no
        // containerd while it sees the old one.
        let file = self.dir.join("run/containerd/containerd.pid");
        let pid = fs::read_to_string(&file).unwrap_or_default();
        let begun = Instant::now();
        while alive(pid.trim()) && begun.elapsed() < LIMIT {
            thread::sleep(Duration::from_millis(5));
        }
        let _ = fs::remove_file(file);
    }

    fn ucurl(&self, arguments: &[&str]) -> Command {
        let mut command = ucurl();
        command.env("DOCKER_HOST", url(&self.socket())).arg("-sS").args(arguments);
        command
    }

    fn asks(&self, arguments: &[&str], stdin: &[u8]) -> Ended {
        run(&mut self.ucurl(arguments), stdin, LIMIT)
    }

    fn says(&self, arguments: &[&str]) -> String {
        self.asks(arguments, b"").success().trim_end().to_owned()
    }

    /// Creates a container that runs this script.
    fn container(&self, name: &str, script: &str) {
        let host = r#""HostConfig":{"NetworkMode":"none"}"#;
        let json = format!(r#"{{"Image":"own","Cmd":["/busybox","sh","-c","{script}"],{host}}}"#);
        self.says(&["-f", "--json", &json, &format!("/containers/create?name={name}")]);
        self.says(&["-f", "-X", "POST", &format!("/containers/{name}/start")]);
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        if let (Some(mut child), Some(kill)) = (self.running.take(), needs::program("kill")) {
            // dockerd ends its containers and unmounts their file systems.
            let _ = Command::new(kill).arg(child.id().to_string()).status();
            let begun = Instant::now();
            while matches!(child.try_wait(), Ok(None)) && begun.elapsed() < LIMIT {
                thread::sleep(Duration::from_millis(20));
            }
            let _ = child.kill();
            let _ = child.wait();
        }
        // After a failed test: a process with this directory on its command line belongs to it.
        let mine = self.dir.place().to_string_lossy().into_owned() + "/";
        for pid in processes_of(&mine) {
            let _ = Command::new("kill").args(["-KILL", &pid]).stderr(Stdio::null()).status();
        }
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
        let mut below: Vec<&str> =
            mounts.lines().filter_map(|line| line.split(' ').nth(4)).collect();
        below.retain(|path| path.starts_with(&mine));
        below.sort_unstable();
        for path in below.iter().rev() {
            let _ = Command::new("umount").args(["-l", path]).stderr(Stdio::null()).status();
        }
    }
}

fn processes_of(text: &str) -> Vec<String> {
    let all = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = all.filter_map(|entry| entry.file_name().into_string().ok());
    pids.filter(|pid| {
        pid.bytes().all(|byte| byte.is_ascii_digit()) && *pid != std::process::id().to_string()
    })
    .filter(|pid| {
        fs::read(Path::new("/proc").join(pid).join("cmdline"))
            .is_ok_and(|line| contains(&line, text))
    })
    .collect()
}

/// Returns whether the process runs. A zombie does not.
fn alive(pid: &str) -> bool {
    let stat = fs::read_to_string(Path::new("/proc").join(pid).join("stat")).unwrap_or_default();
    !pid.is_empty()
        && stat
            .rsplit(") ")
            .next()
            .is_some_and(|state| !state.is_empty() && !state.starts_with('Z'))
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|part| part == text.as_bytes())
}

/// Returns a tar archive with one executable program.
fn image(busybox: &[u8]) -> Vec<u8> {
    let mut archive = tar::archive("busybox", busybox);
    archive[100..107].copy_from_slice(b"0000755");
    archive[148..156].fill(b' ');
    let sum: u32 = archive[..512].iter().map(|&byte| u32::from(byte)).sum();
    archive[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    archive
}

/// Checks that the program ended with one of these codes and printed one line on stderr.
#[track_caller]
fn broke(live: Live, codes: &[i32]) -> Ended {
    let ended = live.end();
    let said = ended.stderr();
    assert!(codes.contains(&ended.code), "{}: {said}", ended.code);
    assert!(said.starts_with("ucurl: (") && said.trim_end().lines().count() == 1, "{said:?}");
    println!("{}: {}", ended.code, said.trim_end());
    ended
}

#[test]
fn a_killed_engine_is_reported_and_used_again_after_its_restart() {
    let Some(mut own) = Own::start() else { return };
    own.container("talks", "echo tick; exec /busybox sleep 60");
    own.container("sleeps", "exec /busybox sleep 60");
    let client = Client::unix(own.socket());
    assert_eq!(client.get("/_ping").send().expect("an answer").text().expect("its body"), "OK");

    let wait = Live::start_ucurl(&mut own.ucurl(&["-X", "POST", "/containers/sleeps/wait"]));
    let logs = ["--demux", "/containers/talks/logs?follow=1&stdout=1"];
    let mut logs = Live::start_ucurl(&mut own.ucurl(&logs));
    let attach = ["--hijack", "--demux", "/containers/talks/attach?stream=1&logs=1&stdout=1"];
    let mut attach = Live::start_ucurl(&mut own.ucurl(&attach));
    let events = Live::start_ucurl(&mut own.ucurl(&["/events"]));
    let build = [
        "-H",
        "Content-Type: application/x-tar",
        "-X",
        "POST",
        "-T",
        "-",
        "/build?networkmode=none",
    ];
    let mut build = Live::start(&mut own.ucurl(&build));
    let dockerfile =
        b"FROM own\nRUN [\"/busybox\", \"sh\", \"-c\", \"echo step; exec /busybox sleep 60\"]\n";
    build.send(tar::archive("Dockerfile", dockerfile));
    build.close();
    let mut load = Live::start(&mut own.ucurl(&["-X", "POST", "-T", "-", "/images/load"]));
    // More than the socket's buffers hold: once it is written, the engine has read some of it.
    load.send(tar::header("layer", 1 << 30));
    load.send(vec![b'x'; 4 << 20]);
    logs.says("tick\n");
    attach.says("tick\n");
    let streamed = build.says("{\"stream\":\"step\\n\"}");

    own.kill();
    let ended = broke(wait, &[18, 56]);
    assert_eq!(ended.stdout(), "");
    let ended = broke(logs, &[18, 56]);
    assert_eq!(ended.stdout(), "tick\n");
    broke(events, &[18, 56]);
    let ended = broke(build, &[18, 56]);
    assert!(
        ended.stdout().starts_with(&streamed),
        "what came before the end is there: {}",
        ended.stdout()
    );
    // No response came. Whether the write or the read fails first is a matter of chance.
    broke(load, &[52, 55, 56]);
    // A tunnel has no end but that of the connection.
    let ended = attach.end();
    assert!(
        [0, 56].contains(&ended.code) && ended.stdout() == "tick\n",
        "{}: {}",
        ended.code,
        ended.stderr()
    );

    // While no engine runs: an error in one line, for a script and for a client with an old
    // connection.
    UnixStream::connect(own.socket()).expect_err("nobody listens");
    let ended = own.asks(&["/_ping"], b"");
    assert_eq!((ended.code, ended.stdout().as_str()), (7, ""), "{}", ended.stderr());
    assert!(ended.stderr().contains("no process is listening"), "{}", ended.stderr());
    client.get("/_ping").send().expect_err("nobody listens");
    let patient = ["--retry", "100", "--retry-delay", "1", "--retry-connrefused", "/_ping"];
    let patient = Live::start(&mut own.ucurl(&patient));

    assert!(own.run(), "it comes back: {}", own.last_words());
    let ended = patient.end();
    assert_eq!((ended.code, ended.stdout().as_str()), (0, "OK"), "{}", ended.stderr());
    assert_eq!(client.get("/_ping").send().expect("an answer").text().expect("its body"), "OK");
    // The containers of before are reported as ended, and new containers run.
    own.container("after", "echo tock; exit 7");
    assert_eq!(own.says(&["-X", "POST", "--select", "/StatusCode", "/containers/after/wait"]), "7");
    assert_eq!(own.says(&["--demux", "/containers/after/logs?stdout=1"]), "tock");
    assert_eq!(
        own.says(&["-f", "-X", "POST", "/containers/talks/wait", "--select", "/StatusCode"]).len(),
        3
    );
}
