//! Reaches a real dockerd through TLS with client certificates, and through a real sshd.

use crate::support::again::again;
use crate::support::certificates::certificates;
use crate::support::needs;
use crate::support::temp::TempDir;
use std::fs;
use std::io::{Read, Write};
use std::net::Shutdown;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use unix_http::docker::TlsOptions;
use unix_http::transport::ConnectErrorKind as Kind;
use unix_http::{Client, Endpoint, Error};

/// A daemon of the test's own. Dropping it ends it and waits for its end.
struct Daemon(Child);

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = Command::new("kill").arg(self.0.id().to_string()).status();
        let _ = self.0.wait();
    }
}

fn daemon(command: &mut Command, log: &Path, port: u16) -> Daemon {
    let out = fs::File::create(log).unwrap();
    let errors = out.try_clone().unwrap();
    let mut daemon =
        Daemon(command.stdin(Stdio::null()).stdout(out).stderr(errors).spawn().unwrap());
    let end = Instant::now() + Duration::from_secs(60);
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        let alive = daemon.0.try_wait().unwrap().is_none() && Instant::now() < end;
        assert!(alive, "{command:?}: {}", fs::read_to_string(log).unwrap_or_default());
        thread::sleep(Duration::from_millis(20));
    }
    daemon
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[track_caller]
fn fails(endpoint: Endpoint, kind: Kind, words: &str) {
    match Client::new(endpoint).get("/version").send() {
        Err(Error::Connect(error)) => {
            assert_eq!(error.kind(), kind, "{error}");
            assert!(error.to_string().contains(words), "`{words}` is missing in: {error}");
        }
        Err(error) => panic!("{error}"),
        Ok(response) => panic!("{}", response.status()),
    }
}

