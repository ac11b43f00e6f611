//! The programs of the demonstration. None of them really runs: a thread imitates them.
//!
//! ```text
//! script   = command *( ( ";" / LF / "&&" ) command )
//! command  = *( word / redirect )                      ; with spaces between them
//! word     = 1*CHAR / "'" *CHAR "'" / DQUOTE *CHAR DQUOTE
//! redirect = ">&2" / "1>&2" / "2>&1"
//! ```

use super::prelude::*;
use super::task::Task;

/// Runs the program of a process to its end and returns its exit status.
pub fn run(task: &Task) -> i64 {
    let mut program = Program { task, status: 0, streams: [false, true] };
    program.command(&task.argv).unwrap_or_else(|status| status)
}

struct Program<'a> {
    task: &'a Task,
    /// The exit status of the last command of a script.
    status: i64,
    /// Whether standard output and standard error go to standard error.
    streams: [bool; 2],
}

/// Returns the command for `/bin/NAME` and other paths; `None` if it is unknown.
pub fn known(program: &str) -> Option<&str> {
    const COMMANDS: &str = "cat echo env exit false hello hostname ls printf pwd sh sleep top true";
    let name = program.rsplit('/').next()?;
    COMMANDS.split(' ').find(|command| *command == name)
}

/// Splits a script into words. Words keep their quotes.
fn split(script: &str) -> Vec<&str> {
    let (mut words, mut rest) = (Vec::new(), script);
    loop {
        rest = rest.trim_start_matches([' ', '\t', '\r']);
        let Some(first) = rest.chars().next() else { return words };
        let quoted = match first {
            '\'' | '"' => rest[1..].find(first).map_or(rest.len(), |length| length + 2),
            _ => 0,
        };
        let more = rest[quoted..].find([' ', '\t', '\r', ';', '\n']).unwrap_or(rest.len() - quoted);
        let (word, after) = rest.split_at((quoted + more).max(1));
        words.push(word);
        rest = after;
    }
}

/// Removes the quotes of a word. Returns `None` for characters that are special in a shell.
fn plain(word: &str) -> Option<&str> {
    let quoted = |quote| word.strip_prefix(quote)?.strip_suffix(quote);
    let (text, special) = match (quoted('\''), quoted('"')) {
        (Some(text), _) => (text, "'"),
        (_, Some(text)) => (text, "\"$`\\"),
        _ => (word, "'\"&<>|()$`*?[]#\\"),
    };
    (!text.contains(|c| special.contains(c))).then_some(text)
}

impl Program<'_> {
    /// Runs the lines of standard input as commands.
    fn interactive(&mut self) -> Result<i64, i64> {
        loop {
            if self.task.tty {
                self.say("/ # ");
            }
            let Some(line) = self.task.read(true)? else { return Ok(self.status) };
            self.script(&String::from_utf8_lossy(&line))?;
        }
    }

    fn script(&mut self, script: &str) -> Result<i64, i64> {
        for line in split(script).split(|word| matches!(*word, ";" | "\n")) {
            for command in line.split(|word| *word == "&&") {
                self.status = self.simple(command)?;
                if self.status != 0 {
                    break;
                }
            }
        }
        Ok(self.status)
    }

    /// Runs a command with its redirects.
    fn simple(&mut self, words: &[&str]) -> Result<i64, i64> {
        let (outer, mut argv, mut refused) = (self.streams, Vec::new(), None);
        for word in words {
            match (*word, plain(word)) {
                (">&2" | "1>&2", _) => self.streams[0] = self.streams[1],
                ("2>&1", _) => self.streams[1] = self.streams[0],
                (_, Some(text)) => argv.push(text.to_owned()),
                (word, None) => refused = Some(format!("this demonstration has no {word}")),
            }
        }
        let status = match refused {
            Some(why) => Ok(self.fail("sh", &why, 2)),
            None if argv.is_empty() => Ok(self.status),
            None => self.command(&argv),
        };
        self.streams = outer;
        status
    }

    fn say(&self, text: &str) -> i64 {
        self.task.write(self.streams[0], text.as_bytes());
        0
    }

    fn fail(&self, program: &str, why: &str, status: i64) -> i64 {
        self.task.write(self.streams[1], format!("{program}: {why}\n").as_bytes());
        status
    }

    /// Runs a command and returns its exit status.
    ///
    /// # Errors
    /// Fails with the exit status of the program if it has to end.
    fn command(&mut self, argv: &[String]) -> Result<i64, i64> {
        let (program, arguments) = argv.split_first().map_or(("", argv), |(p, a)| (&p[..], a));
        let first = arguments.first().map_or("", String::as_str);
        Ok(match known(program).unwrap_or_default() {
            "sh" => match arguments {
                [] => return self.interactive(),
                [_, script, ..] if first == "-c" => {
                    let status = self.script(script).unwrap_or_else(|status| status);
                    self.task.sleep(Duration::ZERO)?;
                    status
                }
                _ => self.fail("sh", &format!("can't open '{first}'"), 2),
            },
            "echo" if first == "-n" => self.say(&arguments[1..].join(" ")),
            "echo" => self.say(&(arguments.join(" ") + "\n")),
            "printf" => self.say(&first.replace("\\n", "\n")),
            "cat" if arguments.is_empty() => {
                while let Some(bytes) = self.task.read(false)? {
                    self.task.write(self.streams[0], &bytes);
                }
                0
            }
            "cat" => arguments.iter().map(|path| self.cat(path)).max().unwrap_or_default(),
            "top" => self.task.sleep(Duration::MAX)?,
            "sleep" => match first.parse().map(Duration::try_from_secs_f64) {
                Ok(Ok(time)) => self.task.sleep(time)?,
                _ => self.fail("sleep", &format!("invalid number '{first}'"), 1),
            },
            "exit" if first.is_empty() => return Err(self.status),
            "exit" => return Err(first.parse().unwrap_or(2) & 255),
            "true" => 0,
            "false" => 1,
            "hostname" => self.cat("/etc/hostname"),
            "pwd" => self.say(&format!("/{}\n", self.task.directory.trim_matches('/'))),
            "ls" => {
                let directory = if first.is_empty() { &self.task.directory } else { first };
                let names = lock(&self.task.files).names(directory);
                self.say(&(names.join("\n") + "\n"))
            }
            "env" => self.say(&(self.task.env.join("\n") + "\n")),
            "hello" => self.say(include_str!("hello.txt")),
            _ => self.fail(program, "not found (this demonstration knows few programs)", 127),
        })
    }

    fn cat(&self, path: &str) -> i64 {
        let directory = if path.starts_with('/') { "" } else { &self.task.directory };
        let files = lock(&self.task.files).clone();
        let Some(content) = files.file(&format!("{directory}/{path}")) else {
            return self.fail("cat", &format!("can't open '{path}': No such file or directory"), 1);
        };
        self.task.write(self.streams[0], content);
        0
    }
}
