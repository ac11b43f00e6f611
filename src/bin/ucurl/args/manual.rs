//! The manual, as text for `--manual` and `-h NAME`, and as a man page for `--generate man`.

use super::exit;
use super::flags::{self, Flag, TRANSFERS, verbs};
use std::iter;

/// A page of the manual.
#[derive(Default)]
pub struct Page {
    /// Whether to write troff instead of text with 79 columns.
    troff: bool,
    indent: &'static str,
    pub out: String,
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
    pub fn text(&mut self, text: &str) {
        match (self.troff, text) {
            (true, "") => self.out += ".PP\n",
            (true, text) => self.out += &format!("{}\n", troff(text)),
            (false, text) => wrap(&mut self.out, self.indent, text),
        }
    }

    /// Adds a line of the help as a sentence.
    fn sentence(&mut self, help: &str) {
        let (first, rest) = help.split_at(1);
        self.text(&format!("{}{rest}.", first.to_ascii_uppercase()));
    }

    /// Adds a flag with its manual.
    pub fn option(&mut self, flag: Flag) {
        self.term(flag.shown());
        if flag.is_out() {
            return self.text(&format!("Not supported: {}.", flag.reason()));
        }
        self.sentence(flag.help());
        flag.manual().for_each(|line| self.text(line));
        if let Some(differs) = flag.differs() {
            self.add(".br\n", "", "");
            self.text(&format!("Differs from curl: {differs}"));
        }
    }
}

/// Returns the whole manual.
pub fn manual(troff: bool) -> String {
    let mut page = Page { troff, ..Page::default() };
    if troff {
        let version = env!("CARGO_PKG_VERSION");
        page.out += &format!(".TH UCURL 1 \"\" \"ucurl {version}\" \"User commands\"\n");
    }
    page.heading("NAME");
    page.text(&format!("ucurl - {}", TRANSFERS.help()));
    page.heading("SYNOPSIS");
    iter::once(TRANSFERS)
        .chain(verbs())
        .for_each(|section| page.add(".B {}\n.br\n", "{}\n", section.usage()));
    page.heading("DESCRIPTION");
    TRANSFERS.manual().for_each(|line| page.text(line));
    page.heading("OPTIONS");
    TRANSFERS.shown().for_each(|flag| page.option(flag));
    for verb in verbs() {
        page.heading(&format!("UCURL {}", verb.name().to_ascii_uppercase()));
        page.sentence(verb.help());
        verb.manual().for_each(|line| page.text(line));
        verb.shown().for_each(|flag| page.option(flag));
    }
    page.heading("UNSUPPORTED OPTIONS OF CURL");
    page.text("Each ends the run with exit code 2 and one line that names it.");
    for (key, why) in flags::reasons() {
        page.term(why);
        let names: Vec<&str> = flags::out_for(key).map(Flag::shown).collect();
        page.text(&names.join(", ").replace(", --", " --"));
    }
    page.heading("EXIT STATUS");
    for (code, meaning) in exit::MEANINGS {
        page.term(&(*code as u8).to_string());
        page.text(meaning);
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
