//! Listening: permissions, stale and live sockets, and cleaning up.

use crate::support::again::{again, name, passed};
use crate::support::needs;
use crate::support::temp::TempDir;
use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink};
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;
use unix_http::transport::{Admission, Endpoint, Listener, PrivateDir, connect};

fn at(path: &Path) -> Endpoint {
    Endpoint::Unix(path.to_owned())
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn names(directory: &Path) -> Vec<String> {
    fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

#[test]
fn the_socket_is_private_by_default_and_removed_afterwards() {
    for (asked, want) in [(None, 0o600), (Some(0o666), 0o666), (Some(0o660), 0o660)] {
        let dir = TempDir::new();
        let path = dir.join("s");
        let listener = match asked {
            None => Listener::bind(&at(&path)).unwrap(),
            Some(mode) => Listener::bind_for(&at(&path), Admission::default().mode(mode)).unwrap(),
        };
        assert_eq!(mode(&path), want);
        UnixStream::connect(&path).unwrap();
        assert!(listener.accept().unwrap().is_some());
        assert_eq!(names(dir.path()), ["s"]);
        drop(listener);
        assert_eq!(names(dir.path()), [""; 0]);
    }
}

/// The umask of the calling shell must not matter. 0 is the worst case.
#[test]
fn an_open_umask_does_not_open_the_socket() {
    if std::env::var_os("UNIX_HTTP_TEST_UMASK_0").is_some() {
        the_socket_is_private_by_default_and_removed_afterwards();
        a_stale_socket_is_replaced();
        return;
    }
    let again = Command::new("sh")
        .args(["-c", "umask 0; exec \"$0\" --exact \"$1\""])
        .arg(std::env::current_exe().unwrap())
        .arg(name(module_path!(), "an_open_umask_does_not_open_the_socket"))
        .env("UNIX_HTTP_TEST_UMASK_0", "1")
        .output()
        .unwrap();
    passed(&again);
}

/// An attacker with write permission on the directory replaces the socket with a symbolic link
/// before it gets its mode. The socket may be lost, but the target of the link must keep its mode.
#[test]
fn a_symbolic_link_in_place_of_the_socket_is_not_followed() {
    const PLACE: &str = "UNIX_HTTP_TEST_LINK_AT";
    if let Some(path) = std::env::var_os(PLACE) {
        // Listening may succeed or fail.
        let admission = Admission::default().mode(0o666);
        drop(Listener::bind_for(&at(Path::new(&path)), admission));
        return;
    }
    let Some(strace) = needs::program("strace") else { return };
    let dir = TempDir::new();
    let victim = dir.write("victim", "precious");
    fs::set_permissions(&victim, fs::Permissions::from_mode(0o600)).unwrap();
    fs::create_dir(dir.join("d")).unwrap();
    let inner = again(module_path!(), "a_symbolic_link_in_place_of_the_socket_is_not_followed");
    let mut listening = Command::new(strace)
        .args(["-f", "-o", "/dev/null", "-e", "trace=chmod,fchmodat"])
        .args(["-e", "inject=chmod,fchmodat:delay_enter=500000"])
        .arg(inner.get_program())
        .args(inner.get_args())
        .env(PLACE, dir.join("d/s"))
        .spawn()
        .unwrap();
    while listening.try_wait().unwrap().is_none() {
        for entry in fs::read_dir(dir.join("d")).unwrap().flatten() {
            for path in [entry.path(), entry.path().join("s")] {
                let found = fs::symlink_metadata(&path);
                if found.is_ok_and(|found| found.file_type().is_socket()) {
                    // chmod is delayed by half a second, so it has begun by now.
                    thread::sleep(std::time::Duration::from_millis(150));
                    _ = fs::remove_file(&path).and_then(|()| symlink(&victim, &path));
                }
            }
        }
        thread::yield_now();
    }
    assert_eq!(mode(&victim), 0o600);
}

#[test]
fn a_live_socket_is_never_replaced() {
    let dir = TempDir::new();
    let path = dir.join("s");
    let live = UnixListener::bind(&path).unwrap();
    let inode = fs::metadata(&path).unwrap().ino();
    let error = Listener::bind(&at(&path)).unwrap_err().to_string();
    assert!(error.contains("another process listens on it"), "{error}");
    assert_eq!((fs::metadata(&path).unwrap().ino(), names(dir.path()).len()), (inode, 1));
    UnixStream::connect(&path).unwrap();
    drop(live);
}

/// A server with a full backlog does not answer, but it is alive.
#[test]
fn a_busy_socket_is_never_replaced() {
    let dir = TempDir::new();
    let path = dir.join("s");
    let _live = UnixListener::bind(&path).unwrap();
    let full = thread::spawn({
        let path = path.clone();
        move || {
            let mut held = Vec::new();
            while let Ok(stream) = connect(&at(&path), Some(std::time::Duration::from_millis(20))) {
                held.push(stream);
            }
            held
        }
    });
    let _held = full.join().unwrap();
    assert!(
        Listener::bind(&at(&path))
            .unwrap_err()
            .to_string()
            .contains("another process listens on it")
    );
}

#[test]
fn a_stale_socket_is_replaced() {
    let dir = TempDir::new();
    let path = dir.join("s");
    drop(UnixListener::bind(&path).unwrap());
    let listener = Listener::bind(&at(&path)).unwrap();
    UnixStream::connect(&path).unwrap();
    assert!(listener.accept().unwrap().is_some());
    assert_eq!((names(dir.path()), mode(&path)), (vec!["s".to_owned()], 0o600));
}

#[test]
fn other_files_are_never_replaced() {
    let dir = TempDir::new();
    let file = dir.write("file", "precious");
    let link = dir.join("link");
    std::os::unix::fs::symlink("nowhere", &link).unwrap();
    for path in [&file, &link] {
        let error = Listener::bind(&at(path)).unwrap_err().to_string();
        assert!(error.contains("not a socket"), "{error}");
    }
    assert_eq!(fs::read(&file).unwrap(), b"precious");
    assert_eq!(fs::read_link(&link).unwrap(), Path::new("nowhere"));

    let path = dir.join("datagram");
    let _datagram = UnixDatagram::bind(&path).unwrap();
    assert!(Listener::bind(&at(&path)).is_err());
    assert_eq!(names(dir.path()).len(), 3);
}

#[test]
fn a_socket_file_that_another_server_replaced_is_kept() {
    let dir = TempDir::new();
    let path = dir.join("s");
    let listener = Listener::bind(&at(&path)).unwrap();
    fs::remove_file(&path).unwrap();
    let _other = UnixListener::bind(&path).unwrap();
    drop(listener);
    UnixStream::connect(&path).unwrap();
}

#[test]
fn a_listener_path_may_be_longer_than_a_socket_address() {
    let dir = TempDir::new();
    let deep = dir.join(&"d".repeat(120));
    fs::create_dir(&deep).unwrap();
    let path = deep.join("s");
    let listener = Listener::bind(&at(&path)).unwrap();
    connect(listener.endpoint(), None).unwrap();
    drop(listener);
    assert!(!path.exists());
}

#[test]
fn stopping_still_returns_earlier_connections() {
    let dir = TempDir::new();
    for endpoint in [at(&dir.join("s")), Endpoint::Tcp { host: "127.0.0.1".into(), port: 0 }] {
        let listener = Listener::bind(&endpoint).unwrap();
        let stopper = listener.stopper().unwrap();
        let accepted = AtomicUsize::new(0);
        thread::scope(|scope| {
            let acceptor = scope.spawn(|| {
                while listener.accept().unwrap().is_some() {
                    accepted.fetch_add(1, SeqCst);
                }
                accepted.load(SeqCst)
            });
            connect(listener.endpoint(), None).unwrap();
            // TCP drops connections that were not accepted yet.
            let is_tcp = matches!(endpoint, Endpoint::Tcp { .. });
            while is_tcp && accepted.load(SeqCst) == 0 {
                thread::yield_now();
            }
            stopper.stop();
            assert_eq!(acceptor.join().unwrap(), 1);
        });
        assert!(connect(listener.endpoint(), None).is_err());
    }
}

#[test]
fn tcp_listens_on_loopback_only_by_default() {
    let open = |host: &str| Endpoint::Tcp { host: host.into(), port: 0 };
    for host in ["0.0.0.0", "::"] {
        let error = Listener::bind(&open(host)).unwrap_err().to_string();
        assert!(error.contains("other machines"), "{error}");
    }
    let beyond = Admission::default().beyond_loopback(true);
    for (host, admission) in [
        ("127.0.0.1", Admission::default()),
        ("localhost", Admission::default()),
        ("0.0.0.0", beyond),
    ] {
        let listener = Listener::bind_for(&open(host), admission).unwrap();
        assert!(matches!(listener.endpoint(), Endpoint::Tcp { port: 1.., .. }));
    }
}

#[test]
fn a_listener_can_have_an_abstract_name() {
    let endpoint =
        Endpoint::Abstract(format!("unix-http-test-{}", std::process::id()).into_bytes());
    let listener = Listener::bind(&endpoint).unwrap();
    connect(&endpoint, None).unwrap();
    assert!(listener.accept().unwrap().is_some());
    assert!(Listener::bind(&endpoint).is_err());
}

#[test]
fn a_private_directory_is_private_from_the_start() {
    let dir = TempDir::new();
    let one = PrivateDir::new_in(dir.path()).unwrap();
    let two = PrivateDir::new_in(dir.path()).unwrap();
    assert_ne!(one.path(), two.path());
    assert_eq!(mode(one.path()), 0o700);
    drop((one, two));
    assert_eq!(names(dir.path()), [""; 0]);
}

/// systemd passes such a socket as standard input (`StandardInput=socket`) or as another
/// descriptor.
#[test]
fn an_inherited_socket_is_used_and_its_file_is_kept() {
    let dir = TempDir::new();
    let path = dir.join("s");
    let unix = UnixListener::bind(&path).unwrap();
    unix.set_nonblocking(true).unwrap();
    let listener = Listener::inherit(unix).unwrap();
    assert_eq!(listener.endpoint(), &at(&path));
    connect(listener.endpoint(), None).unwrap();
    assert!(listener.accept().unwrap().is_some());
    drop(listener);
    assert!(path.exists());

    let tcp = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = tcp.local_addr().unwrap().port();
    let listener = Listener::inherit(tcp).unwrap();
    assert_eq!(listener.endpoint(), &Endpoint::Tcp { host: "127.0.0.1".into(), port });
    connect(listener.endpoint(), None).unwrap();
    assert!(listener.accept().unwrap().is_some());

    let (connection, _peer) = UnixStream::pair().unwrap();
    let error = Listener::inherit(connection).unwrap_err().to_string();
    assert!(error.contains("no listening socket"), "{error}");
    let file = fs::File::open(dir.path()).unwrap();
    assert!(Listener::inherit(file).is_err());
}
