//! The programs that the demonstration knows: a shell that can do little, and a few commands.
//!
//! ```text
//! list     = and-or *( ( ";" / LF ) and-or )
//! and-or   = command *( ( "&&" / "||" ) command )
//! command  = simple
//!          / "for" name "in" *word ";" "do" list "done"
//!          / "while" list "do" list "done"
//! simple   = 1*( word / redirect )
//! word     = 1*( CHAR / "'" *CHAR "'" / DQUOTE *CHAR DQUOTE / "\" CHAR / "$" name / "${" name "}" / "$?" )
//! redirect = [ "1" / "2" ] ( ">" / ">>" ) ( "&1" / "&2" / word )
//! ```

use super::time::seconds;
use std::time::Duration;

/// What a program runs on.
pub trait Machine {
    /// Writes to standard output, or to standard error.
    fn write(&mut self, error: bool, bytes: &[u8]) -> Result<(), Stop>;
    /// Waits.
    fn sleep(&mut self, time: Duration) -> Result<(), Stop>;
    /// What comes on standard input; `None` at its end.
    fn read(&mut self) -> Result<Option<Vec<u8>>, Stop>;
    /// A file's content.
    fn file(&mut self, path: &str) -> Option<Vec<u8>>;
    /// Writes a file; whether that could be done.
    fn store(&mut self, path: &str, content: &[u8], append: bool) -> bool;
    /// The names in a directory.
    fn names(&mut self, path: &str) -> Option<Vec<String>>;
}

/// Why a program goes no further.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// It ended, with that status.
    Exit(i64),
    /// A signal ended it.
    Killed,
}

const COMMANDS: [&str; 15] = [
    "sh", "echo", "printf", "cat", "sleep", "exit", "true", "false", ":", "hostname", "env", "seq",
    "ls", "pwd", "hello",
];

/// The command behind `/bin/NAME` and the like; `None` for one that is not known here.
pub fn known(program: &str) -> Option<&'static str> {
    let name = program.rsplit('/').next()?;
    let name = if name == "bash" || name == "ash" { "sh" } else { name };
    COMMANDS.into_iter().find(|command| *command == name)
}

