//! The grammar of a Docker host.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use unix_http::Endpoint;
use unix_http::docker::{Daemon, DaemonFlags, ResolveError};

fn tcp(host: &str, port: u16) -> Endpoint {
    Endpoint::Tcp { host: host.into(), port }
}

fn ssh(user: Option<&str>, host: &str, port: Option<u16>, socket: Option<&str>) -> Endpoint {
    Endpoint::ssh(user, host, port, socket.map(Into::into)).unwrap()
}

/// Parses the host of the flag, without any variable.
fn parse(text: impl AsRef<OsStr>) -> Result<(Endpoint, String), ResolveError> {
    let flags = DaemonFlags { host: Some(text.as_ref().into()), ..DaemonFlags::default() };
    Daemon::resolve_with(&flags, &|_| None).map(|daemon| (daemon.endpoint, daemon.prefix))
}

#[test]
fn a_host_is_parsed_into_its_endpoint() {
    let cases = [
        ("", Endpoint::Unix("/var/run/docker.sock".into()), ""),
        (" \t\n", Endpoint::Unix("/var/run/docker.sock".into()), ""),
        ("unix://", Endpoint::Unix("/var/run/docker.sock".into()), ""),
        ("unix:///run/d.sock", Endpoint::Unix("/run/d.sock".into()), ""),
        ("  unix:///run/d.sock\u{a0}\n", Endpoint::Unix("/run/d.sock".into()), ""),
        ("unix:///a b/%41?x#y", Endpoint::Unix("/a b/%41?x#y".into()), ""),
        ("unix://rel/d.sock", Endpoint::Unix("rel/d.sock".into()), ""),
        ("unix://rel:d", Endpoint::Unix("rel:d".into()), ""),
        ("unix://unix:///x", Endpoint::Unix("/x".into()), ""),
        ("unix://@name", Endpoint::Abstract(b"name".to_vec()), ""),
        ("unix://@/a/b", Endpoint::Abstract(b"/a/b".to_vec()), ""),
        ("tcp://", tcp("localhost", 2375), ""),
        ("tcp://h", tcp("h", 2375), ""),
        ("tcp://h:", tcp("h", 2375), ""),
        ("tcp://:99", tcp("localhost", 99), ""),
        (":99", tcp("localhost", 99), ""),
        ("h", tcp("h", 2375), ""),
        ("h:1", tcp("h", 1), ""),
        ("h:1/p", tcp("h", 1), "/p"),
        ("tcp://tcp://h", tcp("h", 2375), ""),
        ("tcp://h:02375", tcp("h", 2375), ""),
        ("tcp://h_x-1.example:65535", tcp("h_x-1.example", 65535), ""),
        ("tcp://127.0.0.1", tcp("127.0.0.1", 2375), ""),
        ("tcp://[::1]:99", tcp("::1", 99), ""),
        ("tcp://[::1]:", tcp("::1", 2375), ""),
        ("tcp://[fe80::1]:1/p", tcp("fe80::1", 1), "/p"),
        ("tcp://h/p", tcp("h", 2375), "/p"),
        ("tcp://h:1/", tcp("h", 1), ""),
        ("tcp://h:1/p/", tcp("h", 1), "/p"),
        ("tcp://h:1//p/./q/../r//", tcp("h", 1), "/p/r"),
        ("tcp://h:1/../..", tcp("h", 1), ""),
        ("tcp://h:1/a b/\u{e9}/%20\"", tcp("h", 1), "/a%20b/%C3%A9/%20%22"),
        ("tcp://h:1/:@!$&'()*+,;=-._~", tcp("h", 1), "/:@!$&'()*+,;=-._~"),
        ("ssh:22", tcp("ssh", 22), ""),
        ("unix:2375", tcp("unix", 2375), ""),
        ("ssh://h", ssh(None, "h", None, None), ""),
        ("ssh://h/", ssh(None, "h", None, None), ""),
        ("ssh://h:", ssh(None, "h", None, None), ""),
        ("ssh://@h", ssh(None, "h", None, None), ""),
        ("ssh://me@h:22", ssh(Some("me"), "h", Some(22), None), ""),
        ("ssh://me%40corp@h", ssh(Some("me@corp"), "h", None, None), ""),
        ("ssh://a@b@h", ssh(Some("a@b"), "h", None, None), ""),
        ("ssh://h/run/d.sock", ssh(None, "h", None, Some("/run/d.sock")), ""),
        ("ssh://h/a%20b", ssh(None, "h", None, Some("/a b")), ""),
        ("ssh://[::1]:22", ssh(None, "::1", Some(22), None), ""),
    ];
    for (text, endpoint, prefix) in cases {
        assert_eq!(parse(text), Ok((endpoint, prefix.into())), "{text:?}");
    }
    let not_utf8 = OsStr::from_bytes(b" unix:///run/\xff.sock ");
    let endpoint = Endpoint::Unix(OsStr::from_bytes(b"/run/\xff.sock").into());
    assert_eq!(parse(not_utf8), Ok((endpoint, String::new())));
}

