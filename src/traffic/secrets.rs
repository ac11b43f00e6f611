//! Masks secrets before any observer sees them.
//!
//! Recordings are kept and shared, and a Docker client sends its registry passwords with every
//! pull. So each byte of a secret becomes `*`; lengths and framing stay. Masked are
//!
//! * the values of the fields in [`FIELDS`], except the scheme of Authorization;
//! * in JSON, the strings named by [`MEMBERS`], swarm tokens (`SWMTKN-…`, `SWMKEY-…`), the value of
//!   a `NAME=value` string whose name contains a word such as `token`, and the `Data` of a
//!   `/secrets` request;
//! * a whole HTTP/2 connection (BuildKit's session carries credentials in gRPC messages).
//!
//! Not masked, since nothing identifies it: input typed into a container, files in archives, log
//! output, request-targets, other fields, compressed content. A stream that is not HTTP is masked
//! as JSON from there on, and as a head before.
//!
//! ```
//! use unix_http::traffic::secrets::{HeadMask, JsonMask};
//!
//! let mut head = *b"GET / HTTP/1.1\r\nX-Registry-Auth: eyJ1\r\nAccept: */*\r\n\r\nbody";
//! assert_eq!(HeadMask::new(true).run(&mut head), (54, true));
//! assert_eq!(&head[..], b"GET / HTTP/1.1\r\nX-Registry-Auth: ****\r\nAccept: */*\r\n\r\nbody");
//!
//! let mut body = *br#"{"username":"u","password":"p\"w","Env":["DB_PASSWORD=x","A=b"]}"#;
//! JsonMask::new(false).run(&mut body);
//! assert_eq!(&body[..], br#"{"username":"u","password":"****","Env":["DB_PASSWORD=*","A=b"]}"#);
//! ```

/// Fields with secret values, in lower case.
pub const FIELDS: &[&str] = &[
    "authorization",
    "proxy-authorization",
    "x-registry-auth",
    "x-registry-config",
    "cookie",
    "set-cookie",
    "x-auth-token",
    "x-api-key",
];

/// JSON members with secret strings, in lower case.
pub const MEMBERS: &[&str] = &[
    "password",
    "passwd",
    "auth",
    "identitytoken",
    "registrytoken",
    "jointoken",
    "unlockkey",
    "token",
    "access_token",
    "refresh_token",
    "secret",
];

/// Schemes of Authorization, in lower case, which stay readable.
const SCHEMES: &[&str] = &["basic", "bearer", "digest", "negotiate"];

/// Whether the field of this name (in any case) has a secret value.
pub fn is_secret_field(name: &str) -> bool {
    FIELDS.iter().any(|secret| secret.eq_ignore_ascii_case(name))
}

/// Whether a value was masked: its last word consists of `*` only.
pub fn is_covered(value: &[u8]) -> bool {
    let word = value.trim_ascii_end().rsplit(|b| matches!(b, b' ' | b'\t')).next();
    word.is_some_and(|word| !word.is_empty() && word.iter().all(|&b| b == b'*'))
}

/// Parts of the names of environment variables with secrets, in lower case.
const SPEAKING: &[&str] =
    &["passw", "secret", "token", "credential", "api_key", "apikey", "private_key"];

/// The longest name that is compared.
const NAME: usize = 64;

/// A name in lower case; a longer one matches nothing.
#[derive(Clone, Debug, Default)]
struct Name(Vec<u8>);

impl Name {
    fn push(&mut self, byte: u8) {
        if self.0.len() <= NAME {
            self.0.push(byte.to_ascii_lowercase());
        }
    }

    fn text(&self) -> &[u8] {
        if self.0.len() <= NAME { &self.0 } else { b"" }
    }

    fn is_one_of(&self, names: &[&str]) -> bool {
        names.iter().any(|name| name.as_bytes() == self.text())
    }

    fn contains_one_of(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.text().windows(word.len()).any(|part| part == word.as_bytes()))
    }
}

/// Finds the end of a head that arrives in pieces, and masks secret field values.
#[derive(Clone, Debug)]
pub struct HeadMask {
    cover: bool,
    at: InHead,
    name: Name,
    /// Whether the current field is secret.
    secret: bool,
    /// Whether its value, in `name`, may still be a scheme of Authorization.
    scheme: bool,
    /// The number of empty lines before the start-line.
    empty: u8,
    started: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum InHead {
    LineStart,
    Name,
    Value,
}

impl HeadMask {
    /// Starts at the first byte of a head; without `cover` it only finds the end.
    pub fn new(cover: bool) -> HeadMask {
        let (at, name) = (InHead::LineStart, Name::default());
        HeadMask { cover, at, name, secret: false, scheme: false, empty: 0, started: false }
    }

