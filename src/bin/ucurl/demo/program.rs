//! The programs that the demonstration knows. None of them runs: a thread does what they would do.
//!
//! ```text
//! script   = command *( ( ";" / LF / "&&" ) command )
//! command  = *( word / redirect )
//! word     = 1*( CHAR / "'" *CHAR "'" / DQUOTE *CHAR DQUOTE / "\" CHAR / "$" name )
//! redirect = [ "1" / "2" ] ( ">&" ( "1" / "2" ) / ">" "/dev/null" )
//! ```

use super::prelude::*;
use super::process::Process;
use std::collections::BTreeMap;
use std::{iter, thread};

/// How long a program takes to begin, and to end. Without it, it would end before its client knows
/// that it has been started, and its end would be told before its output.
const PACE: Duration = Duration::from_millis(20);

pub struct Start {
    pub argv: Vec<String>,
    variables: BTreeMap<String, String>,
    directory: String,
}

impl Start {
    pub fn new(argv: Vec<String>, env: &[String], directory: &str) -> Start {
        let pairs = env.iter().filter_map(|pair| pair.split_once('='));
        let variables = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Start { argv, variables, directory: directory.to_owned() }
    }

    /// Starts it on a thread. `ended` gets its exit status, and has to pass it on to
    /// [`finish`](Process::finish).
    pub fn spawn(
        self,
        process: &Arc<Process>,
        input: bool,
        ended: impl FnOnce(i64) + Send + 'static,
    ) -> io::Result<()> {
        process.run.change(|run| run.start(input));
        let process = Arc::clone(process);
        thread::Builder::new().name("process".into()).spawn(move || {
            thread::sleep(PACE);
            let status = self.run(&process);
            thread::sleep(PACE);
            ended(status);
        })?;
        Ok(())
    }

    /// Runs it to its end, and returns its exit status.
    pub fn run(&self, process: &Process) -> i64 {
        let streams = [Some(false), Some(true)];
        let mut shell = Shell { process, start: self, status: 0, ended: false, streams };
        shell.command(&self.argv).unwrap_or_else(|killed| killed)
    }
}

/// The command behind `/bin/NAME` and the like; `None` for one that is not known here.
pub fn known(program: &str) -> Option<&str> {
    const COMMANDS: &str = "cat echo env exit false hello hostname ls printf pwd sh sleep top true";
    let name = program.rsplit('/').next()?;
    COMMANDS.split(' ').find(|command| *command == name)
}

struct Shell<'a> {
    process: &'a Process,
    start: &'a Start,
    status: i64,
    ended: bool,
    /// Whether standard output, and standard error, go to standard error; `None` is nowhere.
    streams: [Option<bool>; 2],
}

