//! The programs that the demonstration knows. None of them runs: a command line is turned into
//! the steps that the program would take, and [`process`](super::process) carries these out.
//!
//! ```text
//! script   = command *( ( ";" / LF / "&&" / "||" ) command )
//! command  = *( word / redirect )
//! word     = 1*( CHAR / "'" *CHAR "'" / DQUOTE *CHAR DQUOTE / "\" CHAR / "$" name )
//! redirect = [ "1" / "2" ] ( ">&1" / ">&2" / ">" word / ">>" word )
//! ```

use super::files::Files;
use std::collections::BTreeMap;
use std::time::Duration;

pub enum Step {
    Write(bool, Vec<u8>),
    Sleep(Duration),
    /// Copies standard input to standard output, or to standard error.
    Copy(bool),
    /// Runs the commands that come on standard input, line by line.
    Shell,
}

#[derive(Clone)]
pub struct Start {
    pub argv: Vec<String>,
    pub variables: BTreeMap<String, String>,
    pub directory: String,
}

/// The command behind `/bin/NAME` and the like; `None` for one that is not known here.
pub fn known(program: &str) -> Option<&str> {
    const COMMANDS: &str =
        "sh echo printf cat sleep top exit true false : hostname env ls pwd touch hello";
    let name = program.rsplit('/').next()?;
    COMMANDS.split(' ').find(|command| *command == name)
}

/// The steps of a program, and its exit status. Files that it writes are written now.
pub fn plan(start: &Start, files: &mut Files) -> (Vec<Step>, i64) {
    let mut planner =
        Planner { start, files, steps: Vec::new(), status: 0, ended: false, targets: STREAMS };
    let status = planner.command(&start.argv);
    (planner.steps, status)
}

/// Where output goes: to standard output, to standard error, or to a file.
#[derive(Clone)]
enum Target {
    Stream(bool),
    File(String),
}

const STREAMS: [Target; 2] = [Target::Stream(false), Target::Stream(true)];

struct Planner<'a> {
    start: &'a Start,
    files: &'a mut Files,
    steps: Vec<Step>,
    status: i64,
    ended: bool,
    targets: [Target; 2],
}

