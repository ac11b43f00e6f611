//! `--generate man|bash|zsh|fish|markdown`: texts for other programs, from the table of flags.

use crate::args::flags::{self, Flag, Kind, Place};
use crate::args::help::{self, push};

/// What the manual says first.
pub static ABOUT: &str = "\
ucurl speaks HTTP/1.1 over Unix domain sockets (and TCP) with the command line
of curl 7.88: what a script does with curl and a Unix socket, ucurl does the
same way. What is in is whole; what is out is refused by name (exit code 2).

The socket is that of --unix-socket or --abstract-unix-socket; without them the
one that --endpoint, --context, DOCKER_HOST, DOCKER_CONTEXT or the current
Docker context names, else /var/run/docker.sock. A URL whose host was written
out with --unix-socket absent still goes there, and the host is sent as Host.

URLs: http://HOST/PATH, http:/PATH and /PATH (the host is then localhost),
HOST/PATH. Nothing in them is expanded.
";

/// Exit codes, as the man page lists them.
pub static EXITS: &str = "\
0 the transfer worked
1 not http, or the peer does not speak HTTP/1
2 the command line is wrong, or asks for what is out
3 the URL is wrong
6 the host's name does not resolve
7 no connection
8 the response's head is malformed
18 the body was cut short
22 a status code of 400 or more with -f, or an error with --fail-stream
23 the output cannot be written
25 an upload of unknown length to an HTTP/1.0 server
26 the input cannot be read
28 a time limit
47 too many redirects
52 no answer
55 sending failed
56 receiving failed, or the chunked coding is broken
61 an unknown transfer coding
63 the body is larger than --max-filesize
65 the content cannot be sent a second time
67 a user name in the URL, with --disallow-username-in-url
";

/// The text that is asked for, if there is such a kind.
pub fn generate(kind: &[u8]) -> Option<String> {
    match kind {
        b"man" => Some(man()),
        b"bash" => Some(bash()),
        b"zsh" => Some(zsh()),
        b"fish" => Some(fish()),
        b"markdown" => Some(markdown()),
        _ => None,
    }
}

fn shown() -> impl Iterator<Item = Flag> + Clone {
    flags::all().filter(|flag| !flag.is_out())
}

