//! Two byte streams, read as HTTP: which response answers which request, where each message ends,
//! and where HTTP ends.
//!
//! Every case is delivered whole, byte by byte, and with each part cut in two at every position.

use std::time::Duration;
use unix_http::traffic::Side::{self, Client, Server};
use unix_http::traffic::{Conversation, Event};

/// A step of a conversation: bytes from one side, or the end of one side.
type Said<'a> = (Side, Option<&'a [u8]>);

/// Runs a conversation. Returns its events in short form, with adjacent pieces of a body joined,
/// and the bytes of each side.
fn run(parts: &[Said<'_>], cover: bool) -> (Vec<String>, [Vec<u8>; 2]) {
    let mut seen: Vec<String> = Vec::new();
    let mut bytes = [Vec::new(), Vec::new()];
    let mut joined = String::new();
    let mut see = |event: &Event<'_>| {
        let arrow = |side: &Side| if *side == Client { '>' } else { '<' };
        let (prefix, text) = match event {
            Event::Opened | Event::Refused(_) => unreachable!("a relay's events"),
            Event::Request(x) => {
                ("", format!("{}> {} {}", x.number, x.method(), x.target().escape_ascii()))
            }
            Event::Interim(x, head) => ("", format!("{}< interim {}", x.number, head.status())),
            Event::Response(x) => {
                ("", format!("{}< {}", x.number, x.response.as_ref().unwrap().status()))
            }
            Event::Content(x, side, b) | Event::Tunnel(x, side, b) => {
                assert!(!b.is_empty());
                let sort = if matches!(event, Event::Tunnel(..)) { "tunnel" } else { "content" };
                let prefix = format!("{}{} {sort} ", x.number, arrow(side));
                match seen.last_mut() {
                    Some(last) if joined == prefix => last.push_str(&b.escape_ascii().to_string()),
                    _ => seen.push(format!("{prefix}{}", b.escape_ascii())),
                }
                joined = prefix;
                return;
            }
            Event::Framing(..) => return,
            Event::End(x, side, trailers) => {
                let trailers = trailers.map_or(String::new(), |t| format!(" {t:?}"));
                ("", format!("{}{} end{}", x.number, arrow(side), trailers.replace(" []", "")))
            }
            Event::Done(x) => (
                "",
                format!(
                    "{}  done {}+{}",
                    x.number,
                    x.sent.content + x.sent.tunnel,
                    x.received.content + x.received.tunnel
                ),
            ),
            Event::Fault(x, side, fault) => {
                let number = x.map_or("-".to_owned(), |x| x.number.to_string());
                ("", format!("{number}{} fault: {fault}", arrow(side)))
            }
            Event::Bytes(side, b) => {
                bytes[usize::from(*side == Server)].extend_from_slice(b);
                return;
            }
            Event::Ended(side, _) => ("", format!("-{} ended", arrow(side))),
            Event::Closed => ("", "closed".to_owned()),
            _ => unreachable!(),
        };
        joined.clear();
        seen.push(format!("{prefix}{text}"));
    };
    let mut conversation = Conversation::new(cover);
    for (n, (side, part)) in parts.iter().enumerate() {
        let at = Duration::from_millis(n as u64);
        match part {
            Some(part) => conversation.bytes(*side, at, part, &mut see),
            None => conversation.end(*side, at, None, &mut see),
        }
    }
    conversation.close(&mut see);
    (seen, bytes)
}

#[track_caller]
fn case(parts: &[(Side, &str)], want: &[&str]) {
    let whole: Vec<Said<'_>> = parts
        .iter()
        .map(|(side, text)| (*side, Some(text.as_bytes())))
        .chain([(Client, None), (Server, None)])
        .collect();
    covered(&whole, want, &whole);
}

