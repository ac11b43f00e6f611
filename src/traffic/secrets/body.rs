//! Secrets in content: JSON, forms, and the bodies of Docker's and podman's secrets.

use super::json::JsonMask;
use super::query::QueryMask;
use crate::base::percent;
use crate::wire::Fields;

/// Masks secrets in content that arrives in pieces.
#[derive(Clone, Debug, Default)]
pub enum BodyMask {
    /// Content in which no secrets can be recognised.
    #[default]
    Off,
    /// The first byte decides. The values: whether this is a request about `/secrets/`, and whether
    /// its Content-Type is JSON.
    Undecided(bool, bool),
    /// JSON, or similar text.
    Json(Box<JsonMask>),
    /// A form.
    Form(QueryMask),
    /// A secret as a whole.
    All,
}

impl BodyMask {
    /// Chooses the mask by the request-target, which is empty for a response, and the fields.
    pub fn of(target: &[u8], fields: &Fields) -> BodyMask {
        let path = percent::decode_lenient(target.split(|&b| b == b'?').next().unwrap_or_default());
        let has = |part: &[u8]| path.windows(part.len()).any(|window| window == part);
        let media_type = fields.get("Content-Type").unwrap_or_default().to_ascii_lowercase();
        let coding = fields.get("Content-Encoding").unwrap_or(b"identity");
        if has(b"/libpod/secrets/create") {
            BodyMask::All
        } else if !coding.eq_ignore_ascii_case(b"identity") {
            BodyMask::Off
        } else if media_type.starts_with(b"application/x-www-form-urlencoded") {
            BodyMask::Form(QueryMask::default())
        } else {
            let json = media_type.windows(4).any(|part| part == b"json");
            BodyMask::Undecided(has(b"/secrets/"), json)
        }
    }

    /// Creates a mask for bytes of an unknown kind.
    pub fn unknown() -> BodyMask {
        BodyMask::Json(Box::default())
    }

    /// Masks the next bytes.
    pub fn run(&mut self, bytes: &mut [u8]) {
        if let BodyMask::Undecided(secret, json) = *self {
            let blank = |byte: &u8| byte.is_ascii_whitespace() || b"\xef\xbb\xbf".contains(byte);
            *self = match bytes.iter().find(|byte| !blank(byte)) {
                None => return,
                Some(b'{' | b'[') => BodyMask::Json(Box::new(JsonMask::new(secret))),
                Some(_) if secret => BodyMask::All,
                Some(first) if json && first.is_ascii_graphic() => BodyMask::unknown(),
                Some(_) => BodyMask::Off,
            };
        }
        match self {
            BodyMask::Json(json) => json.run(bytes),
            BodyMask::Form(form) => form.run(bytes),
            BodyMask::All => bytes.fill(b'*'),
            BodyMask::Off | BodyMask::Undecided(..) => {}
        }
    }
}
