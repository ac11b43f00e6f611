//! The table of flags, which the parser, the help, the manual and the completions read.
//!
//! `flags.txt` has a section for ucurl itself and `verbs.txt` one for each verb. An empty line
//! precedes each section, which begins with `=`, and each flag, which begins with a dash:
//!
//! ```text
//! = ucurl tap [options...]     the usage line
//! Show the HTTP that ...       one line for lists of commands
//! ucurl tap listens on ...     the manual, any number of lines
//!
//! -d, --data <data>            the flag as people write it
//! text in http post upload     KIND WHERE WORDS
//! Send data in a POST          one line for the help
//! Sends <data> with ...        the manual, any number of lines
//! Curl: ...                    how it differs from curl, if it does
//! ```
//!
//! KIND is what may follow the flag: `none`; `bool`, nothing, but `--no-NAME` turns it off; `text`,
//! a value; `file`, a value that names a file; `maybe`, nothing, or a value as `--NAME=value`.
//!
//! WHERE is `in` (a flag of curl 7.88), `new` (of a newer curl), `own` (of ucurl alone), or, for
//! unsupported flags, `out` (of 7.88) and `newer`. An unsupported flag is refused by name: WORDS is
//! the key of the reason, and the row ends there. `actions.rs` says what each supported flag does.
//!
//! The table stays text: in a table of pointers, each one would cost a relocation at every start.

use super::exit::{NoTransfer, wrong};
use std::array;
use unix_http::base::nearest::nearest;

/// Splits a text into `N` parts; missing ones are empty.
fn parts<const N: usize>(text: &'static str, separator: char) -> [&'static str; N] {
    let mut parts = text.splitn(N, separator);
    array::from_fn(|_| parts.next().unwrap_or_default())
}

/// A command and its flags: ucurl itself, or one of its verbs.
#[derive(Clone, Copy, Debug)]
pub struct Section {
    /// `ucurl tap [options...]`
    pub usage: &'static str,
    pub help: &'static str,
    /// Lines; an empty one ends a paragraph.
    pub manual: &'static str,
    rows: &'static str,
}

/// Returns ucurl without a verb, with curl's flags and its own.
pub fn transfers() -> Section {
    Section::read(include_str!("flags.txt"))
}

/// Returns the verbs of this build: `demo`, `tap` and so on.
pub fn verbs() -> impl Iterator<Item = Section> + Clone {
    let table = if cfg!(feature = "commands") { include_str!("verbs.txt") } else { "" };
    table.split("\n\n= ").filter(|text| !text.is_empty()).map(Section::read)
}

impl Section {
    fn read(text: &'static str) -> Section {
        let at = text.find("\n\n-").unwrap_or(text.len());
        let [usage, help, manual] = parts(&text[..at], '\n');
        Section { usage: usage.trim_start_matches("= "), help, manual, rows: &text[at..] }
    }

    pub fn name(self) -> &'static str {
        self.usage.split(' ').nth(1).unwrap_or_default()
    }

    /// Returns all flags, the supported ones first.
    pub fn flags(self) -> impl Iterator<Item = Flag> + Clone {
        self.rows.trim().split("\n\n").map(Flag::read)
    }

    /// Returns the supported flags.
    pub fn shown(self) -> impl Iterator<Item = Flag> + Clone {
        self.flags().filter(|flag| !flag.is_out())
    }

    pub fn short(self, letter: u8) -> Option<Flag> {
        self.flags().find(|flag| flag.short() == Some(letter))
    }

    /// Looks up a long name as curl 7.88 does: a whole name, or the beginning of exactly one, in
    /// upper or lower case. With `whole`, which curl applies after `--no-`, only a whole name.
    ///
    /// Only names of curl 7.88 can be abbreviated, so that our own flags make none ambiguous.
    pub fn long(self, name: &[u8], whole: bool) -> Result<Flag, NoTransfer> {
        let matching = self.flags().filter(|flag| {
            let start = flag.long().as_bytes().get(..name.len());
            start.is_some_and(|start| start.eq_ignore_ascii_case(name))
        });
        if let Some(flag) = matching.clone().find(|flag| flag.long().len() == name.len()) {
            return Ok(flag);
        }
        let mut longer = matching.filter(|flag| !whole && matches!(flag.place, "in" | "out"));
        match (longer.next(), longer.next()) {
            (Some(flag), None) => Ok(flag),
            (Some(_), Some(_)) => Err(wrong("is ambiguous")),
            (None, _) => {
                let name = String::from_utf8_lossy(name);
                let meant = nearest(&name, self.shown().map(Flag::long));
                let no = if whole { "no-" } else { "" };
                let ask = |meant| format!("is unknown; did you mean --{no}{meant}?");
                Err(wrong(meant.map_or("is unknown".to_owned(), ask)))
            }
        }
    }
}