/// As `case`, with explicit ends and the expected bytes after masking.
#[track_caller]
fn covered(parts: &[Said<'_>], want: &[&str], covered: &[Said<'_>]) {
    let text = |parts: &[Said<'_>], which: Side| -> Vec<u8> {
        parts
            .iter()
            .filter(|(side, _)| *side == which)
            .flat_map(|(_, part)| part.unwrap_or_default())
            .copied()
            .collect()
    };
    let check = |parts: &[Said<'_>], how: &str| {
        let (seen, bytes) = run(parts, true);
        assert_eq!(seen, want, "{how}");
        let bytes = bytes.map(|bytes| bytes.escape_ascii().to_string());
        assert_eq!(
            bytes,
            [Client, Server].map(|side| text(covered, side).escape_ascii().to_string()),
            "{how}"
        );
    };
    check(parts, "whole");
    let single: Vec<Said<'_>> = parts
        .iter()
        .flat_map(|(side, part)| match part {
            None => vec![(*side, None)],
            Some(part) => part.chunks(1).map(|byte| (*side, Some(byte))).collect(),
        })
        .collect();
    check(&single, "byte by byte");
    for (n, (side, part)) in parts.iter().enumerate() {
        for at in 1..part.map_or(0, <[u8]>::len) {
            let (a, b) = part.unwrap().split_at(at);
            let cut =
                [&parts[..n], &[(*side, Some(a)), (*side, Some(b))], &parts[n + 1..]].concat();
            check(&cut, &format!("part {n} cut at {at}"));
        }
    }
    let (_, raw) = run(parts, false);
    assert_eq!(raw, [text(parts, Client), text(parts, Server)], "uncovered");
}

const PING: &str = "GET /_ping HTTP/1.1\r\nHost: x\r\n\r\n";
const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK";

#[test]
fn requests_in_sequence_are_paired() {
    case(
        &[(Client, PING), (Server, OK), (Client, PING), (Server, OK)],
        &[
            "1> GET /_ping",
            "1> end",
            "1< 200",
            "1< content OK",
            "1< end",
            "1  done 0+2", //
            "2> GET /_ping",
            "2> end",
            "2< 200",
            "2< content OK",
            "2< end",
            "2  done 0+2", //
            "-> ended",
            "-< ended",
            "closed",
        ],
    );
}

#[test]
fn pipelined_requests_are_paired() {
    let requests = "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabcHEAD /b HTTP/1.1\r\nHost: x\r\n\r\n\
                    PUT /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nde\r\n1\r\nf\r\n0\r\nT: v\r\n\r\n";
    let responses = "HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n\
                     HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n";
    case(
        &[(Client, requests), (Server, responses)],
        &[
            "1> POST /a",
            "1> content abc",
            "1> end",
            "2> HEAD /b",
            "2> end",
            "3> PUT /c",
            "3> content def",
            "3> end [T: v]",
            "1< 204",
            "1< end",
            "1  done 3+0",
            "2< 200",
            "2< end",
            "2  done 0+0",
            "3< 200",
            "3< content x",
            "3< end",
            "3  done 3+1",
            "-> ended",
            "-< ended",
            "closed",
        ],
    );
}

#[test]
fn interim_and_early_final_responses_are_paired() {
    let head = "PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n";
    case(
        &[
            (Client, head),
            (Server, "HTTP/1.1 100 Continue\r\n\r\n"),
            (Client, "ab"),
            (Server, "HTTP/1.1 404 Not Found\r\nContent-Length: 1\r\n\r\n!"),
            (Client, "cd"),
            (Client, PING),
            (Server, OK),
        ],
        &[
            "1> PUT /a",
            "1< interim 100",
            "1> content ab",
            "1< 404",
            "1< content !",
            "1< end",
            "1> content cd",
            "1> end",
            "1  done 4+1",
            "2> GET /_ping",
            "2> end",
            "2< 200",
            "2< content OK",
            "2< end",
            "2  done 0+2",
            "-> ended",
            "-< ended",
            "closed",
        ],
    );
}

const ATTACH: &str = "POST /attach HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 0\r\n\r\n";
const SWITCH: &str = "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n";

#[test]
fn after_an_upgrade_nothing_is_http() {
    case(
        &[
            (Client, ATTACH),
            (Server, SWITCH),
            (Client, "GET / HTTP/1.1\r\n\r\n"),
            (Server, "HTTP/1.1 junk"),
        ],
        &[
            "1> POST /attach",
            "1> end",
            "1< 101",
            "1> tunnel GET / HTTP/1.1\\r\\n\\r\\n",
            "1< tunnel HTTP/1.1 junk",
            "-> ended",
            "-< ended",
            "1  done 18+13",
            "closed",
        ],
    );
}

