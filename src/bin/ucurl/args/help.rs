//! `-h`, `-h all`, `-h CATEGORY`, `-h NAME`, `-h VERB`, `--manual`, `-V`.

use super::flags::{self, Flag, Found, Section, TRANSFERS};

/// The verbs of this build.
pub fn verbs() -> impl Iterator<Item = Section> + Clone {
    flags::verbs().take_while(|_| cfg!(feature = "commands"))
}

/// The text for `-h`, with what came after it.
pub fn help(topic: Option<&[u8]>) -> String {
    let topic = String::from_utf8_lossy(topic.unwrap_or_default()).to_ascii_lowercase();
    if let Some(verb) = verbs().find(|verb| verb.name() == topic) {
        return of_verb(verb);
    }
    let mut out = format!("Usage: {}\n", TRANSFERS.usage());
    let in_category =
        |name: &str| -> Vec<Flag> { TRANSFERS.shown().filter(|flag| flag.is_in(name)).collect() };
    match &*topic {
        "" => {
            list(&mut out, &in_category("important"));
            list_verbs(&mut out);
            out += "\nMore: -h all, -h category, -h NAME of an option or command, --manual.\n";
        }
        "all" => list(&mut out, &TRANSFERS.shown().collect::<Vec<_>>()),
        "category" => list_categories(&mut out),
        name => {
            if let Some((_, title)) = flags::categories().find(|(category, _)| *category == name) {
                out += &format!("{name}: {title}\n");
                list(&mut out, &in_category(name));
            } else if let Some(flag) = by_name(name) {
                one(&mut out, flag);
            } else {
                out += "There is no such category, option or command. The categories are:\n";
                list_categories(&mut out);
            }
        }
    }
    out
}

/// The text for `ucurl VERB -h`.
pub fn of_verb(verb: Section) -> String {
    let mut out = format!("Usage: {}\n\n", verb.usage());
    verb.manual().for_each(|line| wrap(&mut out, "", line));
    out.push('\n');
    list(&mut out, &verb.flags().collect::<Vec<_>>());
    out
}

fn list_verbs(out: &mut String) {
    for (at, verb) in verbs().enumerate() {
        let before = if at == 0 { "\nOther commands:\n" } else { "" };
        *out += &format!("{before} {:<8} {}\n", verb.name(), verb.help());
    }
}

fn list_categories(out: &mut String) {
    flags::categories().for_each(|(name, title)| *out += &format!(" {name}: {title}\n"));
}

fn by_name(name: &str) -> Option<Flag> {
    if let [b'-', letter] | [letter] = name.as_bytes() {
        return TRANSFERS.short(*letter);
    }
    let name = name.trim_start_matches('-');
    match TRANSFERS.long(name.strip_prefix("no-").unwrap_or(name).as_bytes(), false) {
        Found::One(flag) => Some(flag),
        _ => None,
    }
}

/// A flag with its manual.
fn one(out: &mut String, flag: Flag) {
    *out += &format!(" {}\n", flag.shown());
    if flag.is_out() {
        *out += &format!("    Out: {}.\n", flag.reason());
        return;
    }
    *out += &format!("    {}.\n", flag.help());
    flag.manual().for_each(|line| wrap(out, "    ", line));
    if let Some(differs) = flag.differs() {
        wrap(out, "    ", &format!("Not as in curl: {differs}"));
    }
}

/// Flags with their help, the long names under each other.
fn list(out: &mut String, flags: &[Flag]) {
    let aligned = |flag: &Flag| {
        let before = if flag.short().is_some() { "" } else { "    " };
        format!("{before}{}", flag.shown())
    };
    let width = flags.iter().map(|flag| aligned(flag).len()).max().unwrap_or(0).min(34);
    for flag in flags {
        *out += &format!(" {:<width$} {}\n", aligned(flag), flag.help());
    }
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
        *out += before;
        *out += word;
        column += before.len() + word.len();
    }
    out.push('\n');
}

/// The text for `-V`.
pub fn version() -> String {
    format!(
        "ucurl {} ({}-{}) command line of curl 7.88\nProtocols: http\nFeatures: UnixSockets\n",
        env!("CARGO_PKG_VERSION"),
        std::env::consts::ARCH,
        std::env::consts::OS,
    )
}

/// The text for `--manual`.
pub fn manual() -> String {
    let mut out = String::new();
    for section in std::iter::once(TRANSFERS).chain(verbs()) {
        out += &format!("Usage: {}\n\n", section.usage());
        section.manual().for_each(|line| wrap(&mut out, "", line));
        out += "\nOptions:\n";
        section.shown().for_each(|flag| one(&mut out, flag));
        out.push('\n');
    }
    out += "Options of curl that are out:\n";
    for (key, why) in flags::reasons() {
        wrap(&mut out, " ", &format!("{why}:"));
        let flags = TRANSFERS.flags().filter(|flag| flag.is_out() && flag.is_in(key));
        let names: Vec<&str> = flags.map(Flag::shown).collect();
        wrap(&mut out, "    ", &names.join(", ").replace(", --", " --"));
    }
    out
}
