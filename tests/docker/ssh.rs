//! Docker over ssh, with a stand-in for ssh on the PATH.

use crate::support::again::{again, passed};
use crate::support::temp::TempDir;
use std::fs;
use std::io::{Read, Write};
use std::net::Shutdown;
use std::path::PathBuf;
use std::time::Duration;
use unix_http::transport::{ConnectError, ConnectErrorKind as Kind, Endpoint, connect};

#[test]
fn an_ssh_endpoint_is_checked_and_printed() {
    let ssh = |user, host, port, socket: Option<&str>| {
        Endpoint::ssh(user, host, port, socket.map(PathBuf::from))
    };
    for (endpoint, text) in [
        (ssh(None, "h", None, None), "ssh://h"),
        (ssh(Some("me"), "h", Some(2222), Some("/run/d.sock")), "ssh://me@h:2222/run/d.sock"),
        (ssh(None, "::1", Some(22), None), "ssh://[::1]:22"),
    ] {
        assert_eq!(endpoint.unwrap().to_string(), text);
    }
    for (user, host, words) in [
        (None, "-oProxyCommand=reboot", "the host begins with `-`"),
        (Some("-oProxyCommand=reboot"), "h", "the user begins with `-`"),
        (Some(""), "h", "the user is empty"),
        (Some("a b"), "h", "the user holds"),
        (Some("$(reboot)"), "h", "the user holds"),
        (None, "", "the host is empty"),
        (None, "h`reboot`", "the host contains '`'"),
        (None, "h\n", "the host contains '\\n'"),
    ] {
        let error = ssh(user, host, None, None).unwrap_err().to_string();
        assert!(error.contains(words) && !error.contains('\n'), "`{words}` is missing in: {error}");
    }
}

/// Runs this test again with a stand-in `ssh` on its PATH.
#[test]
fn ssh_gets_the_right_arguments_and_its_errors_are_explained() {
    const AGAIN: &str = "UNIX_HTTP_TEST_SSH_DIR";
    let Some(dir) = std::env::var_os(AGAIN).map(PathBuf::from) else {
        let dir = TempDir::new();
        // It records its arguments, one per line. The name of the host selects what it does.
        let script = "printf '%s\\n' \"$@\" > \"$UNIX_HTTP_TEST_SSH_DIR/arguments\"\ncase \"$*\" in\n\
            *' echo '*) exec cat;;\n\
            *' unknown '*) echo 'ssh: Could not resolve hostname unknown: Name or service not known' >&2; exit 255;;\n\
            *' closed '*) echo 'ssh: connect to host closed port 22: Connection refused' >&2; exit 255;;\n\
            *' denied '*) echo 'me@denied: Permission denied (publickey).' >&2; exit 255;;\n\
            *' stranger '*) echo 'Host key verification failed.' >&2; exit 255;;\n\
            *' bare '*) echo 'sh: 1: docker: not found' >&2; exit 127;;\n\
            *) echo 'something else' >&2; exit 1;;\nesac\n";
        dir.write_script("ssh", script);
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = std::env::join_paths(
            [dir.path().to_owned()].into_iter().chain(std::env::split_paths(&path)),
        )
        .unwrap();
        let output =
            again(module_path!(), "ssh_gets_the_right_arguments_and_its_errors_are_explained")
                .envs([(AGAIN, dir.path().as_os_str()), ("PATH", &path)])
                .output()
                .unwrap();
        passed(&output);
        return;
    };
    let arguments = || {
        fs::read_to_string(dir.join("arguments"))
            .unwrap()
            .lines()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let echo = |endpoint: Endpoint, limit| {
        let mut stream = connect(&endpoint, limit).unwrap();
        stream.write_all(b"both ways").unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        assert_eq!(text, "both ways");
        arguments()
    };
    let plain = Endpoint::ssh(None, "echo", None, None).unwrap();
    assert_eq!(
        echo(plain.clone(), None),
        ["-o", "ConnectTimeout=30", "-T", "--", "echo", "docker", "system", "dial-stdio"]
    );
    assert_eq!(echo(plain, Some(Duration::from_secs(7)))[1], "ConnectTimeout=7");
    let full = Endpoint::ssh(Some("me"), "echo", Some(2222), Some("/run/d.sock".into())).unwrap();
    let host = ["--", "echo", "docker", "--host", "unix:///run/d.sock", "system", "dial-stdio"];
    assert_eq!(
        echo(full, None),
        [&["-o", "ConnectTimeout=30", "-T", "-l", "me", "-p", "2222"][..], &host].concat()
    );
    // The remote side is a shell, so special characters are quoted.
    let odd = Endpoint::ssh(None, "echo", None, Some("/run/it's; reboot".into())).unwrap();
    assert_eq!(echo(odd, None)[7], "'unix:///run/it'\\''s; reboot'");

    let failures = [
        ("unknown", Kind::UnknownHost, "host name cannot be resolved"),
        ("closed", Kind::NobodyListens, "no ssh server listens"),
        ("denied", Kind::PermissionDenied, "see that `ssh denied true` works"),
        ("stranger", Kind::PermissionDenied, "run `ssh stranger` once"),
        ("bare", Kind::Other, "no `docker` command on that host"),
        ("other", Kind::Other, "exit status 1: something else"),
    ];
    for (host, kind, words) in failures {
        let mut stream = connect(&Endpoint::ssh(None, host, None, None).unwrap(), None).unwrap();
        let error = stream.read(&mut [0]).unwrap_err();
        let failure = error.downcast::<ConnectError>().unwrap();
        let text = failure.to_string();
        assert_eq!(failure.kind(), kind, "{text}");
        assert!(
            text.starts_with(&format!("cannot connect to ssh://{host}: ")) && text.contains(words),
            "{text}"
        );
    }
}
