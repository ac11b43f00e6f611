//! Compares the library with the real docker CLI: which context, which host, and where a connection
//! actually arrives.
//!
//! Needs `docker` (only the client) and, for TLS, `openssl`.

use crate::support::{needs, temp::TempDir};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io::{self, Read, Write};
use std::net::TcpListener;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;
use unix_http::docker::{Daemon, DaemonFlags};
use unix_http::transport::connect;
use unix_http::{Client, Endpoint};

const PATIENCE: Duration = Duration::from_secs(60);

/// A directory with contexts, and a listener at every place that a context or a variable names.
struct World {
    dir: TempDir,
    /// The values of the placeholders in a table.
    names: BTreeMap<&'static str, String>,
    listeners: Vec<Endpoint>,
    arrivals: Receiver<(String, String)>,
    has_openssl: bool,
    /// The release of the CLI, such as 28.2.
    release: (u32, u32),
    case: Cell<u32>,
}

/// Reports where a connection arrived and its first bytes, then answers as an engine does to
/// `/_ping`.
fn serve(
    place: String,
    mut stream: impl Read + Write,
    arrivals: &Sender<(String, String)>,
) -> io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
        if head[0] == 0x16 {
            let _ = arrivals.send((place, "TLS".into()));
            return Ok(());
        }
    }
    let request = String::from_utf8_lossy(&head).lines().next().unwrap_or_default().to_owned();
    let _ = arrivals.send((place, request));
    stream.write_all(
        b"HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    )
}

impl World {
    /// Returns `None` without the docker CLI.
    fn new() -> Option<World> {
        needs::program("docker")?;
        let dir = TempDir::new();
        fs::create_dir_all(dir.join("config")).unwrap();
        let (sender, arrivals) = channel();
        let own_name = dir.path().to_str().unwrap().replace('/', "-");
        let mut names = BTreeMap::from([
            ("{dir}", dir.path().to_str().unwrap().to_owned()),
            ("{abstract}", format!("unix-http{own_name}")),
        ]);
        let mut listeners = Vec::new();
        for name in ["env.sock", "blue.sock", "rel.sock", "a b%20\u{e9}.sock"] {
            let path = dir.join(name);
            listeners.push(Endpoint::Unix(path.clone()));
            listen_unix(
                UnixListener::bind(&path).unwrap(),
                format!("unix {}", path.display()),
                &sender,
            );
        }
        let name = names["{abstract}"].clone();
        let address = SocketAddr::from_abstract_name(&name).unwrap();
        listen_unix(
            UnixListener::bind_addr(&address).unwrap(),
            format!("abstract {name}"),
            &sender,
        );
        listeners.push(Endpoint::Abstract(name.into_bytes()));
        let mut on_tcp = |name, host: &str| -> io::Result<()> {
            let port = listen_tcp(host, &sender)?;
            names.insert(name, port.to_string());
            listeners.push(Endpoint::Tcp { host: host.to_owned(), port });
            Ok(())
        };
        on_tcp("{port}", "127.0.0.1").unwrap();
        on_tcp("{other}", "127.0.0.1").unwrap();
        let _ = on_tcp("{port6}", "::1");
        let mut world = World {
            dir,
            names,
            listeners,
            arrivals,
            has_openssl: false,
            release: (0, 0),
            case: Cell::new(0),
        };
        world.has_openssl = world.make_certificates();
        world.make_ssh();
        world.release = read_release(&world.docker_says(&[], &["--version"]).unwrap());
        Some(world)
    }

    /// Creates a self-signed certificate. The client uses it too, because no handshake gets far
    /// enough to check it.
    fn make_certificates(&self) -> bool {
        if needs::program("openssl").is_none() {
            return false;
        }
        let certs = self.dir.join("certs");
        fs::create_dir_all(&certs).unwrap();
        let made = Command::new("openssl")
            .args([
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
                "-nodes",
                "-days",
                "2",
            ])
            .args(["-subj", "/CN=localhost", "-keyout", "key.pem", "-out", "ca.pem"])
            .current_dir(&certs)
            .stderr(Stdio::null())
            .status();
        fs::create_dir_all(self.dir.join("ca-only")).unwrap();
        made.is_ok_and(|status| status.success())
            && fs::copy(certs.join("ca.pem"), certs.join("cert.pem")).is_ok()
            && fs::copy(certs.join("ca.pem"), self.dir.join("ca-only/ca.pem")).is_ok()
    }