/// Runs a program to its end: its exit status.
pub fn run(
    machine: &mut dyn Machine,
    argv: &[String],
    variables: &[(String, String)],
) -> Result<i64, Stop> {
    let mut shell = Shell {
        machine,
        variables: variables.to_vec(),
        status: 0,
        depth: 0,
        redirect: Redirect::default(),
    };
    match shell.command(argv) {
        Err(Stop::Exit(status)) => Ok(status),
        ended => ended,
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Word(Vec<Part>),
    /// `;`, a line's end, `&&`, `||`.
    Operator(&'static str),
    /// From which descriptor, whether it appends; the target is the next word, or `&1` and `&2`.
    Redirect {
        error: bool,
        append: bool,
        to: Option<bool>,
    },
}

#[derive(Clone, Debug, PartialEq)]
enum Part {
    Text(String),
    Variable(String),
}

fn tokens(script: &str) -> Result<Vec<Token>, &'static str> {
    let mut chars = script.chars().peekable();
    let (mut tokens, mut parts, mut text, mut open) =
        (Vec::new(), Vec::new(), String::new(), false);
    let mut quoted = false;
    loop {
        let next = chars.next();
        let plain = !quoted;
        let ends = match next {
            None => true,
            Some(c) => plain && (c.is_whitespace() || matches!(c, ';' | '&' | '|' | '>')),
        };
        if ends && open {
            let descriptor = parts.is_empty() && (text == "1" || text == "2") && next == Some('>');
            if !descriptor {
                if !text.is_empty() || parts.is_empty() {
                    parts.push(Part::Text(std::mem::take(&mut text)));
                }
                tokens.push(Token::Word(std::mem::take(&mut parts)));
                open = false;
            }
        }
        match next {
            None if quoted => return Err("unterminated quoted string"),
            None => return Ok(tokens),
            Some('\n') if plain => tokens.push(Token::Operator(";")),
            Some(c) if plain && c.is_whitespace() => {}
            Some(';') if plain => tokens.push(Token::Operator(";")),
            Some('&') if plain && chars.next_if_eq(&'&').is_some() => {
                tokens.push(Token::Operator("&&"))
            }
            Some('|') if plain && chars.next_if_eq(&'|').is_some() => {
                tokens.push(Token::Operator("||"))
            }
            Some('&' | '|') if plain => {
                return Err("pipes and background jobs are beyond this demonstration");
            }
            Some('>') if plain => {
                let error = std::mem::take(&mut text) == "2";
                open = false;
                let append = chars.next_if_eq(&'>').is_some();
                let to = chars.next_if_eq(&'&').map(|_| chars.next() == Some('2'));
                tokens.push(Token::Redirect { error, append, to });
            }
            Some('\'') if plain => {
                open = true;
                loop {
                    match chars.next() {
                        None => return Err("unterminated quoted string"),
                        Some('\'') => break,
                        Some(c) => text.push(c),
                    }
                }
            }
            Some('"') => (quoted, open) = (!quoted, true),
            Some('\\') => {
                open = true;
                match chars.next() {
                    Some(c @ ('"' | '\\' | '$' | '`')) => text.push(c),
                    Some(c) if plain => text.push(c),
                    Some(c) => text.extend(['\\', c]),
                    None => text.push('\\'),
                }
            }
            Some('$') => {
                open = true;
                let braces = chars.next_if_eq(&'{').is_some();
                let mut name = String::new();
                while let Some(c) =
                    chars.next_if(|c| c.is_ascii_alphanumeric() || *c == '_' || (*c == '?'))
                {
                    name.push(c);
                }
                if braces && chars.next() != Some('}') {
                    return Err("bad substitution");
                }
                match name.is_empty() {
                    true => text.push('$'),
                    false => {
                        if !text.is_empty() {
                            parts.push(Part::Text(std::mem::take(&mut text)));
                        }
                        parts.push(Part::Variable(name));
                    }
                }
            }
            Some('`') => return Err("command substitution is beyond this demonstration"),
            Some(c) => {
                open = true;
                text.push(c);
            }
        }
    }
}

/// Where output goes.
#[derive(Clone, Debug, Default)]
struct Redirect {
    swapped: bool,
    errors_to_output: bool,
    file: Option<(String, bool)>,
    errors_to_file: Option<(String, bool)>,
}

struct Shell<'a> {
    machine: &'a mut dyn Machine,
    variables: Vec<(String, String)>,
    status: i64,
    depth: u8,
    redirect: Redirect,
}

