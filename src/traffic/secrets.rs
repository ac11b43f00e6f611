//! Secrets in what was seen, covered before any observer has it.
//!
//! A recording is made to be kept and handed on, and a Docker client sends its registry passwords
//! with every pull. So the bytes of a secret become `*`, one for one: lengths, framing and
//! everything around it stay as they were. Covered are
//!
//! * the values of the fields in [`FIELDS`], but for the scheme of Authorization;
//! * in JSON, the strings that [`MEMBERS`] name, swarm tokens (`SWMTKN-…`, `SWMKEY-…`), the value
//!   of every `NAME=value` string whose name speaks of a password, secret, token or credential
//!   (container environments), and the `Data` of a `/secrets` request;
//! * the whole of an upgraded HTTP/2 connection (BuildKit's session carries credentials in gRPC
//!   messages).
//!
//! Not covered, since nothing tells them apart: what a user types into a container, files in
//! archives, log output, what stands in a request-target or under another field name, and content
//! that is compressed or no JSON. A stream that turns out not to be HTTP is covered as JSON from
//! there on; what was shown before had been covered as a head is.
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

/// The field names whose values are secret, in lower case.
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

/// The names of JSON members whose strings are secret, in lower case.
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

/// The schemes of Authorization, in lower case: which one is used is no secret.
const SCHEMES: &[&str] = &["basic", "bearer", "digest", "negotiate"];

/// Whether a field's value is secret, by its name in any case.
pub fn is_secret_field(name: &str) -> bool {
    FIELDS.iter().any(|secret| secret.eq_ignore_ascii_case(name))
}

/// Whether a value was covered: its last word is nothing but `*`.
pub fn is_covered(value: &[u8]) -> bool {
    let word = value.trim_ascii_end().rsplit(|b| matches!(b, b' ' | b'\t')).next();
    word.is_some_and(|word| !word.is_empty() && word.iter().all(|&b| b == b'*'))
}

/// What names of environment variables with secrets have in them, in lower case.
const SPEAKING: &[&str] =
    &["passw", "secret", "token", "credential", "api_key", "apikey", "private_key"];

/// How long a name can be and still be looked at.
const NAME: usize = 64;

/// The start of a name, in lower case; a longer one is none of ours.
#[derive(Clone, Debug)]
struct Name {
    bytes: [u8; NAME],
    len: usize,
}

impl Name {
    fn new() -> Name {
        Name { bytes: [0; NAME], len: 0 }
    }

    fn push(&mut self, byte: u8) {
        if let Some(slot) = self.bytes.get_mut(self.len) {
            *slot = byte.to_ascii_lowercase();
        }
        self.len = self.len.saturating_add(1);
    }

    fn text(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    fn is_one_of(&self, names: &[&str]) -> bool {
        names.iter().any(|name| name.as_bytes() == self.text())
    }

    fn contains_one_of(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.text().windows(word.len()).any(|part| part == word.as_bytes()))
    }
}

/// Finds the end of a head and covers the secret field values in it, however the head is cut.
#[derive(Clone, Debug)]
pub struct HeadMask {
    cover: bool,
    at: InHead,
    name: Name,
    /// Whether the field line that is read, or was read last, is secret.
    secret: bool,
    /// Whether what has come of its value may be the scheme of Authorization, as `name` has it.
    scheme: bool,
    /// How many empty lines stood before the start-line.
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
    /// At the first byte of a head. With `cover` false it only finds the end.
    pub fn new(cover: bool) -> HeadMask {
        HeadMask {
            cover,
            at: InHead::LineStart,
            name: Name::new(),
            secret: false,
            scheme: false,
            empty: 0,
            started: false,
        }
    }