#[test]
fn a_101_to_another_protocol_is_a_fault() {
    case(
        &[(Client, ATTACH), (Server, &SWITCH.replace("tcp", "h2c"))],
        &[
            "1> POST /attach",
            "1> end",
            "1< 101",
            "1< fault: a 101 (Switching Protocols) to a protocol that was not requested at byte 9 \
             (RFC 9110 §7.8)",
            "-> ended",
            "-< ended",
            "1  done 0+0",
            "closed",
        ],
    );
}

#[test]
fn bytes_before_an_upgrade_is_granted_are_held_back() {
    case(
        &[(Client, ATTACH), (Client, "early"), (Server, SWITCH), (Client, "late")],
        &[
            "1> POST /attach",
            "1> end",
            "1< 101",
            "1> tunnel earlylate",
            "-> ended",
            "-< ended",
            "1  done 9+0",
            "closed",
        ],
    );
}

#[test]
fn bytes_before_an_upgrade_is_refused_are_the_next_request() {
    case(
        &[
            (Client, ATTACH),
            (Client, PING),
            (Server, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"),
            (Server, OK),
        ],
        &[
            "1> POST /attach",
            "1> end",
            "1< 404",
            "1< end",
            "1  done 0+0",
            "2> GET /_ping",
            "2> end",
            "2< 200",
            "2< content OK",
            "2< end",
            "2  done 0+2",
            "-> ended",
            "-< ended",
            "closed",
        ],
    );
}

/// Docker's attach without an Upgrade field: a 200 that ends with the connection, while the client
/// sends input for the container.
#[test]
fn a_response_until_close_makes_the_client_side_a_tunnel() {
    let attach = "POST /attach HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n";
    for early in [false, true] {
        let mut parts = [
            (Client, attach),
            (Server, "HTTP/1.1 200 OK\r\n\r\n"),
            (Client, "line one\n"),
            (Server, "out"),
        ];
        if early {
            parts.swap(1, 2);
        }
        let mut want = [
            "1> POST /attach",
            "1> end",
            "1< 200",
            "1> tunnel line one\\n",
            "1< content out",
            "-> ended",
            "1< end",
            "-< ended",
            "1  done 9+3",
            "closed",
        ];
        let parts: Vec<_> =
            parts.iter().map(|(side, text)| (*side, Some(text.as_bytes()))).collect();
        let parts = [parts, vec![(Client, None), (Server, None)]].concat();
        want[1] = "1> end";
        covered(&parts, &want, &parts);
    }
}

#[test]
fn a_2xx_to_connect_makes_a_tunnel() {
    let connect = "CONNECT h:1 HTTP/1.1\r\nHost: h:1\r\n\r\n";
    case(
        &[
            (Client, connect),
            (Server, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"),
            (Server, "raw"),
            (Client, "raw"),
        ],
        &[
            "1> CONNECT h:1",
            "1> end",
            "1< 200",
            "1< tunnel raw",
            "1> tunnel raw",
            "-> ended",
            "-< ended",
            "1  done 3+3",
            "closed",
        ],
    );
}

#[test]
fn an_early_end_is_reported() {
    let long = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc";
    case(
        &[(Client, PING), (Server, long)],
        &[
            "1> GET /_ping",
            "1> end",
            "1< 200",
            "1< content abc",
            "-> ended",
            "1< fault: the connection ended after 3 of 5 bytes (RFC 9112 §8)",
            "-< ended",
            "1  done 0+3",
            "closed",
        ],
    );
    case(
        &[(Client, PING), (Client, "GET / HTTP/1.1\r\nHo"), (Server, "HTTP/1.1 2")],
        &[
            "1> GET /_ping",
            "1> end",
            "-> fault: the connection ended inside a head, after 18 bytes (RFC 9112 §8)",
            "-> ended",
            "1< fault: the connection ended inside a head, after 10 bytes (RFC 9112 §8)",
            "-< ended",
            "1  done 0+0",
            "closed",
        ],
    );
}

#[test]
fn a_fault_is_reported_once_and_affects_only_one_side() {
    case(
        &[(Client, "GET / HTTP/1.1\r\nHost : x\r\n\r\nmore"), (Server, OK)],
        &[
            "-> fault: space before the colon of a field line at byte 20 (RFC 9112 §5.1)",
            "1< 200",
            "1< fault: a response without a request (RFC 9112 §9.2)",
            "1< content OK",
            "1< end",
            "1  done 0+2",
            "-> ended",
            "-< ended",
            "closed",
        ],
    );
    case(
        &[
            (Client, PING),
            (Server, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxy\r\n"),
            (Client, PING),
        ],
        &[
            "1> GET /_ping",
            "1> end",
            "1< 200",
            "1< content x",
            "1< fault: chunk-data that is not followed by CR LF at byte 51 (RFC 9112 §7.1)",
            "2> GET /_ping",
            "2> end",
            "-> ended",
            "-< ended",
            "1  done 0+1",
            "2  done 0+0",
            "closed",
        ],
    );
}

/// With two lengths the end of the request is ambiguous: reading past either one enables smuggling.
#[test]
fn nothing_is_read_after_a_request_with_two_lengths() {
    let smuggled = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /admin HTTP/1.1\r\n\r\n";
    case(
        &[(Client, smuggled), (Server, OK)],
        &[
            "1> POST /",
            "1> fault: Transfer-Encoding and Content-Length in one request at byte 64 (RFC 9112 §6.1)",
            "1< 200",
            "1< content OK",
            "1< end",
            "-> ended",
            "-< ended",
            "1  done 0+2",
            "closed",
        ],
    );
}

#[test]
fn secrets_are_masked_in_every_event() {
    let request = b"POST /auth HTTP/1.1\r\nHost: x\r\nX-Registry-Auth: abc\r\nContent-Length: 26\r\n\r\n{\"password\":\"hunter2\",\"a\":1}";
    let request = [&request[..], b""].concat();
    let request =
        String::from_utf8(request).unwrap().replace("Content-Length: 26", "Content-Length: 28");
    let covers = request.replace("abc", "***").replace("hunter2", "*******");
    let response = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nSet-Cookie: s\r\n\r\n6\r\n{\"Iden\r\nf\r\ntityToken\":\"t\"}\r\n0\r\n\r\n";
    let hides = response.replace("Cookie: s", "Cookie: *").replace(":\"t\"", ":\"*\"");
    let ends: [Said<'_>; 2] = [(Client, None), (Server, None)];
    let parts =
        [&[(Client, Some(request.as_bytes())), (Server, Some(response.as_bytes()))][..], &ends]
            .concat();
    let cover = [(Client, Some(covers.as_bytes())), (Server, Some(hides.as_bytes()))];
    covered(
        &parts,
        &[
            "1> POST /auth",
            "1> content {\\\"password\\\":\\\"*******\\\",\\\"a\\\":1}",
            "1> end",
            "1< 200",
            "1< content {\\\"IdentityToken\\\":\\\"*\\\"}",
            "1< end",
            "1  done 28+21",
            "-> ended",
            "-< ended",
            "closed",
        ],
        &cover,
    );
}

/// BuildKit's session contains credentials in HTTP/2 frames, in which they cannot be found.
#[test]
fn an_upgraded_http2_connection_is_masked_completely() {
    let session = ATTACH.replace("tcp", "h2c");
    let switch = SWITCH.replace("tcp", "h2c");
    let parts: [Said<'_>; 6] = [
        (Client, Some(session.as_bytes())),
        (Server, Some(switch.as_bytes())),
        (Client, Some(b"PRI * HTTP/2.0")),
        (Server, Some(b"\0\0\0\x04")),
        (Client, None),
        (Server, None),
    ];
    let mut cover = parts;
    cover[2].1 = Some(b"**************");
    cover[3].1 = Some(b"****");
    covered(
        &parts,
        &[
            "1> POST /attach",
            "1> end",
            "1< 101",
            "1> tunnel **************",
            "1< tunnel ****",
            "-> ended",
            "-< ended",
            "1  done 14+4",
            "closed",
        ],
        &cover,
    );
}

#[test]
fn bytes_that_are_not_http_are_masked_where_they_look_secret() {
    let parts: [Said<'_>; 2] = [
        (Client, Some(b"\x16\x03 not http\nAuthorization: abc\n{\"password\":\"p\"}")),
        (Client, None),
    ];
    let mut cover = parts;
    cover[0].1 = Some(b"\x16\x03 not http\nAuthorization: ***\n{\"password\":\"*\"}");
    covered(
        &parts,
        &["-> fault: not an HTTP/1 message at byte 0 (RFC 9112 §2.3)", "-> ended", "closed"],
        &cover,
    );
}

/// Bytes after a request for an upgrade may belong to any protocol until the response arrives.
#[test]
fn held_back_bytes_are_masked_as_they_arrive() {
    let session = ATTACH.replace("tcp", "h2c");
    let switch = SWITCH.replace("tcp", "h2c");
    let early = [&session, "PRI * HTTP/2.0\r\n\r\n\0token"].concat();
    let parts: [Said<'_>; 4] = [
        (Client, Some(early.as_bytes())),
        (Server, Some(switch.as_bytes())),
        (Client, None),
        (Server, None),
    ];
    let hidden = session + &"*".repeat(24);
    let mut cover = parts;
    cover[0].1 = Some(hidden.as_bytes());
    let tunnel = format!("1> tunnel {}", "*".repeat(24));
    let ends = ["-> ended", "-< ended", "1  done 24+0", "closed"];
    covered(
        &parts,
        &[&["1> POST /attach", "1> end", "1< 101", &tunnel][..], &ends].concat(),
        &cover,
    );

    // After a refused upgrade, they are the next request.
    let auth = "POST /auth HTTP/1.1\r\nHost: x\r\nContent-Length: 16\r\n\r\n{\"password\":\"p\"}";
    let early = [ATTACH, auth].concat();
    let parts: [Said<'_>; 5] = [
        (Client, Some(early.as_bytes())),
        (Server, Some(OK.as_bytes())),
        (Server, Some(OK.as_bytes())),
        (Client, None),
        (Server, None),
    ];
    let hidden = early.replace("\"p\"", "\"*\"");
    let mut cover = parts;
    cover[0].1 = Some(hidden.as_bytes());
    covered(
        &parts,
        &[
            "1> POST /attach",
            "1> end",
            "1< 200",
            "2> POST /auth",
            "2> content {\\\"password\\\":\\\"*\\\"}",
            "2> end",
            "1< content OK",
            "1< end",
            "1  done 0+2",
            "2< 200",
            "2< content OK",
            "2< end",
            "2  done 16+2",
            "-> ended",
            "-< ended",
            "closed",
        ],
        &cover,
    );
}

/// A client may send everything before the response decides how to read it.
#[test]
fn held_back_bytes_outlive_their_client() {
    let early = |behind: &str| [ATTACH, behind].concat();
    let ended = |early: &str, answers: &[&str], want: &[&str]| {
        let answers = answers.iter().map(|answer| (Server, Some(answer.as_bytes())));
        let parts: Vec<Said<'_>> =
            [(Client, Some(early.as_bytes())), (Client, None)].into_iter().collect();
        let parts: Vec<Said<'_>> =
            parts.into_iter().chain(answers).chain([(Server, None)]).collect();
        covered(&parts, &[&["1> POST /attach", "1> end", "-> ended"], want].concat(), &parts);
    };
    let over = ["-< ended", "closed"];
    ended(
        &early("input\n"),
        &[SWITCH],
        &["1< 101", "1> tunnel input\\n", "-< ended", "1  done 6+0", "closed"],
    );
    let first = ["1< 200", "2> GET /_ping", "2> end", "1< content OK", "1< end", "1  done 0+2"];
    let second = ["2< 200", "2< content OK", "2< end", "2  done 0+2"];
    ended(&early(PING), &[OK, OK], &[&first[..], &second, &over].concat());
    let cut =
        ["1< 200", "-> fault: the connection ended inside a head, after 4 bytes (RFC 9112 §8)"];
    ended(
        &early("GET "),
        &[OK],
        &[&cut[..], &["1< content OK", "1< end", "1  done 0+2"], &over].concat(),
    );
    let none = ["1< 200", "-> fault: not an HTTP/1 message at byte 0 (RFC 9112 §2.3)"];
    ended(
        &early("\0\x01"),
        &[OK],
        &[&none[..], &["1< content OK", "1< end", "1  done 0+2"], &over].concat(),
    );
    ended(
        &early("input\n"),
        &[],
        &["-< ended", "1< fault: no response to this request", "1  done 0+0", "closed"],
    );
}

/// If a body breaks off within a secret, the mask extends to the end of the secret.
#[test]
fn a_secret_stays_masked_when_its_framing_breaks() {
    let head = "POST /auth HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    let body = "f\r\n{\"password\":\"hu";
    let parts = [head, body, "nter2\"}"].concat();
    let parts: [Said<'_>; 2] = [(Client, Some(parts.as_bytes())), (Client, None)];
    let hidden = [head, &body.replace("hu", "**"), "*****\"}"].concat();
    let mut cover = parts;
    cover[0].1 = Some(hidden.as_bytes());
    covered(
        &parts,
        &[
            "1> POST /auth",
            "1> content {\\\"password\\\":\\\"**",
            &format!(
                "1> fault: chunk-data that is not followed by CR LF at byte {} (RFC 9112 §7.1)",
                head.len() + body.len()
            ),
            "-> ended",
            "1< fault: no response to this request",
            "1  done 15+0",
            "closed",
        ],
        &cover,
    );
}

#[test]
fn the_number_of_unanswered_requests_is_limited() {
    let many = PING.repeat(3000);
    let (seen, _) = run(&[(Client, Some(many.as_bytes()))], true);
    assert_eq!(seen.iter().filter(|line| line.contains("> GET")).count(), 1024);
    assert!(seen.iter().any(|line| line.contains("too many requests")), "{:?}", seen.last());
}

/// Arbitrary bytes of both sides are reported once, completely and in order, without a panic.
#[test]
fn arbitrary_bytes_are_reported_once_and_in_order() {
    let seeds = [
        PING,
        OK,
        ATTACH,
        SWITCH,
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    ];
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    for round in 0..3000 {
        let mut parts: Vec<(Side, Option<Vec<u8>>)> = Vec::new();
        for _ in 0..=random(6) {
            let side = if random(2) == 0 { Client } else { Server };
            let mut text = seeds[random(seeds.len())].as_bytes().to_vec();
            for _ in 0..random(4) {
                let at = random(text.len());
                match random(3) {
                    0 => text[at] = random(256) as u8,
                    1 => text.insert(at, b" \r\n:0aA\""[random(8)]),
                    _ => text.truncate(at.max(1)),
                }
            }
            parts.push((side, Some(text)));
        }
        let parts: Vec<Said<'_>> =
            parts.iter().map(|(side, part)| (*side, part.as_deref())).collect();
        let (whole, bytes) = run(&parts, false);
        for side in [Client, Server] {
            let sent: Vec<u8> =
                parts.iter().filter(|p| p.0 == side).flat_map(|p| p.1.unwrap()).copied().collect();
            assert_eq!(bytes[usize::from(side == Server)], sent, "round {round}");
        }
        let single: Vec<Said<'_>> = parts
            .iter()
            .flat_map(|(side, part)| part.unwrap().chunks(1).map(|b| (*side, Some(b))))
            .collect();
        assert_eq!(run(&single, false).0, whole, "round {round}: {parts:?}");
    }
}

#[test]
fn heads_that_wait_are_bounded_in_bytes() {
    let head = format!("GET / HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", "y".repeat(125_000));
    let said: Vec<_> = (0..1000).map(|_| (Client, Some(head.as_bytes()))).collect();
    let (seen, _) = run(&said, false);
    // 512 KiB are exceeded by the fifth; the sixth is not kept.
    assert_eq!(seen.iter().filter(|line| line.contains("> GET")).count(), 5);
    assert!(seen.iter().any(|line| line.contains("too many requests")), "{seen:?}");
}
