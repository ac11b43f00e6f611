//! Which daemon is meant: `DOCKER_HOST`, contexts, `unix://`, and API versions. The lines of the
//! input are `DOCKER_HOST`, `DOCKER_CONTEXT`, `DOCKER_TLS_VERIFY` and one that is not used; the rest
//! is the content of every file.

use super::recordings::Place;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use unix_http::Endpoint;
use unix_http::docker::{
    ApiVersion, Daemon, DaemonFlags, ResolveError, sha256_hex, without_version,
};

pub fn check(bytes: &[u8]) {
    let first = bytes.split(|&b| b == b'\n').next().unwrap_or_default();
    for text in [bytes, first] {
        host(OsStr::from_bytes(text));
        endpoint(OsStr::from_bytes(text));
        version(text);
    }
    PLACE.with(|place| {
        let given = Given::new(bytes, place);
        for flags in [
            DaemonFlags::default(),
            DaemonFlags { context: Some(OsStr::from_bytes(first).into()), host: None },
            DaemonFlags { context: None, host: Some(OsStr::from_bytes(first).into()) },
        ] {
            resolve(&given, &flags);
        }
    });
}

thread_local!(static PLACE: Place = Place::new());

fn parse(text: &OsStr) -> Result<Daemon, ResolveError> {
    let flags = DaemonFlags { host: Some(text.into()), ..DaemonFlags::default() };
    Daemon::resolve_with(&flags, &|_| None)
}

fn host(text: &OsStr) {
    match parse(text) {
        Err(error) => {
            let said = error.to_string();
            assert!(!said.contains(char::is_control), "{said:?}");
        }
        Ok(host) => {
            dialled(&host.endpoint);
            let prefix = &host.prefix;
            assert!(prefix.is_empty() || prefix.starts_with('/') && !prefix.ends_with('/'));
            assert!(
                prefix.bytes().all(|b| b > b' ' && b < 0x7f),
                "it goes into a request-target: {prefix:?}"
            );
            // The printed form is read back unchanged, unless a byte had to be escaped.
            let written = format!("{}{prefix}", host.endpoint);
            let plain = !written.contains(['\\', char::REPLACEMENT_CHARACTER])
                && !written.contains(char::is_control);
            // An ssh endpoint is printed for people: white space around a name would be lost.
            if plain && !matches!(host.endpoint, Endpoint::Program(_)) && written.trim() == written
            {
                match parse(OsStr::new(&written)) {
                    Ok(again) => assert_eq!(again, host),
                    // The docker CLI reads unix://unix:///x as unix:///x, so the printed form would
                    // change.
                    Err(_) => assert!(
                        written.contains("://") && written[7..].contains("://"),
                        "{written:?}"
                    ),
                }
            }
        }
    }
}

fn dialled(endpoint: &Endpoint) {
    match endpoint {
        Endpoint::Tcp { host, port } => {
            assert!(*port > 0 && !host.is_empty());
            assert!(
                !host.chars().any(|c| c.is_control() || c == ' ' || c == '/' || c == '@'),
                "{host:?}"
            );
        }
        // No argument that ssh could read as an option (CVE-2017-1000117).
        Endpoint::Program(program) if program.to_string().starts_with("ssh://") => {
            let text = program.to_string();
            let place = text.trim_start_matches("ssh://");
            let host = place.split_once('@').map_or(place, |(_, host)| host);
            assert!(
                !host.is_empty() && !place.starts_with('-') && !host.starts_with('-'),
                "{text}"
            );
        }
        Endpoint::Unix(path) => assert!(!path.as_os_str().as_bytes().contains(&0)),
        Endpoint::Abstract(name) => assert!(!name.is_empty()),
        other => assert!(other.to_string().ends_with(" with TLS"), "{other}"),
    }
}

fn endpoint(text: &OsStr) {
    match Endpoint::parse(text) {
        Err(error) => {
            let said = error.to_string();
            assert!(!said.contains(char::is_control), "{said:?}");
        }
        Ok(endpoint) => {
            let written = endpoint.to_string();
            assert!(!written.contains(char::is_control), "{written:?}");
            let escaped =
                text.as_bytes().iter().any(u8::is_ascii_control) || text.to_str().is_none();
            if !escaped && !text.to_string_lossy().contains(char::is_control) {
                assert_eq!(Endpoint::parse(&written).as_ref(), Ok(&endpoint));
            }
            if let Some(authority) = endpoint.authority() {
                let mut fields = unix_http::wire::Fields::new();
                assert!(
                    fields.push("Host", &authority).is_ok() && !authority.contains(' '),
                    "{authority:?}"
                );
            }
        }
    }
}

fn version(text: &[u8]) {
    if let Some(version) = ApiVersion::parse(text) {
        let written = version.to_string();
        assert_eq!(ApiVersion::parse(written.as_bytes()), Some(version));
        assert_eq!(without_version(format!("/v{written}/info").as_bytes()), b"/info");
    }
}

/// The variables of the input, and its files in a directory.
struct Given<'a> {
    bytes: &'a [u8],
    place: &'a Place,
}

impl<'a> Given<'a> {
    fn new(bytes: &'a [u8], place: &'a Place) -> Given<'a> {
        let given = Given { bytes, place };
        let content = bytes.splitn(5, |&b| b == b'\n').nth(4).unwrap_or_default();
        let names = [given.line(1).unwrap_or_default(), given.line(0).unwrap_or_default()];
        let contexts = names.map(|name| format!("contexts/meta/{}", sha256_hex(name.as_bytes())));
        let _ = fs::remove_dir_all(place.path().join("contexts"));
        for dir in &contexts {
            fs::create_dir_all(place.path().join(dir)).expect("our directory");
        }
        let metas = contexts.iter().map(|dir| format!("{dir}/meta.json"));
        let others = ["config.json", "ca.pem", "cert.pem", "key.pem"].map(str::to_owned);
        for file in metas.chain(others) {
            fs::write(place.path().join(file), content).expect("our file");
        }
        given
    }

    fn line(&self, number: usize) -> Option<OsString> {
        let line = self.bytes.splitn(5, |&b| b == b'\n').nth(number)?;
        // A variable cannot contain a NUL.
        (!line.is_empty() && !line.contains(&0)).then(|| OsStr::from_bytes(line).into())
    }

    fn var(&self, name: &str) -> Option<OsString> {
        let names = ["DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_TLS_VERIFY"];
        match names.iter().position(|known| *known == name) {
            Some(number) => self.line(number),
            None => (name == "DOCKER_CONFIG").then(|| self.place.path().into()),
        }
    }
}

fn resolve(given: &Given<'_>, flags: &DaemonFlags) {
    match Daemon::resolve_with(flags, &|name| given.var(name)) {
        Err(error) => {
            let said = error.to_string();
            assert!(!said.contains(char::is_control), "{said:?}");
        }
        Ok(daemon) => {
            dialled(&daemon.endpoint);
            drop(daemon.client());
        }
    }
}
