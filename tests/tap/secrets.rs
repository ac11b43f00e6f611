//! Secrets in every place, and no trace of them in any output: the view, both explanations, the raw
//! recording, the HAR, the capture, the script and the page.

use crate::support::needs;
use crate::support::temp::TempDir;
use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, SystemTime};
use unix_http::Endpoint;
use unix_http::tap;
use unix_http::traffic::Side::{self, Client, Server};
use unix_http::traffic::{Conversation, Event, Explain, Observer, Text};

const SECRET: &[u8] = b"hunter2";

/// A name, the client's bytes, the server's bytes.
struct Case(&'static str, Vec<u8>, Vec<u8>);

const OK: &[u8] =
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";

fn get(target: &str, fields: &str) -> Vec<u8> {
    format!("GET {target} HTTP/1.1\r\nHost: x\r\n{fields}\r\n").into_bytes()
}

fn post(target: &str, media_type: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    let head = format!("POST {target} HTTP/1.1\r\nHost: x\r\nContent-Type: {media_type}\r\n");
    format!("{head}Content-Length: {length}\r\n\r\n{body}").into_bytes()
}

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (id, field) in [
        ("field-authorization", "Authorization: Basic hunter2"),
        ("field-folded", "X-Registry-Auth: a\r\n hunter2"),
        ("field-vault", "X-Vault-Token: hunter2"),
        ("field-gitlab", "PRIVATE-TOKEN: hunter2"),
        ("field-csrf", "X-Csrf-Token: hunter2"),
        ("field-userinfo", "Referer: https://u:hunter2@h/x"),
        ("field-query", "Link: </x?access_token=hunter2>"),
    ] {
        let request = get("/", &format!("{field}\r\n"));
        cases.push(Case(id, request.clone(), OK.to_vec()));
        let response = format!("HTTP/1.1 200 OK\r\n{field}\r\nContent-Length: 0\r\n\r\n");
        cases.push(Case(id, get("/", ""), response.into_bytes()));
        let trailer = format!("2\r\nab\r\n0\r\n{field}\r\n\r\n").replace("\r\n hunter2", "hunter2");
        let chunked = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
        cases.push(Case(id, [chunked, &trailer].concat().into_bytes(), OK.to_vec()));
        let broken = [b"GET / HTTP/1.1\r\nHost: x\r\nA b: c\r\n\r\n", &request[..]].concat();
        cases.push(Case(id, broken, OK.to_vec()));
    }
    for (id, target) in [
        ("query-token", "/x?token=hunter2&b=c"),
        ("query-podman-pull", "/libpod/images/pull?reference=a&password=hunter2"),
        ("query-escaped-name", "/x?%74oken=hunter2"),
        ("query-env-of-dockerode", "/containers/create?Env=DB_PASSWORD%3Dhunter2&name=a"),
        ("query-buildargs", "/build?buildargs=%7B%22NPM_TOKEN%22%3A%22hunter2%22%7D&t=a"),
        ("query-buildargs-plain", "/build?buildargs={\"NPM_TOKEN\":\"hunter2\"}"),
        ("query-userinfo", "/build?remote=https://u:hunter2@h/x.git"),
        ("query-userinfo-escaped", "/build?remote=https%3A%2F%2Fu%3Ahunter2%40h%2Fx.git"),
        ("target-userinfo", "http://u:hunter2@h/x"),
    ] {
        cases.push(Case(id, get(target, ""), OK.to_vec()));
    }
    for (id, body) in [
        ("json-password", r#"{"password":"hunter2"}"#),
        ("json-escaped-name", r#"{"\u0070assword":"hunter2"}"#),
        ("json-escaped-end", r#"{"aut\u0068":"hunter2"}"#),
        ("json-list", r#"{"password":["x","hunter2"]}"#),
        ("json-object", r#"{"token":{"value":"hunter2"}}"#),
        ("json-deep", r#"{"a":[{"token":[{"v":["hunter2"]}]}]}"#),
        ("json-label", r#"{"Labels":{"api_token":"hunter2"}}"#),
        ("json-label-auth", r#"{"Labels":{"traefik.basicauth":"u:hunter2"}}"#),
        ("json-splunk", r#"{"LogConfig":{"Config":{"splunk-token":"hunter2"}}}"#),
        ("json-ca-key", r#"{"CAConfig":{"SigningCAKey":"-----BEGIN hunter2"}}"#),
        ("json-podman-env", r#"{"env":{"DB_PASSWORD":"hunter2"}}"#),
        ("json-in-json", r#"{"x":"{\"password\":\"hunter2\"}"}"#),
        ("json-after-bom", "\u{feff}{\"password\":\"hunter2\"}"),
        ("json-after-string", r#""x"{"password":"hunter2"}"#),
        ("env", r#"{"Env":["DB_PASSWORD=hunter2"]}"#),
        ("env-escaped-equals", r#"{"Env":["DB_PASSWORD\u003dhunter2"]}"#),
        ("env-escaped-name", r#"{"Env":["DB_PASS\u0057ORD=hunter2"]}"#),
        ("env-pass", r#"{"Env":["DB_PASS=hunter2"]}"#),
        ("env-mysql", r#"{"Env":["MYSQL_PWD=hunter2"]}"#),
        ("env-api-key", r#"{"Env":["X_API-KEY=hunter2"]}"#),
        ("env-aws", r#"{"Env":["AWS_ACCESS_KEY_ID=hunter2"]}"#),
        ("env-ssh", r#"{"Env":["SSH_KEY=hunter2"]}"#),
        ("env-redis", r#"{"Env":["REDIS_AUTH=hunter2"]}"#),
        ("env-url", r#"{"Env":["DATABASE_URL=postgres://u:hunter2@h/db"]}"#),
        ("env-url-twice", r#"{"Env":["URL=postgres://u:hun@hunter2@h/db"]}"#),
        ("option", r#"{"Cmd":["x","--password=hunter2"]}"#),
        ("option-apart", r#"{"Cmd":["x","--token","hunter2"]}"#),
        ("option-in-shell", r#"{"Cmd":["sh","-c","x --token hunter2"]}"#),
        ("driver-option", r#"{"DriverOpts":{"o":"username=u,password=hunter2"}}"#),
        ("swarm-token", r#"{"RemoteAddrs":["a"],"x":"SWMTKN-1-hunter2"}"#),
        ("no-json", "username=u&password=hunter2"),
    ] {
        cases.push(Case(id, post("/v1.41/x", "application/json", body), OK.to_vec()));
        let length = body.len();
        let fields = format!("Content-Type: application/json\r\nContent-Length: {length}\r\n");
        let response = format!("HTTP/1.1 200 OK\r\n{fields}\r\n{body}").into_bytes();
        cases.push(Case(id, get("/v1.41/x", ""), response));
    }
    let long = format!("{}_PASSWORD", "A".repeat(300));
    let env = format!(r#"{{"Env":["{long}=hunter2"]}}"#);
    cases.push(Case("env-long", post("/x", "application/json", &env), OK.to_vec()));
    let form = "application/x-www-form-urlencoded";
    cases.push(Case("form", post("/x", form, "username=u&pass%77ord=hunter2"), OK.to_vec()));
    let data = r#"{"Name":"n","Data":"hunter2"}"#;
    for target in ["/v1.41/secrets/create", "/secret%73/create", "/secrets/x/update"] {
        cases.push(Case("data", post(target, "application/json", data), OK.to_vec()));
    }
    for body in ["hunter2", "{\"hunter2\":1}"] {
        let request = post("/v4.3.1/libpod/secrets/create?name=a", "text/plain", body);
        cases.push(Case("podman-secret", request, OK.to_vec()));
    }
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0\n\x07hunter2".to_vec();
    cases.push(Case("http2", preface, b"\0\0\x07\x04\0\0\0\0\0hunter2".to_vec()));
    // {"token":"hunter2", ...
    let gzip = "H4sIAAAAAAACA6tWKsnPTs1TslLKKM0rSS0yUtJRKkmtKAEK5GTmpSrQmFCq5QIA5E62SYIAAAA=";
    let gzip = unix_http::base::base64::decode(gzip).unwrap();
    let head = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 56\r\n\r\n";
    if needs::program("gzip").is_some() {
        cases.push(Case("gzip", get("/", ""), [head.as_bytes(), &gzip].concat()));
    }
    cases.extend(upgrades());
    cases
}

/// After a request for an upgrade, both granted and refused.
fn upgrades() -> Vec<Case> {
    let upgrade = |protocol: &str| {
        let fields = format!("Connection: Upgrade\r\nUpgrade: {protocol}\r\nContent-Length: 0\r\n");
        format!("POST /session HTTP/1.1\r\nHost: x\r\n{fields}\r\n").into_bytes()
    };
    let mut cases = Vec::new();
    for protocol in ["h2c", "foo, h2c", "x/1"] {
        let switch = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ";
        let switch = format!("{switch}{protocol}\r\n\r\n\0hunter2").into_bytes();
        cases.push(Case("upgraded", [&upgrade(protocol)[..], b"\0hunter2"].concat(), switch));
    }
    // Refused, with more bytes than are held back.
    for filler in [0, 70_000] {
        let filler = get("/", &format!("X-Filler: {}\r\n", "x".repeat(filler)));
        let field = get("/", "X-Registry-Auth: hunter2\r\n");
        let json = post("/x", "application/json", r#"{"password":"hunter2"}"#);
        let client = [upgrade("tcp"), filler, field, json].concat();
        cases.push(Case("refused", client, OK.repeat(4)));
    }
    cases
}

fn tell(case: &Case, cover: bool, cut: usize, see: &mut dyn FnMut(&Event<'_>)) {
    let mut conversation = Conversation::new(cover);
    let (first, rest) = case.1.split_at(cut.min(case.1.len()));
    let pieces: [(Side, &[u8]); 3] = [(Client, first), (Client, rest), (Server, &case.2)];
    see(&Event::Opened);
    for (side, bytes) in pieces.into_iter().filter(|(_, bytes)| !bytes.is_empty()) {
        conversation.bytes(side, Duration::ZERO, bytes, see);
    }
    for side in [Client, Server] {
        conversation.end(side, Duration::ZERO, None, see);
    }
    conversation.close(see);
}

/// Returns the names of the outputs that contain the secret.
fn leaks(case: &Case, cover: bool, dir: &Path) -> Vec<String> {
    let file = |name: &str| File::create(dir.join(name)).unwrap();
    let started = SystemTime::UNIX_EPOCH;
    let target = Endpoint::parse("unix:///x.sock").unwrap();
    #[cfg(feature = "page")]
    let page = super::page::shown();
    let observers = [
        #[cfg(feature = "page")]
        page.observer,
        Box::new(Text::new(file("view"))) as Box<dyn Observer>,
        Box::new(Explain::new(file("explained")).overheard(&target)),
        Box::new(Explain::new(file("client"))),
        Box::new(tap::har(file("har"), started, cover).unwrap()),
        Box::new(tap::pcap(file("pcap"), started, "x").unwrap()),
        Box::new(tap::script(file("script"), &target)),
        Box::new(tap::record(&dir.join("record"), started, cover).unwrap()),
    ];
    tell(case, cover, 0, &mut |event| {
        observers.iter().for_each(|observer| observer.see(1, Duration::ZERO, event));
    });
    for observer in observers {
        assert_eq!(observer.finish(), None);
    }
    let mut names =
        ["view", "explained", "client", "har", "pcap", "script"].map(String::from).to_vec();
    #[cfg(feature = "page")]
    {
        let events = page.web.events(None).until(|event| event.name == "end");
        let details = (1..events.len()).map(|id| page.web.get(&format!("exchange/{id}")).1);
        let shown = details.collect::<String>() + &page.web.get("har").1 + &format!("{events:?}");
        fs::write(dir.join("page"), shown).unwrap();
        names.push("page".into());
    }
    let record = fs::read_dir(dir.join("record")).unwrap();
    names.extend(record.map(|file| format!("record/{}", file.unwrap().file_name().display())));
    names.retain(|name| {
        let bytes = fs::read(dir.join(name)).unwrap();
        bytes.windows(SECRET.len()).any(|window| window == SECRET)
    });
    names
}

#[test]
fn no_output_contains_a_secret() {
    let mut wrong = Vec::new();
    for case in cases() {
        let dir = TempDir::new();
        let shown = leaks(&case, true, dir.path());
        if !shown.is_empty() {
            wrong.push(format!("{}: {shown:?}", case.0));
        }
        let dir = TempDir::new();
        assert_ne!(leaks(&case, false, dir.path()), [""; 0], "{}: the case shows none", case.0);
    }
    assert_eq!(wrong, [""; 0]);
}

/// At every cut in the client's bytes, at least as much is masked as in one piece.
#[test]
fn a_cut_in_the_bytes_reveals_no_secret() {
    let has_secret = |bytes: &[u8]| bytes.windows(SECRET.len()).any(|part| part == SECRET);
    for case in cases().iter().filter(|case| case.1.len() < 4096 && has_secret(&case.1)) {
        let read = |cut: usize| {
            let mut seen = Vec::new();
            tell(case, true, cut, &mut |event| {
                if let Event::Bytes(Client, bytes) = event {
                    seen.extend_from_slice(bytes);
                }
            });
            seen
        };
        let whole = read(0);
        for cut in 1..case.1.len() {
            let cut_up = read(cut);
            let fits = |(a, b): (&u8, &u8)| a == b || *b == b'*';
            assert!(
                whole.len() == cut_up.len() && whole.iter().zip(&cut_up).all(fits),
                "{} cut at {cut}:\n{}\n{}",
                case.0,
                whole.escape_ascii(),
                cut_up.escape_ascii()
            );
        }
    }
}
