//! `--generate man|bash|zsh|fish`: texts for other programs, from the table of flags.

use super::flags::{Flag, Section, TRANSFERS, categories, verbs};
use super::manual;
use std::iter;

/// Returns the text of a kind; the table of flags admits no other kinds.
pub fn generate(kind: &[u8]) -> String {
    match kind {
        b"man" => manual::manual(true),
        b"bash" => bash(),
        b"zsh" => zsh(),
        _ => fish(),
    }
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
    let value = flag.shown().rsplit(' ').next().unwrap_or_default();
    match (flag.kind(), flag.choices(), value) {
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

/// Returns the words, other than a URL, that may come first on a command line.
fn first_words() -> String {
    format!("{} help version", verb_names())
}

/// Returns a pattern `VERB/WORD-BEFORE` for each flag with a value.
fn bash() -> String {
    let mut cases = String::new();
    for (section, verb) in verbs().map(|verb| (verb, verb.name())).chain([(TRANSFERS, "*")]) {
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
    format!(
        "# ucurl --generate bash >~/.local/share/bash-completion/completions/ucurl
_ucurl_contexts() {{
  {CONTEXTS}
}}
_ucurl() {{
  local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}} verb= words
  [ \"$COMP_CWORD\" = 1 ] || verb=${{COMP_WORDS[1]}}
  case $verb/$before in
{cases}  esac
  [[ $COMP_CWORD != 1 || $word == -* ]] || words='{}'
  COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))
}}
complete -o default -F _ucurl ucurl
",
        first_words()
    )
}

fn zsh_arguments(section: Section) -> String {
    let mut out = String::from("_arguments -S -s");
    for flag in section.shown() {
        let value = completion(flag, ZSH);
        let help = flag.help().replace('\'', "'\\''").replace(':', "\\:");
        let help = help.replace('[', "\\[").replace(']', "\\]");
        for word in spellings(flag) {
            out += &format!(" \\\n  '*{word}[{help}]{value}'");
        }
    }
    out
}

fn zsh() -> String {
    let mut out = format!(
        "#compdef ucurl\n# ucurl --generate zsh >_ucurl, in a directory of $fpath\n\
         _ucurl_contexts() {{\n  {CONTEXTS}\n}}\n\
         if (( CURRENT > 2 )); then\n  case $words[2] in\n"
    );
    for verb in verbs() {
        let arguments = zsh_arguments(verb);
        out += &format!(
            "  {}) shift words; (( CURRENT-- ))\n{arguments} \\\n  '*:file:_files'; return;;\n",
            verb.name()
        );
    }
    out += &format!("  esac\nfi\n{} \\\n", zsh_arguments(TRANSFERS));
    out + &format!("  '1:verb or URL:({})' \\\n  '*:url:_urls'\n", first_words())
}

fn fish() -> String {
    let names = verb_names();
    let mut out = format!(
        "# ucurl --generate fish >~/.config/fish/completions/ucurl.fish\n\
         function _ucurl_contexts; sh -c '{CONTEXTS}'; end\n\
         complete -c ucurl -n __fish_use_subcommand -f -a '{}'\n",
        first_words()
    );
    let of_verb = |verb: Section| (verb, format!("__fish_seen_subcommand_from {}", verb.name()));
    let transfers = (TRANSFERS, format!("not __fish_seen_subcommand_from {names}"));
    for (section, condition) in iter::once(transfers).chain(verbs().map(of_verb)) {
        for flag in section.shown() {
            let short = flag.short().map(|letter| format!(" -s '{}'", char::from(letter)));
            out += &format!(
                "complete -c ucurl -n '{condition}'{} -l {}{} -d '{}'\n",
                short.unwrap_or_default(),
                flag.written(),
                completion(flag, FISH),
                flag.help().replace('\'', "\\'")
            );
        }
    }
    out
}