    /// Reads on: how many of `bytes` belong to the head, and whether the last of them ends it.
    pub fn run(&mut self, bytes: &mut [u8]) -> (usize, bool) {
        let mut at = 0;
        while let Some(byte) = bytes.get_mut(at) {
            at += 1;
            match (self.at, *byte) {
                (InHead::LineStart, b'\r') => {}
                // One empty line may stand before a request-line (RFC 9112 §2.2); a second one is
                // not ours to read.
                (InHead::LineStart, b'\n') if self.started || self.empty > 0 => {
                    *self = HeadMask::new(self.cover);
                    return (at, true);
                }
                (InHead::LineStart, b'\n') => self.empty += 1,
                // A folded line belongs to the value before it.
                (InHead::LineStart, b' ' | b'\t') => self.at = InHead::Value,
                (InHead::LineStart, first) => {
                    (self.at, self.secret, self.started) = (InHead::Name, false, true);
                    self.name.len = 0;
                    self.name.push(first);
                }
                (InHead::Name | InHead::Value, b'\n') => self.at = InHead::LineStart,
                (InHead::Name, b':') => {
                    self.secret = self.cover && self.name.is_one_of(FIELDS);
                    self.scheme = self.name.is_one_of(&["authorization", "proxy-authorization"]);
                    self.name.len = 0;
                    self.at = InHead::Value;
                }
                (InHead::Name, b' ' | b'\t') => {}
                (InHead::Name, byte) => self.name.push(byte),
                (InHead::Value, _) if !self.secret => {
                    at = bytes[at..]
                        .iter()
                        .position(|&b| b == b'\n')
                        .map_or(bytes.len(), |end| at + end);
                }
                (InHead::Value, b' ' | b'\t' | b'\r') => self.scheme &= self.name.len == 0,
                (InHead::Value, _) if self.is_scheme(*byte) => {}
                (InHead::Value, _) => *byte = b'*',
            }
        }
        (at, false)
    }

    /// Whether the value is, up to this byte, the beginning of a scheme.
    fn is_scheme(&mut self, byte: u8) -> bool {
        self.name.push(byte);
        self.scheme &= SCHEMES.iter().any(|scheme| scheme.as_bytes().starts_with(self.name.text()));
        self.scheme
    }
}

/// Covers the secret strings in JSON, however it is cut. What is not JSON passes through, or is
/// covered too much.
#[derive(Clone, Debug)]
pub struct JsonMask {
    at: InJson,
    /// The string that is read, or was read last.
    text: Name,
    /// Whether the string before was the name of a secret, and whether its colon has come.
    secret_name: bool,
    secret_value: bool,
    /// Whether `Data` is secret too.
    data: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum InJson {
    Outside,
    String { covered: bool },
    Escape { covered: bool },
}

impl JsonMask {
    /// At the first byte of a text. With `data`, members named `Data` are secret, as those of
    /// `/secrets/create` are.
    pub fn new(data: bool) -> JsonMask {
        JsonMask {
            at: InJson::Outside,
            text: Name::new(),
            secret_name: false,
            secret_value: false,
            data,
        }
    }

    /// Whether the next byte is one of a secret, or ends it.
    pub fn is_covering(&self) -> bool {
        matches!(self.at, InJson::String { covered: true } | InJson::Escape { covered: true })
    }

    /// Reads on.
    pub fn run(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            match self.at {
                InJson::Outside => self.outside(*byte),
                InJson::Escape { covered } => {
                    self.at = InJson::String { covered };
                    self.in_string(byte, covered);
                }
                InJson::String { covered } => match *byte {
                    b'"' => {
                        self.at = InJson::Outside;
                        self.secret_name = self.text.is_one_of(MEMBERS)
                            || self.data && self.text.text() == b"data";
                    }
                    b'\\' => {
                        self.at = InJson::Escape { covered };
                        self.in_string(byte, covered);
                    }
                    _ => self.in_string(byte, covered),
                },
            }
        }
    }

    fn outside(&mut self, byte: u8) {
        match byte {
            b'"' => {
                self.at = InJson::String { covered: self.secret_value };
                (self.secret_name, self.secret_value) = (false, false);
                self.text.len = 0;
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