    /// Returns how many of `bytes` belong to the head, and whether the last of them ends it.
    pub fn run(&mut self, bytes: &mut [u8]) -> (usize, bool) {
        let mut at = 0;
        while let Some(byte) = bytes.get_mut(at) {
            at += 1;
            match (self.at, *byte) {
                (InHead::LineStart, b'\r') => {}
                // One empty line may precede a request-line (RFC 9112 §2.2).
                (InHead::LineStart, b'\n') if self.started || self.empty > 0 => {
                    *self = HeadMask::new(self.cover);
                    return (at, true);
                }
                (InHead::LineStart, b'\n') => self.empty += 1,
                // A folded line continues the value.
                (InHead::LineStart, b' ' | b'\t') => self.at = InHead::Value,
                (InHead::LineStart, first) => {
                    (self.at, self.secret, self.started) = (InHead::Name, false, true);
                    self.name.0.clear();
                    self.name.push(first);
                }
                (InHead::Name | InHead::Value, b'\n') => self.at = InHead::LineStart,
                (InHead::Name, b':') => {
                    self.secret = self.cover && self.name.is_one_of(FIELDS);
                    self.scheme = self.name.is_one_of(&["authorization", "proxy-authorization"]);
                    self.name.0.clear();
                    self.at = InHead::Value;
                }
                (InHead::Name, b' ' | b'\t') => {}
                (InHead::Name, byte) => self.name.push(byte),
                (InHead::Value, _) if !self.secret => {
                    let end = bytes[at..].iter().position(|&b| b == b'\n');
                    at = end.map_or(bytes.len(), |end| at + end);
                }
                (InHead::Value, b' ' | b'\t' | b'\r') => self.scheme &= self.name.0.is_empty(),
                (InHead::Value, _) if self.is_scheme(*byte) => {}
                (InHead::Value, _) => *byte = b'*',
            }
        }
        (at, false)
    }

    /// Whether the value up to this byte begins a scheme.
    fn is_scheme(&mut self, byte: u8) -> bool {
        self.name.push(byte);
        self.scheme &= SCHEMES.iter().any(|scheme| scheme.as_bytes().starts_with(self.name.text()));
        self.scheme
    }
}

/// Masks secret strings in JSON that arrives in pieces. Other text may be masked too much.
#[derive(Clone, Debug)]
pub struct JsonMask {
    at: InJson,
    /// The current or latest string.
    text: Name,
    /// Whether that string names a secret, and whether its colon has followed.
    secret_name: bool,
    secret_value: bool,
    data: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum InJson {
    Outside,
    String { covered: bool },
    Escape { covered: bool },
}

impl JsonMask {
    /// Starts at the first byte of a text. With `data`, members named `Data` are secret, as in
    /// `/secrets/create`.
    pub fn new(data: bool) -> JsonMask {
        let (at, text) = (InJson::Outside, Name::default());
        JsonMask { at, text, secret_name: false, secret_value: false, data }
    }

    /// Whether the next byte belongs to a secret, or ends it.
    pub fn is_covering(&self) -> bool {
        matches!(self.at, InJson::String { covered: true } | InJson::Escape { covered: true })
    }

    /// Masks the next bytes.
    pub fn run(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            match (self.at, *byte) {
                (InJson::Outside, _) => self.outside(*byte),
                (InJson::String { .. }, b'"') => {
                    self.at = InJson::Outside;
                    self.secret_name =
                        self.text.is_one_of(MEMBERS) || self.data && self.text.text() == b"data";
                }
                (InJson::String { covered }, b'\\') => {
                    self.at = InJson::Escape { covered };
                    self.in_string(byte, covered);
                }
                (InJson::String { covered } | InJson::Escape { covered }, _) => {
                    self.at = InJson::String { covered };
                    self.in_string(byte, covered);
                }
            }
        }
    }

    fn outside(&mut self, byte: u8) {
        match byte {
            b'"' => {
                self.at = InJson::String { covered: self.secret_value };
                (self.secret_name, self.secret_value) = (false, false);
                self.text.0.clear();
            }
            b':' => self.secret_value = self.secret_name,
            b' ' | b'\t' | b'\r' | b'\n' => {}
            _ => (self.secret_name, self.secret_value) = (false, false),
        }
    }

    fn in_string(&mut self, byte: &mut u8, covered: bool) {
        if covered {
            *byte = b'*';
            return;
        }
        let begins_secret = match *byte {
            b'=' => self.text.contains_one_of(SPEAKING),
            b'-' => self.text.is_one_of(&["swmtkn", "swmkey"]),
            _ => false,
        };
        self.text.push(*byte);
        if begins_secret {
            self.at = InJson::String { covered: true };
        }
    }
}
