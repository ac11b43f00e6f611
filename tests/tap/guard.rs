//! A guard: parsing its rules, and checking requests.

use crate::guard_cases::{ALLOWED, AMBIGUOUS, Case, DENIED, RULES, request};
use unix_http::tap::AllowList;
use unix_http::wire::{BodyDecoder, RequestDecoder, framing};

/// Returns the request in its encoding for the engine, or the refusal.
pub fn admit(rules: &str, request: &[u8]) -> Result<String, String> {
    let rules = AllowList::parse(rules).expect("rules");
    let mut decoder = RequestDecoder::new();
    let progress = decoder.decode(request).map_err(|error| error.to_string())?;
    let Some(len) = progress else { return Err("cut".into()) };
    let framing = framing::request(decoder.head()).map_err(|error| error.to_string())?.framing;
    let mut body = BodyDecoder::of_request(framing, 0, 1000);
    let (mut content, mut at) = (Vec::new(), len);
    while !body.is_done() {
        let step = body.step(&request[at..]).map_err(|error| error.to_string())?;
        assert_ne!(
            step.framing + step.data,
            0,
            "a request that is cut: {}",
            request.escape_ascii()
        );
        content.extend_from_slice(&request[at + step.framing..at + step.framing + step.data]);
        body.consume(step.data);
        at += step.framing + step.data;
    }
    let passed = rules.admit(decoder.head(), Some(&content)).map_err(|error| error.to_string())?;
    Ok(String::from_utf8(passed).expect("UTF-8"))
}

#[test]
fn allowed_requests_pass() {
    for Case(line, fields, body, _) in ALLOWED {
        let passed = admit(RULES, &request(line, fields, body));
        let passed = passed.unwrap_or_else(|why| panic!("{line} {body}: {why}"));
        // An encoded request passes again, unchanged.
        let again = admit(RULES, passed.as_bytes()).unwrap();
        assert_eq!(again, passed, "{line} {body}");
    }
}

#[test]
fn ambiguous_requests_are_refused() {
    for Case(line, fields, body, want) in AMBIGUOUS {
        let refused = admit(RULES, &request(line, fields, body)).expect_err(line);
        assert!(refused.contains(want), "{line} {body}: {refused}");
    }
}

#[test]
fn requests_without_a_rule_are_refused() {
    // The last rule allows every POST.
    let rules = RULES.replace("POST /**", "");
    for Case(line, fields, body, want) in DENIED {
        let refused = admit(&rules, &request(line, fields, body)).expect_err(line);
        assert!(refused.contains(want), "{line} {body}: {refused}");
    }
}

#[test]
fn the_needed_rule_allows_the_request() {
    let mut count = 0;
    for Case(line, fields, body, _) in ALLOWED.iter().chain(DENIED) {
        let request = request(line, fields, body);
        let Err(refused) = admit("", &request) else { panic!("{line}: passed without a rule") };
        let Some((_, needed)) = refused.split_once("needed: ") else { continue };
        if line.starts_with("get ") || needed.ends_with('<') {
            continue;
        }
        let passed = admit(needed, &request);
        assert!(passed.is_ok(), "{line} {body}: {needed}: {passed:?}");
        count += 1;
    }
    assert!(count > 80, "{count}");
}

/// The engine receives only the guard's encoding and the known fields.
#[test]
fn the_engine_receives_what_was_checked() {
    let fields = "X-Registry-Auth: e30=\r\nContent-Type: application/x-www-form-urlencoded\r\n\
                  Connection: x-registry-auth\r\nX-Other: 1\r\nExpect: 100-continue\r\n";
    let body = " {\"\\u0049mage\" : \"busy:1\\u002f\",\n\"Tty\":false}";
    let passed = admit(RULES, &request("POST /containers/create?name=web-%31+", fields, body));
    assert_eq!(
        passed.unwrap(),
        "POST /containers/create?name=web-1%20 HTTP/1.1\r\nHost: docker\r\n\
         X-Registry-Auth: e30=\r\nContent-Type: application/json\r\nContent-Length: 31\r\n\r\n\
         {\"Image\":\"busy:1/\",\"Tty\":false}"
    );
    let upgrade = request("POST /exec/0a/start", "Connection: x, Upgrade\r\nUpgrade: tcp\r\n", "");
    assert!(
        admit(RULES, &upgrade).unwrap().ends_with("Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n")
    );
    let close = request("GET /_ping", "Connection: close\r\n", "");
    assert!(admit(RULES, &close).unwrap().ends_with("\r\nConnection: close\r\n\r\n"));
}

#[test]
fn a_malformed_rule_is_an_error_with_its_line_number() {
    let cases = [
        ("GET", "a rule is a method"),
        ("get /x", "capital letters"),
        ("GET x", "begins with /"),
        ("GET /", "two ways"),
        ("GET /a//b", "two ways"),
        ("GET /a/../b", "two ways"),
        ("GET /%61", "two ways"),
        ("GET /v1.23/a", "not an API version"),
        ("GET /v1.41", "names nothing"),
        ("GET /**/a", "** is the last"),
        ("GET /a** ", "** is the last"),
        ("GET /a x", "a limit is"),
        ("GET /a ?x", "a limit is"),
        ("GET /a /x", "a limit is"),
        ("GET /a x=1", "a limit is"),
        ("GET /a !<", "a limit is"),
        ("GET /a ?x=%", "%25"),
        ("GET /a ?x=%ff", "%25"),
    ];
    for (line, want) in cases {
        let error = AllowList::parse(&format!("# one\n\nGET /b\n  {line} # more")).unwrap_err();
        assert!(error.starts_with("line 4: ") && error.contains(want), "{line}: {error}");
    }
    for text in ["", "# nothing", "GET /v1.41/a # no", "GET /a ?b== /c= !/d=#x <"] {
        assert!(AllowList::parse(text).is_ok(), "{text}");
    }
}

/// An archive that is read as a body is refused. The refusal names the rule that lets it pass
/// unread.
#[test]
fn an_archive_needs_its_own_rule() {
    let tar = request("PUT /containers/db/archive?path=/srv", "", "tar");
    let refused = admit(RULES, &tar).unwrap_err();
    assert!(refused.ends_with("needed: PUT /containers/db/archive ?path=/srv <"), "{refused}");
}

#[test]
fn a_star_matches_any_characters_but_no_dot_dot() {
    let rule = |glob: &str| format!("GET /a ?x={glob}");
    let matches = |glob: &str, text: &str| {
        admit(&rule(glob), &request(&format!("GET /a?x={text}"), "", "")).is_ok()
    };
    for (glob, yes, no) in [
        ("*", "anything..at/all", ""),
        ("a*", "a", "b"),
        ("*a", "ba", "ab"),
        ("a*b*c", "a-b-c", "a-c"),
        ("a*a", "aa", "a"),
        ("/srv/*", "/srv/x/y", "/srv/x/../y"),
        ("/srv/*:/x", "/srv/y:/x", "/srv/..:/x"),
        ("a..b*", "a..bc", "a..b.."),
        ("%2A", "*", "x"),
        ("a%20b", "a+b", "a%2520b"),
        ("[a-z]", "[a-z]", "b"),
    ] {
        assert!(matches(glob, yes), "{glob} {yes}");
        assert!(no.is_empty() || !matches(glob, no), "{glob} {no}");
    }
}
