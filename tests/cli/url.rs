//! URLs as a user types them, and the Locations that redirects lead to.

use crate::fetch::url::Url;
use crate::support::child::{run, ucurl};
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
        let url = url.redirect(location.as_bytes(), false).expect(location);
        assert_eq!(String::from_utf8_lossy(&url.to_bytes()), to, "{from} {location}");
    }
}
