//! Connecting to real sockets in a temporary directory, and every way in which that fails.

use std::error::Error as _;
use std::ffi::OsStr;
use std::fs;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream, ToSocketAddrs};
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use crate::support::again::{name, passed};
use crate::support::needs;
use crate::support::temp::TempDir;
use unix_http::Client;
use unix_http::transport::{ConnectErrorKind as Kind, Endpoint, Stream, connect};

/// Echoes one connection until its end.
fn echo_once(listener: UnixListener) {
    thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        io::copy(&mut &stream, &mut &stream).unwrap();
    });
}

fn assert_echoes(mut stream: Stream) {
    stream.write_all(b"both ways").unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut back = String::new();
    stream.read_to_string(&mut back).unwrap();
    assert_eq!(back, "both ways");
}

fn tcp(stream: &Stream) -> TcpStream {
    TcpStream::from(stream.as_fd().try_clone_to_owned().unwrap())
}

fn fails(endpoint: &Endpoint, kind: Kind, words: &[&str]) {
    let error = connect(endpoint, None).unwrap_err();
    let text = error.to_string();
    assert_eq!(error.kind(), kind, "{text}");
    assert!(!text.contains('\n'), "{text}");
    for word in words {
        assert!(text.contains(word), "`{word}` is missing in: {text}");
    }
    assert!(error.source().is_some_and(|source| source.is::<io::Error>()), "{text}");
}

#[test]
fn endpoints_follow_their_grammar() {
    let unix = |path: &str| Endpoint::Unix(path.into());
    let tcp = |host: &str, port| Endpoint::Tcp { host: host.into(), port };
    let good = [
        ("unix:///run/a.sock", unix("/run/a.sock")),
        ("unix://a.sock", unix("a.sock")),
        ("unix:///a%20b c?d#e", unix("/a%20b c?d#e")),
        ("/run/a.sock", unix("/run/a.sock")),
        ("./a.sock", unix("./a.sock")),
        ("../a.sock", unix("../a.sock")),
        ("unix://./@a", unix("./@a")),
        ("unix://@a", Endpoint::Abstract(b"a".to_vec())),
        ("unix://@/a/b", Endpoint::Abstract(b"/a/b".to_vec())),
        ("tcp://localhost:2375", tcp("localhost", 2375)),
        ("tcp://127.0.0.1:1", tcp("127.0.0.1", 1)),
        ("tcp://[::1]:65535", tcp("::1", 65535)),
        ("tcp://[fe80::1%eth0]:80", tcp("fe80::1%eth0", 80)),
    ];
    for (text, want) in good {
        let got: Endpoint = text.parse().unwrap();
        assert_eq!(got, want, "{text}");
        assert_eq!(
            got.to_string().parse::<Endpoint>().unwrap(),
            want,
            "printed and read again: {text}"
        );
    }
    assert_eq!(
        Endpoint::Unix("@a".into()).to_string().parse(),
        Ok(unix("./@a")),
        "not an abstract name"
    );

    let bad = [
        ("", "is empty"),
        ("unix://", "no path"),
        ("unix://@", "no name"),
        ("unix:/run/a.sock", "did you mean unix:///run/a.sock?"),
        ("@a", "did you mean unix://@a?"),
        ("http://h:80", "did you mean tcp://h:80?"),
        ("a.sock", "unix:///path/to/socket"),
        ("tcp://h", "no port"),
        ("tcp://h:", "no port"),
        ("tcp://h:0", "1 to 65535"),
        ("tcp://h:+80", "1 to 65535"),
        ("tcp://h:65536", "1 to 65535"),
        ("tcp://h:80/p", "1 to 65535"),
        ("tcp://:80", "host is empty"),
        ("tcp://a b:80", "host"),
        ("tcp://u@h:80", "host"),
        ("tcp://::1:80", "[address]:port"),
        ("tcp://[::1]", "no port"),
        ("unix:///a\0b", "NUL"),
    ];
    for (text, words) in bad {
        let error = text.parse::<Endpoint>().unwrap_err().to_string();
        assert!(error.contains(words), "`{words}` is missing in: {error}");
    }
}