/// A flag, as its row in the table says.
#[derive(Clone, Copy, Debug)]
pub struct Flag {
    /// The flag as people write it: `-d, --data <data>`.
    pub shown: &'static str,
    pub kind: &'static str,
    /// WHERE: whose flag it is, and whether it is supported.
    pub place: &'static str,
    words: &'static str,
    pub help: &'static str,
    /// Lines of the manual. One that begins with `Curl: ` says how the flag differs from curl.
    pub manual: &'static str,
}

impl Flag {
    fn read(row: &'static str) -> Flag {
        let [shown, second, help, manual] = parts(row, '\n');
        let [kind, place, words] = parts(second, ' ');
        Flag { shown, kind, place, words, help, manual }
    }

    pub fn short(self) -> Option<u8> {
        match self.shown.as_bytes() {
            [b'-', letter, b',', ..] => Some(*letter),
            _ => None,
        }
    }

    /// Returns the long name as written: `data`, `no-buffer`.
    pub fn written(self) -> &'static str {
        let start = if self.short().is_some() { "-x, --".len() } else { "--".len() };
        self.shown[start..].split([' ', '[']).next().unwrap_or_default()
    }

    /// Returns the long name without a `no-`: `data`, `buffer`.
    pub fn long(self) -> &'static str {
        self.written().trim_start_matches("no-")
    }

    /// Returns the only values that it takes, where the table lists them: `always|never|auto`.
    pub fn choices(self) -> Option<&'static str> {
        let (_, value) = self.shown.split_once(['<', '='])?;
        let choices = value.trim_end_matches(['>', ']']);
        let listed = self.kind == "maybe" && !choices.starts_with('<');
        (listed || choices.contains('|')).then_some(choices)
    }

    pub fn takes_value(self) -> bool {
        matches!(self.kind, "text" | "file")
    }

    /// Returns whether it is a flag of curl that ucurl does not support.
    pub fn is_out(self) -> bool {
        matches!(self.place, "out" | "newer")
    }

    /// Returns whether WORDS has a word: a category, or the key of a reason.
    pub fn is_in(self, category: &str) -> bool {
        self.words.split(' ').any(|word| word == category)
    }

    pub fn reason(self) -> &'static str {
        reasons().find(|(key, _)| self.is_in(key)).map_or("not in", |(_, why)| why)
    }
}

/// Returns the reasons for unsupported flags: key and text.
pub fn reasons() -> impl Iterator<Item = (&'static str, &'static str)> {
    include_str!("reasons.txt").lines().filter_map(|line| line.split_once(": "))
}

/// Returns the flags that are unsupported for the reason with this key.
pub fn out_for(key: &str) -> impl Iterator<Item = Flag> {
    transfers().flags().filter(move |flag| flag.is_out() && flag.is_in(key))
}

/// Returns the categories of flags, name and text, without `important`, which `-h` alone shows.
pub fn categories() -> impl Iterator<Item = (&'static str, &'static str)> {
    include_str!("categories.txt").lines().filter_map(|line| line.split_once(": "))
}
