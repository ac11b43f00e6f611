//! "Copy as ucurl" and "copy as curl": a shell runs the command, and the same request arrives.

use super::page::shown_for;
use crate::support::child::run;
use crate::support::needs::program;
use crate::support::temp::TempDir;
use crate::support::web::text;
use std::io::Read;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use unix_http::Endpoint;
use unix_http::server::{Handle, Server};
use unix_http::traffic::Side::{Client, Server as Answers};

/// Method, target, the fields that the client chose, and content.
type Asked = (String, Vec<u8>, Vec<(String, Vec<u8>)>, Vec<u8>);

fn server(at: &Endpoint) -> (Handle, Arc<Mutex<Vec<Asked>>>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let notes = Arc::clone(&asked);
    let server = Server::bind(at).unwrap().spawn(move |request, responder| {
        let own = ["host", "user-agent", "content-length"];
        let fields = request.fields().iter().filter(|field| {
            !own.contains(&field.name().to_ascii_lowercase().as_str()) && field.value() != b"*/*"
        });
        let mut fields: Vec<_> =
            fields.map(|field| (field.name().to_owned(), field.value().to_vec())).collect();
        fields.sort();
        let (method, target) = (request.method().to_owned(), request.target().to_vec());
        let mut content = Vec::new();
        request.read_to_end(&mut content)?;
        notes.lock().unwrap().push((method, target, fields, content));
        responder.send("")
    });
    (server.unwrap(), asked)
}

fn shell(dir: &Path, script: &str) {
    let path = format!("{}:{}", dir.display(), std::env::var("PATH").unwrap_or_default());
    let mut sh = Command::new("sh");
    sh.args(["-euc", script]).env("PATH", path).env("X_REGISTRY_AUTH", "mine").env("HOME", dir);
    sh.env_remove("DOCKER_HOST");
    run(&mut sh, b"", Duration::from_secs(30)).success();
}

#[test]
fn a_copied_command_makes_the_same_request() {
    let dir = TempDir::new();
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_ucurl"), dir.join("ucurl")).unwrap();
    let field = |name: &str, value: &str| (name.to_owned(), value.as_bytes().to_vec());
    let json = field("Content-Type", "application/json");
    let hostile = "it's $(id) `id` \\ \"x\" é !";
    let cases: Vec<Asked> = vec![
        ("GET".into(), b"/a?x='$(id)'&[1-3]={b,c}".to_vec(), vec![], vec![]),
        ("HEAD".into(), b"/_ping".to_vec(), vec![], vec![]),
        ("GET".into(), b"/a/../b/./c".to_vec(), vec![field("X-A", hostile)], vec![]),
        ("POST".into(), b"/c".to_vec(), vec![json], format!("{{\"{hostile}\n\t\":1}}").into()),
        ("PUT".into(), b"/d".to_vec(), vec![], b"no type".to_vec()),
        ("DELETE".into(), b"/e".to_vec(), vec![], vec![]),
    ];
    let places = [
        Endpoint::Unix(dir.join("it's a $(socket)")),
        Endpoint::Tcp { host: "127.0.0.1".into(), port: 0 },
    ];
    for place in places {
        let (server, asked) = server(&place);
        let shown = shown_for(server.endpoint().clone());
        for (n, (method, target, fields, content)) in cases.iter().enumerate() {
            let mut head = [method.as_bytes(), b" ", target, b" HTTP/1.1\r\nHost: x\r\n"].concat();
            for (name, value) in fields {
                head.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
            }
            if !content.is_empty() {
                head.extend(format!("Content-Length: {}\r\n", content.len()).into_bytes());
            }
            shown.says(1, Client, 0, [&head[..], b"\r\n", content].concat());
            shown.says(1, Answers, 0, "HTTP/1.1 204 No Content\r\n\r\n");
            let detail = shown.web.detail(n as u64 + 1, "");
            for tool in ["ucurl", "curl"] {
                if tool == "curl" && program("curl").is_none() {
                    continue;
                }
                shell(dir.path(), text(&detail, tool));
                let again = asked.lock().unwrap().pop().unwrap();
                assert_eq!(again, cases[n], "{}", text(&detail, tool));
            }
        }
    }
}

#[test]
fn a_masked_credential_comes_from_a_variable() {
    let dir = TempDir::new();
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_ucurl"), dir.join("ucurl")).unwrap();
    let (server, asked) = server(&Endpoint::Unix(dir.join("s")));
    let shown = shown_for(server.endpoint().clone());
    let fields = "Host: x\r\nX-Registry-Auth: hunter2\r\nContent-Length: 0\r\n\r\n";
    shown.says(1, Client, 0, format!("POST /images/create HTTP/1.1\r\n{fields}"));
    shell(dir.path(), text(&shown.web.detail(1, ""), "ucurl"));
    let field = ("X-Registry-Auth".to_owned(), b"mine".to_vec());
    assert_eq!(asked.lock().unwrap()[0].2, [field]);
}

#[test]
fn a_request_that_fits_into_no_command_has_none() {
    let shown = shown_for(Endpoint::Unix("/s".into()));
    shown.says(
        1,
        Client,
        0,
        "PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n\0\x01\x02\x03",
    );
    shown.says(2, Client, 0, "PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf");
    let large = "x".repeat((128 << 10) + 1);
    let head = format!("PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", large.len());
    shown.says(3, Client, 0, head + &large);
    let fields = "Host: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 0\r\n\r\n";
    shown.says(4, Client, 0, format!("POST /containers/x/attach HTTP/1.1\r\n{fields}"));
    for id in 1..=3 {
        let detail = shown.web.detail(id, "");
        assert_eq!((text(&detail, "curl"), text(&detail, "ucurl")), ("", ""), "{id}");
    }
    let attach = shown.web.detail(4, "");
    let want = "ucurl --unix-socket '/s' --hijack -X POST '/containers/x/attach'";
    assert_eq!((text(&attach, "curl"), text(&attach, "ucurl")), ("", want));
}
