//! Secrets are masked in every event, both in the tap and in the client.

use std::time::Duration;
use unix_http::traffic::{Conversation, Event, Side};

/// Sends the pieces of a client. Returns the bytes that an observer sees, and the number of requests.
fn covered(pieces: &[&[u8]]) -> (String, usize) {
    let (mut bytes, mut requests) = (Vec::new(), 0);
    let mut conversation = Conversation::new(true);
    for piece in pieces {
        let mut see = |event: &Event<'_>| match event {
            Event::Request(_) => requests += 1,
            Event::Bytes(_, piece) => bytes.extend_from_slice(piece),
            _ => {}
        };
        conversation.bytes(Side::Client, Duration::ZERO, piece, &mut see);
    }
    (String::from_utf8(bytes).unwrap(), requests)
}

/// Every split into two pieces has the same result as the whole.
fn at_every_cut(said: &str, want: &str) {
    for cut in 0..=said.len() {
        let (a, b) = said.as_bytes().split_at(cut);
        assert_eq!(covered(&[a, b]).0, want, "cut at {cut}");
    }
}

fn post(target: &str, json: &str) -> String {
    let length = json.len();
    format!("POST {target} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n{json}")
}

fn json(text: &str, want: &str) {
    at_every_cut(&post("/", text), &post("/", want));
}

#[test]
fn the_values_of_secret_fields_are_masked() {
    at_every_cut(
        "GET / HTTP/1.1\r\nAUTHORIZATION: Basic dTpw\r\n\r\n",
        "GET / HTTP/1.1\r\nAUTHORIZATION: Basic ****\r\n\r\n",
    );
    // Only a known scheme is kept, and only at the front.
    at_every_cut(
        "GET / HTTP/1.1\r\nProxy-Authorization: bearerx y\r\nAuthorization: Basic Basic\r\n\r\n",
        "GET / HTTP/1.1\r\nProxy-Authorization: bearer* *\r\nAuthorization: Basic *****\r\n\r\n",
    );
    at_every_cut(
        "GET / HTTP/1.1\r\nA: b\r\nCookie : c=d\r\n e\r\nX: Authorization: y\r\n\r\n",
        "GET / HTTP/1.1\r\nA: b\r\nCookie : ***\r\n *\r\nX: Authorization: y\r\n\r\n",
    );
    at_every_cut(
        "GET /Cookie: HTTP/1.1\r\nX-Registry-Auth:abc\r\n\r\n",
        "GET /Cookie: HTTP/1.1\r\nX-Registry-Auth:***\r\n\r\n",
    );
    let long = format!("{}: v\r\n\r\n", "cookie".repeat(50));
    at_every_cut(&long, &long);
}

#[test]
fn a_leading_empty_line_does_not_end_the_head() {
    let head = "GET / HTTP/1.1\r\nHost: x\r\nCookie: c\r\n\r\n";
    let (masked, requests) = covered(&[b"\r\n", head.as_bytes()]);
    assert_eq!((masked, requests), (format!("\r\n{}", head.replace(": c", ": *")), 1));
}

#[test]
fn the_values_of_secret_members_are_masked() {
    json(r#"{"Password" : "a\\","x":"b"}"#, r#"{"Password" : "***","x":"b"}"#);
    json(
        r#"{"auth":{"password":"p"},"auths":"x","y":"password"}"#,
        r#"{"auth":{"password":"*"},"auths":"x","y":"password"}"#,
    );
    json(r#"["password","p"]"#, r#"["password","p"]"#);
    json(r#"{"Worker":"SWMTKN-1-abc","n":"SWMTKN"}"#, r#"{"Worker":"SWMTKN-*****","n":"SWMTKN"}"#);
    json(r#"{"Env":["MY_TOKEN=a=\"b","TOK=x"]}"#, r#"{"Env":["MY_TOKEN=*****","TOK=x"]}"#);
}

/// A string without escapes may be skipped at once. The result is the same as byte by byte.
#[test]
fn whole_strings_and_single_bytes_agree() {
    let long = "key-".repeat(130);
    let parts = [
        "", "-", "--", "=", " ", ":", "/", "@", "x", "SWMTKN", "SWMKEY", "password", "{", "[", "}",
        "\u{e9}", &long,
    ];
    let all = || parts.iter();
    let strings =
        all().flat_map(|a| all().flat_map(move |b| all().map(move |c| [a, *b, c].concat())));
    for string in strings.filter(|string| !string.contains(":/")) {
        for (before, after) in
            [("{\"k\":\"", "\",\"pw\":\"p\"}"), ("[\"", "\",\"v\"]"), ("{\"", "\":\"v\"}")]
        {
            let text = [before, &string, after].concat();
            let request = post("/", &text);
            let head = request.len() - text.len();
            let single: Vec<&[u8]> = request.as_bytes()[head..].chunks(1).collect();
            let whole = covered(&[request.as_bytes()]).0;
            let single = covered(&[&[&request.as_bytes()[..head]][..], &single].concat()).0;
            assert_eq!(whole, single);
        }
    }
}

#[test]
fn data_of_a_secret() {
    let create =
        |data: &str| post("/secrets/create", &format!(r#"{{"Name":"n","Data":"{data}"}}"#));
    at_every_cut(&create("c2VjcmV0"), &create("********"));
}

/// Even after a cut and a bare LF, a folded line does not continue the host of a URL.
#[test]
fn a_url_ends_with_its_line() {
    let (masked, _) = covered(&[b"G / H\nA: http://host\n", b" x@y\n\n"]);
    assert!(masked.ends_with(" x@y\n\n"), "{masked}");
}

/// Each level of JSON inside JSON needs another mask.
#[test]
fn nested_json_is_masked_without_deep_recursion() {
    let text = |token: &str| post("/", &format!(r#"{{"a":"{{\"token\":\"{token}\"}}"}}"#));
    assert_eq!(covered(&[text("x").as_bytes()]).0, text("*"));
    let mut text = "[".to_owned();
    for _ in 0..300 {
        text = format!("[\"{}", text.replace('\\', "\\u005c").replace('"', "\\u0022"));
    }
    covered(&[post("/", &text).as_bytes()]);
}
