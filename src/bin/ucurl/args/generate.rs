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
    let first = format!("{} help version", verb_names());
    script.replace("{first}", &first).replace("{contexts}", CONTEXTS)
}

/// How a shell completes a flag's value: to a file, to a directory, to one of the words that stand
/// for `{}`, to a Docker context, or not at all.
type Completions = [&'static str; 5];

const BASH: Completions = [
    r#"COMPREPLY=($(compgen -f -- "$word"))"#,
    r#"COMPREPLY=($(compgen -d -- "$word"))"#,
    r#"COMPREPLY=($(compgen -W '{}' -- "$word"))"#,
    r#"COMPREPLY=($(compgen -W "$(_ucurl_contexts)" -- "$word"))"#,
    ":",
];
const ZSH: Completions = [
    ":file:_files",
    ":directory:_files -/",
    ":value:({})",
    ":context:{compadd $(_ucurl_contexts)}",
    ":value: ",
];
const FISH: Completions = [" -r", " -r", " -x -a '{}'", " -x -a '(_ucurl_contexts)'", " -x"];

/// Lists the contexts of the docker command: each has a file that begins with `{"Name":"`.
const CONTEXTS: &str = r#"echo default
  find "${DOCKER_CONFIG:-$HOME/.docker}/contexts/meta" -name meta.json \
    -exec cut -d\" -f4 {} + 2>&-"#;

const METHODS: &str = "GET HEAD POST PUT DELETE PATCH OPTIONS";

/// Returns the shell code that completes the value of a flag; empty if the flag takes none.
fn completion(flag: Flag, [file, directory, words, context, unknown]: Completions) -> String {
    let value = flag.shown.rsplit(' ').next().unwrap_or_default();
    match (flag.kind, flag.choices(), value) {
        (_, _, "<category>") => {
            let categories: Vec<&str> = categories().map(|(name, _)| name).collect();
            let topics = format!("all category {} {}", categories.join(" "), verb_names());
            words.replace("{}", topics.trim_end())
        }
        _ if !flag.takes_value() => String::new(),
        ("file", ..) => file.to_owned(),
        (_, Some(choices), _) => words.replace("{}", &choices.replace('|', " ")),
        (_, _, "<method>") => words.replace("{}", METHODS),
        (_, _, "<dir>") => directory.to_owned(),
        (_, _, "<name>") if flag.long() == "context" => context.to_owned(),
        _ => unknown.to_owned(),
    }
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
            let action = completion(flag, BASH);
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
        let value = completion(flag, ZSH);
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
                completion(flag, FISH),
                flag.help.replace('\'', "\\'")
            );
        }
    }
    out
}
