//! Secrets in what was seen, covered before any observer has it.
//!
//! A recording is made to be kept and handed on, and a Docker client sends its registry passwords
//! with every pull. So the bytes of a secret become `*`, one for one: lengths, framing and
//! everything around it stay as they were. Covered are
//!
//! * the values of the fields in [`FIELDS`];
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
                (InHead::Value, b' ' | b'\t' | b'\r') => {}
                (InHead::Value, _) => *byte = b'*',
            }
        }
        (at, false)
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

#[cfg(test)]
mod tests {
    use super::{HeadMask, JsonMask};

    /// Every two-way split gives what the whole gives.
    fn heads(head: &str, want: &str) {
        for cut in 0..=head.len() {
            let (mut mask, mut bytes) = (HeadMask::new(true), head.as_bytes().to_vec());
            let (a, b) = bytes.split_at_mut(cut);
            let (n, complete) = mask.run(a);
            let len = if complete { n } else { n + mask.run(b).0 };
            assert_eq!(String::from_utf8_lossy(&bytes), want, "cut at {cut}");
            assert_eq!(len, head.find("\r\n\r\n").map_or(head.len(), |at| at + 4), "cut at {cut}");
        }
    }

    fn json(text: &str, want: &str) {
        for cut in 0..=text.len() {
            let (mut mask, mut bytes) = (JsonMask::new(false), text.as_bytes().to_vec());
            let (a, b) = bytes.split_at_mut(cut);
            mask.run(a);
            mask.run(b);
            assert_eq!(String::from_utf8_lossy(&bytes), want, "cut at {cut}");
        }
    }

    #[test]
    fn fields() {
        heads(
            "GET / HTTP/1.1\r\nAUTHORIZATION: Basic dTpw\r\n\r\n",
            "GET / HTTP/1.1\r\nAUTHORIZATION: ***** ****\r\n\r\n",
        );
        heads(
            "A: b\r\nCookie : c=d\r\n e\r\nX: Authorization: y\r\n\r\n",
            "A: b\r\nCookie : ***\r\n *\r\nX: Authorization: y\r\n\r\n",
        );
        heads(
            "GET /Cookie: HTTP/1.1\r\nX-Registry-Auth:abc\r\n\r\nCookie: x",
            "GET /Cookie: HTTP/1.1\r\nX-Registry-Auth:***\r\n\r\nCookie: x",
        );
        let long = format!("{}: v\r\n\r\n", "cookie".repeat(50));
        heads(&long, &long);
    }

    #[test]
    fn leading_empty_line_is_not_the_end() {
        assert_eq!(
            HeadMask::new(true).run(&mut b"\r\nGET / HTTP/1.1\r\n\r\n".to_vec()),
            (20, true)
        );
        assert_eq!(
            HeadMask::new(true).run(&mut b"\r\n\r\nGET / HTTP/1.1\r\n\r\n".to_vec()),
            (4, true)
        );
    }

    #[test]
    fn members() {
        json(r#"{"Password" : "a\\","x":"b"}"#, r#"{"Password" : "***","x":"b"}"#);
        json(
            r#"{"auth":{"password":"p"},"auths":"x","y":"password"}"#,
            r#"{"auth":{"password":"*"},"auths":"x","y":"password"}"#,
        );
        json(r#"["password","p"]"#, r#"["password","p"]"#);
        json(
            r#"{"Worker":"SWMTKN-1-abc","n":"SWMTKN"}"#,
            r#"{"Worker":"SWMTKN-*****","n":"SWMTKN"}"#,
        );
        json(r#"{"Env":["MY_TOKEN=a=\"b","TOK=x"]}"#, r#"{"Env":["MY_TOKEN=*****","TOK=x"]}"#);
    }

    #[test]
    fn data_of_a_secret() {
        let mut body = *br#"{"Name":"n","Data":"c2VjcmV0"}"#;
        JsonMask::new(true).run(&mut body);
        assert_eq!(&body, br#"{"Name":"n","Data":"********"}"#);
    }
}
