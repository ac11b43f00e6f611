//! The table of flags, which the parser, the help, the manual and the completions read.
//!
//! `flags.txt` has a section for ucurl itself and `verbs.txt` one for each verb. A section begins
//! with a line that begins with `=`, a flag with a line that begins with a dash:
//!
//! ```text
//! = ucurl tap [options...]     the usage line
//! Show the HTTP that ...       one line for lists of commands
//! ucurl tap listens on ...     the manual, any number of lines
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
use std::mem;
use unix_http::base::nearest::nearest;

/// Splits a text before each line that begins with a mark.
fn split(
    text: &'static str,
    line_end_and_mark: &'static str,
) -> impl Iterator<Item = &'static str> + Clone {
    let ends = text.match_indices(line_end_and_mark).map(|(at, _)| at + 1).chain([text.len()]);
    ends.scan(0, |start, end| Some(&text[mem::replace(start, end)..end]))
}

fn line(text: &'static str, number: usize) -> &'static str {
    text.split('\n').nth(number).unwrap_or("")
}

/// A command and its flags: ucurl itself, or one of its verbs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Section(&'static str);

/// ucurl without a verb, with curl's flags and its own.
pub const TRANSFERS: Section = Section(include_str!("flags.txt"));

/// Returns the verbs of this build: `demo`, `tap` and so on.
pub fn verbs() -> impl Iterator<Item = Section> + Clone {
    let table = if cfg!(feature = "commands") { include_str!("verbs.txt") } else { "" };
    split(table, "\n=").filter(|text| !text.is_empty()).map(Section)
}

impl Section {
    /// Returns the usage line: `ucurl tap [options...]`.
    pub fn usage(self) -> &'static str {
        line(self.0, 0).trim_start_matches("= ")
    }

    pub fn name(self) -> &'static str {
        self.usage().split(' ').nth(1).unwrap_or("")
    }

    pub fn help(self) -> &'static str {
        line(self.0, 1)
    }

    /// Returns the lines of the manual; an empty one ends a paragraph.
    pub fn manual(self) -> impl Iterator<Item = &'static str> {
        self.0.split("\n-").next().unwrap_or("").trim_end().split('\n').skip(2)
    }

    /// Returns all flags, the supported ones first.
    pub fn flags(self) -> impl Iterator<Item = Flag> + Clone {
        split(self.0, "\n-").skip(1).map(Flag)
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
        let mut longer = matching.filter(|flag| !whole && matches!(flag.place(), "in" | "out"));
        match (longer.next(), longer.next()) {
            (Some(flag), None) => Ok(flag),
            (Some(_), Some(_)) => Err(wrong("is ambiguous")),
            (None, _) => {
                let name = String::from_utf8_lossy(name);
                let meant = nearest(&name, self.shown().map(Flag::long));
                let no = if whole { "no-" } else { "" };
                let ask = |meant| format!("is unknown; did you mean --{no}{meant}?").into();
                Err(meant.map_or(wrong("is unknown"), ask))
            }
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Flag(&'static str);

impl Flag {
    /// Returns the flag as people write it: `-d, --data <data>`.
    pub fn shown(self) -> &'static str {
        line(self.0, 0)
    }

    pub fn short(self) -> Option<u8> {
        match self.0.as_bytes() {
            [b'-', letter, b',', ..] => Some(*letter),
            _ => None,
        }
    }

    /// Returns the long name as written: `data`, `no-buffer`.
    pub fn written(self) -> &'static str {
        let shown = self.shown();
        let start = if self.short().is_some() { "-x, --".len() } else { "--".len() };
        shown[start..].split([' ', '[']).next().unwrap_or(shown)
    }

    /// Returns the long name without a `no-`: `data`, `buffer`.
    pub fn long(self) -> &'static str {
        let written = self.written();
        written.strip_prefix("no-").unwrap_or(written)
    }

    /// Returns the only values that it takes, where the table lists them: `always|never|auto`.
    pub fn choices(self) -> Option<&'static str> {
        let (_, value) = self.shown().split_once(['<', '='])?;
        let choices = value.trim_end_matches(['>', ']']);
        let listed = self.kind() == "maybe" && !choices.starts_with('<');
        (listed || choices.contains('|')).then_some(choices)
    }

    fn words(self) -> impl Iterator<Item = &'static str> {
        line(self.0, 1).split(' ')
    }

    pub fn kind(self) -> &'static str {
        self.words().next().unwrap_or("none")
    }

    pub fn takes_value(self) -> bool {
        matches!(self.kind(), "text" | "file")
    }

    /// Returns WHERE: whose flag it is, and whether it is supported.
    pub fn place(self) -> &'static str {
        self.words().nth(1).unwrap_or("out")
    }

    /// Returns whether it is a flag of curl that ucurl does not support.
    pub fn is_out(self) -> bool {
        matches!(self.place(), "out" | "newer")
    }

    /// Returns whether WORDS has a word: a category, or the key of a reason.
    pub fn is_in(self, category: &str) -> bool {
        self.words().skip(2).any(|word| word == category)
    }

    pub fn help(self) -> &'static str {
        line(self.0, 2)
    }

    pub fn manual(self) -> impl Iterator<Item = &'static str> {
        self.0.trim_end().split('\n').skip(3).filter(|line| !line.starts_with("Curl: "))
    }

    pub fn differs(self) -> Option<&'static str> {
        self.0.split('\n').skip(3).find_map(|line| line.strip_prefix("Curl: "))
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
    TRANSFERS.flags().filter(move |flag| flag.is_out() && flag.is_in(key))
}

/// Returns the categories of flags, name and text, without `important`, which `-h` alone shows.
pub fn categories() -> impl Iterator<Item = (&'static str, &'static str)> {
    include_str!("categories.txt").lines().filter_map(|line| line.split_once(": "))
}
