//! The table of flags and the parsers that read it, without the program around them.

use crate::args::flags::{self, Flag, Section, transfers};
use crate::args::numbers::{milliseconds, size};
use crate::args::{given, parse};
use crate::fetch::retry::seconds_of;
use std::time::{Duration, UNIX_EPOCH};

fn sections() -> impl Iterator<Item = Section> {
    std::iter::once(transfers()).chain(flags::verbs())
}

#[test]
fn every_row_of_the_table_is_complete() {
    for flag in sections().flat_map(Section::flags) {
        let shown = flag.shown;
        assert!(flag.long().len() > 1, "{shown}");
        if flag.is_out() {
            assert_ne!(flag.reason(), "not in", "{shown}");
            assert_eq!(flag.help, "", "{shown}");
        } else {
            assert!((1..=60).contains(&flag.help.len()), "{shown}: {}", flag.help.len());
            let takes = !matches!(flag.kind, "none" | "bool") || shown.contains("--help <");
            assert_eq!(shown.contains(['<', '[']), takes, "{shown}");
        }
    }
    for section in sections() {
        assert!(section.usage.starts_with("ucurl "), "{}", section.usage);
        assert!((1..=60).contains(&section.help.len()), "{}", section.help);
        assert!(!section.manual.is_empty(), "{}", section.usage);
    }
    let names: Vec<&str> = flags::verbs().map(Section::name).collect();
    assert_eq!(names, ["demo", "tap", "guard", "replay", "sockets"]);
}

#[test]
fn curl_flags_have_known_categories() {
    for flag in transfers().shown() {
        let known = |category: &str| flag.is_in(category);
        assert!(flags::categories().any(|(name, _)| known(name)), "{}", flag.shown);
    }
}

#[test]
fn names_are_unique_in_a_section() {
    for section in sections() {
        for (at, flag) in section.flags().enumerate() {
            for other in section.flags().skip(at + 1) {
                assert_ne!(flag.long(), other.long());
                let same = flag.short().is_some() && flag.short() == other.short();
                assert!(!same, "{}", flag.shown);
            }
        }
    }
}

/// Every supported flag does something: none falls through to the unsupported flags of curl.
#[test]
fn supported_flags_come_first() {
    let shown = transfers().shown().count();
    for (at, flag) in transfers().flags().enumerate() {
        assert_eq!(flag.is_out(), at >= shown, "{}", flag.shown);
        let name = format!("--{}", flag.written());
        let args = [name.as_bytes(), b"1"];
        let (_, result) = parse::parse(args.into_iter(), &mut |_| Ok(Vec::new()));
        let told = format!("{result:?}");
        assert_eq!(
            told.contains("is not supported: "),
            flag.is_out() && !name.starts_with("--no-"),
            "{told}"
        );
    }
}

fn find(name: &str, whole: bool) -> Result<&'static str, bool> {
    let found = transfers().long(name.as_bytes(), whole).map(Flag::long);
    found.map_err(|wrong| wrong.line().contains("ambiguous"))
}

#[test]
fn names_can_be_shortened_as_in_curl() {
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

fn given(line: &str) -> Result<given::Given, String> {
    let args: Vec<_> = line.split(' ').map(|arg| arg.as_bytes().to_vec()).collect();
    given::read(flags::verbs().find(|verb| verb.name() == "tap").unwrap(), &args)
}

#[test]
fn a_verb_has_flags_operands_and_a_command() {
    for line in [
        "-ql /s --har=h rec -- docker -l",
        "-q -l/s --har h rec -- docker -l",
        "--har h rec --quiet --listen=/x --listen /s -- docker -l",
    ] {
        let given = given(line).unwrap();
        assert!(given.has("quiet") && !given.has("to"), "{line}");
        assert_eq!(given.value("listen").unwrap(), "/s", "{line}");
        assert_eq!(given.values("har").collect::<Vec<_>>(), ["h"], "{line}");
        assert_eq!(given.operands, ["rec"], "{line}");
        assert_eq!(given.command.unwrap(), ["docker", "-l"], "{line}");
    }
    let explain = given("--explain x").unwrap();
    assert_eq!(
        (explain.value("explain").unwrap(), &explain.operands[0]),
        ("".as_ref(), &"x".into())
    );
    assert_eq!(given("--explain=bytes").unwrap().value("explain").unwrap(), "bytes");
    assert_eq!(given("-").unwrap().operands, ["-"]);
}

#[test]
fn a_verb_names_its_usage_error() {
    for (line, want) in [
        ("--nope", "option --nope: is unknown"),
        ("--lisen /s", "option --lisen: is unknown; did you mean --listen?"),
        ("-qx", "option -qx: is unknown"),
        ("--har", "option --har: needs a value"),
        ("--quiet=1", "option --quiet=1: takes no value"),
        ("--color sometimes", "option --color: takes one of always, never, auto"),
        ("--explain=x", "option --explain=x: takes nothing or =bytes"),
        ("--no-quiet", "option --no-quiet: cannot be turned off with --no-"),
    ] {
        assert_eq!(given(line).unwrap_err(), want);
    }
}

#[test]
fn seconds_are_read_as_milliseconds() {
    let cases = [
        ("1", Some(1000)),
        ("0.5", Some(500)),
        (".25", Some(250)),
        ("2.", Some(2000)),
        ("1.2345", Some(1234)),
        ("0", Some(0)),
        ("+3", Some(3000)),
        (" 3", Some(3000)),
        ("1e2", Some(100_000)),
        ("15e-1", Some(1500)),
        ("0.0001", Some(0)),
        ("1e-9", Some(0)),
        ("1e-9223372036854775807", Some(0)),
        ("1e9223372036854775807", None),
        ("", None),
        (".", None),
        ("x", None),
        ("1s", None),
        ("-1", None),
        ("-0", Some(0)),
        ("1e", None),
        ("1.2.3", None),
        ("9223372036854775", Some(9_223_372_036_854_775_000)),
        ("9223372036854776", None),
        ("1e30", None),
        ("0e99", Some(0)),
    ];
    for (text, want) in cases {
        assert_eq!(milliseconds(text.as_bytes()).ok(), want, "{text}");
    }
}

#[test]
fn sizes_have_units() {
    let cases = [
        ("10", Some(10)),
        ("1k", Some(1024)),
        ("2M", Some(2 << 20)),
        ("3g", Some(3 << 30)),
        ("4B", Some(4)),
        ("1kb", None),
        ("k", None),
        ("-1", None),
        ("9999999999G", None),
    ];
    for (text, want) in cases {
        assert_eq!(size(text.as_bytes()).ok(), want, "{text}");
    }
}

#[test]
fn retry_after_is_a_number_or_a_date() {
    let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
    assert_eq!(seconds_of(b"120", at(0)), Some(120));
    assert_eq!(seconds_of(b"Thu, 01 Jan 1970 00:01:00 GMT", at(10)), Some(50));
    assert_eq!(seconds_of(b"Thu, 01 Jan 1970 00:01:00 GMT", at(100)), None);
    for none in ["0", "soon", "+5", "5 s", ""] {
        assert_eq!(seconds_of(none.as_bytes(), at(0)), None, "{none}");
    }
}