impl Shell<'_> {
    fn script(&mut self, script: &str) -> Result<i64, Stop> {
        self.depth += 1;
        if self.depth > 16 {
            return self.complain("sh", "too many shells within shells", 2);
        }
        let outcome = match tokens(script) {
            Ok(tokens) => self.list(&tokens),
            Err(why) => self.complain("sh", why, 2),
        };
        self.depth -= 1;
        outcome
    }

    fn list(&mut self, mut tokens: &[Token]) -> Result<i64, Stop> {
        let mut run = true;
        while !tokens.is_empty() {
            let (command, rest) = match tokens {
                [Token::Operator(_), rest @ ..] => (&tokens[..0], rest),
                _ => split_command(tokens),
            };
            if run && !command.is_empty() {
                self.status = self.compound(command)?;
            }
            run = match (rest, command.is_empty()) {
                ([Token::Operator("&&"), ..], _) => self.status == 0,
                ([Token::Operator("||"), ..], _) => self.status != 0,
                ([Token::Operator(_), ..], _) => true,
                _ => run,
            };
            tokens = if let [Token::Operator(_), rest @ ..] = rest { rest } else { rest };
        }
        Ok(self.status)
    }

    fn compound(&mut self, tokens: &[Token]) -> Result<i64, Stop> {
        let body = || {
            tokens.iter().position(|token| is_word(token, "do")).zip(tokens.len().checked_sub(1))
        };
        match tokens.first() {
            Some(first) if is_word(first, "for") => {
                let (Some((start, end)), Some(Token::Word(name))) = (body(), tokens.get(1)) else {
                    return self.complain("sh", "syntax error in for", 2);
                };
                let (name, head) = (self.expand(name), tokens.get(3..start).unwrap_or_default());
                let words: Vec<String> = head.iter().flat_map(|token| self.words(token)).collect();
                for word in words {
                    self.set(&name, word);
                    self.status = self.list(&tokens[start + 1..end])?;
                }
                Ok(self.status)
            }
            Some(first) if is_word(first, "while") => {
                let Some((start, end)) = body() else {
                    return self.complain("sh", "syntax error in while", 2);
                };
                while self.list(&tokens[1..start])? == 0 {
                    self.list(&tokens[start + 1..end])?;
                    // A loop that does nothing else must be possible to end.
                    self.machine.sleep(Duration::ZERO)?;
                }
                self.status = 0;
                Ok(0)
            }
            _ => self.simple(tokens),
        }
    }

    fn simple(&mut self, tokens: &[Token]) -> Result<i64, Stop> {
        let (mut argv, mut redirect, mut tokens) = (Vec::new(), Redirect::default(), tokens.iter());
        while let Some(token) = tokens.next() {
            match token {
                Token::Redirect { error: false, to: Some(to_error), .. } => {
                    redirect.swapped = *to_error
                }
                Token::Redirect { error: true, to: Some(to_error), .. } => {
                    redirect.errors_to_output = !to_error
                }
                Token::Redirect { error, append, to: None } => {
                    let file =
                        tokens.next().and_then(|token| self.words(token).pop()).unwrap_or_default();
                    let place =
                        if *error { &mut redirect.errors_to_file } else { &mut redirect.file };
                    *place = Some((file, *append));
                }
                token => argv.extend(self.words(token)),
            }
        }
        if let [assignment] = &argv[..]
            && let Some((name, value)) = assignment.split_once('=')
        {
            self.set(name, value.to_owned());
            return Ok(0);
        }
        if let Some((file, false)) = &redirect.file
            && file != "/dev/null"
            && !self.machine.store(file, b"", false)
        {
            return self.complain("sh", "cannot create that file", 1);
        }
        let before = std::mem::replace(&mut self.redirect, redirect);
        let outcome = if argv.is_empty() { Ok(0) } else { self.command(&argv) };
        self.redirect = before;
        outcome
    }

    fn command(&mut self, argv: &[String]) -> Result<i64, Stop> {
        let (program, args) = argv.split_first().ok_or(Stop::Exit(0))?;
        let first = args.first().map(String::as_str);
        match known(program).unwrap_or_default() {
            "sh" => match (first, args.get(1)) {
                (Some(flags), Some(script)) if flags.starts_with('-') && flags.contains('c') => {
                    let outcome = self.script(script);
                    if let Err(Stop::Exit(status)) = outcome { Ok(status) } else { outcome }
                }
                _ => self.interactive(),
            },
            "echo" => {
                let flag = |letter| {
                    first.is_some_and(|f| {
                        matches!(f, "-n" | "-e" | "-ne" | "-en") && f.contains(letter)
                    })
                };
                let words = &args[usize::from(flag('n') || flag('e'))..];
                let text = words.join(" ") + if flag('n') { "" } else { "\n" };
                self.write(&if flag('e') { unescape(&text) } else { text })
            }
            "printf" => match first {
                Some(format) => self.write(&printf(&unescape(format), &args[1..])),
                None => self.complain("printf", "needs a format", 2),
            },
            "cat" => self.cat(args),
            "sleep" => match first
                .map(|text| if text == "infinity" { "1000000000" } else { text })
                .and_then(seconds)
            {
                Some(time) => self.machine.sleep(time).map(|()| 0),
                None => self.complain("sleep", "needs a number of seconds", 1),
            },
            "exit" => {
                Err(Stop::Exit(first.map_or(self.status, |text| text.parse().unwrap_or(2) & 255)))
            }
            "true" | ":" => Ok(0),
            "false" => Ok(1),
            "hostname" => self.write(&(self.get("HOSTNAME") + "\n")),
            "pwd" => self.write(&(self.get("PWD") + "\n")),
            "env" => {
                let lines: String =
                    self.variables.iter().flat_map(|(n, v)| [n, "=", v, "\n"]).collect();
                self.write(&lines)
            }
            "seq" => {
                let number = |at: usize| args.get(at).and_then(|text| text.parse::<u32>().ok());
                let (from, to) =
                    if args.len() > 1 { (number(0), number(1)) } else { (Some(1), number(0)) };
                for n in from.unwrap_or(1)..=to.unwrap_or(0) {
                    self.write(&(n.to_string() + "\n"))?;
                }
                Ok(0)
            }
            "ls" => match self.machine.names(first.unwrap_or("/")) {
                Some(names) => {
                    self.write(&names.iter().flat_map(|name| [name, "\n"]).collect::<String>())
                }
                None => self.complain("ls", "no such file or directory", 1),
            },
            "hello" => self.write(include_str!("hello.txt")),
            _ => self.complain(
                program,
                "not found (this demonstration knows a few commands only)",
                127,
            ),
        }
    }

    fn cat(&mut self, files: &[String]) -> Result<i64, Stop> {
        if files.is_empty() || files == ["-"] {
            while let Some(bytes) = self.machine.read()? {
                self.put(false, &bytes)?;
            }
            return Ok(0);
        }
        for file in files {
            match self.machine.file(file) {
                Some(content) => self.put(false, &content)?,
                None => {
                    return self.complain(
                        "cat",
                        &["can't open '", file, "': No such file or directory"].concat(),
                        1,
                    );
                }
            }
        }
        Ok(0)
    }

    /// Runs the lines that come on standard input.
    fn interactive(&mut self) -> Result<i64, Stop> {
        let mut waiting = Vec::new();
        while let Some(bytes) = self.machine.read()? {
            waiting.extend(bytes);
            while let Some(end) = waiting.iter().position(|&b| b == b'\n' || b == b'\r') {
                let line: Vec<u8> = waiting.drain(..=end).collect();
                self.status = self.script(&String::from_utf8_lossy(&line[..end]))?;
            }
        }
        if !waiting.is_empty() {
            self.status = self.script(&String::from_utf8_lossy(&waiting))?;
        }
        Ok(self.status)
    }

    fn write(&mut self, text: &str) -> Result<i64, Stop> {
        self.put(false, text.as_bytes()).map(|()| 0)
    }

    fn complain(&mut self, who: &str, why: &str, status: i64) -> Result<i64, Stop> {
        self.put(true, [who, ": ", why, "\n"].concat().as_bytes()).map(|()| status)
    }

    fn put(&mut self, error: bool, bytes: &[u8]) -> Result<(), Stop> {
        let redirect = &self.redirect;
        let file = if error { &redirect.errors_to_file } else { &redirect.file };
        match file {
            Some((path, _)) if path == "/dev/null" => Ok(()),
            Some((path, _)) => {
                self.machine.store(path, bytes, true);
                Ok(())
            }
            None if error => self.machine.write(!redirect.errors_to_output, bytes),
            None => self.machine.write(redirect.swapped, bytes),
        }
    }

    fn words(&self, token: &Token) -> Vec<String> {
        if let Token::Word(parts) = token { vec![self.expand(parts)] } else { Vec::new() }
    }

    fn expand(&self, parts: &[Part]) -> String {
        let text = |part: &Part| match part {
            Part::Text(text) => text.clone(),
            Part::Variable(name) if name == "?" => self.status.to_string(),
            Part::Variable(name) => self.get(name),
        };
        parts.iter().map(text).collect()
    }

    fn get(&self, name: &str) -> String {
        self.variables
            .iter()
            .rfind(|(n, _)| n == name)
            .map(|(_, value)| value.clone())
            .unwrap_or_default()
    }

    fn set(&mut self, name: &str, value: String) {
        self.variables.retain(|(n, _)| n != name);
        self.variables.push((name.to_owned(), value));
    }
}

