//! `-h`, `-h all`, `-h CATEGORY`, `-h NAME`, `-h VERB`, `-V`.

use super::flags::{self, Flag, Found, Section, TRANSFERS, verbs};
use super::manual::Page;

/// Returns the text for `-h` and the argument after it.
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
            out += if cfg!(feature = "commands") { "\nOther commands:\n" } else { "" };
            verbs().for_each(|verb| out += &format!(" {:<8} {}\n", verb.name(), verb.help()));
            out += "\nMore: -h all, -h category, -h NAME of an option or command, --manual.\n";
        }
        "all" => list(&mut out, &TRANSFERS.shown().collect::<Vec<_>>()),
        "category" => list_categories(&mut out),
        name => {
            if let Some((_, title)) = flags::categories().find(|(category, _)| *category == name) {
                out += &format!("{name}: {title}\n");
                list(&mut out, &in_category(name));
            } else if let Some(flag) = by_name(name) {
                let mut page = Page::default();
                page.option(flag);
                out += &page.out;
            } else {
                out += "There is no such category, option or command. The categories are:\n";
                list_categories(&mut out);
            }
        }
    }
    out
}

/// Returns the text for `ucurl VERB -h`.
pub fn of_verb(verb: Section) -> String {
    let mut page = Page::default();
    verb.manual().for_each(|line| page.text(line));
    let mut out = format!("Usage: {}\n\n{}\n", verb.usage(), page.out);
    list(&mut out, &verb.flags().collect::<Vec<_>>());
    out
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

/// Lists flags with their help, the long names under each other.
fn list(out: &mut String, flags: &[Flag]) {
    let indent = |flag: &Flag| if flag.short().is_some() { "" } else { "    " };
    let aligned: Vec<String> =
        flags.iter().map(|flag| indent(flag).to_owned() + flag.shown()).collect();
    let width = aligned.iter().map(String::len).max().unwrap_or(0).min(34);
    for (shown, flag) in aligned.iter().zip(flags) {
        *out += &format!(" {shown:<width$} {}\n", flag.help());
    }
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