    /// Creates a stand-in for ssh that records its arguments and fails.
    fn make_ssh(&self) {
        self.dir.write_script("bin/ssh", "echo \"$*\" >> \"$ASKED\"\nexit 255\n");
    }

    /// Returns the file with the arguments of ssh. Each case has its own, because the CLI does not
    /// wait for its ssh: one of the last case may still write.
    fn asked(&self) -> PathBuf {
        self.dir.join(&format!("ssh.asked.{}", self.case.get()))
    }

    fn fill(&self, text: &str) -> String {
        self.names.iter().fold(text.to_owned(), |text, (name, value)| text.replace(name, value))
    }

    fn vars(&self, vars: &[(&str, &str)]) -> BTreeMap<String, OsString> {
        let own = [("HOME", "{dir}"), ("DOCKER_CONFIG", "{dir}/config")];
        own.iter()
            .chain(vars)
            .map(|(name, value)| ((*name).to_owned(), self.fill(value).into()))
            .collect()
    }

    /// Runs the docker CLI in the directory, with only these variables.
    fn docker(&self, vars: &[(&str, &str)], arguments: &[&str]) -> Output {
        let path = format!(
            "{}:{}",
            self.dir.join("bin").display(),
            std::env::var("PATH").unwrap_or_default()
        );
        let mut docker = Command::new("docker");
        docker
            .env_clear()
            .envs(self.vars(vars))
            .env("PATH", path)
            .env("ASKED", self.asked())
            .current_dir(self.dir.path())
            .stdin(Stdio::null());
        docker.args(arguments.iter().map(|argument| self.fill(argument))).output().unwrap()
    }

    /// Returns the output of the CLI, or `None` if it fails.
    fn docker_says(&self, vars: &[(&str, &str)], arguments: &[&str]) -> Option<String> {
        let output = self.docker(vars, arguments);
        output
            .status
            .success()
            .then(|| String::from_utf8(output.stdout).unwrap().trim_end().to_owned())
    }

    fn create(&self, name: &str, endpoint: &str) {
        let output = self.docker(&[], &["context", "create", name, "--docker", endpoint]);
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// Returns the first connection since the last call: where it arrived and its first bytes.
    ///
    /// Each listener accepts connections in order. So this makes a connection of its own: all
    /// earlier ones have been reported when that one is.
    fn arrived(&self) -> Option<(String, String)> {
        const OURS: &str = "no more";
        for listener in &self.listeners {
            let mut stream = connect(listener, None).unwrap();
            stream.write_all(format!("{OURS}\r\n\r\n").as_bytes()).unwrap();
        }
        let (mut first, mut ours) = (None, 0);
        while ours < self.listeners.len() {
            let arrival = self.arrivals.recv_timeout(PATIENCE).unwrap();
            match arrival.1 == OURS {
                true => ours += 1,
                false => first = first.or(Some(arrival)),
            }
        }
        first
    }

    /// Returns where `docker version` connects: a listener and the bytes it received, the arguments
    /// of ssh, the address that the CLI could not reach, or an earlier error.
    fn dialled(&self, vars: &[(&str, &str)], flags: &[&str]) -> Result<Vec<String>, String> {
        self.arrived();
        self.case.set(self.case.get() + 1);
        let output = self.docker(vars, &[flags, &["version"]].concat());
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        if let Some((place, request)) = self.arrived() {
            return Ok(vec![place, request]);
        }
        if let Ok(asked) = fs::read_to_string(self.asked()) {
            return Ok(vec!["ssh".into(), asked.lines().next().unwrap_or_default().to_owned()]);
        }
        match said.split_once("Cannot connect to the Docker daemon at ") {
            Some((_, rest)) => {
                Ok(vec!["nobody at".into(), rest.split(". Is the").next().unwrap().to_owned()])
            }
            None => Err(said),
        }
    }

    /// Does the same for our daemon. We would run the real ssh, so only its arguments are compared.
    fn dial(&self, daemon: &Daemon) -> Vec<String> {
        let client = match &daemon.endpoint {
            // Our working directory differs.
            Endpoint::Unix(path) => Client::unix(self.dir.path().join(path)),
            _ => daemon.client().build(),
        };
        self.arrived();
        // The TLS listener does not answer.
        let _ = client.head("/_ping").send();
        let (place, request) = self.arrived().unwrap_or_default();
        vec![place, request]
    }
}

/// `Docker version 28.2.2, build e6534b4`
fn read_release(text: &str) -> (u32, u32) {
    let mut numbers =
        text.trim_start_matches("Docker version ").split('.').map(|number| number.parse().unwrap());
    (numbers.next().unwrap(), numbers.next().unwrap())
}

fn listen_unix(listener: UnixListener, place: String, arrivals: &Sender<(String, String)>) {
    let arrivals = arrivals.clone();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let _ = serve(place.clone(), stream, &arrivals);
        }
    });
}