impl Shell<'_> {
    /// Runs the commands that come on standard input, line by line.
    fn interactive(&mut self) -> Result<i64, i64> {
        while !self.ended {
            if self.process.tty {
                self.say("/ # ");
            }
            let Some(line) = self.process.read(true)? else { break };
            self.script(&String::from_utf8_lossy(&line))?;
        }
        Ok(self.status)
    }

    fn script(&mut self, script: &str) -> Result<i64, i64> {
        let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
        let (outer, mut skips, mut redirected) = (self.streams, false, None);
        let mut chars = script.chars().chain(['\n']).peekable();
        while let Some(c) = chars.next() {
            match (quote, c) {
                (Some(end), c) if end == c => quote = None,
                (Some('\''), c) => word.get_or_insert_default().push(c),
                (_, '\\') => word.get_or_insert_default().extend(chars.next()),
                (_, '$') => {
                    let in_name = |c: &char| c.is_alphanumeric() || *c == '_';
                    let name: String = iter::from_fn(|| chars.next_if(in_name)).collect();
                    if name.is_empty() {
                        return Ok(self.has_no("'$' but for names"));
                    }
                    let value = self.start.variables.get(&name).map_or("", String::as_str);
                    word.get_or_insert_default().push_str(value);
                }
                (None, '"' | '\'') => {
                    quote = Some(c);
                    word.get_or_insert_default();
                }
                (None, '>') => {
                    let digit = word.take_if(|word| word == "1" || word == "2");
                    let from = usize::from(digit.is_some_and(|digit| digit == "2"));
                    match chars.next_if_eq(&'&').and_then(|_| chars.next()) {
                        Some(to) => self.streams[from] = self.streams[usize::from(to == '2')],
                        None => redirected = Some(from),
                    }
                }
                (None, ' ' | '\t' | '\r' | ';' | '\n' | '&') => {
                    match (word.take(), redirected) {
                        (Some(path), Some(from)) if path == "/dev/null" => {
                            (self.streams[from], redirected) = (None, None);
                        }
                        (Some(_), Some(_)) => return Ok(self.has_no("redirection to files")),
                        (word, _) => words.extend(word),
                    }
                    if " \t\r".contains(c) {
                        continue;
                    }
                    if c == '&' && chars.next_if_eq(&'&').is_none() {
                        return Ok(self.has_no("jobs"));
                    }
                    if !skips && !words.is_empty() {
                        self.status = self.command(&words)?;
                    }
                    if self.ended {
                        break;
                    }
                    words.clear();
                    (self.streams, skips) = (outer, c == '&' && self.status != 0);
                }
                (None, '|' | '(' | ')' | '`' | '<') => return Ok(self.has_no(&format!("'{c}'"))),
                (_, c) => word.get_or_insert_default().push(c),
            }
        }
        Ok(self.status)
    }

    fn has_no(&mut self, what: &str) -> i64 {
        self.status = self.fail("sh", &format!("this demonstration has no {what}"), 2);
        self.status
    }

    fn say(&self, text: &str) -> i64 {
        self.write(0, text.as_bytes());
        0
    }

    /// Writes to standard output, which is 0, or to standard error.
    fn write(&self, stream: usize, bytes: &[u8]) {
        self.streams[stream].map(|error| self.process.write(error, bytes)).unwrap_or_default();
    }

    fn fail(&self, program: &str, why: &str, status: i64) -> i64 {
        self.write(1, format!("{program}: {why}\n").as_bytes());
        status
    }

    fn path(&self, path: &str) -> String {
        let directory = if path.starts_with('/') { "" } else { &self.start.directory };
        format!("{directory}/{path}")
    }

    fn command(&mut self, argv: &[String]) -> Result<i64, i64> {
        let (program, arguments) = argv.split_first().map_or(("", argv), |(p, a)| (&p[..], a));
        let first = arguments.first().map_or("", String::as_str);
        Ok(match known(program).unwrap_or_default() {
            "sh" => {
                let mut shell = Shell { status: 0, ended: false, ..*self };
                return match arguments {
                    [] => shell.interactive(),
                    [_, script, ..] if first == "-c" => shell.script(script),
                    _ => Ok(self.fail("sh", &format!("can't open '{first}'"), 2)),
                };
            }
            "echo" if first == "-n" => self.say(&arguments[1..].join(" ")),
            "echo" => self.say(&(arguments.join(" ") + "\n")),
            "printf" => self.say(&first.replace("\\n", "\n")),
            "cat" if arguments.is_empty() => {
                while let Some(bytes) = self.process.read(false)? {
                    self.write(0, &bytes);
                }
                0
            }
            "cat" => arguments.iter().map(|path| self.cat(path)).max().unwrap_or_default(),
            "top" => self.process.until(Duration::MAX, |_| None)?.unwrap_or_default(),
            "sleep" => match first.parse().map(Duration::try_from_secs_f64) {
                Ok(Ok(time)) => self.process.until(time, |_| None)?.unwrap_or_default(),
                _ => self.fail("sleep", &format!("invalid number '{first}'"), 1),
            },
            "exit" => {
                self.ended = true;
                if first.is_empty() { self.status } else { first.parse().unwrap_or(2) & 255 }
            }
            "true" => 0,
            "false" => 1,
            "hostname" => self.cat("/etc/hostname"),
            "pwd" => self.say(&format!("/{}\n", self.start.directory.trim_matches('/'))),
            "env" => {
                let lines = self.start.variables.iter().map(|(n, v)| format!("{n}={v}\n"));
                self.say(&lines.collect::<String>())
            }
            "ls" => self.say(&lock(&self.process.files).names(&self.path(first))),
            "hello" => self.say(include_str!("hello.txt")),
            _ => self.fail(program, "not found (this demonstration knows few programs)", 127),
        })
    }

    fn cat(&self, path: &str) -> i64 {
        let content = lock(&self.process.files).file(&self.path(path)).map(<[u8]>::to_vec);
        let Some(content) = content else {
            return self.fail("cat", &format!("can't open '{path}': No such file or directory"), 1);
        };
        self.write(0, &content);
        0
    }
}
