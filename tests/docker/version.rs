//! API versions.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use unix_http::docker::{ApiVersion, Environment, api_target};

const fn v(major: u16, minor: u16) -> ApiVersion {
    ApiVersion { major, minor }
}

#[test]
fn versions_are_parsed_strictly_and_compared_as_numbers() {
    let good = [
        ("1.41", v(1, 41)),
        ("1.9", v(1, 9)),
        ("01.041", v(1, 41)),
        ("65535.65535", v(65535, 65535)),
    ];
    for (text, version) in good {
        assert_eq!(ApiVersion::parse(text.as_bytes()), Some(version), "{text}");
    }
    for text in [
        "", "1", "1.", ".41", "1.41.2", "v1.41", "+1.41", "1.+41", "-1.41", "1. 41", " 1.41",
        "1.x", "1.65536", "1,41",
    ] {
        assert_eq!(ApiVersion::parse(text.as_bytes()), None, "{text:?}");
    }
    assert!(v(1, 9) < v(1, 10) && v(1, 99) < v(2, 0));
    assert_eq!(v(1, 41).to_string(), "1.41");
}

#[test]
fn the_smaller_of_two_versions_is_used() {
    let above = v(ApiVersion::HIGHEST.major, ApiVersion::HIGHEST.minor + 1).to_string();
    let cases: &[(Option<ApiVersion>, Option<&str>, Option<ApiVersion>)] = &[
        (None, Some("1.41"), Some(v(1, 41))),
        (None, Some("1.12"), Some(v(1, 12))),
        (None, Some(&above), Some(ApiVersion::HIGHEST)),
        (None, Some("2.0"), Some(ApiVersion::HIGHEST)),
        (None, None, None),
        (None, Some(""), None),
        (Some(v(1, 24)), Some("1.41"), Some(v(1, 24))),
        (Some(v(1, 99)), Some("1.41"), Some(v(1, 99))),
        (Some(v(1, 24)), Some("nonsense"), Some(v(1, 24))),
        (Some(v(1, 24)), None, Some(v(1, 24))),
    ];
    for &(pinned, field, want) in cases {
        assert_eq!(
            ApiVersion::negotiate(pinned, field.map(str::as_bytes)),
            Ok(want),
            "{pinned:?} {field:?}"
        );
    }
    let error = ApiVersion::negotiate(None, Some(b"1.41, 1.42")).unwrap_err().to_string();
    assert_eq!(error, "the field Api-Version is no API version such as 1.41: \"1.41, 1.42\"");
}

struct Pin(Option<&'static str>);

impl Environment for Pin {
    fn var(&self, name: &str) -> Option<OsString> {
        self.0.filter(|_| name == "DOCKER_API_VERSION").map(OsString::from)
    }
    fn home_dir(&self) -> Option<PathBuf> {
        None
    }
    fn read(&self, _: &Path) -> io::Result<Vec<u8>> {
        Err(io::ErrorKind::NotFound.into())
    }
    fn probe(&self, _: &Path) -> io::Result<()> {
        Err(io::ErrorKind::NotFound.into())
    }
    fn list(&self, _: &Path) -> io::Result<Vec<PathBuf>> {
        Err(io::ErrorKind::NotFound.into())
    }
}

#[test]
fn a_variable_pins_the_version() {
    let good = [
        (None, None),
        (Some(""), None),
        (Some("v"), None),
        (Some("1.41"), Some(v(1, 41))),
        (Some(" v1.24\n"), Some(v(1, 24))),
    ];
    for (value, want) in good {
        assert_eq!(ApiVersion::pinned(&Pin(value)), Ok(want), "{value:?}");
    }
    for value in ["1", "latest", "vv1.41", "V1.41", "1.41.0"] {
        let error = ApiVersion::pinned(&Pin(Some(value))).unwrap_err().to_string();
        assert_eq!(error, format!("DOCKER_API_VERSION is no API version such as 1.41: {value:?}"));
    }
}

#[test]
fn the_version_is_put_into_the_path() {
    let cases = [
        ("", Some(v(1, 41)), "/containers/json?all=1", "/v1.41/containers/json?all=1"),
        ("/engine", Some(v(1, 41)), "/version", "/engine/v1.41/version"),
        ("/engine", None, "/version", "/engine/version"),
        ("", None, "/version", "/version"),
        ("", Some(v(1, 41)), "/", "/v1.41/"),
        ("", Some(v(1, 41)), "/v1.24/info", "/v1.24/info"),
        ("", Some(v(1, 41)), "/v1.24", "/v1.24"),
        ("", Some(v(1, 41)), "/v4.3.1/libpod/info", "/v4.3.1/libpod/info"),
        ("", Some(v(1, 41)), "/libpod/info", "/libpod/info"),
        ("", Some(v(1, 41)), "/_ping", "/_ping"),
        ("/engine", Some(v(1, 41)), "/_ping?x", "/engine/_ping?x"),
        ("", Some(v(1, 41)), "/volumes", "/v1.41/volumes"),
        ("", Some(v(1, 41)), "/v", "/v1.41/v"),
        ("", Some(v(1, 41)), "/v1x/y", "/v1.41/v1x/y"),
    ];
    for (prefix, version, path, want) in cases {
        assert_eq!(api_target(prefix, version, path), want, "{prefix} {version:?} {path}");
    }
}