fn listen_tcp(host: &str, arrivals: &Sender<(String, String)>) -> io::Result<u16> {
    let (listener, arrivals) = (TcpListener::bind((host, 0))?, arrivals.clone());
    let local = listener.local_addr()?;
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let _ = serve(format!("tcp {} {}", local.ip(), local.port()), stream, &arrivals);
        }
    });
    Ok(local.port())
}

fn resolve(world: &World, vars: &[(&str, &str)], flags: &[&str]) -> Result<Daemon, String> {
    let value = |name| {
        let at = flags.iter().position(|flag| *flag == name)?;
        flags.get(at + 1).map(|value| OsString::from(world.fill(value)))
    };
    let flags = DaemonFlags { context: value("--context"), host: value("--host") };
    let vars = world.vars(vars);
    Daemon::resolve_with(&flags, &|name| vars.get(name).cloned()).map_err(|error| error.to_string())
}

/// Returns the host of a daemon in the notation of `DOCKER_HOST`.
fn host_of(daemon: &Daemon) -> String {
    let endpoint = daemon.endpoint.to_string();
    format!("{}{}", endpoint.trim_end_matches(" with TLS"), daemon.prefix)
}

/// Parses the arguments of the CLI's ssh command, in the forms of all its releases.
fn read_ssh(words: &str) -> Endpoint {
    let (options, rest) = words.split_once(" -- ").unwrap();
    let after = |option: &str, words: &str| {
        let mut words = words.split([' ', '=']).skip_while(|word| *word != option);
        words.nth(1).map(str::to_owned)
    };
    let (host, command) = rest.split_once(' ').unwrap();
    let command = command.replace('\'', "");
    assert!(command.starts_with("docker ") && command.ends_with("system dial-stdio"), "{words}");
    let port = after("-p", options).map(|port| port.parse().unwrap());
    let socket = after("--host", &command).map(|host| host.strip_prefix("unix://").unwrap().into());
    Endpoint::ssh(after("-l", options).as_deref(), host, port, socket).unwrap()
}

type Vars = &'static [(&'static str, &'static str)];

