//! URLs as users type them, and the targets of redirects.

use crate::fetch::url::Url;
use crate::support::child::{run, ucurl};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;
use std::time::Duration;

#[test]
fn an_unknown_host_is_one_error_with_one_advice() {
    let ended = run(ucurl().args(["-sS", "http://no-such-host/v"]), b"", Duration::from_secs(60));
    let says = ended.stderr();
    let start = "ucurl: (6) cannot connect to tcp://no-such-host:80: \
                 the host name cannot be resolved (";
    assert!(says.starts_with(start), "{says}");
    let end = "); check its spelling, or begin it with / if it is a path\n";
    assert!(says.ends_with(end) && says.lines().count() == 1, "{says}");
}

fn target(url: &str) -> std::result::Result<String, u8> {
    Url::parse(url.as_bytes(), false)
        .map(|url| {
            String::from_utf8_lossy(&[&url.host_and_port()[..], b" ", &url.target()].concat())
                .into_owned()
        })
        .map_err(|error| error.exit as u8)
}

#[test]
fn every_form_of_a_url() {
    // url, then Host and request-target, or the exit code
    let cases: &[(&str, std::result::Result<&str, u8>)] = &[
        ("http://localhost/version", Ok("localhost /version")),
        ("http:/version", Ok("localhost /version")),
        ("http:///version", Ok("localhost /version")),
        // After one slash the first segment is a host where it cannot begin a path of an engine.
        ("http:/localhost/version", Ok("localhost /version")),
        ("http:/LOCALHOST", Ok("LOCALHOST /")),
        ("http:/docker/info", Ok("docker /info")),
        ("http:/unix?x", Ok("unix /?x")),
        ("http:/1.34/info", Ok("1.0.0.34 /info")),
        ("http:/5/info", Ok("0.0.0.5 /info")),
        ("http:/engine.example/info", Ok("engine.example /info")),
        ("http:/h:99/info", Ok("h:99 /info")),
        ("http:/u:p@h/info", Ok("h /info")),
        ("http:/v1.24/info", Ok("localhost /v1.24/info")),
        ("http:/v1/info", Ok("localhost /v1/info")),
        ("http:/v1.x/info", Ok("v1.x /info")),
        ("http:/_ping", Ok("localhost /_ping")),
        ("http:/containers/a.b:c/json", Ok("localhost /containers/a.b:c/json")),
        ("http:/events?since=1.5", Ok("localhost /events?since=1.5")),
        ("/version", Ok("localhost /version")),
        ("//version", Ok("localhost //version")),
        ("d/v", Ok("d /v")),
        ("docker", Ok("docker /")),
        ("docker:2375", Ok("docker:2375 /")),
        ("docker:80/x", Ok("docker /x")),
        ("HTTP://d/", Ok("d /")),
        ("http://d", Ok("d /")),
        ("http://d?q", Ok("d /?q")),
        ("http://d#f", Ok("d /")),
        ("http://d/p#f?x", Ok("d /p")),
        ("http://d/p?q#f", Ok("d /p?q")),
        ("http://d/p?", Ok("d /p?")),
        ("http://u:p@d:8/x", Ok("d:8 /x")),
        ("http://d:/x", Ok("d /x")),
        ("d:/x", Err(1)),
        ("http://[::1]/x", Ok("[::1] /x")),
        ("http://[0:0::1]:99/x", Ok("[::1]:99 /x")),
        ("http://[::1/x", Err(3)),
        ("http://[::1]x/", Err(3)),
        ("http://0x7f.1/", Ok("127.0.0.1 /")),
        ("http://2130706433/", Ok("127.0.0.1 /")),
        ("http://d/a/../b/./c", Ok("d /b/c")),
        ("http://d/a/..", Ok("d /")),
        ("http://d/a/%2e%2E/b/%2e/.%2e/c", Ok("d /c")),
        ("http://d/a/%2e%2e%2fb/...", Ok("d /a/%2e%2e%2fb/...")),
        ("http://./x", Err(3)),
        ("http://../x", Err(3)),
        ("http://d../x", Err(3)),
        ("http://d./x", Ok("d. /x")),
        ("http://a|b/x", Err(3)),
        ("http://u%00:p@d/x", Err(3)),
        ("http://u:p%1f@d/x", Err(3)),
        ("http://u%20:p@d/x", Ok("d /x")),
        ("http://d/../../x", Ok("d /x")),
        ("http://d/a/b/../", Ok("d /a/")),
        ("http://d/a?x=../y", Ok("d /a?x=../y")),
        ("http://d/a b", Err(3)),
        ("http://d/a\tb", Err(3)),
        ("http://d /", Err(3)),
        ("http://d:x/", Err(3)),
        ("http://d:70000/", Err(3)),
        ("http://", Err(3)),
        ("http:////x", Err(3)),
        ("", Err(3)),
        ("https://d/", Err(1)),
        ("ftp://d/", Err(1)),
        ("unix:///run/d.sock", Err(1)),
        ("http://a%62c/", Ok("abc /")),
        ("http://d/{a,b}[1-3]", Ok("d /{a,b}[1-3]")),
        ("http://d/\u{e9}?\u{e9}", Ok("d /%c3%a9?\u{e9}")),
    ];
    for (url, want) in cases {
        assert_eq!(target(url), want.map(str::to_owned), "{url}");
    }
}

