//! `--generate man|bash|zsh|fish|markdown`: texts for other programs, from the table of flags.

use super::flags::{self, Flag, FlagKind, Place, Section, TRANSFERS, verbs};
use super::manual;
use std::iter;

/// The text of a kind; the table of flags lets no other kinds through.
pub fn generate(kind: &[u8]) -> String {
    match kind {
        b"man" => manual::manual(true),
        b"bash" => bash(),
        b"zsh" => zsh(),
        b"fish" => fish(),
        _ => markdown(),
    }
}

/// What a shell may complete a flag's value to.
enum Completion {
    Nothing,
    Files,
    Directories,
    /// One of these words, with spaces between them.
    Words(String),
    /// A value that only the user knows.
    Unknown,
}

fn completion(flag: Flag) -> Completion {
    match (flag.kind(), flag.choices()) {
        (FlagKind::None | FlagKind::Bool | FlagKind::Maybe, _) => Completion::Nothing,
        (FlagKind::File, _) => Completion::Files,
        (FlagKind::Text, Some(choices)) => Completion::Words(choices.replace('|', " ")),
        (FlagKind::Text, None) if flag.shown().ends_with("<dir>") => Completion::Directories,
        (FlagKind::Text, None) => Completion::Unknown,
    }
}

/// All ways to write a flag.
fn spellings(flag: Flag) -> Vec<String> {
    let short = flag.short().map(|letter| format!("-{}", char::from(letter)));
    short.into_iter().chain([format!("--{}", flag.written())]).collect()
}

fn verb_names() -> String {
    verbs().map(Section::name).collect::<Vec<_>>().join(" ")
}

/// One pattern `VERB/WORD-BEFORE` for each flag with a value.
fn bash() -> String {
    let mut cases = String::new();
    for (section, verb) in verbs().map(|verb| (verb, verb.name())).chain([(TRANSFERS, "*")]) {
        for flag in section.shown() {
            let complete = |how: &str| format!("COMPREPLY=($(compgen {how} -- \"$word\"))");
            let action = match completion(flag) {
                Completion::Nothing => continue,
                Completion::Files => complete("-f"),
                Completion::Directories => complete("-d"),
                Completion::Words(words) => complete(&format!("-W '{words}'")),
                Completion::Unknown => String::from(":"),
            };
            let spellings = spellings(flag).into_iter().map(|word| format!("{verb}/{word}"));
            let pattern = spellings.collect::<Vec<_>>().join("|");
            cases += &format!("    {pattern}) {action}; return;;\n");
        }
        let words: Vec<String> = section.shown().flat_map(spellings).collect();
        cases += &format!("    {verb}/*) words='{}';;\n", words.join(" "));
    }
    format!(
        "_ucurl() {{
  local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}} verb= words
  [ \"$COMP_CWORD\" = 1 ] || verb=${{COMP_WORDS[1]}}
  case $verb/$before in
{cases}  esac
  [[ $COMP_CWORD != 1 || $word == -* ]] || words='{}'
  COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))
}}
complete -o default -F _ucurl ucurl
",
        verb_names()
    )
}

fn zsh_arguments(section: Section) -> String {
    let mut out = String::from("_arguments -S -s");
    for flag in section.shown() {
        let value = match completion(flag) {
            Completion::Nothing => String::new(),
            Completion::Files => String::from(":file:_files"),
            Completion::Directories => String::from(":directory:_files -/"),
            Completion::Words(words) => format!(":value:({words})"),
            Completion::Unknown => String::from(":value: "),
        };
        let help = flag.help().replace('\'', "'\\''").replace(':', "\\:");
        let help = help.replace('[', "\\[").replace(']', "\\]");
        for word in spellings(flag) {
            out += &format!(" \\\n  '*{word}[{help}]{value}'");
        }
    }
    out
}

fn zsh() -> String {
    let mut out = String::from("#compdef ucurl\nif (( CURRENT > 2 )); then\n  case $words[2] in\n");
    for verb in verbs() {
        let arguments = zsh_arguments(verb);
        out += &format!(
            "  {}) shift words; (( CURRENT-- ))\n{arguments} \\\n  '*:file:_files'; return;;\n",
            verb.name()
        );
    }
    out += &format!("  esac\nfi\n{} \\\n", zsh_arguments(TRANSFERS));
    out + &format!("  '1:verb or URL:({})' \\\n  '*:url:_urls'\n", verb_names())
}

fn fish() -> String {
    let names = verb_names();
    let mut out = format!("complete -c ucurl -n __fish_use_subcommand -f -a '{names}'\n");
    let of_verb = |verb: Section| (verb, format!("__fish_seen_subcommand_from {}", verb.name()));
    let transfers = (TRANSFERS, format!("not __fish_seen_subcommand_from {names}"));
    for (section, condition) in iter::once(transfers).chain(verbs().map(of_verb)) {
        for flag in section.shown() {
            let short = flag.short().map(|letter| format!(" -s '{}'", char::from(letter)));
            let value = match completion(flag) {
                Completion::Nothing => String::new(),
                Completion::Files | Completion::Directories => String::from(" -r"),
                Completion::Words(words) => format!(" -x -a '{words}'"),
                Completion::Unknown => String::from(" -x"),
            };
            out += &format!(
                "complete -c ucurl -n '{condition}'{} -l {}{value} -d '{}'\n",
                short.unwrap_or_default(),
                flag.written(),
                flag.help().replace('\'', "\\'")
            );
        }
    }
    out
}

/// The table of all flags, for the documentation.
fn markdown() -> String {
    let count = |place| TRANSFERS.flags().filter(|flag| flag.place() == place).count();
    let cell = |text: &str| text.replace('|', "\\|").replace('<', "\\<");
    let code = |flag: Flag| format!("`{}`", flag.shown().replace('|', "\\|"));
    let mut out = format!(
        "# All flags\n\nMade by `ucurl --generate markdown`, tested to be up to date.\n\n\
         Of curl 7.88's flags {} are in and {} are out, {} are ucurl's own. \
         Flags of newer curls are known by name.\n\n## In\n\n\
         | flag | what it does | not as in curl |\n|---|---|---|\n",
        count(Place::In),
        count(Place::Out),
        count(Place::Own)
    );
    for flag in TRANSFERS.shown() {
        let differs = match flag.place() {
            Place::Own => "ucurl's own".to_owned(),
            _ => cell(flag.differs().unwrap_or("")),
        };
        out += &format!("| {} | {} | {differs} |\n", code(flag), cell(flag.help()));
    }
    out += "\n## Out\n\nThey end the run with exit code 2 and one line. ";
    out += "Turning one off (`--no-NAME`) is honoured.\n\n| reason | flags |\n|---|---|\n";
    for (key, why) in flags::reasons() {
        out += &format!("| {} |", cell(why));
        flags::out_for(key).for_each(|flag| out += &format!(" {}", code(flag)));
        out += " |\n";
    }
    for verb in verbs() {
        out += &format!("\n## `{}`\n\n{}.\n\n", verb.usage(), verb.help());
        out += "| flag | what it does |\n|---|---|\n";
        for flag in verb.shown() {
            out += &format!("| {} | {} |\n", code(flag), cell(flag.help()));
        }
    }
    out
}
