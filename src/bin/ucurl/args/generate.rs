//! `--generate man|bash|zsh|fish`: texts for other programs, from the table of flags.

use super::flags::{Flag, Section, categories, transfers, verbs};
use super::manual;
use std::iter;

/// Returns the text of a kind; the table of flags admits no other kinds.
pub fn generate(kind: &[u8]) -> String {
    let script = match kind {
        b"man" => return manual::manual(true),
        b"bash" => include_str!("completion.bash").replace("{flags}\n", &bash()),
        b"zsh" => include_str!("completion.zsh")
            .replace("{verbs}\n", &verbs().map(zsh_verb).collect::<String>())
            .replace("{flags}", &zsh_arguments(transfers())),
        _ => include_str!("completion.fish").replace("{flags}\n", &fish()),
    };
    // Each context of the docker command has a file that begins with `{"Name":"`.
    let contexts = include_str!("contexts.sh").trim_end();
    let first = format!("{} help version", verb_names());
    script.replace("{first}", &first).replace("{contexts}", contexts)
}

/// Returns the code with which a shell completes the value of a flag; empty if the flag takes none.
fn completion(flag: Flag, shell: &str) -> String {
    let value = flag.shown.rsplit(' ').next().unwrap_or_default();
    let words = match (value, flag.choices()) {
        ("<category>", _) => {
            let categories: Vec<&str> = categories().map(|(name, _)| name).collect();
            format!("all category {} {}", categories.join(" "), verb_names()).trim_end().to_owned()
        }
        ("<method>", _) => "GET HEAD POST PUT DELETE PATCH OPTIONS".to_owned(),
        (_, Some(choices)) if flag.takes_value() => choices.replace('|', " "),
        // In zsh, a space completes to nothing.
        _ => " ".to_owned(),
    };
    let kind = match (flag.kind, value) {
        _ if words != " " => "words",
        _ if !flag.takes_value() => return String::new(),
        ("file", _) => "file",
        (_, "<dir>") => "directory",
        (_, "<name>") if flag.long() == "context" => "context",
        _ => "other",
    };
    let mut table = include_str!("completions.txt").lines();
    let code = table.find_map(|line| line.strip_prefix(&format!("{shell} {kind}:")));
    code.unwrap_or_default().replace("{}", &words)
}

fn spellings(flag: Flag) -> impl Iterator<Item = String> {
    let short = flag.short().map(|letter| format!("-{}", char::from(letter)));
    short.into_iter().chain([format!("--{}", flag.written())])
}

fn verb_names() -> String {
    verbs().map(Section::name).collect::<Vec<_>>().join(" ")
}

/// Returns a pattern `VERB/WORD-BEFORE` for each flag with a value.
fn bash() -> String {
    let mut cases = String::new();
    for (section, verb) in verbs().map(|verb| (verb, verb.name())).chain([(transfers(), "*")]) {
        for flag in section.shown() {
            let action = completion(flag, "bash");
            if !action.is_empty() {
                let patterns = spellings(flag).map(|word| format!("{verb}/{word}"));
                let patterns = patterns.collect::<Vec<_>>().join("|");
                cases += &format!("    {patterns}) {action}; return;;\n");
            }
        }
        let words: Vec<String> = section.shown().flat_map(spellings).collect();
        cases += &format!("    {verb}/*) words='{}';;\n", words.join(" "));
    }
    cases
}

fn zsh_verb(verb: Section) -> String {
    let (name, arguments) = (verb.name(), zsh_arguments(verb));
    format!("  {name}) shift words; (( CURRENT-- ))\n{arguments} \\\n  '*:file:_files'; return;;\n")
}

fn zsh_arguments(section: Section) -> String {
    let mut out = String::from("_arguments -S -s");
    for flag in section.shown() {
        let value = completion(flag, "zsh");
        let help = flag.help.replace('\'', "'\\''").replace(':', "\\:");
        let help = help.replace('[', "\\[").replace(']', "\\]");
        for word in spellings(flag) {
            out += &format!(" \\\n  '*{word}[{help}]{value}'");
        }
    }
    out
}

fn fish() -> String {
    let mut out = String::new();
    let verb = |verb: Section| (verb, format!("__fish_seen_subcommand_from {}", verb.name()));
    let none = format!("not __fish_seen_subcommand_from {}", verb_names());
    for (section, condition) in iter::once((transfers(), none)).chain(verbs().map(verb)) {
        for flag in section.shown() {
            let short = flag.short().map(|letter| format!(" -s '{}'", char::from(letter)));
            out += &format!(
                "complete -c ucurl -n '{condition}'{} -l {}{} -d '{}'\n",
                short.unwrap_or_default(),
                flag.written(),
                completion(flag, "fish"),
                flag.help.replace('\'', "\\'")
            );
        }
    }
    out
}
