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
                let mut page = Page::default();
                page.option(flag);
                page.out
            } else {
                UNKNOWN.to_owned() + &categories()
            }
        }
    };
    format!("Usage: {}\n{body}", transfers().usage)
}

/// Returns the text for `ucurl VERB -h`.
pub fn of_verb(verb: Section) -> String {
    let mut page = Page::default();
    verb.manual.lines().for_each(|line| page.text(line));
    format!("Usage: {}\n\n{}\n{}", verb.usage, page.out, list(verb.flags()))
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

#[derive(Default)]
struct Page {
    /// Whether to write troff instead of text with 79 columns.
    troff: bool,
    indent: &'static str,
    out: String,
}

impl Page {
    /// Adds a text in the form for troff or for text, in place of its `{}`.
    fn add(&mut self, for_troff: &str, for_text: &str, text: &str) {
        self.out += &match self.troff {
            true => for_troff.replace("{}", &troff(text)),
            false => for_text.replace("{}", text),
        };
    }

    fn heading(&mut self, title: &str) {
        self.indent = "";
        self.add(".SH {}\n", "\n{}\n", title);
    }

    /// Adds the name of the thing that the next text describes.
    fn term(&mut self, term: &str) {
        self.indent = "    ";
        self.add(".TP\n.B {}\n", " {}\n", term);
    }

    /// Adds running text; an empty one ends a paragraph.
    fn text(&mut self, text: &str) {
        match (self.troff, text) {
            (true, "") => self.out += ".PP\n",
            (true, text) => self.out += &format!("{}\n", troff(text)),
            (false, text) => wrap(&mut self.out, self.indent, text),
        }
    }

    fn sentence(&mut self, help: &str) {
        let (first, rest) = help.split_at(1);
        self.text(&format!("{}{rest}.", first.to_ascii_uppercase()));
    }

    fn option(&mut self, flag: Flag) {
        self.term(flag.shown);
        if flag.is_out() {
            return self.text(&format!("Not supported: {}.", flag.reason()));
        }
        self.sentence(flag.help);
        flag.manual().for_each(|line| self.text(line));
        if let Some(differs) = flag.differs() {
            self.add(".br\n", "", "");
            self.text(&format!("Differs from curl: {differs}"));
        }
    }
}

pub fn manual(troff: bool) -> String {
    let mut page = Page { troff, ..Page::default() };
    if troff {
        let version = env!("CARGO_PKG_VERSION");
        page.out += &format!(".TH UCURL 1 \"\" \"ucurl {version}\" \"User commands\"\n");
    }
    page.heading("NAME");
    page.text(&format!("ucurl - {}", transfers().help));
    page.heading("SYNOPSIS");
    iter::once(transfers())
        .chain(verbs())
        .for_each(|section| page.add(".B {}\n.br\n", "{}\n", section.usage));
    page.heading("DESCRIPTION");
    transfers().manual.lines().for_each(|line| page.text(line));
    page.heading("OPTIONS");
    transfers().shown().for_each(|flag| page.option(flag));
    for verb in verbs() {
        page.heading(&format!("UCURL {}", verb.name().to_ascii_uppercase()));
        page.sentence(verb.help);
        verb.manual.lines().for_each(|line| page.text(line));
        verb.shown().for_each(|flag| page.option(flag));
    }
    page.heading("UNSUPPORTED OPTIONS OF CURL");
    page.text("Each ends the run with exit code 2 and one line that names it.");
    for (key, why) in flags::reasons() {
        page.term(why);
        let names: Vec<&str> = flags::out_for(key).map(|flag| flag.shown).collect();
        page.text(&names.join(", ").replace(", --", " --"));
    }
    for line in include_str!("manual.txt").lines() {
        match line.split_at(2) {
            ("= ", title) => page.heading(title),
            ("- ", term) => page.term(term),
            _ => page.text(line),
        }
    }
    page.out.trim_start().to_owned()
}

/// Escapes a text for troff: dashes stay dashes, and no line becomes a request.
fn troff(text: &str) -> String {
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
