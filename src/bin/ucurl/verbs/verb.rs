//! The command line of a verb: its help is its table of flags, one a line.
//!
//! ```text
//! -l, --listen <endpoint>  where to listen     a flag, its short form, its value, its help
//!     --har <file>         write a HAR
//!     --explain[=bytes]    explain; a value, if any, stands behind the =
//! ```
//!
//! Read as ucurl's own: `--name value`, `-n value`, `-nvalue`, `--` ends the flags; `--name=value`
//! besides.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// What was given to a verb.
#[derive(Debug, Default)]
pub struct Given {
    flags: Vec<(&'static str, OsString)>,
    /// What is no flag.
    pub operands: Vec<OsString>,
    /// What stands after `--`, if that was there.
    pub command: Option<Vec<OsString>>,
}

impl Given {
    /// Whether a flag was given.
    pub fn has(&self, name: &str) -> bool {
        self.flags.iter().any(|(flag, _)| *flag == name)
    }

    /// A flag's value, the last where it was given more than once.
    pub fn value(&self, name: &str) -> Option<&OsStr> {
        self.flags.iter().rfind(|(flag, _)| *flag == name).map(|(_, value)| value.as_os_str())
    }

    /// All values of a flag.
    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a OsStr> {
        self.flags.iter().filter(move |(flag, _)| *flag == name).map(|(_, value)| value.as_os_str())
    }
}

struct Row {
    short: Option<u8>,
    name: &'static str,
    has_value: bool,
    may_have_value: bool,
}

fn rows(table: &'static str) -> impl Iterator<Item = Row> {
    table.lines().filter_map(|line| {
        let (short, rest) = match line.trim_start().split_once(", --") {
            Some((short, rest)) if short.len() == 2 => (Some(short.as_bytes()[1]), rest),
            _ => (None, line.trim_start().strip_prefix("--")?),
        };
        let name = rest.split([' ', '[']).next().unwrap_or_default();
        let value = &rest[name.len()..];
        Some(Row {
            short,
            name,
            has_value: value.starts_with(" <"),
            may_have_value: value.starts_with("[="),
        })
    })
}

/// Reads the arguments by the flags that `table` has.
///
/// # Errors
/// What is wrong, in one line.
pub fn read(table: &'static str, args: &[Vec<u8>]) -> Result<Given, String> {
    let mut given = Given::default();
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let mut take = |row: &Row, attached: Option<&[u8]>| {
            let value = match (row.has_value, attached) {
                (true, Some(value)) => value.to_vec(),
                (true, None) => {
                    args.next().ok_or(format!("option --{}: needs a value", row.name))?.clone()
                }
                (false, None) => Vec::new(),
                (false, Some(value)) if row.may_have_value => value.to_vec(),
                (false, Some(_)) => return Err(format!("option --{}: takes no value", row.name)),
            };
            given.flags.push((row.name, OsString::from_vec(value)));
            Ok(())
        };
        let shown = String::from_utf8_lossy(arg).into_owned();
        match arg.as_slice() {
            b"--" => {
                given.command = Some(args.map(|arg| OsString::from_vec(arg.clone())).collect());
                break;
            }
            [b'-', b'-', long @ ..] => {
                let equals = long.iter().position(|&b| b == b'=');
                let (name, value) = long.split_at(equals.unwrap_or(long.len()));
                let row = rows(table).find(|row| row.name.as_bytes() == name);
                take(&row.ok_or(format!("option {shown}: is unknown"))?, value.get(1..))?;
            }
            [b'-', letters @ ..] if !letters.is_empty() => {
                let mut letters = letters;
                while let [letter, rest @ ..] = letters {
                    let row = rows(table).find(|row| row.short == Some(*letter));
                    let row = row.ok_or(format!("option {shown}: is unknown"))?;
                    let attached = Some(rest).filter(|rest| row.has_value && !rest.is_empty());
                    take(&row, attached)?;
                    letters = if row.has_value { &[] } else { rest };
                }
            }
            operand => given.operands.push(OsStr::from_bytes(operand).to_owned()),
        }
    }
    Ok(given)
}

/// Runs a verb: `args` is the whole command line, the verb with it. The exit code; 2 for what is
/// wrong.
pub fn main(
    name: &str,
    help: &str,
    table: &'static str,
    args: &[Vec<u8>],
    run: impl FnOnce(&Given) -> Result<i32, String>,
) -> i32 {
    let result = match read(table, &args[1..]) {
        Ok(given) if given.has("help") => return crate::print(help) as i32,
        Ok(given) => run(&given),
        Err(why) => Err(format!("{why}; -h helps")),
    };
    result.unwrap_or_else(|why| {
        crate::say(&format!("{name}: {why}"));
        2
    })
}

#[cfg(test)]
mod tests {
    use super::read;

    const TABLE: &str = "-l, --listen <endpoint>  where\n-q, --quiet              no text\n    --har <file>         a HAR\n    --explain[=bytes]    more\n";

    fn given(line: &str) -> Result<String, String> {
        let args: Vec<_> = line.split(' ').map(|arg| arg.as_bytes().to_vec()).collect();
        read(TABLE, &args)
            .map(|given| format!("{:?} {:?} {:?}", given.flags, given.operands, given.command))
    }

    #[test]
    fn flags_operands_and_a_command() {
        let want =
            r#"[("quiet", ""), ("listen", "/s"), ("har", "h")] ["rec"] Some(["docker", "-l"])"#;
        assert_eq!(given("-ql /s --har=h rec -- docker -l").unwrap(), want);
        assert_eq!(given("-q -l/s --har h rec -- docker -l").unwrap(), want);
        assert_eq!(given("--explain x").unwrap(), r#"[("explain", "")] ["x"] None"#);
        assert_eq!(given("--explain=bytes").unwrap(), r#"[("explain", "bytes")] [] None"#);
        assert_eq!(given("-").unwrap(), r#"[] ["-"] None"#);
    }

    #[test]
    fn what_is_wrong() {
        for (line, want) in [
            ("--nope", "option --nope: is unknown"),
            ("-qx", "option -qx: is unknown"),
            ("--har", "option --har: needs a value"),
            ("--quiet=1", "option --quiet: takes no value"),
        ] {
            assert_eq!(given(line).unwrap_err(), want);
        }
    }
}