#[test]
fn an_invalid_host_is_rejected_with_a_suggestion() {
    let cases = [
        // The docker CLI would read these as the name of a TCP host.
        ("/var/run/docker.sock", Some("unix:///var/run/docker.sock")),
        ("unix:/var/run/docker.sock", Some("unix:///var/run/docker.sock")),
        ("unix:/x", Some("unix:///x")),
        ("unix:", Some("unix://")),
        ("./d.sock", Some("unix://./d.sock")),
        ("../d", Some("unix://../d")),
        ("d.sock", Some("unix://d.sock")),
        ("~/.docker/run/docker.sock", Some("unix://$HOME/.docker/run/docker.sock")),
        ("@name", Some("unix://@name")),
        ("tcp:/h", Some("tcp://h")),
        ("tcp:h", Some("tcp://h")),
        ("ssh:h", Some("ssh://h")),
        ("me@h", Some("ssh://me@h")),
        // It would silently drop a part of these.
        ("tcp://u:p@h:1", Some("ssh://u@h:1")),
        ("tcp://h:1?x=y", None),
        ("tcp://h:1#f", None),
        // It would notice these only when it connects, or never.
        ("unix://~/d.sock", Some("unix://$HOME/d.sock")),
        ("unix://@", None),
        ("tcp://h:0", None),
        ("tcp://h:65536", None),
        ("tcp://h:99999999999999999999", None),
        ("tcp://::1", None),
        ("tcp://h:1:2", None),
        ("ssh://", None),
        ("ssh://u:p@h", None),
        ("ssh://u:@h", None),
        ("ssh://h?x", None),
        ("ssh://h/s#x", None),
        ("ssh://-oProxyCommand=x", None),
        ("ssh://h/%zz", None),
        ("npipe:////./pipe/docker_engine", None),
        ("fd://", None),
        // It rejects these too.
        ("tcp://[::1]", Some("tcp://[::1]:2375")),
        ("tcp://[::1]/p", Some("tcp://[::1]:2375/p")),
        ("tcp://[::1", None),
        ("tcp://[h]:1", None),
        ("tcp://[::1]x:1", None),
        ("tcp://h:x", None),
        ("tcp://h:+5", None),
        ("tcp://h:-5", None),
        ("tcp://h x:1", None),
        ("tcp://h\u{8f}:1", None),
        ("tcp://h\u{a0}:1", None),
        ("tcp://h\\x:1", None),
        ("tcp://%68:1", None),
        ("tcp://h:1/%4", None),
        ("unix://tcp://h", None),
        ("http://h:1", Some("tcp://h:1")),
        ("https://h:1", Some("tcp://h:1 with DOCKER_TLS_VERIFY=1")),
        ("UNIX:///x", Some("unix:///x")),
        ("Tcp://h", Some("tcp://h")),
        ("foo://h", None),
        ("://h", None),
        ("unix:///a\0b", None),
    ];
    for (text, meant) in cases {
        let error = parse(text).map(|(endpoint, _)| endpoint.to_string()).expect_err(text);
        let told = error.to_string();
        let told = told.split_once("; did you mean ").map(|(_, told)| told.trim_end_matches('?'));
        assert_eq!(told, meant, "{text:?}: {error}");
        if let Some(meant) = meant.filter(|meant| !meant.contains(' ')) {
            assert!(parse(meant).is_ok(), "what is suggested is accepted: {meant}");
        }
    }
    assert!(parse(OsStr::from_bytes(b"tcp://\xff")).is_err());
    assert_eq!(
        parse("/var/run/docker.sock").unwrap_err().to_string(),
        "`/var/run/docker.sock` is not an endpoint: a path needs its protocol; did you mean \
         unix:///var/run/docker.sock?"
    );
}
