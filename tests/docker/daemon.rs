//! Which daemon is meant: every rule, with an environment from a table.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use unix_http::Endpoint;
use unix_http::docker::{
    Daemon, DaemonFlags, DaemonRule, Environment, ResolveError, TlsOptions, sha256_hex,
};

/// Fake variables and files.
#[derive(Clone, Default)]
struct Fake {
    vars: BTreeMap<String, OsString>,
    files: BTreeMap<PathBuf, Vec<u8>>,
    /// Files that exist but cannot be read.
    locked: Vec<PathBuf>,
}

impl Fake {
    fn var(mut self, name: &str, value: &str) -> Fake {
        self.vars.insert(name.into(), value.into());
        self
    }

    fn file(mut self, path: &str, content: &str) -> Fake {
        self.files.insert(path.into(), content.into());
        self
    }

    fn locked(mut self, path: &str) -> Fake {
        self.locked.push(path.into());
        self.file(path, "secret")
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

    fn resolve(&self, context: Option<&str>, host: Option<&str>) -> Result<Daemon, ResolveError> {
        Daemon::resolve(
            self,
            &DaemonFlags { context: context.map(Into::into), host: host.map(Into::into) },
        )
    }
}

impl Environment for Fake {
    fn var(&self, name: &str) -> Option<OsString> {
        self.vars.get(name).cloned()
    }

    fn home_dir(&self) -> Option<PathBuf> {
        self.vars.get("HOME").map(PathBuf::from)
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.probe(path).map(|()| self.files[path].clone())
    }

