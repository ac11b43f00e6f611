//! Completions in their shells, and the man page in man.

use crate::support::child::{run, ucurl};
use crate::support::needs;
use crate::support::temp::TempDir;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(60);

/// Typed text and its completion.
const CASES: [(&str, &str); 13] = [
    ("ucurl --unix-so", "--unix-socket"),
    ("ucurl ta", "tap"),
    ("ucurl --generate b", "bash"),
    ("ucurl -s -o only-", "only-one-file"),
    ("ucurl tap --body-l", "--body-limit"),
    ("ucurl tap --color al", "always"),
    ("ucurl replay --stri", "--strict"),
    ("ucurl -X DEL", "DELETE"),
    ("ucurl --help verb", "verbose"),
    ("ucurl -h repl", "replay"),
    ("ucurl --context def", "default"),
    ("ucurl -s --context rem", "remote.host_1"),
    ("ucurl tap --context rem", "remote.host_1"),
];

/// A directory with one file and the generated completions.
fn generated(kind: &str) -> TempDir {
    let dir = TempDir::new();
    let made = run(ucurl().args(["--generate", kind]), b"", LIMIT).success();
    dir.write(kind, made);
    dir.write("only-one-file", "");
    let context = dir.join(".docker/contexts/meta/0123456789abcdef");
    fs::create_dir_all(&context).expect("a directory");
    let meta =
        r#"{"Name":"remote.host_1","Metadata":{},"Endpoints":{"docker":{"Host":"tcp://h:1"}}}"#;
    fs::write(context.join("meta.json"), meta).expect("a file");
    dir
}

fn shell(program: &str, script: &str, dir: &Path) -> String {
    let mut command = Command::new(program);
    command.args(["-c", script]).current_dir(dir).env("HOME", dir).env("TERM", "dumb");
    command.env_remove("DOCKER_CONFIG");
    run(&mut command, b"", LIMIT).success()
}

#[test]
fn bash_completes() {
    let Some(_) = needs::program("bash") else { return };
    let dir = generated("bash");
    for (typed, want) in CASES {
        let script = format!(
            "source ./bash; COMP_WORDS=({typed}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); \
             [[ $(complete -p ucurl) == *_ucurl* ]] && _ucurl && printf '%s\\n' \"${{COMPREPLY[@]}}\""
        );
        assert_eq!(shell("bash", &script, dir.path()).trim(), want, "{typed}");
    }
}

#[test]
fn fish_completes() {
    let Some(_) = needs::program("fish") else { return };
    let dir = generated("fish");
    for (typed, want) in CASES {
        let told = shell("fish", &format!("source ./fish; complete -C '{typed}'"), dir.path());
        // A tab and a description may follow.
        let words: Vec<&str> = told.lines().filter_map(|line| line.split('\t').next()).collect();
        assert_eq!(words, [want], "{typed}");
    }
}

/// zsh completes only typed text, so the test types on a terminal (zshmodules(1), zpty).
#[test]
fn zsh_completes() {
    let Some(_) = needs::program("zsh") else { return };
    let dir = generated("zsh");
    fs::rename(dir.join("zsh"), dir.join("_ucurl")).expect("its name in fpath");
    let check = |typed: &str, want: &str| {
        let before = typed.rsplit_once(' ').map_or("", |(before, _)| before);
        let script = format!(
            "zmodload zsh/zpty; zpty z 'zsh -f -i'
             zpty -w z \"fpath=($PWD \\$fpath); autoload -Uz compinit; compinit -u -D; echo DO\"'NE'
             zpty -r z out '*DONE*'
             zpty -w -n z '{typed}'$'\\t'
             zpty -r z out '*{before} {want} *'
             print completed; zpty -d z"
        );
        assert_eq!(shell("zsh", &script, dir.path()).trim(), "completed", "{typed}");
    };
    // Most of the time, zsh waits for its terminal.
    thread::scope(|scope| {
        for cases in CASES.chunks(4) {
            scope.spawn(|| cases.iter().for_each(|(typed, want)| check(typed, want)));
        }
    });
}

#[test]
fn the_man_page_is_valid() {
    let Some(_) = needs::program("man") else { return };
    let dir = generated("man");
    let mut man = Command::new("man");
    man.args(["--warnings", "-l", "man"])
        .current_dir(dir.path())
        .env("MANWIDTH", "80")
        .env("LC_ALL", "C.UTF-8");
    let shown = run(&mut man, b"", LIMIT);
    assert_eq!(shown.stderr(), "", "complaints of the formatter");
    let text = shown.success();
    for part in [
        "NAME\n",
        "SYNOPSIS\n",
        "OPTIONS\n",
        "EXIT STATUS\n",
        "ENVIRONMENT\n",
        "FILES\n",
        "EXAMPLES\n",
        "SEE ALSO\n",
        "--unix-socket <path>",
        "--explain[=bytes]",
    ] {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
}

#[test]
fn the_man_page_has_every_exit_code() {
    let codes = include_str!("../../src/bin/ucurl/args/exit.rs").lines().filter_map(|line| {
        let (_, code) = line.strip_suffix(',')?.split_once(" = ")?;
        code.parse::<u8>().ok()
    });
    let page = include_str!("../../src/bin/ucurl/args/manual.txt");
    let described = page.lines().filter_map(|line| line.strip_prefix("- ")?.parse::<u8>().ok());
    let codes: Vec<u8> = codes.collect();
    assert!(codes.len() > 20, "{codes:?}");
    assert_eq!(codes, described.collect::<Vec<_>>());
}

/// There is no engine, so each command line is parsed and its result ignored.
#[test]
fn the_examples_of_the_man_page_are_understood() {
    let dir = TempDir::new();
    let page = include_str!("../../src/bin/ucurl/args/manual.txt");
    let examples = page.lines().filter_map(|line| line.strip_prefix("- "));
    let mut count = 0;
    for example in examples.filter(|example| example.starts_with("ucurl ")) {
        let mut sh = Command::new("sh");
        let program = ucurl();
        let place = Path::new(program.get_program()).parent().expect("its directory");
        let path = std::env::var("PATH").unwrap_or_default();
        sh.args(["-c", example]).current_dir(dir.path()).env("HOME", dir.path());
        sh.env("PATH", format!("{}:{path}", place.display()));
        sh.env("DOCKER_HOST", format!("unix://{}/none", dir.path().display()));
        let ended = run(&mut sh, b"", LIMIT);
        assert_ne!(ended.code, 2, "{example}: {}", ended.stderr());
        count += 1;
    }
    assert!(count > 5);
}
