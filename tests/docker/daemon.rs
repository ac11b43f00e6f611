//! Which daemon is meant: every rule, with variables and files from a table.

use crate::support::temp::TempDir;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::symlink;
use std::rc::Rc;
use unix_http::Endpoint;
use unix_http::docker::{Daemon, DaemonFlags, TlsOptions, sha256_hex};

/// Variables, and files in a private directory: the path `/x` means `x` in there.
#[derive(Clone)]
struct Fake {
    vars: BTreeMap<String, OsString>,
    dir: Rc<TempDir>,
}

impl Fake {
    fn new() -> Fake {
        Fake { vars: BTreeMap::new(), dir: Rc::new(TempDir::new()) }
    }

    /// Returns the real path of one in a table.
    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.dir.path().display())
    }

    fn var(mut self, name: &str, value: &str) -> Fake {
        let is_path = ["HOME", "DOCKER_CONFIG", "DOCKER_CERT_PATH"].contains(&name);
        let value = if is_path && !value.is_empty() { self.at(value) } else { value.to_owned() };
        self.vars.insert(name.into(), value.into());
        self
    }

    fn file(self, path: &str, content: &str) -> Fake {
        self.dir.write(&path[1..], content);
        self
    }

    /// A file that even root cannot open: a link to itself.
    fn locked(self, path: &str) -> Fake {
        let _ = fs::remove_file(self.at(path));
        fs::create_dir_all(self.dir.join(&path[1..]).parent().unwrap()).unwrap();
        symlink(self.at(path), self.at(path)).unwrap();
        self
    }

    /// A context in the format of `docker context create`.
    fn context(self, name: &str, host: &str) -> Fake {
        let meta = format!(
            r#"{{"Name":"{name}","Metadata":{{}},"Endpoints":{{"docker":{{"Host":"{host}","SkipTLSVerify":false}}}}}}"#
        );
        self.meta(name, &meta)
    }

    fn meta(self, name: &str, meta: &str) -> Fake {
        self.file(
            &format!("/home/me/.docker/contexts/meta/{}/meta.json", sha256_hex(name.as_bytes())),
            meta,
        )
    }

    /// Returns the daemon, or the error with the paths of the table.
    fn resolve(&self, context: Option<&str>, host: Option<&str>) -> Result<Daemon, String> {
        let flags = DaemonFlags { context: context.map(Into::into), host: host.map(Into::into) };
        Daemon::resolve_with(&flags, &|name| self.vars.get(name).cloned())
            .map_err(|error| error.to_string().replace(&self.at(""), ""))
    }

    /// Returns TLS with files of the directory `dir`.
    fn tls(&self, dir: &str, ca: bool, client: bool, verify: bool) -> TlsOptions {
        let path = |name: &str| self.at(&format!("{dir}/{name}"));
        let tls = TlsOptions::default().verify(verify);
        let tls = if ca { tls.ca(path("ca.pem")) } else { tls };
        if client { tls.client(path("cert.pem"), path("key.pem")) } else { tls }
    }
}

/// Returns the host of a daemon in the notation of `DOCKER_HOST`.
fn host_of(daemon: &Daemon) -> String {
    let endpoint = daemon.endpoint.to_string();
    format!("{}{}", endpoint.trim_end_matches(" with TLS"), daemon.prefix)
}

#[track_caller]
fn fails(result: Result<Daemon, String>, want: &str) {
    let error = result.unwrap_err();
    assert!(error.contains(want), "{error}");
}

fn home() -> Fake {
    Fake::new().var("HOME", "/home/me")
}