fn is_word(token: &Token, text: &str) -> bool {
    matches!(token, Token::Word(parts) if matches!(&parts[..], [Part::Text(t)] if t == text))
}

/// The tokens of one command, a loop's up to its `done`, and what follows them.
fn split_command(tokens: &[Token]) -> (&[Token], &[Token]) {
    let mut loops = 0;
    for (at, token) in tokens.iter().enumerate() {
        let starts = at == 0
            || matches!(tokens[at - 1], Token::Operator(_))
            || is_word(&tokens[at - 1], "do");
        if starts && (is_word(token, "for") || is_word(token, "while")) {
            loops += 1;
        } else if starts && is_word(token, "done") && loops > 0 {
            loops -= 1;
            if loops == 0 {
                return tokens.split_at(at + 1);
            }
        } else if loops == 0 && matches!(token, Token::Operator(_)) {
            return tokens.split_at(at);
        }
    }
    tokens.split_at(tokens.len())
}

fn unescape(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (c, if c == '\\' { chars.next() } else { None }) {
            ('\\', Some('n')) => out.push('\n'),
            ('\\', Some('r')) => out.push('\r'),
            ('\\', Some('t')) => out.push('\t'),
            ('\\', Some('\\')) => out.push('\\'),
            ('\\', Some(other)) => out.extend(['\\', other]),
            (c, _) => out.push(c),
        }
    }
    out
}