/// Variables, flags and `config.json` for which both must agree.
const CASES: &[(&str, Vars, &[&str], &str)] = &[
    ("nothing", &[], &[], ""),
    ("config-empty-object", &[], &[], "{}"),
    ("config-current", &[], &[], r#"{"currentContext":"blue"}"#),
    ("config-current-other-case", &[], &[], r#"{"CurrentContext":"blue"}"#),
    ("config-current-twice", &[], &[], r#"{"currentContext":"red","currentContext":"blue"}"#),
    ("config-current-default", &[], &[], r#"{"currentContext":"default"}"#),
    ("config-current-empty", &[], &[], r#"{"currentContext":""}"#),
    ("config-current-unknown", &[], &[], r#"{"currentContext":"nope"}"#),
    (
        "config-elsewhere",
        &[("DOCKER_CONFIG", "{dir}/elsewhere")],
        &[],
        r#"{"currentContext":"blue"}"#,
    ),
    ("config-below-home", &[("DOCKER_CONFIG", "")], &[], r#"{"currentContext":"blue"}"#),
    ("config-relative", &[("DOCKER_CONFIG", "config")], &[], ""),
    ("context-variable", &[("DOCKER_CONTEXT", "red")], &[], ""),
    (
        "context-variable-over-config",
        &[("DOCKER_CONTEXT", "red")],
        &[],
        r#"{"currentContext":"blue"}"#,
    ),
    ("context-variable-empty", &[("DOCKER_CONTEXT", "")], &[], r#"{"currentContext":"blue"}"#),
    (
        "context-variable-default",
        &[("DOCKER_CONTEXT", "default")],
        &[],
        r#"{"currentContext":"blue"}"#,
    ),
    (
        "context-variable-unknown",
        &[("DOCKER_CONTEXT", "nope")],
        &[],
        r#"{"currentContext":"blue"}"#,
    ),
    ("context-variable-path", &[("DOCKER_CONTEXT", "../blue")], &[], ""),
    ("context-variable-case", &[("DOCKER_CONTEXT", "Blue")], &[], ""),
    ("host-variable", &[("DOCKER_HOST", "unix://{dir}/env.sock")], &[], ""),
    (
        "host-over-context",
        &[("DOCKER_HOST", "unix://{dir}/env.sock"), ("DOCKER_CONTEXT", "red")],
        &[],
        "",
    ),
    (
        "host-over-config",
        &[("DOCKER_HOST", "unix://{dir}/env.sock")],
        &[],
        r#"{"currentContext":"blue"}"#,
    ),
    (
        "host-over-unknown-context",
        &[("DOCKER_HOST", "unix://{dir}/env.sock"), ("DOCKER_CONTEXT", "nope")],
        &[],
        "",
    ),
    ("host-empty", &[("DOCKER_HOST", ""), ("DOCKER_CONTEXT", "red")], &[], ""),
    ("host-blank", &[("DOCKER_HOST", "  "), ("DOCKER_CONTEXT", "red")], &[], ""),
    ("host-blank-around", &[("DOCKER_HOST", " unix://{dir}/env.sock\n")], &[], ""),
    ("host-unix-empty", &[("DOCKER_HOST", "unix://")], &[], ""),
    ("host-unix-relative", &[("DOCKER_HOST", "unix://rel.sock")], &[], ""),
    ("host-unix-twice", &[("DOCKER_HOST", "unix://unix://{dir}/env.sock")], &[], ""),
    ("host-unix-any-characters", &[("DOCKER_HOST", "unix://{dir}/a b%20\u{e9}.sock")], &[], ""),
    ("host-abstract", &[("DOCKER_HOST", "unix://@{abstract}")], &[], ""),
    ("host-tcp", &[("DOCKER_HOST", "tcp://127.0.0.1:{port}")], &[], ""),
    ("host-tcp-no-scheme", &[("DOCKER_HOST", "127.0.0.1:{port}")], &[], ""),
    ("host-tcp-prefix", &[("DOCKER_HOST", "tcp://127.0.0.1:{port}/engine")], &[], ""),
    ("host-tcp-prefix-no-scheme", &[("DOCKER_HOST", "127.0.0.1:{port}/a/b")], &[], ""),
    ("host-tcp-empty", &[("DOCKER_HOST", "tcp://")], &[], ""),
    ("host-tcp-no-port", &[("DOCKER_HOST", "tcp://127.0.0.1")], &[], ""),
    ("host-tcp-no-port-colon", &[("DOCKER_HOST", "tcp://127.0.0.1:")], &[], ""),
    ("host-tcp-port-only", &[("DOCKER_HOST", ":1")], &[], ""),
    ("host-tcp-v6", &[("DOCKER_HOST", "tcp://[::1]:{port6}")], &[], ""),
    ("host-tcp-v6-no-port", &[("DOCKER_HOST", "tcp://[::1]")], &[], ""),
    ("host-tcp-bad-port", &[("DOCKER_HOST", "tcp://127.0.0.1:x")], &[], ""),
    ("host-http", &[("DOCKER_HOST", "http://127.0.0.1:{port}")], &[], ""),
    ("host-upper-case", &[("DOCKER_HOST", "UNIX://{dir}/env.sock")], &[], ""),
    ("host-two-protocols", &[("DOCKER_HOST", "unix://tcp://127.0.0.1:{port}")], &[], ""),
    ("host-ssh", &[("DOCKER_HOST", "ssh://me@far.example:2222")], &[], ""),
    ("host-ssh-socket", &[("DOCKER_HOST", "ssh://far.example/run/user/1000/docker.sock")], &[], ""),
    ("host-ssh-encoded-user", &[("DOCKER_HOST", "ssh://me%2Byou@far.example")], &[], ""),
    ("host-ssh-password", &[("DOCKER_HOST", "ssh://me:secret@far.example")], &[], ""),
    ("host-ssh-nobody", &[("DOCKER_HOST", "ssh://")], &[], ""),
    ("host-ssh-query", &[("DOCKER_HOST", "ssh://far.example?x=y")], &[], ""),
    (
        "flag-host",
        &[("DOCKER_HOST", "tcp://127.0.0.1:{port}")],
        &["--host", "unix://{dir}/env.sock"],
        "",
    ),
    ("flag-host-empty", &[("DOCKER_HOST", "tcp://127.0.0.1:{port}")], &["--host", ""], ""),
    (
        "flag-host-over-context",
        &[("DOCKER_CONTEXT", "red")],
        &["--host", "unix://{dir}/env.sock"],
        "",
    ),
    (
        "flag-context",
        &[("DOCKER_HOST", "unix://{dir}/env.sock"), ("DOCKER_CONTEXT", "red")],
        &["--context", "blue"],
        "",
    ),
    ("flag-context-empty", &[("DOCKER_CONTEXT", "red")], &["--context", ""], ""),
    (
        "flag-context-default-is-the-variable",
        &[("DOCKER_HOST", "unix://{dir}/env.sock")],
        &["--context", "default"],
        "",
    ),
    ("flag-context-default", &[("DOCKER_CONTEXT", "red")], &["--context", "default"], ""),
    (
        "flag-context-unknown",
        &[("DOCKER_HOST", "unix://{dir}/env.sock")],
        &["--context", "nope"],
        "",
    ),
    ("flag-both", &[], &["--context", "blue", "--host", "unix://{dir}/env.sock"], ""),
    ("stored-prefix", &[("DOCKER_CONTEXT", "prefix")], &[], ""),
    ("stored-relative", &[("DOCKER_CONTEXT", "relative")], &[], ""),
    ("stored-abstract", &[("DOCKER_CONTEXT", "abstract")], &[], ""),
    ("stored-any-characters", &[("DOCKER_CONTEXT", "characters")], &[], ""),
    ("stored-empty", &[("DOCKER_CONTEXT", "empty")], &[], ""),
    ("stored-http", &[("DOCKER_CONTEXT", "http")], &[], ""),
    ("stored-ssh", &[("DOCKER_CONTEXT", "ssh")], &[], ""),
    (
        "stored-long-name",
        &[("DOCKER_CONTEXT", "a.name_that+is-longer-than-one-block-of-the-hash-which-is-64-bytes")],
        &[],
        "",
    ),
    ("stored-and-tls-variables", &[("DOCKER_CONTEXT", "red"), ("DOCKER_TLS_VERIFY", "1")], &[], ""),
    ("stored-by-hand-other-case", &[("DOCKER_CONTEXT", "hand-case")], &[], ""),
    ("stored-by-hand-no-endpoint", &[("DOCKER_CONTEXT", "hand-none")], &[], ""),
    ("stored-by-hand-wrong-type", &[("DOCKER_CONTEXT", "hand-type")], &[], ""),
    ("stored-by-hand-no-json", &[("DOCKER_CONTEXT", "hand-json")], &[], ""),
    ("stored-by-hand-path", &[("DOCKER_CONTEXT", "hand-path")], &[], ""),
    (
        "tls-without-files",
        &[("DOCKER_TLS", "1"), ("DOCKER_HOST", "tcp://127.0.0.1:{port}")],
        &[],
        "",
    ),
    (
        "tls-without-files-unix",
        &[("DOCKER_TLS", "1"), ("DOCKER_HOST", "unix://{dir}/env.sock")],
        &[],
        "",
    ),
    (
        "tls-empty",
        &[("DOCKER_TLS", ""), ("DOCKER_TLS_VERIFY", ""), ("DOCKER_HOST", "tcp://127.0.0.1:{port}")],
        &[],
        "",
    ),
];

/// The same, with certificates.
const TLS_CASES: &[(&str, Vars, &[&str], &str)] = &[
    ("tls", &[("DOCKER_TLS", "1"), ("DOCKER_HOST", "tcp://127.0.0.1:{port}"), CERTS], &[], ""),
    (
        "tls-verify",
        &[("DOCKER_TLS_VERIFY", "1"), ("DOCKER_HOST", "tcp://127.0.0.1:{port}"), CERTS],
        &[],
        "",
    ),
    (
        "tls-verify-0",
        &[("DOCKER_TLS_VERIFY", "0"), ("DOCKER_HOST", "tcp://127.0.0.1:{port}"), CERTS],
        &[],
        "",
    ),
    ("tls-0", &[("DOCKER_TLS", "0"), ("DOCKER_HOST", "tcp://127.0.0.1:{port}"), CERTS], &[], ""),
    (
        "tls-ca-only",
        &[("DOCKER_TLS_VERIFY", "1"), ("DOCKER_HOST", "tcp://127.0.0.1:{port}"), CA_ONLY],
        &[],
        "",
    ),
    ("tls-no-host", &[("DOCKER_TLS_VERIFY", "1"), CERTS], &[], ""),
    ("tls-tcp-empty", &[("DOCKER_TLS_VERIFY", "1"), ("DOCKER_HOST", "tcp://"), CERTS], &[], ""),
    (
        "tls-unix",
        &[("DOCKER_TLS_VERIFY", "1"), ("DOCKER_HOST", "unix://{dir}/env.sock"), CERTS],
        &[],
        "",
    ),
    ("tls-flag-host", &[("DOCKER_TLS_VERIFY", "1"), CERTS], &["--host", "127.0.0.1:{port}"], ""),
    ("tls-off-certs-there", &[("DOCKER_HOST", "tcp://127.0.0.1:{port}"), CERTS], &[], ""),
    ("stored-tls", &[("DOCKER_CONTEXT", "tls")], &[], ""),
    ("stored-tls-skip", &[("DOCKER_CONTEXT", "tls-skip")], &[], ""),
    ("stored-skip-only", &[("DOCKER_CONTEXT", "skip")], &[], ""),
    ("stored-tls-https", &[("DOCKER_CONTEXT", "tls-https")], &[], ""),
];

const CERTS: (&str, &str) = ("DOCKER_CERT_PATH", "{dir}/certs");
const CA_ONLY: (&str, &str) = ("DOCKER_CERT_PATH", "{dir}/ca-only");

fn furnish(world: &World) {
    world.create("blue", "host=unix://{dir}/blue.sock");
    world.create("red", "host=tcp://127.0.0.1:{other}");
    world.create("prefix", "host=tcp://127.0.0.1:{other}/engine");
    world.create("relative", "host=unix://rel.sock");
    world.create("abstract", "host=unix://@{abstract}");
    world.create("characters", "host=unix://{dir}/a b%20\u{e9}.sock");
    world.create("empty", "host=");
    world.create("http", "host=http://127.0.0.1:{other}");
    world.create("ssh", "host=ssh://me@far.example:2222");
    world.create(
        "a.name_that+is-longer-than-one-block-of-the-hash-which-is-64-bytes",
        "host=unix://{dir}/blue.sock",
    );
    if world.has_openssl {
        let files = "ca={dir}/certs/ca.pem,cert={dir}/certs/cert.pem,key={dir}/certs/key.pem";
        world.create("tls", &format!("host=tcp://127.0.0.1:{{other}},{files}"));
        world.create(
            "tls-skip",
            &format!("host=tcp://127.0.0.1:{{other}},{files},skip-tls-verify=true"),
        );
        world.create("tls-https", &format!("host=https://127.0.0.1:{{other}},{files}"));
        world.create("skip", "host=tcp://127.0.0.1:{other},skip-tls-verify=true");
    }
    for (name, meta) in [
        (
            "hand-case",
            r#"{"name":"hand-case","endpoints":{"docker":{"HOST":"unix://{dir}/env.sock"}}}"#,
        ),
        ("hand-none", r#"{"Name":"hand-none","Endpoints":{}}"#),
        ("hand-type", r#"{"Name":"hand-type","Endpoints":{"docker":{"Host":5}}}"#),
        ("hand-json", r#"{"Name":"hand-json","Endpoints":{"docker":{"Host":"unix:///x"},}}"#),
        ("hand-path", r#"{"Name":"hand-path","Endpoints":{"docker":{"Host":"{dir}/env.sock"}}}"#),
    ] {
        let dir = world
            .dir
            .join("config/contexts/meta")
            .join(unix_http::docker::sha256_hex(name.as_bytes()));
        fs::create_dir_all(&dir).unwrap();
        fs::write(dir.join("meta.json"), world.fill(meta)).unwrap();
    }
    // The same store, with other directories requested.
    for other in ["elsewhere", ".docker"] {
        let copied = Command::new("cp")
            .args(["-r", "config", other])
            .current_dir(world.dir.path())
            .status()
            .unwrap();
        assert!(copied.success());
    }
}

/// Describes the difference between the CLI and the library in one case.
fn compare(world: &World, vars: Vars, flags: &[&str], config: &str) -> Result<(), String> {
    for dir in ["config", "elsewhere", ".docker"] {
        let path = world.dir.join(dir).join("config.json");
        if config.is_empty() {
            drop(fs::remove_file(path))
        } else {
            fs::write(path, config).unwrap()
        }
    }
    let dialled = world.dialled(vars, flags);
    let ours = resolve(world, vars, flags);
    let (dialled, ours) = match (dialled, ours) {
        (Ok(dialled), Ok(ours)) => (dialled, ours),
        (Err(_), Err(_)) => return Ok(()),
        (dialled, ours) => return Err(format!("the CLI: {dialled:?}\nwe: {ours:?}")),
    };
    let same = |what: &str, theirs: &dyn std::fmt::Debug, ours: &dyn std::fmt::Debug| {
        let (theirs, ours) = (format!("{theirs:?}"), format!("{ours:?}"));
        if theirs == ours { Ok(()) } else { Err(format!("{what}\nthe CLI: {theirs}\nwe: {ours}")) }
    };
    const FIELDS: &str = "{{.Name}}|{{.Endpoints.docker.Host}}|{{.Endpoints.docker.SkipTLSVerify}}";
    let inspect = [flags, &["context", "inspect", "--format", FIELDS]].concat();
    let inspected = world.docker_says(vars, &inspect).ok_or("no context inspect")?;
    let fields: Vec<&str> = inspected.split('|').collect();
    let [name, host, skip] = fields[..] else { return Err(inspected) };
    // `context show` exists since docker 23.
    let context =
        world.docker_says(vars, &[flags, &["context", "show"]].concat()).unwrap_or(name.to_owned());
    same("context", &[context.as_str(), name], &[ours.context.as_str(); 2])?;
    let host = if matches!(host, "" | "<no value>") { "unix:///var/run/docker.sock" } else { host };
    // The CLI shows the text of a stored host, and user names of ssh as they are encoded.
    let shown = host.replacen("http://", "tcp://", 1).replacen("https://", "tcp://", 1);
    same("host", &shown.replace("%2B", "+"), &host_of(&ours))?;
    if ours.endpoint.to_string().ends_with(" with TLS") {
        let skips = format!("{:?}", ours.endpoint).contains("verify: false");
        same("SkipTLSVerify", &skip, &skips.to_string())?;
    }
    match dialled[0].as_str() {
        "nobody at" => same("dialled in vain", &dialled[1], &host_of(&ours)),
        "ssh" => same("ssh", &read_ssh(&dialled[1]), &ours.endpoint),
        _ => same("dialled", &dialled, &world.dial(&ours)),
    }
}

/// Cases that older releases of the CLI decide differently, and the first release that agrees with
/// us.
const SINCE: &[(&str, (u32, u32))] = &[
    ("context-variable-empty", (23, 0)),
    ("host-empty", (23, 0)),
    ("host-ssh-socket", (24, 0)),
    ("tls-unix", (28, 2)),
];

#[test]
fn the_daemon_is_the_one_that_the_docker_cli_finds() {
    let Some(world) = World::new() else { return };
    furnish(&world);
    let mut differ = Vec::new();
    let mut compared = 0;
    for &(id, vars, flags, config) in
        CASES.iter().chain(TLS_CASES.iter().filter(|_| world.has_openssl))
    {
        let no_v6 = !world.names.contains_key("{port6}")
            && vars.iter().any(|(_, value)| value.contains("{port6}"));
        let too_new = SINCE.iter().any(|&(name, release)| name == id && world.release < release);
        if !no_v6 && !too_new {
            compared += 1;
            let differs = compare(&world, vars, flags, config).err();
            differ.extend(differs.map(|why| format!("{id}: {why}")));
        }
    }
    assert!(differ.is_empty(), "{} of {compared} differ\n\n{}", differ.len(), differ.join("\n\n"));
    assert!(compared > 60, "{compared} compared");
    println!(
        "{compared} environments compared with docker {}.{}",
        world.release.0, world.release.1
    );
}

#[test]
fn intended_differences_from_the_docker_cli() {
    let Some(world) = World::new() else { return };
    // The CLI accepts these hosts and then fails in other ways. We reject them with a suggestion.
    let cases = [
        (
            "/var/run/docker.sock",
            "tcp://localhost:2375/var/run/docker.sock",
            Some("unix:///var/run/docker.sock"),
        ),
        ("unix:/x", "tcp://unix:2375/x", Some("unix:///x")),
        ("unix:", "tcp://unix:2375", Some("unix://")),
        ("./x.sock", "tcp://.:2375/x.sock", Some("unix://./x.sock")),
        ("x.sock", "tcp://x.sock:2375", Some("unix://x.sock")),
        ("~/x.sock", "tcp://~:2375/x.sock", Some("unix://$HOME/x.sock")),
        ("unix://~/x", "unix://~/x", Some("unix://$HOME/x")),
        ("@name", "tcp://name:2375", Some("unix://@name")),
        ("tcp:/h", "tcp://tcp:2375/h", Some("tcp://h")),
        ("me@h", "tcp://h:2375", Some("ssh://me@h")),
        ("tcp://u:p@h:1", "tcp://h:1", Some("ssh://u@h:1")),
        ("tcp://h:1?x=y", "tcp://h:1", None),
        ("tcp://h:1#f", "tcp://h:1", None),
        ("tcp://h:0", "tcp://h:0", None),
        ("tcp://h:70000", "tcp://h:70000", None),
        ("tcp://h:1:2", "tcp://[h:1:2]:2375", None),
        ("fd://3", "fd://3", None),
    ];
    for (text, theirs, meant) in cases {
        let vars = [("DOCKER_HOST", text)];
        let inspect = ["context", "inspect", "default", "--format", "{{.Endpoints.docker.Host}}"];
        assert_eq!(
            world.docker_says(&vars, &inspect).as_deref(),
            Some(theirs),
            "{text}: the docker CLI has changed"
        );
        let error = resolve(&world, &vars, &[]).map(|daemon| host_of(&daemon)).expect_err(text);
        assert_eq!(
            error.split_once("did you mean ").map(|(_, meant)| meant.trim_end_matches('?')),
            meant,
            "{text}"
        );
    }
    // Settings that are not JSON: the CLI warns and uses the default context.
    fs::write(world.dir.join("config/config.json"), "{\"currentContext\":\"blue\"").unwrap();
    let name = ["context", "inspect", "--format", "{{.Name}}"];
    assert_eq!(world.docker_says(&[], &name).as_deref(), Some("default"));
    assert!(
        resolve(&world, &[], &[]).unwrap_err().contains("config.json: the JSON text is incomplete")
    );
}
