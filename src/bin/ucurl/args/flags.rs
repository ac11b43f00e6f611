//! The one table of flags, and how to read it.
//!
//! `flags.txt` is the table: the parser, the help, the man page, the completions and the
//! documentation all read it. A row begins at a line that begins with a dash:
//!
//! ```text
//! -d, --data <data>            the flag as people write it
//! text in http post upload     KIND WHERE WORDS
//! Send data in a POST          one line for the help
//! Sends <data> with ...        the manual, any number of lines
//! Curl: ...                    how it differs from curl, where it does
//! ```
//!
//! WHERE is `in` (curl 7.88 has it and so have we), `new` (a newer curl has it), `own` (ours),
//! `out` and `newer` (curl's, refused by name; WORDS is then the key of the reason and the row ends
//! there).
//!
//! The table stays text because a table of pointers costs a relocation for each of them at every
//! start.

static TABLE: &str = include_str!("flags.txt");
const COUNT: usize = count_rows(TABLE.as_bytes());
static ROWS: [u16; COUNT] = find_rows(TABLE.as_bytes());

const fn count_rows(table: &[u8]) -> usize {
    let (mut at, mut rows) = (0, 0);
    while at < table.len() {
        if table[at] == b'-' && (at == 0 || table[at - 1] == b'\n') {
            rows += 1;
        }
        at += 1;
    }
    assert!(table.len() < 1 << 16);
    rows
}

const fn find_rows(table: &[u8]) -> [u16; COUNT] {
    let mut rows = [0; COUNT];
    let (mut at, mut row) = (0, 0);
    while at < table.len() {
        if table[at] == b'-' && (at == 0 || table[at - 1] == b'\n') {
            rows[row] = at as u16;
            row += 1;
        }
        at += 1;
    }
    rows
}

/// What may follow a flag.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Nothing.
    None,
    /// Nothing; `--no-NAME` turns it off.
    Bool,
    /// A value.
    Text,
    /// A value that names a file.
    File,
    /// A value only as `--NAME=value`.
    Maybe,
}

/// Whose flag it is, and whether it is in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// In curl 7.88 and here.
    In,
    /// In a newer curl and here.
    New,
    /// Ours alone.
    Own,
    /// In curl 7.88, refused here.
    Out,
    /// In a newer curl, refused here.
    Newer,
}

/// One row of the table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Flag {
    row: usize,
}

/// All rows: what is in first, then what is out.
pub fn all() -> impl Iterator<Item = Flag> + Clone {
    (0..COUNT).map(|row| Flag { row })
}

impl Flag {
    fn text(self) -> &'static str {
        let end = if self.row + 1 < COUNT { ROWS[self.row + 1] as usize } else { TABLE.len() };
        &TABLE[ROWS[self.row] as usize..end]
    }

    /// The flag as people write it: `-d, --data <data>`.
    pub fn shown(self) -> &'static str {
        let text = self.text();
        text.split('\n').next().unwrap_or(text)
    }

    /// The letter after one dash.
    pub fn short(self) -> Option<u8> {
        let row = &TABLE.as_bytes()[ROWS[self.row] as usize..];
        match row {
            [b'-', b'-', ..] => None,
            [b'-', letter, b',', ..] => Some(*letter),
            _ => None,
        }
    }

    /// The name after two dashes, as written: `data`, `no-buffer`.
    pub fn written(self) -> &'static str {
        let shown = self.shown();
        let name = if self.short().is_some() { &shown[6..] } else { &shown[2..] };
        name.split([' ', '[']).next().unwrap_or(name)
    }

    /// The name after two dashes, without a `no-`: `data`, `buffer`.
    pub fn long(self) -> &'static str {
        let written = self.written();
        written.strip_prefix("no-").unwrap_or(written)
    }

    fn words(self) -> impl Iterator<Item = &'static str> {
        self.text().split('\n').nth(1).unwrap_or("").split(' ')
    }

    /// What may follow it.
    pub fn kind(self) -> Kind {
        match self.words().next() {
            Some("bool") => Kind::Bool,
            Some("text") => Kind::Text,
            Some("file") => Kind::File,
            Some("maybe") => Kind::Maybe,
            _ => Kind::None,
        }
    }

    /// Whose it is.
    pub fn place(self) -> Place {
        match self.words().nth(1) {
            Some("in") => Place::In,
            Some("new") => Place::New,
            Some("own") => Place::Own,
            Some("newer") => Place::Newer,
            _ => Place::Out,
        }
    }

    /// Refused by name.
    pub fn is_out(self) -> bool {
        matches!(self.place(), Place::Out | Place::Newer)
    }

    /// The categories it is listed under; of a flag that is out, the key of its reason.
    pub fn categories(self) -> impl Iterator<Item = &'static str> {
        self.words().skip(2)
    }

    /// One line for the help.
    pub fn help(self) -> &'static str {
        self.text().split('\n').nth(2).unwrap_or("")
    }

    /// The manual's lines.
    pub fn manual(self) -> impl Iterator<Item = &'static str> {
        self.text()
            .split('\n')
            .skip(3)
            .filter(|line| !line.is_empty() && !line.starts_with("Curl: "))
    }

    /// How it differs from curl's.
    pub fn differs(self) -> Option<&'static str> {
        self.text().split('\n').skip(3).find_map(|line| line.strip_prefix("Curl: "))
    }

    /// Why it is out.
    pub fn reason(self) -> &'static str {
        let key = self.categories().next().unwrap_or("");
        REASONS
            .split('\n')
            .find_map(|line| line.strip_prefix(key)?.strip_prefix(": "))
            .unwrap_or("not in")
    }
}

