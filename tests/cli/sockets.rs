//! `ucurl sockets`: the listed sockets, the requests, and the recognised protocols. Every test
//! limits the list to its own sockets, so that no server of another test receives a request.

use crate::support::child::{run, ucurl};
use crate::support::fake::{Fake, url};
use crate::support::temp::TempDir;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process;
use std::thread;
use std::time::Duration;
use unix_http::json::Value;

const LIMIT: Duration = Duration::from_secs(60);

fn sockets(args: &[&str]) -> String {
    run(ucurl().arg("sockets").args(args), b"", LIMIT).success()
}

/// The part of a private directory's path that no other path has.
fn name_of(path: &Path) -> String {
    path.display().to_string()
}

#[test]
fn a_socket_is_listed_with_mode_owner_process_and_protocol() {
    let engine = Fake::answer_and_close(
        "HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nServer: Fake\r\nContent-Length: 2\r\n\r\nOK",
    );
    fs::set_permissions(engine.path(), fs::Permissions::from_mode(0o620)).unwrap();
    // What stat(1) prints of the file, and the name of this process.
    let mut stat = process::Command::new("stat");
    let owner = run(stat.args(["-c", "0%a %U:%G"]).arg(engine.path()), b"", LIMIT).success();
    let comm = fs::read_to_string("/proc/self/comm").unwrap();
    let (owner, comm, pid) = (owner.trim_end(), comm.trim_end(), process::id());

    let listed = sockets(&[&name_of(&engine.path())]);
    let socket = url(&engine.path());
    let about = "a Docker engine, API 1.41, Fake";
    assert_eq!(listed, format!("{socket}\n    {owner}; {comm} (process {pid}); {about}\n"));

    let listed = sockets(&["--json", &name_of(&engine.path())]);
    let listed = Value::parse(listed.as_bytes()).unwrap();
    let text = |name| listed.pointer(&format!("/0/{name}")).and_then(Value::as_str);
    assert_eq!(text("endpoint"), Some(&*socket));
    assert_eq!(text("mode"), Some("0620"));
    assert_eq!(format!("0620 {}:{}", text("user").unwrap(), text("group").unwrap()), owner);
    assert_eq!(text("process"), Some(comm));
    assert_eq!(listed.pointer("/0/pid").and_then(Value::as_i64), Some(pid.into()));
    assert_eq!((text("protocol"), text("about")), (Some("http/1"), Some(about)));
    assert_eq!(listed.pointer("/1"), None);
}

/// The answer to the ttrpc request is that of containerd-shim-runc-v2 of containerd 1.6.20.
#[test]
fn protocols_are_recognised_by_their_bytes() {
    let ttrpc = Fake::start(|peer| {
        peer.read(4)?;
        if peer.received() == b"GET " {
            return peer.read_to_end();
        }
        peer.read(6)?;
        peer.send(b"\0\0\0\x0e\0\0\0\x01\x02\0\n\x0c\x08\x0c\x12\x08service ")
    });
    let silent = Fake::start(|peer| peer.read_to_end());
    let mail = Fake::start(|peer| peer.send(b"220 mail.example ESMTP\r\n"));
    let grpc = Fake::answer_and_close(*b"\0\0\x06\x04\0\0\0\0\0\0\x05\0\0@\0");
    let check = |server: &Fake, protocol, about| {
        let name = name_of(&server.path());
        let listed = sockets(&["--json", &name]);
        let listed = Value::parse(listed.as_bytes()).unwrap();
        let text = |name| listed.pointer(&format!("/0/{name}")).and_then(Value::as_str);
        assert_eq!((text("protocol"), text("about")), (protocol, Some(about)));
        assert_eq!(sockets(&["--http", &name]), "");
    };
    thread::scope(|scope| {
        scope.spawn(|| check(&ttrpc, Some("ttrpc"), "ttrpc, not HTTP"));
        scope.spawn(|| check(&silent, None, "did not answer"));
        scope.spawn(|| check(&mail, None, "not HTTP"));
        scope.spawn(|| check(&grpc, Some("http/2"), "HTTP/2 (gRPC)"));
    });
    assert_eq!(ttrpc.received()[1], b"\0\0\0\0\0\0\0\x01\x01\0");
}

#[test]
fn only_chosen_sockets_are_asked() {
    let chosen = Fake::answer_and_close("HTTP/1.0 200 OK\r\n\r\n");
    let other = Fake::answer_and_close("HTTP/1.1 200 OK\r\n\r\n");
    assert!(sockets(&[&name_of(&chosen.path())]).ends_with("; HTTP/1.0\n"));
    assert!(sockets(&["--no-ask", &name_of(&other.path())]).ends_with("; not asked\n"));
    assert_eq!(chosen.received().len(), 1);
    assert!(other.received().is_empty());
    // The name of a process counts as well.
    let comm = fs::read_to_string("/proc/self/comm").unwrap();
    let listening = Fake::start(|peer| peer.read_to_end());
    assert!(sockets(&["--no-ask", comm.trim_end()]).contains(&url(&listening.path())));
}

#[test]
fn places_of_engines_are_listed_even_if_nothing_is_there() {
    let home = TempDir::new();
    let place = home.join(".docker/run/docker.sock");
    let mut command = ucurl();
    command.env("HOME", home.path()).args(["sockets", &name_of(&place)]);
    let missing = format!("\nPlaces of engines:\n{}: not there\n", url(&place));
    assert_eq!(run(&mut command, b"", LIMIT).success(), missing);
}

/// The kernel's table has a path as it is, with `@` for the NUL of an abstract name.
#[cfg(target_os = "linux")]
#[test]
fn sockets_with_any_name_are_listed_if_they_listen() {
    use std::os::linux::net::SocketAddrExt as _;
    use std::os::unix::net::{SocketAddr, UnixDatagram, UnixListener, UnixStream};
    let dir = TempDir::new();
    let _spaces = UnixListener::bind(dir.join("with  space.sock")).unwrap();
    let name = format!("{}/\u{e9}", dir.path().display());
    let _abstract = UnixListener::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap());
    let bytes = [name.as_bytes(), b"\xff"].concat();
    let _bytes = UnixListener::bind_addr(&SocketAddr::from_abstract_name(bytes).unwrap());
    let _datagrams = UnixDatagram::bind(dir.join("datagrams.sock")).unwrap();
    let _connected = UnixStream::connect(dir.join("with  space.sock")).unwrap();
    let listed = sockets(&["--no-ask", &format!("{}/", name_of(dir.path()))]);
    let names: Vec<&str> = listed.lines().filter(|line| !line.starts_with(' ')).collect();
    let want = [
        format!("unix://{}/with  space.sock", dir.path().display()),
        format!("unix://@{name}"),
        format!("unix://@{name}\\xff"),
    ];
    assert_eq!(names, want);
}
