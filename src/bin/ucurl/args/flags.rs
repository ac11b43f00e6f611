//! The one table of flags, and how to read it.
//!
//! `flags.txt` is the table, with the verbs in `verbs.txt`: the parser, the help, the manual, the
//! completions and the documentation all read it. It has a section for ucurl itself and one for
//! each verb. A section begins with a line that begins with `=`, a flag with one that begins with a
//! dash:
//!
//! ```text
//! = ucurl tap [options...]     how the command is called
//! Show the HTTP that ...       one line for lists of commands
//! ucurl tap listens on ...     the manual, any number of lines
//! -d, --data <data>            the flag as people write it
//! text in http post upload     KIND WHERE WORDS
//! Send data in a POST          one line for the help
//! Sends <data> with ...        the manual, any number of lines
//! Curl: ...                    how it differs from curl, where it does
//! ```
//!
//! WHERE is `in` (curl 7.88 has it and so do we), `new` (a newer curl has it), `own` (ours), `out`
//! and `newer` (curl's, refused by name; WORDS is then the key of the reason and the row ends
//! there). `actions.rs` says what each flag that is in does.
//!
//! The table stays text because a table of pointers costs a relocation for each of them at every
//! start.

use unix_http::base::nearest::nearest;

#[cfg(feature = "commands")]
static TABLE: &str = concat!(include_str!("flags.txt"), include_str!("verbs.txt"));
#[cfg(not(feature = "commands"))]
static TABLE: &str = include_str!("flags.txt");
const COUNT: usize = find_rows(&mut []);
static ROWS: [u16; COUNT] = {
    let mut rows = [0; COUNT];
    find_rows(&mut rows);
    rows
};

/// Fills in where each row begins, as far as there is room, and returns how many there are.
const fn find_rows(rows: &mut [u16]) -> usize {
    let table = TABLE.as_bytes();
    assert!(table.len() < 1 << 16);
    let (mut at, mut count) = (0, 0);
    while at < table.len() {
        if matches!(table[at], b'-' | b'=') && (at == 0 || table[at - 1] == b'\n') {
            if count < rows.len() {
                rows[count] = at as u16;
            }
            count += 1;
        }
        at += 1;
    }
    count
}

fn row(number: usize) -> &'static str {
    let end = ROWS.get(number + 1).map_or(TABLE.len(), |&next| next as usize);
    &TABLE[ROWS[number] as usize..end]
}

fn line(number: usize, line: usize) -> &'static str {
    row(number).split('\n').nth(line).unwrap_or("")
}

/// A command and its flags: ucurl itself, or one of its verbs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Section(usize);

/// What ucurl does without a verb, with curl's flags and its own.
pub const TRANSFERS: Section = Section(0);

/// The verbs of this build: `demo`, `tap` and so on.
pub fn verbs() -> impl Iterator<Item = Section> + Clone {
    (1..COUNT).filter(|&number| row(number).starts_with('=')).map(Section)
}

impl Section {
    /// How the command is called: `ucurl tap [options...]`.
    pub fn usage(self) -> &'static str {
        line(self.0, 0).trim_start_matches("= ")
    }

    /// The name of a verb.
    pub fn name(self) -> &'static str {
        self.usage().split(' ').nth(1).unwrap_or("")
    }

    pub fn help(self) -> &'static str {
        line(self.0, 1)
    }

    /// The lines of the manual; an empty one ends a paragraph.
    pub fn manual(self) -> impl Iterator<Item = &'static str> {
        row(self.0).trim_end().split('\n').skip(2)
    }

    /// Its flags. Of ucurl itself, those that are in come before those that are out.
    pub fn flags(self) -> impl Iterator<Item = Flag> + Clone {
        (self.0 + 1..COUNT).take_while(|&number| row(number).starts_with('-')).map(Flag)
    }

    pub fn shown(self) -> impl Iterator<Item = Flag> + Clone {
        self.flags().filter(|flag| !flag.is_out())
    }

    pub fn short(self, letter: u8) -> Option<Flag> {
        self.flags().find(|flag| flag.short() == Some(letter))
    }

    /// Looks a long name up as curl 7.88 does: whole, or the beginning of exactly one; upper and
    /// lower case are alike.
    ///
    /// Only the names of curl 7.88 can be cut short, and only by one another, so that a name that
    /// is enough for curl stays enough here. `whole` asks for the whole name: curl looks up what
    /// follows `--no-` that way.
    pub fn long(self, name: &[u8], whole: bool) -> Found {
        let (mut prefix, mut several) = (None, false);
        for flag in self.flags() {
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

    /// The flag that a misspelt name was probably meant to be.
    pub fn nearest(self, name: &[u8]) -> Option<Flag> {
        let meant = nearest(str::from_utf8(name).ok()?, self.shown().map(Flag::long))?;
        self.shown().find(|flag| flag.long() == meant)
    }
}

/// What a long name leads to.
pub enum Found {
    One(Flag),
    Unknown,
    Ambiguous,
}

/// What may follow a flag.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FlagKind {
    None,
    Bool, // nothing; `--no-NAME` turns it off
    Text,
    File,  // a value that names a file
    Maybe, // a value only as `--NAME=value`
}