/// Why flags are out, by key.
pub static REASONS: &str = "\
auth: of the authentication schemes only Basic and Bearer are in
cookies: there is no cookie jar; -b NAME=VALUE sends a cookie
etag: conditional requests are made with -H 'If-None-Match: ...' or -H 'If-Modified-Since: ...'
form: multipart forms are out; send a file with --data-binary @FILE or -T FILE
gzip: content comes as the server keeps it; nothing is compressed on a local socket
http2: HTTP/1.1 and HTTP/1.0 alone are spoken
itself: it is about curl's own inner works
meta: file attributes are not set
naming: a server does not choose file names; -O takes the URL's, -o yours
net: names resolve as the system does, and sockets are the system's; Unix sockets need none of it
netrc: no .netrc is read; -u USER:PASSWORD or -H @FILE sends credentials
pace: transfers run as fast as the socket; a pipe through pv slows one down
parallel: transfers run one after the other; the shell's & runs several
protocol: http is the only protocol
proxy: proxies are out; --proxy-command or a tcp:// endpoint reaches what a socket does not
resume: transfers are not resumed; -r START- asks for the rest
tls: TLS is not spoken here; DOCKER_CERT_PATH with a tcp:// endpoint runs a TLS program for it
";

/// The flag with this letter.
pub fn short(letter: u8) -> Option<Flag> {
    all().find(|flag| flag.short() == Some(letter))
}

/// What a long name leads to.
pub enum Found {
    /// One flag.
    One(Flag),
    /// Nothing begins so.
    Unknown,
    /// Several begin so.
    Ambiguous,
}

/// Looks a long name up as curl 7.88 does: whole, or the beginning of exactly one; upper and lower
/// case are alike.
///
/// Only the names of curl 7.88 can be cut short, and only by one another, so that a name that is
/// enough for curl stays enough here. `whole` asks for the whole name: curl looks up what follows
/// `--no-` that way.
pub fn long(name: &[u8], whole: bool) -> Found {
    let mut prefix = None;
    let mut several = false;
    for flag in all() {
        let long = flag.long().as_bytes();
        if long.len() < name.len() || !long[..name.len()].eq_ignore_ascii_case(name) {
            continue;
        }
        if long.len() == name.len() {
            return Found::One(flag);
        }
        if !whole && matches!(flag.place(), Place::In | Place::Out) {
            several = prefix.is_some();
            prefix = prefix.or(Some(flag));
        }
    }
    match prefix {
        Some(_) if several => Found::Ambiguous,
        Some(flag) => Found::One(flag),
        None => Found::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_whole() {
        for flag in all() {
            assert!(flag.long().len() > 1 || flag.long().is_empty(), "{}", flag.shown());
            assert!(flag.words().count() >= 3, "{}", flag.shown());
            match flag.is_out() {
                true => {
                    assert_ne!(flag.reason(), "not in", "{}", flag.shown());
                    assert_eq!(flag.help(), "", "{}", flag.shown());
                }
                false => {
                    assert!(
                        (1..=60).contains(&flag.help().len()),
                        "{}: {}",
                        flag.shown(),
                        flag.help().len()
                    );
                    let takes =
                        !matches!(flag.kind(), Kind::None | Kind::Bool) || flag.long() == "help";
                    assert_eq!(flag.shown().contains(['<', '[']), takes, "{}", flag.shown());
                }
            }
        }
    }

    #[test]
    fn no_name_twice() {
        for (at, flag) in all().enumerate() {
            for other in all().skip(at + 1) {
                assert_ne!(flag.long(), other.long());
                assert!(
                    flag.short().is_none() || flag.short() != other.short(),
                    "{}",
                    flag.shown()
                );
            }
        }
    }

    fn find(name: &str, whole: bool) -> Result<&'static str, bool> {
        match long(name.as_bytes(), whole) {
            Found::One(flag) => Ok(flag.long()),
            Found::Unknown => Err(false),
            Found::Ambiguous => Err(true),
        }
    }

    #[test]
    fn names_are_cut_short_as_in_curl() {
        assert_eq!(find("data", false), Ok("data"));
        assert_eq!(find("DATA-BIN", false), Ok("data-binary"));
        assert_eq!(find("max-t", false), Ok("max-time"));
        assert_eq!(find("max", false), Err(true));
        assert_eq!(find("unix", false), Ok("unix-socket"));
        assert_eq!(find("verb", false), Ok("verbose"));
        assert_eq!(find("nonsense", false), Err(false));
        assert_eq!(find("progress-meter", true), Ok("progress-meter"));
        assert_eq!(find("progress-m", true), Err(false));
        // Ours are found whole alone: `--cont` is curl's continue-at, whatever we add.
        assert_eq!(find("cont", false), Ok("continue-at"));
        assert_eq!(find("context", false), Ok("context"));
        assert_eq!(find("contex", false), Err(false));
    }
}
