//! TLS on loopback with the certificates of a throwaway CA: the right ones succeed, and each wrong
//! one fails with its cause.
//!
//! The peer is Python's `ssl`, a different implementation. Skipped without openssl or python3.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crate::support::certificates::certificates;
use crate::support::needs;
use crate::support::temp::TempDir;
use unix_http::docker::TlsOptions;
use unix_http::transport::{ConnectError, ConnectErrorKind as Kind, Endpoint, Stream, connect};

/// The server. The first byte of a connection selects what it does.
const SERVER: &str = r#"
import os, socket, ssl, struct, sys, threading
directory, name, wants, version = sys.argv[1:]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(f"{directory}/{name}.pem", f"{directory}/{name}.key")
if wants == "client-certificate":
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(f"{directory}/ca.pem")
if version == "1.2":
    context.maximum_version = ssl.TLSVersion.TLSv1_2

def echo(tls):
    while data := tls.recv(65536):
        tls.sendall(data)

def source(tls):
    for n in range(1024):
        tls.sendall(bytes([n % 251]) * 65536)
    tls.unwrap()

def sink(tls):
    count = 0
    while count < 1024 * 65536:
        data = tls.recv(65536)
        if not data:
            break
        count += len(data)
    tls.sendall(b"%d" % count)
    tls.unwrap()

def cut(tls):
    tls.sendall(b"half")
    os.close(tls.detach())

def reset(tls):
    tls.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    os.close(tls.detach())

def serve(tcp):
    try:
        tls = context.wrap_socket(tcp, server_side=True)
        {b"e": echo, b"s": source, b"k": sink, b"c": cut, b"r": reset}[tls.recv(1)](tls)
    except (OSError, KeyError):
        pass

listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen()
print(listener.getsockname()[1], flush=True)
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
"#;

