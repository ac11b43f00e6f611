//! Which daemon is meant: `DOCKER_HOST`, contexts, `unix://`, and API versions. The lines of the
//! input are `DOCKER_HOST`, `DOCKER_CONTEXT`, `DOCKER_TLS_VERIFY`, `DOCKER_CERT_PATH`; the rest is
//! the content of every file.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use unix_http::Endpoint;
use unix_http::docker::{self, ApiVersion, Daemon, DaemonFlags, DockerHost, Environment};

pub fn check(bytes: &[u8]) {
    let first = bytes.split(|&b| b == b'\n').next().unwrap_or_default();
    for text in [bytes, first] {
        host(OsStr::from_bytes(text));
        endpoint(OsStr::from_bytes(text));
        version(text);
    }
    for flags in [
        DaemonFlags::default(),
        DaemonFlags { context: Some(OsStr::from_bytes(first).into()), host: None },
        DaemonFlags { context: None, host: Some(OsStr::from_bytes(first).into()) },
    ] {
        resolve(&Given(bytes), &flags);
    }
}

fn host(text: &OsStr) {
    match DockerHost::parse(text) {
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
                match DockerHost::parse(&written) {
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
        assert!(
            docker::api_target("", Some(version), "/info").starts_with(&format!("/v{written}"))
        );
    }
    let _ = ApiVersion::negotiate(None, Some(text));
}

/// The environment in the input.
struct Given<'a>(&'a [u8]);

impl Given<'_> {
    fn line(&self, number: usize) -> Option<OsString> {
        let line = self.0.splitn(5, |&b| b == b'\n').nth(number)?;
        // A variable cannot contain a NUL.
        (!line.is_empty() && !line.contains(&0)).then(|| OsStr::from_bytes(line).into())
    }
}

impl Environment for Given<'_> {
    fn var(&self, name: &str) -> Option<OsString> {
        let names = ["DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH"];
        self.line(names.iter().position(|known| *known == name)?)
    }

    fn home_dir(&self) -> Option<PathBuf> {
        Some("/home/me".into())
    }

    fn read(&self, _: &Path) -> io::Result<Vec<u8>> {
        let rest = self.0.splitn(5, |&b| b == b'\n').nth(4);
        rest.map(<[u8]>::to_vec).ok_or(io::ErrorKind::NotFound.into())
    }

    fn probe(&self, path: &Path) -> io::Result<()> {
        self.read(path).map(drop)
    }

    fn list(&self, _: &Path) -> io::Result<Vec<PathBuf>> {
        Ok(self.line(1).into_iter().map(PathBuf::from).collect())
    }
}

fn resolve(env: &Given<'_>, flags: &DaemonFlags) {
    match Daemon::resolve(env, flags) {
        Err(error) => {
            let said = error.to_string();
            assert!(!said.contains(char::is_control), "{said:?}");
        }
        Ok(endpoint) => {
            dialled(&endpoint.endpoint);
            let _ = (endpoint.overruled(env, flags), endpoint.client());
        }
    }
}
