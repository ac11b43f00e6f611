//! API versions.

use unix_http::docker::{ApiVersion, without_version};

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
fn the_version_is_taken_off_a_path() {
    let cases = [
        ("/v1.41/info", "/info"),
        ("/v1.41/", "/"),
        ("/info", "/info"),
        ("/v1.41", "/v1.41"),
        ("/v1/info", "/v1/info"),
        ("/volumes/v1.41/x", "/volumes/v1.41/x"),
        ("", ""),
    ];
    for (path, want) in cases {
        assert_eq!(without_version(path.as_bytes()), want.as_bytes(), "{path}");
    }
}

#[cfg(feature = "server")]
mod negotiated {
    use super::v;
    use crate::support::serve::serve;
    use unix_http::docker::{ApiVersion, DockerError, Engine};

    /// Asks an engine that states this version.
    fn of_engine(field: Option<&'static str>) -> (Result<Option<ApiVersion>, DockerError>, Engine) {
        let server = serve(move |request, responder| match field {
            Some(text) if request.target() == b"/_ping" => {
                responder.field("Api-Version", text).send("")
            }
            _ => responder.send(""),
        });
        let engine = Engine::new(server.client());
        (engine.version(), engine)
    }

    #[test]
    fn the_smaller_of_two_versions_is_used() {
        let of = |field| of_engine(field).0.unwrap();
        let cases = [
            (Some("1.41"), Some(v(1, 41))),
            (Some("1.12"), Some(v(1, 12))),
            (None, None),
            (Some(""), None),
        ];
        for (field, want) in cases {
            assert_eq!(of(field), want, "{field:?}");
        }
        let highest = of(Some("2.0")).unwrap();
        assert!(v(1, 40) < highest && highest < v(2, 0), "{highest}");
        assert_eq!(of(Some("1.65535")), Some(highest));
        let error = of_engine(Some("1.41, 1.42")).0.unwrap_err().to_string();
        assert_eq!(error, "the field Api-Version is no API version such as 1.41: \"1.41, 1.42\"");
    }

    #[test]
    fn the_version_is_put_into_the_path() {
        let (_, engine) = of_engine(Some("1.41"));
        let cases = [
            ("/containers/json?all=1", "/v1.41/containers/json?all=1"),
            ("/", "/v1.41/"),
            ("/v1.24/info", "/v1.24/info"),
            ("/v1.24", "/v1.24"),
            ("/v4.3.1/libpod/info", "/v4.3.1/libpod/info"),
            ("/libpod/info", "/libpod/info"),
            ("/_ping", "/_ping"),
            ("/_ping?x", "/_ping?x"),
            ("/volumes", "/v1.41/volumes"),
            ("/v", "/v1.41/v"),
            ("/v1x/y", "/v1.41/v1x/y"),
        ];
        for (path, want) in cases {
            assert_eq!(engine.target(path).unwrap(), want);
        }
        let (_, engine) = of_engine(None);
        assert_eq!(engine.target("/version").unwrap(), "/version");
    }
}