/// A server that ends with its test.
struct Server {
    process: Child,
    port: u16,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn server(certificate: &str, wants: &str, version: &str) -> Server {
    let mut process = Command::new("python3")
        .args(["-c", SERVER])
        .args([
            certificates().unwrap().path().as_os_str(),
            certificate.as_ref(),
            wants.as_ref(),
            version.as_ref(),
        ])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
    Server { process, port: line.trim().parse().unwrap() }
}

fn ready() -> Option<Arc<TempDir>> {
    needs::program("python3")?;
    certificates()
}

fn options(dir: &TempDir) -> TlsOptions {
    TlsOptions::default().ca(dir.join("ca.pem"))
}

fn with_client(dir: &TempDir, name: &str) -> TlsOptions {
    options(dir).client(dir.join(&format!("{name}.pem")), dir.join(&format!("{name}.key")))
}

fn dial(server: &Server, host: &str, options: TlsOptions) -> Result<Stream, ConnectError> {
    connect(&Endpoint::tls(host, server.port, options).unwrap(), Some(Duration::from_secs(60)))
}

/// Reads the first byte: with TLS 1.3 the server rejects a client only after the handshake.
fn first_answer(stream: Result<Stream, ConnectError>) -> Result<u8, (Kind, String)> {
    let told = |error: &ConnectError| (error.kind(), error.to_string());
    let mut stream = stream.map_err(|error| told(&error))?;
    let mut byte = [0];
    let _ = stream.write_all(b"ex");
    match stream.read_exact(&mut byte) {
        Ok(()) => Ok(byte[0]),
        Err(error) => Err(told(&error.downcast::<ConnectError>().unwrap())),
    }
}

#[track_caller]
fn fails(stream: Result<Stream, ConnectError>, kind: Kind, words: &str) {
    let (got, text) = first_answer(stream).unwrap_err();
    assert_eq!(got, kind, "{text}");
    assert!(text.contains(words), "`{words}` is missing in: {text}");
    assert!(
        text.starts_with("cannot connect to tcp://")
            && text.contains(" with TLS: ")
            && !text.contains('\n'),
        "{text}"
    );
}

#[test]
fn the_right_certificates_are_accepted() {
    let Some(dir) = ready() else { return };
    let plain = server("server", "", "1.3");
    assert_eq!(first_answer(dial(&plain, "localhost", options(&dir))), Ok(b'x'));
    assert_eq!(first_answer(dial(&plain, "127.0.0.1", options(&dir))), Ok(b'x'), "by its address");
    let named = |name: &str| options(&dir).server_name(name.to_owned());
    assert_eq!(
        first_answer(dial(&plain, "127.0.0.1", named("localhost"))),
        Ok(b'x'),
        "by another name"
    );
    for version in ["1.2", "1.3"] {
        let mutual = server("server", "client-certificate", version);
        assert_eq!(
            first_answer(dial(&mutual, "localhost", with_client(&dir, "client"))),
            Ok(b'x'),
            "TLS {version}"
        );
    }
    let elsewhere = server("elsewhere", "", "1.3");
    assert_eq!(first_answer(dial(&elsewhere, "127.0.0.1", named("elsewhere.example"))), Ok(b'x'));
}

#[test]
fn a_server_certificate_that_does_not_verify_fails_with_its_cause() {
    let Some(dir) = ready() else { return };
    let peer = Kind::PeerCertificate;
    let right = server("server", "", "1.3");
    let other_ca = || options(&dir).ca(dir.join("other-ca.pem"));
    fails(
        dial(&right, "localhost", other_ca()),
        peer,
        "other-ca.pem (unable to get local issuer certificate)",
    );
    fails(
        dial(&right, "localhost", TlsOptions::default()),
        peer,
        "was not signed by a CA among this system's",
    );
    let named = |name: &str| options(&dir).server_name(name.to_owned());
    fails(
        dial(&right, "localhost", named("example.org")),
        peer,
        "is not for `example.org` (hostname mismatch)",
    );
    fails(
        dial(&right, "localhost", named("192.0.2.7")),
        peer,
        "is not for `192.0.2.7` (IP address mismatch)",
    );
    let elsewhere = server("elsewhere", "", "1.2");
    fails(
        dial(&elsewhere, "localhost", options(&dir)),
        peer,
        "is not for `localhost` (hostname mismatch)",
    );
    fails(
        dial(&elsewhere, "127.0.0.1", options(&dir)),
        peer,
        "is not for `127.0.0.1` (IP address mismatch)",
    );
    let expired = server("expired", "", "1.3");
    fails(dial(&expired, "localhost", options(&dir)), peer, "has expired on ");
    // Only an explicit option accepts them.
    let none = TlsOptions::default;
    for (server, trusting) in [(&elsewhere, none()), (&expired, none()), (&right, other_ca())] {
        let trusting = trusting.verify(false);
        assert_eq!(first_answer(dial(server, "localhost", trusting)), Ok(b'x'));
    }
}

/// The server sends an alert with the reason. Its reset may come first, because it closes while we
/// write.
#[track_caller]
fn is_refused(stream: Result<Stream, ConnectError>, alert: &str, reset: &str) {
    let (kind, text) = first_answer(stream).unwrap_err();
    let told = kind == Kind::ClientCertificate && text.contains(alert);
    let guessed = kind == Kind::Other && text.contains(reset);
    assert!(told || guessed, "{kind:?}: {text}");
}

#[test]
fn a_refused_client_certificate_fails_with_its_cause() {
    let Some(dir) = ready() else { return };
    for version in ["1.2", "1.3"] {
        let mutual = server("server", "client-certificate", version);
        is_refused(
            dial(&mutual, "localhost", options(&dir)),
            "wants a client certificate",
            "may want a client certificate",
        );
        is_refused(
            dial(&mutual, "localhost", with_client(&dir, "other-client")),
            "refuses the client certificate",
            "may refuse the client certificate",
        );
    }
}

#[test]
fn a_reset_names_the_client_certificate_as_a_possible_cause() {
    let Some(dir) = ready() else { return };
    let server = server("server", "", "1.3");
    let reset = |options| {
        let mut stream = dial(&server, "localhost", options).unwrap();
        stream.write_all(b"r").unwrap();
        let error = stream.read(&mut [0]).unwrap_err();
        error.downcast::<ConnectError>().unwrap().to_string()
    };
    let text = reset(options(&dir));
    assert!(text.contains("may want a client certificate"), "{text}");
    let text = reset(with_client(&dir, "client"));
    assert!(text.contains("may refuse the client certificate"), "{text}");
}

#[test]
fn unusable_certificate_files_are_named() {
    let Some(dir) = ready() else { return };
    let server = server("server", "client-certificate", "1.3");
    let of = |ca: &str, cert: &str, key: &str| {
        let options = TlsOptions::default().ca(dir.join(ca)).client(dir.join(cert), dir.join(key));
        dial(&server, "localhost", options)
    };
    fails(
        of("none.pem", "client.pem", "client.key"),
        Kind::CaFile,
        "none.pem cannot be read: No such file",
    );
    fails(
        of("empty.pem", "client.pem", "client.key"),
        Kind::CaFile,
        "empty.pem: the file holds none in PEM form",
    );
    fails(
        of("ca.pem", "none.pem", "client.key"),
        Kind::ClientCertificate,
        "none.pem cannot be read",
    );
    fails(of("ca.pem", "client.pem", "client.pem"), Kind::ClientCertificate, "private key in");
    fails(of("ca.pem", "client.pem", "server.key"), Kind::ClientCertificate, "does not belong to");
}

#[test]
fn a_server_without_tls_is_recognised() {
    let Some(dir) = ready() else { return };
    let to = |port| Endpoint::tls("127.0.0.1", port, options(&dir)).unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    // A silent server runs into the time limit.
    let limit = Duration::from_millis(300);
    let error = connect(&to(port), Some(limit)).unwrap_err();
    assert_eq!(error.kind(), Kind::TimedOut);
    assert!(error.to_string().contains("no connection within 300ms: the host is down"), "{error}");
    // On a busy machine, openssl had no time to connect.
    listener.set_nonblocking(true).unwrap();
    let _ = listener.accept();
    listener.set_nonblocking(false).unwrap();
    // A plain HTTP server answers in plain text.
    let plain = thread::spawn(move || {
        let (mut peer, _) = listener.accept().unwrap();
        assert!(peer.read(&mut [0; 4096]).unwrap() > 0);
        peer.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").unwrap();
    });
    fails(connect(&to(port), None), Kind::TlsHandshake, "does not speak TLS on this port");
    plain.join().unwrap();
    fails(connect(&to(port), None), Kind::NobodyListens, "no process is listening on this port");
    let unknown = Endpoint::tls("no-such-host.invalid", 2376, TlsOptions::default()).unwrap();
    fails(connect(&unknown, None), Kind::UnknownHost, "cannot be resolved");
    for host in ["", "-x", "a b", "h/p", "a@b"] {
        assert!(Endpoint::tls(host, 1, TlsOptions::default()).is_err(), "{host}");
        let options = TlsOptions::default().server_name(host.to_owned());
        assert!(Endpoint::tls("h", 1, options).is_err(), "{host}");
    }
}

/// Every byte, also at the start of a line, where `s_client` could read it as a command.
fn every_byte() -> Vec<u8> {
    let mut bytes: Vec<u8> = (0..=255).flat_map(|b| [b'\n', b, b'\r', b'\n', b]).collect();
    bytes.extend(b"\nQ\nR\nr\nk\nK\nB\nS\nP\n{quit}\n\0\x04\x1a\n".repeat(50));
    bytes
}

#[test]
fn any_bytes_pass_in_both_directions_at_once() {
    let Some(dir) = ready() else { return };
    let server = server("server", "", "1.3");
    let mut stream = dial(&server, "localhost", options(&dir)).unwrap();
    stream.write_all(b"e").unwrap();
    // Byte by byte, so that each can be the first of a read.
    for byte in b"Q\nR\nk\nQ" {
        stream.write_all(&[*byte]).unwrap();
        let mut back = [0];
        stream.read_exact(&mut back).unwrap();
        assert_eq!(back[0], *byte);
    }
    let mut sent = every_byte();
    while sent.len() < 8 << 20 {
        sent.extend_from_within(..);
    }
    let mut got = vec![0; sent.len()];
    thread::scope(|scope| {
        scope.spawn(|| (&stream).write_all(&sent).unwrap());
        (&stream).read_exact(&mut got).unwrap();
    });
    assert!(got == sent);
}

#[test]
fn sixty_four_megabytes_pass_in_each_direction() {
    let Some(dir) = ready() else { return };
    let server = server("server", "", "1.3");
    let mut down = dial(&server, "localhost", options(&dir)).unwrap();
    down.write_all(b"s").unwrap();
    let mut block = vec![0; 65536];
    for n in 0..1024_u32 {
        down.read_exact(&mut block).unwrap();
        assert!(block == vec![(n % 251) as u8; 65536], "block {n}");
    }
    assert_eq!(down.read(&mut block).unwrap(), 0, "ended by close_notify: a clean end");

    let mut up = dial(&server, "localhost", options(&dir)).unwrap();
    up.write_all(b"k").unwrap();
    for _ in 0..1024 {
        up.write_all(&block).unwrap();
    }
    let mut count = String::new();
    up.read_to_string(&mut count).unwrap();
    assert_eq!(count, "67108864");
}

#[test]
fn a_connection_without_close_notify_is_an_error() {
    let Some(dir) = ready() else { return };
    let server = server("server", "", "1.3");
    let mut stream = dial(&server, "localhost", options(&dir)).unwrap();
    stream.write_all(b"c").unwrap();
    let mut got = Vec::new();
    let error = stream.read_to_end(&mut got).unwrap_err();
    assert_eq!(got, b"half", "what came before is delivered");
    let text = error.downcast::<ConnectError>().unwrap().to_string();
    assert!(text.contains("cut the connection without TLS's own end"), "{text}");
}

#[test]
fn half_close_is_refused_and_dropping_leaves_no_process() {
    let Some(dir) = ready() else { return };
    let server = server("server", "", "1.3");
    let mut stream = dial(&server, "localhost", options(&dir)).unwrap();
    stream.write_all(b"e").unwrap();
    let error = stream.shutdown(std::net::Shutdown::Write).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::Unsupported);
    assert!(error.to_string().contains("use ssh or a proxy command"), "{error}");
    let mut byte = [0];
    stream.write_all(b"y").unwrap();
    stream.read_exact(&mut byte).unwrap();
    assert_eq!(byte, *b"y", "nothing was ended");
    let start = Instant::now();
    drop(stream);
    assert!(start.elapsed() < Duration::from_secs(20));
}