#[test]
fn a_line_break_in_a_path_stays_on_one_line() {
    fails(&Endpoint::Unix("/nowhere/a\nb\x1b[31m".into()), Kind::NotFound, &["a\\nb\\x1b[31m"]);
}

#[test]
fn a_unix_socket_connects() {
    let dir = TempDir::new();
    let path = dir.join("s");
    echo_once(UnixListener::bind(&path).unwrap());
    assert_echoes(connect(&Endpoint::Unix(path), None).unwrap());
}

#[test]
fn a_unix_socket_connects_within_a_time_limit() {
    let dir = TempDir::new();
    let path = dir.join("s");
    echo_once(UnixListener::bind(&path).unwrap());
    assert_echoes(connect(&Endpoint::Unix(path), Some(Duration::from_secs(30))).unwrap());
}

#[test]
fn a_path_need_not_be_utf8() {
    let dir = TempDir::new();
    let path = dir.path().join(OsStr::from_bytes(b"s\xff\xfe"));
    echo_once(UnixListener::bind(&path).unwrap());
    let mut text = b"unix://".to_vec();
    text.extend(path.as_os_str().as_bytes());
    assert_echoes(connect(&Endpoint::parse(OsStr::from_bytes(&text)).unwrap(), None).unwrap());
}

#[test]
fn a_path_may_contain_a_symbolic_link() {
    let dir = TempDir::new();
    echo_once(UnixListener::bind(dir.join("s")).unwrap());
    symlink("s", dir.join("link")).unwrap();
    assert_echoes(connect(&Endpoint::Unix(dir.join("link")), None).unwrap());
}

