//! Secrets: covered in every event, in the tap and in the client alike.

use unix_http::traffic::secrets::{HeadMask, JsonMask};

/// Every two-way split gives what the whole gives.
fn heads(head: &str, want: &str) {
    for cut in 0..=head.len() {
        let (mut mask, mut bytes) = (HeadMask::new(true), head.as_bytes().to_vec());
        let (a, b) = bytes.split_at_mut(cut);
        let (n, complete) = mask.run(a);
        let len = if complete { n } else { n + mask.run(b).0 };
        assert_eq!(String::from_utf8_lossy(&bytes), want, "cut at {cut}");
        assert_eq!(len, head.find("\r\n\r\n").map_or(head.len(), |at| at + 4), "cut at {cut}");
    }
}

fn json(text: &str, want: &str) {
    for cut in 0..=text.len() {
        let (mut mask, mut bytes) = (JsonMask::new(false), text.as_bytes().to_vec());
        let (a, b) = bytes.split_at_mut(cut);
        mask.run(a);
        mask.run(b);
        assert_eq!(String::from_utf8_lossy(&bytes), want, "cut at {cut}");
    }
}

#[test]
fn fields() {
    heads(
        "GET / HTTP/1.1\r\nAUTHORIZATION: Basic dTpw\r\n\r\n",
        "GET / HTTP/1.1\r\nAUTHORIZATION: Basic ****\r\n\r\n",
    );
    // Only the scheme that is known, and only in front.
    heads(
        "A: b\r\nProxy-Authorization: bearerx y\r\nAuthorization: Basic Basic\r\n\r\n",
        "A: b\r\nProxy-Authorization: bearer* *\r\nAuthorization: Basic *****\r\n\r\n",
    );
    heads(
        "A: b\r\nCookie : c=d\r\n e\r\nX: Authorization: y\r\n\r\n",
        "A: b\r\nCookie : ***\r\n *\r\nX: Authorization: y\r\n\r\n",
    );
    heads(
        "GET /Cookie: HTTP/1.1\r\nX-Registry-Auth:abc\r\n\r\nCookie: x",
        "GET /Cookie: HTTP/1.1\r\nX-Registry-Auth:***\r\n\r\nCookie: x",
    );
    let long = format!("{}: v\r\n\r\n", "cookie".repeat(50));
    heads(&long, &long);
}

#[test]
fn leading_empty_line_is_not_the_end() {
    assert_eq!(HeadMask::new(true).run(&mut b"\r\nGET / HTTP/1.1\r\n\r\n".to_vec()), (20, true));
    assert_eq!(HeadMask::new(true).run(&mut b"\r\n\r\nGET / HTTP/1.1\r\n\r\n".to_vec()), (4, true));
}

#[test]
fn members() {
    json(r#"{"Password" : "a\\","x":"b"}"#, r#"{"Password" : "***","x":"b"}"#);
    json(
        r#"{"auth":{"password":"p"},"auths":"x","y":"password"}"#,
        r#"{"auth":{"password":"*"},"auths":"x","y":"password"}"#,
    );
    json(r#"["password","p"]"#, r#"["password","p"]"#);
    json(r#"{"Worker":"SWMTKN-1-abc","n":"SWMTKN"}"#, r#"{"Worker":"SWMTKN-*****","n":"SWMTKN"}"#);
    json(r#"{"Env":["MY_TOKEN=a=\"b","TOK=x"]}"#, r#"{"Env":["MY_TOKEN=*****","TOK=x"]}"#);
}

#[test]
fn data_of_a_secret() {
    let mut body = *br#"{"Name":"n","Data":"c2VjcmV0"}"#;
    JsonMask::new(true).run(&mut body);
    assert_eq!(&body, br#"{"Name":"n","Data":"********"}"#);
}

/// A folded line, after a cut and a bare LF, does not continue the host of a URL.
#[test]
fn a_url_ends_with_its_line() {
    let (mut mask, mut first, mut rest) =
        (HeadMask::new(true), *b"G / H\nA: http://host\n", *b" x@y\n\n");
    mask.run(&mut first);
    mask.run(&mut rest);
    assert_eq!(&rest, b" x@y\n\n");
}

/// Each level of JSON in JSON would need another mask.
#[test]
fn nested_json_is_masked_without_deep_recursion() {
    let mut text = *br#"{"a":"{\"token\":\"x\"}"}"#;
    JsonMask::new(false).run(&mut text);
    assert_eq!(&text, br#"{"a":"{\"token\":\"*\"}"}"#);
    let mut text = "[".to_owned();
    for _ in 0..300 {
        text = format!("[\"{}", text.replace('\\', "\\u005c").replace('"', "\\u0022"));
    }
    JsonMask::new(false).run(&mut text.into_bytes());
}
