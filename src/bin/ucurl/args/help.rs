//! `-h`, `-h all`, `-h CATEGORY`, `-h NAME`, `-h VERB`, `-V`.

use super::flags::{self, Flag, Section, TRANSFERS, verbs};
use super::manual::Page;

const MORE: &str = "\nMore: -h all, -h category, -h NAME of an option or command, --manual.\n";
const UNKNOWN: &str = "No such category, option or command. The categories are:\n";

/// Returns the text for `-h` and the argument after it.
pub fn help(topic: Option<&[u8]>) -> String {
    let topic = String::from_utf8_lossy(topic.unwrap_or_default()).to_ascii_lowercase();
    if let Some(verb) = verbs().find(|verb| verb.name() == topic) {
        return of_verb(verb);
    }
    let in_category = |name| list(TRANSFERS.shown().filter(|flag: &Flag| flag.is_in(name)));
    let categories = || {
        flags::categories().map(|(name, title)| format!(" {name}: {title}\n")).collect::<String>()
    };
    let body = match &*topic {
        "" => {
            let title = if cfg!(feature = "commands") { "\nOther commands:\n" } else { "" };
            let verbs = verbs().map(|verb| format!(" {:<8} {}\n", verb.name(), verb.help()));
            in_category("important") + title + &verbs.collect::<String>() + MORE
        }
        "all" => list(TRANSFERS.shown()),
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
    format!("Usage: {}\n{body}", TRANSFERS.usage())
}

/// Returns the text for `ucurl VERB -h`.
pub fn of_verb(verb: Section) -> String {
    let mut page = Page::default();
    verb.manual().for_each(|line| page.text(line));
    format!("Usage: {}\n\n{}\n{}", verb.usage(), page.out, list(verb.flags()))
}

fn by_name(name: &str) -> Option<Flag> {
    let name = name.trim_start_matches('-');
    match name.as_bytes() {
        [letter] => TRANSFERS.short(*letter),
        _ => TRANSFERS.long(name.trim_start_matches("no-").as_bytes(), false).ok(),
    }
}

/// Lists flags with their help, the long names aligned.
fn list(flags: impl Iterator<Item = Flag> + Clone) -> String {
    let shown = |flag: Flag| {
        let indent = if flag.short().is_some() { "" } else { "    " };
        format!("{indent}{}", flag.shown())
    };
    let width = flags.clone().map(|flag| shown(flag).len()).max().unwrap_or(0).min(34);
    flags.map(|flag| format!(" {:<width$} {}\n", shown(flag), flag.help())).collect()
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
