//! `-h`, `-h all`, `-h CATEGORY`, `-h NAME`, `-V`.

use crate::args::flags::{self, Flag, Found};

/// The categories, as `-h category` lists them. `important` is what `-h` alone shows.
pub static CATEGORIES: &str = "\
auth: Credentials
connection: The socket and its time limits
curl: The command itself
docker: What Docker adds to HTTP
http: The request and the response
output: Files
post: Data in a POST
proxy: Ways around
upload: Files and data to send
verbose: What is told beside the body
";

/// The other things the command does, beside transfers.
pub static VERBS: &str = "\
demo [--listen ENDPOINT]   a small engine in memory that answers as Docker does
tap [-- COMMAND]           show the HTTP that travels through a Docker socket
replay RECORDING           answer as a recorded engine did
sockets                    list the sockets that listen here and speak HTTP
";

static USAGE: &str = "Usage: ucurl [options...] <url>\n";

/// The text for `-h`, with what came after it.
pub fn help(topic: Option<&[u8]>) -> String {
    let mut out = String::from(USAGE);
    let topic = topic.map(<[u8]>::to_ascii_lowercase).unwrap_or_default();
    let topic = String::from_utf8_lossy(&topic);
    match &*topic {
        "" => {
            list(&mut out, |flag| flag.categories().any(|word| word == "important"));
            out.push_str("\nOther commands:\n");
            indent(&mut out, VERBS);
            out.push_str("\nMore: -h all, -h category, -h NAME of an option, --manual.\n");
        }
        "all" => list(&mut out, |flag| !flag.is_out()),
        "category" => indent(&mut out, CATEGORIES),
        name => {
            let title = CATEGORIES
                .split('\n')
                .find(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(':')));
            if let Some(title) = title {
                out.push_str(title);
                out.push('\n');
                list(&mut out, |flag| !flag.is_out() && flag.categories().any(|word| word == name));
            } else if let Some(flag) = by_name(name) {
                one(&mut out, flag);
            } else {
                out.push_str("There is no such category and no such option. The categories are:\n");
                indent(&mut out, CATEGORIES);
            }
        }
    }
    out
}

fn by_name(name: &str) -> Option<Flag> {
    if let [b'-', letter] | [letter] = name.as_bytes() {
        return flags::short(*letter);
    }
    let name = name.trim_start_matches('-');
    match flags::long(name.strip_prefix("no-").unwrap_or(name).as_bytes(), false) {
        Found::One(flag) => Some(flag),
        _ => None,
    }
}

/// A flag with its manual.
fn one(out: &mut String, flag: Flag) {
    push(out, &[" ", flag.shown(), "\n"]);
    if flag.is_out() {
        push(out, &["    Out: ", flag.reason(), ".\n"]);
        return;
    }
    push(out, &["    ", flag.help(), ".\n"]);
    for line in flag.manual() {
        wrap(out, "    ", line);
    }
    if let Some(differs) = flag.differs() {
        wrap(out, "    ", &["Not as in curl: ", differs].concat());
    }
}

fn list(out: &mut String, shown: impl Fn(Flag) -> bool) {
    let flags = || flags::all().filter(|flag| shown(*flag));
    let width = flags().map(|flag| aligned(flag).len()).max().unwrap_or(0).min(34);
    for flag in flags() {
        let name = aligned(flag);
        push(
            out,
            &[" ", &name, &" ".repeat(width.saturating_sub(name.len())), " ", flag.help(), "\n"],
        );
    }
}

/// Long names under each other, whether there is a letter before them or not.
fn aligned(flag: Flag) -> String {
    let before = if flag.short().is_some() { "" } else { "    " };
    [before, flag.shown()].concat()
}

fn indent(out: &mut String, lines: &str) {
    for line in lines.lines() {
        push(out, &[" ", line, "\n"]);
    }
}

pub fn push(out: &mut String, parts: &[&str]) {
    for part in parts {
        out.push_str(part);
    }
}

/// Breaks a line at 79 columns.
pub fn wrap(out: &mut String, indent: &str, line: &str) {
    let mut column = 0;
    for word in line.split(' ') {
        if column > 0 && column + 1 + word.len() > 79 {
            out.push('\n');
            column = 0;
        }
        push(out, &[if column == 0 { indent } else { " " }, word]);
        column += word.len() + if column == 0 { indent.len() } else { 1 };
    }
    out.push('\n');
}

/// The text for `-V`.
pub fn version() -> String {
    [
        "ucurl ",
        env!("CARGO_PKG_VERSION"),
        " (",
        std::env::consts::ARCH,
        "-",
        std::env::consts::OS,
        ") command line of curl 7.88\nProtocols: http\nFeatures: UnixSockets\n",
    ]
    .concat()
}

/// The text for `--manual`.
pub fn manual() -> String {
    let mut out = String::from(USAGE);
    push(&mut out, &["\n", crate::args::generate::ABOUT, "\nCommands beside transfers:\n"]);
    indent(&mut out, VERBS);
    out.push_str("\nOptions:\n");
    for flag in flags::all().filter(|flag| !flag.is_out()) {
        one(&mut out, flag);
    }
    out.push_str("\nOptions of curl that are out:\n");
    for reason in flags::REASONS.lines() {
        let Some((key, why)) = reason.split_once(": ") else { continue };
        wrap(&mut out, " ", &[why, ":"].concat());
        let names: Vec<&str> = flags::all()
            .filter(|flag| flag.is_out() && flag.categories().any(|word| word == key))
            .map(Flag::shown)
            .collect();
        wrap(&mut out, "    ", &names.join(", ").replace(", --", " --"));
    }
    out
}