/// Whose flag it is, and whether it is in: WHERE.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    In,
    New,
    Own,
    Out,
    Newer,
}

/// One flag of the table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Flag(usize);

impl Flag {
    /// The flag as people write it: `-d, --data <data>`.
    pub fn shown(self) -> &'static str {
        line(self.0, 0)
    }

    /// The letter after one dash.
    pub fn short(self) -> Option<u8> {
        match row(self.0).as_bytes() {
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

    /// The values that it takes, where there are only these: `<always|never|auto>`, `[=bytes]`.
    pub fn choices(self) -> Option<&'static str> {
        let (_, value) = self.shown().split_once(['<', '='])?;
        let choices = value.trim_end_matches(['>', ']']);
        (self.kind() == FlagKind::Maybe || choices.contains('|')).then_some(choices)
    }

    fn words(self) -> impl Iterator<Item = &'static str> {
        line(self.0, 1).split(' ')
    }

    pub fn kind(self) -> FlagKind {
        match self.words().next() {
            Some("bool") => FlagKind::Bool,
            Some("text") => FlagKind::Text,
            Some("file") => FlagKind::File,
            Some("maybe") => FlagKind::Maybe,
            _ => FlagKind::None,
        }
    }

    pub fn place(self) -> Place {
        match self.words().nth(1) {
            Some("in") => Place::In,
            Some("new") => Place::New,
            Some("own") => Place::Own,
            Some("newer") => Place::Newer,
            _ => Place::Out,
        }
    }

    /// Whether it is curl's and refused by name.
    pub fn is_out(self) -> bool {
        matches!(self.place(), Place::Out | Place::Newer)
    }

    /// Whether it is listed under a category; of a flag that is out, the key of its reason.
    pub fn is_in(self, category: &str) -> bool {
        self.words().skip(2).any(|word| word == category)
    }

    pub fn help(self) -> &'static str {
        line(self.0, 2)
    }

    pub fn manual(self) -> impl Iterator<Item = &'static str> {
        row(self.0).trim_end().split('\n').skip(3).filter(|line| !line.starts_with("Curl: "))
    }

    /// How it differs from curl's.
    pub fn differs(self) -> Option<&'static str> {
        row(self.0).split('\n').skip(3).find_map(|line| line.strip_prefix("Curl: "))
    }

    /// Why it is out.
    pub fn reason(self) -> &'static str {
        reasons().find(|(key, _)| self.is_in(key)).map_or("not in", |(_, why)| why)
    }
}

/// The reasons why flags are out: key and text.
pub fn reasons() -> impl Iterator<Item = (&'static str, &'static str)> {
    include_str!("reasons.txt").lines().filter_map(|line| line.split_once(": "))
}

/// The flags that are out for the reason with this key.
pub fn out_for(key: &str) -> impl Iterator<Item = Flag> {
    TRANSFERS.flags().filter(move |flag| flag.is_out() && flag.is_in(key))
}

/// The categories of flags: name and text. `important` is not among them; `-h` alone shows it.
pub fn categories() -> impl Iterator<Item = (&'static str, &'static str)> {
    include_str!("categories.txt").lines().filter_map(|line| line.split_once(": "))
}
