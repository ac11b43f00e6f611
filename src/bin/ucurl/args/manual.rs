//! `-h`, `-h all`, `-h CATEGORY`, `-h NAME`, `-h VERB`, `-V`, and the manual: as text for
//! `--manual`, as a man page for `--generate man`.

use super::flags::{self, Flag, Section, transfers, verbs};
use std::iter;

const MORE: &str = "\nMore: -h all, -h category, -h NAME of an option or command, --manual.\n";
const UNKNOWN: &str = "No such category, option or command. The categories are:\n";

/// Returns the text for `-h` and the argument after it.
pub fn help(topic: Option<&[u8]>) -> String {
    let topic = String::from_utf8_lossy(topic.unwrap_or_default()).to_ascii_lowercase();
    if let Some(verb) = verbs().find(|verb| verb.name() == topic) {
        return of_verb(verb);
    }
    let in_category = |name| list(transfers().shown().filter(|flag: &Flag| flag.is_in(name)));
    let categories = || {
        flags::categories().map(|(name, title)| format!(" {name}: {title}\n")).collect::<String>()
    };
    let body = match &*topic {
        "" => {
            let title = if cfg!(feature = "commands") { "\nOther commands:\n" } else { "" };
            let verbs = verbs().map(|verb| format!(" {:<8} {}\n", verb.name(), verb.help));
            in_category("important") + title + &verbs.collect::<String>() + MORE
        }
        "all" => list(transfers().shown()),
        "category" => categories(),
        name => {
            if let Some((_, title)) = flags::categories().find(|(category, _)| *category == name) {
                format!("{name}: {title}\n{}", in_category(name))
            } else if let Some(flag) = by_name(name) {
                render(&option(flag), false)
            } else {
                UNKNOWN.to_owned() + &categories()
            }
        }
    };
    format!("Usage: {}\n{body}", transfers().usage)
}

/// Returns the text for `ucurl VERB -h`.
pub fn of_verb(verb: Section) -> String {
    let about = render(verb.manual, false);
    format!("Usage: {}\n\n{about}\n{}", verb.usage, list(verb.flags()))
}

fn by_name(name: &str) -> Option<Flag> {
    let name = name.trim_start_matches('-');
    match name.as_bytes() {
        [letter] => transfers().short(*letter),
        _ => transfers().long(name.trim_start_matches("no-").as_bytes(), false).ok(),
    }
}

/// Lists flags with their help, the long names aligned.
fn list(flags: impl Iterator<Item = Flag> + Clone) -> String {
    let shown = |flag: Flag| {
        let indent = if flag.short().is_some() { "" } else { "    " };
        format!("{indent}{}", flag.shown)
    };
    let width = flags.clone().map(|flag| shown(flag).len()).max().unwrap_or(0).min(34);
    flags.map(|flag| format!(" {:<width$} {}\n", shown(flag), flag.help)).collect()
}

fn sentence(help: &str) -> String {
    let (first, rest) = help.split_at(1);
    format!("{}{rest}.", first.to_ascii_uppercase())
}

/// Returns a flag's part of a page.
fn option(flag: Flag) -> String {
    if flag.is_out() {
        return format!("- {}\nNot supported: {}.\n", flag.shown, flag.reason());
    }
    let lines = [flag.shown, &sentence(flag.help), flag.manual].join("\n");
    format!("- {}\n", lines.trim_end())
}

/// Returns the whole page, as troff or as text.
pub fn manual(troff: bool) -> String {
    let ucurl = transfers();
    let mut page = format!("= NAME\nucurl - {}\n= SYNOPSIS\n", ucurl.help);
    page.extend(iter::once(ucurl).chain(verbs()).map(|section| format!("* {}\n", section.usage)));
    page += &format!("= DESCRIPTION\n{}\n= OPTIONS\n", ucurl.manual);
    page.extend(ucurl.shown().map(option));
    for verb in verbs() {
        let name = verb.name().to_ascii_uppercase();
        page += &format!("= UCURL {name}\n{}\n{}\n", sentence(verb.help), verb.manual);
        page.extend(verb.shown().map(option));
    }
    page += "= UNSUPPORTED OPTIONS OF CURL\n";
    page += "Each ends the run with exit code 2 and one line that names it.\n";
    for (key, why) in flags::reasons() {
        let names: Vec<&str> = flags::out_for(key).map(|flag| flag.shown).collect();
        page += &format!("- {why}\n{}\n", names.join(", ").replace(", --", " --"));
    }
    page += include_str!("manual.txt");
    if !troff {
        return render(&page, false).trim_start().to_owned();
    }
    let version = env!("CARGO_PKG_VERSION");
    format!(".TH UCURL 1 \"\" \"ucurl {version}\" \"User commands\"\n{}", render(&page, true))
}

/// Renders a page as troff, or as text with 79 columns.
///
/// ```text
/// = HEADING
/// * synopsis
/// - the name of the thing that the next lines describe
/// Curl: how an option differs from curl's
/// running text; an empty line ends a paragraph
/// ```
fn render(page: &str, troff: bool) -> String {
    let (mut out, mut indent) = (String::new(), "");
    for line in page.lines() {
        let mut marks = ["= ", "* ", "- ", "Curl: "].into_iter();
        let mark = marks.find(|mark| line.starts_with(mark)).unwrap_or_default();
        let text = &line[mark.len()..];
        let escaped = escaped(text);
        match mark {
            "= " => indent = "",
            "- " => indent = "    ",
            _ => {}
        }
        match (mark, troff) {
            ("= ", true) => out += &format!(".SH {escaped}\n"),
            ("* ", true) => out += &format!(".B {escaped}\n.br\n"),
            ("- ", true) => out += &format!(".TP\n.B {escaped}\n"),
            ("Curl: ", true) => out += &format!(".br\nDiffers from curl: {escaped}\n"),
            (_, true) if text.is_empty() => out += ".PP\n",
            (_, true) => out += &format!("{escaped}\n"),
            ("= ", false) => out += &format!("\n{text}\n"),
            ("* ", false) => out += &format!("{text}\n"),
            ("- ", false) => out += &format!(" {text}\n"),
            ("Curl: ", false) => wrap(&mut out, indent, &format!("Differs from curl: {text}")),
            (_, false) => wrap(&mut out, indent, text),
        }
    }
    out
}

/// Escapes a text for troff: dashes stay dashes, and no line becomes a request.
fn escaped(text: &str) -> String {
    let escaped = text.replace('\\', "\\e").replace('-', "\\-");
    if escaped.starts_with(['.', '\'']) { format!("\\&{escaped}") } else { escaped }
}

/// Breaks a line at 79 columns.
fn wrap(out: &mut String, indent: &str, line: &str) {
    let mut column = 0;
    for word in line.split(' ') {
        if column > 0 && column + 1 + word.len() > 79 {
            out.push('\n');
            column = 0;
        }
        let before = if column == 0 { indent } else { " " };
        out.extend([before, word]);
        column += before.len() + word.len();
    }
    out.push('\n');
}

/// Returns the text for `-V`.
pub fn version() -> String {
    format!(
        "ucurl {} ({}-{}) command line of curl 7.88\nProtocols: http\nFeatures: UnixSockets\n",
        env!("CARGO_PKG_VERSION"),
        std::env::consts::ARCH,
        std::env::consts::OS,
    )
}