#[track_caller]
fn answers(client: &Client) {
    for turn in 0..3 {
        let response = client.get("/version").send().unwrap();
        assert_eq!((response.status(), response.is_reused()), (200, turn > 0));
        assert!(response.text().unwrap().contains(r#""ApiVersion":"#));
    }
}

#[test]
fn dockerd_is_reached_over_tls() {
    // The test starts an engine only if the environment names one for tests.
    let (Some(_), Some(dockerd), Some(certificates)) =
        (needs::docker(), needs::program("dockerd"), certificates())
    else {
        return;
    };
    let (dir, port) = (TempDir::new(), free_port());
    let mut command = Command::new(dockerd);
    for (option, name) in [("--data-root", "data"), ("--exec-root", "exec"), ("--pidfile", "pid")] {
        command.arg(option).arg(dir.join(name));
    }
    for (option, name) in
        [("--tlscacert", "ca.pem"), ("--tlscert", "server.pem"), ("--tlskey", "server.key")]
    {
        command.arg(option).arg(certificates.join(name));
    }
    command.args([
        "--tlsverify",
        "--iptables=false",
        "--bridge=none",
        "-H",
        &format!("tcp://127.0.0.1:{port}"),
    ]);
    let _daemon = daemon(&mut command, &dir.join("log"), port);

    let file = |name: &str| certificates.join(name);
    let right =
        || TlsOptions::default().ca(file("ca.pem")).client(file("client.pem"), file("client.key"));
    let to = |host: &str, options| Endpoint::tls(host, port, options).unwrap();
    for host in ["localhost", "127.0.0.1"] {
        answers(&Client::new(to(host, right())));
    }

    let other_ca = right().ca(file("other-ca.pem"));
    fails(to("localhost", other_ca), Kind::PeerCertificate, "was not signed by a CA in ");
    let other_name = right().server_name("example.org".to_owned());
    fails(to("localhost", other_name), Kind::PeerCertificate, "is not for `example.org`");
    let none = TlsOptions::default().ca(file("ca.pem"));
    fails(to("localhost", none), Kind::ClientCertificate, "wants a client certificate");
    let other = right().client(file("other-client.pem"), file("other-client.key"));
    fails(to("localhost", other), Kind::ClientCertificate, "refuses the client certificate");
}

/// Uses the real ssh with a configuration of the test's own. This program runs itself again, with
/// that ssh on its PATH.
#[test]
fn dockerd_is_reached_over_ssh() {
    const AGAIN: &str = "UNIX_HTTP_TEST_SSHD";
    let Some(socket) = needs::docker() else { return };
    if let Some(port) = std::env::var_os(AGAIN) {
        return through_ssh(port.to_str().unwrap().parse().unwrap(), socket);
    }
    let programs = ["sshd", "ssh", "ssh-keygen", "docker"].map(needs::program);
    let [Some(sshd), Some(ssh), Some(keygen), Some(_)] = programs else { return };
    let (dir, port) = (TempDir::new(), free_port());
    for key in ["host", "user"] {
        let output = Command::new(&keygen)
            .args(["-q", "-t", "ed25519", "-N", "", "-f"])
            .arg(dir.join(key))
            .output();
        assert!(output.unwrap().status.success());
    }
    let text = |name: &str| fs::read_to_string(dir.join(name)).unwrap();
    let at = dir.path().display();
    dir.write("authorized", text("user.pub"));
    dir.write("known", format!("[127.0.0.1]:{port} {}", text("host.pub")));
    let server = "StrictModes no\nUsePAM no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\nPidFile none\n";
    let files = format!("HostKey {at}/host\nAuthorizedKeysFile {at}/authorized\n");
    dir.write("sshd_config", format!("Port {port}\nListenAddress 127.0.0.1\n{files}{server}"));
    let client = "IdentitiesOnly yes\nStrictHostKeyChecking yes\nBatchMode yes\nGlobalKnownHostsFile /dev/null\n";
    dir.write(
        "ssh_config",
        format!("{client}IdentityFile {at}/user\nUserKnownHostsFile {at}/known\n"),
    );
    let script = format!("exec {} -F {at}/ssh_config \"$@\"\n", ssh.display());
    dir.write_script("bin/ssh", &script);
    // The directory for the privilege separation of a root's sshd (sshd(8)).
    let made = fs::create_dir("/run/sshd").is_ok();
    let mut command = Command::new(sshd);
    command.args(["-D", "-e", "-f"]).arg(dir.join("sshd_config"));
    let _daemon = daemon(&mut command, &dir.join("log"), port);

    let path = std::env::var_os("PATH").unwrap_or_default();
    let path =
        std::env::join_paths([dir.join("bin")].into_iter().chain(std::env::split_paths(&path)))
            .unwrap();
    let output = again(module_path!(), "dockerd_is_reached_over_ssh")
        .env("PATH", path)
        .env(AGAIN, port.to_string())
        .output()
        .unwrap();
    if made {
        let _ = fs::remove_dir("/run/sshd");
    }
    let said = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("1 passed"), "{said}\nsshd: {}", text("log"));
}

fn through_ssh(port: u16, socket: PathBuf) {
    let to = |host: &str, port, socket: &Path| {
        Endpoint::ssh(None, host, Some(port), Some(socket.into())).unwrap()
    };
    let client = Client::new(to("127.0.0.1", port, &socket));
    answers(&client);
    half_close_reaches_the_container(&client);
    // known_hosts has the address, not the name.
    fails(
        to("localhost", port, &socket),
        Kind::PermissionDenied,
        "its host key is not known; run `ssh localhost` once",
    );
    fails(
        to("127.0.0.1", free_port(), &socket),
        Kind::NobodyListens,
        "no ssh server listens there",
    );
    fails(to("no-such-host.invalid", port, &socket), Kind::UnknownHost, "cannot be resolved");
    let absent = "/run/no such; daemon.sock";
    fails(
        to("127.0.0.1", port, absent.as_ref()),
        Kind::Other,
        "the program ended with exit status 1: ",
    );
    let nobody = Endpoint::ssh(Some("nobody"), "127.0.0.1", Some(port), None).unwrap();
    fails(nobody, Kind::PermissionDenied, "refuses this user");
}

/// `cat` ends at the end of its input.
fn half_close_reaches_the_container(client: &Client) {
    let name = format!("uh-ssh-{}", std::process::id());
    let json = r#"{"Image":"busy","Cmd":["cat"],"OpenStdin":true,"StdinOnce":true,"AttachStdin":true,"AttachStdout":true,
        "HostConfig":{"NetworkMode":"none","AutoRemove":true}}"#;
    let created =
        client.post(&format!("/containers/create?name={name}")).json(json).send().unwrap();
    assert_eq!(created.status(), 201);
    let attach = format!("/containers/{name}/attach?stream=1&stdin=1&stdout=1");
    let mut attached = client.post(&attach).upgrade("tcp").send().unwrap().into_upgraded().unwrap();
    assert_eq!(client.post(&format!("/containers/{name}/start")).send().unwrap().status(), 204);
    attached.write_all(b"hello").unwrap();
    attached.stream().shutdown(Shutdown::Write).unwrap();
    let mut frames = Vec::new();
    attached.read_to_end(&mut frames).unwrap();
    assert_eq!(frames, b"\x01\0\0\0\0\0\0\x05hello");
}