fn printf(format: &str, args: &[String]) -> String {
    let (mut out, mut args, mut chars) = (String::new(), args.iter(), format.chars());
    while let Some(c) = chars.next() {
        match c {
            '%' => match chars.next() {
                Some('s' | 'd') => out.push_str(args.next().map_or("", String::as_str)),
                Some('%') => out.push('%'),
                Some(other) => out.extend(['%', other]),
                None => out.push('%'),
            },
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{Duration, Machine, Stop, run};
    use std::collections::BTreeMap;

    #[derive(Default)]
    struct Fake {
        output: String,
        input: Vec<Vec<u8>>,
        files: BTreeMap<String, Vec<u8>>,
        slept: u64,
    }

    impl Machine for Fake {
        fn write(&mut self, error: bool, bytes: &[u8]) -> Result<(), Stop> {
            self.output.push_str(if error { "!" } else { "" });
            self.output.push_str(&String::from_utf8_lossy(bytes));
            Ok(())
        }
        fn sleep(&mut self, time: Duration) -> Result<(), Stop> {
            self.slept += time.as_secs();
            if self.slept > 100 { Err(Stop::Killed) } else { Ok(()) }
        }
        fn read(&mut self) -> Result<Option<Vec<u8>>, Stop> {
            Ok(if self.input.is_empty() { None } else { Some(self.input.remove(0)) })
        }
        fn file(&mut self, path: &str) -> Option<Vec<u8>> {
            self.files.get(path).cloned()
        }
        fn store(&mut self, path: &str, content: &[u8], append: bool) -> bool {
            let file = self.files.entry(path.to_owned()).or_default();
            if !append {
                file.clear();
            }
            file.extend(content);
            true
        }
        fn names(&mut self, _: &str) -> Option<Vec<String>> {
            Some(self.files.keys().cloned().collect())
        }
    }

    fn script(text: &str) -> (String, Result<i64, Stop>) {
        let mut fake = Fake { input: vec![b"in".to_vec(), b"put\n".to_vec()], ..Fake::default() };
        let argv = ["/bin/sh", "-c", text].map(str::to_owned);
        let status = run(&mut fake, &argv, &[("HOSTNAME".into(), "box".into())]);
        (fake.output, status)
    }

    /// What busybox's sh prints for the same scripts.
    #[test]
    fn scripts() {
        for (text, output, status) in [
            ("echo out; echo err >&2; sleep 1; exit 7", "out\n!err\n", 7),
            ("echo a b   'c  d' \"e  f\" \\; g", "a b c  d e  f ; g\n", 0),
            ("echo -n x; echo y", "xy\n", 0),
            ("true && echo yes || echo no", "yes\n", 0),
            ("false && echo yes || echo no", "no\n", 0),
            ("false; echo $?", "1\n", 0),
            ("for i in 1 2 3; do echo line $i; done", "line 1\nline 2\nline 3\n", 0),
            (
                "for i in 1 2; do for j in a b; do echo $i$j; done; done; echo end",
                "1a\n1b\n2a\n2b\nend\n",
                0,
            ),
            ("while false; do echo x; done; echo y", "y\n", 0),
            ("A=b; echo \"$A ${A}c\" '$A'", "b bc $A\n", 0),
            ("printf 'a\\nb %s\\n' c", "a\nb c\n", 0),
            ("cat", "input\n", 0),
            ("hostname", "box\n", 0),
            ("sh -c 'exit 3'; echo $?", "3\n", 0),
            ("exit 3; echo no", "", 3),
            ("seq 3", "1\n2\n3\n", 0),
            ("echo a > /f; echo b >> /f; cat /f; echo c > /f; cat /f", "a\nb\nc\n", 0),
            (
                "echo no 2>&1 >/dev/null; cat /none 2>&1",
                "cat: can't open '/none': No such file or directory\n",
                1,
            ),
            ("echo one\necho two", "one\ntwo\n", 0),
        ] {
            assert_eq!(script(text), (output.to_owned(), Ok(status)), "{text}");
        }
        assert_eq!(script("nope").1, Ok(127));
        assert_eq!(script("echo 'a").1, Ok(2));
        assert_eq!(script("while true; do sleep 30; done").1, Err(Stop::Killed));
    }
}