    fn probe(&self, path: &Path) -> io::Result<()> {
        match (self.locked.contains(&path.to_owned()), self.files.contains_key(path)) {
            (true, _) => Err(io::ErrorKind::PermissionDenied.into()),
            (_, true) => Ok(()),
            _ => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn list(&self, path: &Path) -> io::Result<Vec<PathBuf>> {
        let child = |file: &Path| Some(path.join(file.strip_prefix(path).ok()?.iter().next()?));
        let mut children: Vec<_> = self.files.keys().filter_map(|file| child(file)).collect();
        children.dedup();
        if children.is_empty() { Err(io::ErrorKind::NotFound.into()) } else { Ok(children) }
    }
}

fn home() -> Fake {
    Fake::default().var("HOME", "/home/me")
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
        (&home(), None, None, DaemonRule::Default, "default", DEFAULT),
        (&env, None, None, DaemonRule::ConfigFile, "blue", "unix:///run/blue.sock"),
        (&context, None, None, DaemonRule::ContextVariable, "red", "tcp://red.example:2375"),
        (&host, None, None, DaemonRule::HostVariable, "default", "tcp://host.example:2375"),
        (&both, None, None, DaemonRule::HostVariable, "default", "tcp://host.example:2375"),
        (&both, None, Some("unix:///flag"), DaemonRule::HostFlag, "default", "unix:///flag"),
        (&both, None, Some(""), DaemonRule::HostFlag, "default", DEFAULT),
        (&both, Some("blue"), None, DaemonRule::ContextFlag, "blue", "unix:///run/blue.sock"),
        (&both, Some(""), None, DaemonRule::HostVariable, "default", "tcp://host.example:2375"),
        (&both, Some(""), Some("unix:///flag"), DaemonRule::HostFlag, "default", "unix:///flag"),
        (
            &both,
            Some("default"),
            None,
            DaemonRule::ContextFlag,
            "default",
            "tcp://host.example:2375",
        ),
        (&context, Some("default"), None, DaemonRule::ContextFlag, "default", DEFAULT),
        (
            &env.clone().var("DOCKER_HOST", ""),
            None,
            None,
            DaemonRule::ConfigFile,
            "blue",
            "unix:///run/blue.sock",
        ),
        (
            &env.clone().var("DOCKER_HOST", " "),
            None,
            None,
            DaemonRule::HostVariable,
            "default",
            DEFAULT,
        ),
        (
            &env.clone().var("DOCKER_CONTEXT", ""),
            None,
            None,
            DaemonRule::ConfigFile,
            "blue",
            "unix:///run/blue.sock",
        ),
        (
            &env.clone().var("DOCKER_CONTEXT", "default"),
            None,
            None,
            DaemonRule::ContextVariable,
            "default",
            DEFAULT,
        ),
        (
            &env.clone().var("DOCKER_CONFIG", "/other"),
            None,
            None,
            DaemonRule::Default,
            "default",
            DEFAULT,
        ),
        (
            &env.clone().var("DOCKER_CONFIG", ""),
            None,
            None,
            DaemonRule::ConfigFile,
            "blue",
            "unix:///run/blue.sock",
        ),
    ];
    for (at, (env, context, flag, rule, name, shown)) in cases.into_iter().enumerate() {
        let endpoint = env.resolve(context, flag).unwrap();
        assert_eq!(
            (endpoint.rule, endpoint.context.as_str(), endpoint.host.as_str()),
            (rule, name, shown),
            "case {at}"
        );
    }
    assert!(matches!(env.resolve(Some("blue"), Some("")), Err(ResolveError::BothFlags)));
}

#[test]
fn settings_are_read_as_in_the_cli() {
    let config = "/home/me/.docker/config.json";
    let cases = [
        (r#"{"CURRENTCONTEXT":"blue"}"#, DaemonRule::ConfigFile),
        (r#"{"currentContext":"nope","currentcontext":"blue"}"#, DaemonRule::ConfigFile),
        (r#"{"currentContext":""}"#, DaemonRule::Default),
        (r#"{"currentContext":null}"#, DaemonRule::Default),
        ("{}", DaemonRule::Default),
        ("null", DaemonRule::Default),
        ("", DaemonRule::Default),
        ("\n", DaemonRule::Default),
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
        let error = furnished().file(config, text).resolve(None, None).unwrap_err().to_string();
        assert!(error.starts_with(config) && error.contains(want), "{text}: {error}");
    }
    let error = furnished().locked(config).resolve(None, None).unwrap_err();
    assert!(matches!(error, ResolveError::File { path, .. } if path == Path::new(config)));
    // Nothing is read that the flag makes unnecessary.
    assert!(furnished().locked(config).var("DOCKER_HOST", "unix:///x").resolve(None, None).is_ok());
    assert!(matches!(Fake::default().resolve(None, None), Err(ResolveError::NoHome)));
    assert!(Fake::default().resolve(None, Some("unix:///x")).is_ok(), "nor is a home asked for");
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
        assert_eq!(
            (daemon.endpoint, daemon.prefix.as_str(), daemon.tls),
            (endpoint, prefix, None),
            "{host}"
        );
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
        assert!(matches!(error, ResolveError::Host { place: Some(_), .. }), "{host}: {error}");
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
            (Ok(endpoint), Ok(host)) => assert_eq!(endpoint.host, host, "{meta}"),
            (Err(error), Err(why)) => assert!(error.to_string().contains(why), "{meta}: {error}"),
            (got, _) => panic!("{meta}: {got:?}"),
        }
    }
}

#[test]
fn a_missing_context_is_an_error() {
    let env = furnished().var("DOCKER_CONTEXT", "blau");
    let id = sha256_hex(b"blau");
    assert_eq!(
        env.resolve(None, None).unwrap_err().to_string(),
        format!(
            "no context \"blau\", which DOCKER_CONTEXT asks for; there is: default, blue, red \
             (no /home/me/.docker/contexts/meta/{id}/meta.json)"
        )
    );
    let error = env.resolve(Some("../../etc"), None).unwrap_err();
    assert!(
        matches!(error, ResolveError::UnknownContext { rule: DaemonRule::ContextFlag, .. }),
        "{error}"
    );
}

#[test]
fn variables_set_the_tls_of_the_default_context() {
    let dir = "/home/me/.docker";
    let certs = home()
        .file("/home/me/.docker/ca.pem", "")
        .file("/home/me/.docker/cert.pem", "")
        .file("/home/me/.docker/key.pem", "");
    let path = |name: &str| Some(PathBuf::from(dir).join(name));
    let full = |verify| {
        Some(
            TlsOptions::default()
                .ca(path("ca.pem"))
                .cert(path("cert.pem"))
                .key(path("key.pem"))
                .verify(verify),
        )
    };
    let cases = [
        ("", "", None, "unix:///var/run/docker.sock"),
        ("1", "", full(false), "tcp://localhost:2376"),
        ("0", "", full(false), "tcp://localhost:2376"),
        ("", "1", full(true), "tcp://localhost:2376"),
        ("", "0", full(true), "tcp://localhost:2376"),
        ("1", "1", full(true), "tcp://localhost:2376"),
    ];
    for (tls, verify, want, host) in cases {
        let env = certs.clone().var("DOCKER_TLS", tls).var("DOCKER_TLS_VERIFY", verify);
        let endpoint = env.resolve(None, None).unwrap();
        assert_eq!((endpoint.tls, endpoint.host.as_str()), (want, host), "{tls:?} {verify:?}");
    }
    let on = |env: Fake| env.var("DOCKER_TLS_VERIFY", "1").var("DOCKER_HOST", "tcp://");
    assert_eq!(
        on(certs.clone()).resolve(None, None).unwrap().host,
        "tcp://localhost:2375",
        "only nothing at all is 2376"
    );
    let unix = on(certs.clone()).var("DOCKER_HOST", "unix:///x").resolve(None, None).unwrap();
    assert_eq!((unix.tls, unix.host.as_str()), (None, "unix:///x"), "no TLS over a Unix socket");
    let none =
        on(home().file("/c/ca.pem", "")).var("DOCKER_CERT_PATH", "/c").resolve(None, None).unwrap();
    assert_eq!(
        none.tls,
        Some(
            TlsOptions::default().ca(PathBuf::from("/c/ca.pem")).cert(None).key(None).verify(true)
        )
    );
    let half = home().file("/c/ca.pem", "").file("/c/key.pem", "");
    let half = on(half).var("DOCKER_CERT_PATH", "/c").resolve(None, None).unwrap();
    assert_eq!(half.tls, none.tls);
    assert_eq!(half.notes, ["key.pem is not used: there is no cert.pem in /c"]);
    for env in [home(), home().var("DOCKER_HOST", "unix:///x")] {
        let error = env.var("DOCKER_TLS", "1").resolve(None, None).unwrap_err();
        assert!(
            matches!(&error, ResolveError::File { path, is_ca: true, .. } if path == Path::new("/home/me/.docker/ca.pem")),
            "{error}"
        );
    }
    let error =
        on(certs.clone().locked("/home/me/.docker/key.pem")).resolve(None, None).unwrap_err();
    assert!(matches!(error, ResolveError::File { .. }), "{error}");
}

#[test]
fn a_stored_context_has_its_own_tls_files() {
    let dir = format!("/home/me/.docker/contexts/tls/{}/docker", sha256_hex(b"c"));
    let path = |name: &str| Some(PathBuf::from(&dir).join(name));
    let with = |names: &[&str], host: &str| {
        names
            .iter()
            .fold(home().context("c", host), |env, name| env.file(&format!("{dir}/{name}"), ""))
    };
    let tls = |env: Fake| env.resolve(Some("c"), None).unwrap().tls;
    let ca = Some(TlsOptions::default().ca(path("ca.pem")).cert(None).key(None).verify(true));
    let all = Some(
        TlsOptions::default()
            .ca(path("ca.pem"))
            .cert(path("cert.pem"))
            .key(path("key.pem"))
            .verify(true),
    );
    assert_eq!(tls(with(&[], "tcp://h:1")), None);
    assert_eq!(tls(with(&["ca.pem"], "tcp://h:1")), ca);
    assert_eq!(
        tls(with(&["ca.pem", "cert.pem"], "tcp://h:1")),
        ca,
        "a certificate without its key"
    );
    assert_eq!(tls(with(&["ca.pem", "cert.pem", "key.pem"], "tcp://h:1")), all);
    assert_eq!(tls(with(&["ca.pem"], "unix:///x")), None);
    assert_eq!(tls(with(&["ca.pem"], "ssh://h")), None);
    assert_eq!(tls(with(&["ca.pem"], "https://h:1")), ca);
    assert_eq!(
        with(&["ca.pem"], "tcp://h").resolve(Some("c"), None).unwrap().endpoint.to_string(),
        "tcp://h:443 with TLS"
    );
    let skip =
        home().meta("c", r#"{"Endpoints":{"docker":{"Host":"tcp://h:1","SkipTLSVerify":true}}}"#);
    assert_eq!(tls(skip), Some(TlsOptions::default().ca(None).cert(None).key(None).verify(false)));
    let plain = home()
        .context("c", "tcp://h:1")
        .file("/home/me/.docker/ca.pem", "")
        .var("DOCKER_TLS_VERIFY", "1");
    assert_eq!(tls(plain), None, "the variables are for the default context");
}

#[test]
fn the_origin_of_the_host_is_reported() {
    let env = furnished().var("DOCKER_CONTEXT", "red");
    let daemon = env.resolve(None, None).unwrap();
    let meta = format!("/home/me/.docker/contexts/meta/{}/meta.json", sha256_hex(b"red"));
    assert_eq!((&*daemon.context, daemon.rule), ("red", DaemonRule::ContextVariable));
    assert_eq!((&*daemon.host, daemon.meta), ("tcp://red.example:2375", Some(meta.into())));
    let daemon = env.resolve(None, None).unwrap();
    assert_eq!(
        daemon.overruled(&env, &DaemonFlags::default()),
        ["currentContext of config.json (blue) is overruled"]
    );
    let env = env.var("DOCKER_HOST", "tcp://h:1/p/");
    let daemon = env.resolve(None, None).unwrap();
    assert_eq!((&*daemon.host, &*daemon.prefix, &daemon.meta), ("tcp://h:1/p", "/p", &None));
    assert_eq!(
        daemon.overruled(&env, &DaemonFlags::default()),
        ["DOCKER_CONTEXT (red) is overruled", "currentContext of config.json (blue) is overruled"]
    );
    let flags = DaemonFlags { context: Some("default".into()), host: None };
    let daemon = Daemon::resolve(&env, &flags).unwrap();
    assert_eq!((&*daemon.context, daemon.rule), ("default", DaemonRule::ContextFlag));
    assert!(
        !daemon.overruled(&env, &flags).iter().any(|line| line.contains("DOCKER_HOST")),
        "it is used"
    );
    let flags = DaemonFlags { context: Some("blue".into()), host: None };
    let daemon = Daemon::resolve(&env, &flags).unwrap();
    assert!(daemon.overruled(&env, &flags).iter().any(|line| line.contains("DOCKER_HOST")));
    let portless = home().context("c", "tcp://h").resolve(Some("c"), None).unwrap();
    assert_eq!(
        portless.notes,
        ["the stored host has no port; the docker CLI dials 80 then, and so do we"]
    );
}