#[test]
fn a_location_is_resolved_against_the_url() {
    // from, Location, to
    let cases = [
        ("http://d/a/b?q", "c", "http://d/a/c"),
        ("http://d/a/b?q", "./c", "http://d/a/c"),
        ("http://d/a/b/c", "../x", "http://d/a/x"),
        ("http://d/a/b/c", "../../../x", "http://d/x"),
        ("http://d/a/b?q", "?r", "http://d/a/b?r"),
        ("http://d/a/b?q", "/x/y", "http://d/x/y"),
        ("http://d/a/b?q", "//e/y", "http://e/y"),
        ("http://d/a/b?q", "http://e:8/y", "http://e:8/y"),
        ("http://d/a/b?q", "HTTP://e/y", "http://e/y"),
        ("http://d/a/b", "/x y", "http://d/x%20y"),
        ("http://d/a/b", "/x?y z", "http://d/x?y+z"),
        ("http://d/a/b", "/\u{e9}", "http://d/%c3%a9"),
        ("http://d/a/b", "/x#frag", "http://d/x#frag"),
        ("http://d/a/b#old", "/x", "http://d/x"),
        ("http://d", "x", "http://d/x"),
        ("http://d?q", "x", "http://d/x"),
        ("http://u:p@d/a", "b", "http://u:p@d/b"),
    ];
    for (from, location, to) in cases {
        let url = Url::parse(from.as_bytes(), false).expect(from);
        let url = url.redirect(location.as_bytes()).expect(location);
        assert_eq!(String::from_utf8_lossy(&url.to_bytes()), to, "{from} {location}");
    }
}

/// Sends a request to a TCP engine. Returns Host, the output of `-w` and the client's port.
fn over_tcp(url: &str, flags: &[&str]) -> (String, String, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let server = thread::spawn(move || {
        let (mut stream, peer) = listener.accept().expect("a client");
        let mut head = [0; 4096];
        let length = stream.read(&mut head).expect("a request");
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        stream.write_all(answer).expect("a client that waits");
        (String::from_utf8_lossy(&head[..length]).into_owned(), peer.port())
    });
    let format = "%{remote_ip} %{remote_port} %{local_ip} %{local_port} %{url_effective}";
    let place = |text: &str| text.replace("PORT", &port.to_string());
    let mut command = ucurl();
    command.args(["-sS", "-w", format]).args(flags.iter().map(|flag| place(flag)));
    let said = run(command.arg(place(url)), b"", Duration::from_secs(60)).success();
    let (head, local_port) = server.join().expect("the server");
    let host = head.lines().find_map(|line| line.strip_prefix("Host: ")).expect("a Host field");
    let plain = |text: &str| text.replace(&port.to_string(), "PORT");
    (plain(host), plain(&said), local_port)
}

#[test]
fn a_tcp_engine_is_asked_by_its_own_name() {
    let engine = ["--endpoint", "tcp://127.0.0.1:PORT"];
    let by_name = ["--endpoint", "tcp://localhost:PORT"];
    let cases: [(&str, &[&str], &str); 5] = [
        ("/a", &engine, "127.0.0.1:PORT"),
        ("http://localhost/a", &engine, "127.0.0.1:PORT"),
        ("/a", &by_name, "localhost:PORT"),
        ("http://other/a", &engine, "other"),
        ("http://127.0.0.1:PORT/a", &[], "127.0.0.1:PORT"),
    ];
    for (url, flags, host) in cases {
        let (sent, said, port) = over_tcp(url, flags);
        assert_eq!(sent, host, "{url} {flags:?}");
        let want = format!("127.0.0.1 PORT 127.0.0.1 {port} http://{host}/a");
        assert_eq!(said, want, "{url} {flags:?}");
    }
}