impl Planner<'_> {
    fn script(&mut self, script: &str) -> i64 {
        let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
        let (mut file, mut skips) = (None, false);
        let mut chars = script.chars().chain(['\n']).peekable();
        while let Some(c) = chars.next() {
            match c {
                c if quote == Some(c) => quote = None,
                c if quote == Some('\'') => word.get_or_insert_default().push(c),
                '\\' => word.get_or_insert_default().extend(chars.next()),
                '$' => {
                    let mut name = String::new();
                    while let Some(c) = chars.next_if(|c| c.is_alphanumeric() || *c == '_') {
                        name.push(c);
                    }
                    let value = self.start.variables.get(&name).map_or("", String::as_str);
                    word.get_or_insert_default().push_str(value);
                }
                c if quote.is_some() => word.get_or_insert_default().push(c),
                '"' | '\'' => {
                    quote = Some(c);
                    word.get_or_insert_default();
                }
                '>' => {
                    let digit = word.take_if(|word| word == "1" || word == "2");
                    let from = usize::from(digit.is_some_and(|digit| digit == "2"));
                    file = Some((from, chars.next_if_eq(&'>').is_some()));
                    if chars.next_if_eq(&'&').is_some() {
                        let to = usize::from(chars.next() == Some('2'));
                        self.targets[from] = self.targets[to].clone();
                        file = None;
                    }
                }
                c if c.is_whitespace() || ";&|".contains(c) => {
                    match (file.take_if(|_| word.is_some()), word.take()) {
                        (Some((from, append)), Some(path)) => self.redirect(from, &path, append),
                        (_, ended) => words.extend(ended),
                    }
                    let twice = chars.next_if_eq(&c).is_some();
                    if !twice && "&|".contains(c) {
                        return self.fail("sh", "this demonstration has no pipes and jobs", 2);
                    }
                    if ";\n&|".contains(c) {
                        if !skips && !self.ended && !words.is_empty() {
                            self.status = self.command(&words);
                        }
                        words.clear();
                        self.targets = STREAMS;
                        skips = matches!((c, self.status), ('&', 1..) | ('|', 0));
                    }
                }
                '(' | ')' | '`' | '<' => {
                    return self.fail("sh", "this demonstration has no such syntax", 2);
                }
                c => word.get_or_insert_default().push(c),
            }
        }
        self.ended = false;
        self.status
    }

    fn redirect(&mut self, from: usize, path: &str, append: bool) {
        self.targets[from] = Target::File(self.path(path));
        self.put(from == 1, b"", append);
    }

    fn path(&self, path: &str) -> String {
        let directory = if path.starts_with('/') { "" } else { &self.start.directory };
        if directory.is_empty() { path.to_owned() } else { format!("{directory}/{path}") }
    }

    fn put(&mut self, error: bool, bytes: &[u8], append: bool) -> i64 {
        match &self.targets[usize::from(error)] {
            Target::Stream(error) => self.step(Step::Write(*error, bytes.to_vec())),
            Target::File(path) if path == "/dev/null" => 0,
            Target::File(path) => i64::from(!self.files.store(path, bytes, append)),
        }
    }

    fn step(&mut self, step: Step) -> i64 {
        self.steps.push(step);
        0
    }

    fn say(&mut self, text: &str) -> i64 {
        self.put(false, text.as_bytes(), true)
    }

    fn fail(&mut self, who: &str, why: &str, status: i64) -> i64 {
        self.put(true, format!("{who}: {why}\n").as_bytes(), true);
        status
    }

    fn command(&mut self, argv: &[String]) -> i64 {
        let Some((program, arguments)) = argv.split_first() else { return 0 };
        let first = arguments.first().map_or("", String::as_str);
        match known(program).unwrap_or_default() {
            "sh" if first == "-c" => self.script(arguments.get(1).map_or("", String::as_str)),
            "sh" => self.step(Step::Shell),
            "echo" if first == "-n" => self.say(&arguments[1..].join(" ")),
            "echo" => self.say(&(arguments.join(" ") + "\n")),
            "printf" => self.say(&first.replace("\\n", "\n")),
            "cat" if arguments.is_empty() => {
                self.step(Step::Copy(matches!(self.targets[0], Target::Stream(true))))
            }
            "cat" => arguments.iter().map(|path| self.cat(path)).max().unwrap_or_default(),
            "top" => self.step(Step::Sleep(Duration::MAX)),
            "sleep" => match first.parse().ok().and_then(|s| Duration::try_from_secs_f64(s).ok()) {
                Some(time) => self.step(Step::Sleep(time)),
                None => self.fail("sleep", &format!("invalid number '{first}'"), 1),
            },
            "exit" => {
                self.ended = true;
                if first.is_empty() { self.status } else { first.parse().unwrap_or(2) & 255 }
            }
            "true" | ":" => 0,
            "false" => 1,
            "hostname" => self.say(&format!("{}\n", self.start.variables["HOSTNAME"])),
            "pwd" => self.say(&format!("/{}\n", self.start.directory.trim_matches('/'))),
            "env" => {
                let lines = self.start.variables.iter().map(|(n, v)| format!("{n}={v}\n"));
                self.say(&lines.collect::<String>())
            }
            "ls" => {
                let path = self.path(first);
                let names = self.files.below(&path).filter_map(|(path, _)| path.split('/').next());
                let mut names: Vec<&str> = names.filter(|name| !name.is_empty()).collect();
                names.dedup();
                let lines: String = names.iter().flat_map(|name| [name, "\n"]).collect();
                self.say(&lines)
            }
            "touch" => i64::from(!self.files.store(&self.path(first), b"", true)),
            "hello" => self.say(include_str!("hello.txt")),
            _ => self.fail(program, "not found (this demonstration knows few programs)", 127),
        }
    }

    fn cat(&mut self, path: &str) -> i64 {
        match self.files.file(&self.path(path)).map(<[u8]>::to_vec) {
            Some(content) => self.put(false, &content, true),
            None => self.fail("cat", &format!("can't open '{path}': No such file or directory"), 1),
        }
    }
}