/// A home with two contexts, of which `blue` is the current one.
fn furnished() -> Fake {
    home()
        .context("blue", "unix:///run/blue.sock")
        .context("red", "tcp://red.example:2375")
        .file("/home/me/.docker/config.json", r#"{"auths":{},"currentContext":"blue"}"#)
}

#[test]
fn the_first_rule_that_applies_decides() {
    const DEFAULT: &str = "unix:///var/run/docker.sock";
    let env = furnished();
    let host = env.clone().var("DOCKER_HOST", "tcp://host.example");
    let context = env.clone().var("DOCKER_CONTEXT", "red");
    let both = host.clone().var("DOCKER_CONTEXT", "red");
    let cases = [
        (&home(), None, None, "the default", "default", DEFAULT),
        (&env, None, None, "currentContext of config.json", "blue", "unix:///run/blue.sock"),
        (&context, None, None, "DOCKER_CONTEXT", "red", "tcp://red.example:2375"),
        (&host, None, None, "DOCKER_HOST", "default", "tcp://host.example:2375"),
        (&both, None, None, "DOCKER_HOST", "default", "tcp://host.example:2375"),
        (&both, None, Some("unix:///flag"), "the host flag", "default", "unix:///flag"),
        (&both, None, Some(""), "the host flag", "default", DEFAULT),
        (&both, Some("blue"), None, "the context flag", "blue", "unix:///run/blue.sock"),
        (&both, Some(""), None, "DOCKER_HOST", "default", "tcp://host.example:2375"),
        (&both, Some(""), Some("unix:///flag"), "the host flag", "default", "unix:///flag"),
        (&both, Some("default"), None, "the context flag", "default", "tcp://host.example:2375"),
        (&context, Some("default"), None, "the context flag", "default", DEFAULT),
        (
            &env.clone().var("DOCKER_HOST", ""),
            None,
            None,
            "currentContext of config.json",
            "blue",
            "unix:///run/blue.sock",
        ),
        (&env.clone().var("DOCKER_HOST", " "), None, None, "DOCKER_HOST", "default", DEFAULT),
        (
            &env.clone().var("DOCKER_CONTEXT", ""),
            None,
            None,
            "currentContext of config.json",
            "blue",
            "unix:///run/blue.sock",
        ),
        (
            &env.clone().var("DOCKER_CONTEXT", "default"),
            None,
            None,
            "DOCKER_CONTEXT",
            "default",
            DEFAULT,
        ),
        (
            &env.clone().var("DOCKER_CONFIG", "/other"),
            None,
            None,
            "the default",
            "default",
            DEFAULT,
        ),
        (
            &env.clone().var("DOCKER_CONFIG", ""),
            None,
            None,
            "currentContext of config.json",
            "blue",
            "unix:///run/blue.sock",
        ),
    ];
    for (at, (env, context, flag, rule, name, shown)) in cases.into_iter().enumerate() {
        let daemon = env.resolve(context, flag).unwrap();
        let found = (daemon.rule, daemon.context.as_str(), &*host_of(&daemon));
        assert_eq!(found, (rule, name, shown), "case {at}");
    }
    fails(env.resolve(Some("blue"), Some("")), "a context and a host were both given");
}

#[test]
fn settings_are_read_as_in_the_cli() {
    let config = "/home/me/.docker/config.json";
    let cases = [
        (r#"{"CURRENTCONTEXT":"blue"}"#, "currentContext of config.json"),
        (r#"{"currentContext":"nope","currentcontext":"blue"}"#, "currentContext of config.json"),
        (r#"{"currentContext":""}"#, "the default"),
        (r#"{"currentContext":null}"#, "the default"),
        ("{}", "the default"),
        ("null", "the default"),
        ("", "the default"),
        ("\n", "the default"),
    ];
    for (text, rule) in cases {
        assert_eq!(
            furnished().file(config, text).resolve(None, None).unwrap().rule,
            rule,
            "{text}"
        );
    }
    let errors = [
        ("{\"currentContext\":\"blue\"", "the JSON text is incomplete at byte 24 (RFC 8259 §2)"),
        ("{\"currentContext\":'blue'}", "expected a value at byte 18 (RFC 8259 §3)"),
        ("{\"currentContext\":5}", "currentContext is not a string"),
    ];
    for (text, want) in errors {
        let error = furnished().file(config, text).resolve(None, None).unwrap_err();
        assert!(error.starts_with(config) && error.contains(want), "{text}: {error}");
    }
    fails(furnished().locked(config).resolve(None, None), &format!("{config}: "));
    // A file that decides nothing does no harm.
    assert!(furnished().locked(config).var("DOCKER_HOST", "unix:///x").resolve(None, None).is_ok());
    fails(Fake::new().resolve(None, None), "no home directory to look for .docker in");
    assert!(Fake::new().resolve(None, Some("unix:///x")).is_ok(), "no home is needed");
}

#[test]
fn stored_hosts_have_their_own_rules() {
    let tcp = |host: &str, port| Endpoint::Tcp { host: host.into(), port };
    let cases = [
        ("unix:///run/d.sock", Endpoint::Unix("/run/d.sock".into()), ""),
        ("unix://rel", Endpoint::Unix("rel".into()), ""),
        ("unix://@name", Endpoint::Abstract(b"name".to_vec()), ""),
        ("", Endpoint::Unix("/var/run/docker.sock".into()), ""),
        ("tcp://h:1/p", tcp("h", 1), "/p"),
        ("tcp://h", tcp("h", 80), ""),
        ("tcp://[::1]", tcp("::1", 80), ""),
        ("http://h:1", tcp("h", 1), ""),
    ];
    for (host, endpoint, prefix) in cases {
        let daemon = home().context("c", host).resolve(Some("c"), None).unwrap();
        assert_eq!((daemon.endpoint, daemon.prefix.as_str()), (endpoint, prefix), "{host}");
    }
    for host in [
        "/run/d.sock",
        "h:1",
        "unix://",
        "tcp://",
        " unix:///x",
        "https://h:1",
        "http://h:1/p",
        "fd://3",
        "foo://h",
    ] {
        let error = home().context("c", host).resolve(Some("c"), None).unwrap_err();
        let place = error.starts_with("/home/me/.docker/contexts/meta/");
        assert!(place && error.contains("/meta.json: `"), "{host}: {error}");
    }
    let metas = [
        (r#"{"endpoints":{"docker":{"HOST":"unix:///x"}}}"#, Ok("unix:///x")),
        (r#"{"Endpoints":{"docker":{"Host":"unix:///a","host":"unix:///x"}}}"#, Ok("unix:///x")),
        (r#"{"Endpoints":{"docker":{}}}"#, Ok("unix:///var/run/docker.sock")),
        (
            r#"{"Endpoints":{"docker":{"Host":null,"SkipTLSVerify":null}}}"#,
            Ok("unix:///var/run/docker.sock"),
        ),
        (
            r#"{"Endpoints":{"Docker":{"Host":"unix:///x"}}}"#,
            Err("the context has no docker endpoint"),
        ),
        (r#"{"Endpoints":{"docker":null}}"#, Err("the context has no docker endpoint")),
        (r#"{"Endpoints":{"kubernetes":{}}}"#, Err("the context has no docker endpoint")),
        ("{}", Err("the context has no docker endpoint")),
        (r#"{"Endpoints":{"docker":{"Host":7}}}"#, Err("Host is not a string")),
        (
            r#"{"Endpoints":{"docker":{"Host":"unix:///x","SkipTLSVerify":"no"}}}"#,
            Err("SkipTLSVerify is neither"),
        ),
        ("{", Err("the JSON text is incomplete at byte 1")),
    ];
    for (meta, want) in metas {
        let got = home().meta("c", meta).resolve(Some("c"), None);
        match (got, want) {
            (Ok(daemon), Ok(want)) => assert_eq!(host_of(&daemon), want, "{meta}"),
            (Err(error), Err(why)) => assert!(error.contains(why), "{meta}: {error}"),
            (got, _) => panic!("{meta}: {got:?}"),
        }
    }
}

#[test]
fn a_missing_context_is_an_error() {
    let env = furnished().var("DOCKER_CONTEXT", "blau");
    let id = sha256_hex(b"blau");
    assert_eq!(
        env.resolve(None, None).unwrap_err(),
        format!(
            "no context \"blau\", which DOCKER_CONTEXT asks for; there is: default, blue, red \
             (no /home/me/.docker/contexts/meta/{id}/meta.json)"
        )
    );
    fails(
        env.resolve(Some("../../etc"), None),
        "no context \"../../etc\", which the context flag asks for",
    );
}

#[test]
fn variables_set_the_tls_of_the_default_context() {
    let dir = "/home/me/.docker";
    let certs = home()
        .file("/home/me/.docker/ca.pem", "")
        .file("/home/me/.docker/cert.pem", "")
        .file("/home/me/.docker/key.pem", "");
    let with = |port, tls| Endpoint::tls("localhost", port, tls).unwrap();
    let full = |verify| with(2376, certs.tls(dir, true, true, verify));
    let cases = [
        ("", "", Endpoint::Unix("/var/run/docker.sock".into())),
        ("1", "", full(false)),
        ("0", "", full(false)),
        ("", "1", full(true)),
        ("", "0", full(true)),
        ("1", "1", full(true)),
    ];
    for (tls, verify, want) in cases {
        let env = certs.clone().var("DOCKER_TLS", tls).var("DOCKER_TLS_VERIFY", verify);
        assert_eq!(env.resolve(None, None).unwrap().endpoint, want, "{tls:?} {verify:?}");
    }
    let on = |env: Fake| env.var("DOCKER_TLS_VERIFY", "1").var("DOCKER_HOST", "tcp://");
    assert_eq!(
        on(certs.clone()).resolve(None, None).unwrap().endpoint,
        with(2375, certs.tls(dir, true, true, true)),
        "only nothing at all is 2376"
    );
    let unix = on(certs.clone()).var("DOCKER_HOST", "unix:///x").resolve(None, None).unwrap();
    assert_eq!(unix.endpoint, Endpoint::Unix("/x".into()), "no TLS over a Unix socket");
    let ca_only = on(home().file("/c/ca.pem", "")).var("DOCKER_CERT_PATH", "/c");
    let want = with(2375, ca_only.tls("/c", true, false, true));
    assert_eq!(ca_only.resolve(None, None).unwrap().endpoint, want);
    let half = ca_only.file("/c/key.pem", "");
    let found = half.resolve(None, None).unwrap();
    assert_eq!(found.endpoint, want);
    let note = format!("key.pem is not used: there is no cert.pem in {}", half.at("/c"));
    assert_eq!(found.notes, [note]);
    for env in [home(), home().var("DOCKER_HOST", "unix:///x")] {
        let error = env.var("DOCKER_TLS", "1").resolve(None, None).unwrap_err();
        let want = "DOCKER_TLS and DOCKER_TLS_VERIFY need it";
        assert!(error.starts_with("/home/me/.docker/ca.pem: ") && error.contains(want), "{error}");
    }
    let locked = on(certs.clone().locked("/home/me/.docker/key.pem"));
    fails(locked.resolve(None, None), "/home/me/.docker/key.pem: ");
}

#[test]
fn a_stored_context_has_its_own_tls_files() {
    let dir = format!("/home/me/.docker/contexts/tls/{}/docker", sha256_hex(b"c"));
    let with = |names: &[&str], host: &str| {
        let env = home().context("c", host);
        names.iter().fold(env, |env, name| env.file(&format!("{dir}/{name}"), ""))
    };
    let tcp = || Endpoint::Tcp { host: "h".into(), port: 1 };
    #[track_caller]
    fn is(env: Fake, want: impl Fn(&Fake) -> Endpoint) {
        assert_eq!(env.resolve(Some("c"), None).unwrap().endpoint, want(&env));
    }
    let ca = |env: &Fake| Endpoint::tls("h", 1, env.tls(&dir, true, false, true)).unwrap();
    let all = |env: &Fake| Endpoint::tls("h", 1, env.tls(&dir, true, true, true)).unwrap();
    is(with(&[], "tcp://h:1"), |_| tcp());
    is(with(&["ca.pem"], "tcp://h:1"), ca);
    // A certificate without its key.
    is(with(&["ca.pem", "cert.pem"], "tcp://h:1"), ca);
    is(with(&["ca.pem", "cert.pem", "key.pem"], "tcp://h:1"), all);
    is(with(&["ca.pem"], "unix:///x"), |_| Endpoint::Unix("/x".into()));
    is(with(&["ca.pem"], "ssh://h"), |_| Endpoint::ssh(None, "h", None, None).unwrap());
    is(with(&["ca.pem"], "https://h:1"), ca);
    let portless = with(&["ca.pem"], "tcp://h").resolve(Some("c"), None).unwrap();
    assert_eq!(portless.endpoint.to_string(), "tcp://h:443 with TLS");
    let skip = r#"{"Endpoints":{"docker":{"Host":"tcp://h:1","SkipTLSVerify":true}}}"#;
    is(home().meta("c", skip), |env| {
        Endpoint::tls("h", 1, env.tls(&dir, false, false, false)).unwrap()
    });
    let lost = with(&["key.pem"], "tcp://h:1");
    symlink("/nowhere/ca.pem", lost.at(&format!("{dir}/ca.pem"))).unwrap();
    fails(lost.resolve(Some("c"), None), "/ca.pem: No such file");
    let plain = home()
        .context("c", "tcp://h:1")
        .file("/home/me/.docker/ca.pem", "")
        .var("DOCKER_TLS_VERIFY", "1");
    // The variables are for the default context.
    is(plain, |_| tcp());
}

#[test]
fn settings_that_are_not_used_are_reported() {
    let env = furnished().var("DOCKER_CONTEXT", "red");
    let notes = |env: &Fake, context| env.resolve(context, None).unwrap().notes;
    let blue = "currentContext of config.json (blue) is overruled";
    assert_eq!(notes(&env, None), [blue]);
    let env = env.var("DOCKER_HOST", "tcp://h:1/p/");
    let daemon = env.resolve(None, None).unwrap();
    assert_eq!((&*daemon.prefix, &*host_of(&daemon)), ("/p", "tcp://h:1/p"));
    assert_eq!(daemon.notes, ["DOCKER_CONTEXT (red) is overruled", blue]);
    // The context `default` uses DOCKER_HOST.
    assert_eq!(notes(&env, Some("default")), ["DOCKER_CONTEXT (red) is overruled", blue]);
    assert_eq!(
        notes(&env, Some("blue")),
        ["DOCKER_HOST (tcp://h:1/p/) is overruled", "DOCKER_CONTEXT (red) is overruled", blue]
    );
    let flag = env.resolve(None, Some("unix:///x")).unwrap();
    assert_eq!(flag.notes, notes(&env, Some("blue")));
    let portless = home().context("c", "tcp://h").resolve(Some("c"), None).unwrap();
    assert_eq!(
        portless.notes,
        ["the stored host has no port; the docker CLI dials 80 then, and so do we"]
    );
}