/// Text for troff: no dash turns into a hyphen, no line into a request.
fn troff(text: &str) -> String {
    let escaped = text.replace('\\', "\\e").replace('-', "\\-");
    let lines = escaped.split('\n').map(|line| match line.as_bytes().first() {
        Some(b'.' | b'\'') => ["\\&", line].concat(),
        _ => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn man() -> String {
    let mut out = String::new();
    push(
        &mut out,
        &[".TH UCURL 1 \"\" \"ucurl ", env!("CARGO_PKG_VERSION"), "\" \"User commands\"\n"],
    );
    out.push_str(".SH NAME\nucurl \\- HTTP over Unix domain sockets with curl's command line\n");
    out.push_str(".SH SYNOPSIS\n.B ucurl\n[options...] URL...\n");
    for verb in help::VERBS.lines() {
        push(
            &mut out,
            &[".br\n.B ucurl\n", &troff(verb.split("   ").next().unwrap_or(verb)), "\n"],
        );
    }
    push(
        &mut out,
        &[".SH DESCRIPTION\n", &troff(ABOUT).replace("\n\n", "\n.PP\n"), ".SH OPTIONS\n"],
    );
    for flag in shown() {
        push(&mut out, &[".TP\n.B ", &troff(flag.shown()), "\n", &troff(flag.help()), ".\n"]);
        for line in flag.manual() {
            push(&mut out, &[&troff(line), "\n"]);
        }
        if let Some(differs) = flag.differs() {
            push(&mut out, &[".br\nNot as in curl: ", &troff(differs), "\n"]);
        }
    }
    out.push_str(
        ".SH OPTIONS OF CURL THAT ARE OUT\nThey end the run with exit code 2 and one line.\n",
    );
    for reason in flags::REASONS.lines() {
        let Some((key, why)) = reason.split_once(": ") else { continue };
        push(&mut out, &[".TP\n", &troff(why), "\n"]);
        for flag in
            flags::all().filter(|flag| flag.is_out() && flag.categories().any(|word| word == key))
        {
            push(&mut out, &["\\-\\-", &troff(flag.long()), "\n"]);
        }
    }
    out.push_str(".SH EXIT CODES\n");
    for line in EXITS.lines() {
        let (code, why) = line.split_once(' ').unwrap_or((line, ""));
        push(&mut out, &[".TP\n.B ", code, "\n", &troff(why), "\n"]);
    }
    out
}

/// All ways to write a flag.
fn words(flag: Flag) -> String {
    let letter = flag
        .short()
        .map_or(String::new(), |letter| ["-", &char::from(letter).to_string(), " "].concat());
    [&letter, "--", flag.written()].concat()
}

fn bash() -> String {
    let all: Vec<String> = shown().map(words).collect();
    let files = |kind: Kind| -> String {
        let flags = shown()
            .filter(move |flag| flag.kind() == kind)
            .map(|flag| words(flag).replace(' ', "|"));
        flags.collect::<Vec<_>>().join("|")
    };
    [
        "_ucurl() {\n  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}\n  case $before in\n    ",
        &files(Kind::File),
        ")\n      COMPREPLY=($(compgen -f -- \"$word\")); return;;\n    --output-dir)\n      \
         COMPREPLY=($(compgen -d -- \"$word\")); return;;\n    --generate)\n      \
         COMPREPLY=($(compgen -W 'man bash zsh fish' -- \"$word\")); return;;\n    ",
        &files(Kind::Text),
        ")\n      return;;\n  esac\n  if [ \"$COMP_CWORD\" = 1 ] && [[ $word != -* ]]; then\n    \
         COMPREPLY=($(compgen -W 'demo tap replay sockets' -- \"$word\"))\n  else\n    \
         COMPREPLY=($(compgen -W '",
        &all.join(" "),
        "' -- \"$word\"))\n  fi\n}\ncomplete -o default -F _ucurl ucurl\n",
    ]
    .concat()
}

fn zsh() -> String {
    let mut out = String::from("#compdef ucurl\n_arguments -S -s \\\n");
    for flag in shown() {
        let help = flag
            .help()
            .replace('\'', "'\\''")
            .replace('[', "\\[")
            .replace(']', "\\]")
            .replace(':', "\\:");
        let value = match flag.kind() {
            Kind::File => ":file:_files",
            Kind::Text if flag.long() == "generate" => ":kind:(man bash zsh fish)",
            Kind::Text => ":value: ",
            _ => "",
        };
        for word in words(flag).split(' ') {
            push(&mut out, &["  '*", word, "[", &help, "]", value, "' \\\n"]);
        }
    }
    out.push_str("  '1:verb or URL:(demo tap replay sockets)' \\\n  '*:url:_urls'\n");
    out
}

fn fish() -> String {
    let mut out = String::from(
        "complete -c ucurl -n __fish_use_subcommand -f -a 'demo tap replay sockets'\n",
    );
    for flag in shown() {
        out.push_str("complete -c ucurl");
        if let Some(letter) = flag.short() {
            push(&mut out, &[" -s '", &char::from(letter).to_string(), "'"]);
        }
        let value = match flag.kind() {
            Kind::File => " -r",
            Kind::Text if flag.long() == "generate" => " -x -a 'man bash zsh fish'",
            Kind::Text => " -x",
            _ => "",
        };
        push(
            &mut out,
            &[" -l ", flag.written(), value, " -d '", &flag.help().replace('\'', "\\'"), "'\n"],
        );
    }
    out
}

/// The table of all of curl's flags, for the documentation.
fn markdown() -> String {
    let count =
        |place: Place| flags::all().filter(|flag| flag.place() == place).count().to_string();
    let mut out = String::from(
        "# All flags\n\nMade by `ucurl --generate markdown`, tested to be up to date.\n\n",
    );
    let (same, out_of) = (count(Place::In), count(Place::Out));
    push(
        &mut out,
        &[
            "Of curl 7.88's flags ",
            &same,
            " are in and ",
            &out_of,
            " are out, ",
            &count(Place::Own),
        ],
    );
    out.push_str(" are ucurl's own. Flags of newer curls are known by name.\n\n## In\n\n");
    out.push_str("| flag | what it does | not as in curl |\n|---|---|---|\n");
    let cell = |text: &str| text.replace('|', "\\|").replace('<', "\\<");
    for flag in shown() {
        let differs = match (flag.place(), flag.differs()) {
            (Place::Own, _) => "ucurl's own".to_owned(),
            (_, differs) => cell(differs.unwrap_or("")),
        };
        push(&mut out, &["| `", flag.shown(), "` | ", &cell(flag.help()), " | ", &differs, " |\n"]);
    }
    out.push_str(
        "\n## Out\n\nThey end the run with exit code 2 and one line. Turning one off (`--no-NAME`) is honoured.\n\n",
    );
    out.push_str("| reason | flags |\n|---|---|\n");
    for reason in flags::REASONS.lines() {
        let Some((key, why)) = reason.split_once(": ") else { continue };
        push(&mut out, &["| ", &cell(why), " |"]);
        for flag in
            flags::all().filter(|flag| flag.is_out() && flag.categories().any(|word| word == key))
        {
            push(&mut out, &[" `", flag.shown(), "`"]);
        }
        out.push_str(" |\n");
    }
    out
}