#[cfg(target_os = "linux")]
#[test]
fn a_path_may_be_longer_than_a_socket_address() {
    let dir = TempDir::new();
    let deep = dir.path().join("d".repeat(100)).join("e".repeat(100));
    fs::create_dir_all(&deep).unwrap();
    for name in ["s".to_owned(), "n".repeat(200)] {
        let path = deep.join(&name);
        assert!(path.as_os_str().len() > 178);
        // Too long for any bind: it is made under another name and renamed.
        let made = dir.path().join("made");
        let listener = UnixListener::bind(&made).unwrap();
        fs::rename(made, &path).unwrap();
        let again = listener.try_clone().unwrap();
        echo_once(listener);
        assert_echoes(connect(&Endpoint::Unix(path.clone()), None).unwrap());
        echo_once(again);
        assert_echoes(
            connect(&Endpoint::Unix(path.clone()), Some(Duration::from_secs(30))).unwrap(),
        );
    }
    fails(&Endpoint::Unix(deep.join("absent")), Kind::NotFound, &["no such socket"]);
    fs::write(deep.join("file"), "").unwrap();
    fails(&Endpoint::Unix(deep.join("file")), Kind::Other, &["a regular file"]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_path_longer_than_the_system_allows_is_an_error() {
    fails(&Endpoint::Unix(format!("/{}", "a/".repeat(3000)).into()), Kind::Other, &["6001 bytes"]);
    fails(&Endpoint::Unix(format!("/tmp/{}", "a".repeat(300)).into()), Kind::Other, &["305 bytes"]);
}

#[cfg(target_os = "linux")]
#[test]
fn an_abstract_name_may_contain_any_bytes() {
    use std::os::linux::net::SocketAddrExt;
    let pid = std::process::id();
    for name in
        [format!("unix-http-{pid}").into_bytes(), format!("u\0h\u{1}\n{pid}\0").into_bytes()]
    {
        let address = std::os::unix::net::SocketAddr::from_abstract_name(&name).unwrap();
        let endpoint = Endpoint::Abstract(name);
        fails(&endpoint, Kind::NobodyListens, &["abstract name", "network namespace"]);
        for limit in [None, Some(Duration::from_secs(30))] {
            let listener = UnixListener::bind_addr(&address).unwrap();
            let (ours, theirs) = (connect(&endpoint, limit).unwrap(), listener.accept().unwrap().0);
            drop(listener);
            thread::spawn(move || io::copy(&mut &theirs, &mut &theirs).unwrap());
            assert_echoes(ours);
        }
    }
    fails(&Endpoint::Abstract(vec![b'a'; 108]), Kind::Other, &["at most 107 bytes"]);
    fails(&Endpoint::Abstract(vec![b'a'; 107]), Kind::NobodyListens, &[]);
}

#[test]
fn the_error_names_the_missing_part_of_a_path() {
    let dir = TempDir::new();
    fails(
        &Endpoint::Unix(dir.join("s")),
        Kind::NotFound,
        &["no such socket; ", "start the server"],
    );
    let gone = dir.join("gone");
    fails(
        &Endpoint::Unix(gone.join("deeper/s")),
        Kind::NotFound,
        &[&format!("directory {} does", gone.display())],
    );
    fails(&Endpoint::Unix("absent.sock".into()), Kind::NotFound, &["no such socket; "]);
    symlink("/gone/target", dir.join("link")).unwrap();
    fails(&Endpoint::Unix(dir.join("link")), Kind::NotFound, &["symbolic link to /gone/target"]);
    fs::write(dir.join("file"), "").unwrap();
    fails(&Endpoint::Unix(dir.join("file/s")), Kind::NotFound, &["is a file, not a directory"]);
}

#[test]
fn the_error_names_a_file_that_is_not_a_socket() {
    let dir = TempDir::new();
    fs::write(dir.join("file"), "").unwrap();
    fails(&Endpoint::Unix(dir.join("file")), Kind::Other, &["a regular file"]);
    fails(&Endpoint::Unix(dir.path().to_owned()), Kind::Other, &["a directory"]);
    fails(&Endpoint::Unix("/dev/null".into()), Kind::Other, &["a device"]);
    let _datagram = UnixDatagram::bind(dir.join("datagram")).unwrap();
    fails(&Endpoint::Unix(dir.join("datagram")), Kind::Other, &["datagram"]);
}

#[test]
fn the_error_of_a_stale_socket_names_the_remedy() {
    let dir = TempDir::new();
    drop(UnixListener::bind(dir.join("s")).unwrap());
    fails(
        &Endpoint::Unix(dir.join("s")),
        Kind::NobodyListens,
        &["no process is listening", "start its server again"],
    );
}

/// Permission is never denied to root: as root, this test runs itself again as the user `nobody`.
#[test]
fn the_error_of_a_denied_connect_names_the_owner_and_the_remedy() {
    const AGAIN: &str = "UNIX_HTTP_TEST_PERMISSION_DIR";
    if let Some(dir) = std::env::var_os(AGAIN).map(PathBuf::from) {
        let denied = |name: &str, words: &[&str]| {
            fails(&Endpoint::Unix(dir.join(name)), Kind::PermissionDenied, words)
        };
        denied("mine", &["owned by root:", ", mode 0600: use sudo"]);
        let error = Client::unix(dir.join("mine")).get("/").send().unwrap_err();
        assert!(error.is_connect() && !error.is_timeout(), "{error}");
        assert_eq!(io::Error::from(error).kind(), io::ErrorKind::PermissionDenied);
        denied(
            "ours",
            &["owned by root:daemon, mode 0660: join the group `daemon`", "or use sudo"],
        );
        denied("closed/s", &["the directory", "closed is owned by", "mode 0700: use sudo"]);
        denied("closed/deeper/s", &["closed is owned by"]);
        return;
    }
    let dir = TempDir::new();
    let allow = |name: &str, mode| {
        fs::set_permissions(dir.join(name), fs::Permissions::from_mode(mode)).unwrap()
    };
    allow("", 0o755);
    let sockets = [("mine", 0o600), ("ours", 0o660)].map(|(name, mode)| {
        let listener = UnixListener::bind(dir.join(name)).unwrap();
        allow(name, mode);
        listener
    });
    fs::create_dir_all(dir.join("closed/deeper")).unwrap();
    allow("closed", 0o700);
    fs::copy(std::env::current_exe().unwrap(), dir.join("test")).unwrap();
    let groups = fs::read_to_string("/etc/group").unwrap_or_default();
    let daemon = groups
        .lines()
        .find_map(|line| line.strip_prefix("daemon:x:")?.split(':').next()?.parse().ok());
    if daemon.is_none() || std::os::unix::fs::chown(dir.join("ours"), Some(0), daemon).is_err() {
        return needs::left_out("root and a group `daemon`", "run as root").unwrap_or(());
    }
    let again = std::process::Command::new(dir.place().join("test"))
        .args([
            "--exact",
            &name(module_path!(), "the_error_of_a_denied_connect_names_the_owner_and_the_remedy"),
            "--nocapture",
        ])
        .env(AGAIN, dir.place())
        .uid(65534)
        .gid(65534)
        .output();
    drop(sockets);
    match again {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            needs::left_out("a TMPDIR for everybody", "choose one below /tmp").unwrap_or(())
        }
        again => passed(&again.unwrap()),
    }
}

#[test]
fn a_full_backlog_runs_into_the_time_limit() {
    let dir = TempDir::new();
    let path = dir.join("s");
    let listener = UnixListener::bind(&path).unwrap();
    // Connections that are not accepted fill the backlog, which the system limits.
    let limit = Duration::from_millis(200);
    let mut held = Vec::new();
    let error = loop {
        match connect(&Endpoint::Unix(path.clone()), Some(limit)) {
            Ok(stream) => held.push(stream),
            Err(error) if error.kind() == Kind::Other => {
                return needs::left_out("many open files", "raise `ulimit -n`").unwrap_or(());
            }
            Err(error) => break error,
        }
        assert!(held.len() < 10_000, "no backlog is that long");
    };
    assert_eq!(error.kind(), Kind::TimedOut);
    assert!(error.to_string().contains("within 200ms: the server is busy"), "{error}");
    // The helper thread ends once the backlog has room: it connects and closes.
    for _ in 0..held.len() {
        listener.accept().unwrap();
    }
    let (mut late, _) = listener.accept().unwrap();
    assert_eq!(late.read(&mut [0]).unwrap(), 0);
}

#[test]
fn a_tcp_endpoint_connects_by_name_and_address() {
    for address in ["127.0.0.1:0", "[::1]:0"] {
        let Ok(listener) = TcpListener::bind(address) else {
            let () = needs::left_out(&format!("TCP on {address}"), "it is not set up here")
                .unwrap_or(());
            continue;
        };
        let local = listener.local_addr().unwrap();
        let endpoint: Endpoint = format!("tcp://{local}").parse().unwrap();
        for limit in [None, Some(Duration::from_secs(30))] {
            let stream = connect(&endpoint, limit).unwrap();
            assert!(tcp(&stream).nodelay().unwrap());
            let (peer, _) = listener.accept().unwrap();
            let echo = thread::spawn(move || io::copy(&mut &peer, &mut &peer).unwrap());
            assert_echoes(stream);
            echo.join().unwrap();
        }
        drop(listener);
        fails(&endpoint, Kind::NobodyListens, &["no process is listening on this port"]);
    }
}

/// `localhost` is 127.0.0.1 and, with IPv6, ::1. Only one of them listens.
#[test]
fn tcp_tries_every_address_of_a_name() {
    for address in ["127.0.0.1:0", "[::1]:0"] {
        let Ok(listener) = TcpListener::bind(address) else { continue };
        let local = listener.local_addr().unwrap();
        if !("localhost", local.port()).to_socket_addrs().unwrap().any(|a| a.ip() == local.ip()) {
            continue;
        }
        let endpoint = Endpoint::Tcp { host: "localhost".into(), port: local.port() };
        for limit in [None, Some(Duration::from_secs(30))] {
            assert_eq!(tcp(&connect(&endpoint, limit).unwrap()).peer_addr().unwrap(), local);
        }
    }
}

#[test]
fn an_unknown_host_is_an_error() {
    // No name below `.invalid` exists (RFC 2606 §2).
    let endpoint = Endpoint::Tcp { host: "no-such-host.invalid".into(), port: 80 };
    fails(&endpoint, Kind::UnknownHost, &["host name cannot be resolved"]);
}

#[test]
fn clones_share_one_connection() {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let ours = Stream::from(ours);
    let writer = ours.try_clone().unwrap();
    (&writer).write_all(b"a").unwrap();
    drop(writer);
    (&ours).write_all(b"b").unwrap();
    drop(ours);
    let mut got = String::new();
    (&theirs).read_to_string(&mut got).unwrap();
    assert_eq!(got, "ab");
}
