//! The command line, read as curl 7.88 reads it.
//!
//! ```text
//! -sSfo FILE   letters in a row; the first that takes a value takes the rest, or the next argument
//! --long V     a whole name or the beginning of one name (flags.rs)
//! --no-long    turns off what can be turned off
//! --           ends the flags
//! ```
//!
//! What curl does not know it cannot take either: there is no `--long=value`, but for our own
//! `--explain=bytes`. Nothing is opened here except through `read`, which gets a file's name (`-`
//! for stdin) and gives its bytes.

use crate::args::config::{ABSENT, Config, Explain, Group, Node, Socket, Trace};
use crate::args::data;
use crate::args::exit::Exit;
use crate::args::flags::{self, Flag, Found, Kind};
use crate::args::numbers::{NOT_A_NUMBER, integer, milliseconds, seconds, size, whole};
use crate::args::rcfile;
use crate::args::suggest;
use std::io;
use unix_http::json::Pointer;

/// Gives a file's bytes.
pub type Read<'r> = &'r mut dyn FnMut(&[u8]) -> io::Result<Vec<u8>>;

/// Why there is nothing to transfer.
#[derive(Debug)]
pub enum Stop {
    Help(Option<Vec<u8>>),
    Manual,
    Version,
    Generate(Vec<u8>),
    /// `ucurl: option OPTION: WHY`, or WHY alone when it says all.
    Bad {
        option: Vec<u8>,
        why: String,
        exit: Exit,
    },
}

/// What is wrong with one option.
#[derive(Debug)]
pub enum Wrong {
    Stop(Stop),
    /// What to say after `option --x: `.
    Why(&'static str, Exit),
    /// The same, and not even a `-K` file may have it.
    Refused(String),
}

/// What follows from one option.
#[derive(PartialEq, Eq, Debug)]
pub enum Used {
    /// The option alone.
    Alone,
    /// The option and the argument after it.
    Argument,
}

const UNKNOWN: Wrong = Wrong::Why("is unknown", Exit::Usage);
const BAD_USE: Wrong = Wrong::Why("is badly used here", Exit::Usage);

/// Reads a command line, without the program's name.
pub fn parse<'a>(args: impl Iterator<Item = &'a [u8]>, read: Read) -> (Config, Result<(), Stop>) {
    let mut parser = Parser::new(read);
    let result = parser.arguments(args);
    (parser.config, result)
}

/// The configuration as far as it has been read.
pub struct Parser<'r> {
    pub config: Config,
    read: Read<'r>,
    /// The first node of the current group that may still lack a URL, an output, an upload.
    next_url: usize,
    next_output: usize,
    next_upload: usize,
    /// How deep `-K` files are nested.
    pub depth: usize,
}

impl<'r> Parser<'r> {
    fn new(read: Read<'r>) -> Parser<'r> {
        let config =
            Config { global: Default::default(), groups: vec![Group::new()], warnings: Vec::new() };
        Parser { config, read, next_url: 0, next_output: 0, next_upload: 0, depth: 0 }
    }

    fn arguments<'a>(&mut self, args: impl Iterator<Item = &'a [u8]>) -> Result<(), Stop> {
        let mut args = args.peekable();
        let mut flags = true;
        while let Some(arg) = args.next() {
            if !flags || arg.first() != Some(&b'-') {
                self.url(arg);
            } else if arg == b"--" {
                flags = false;
            } else {
                match self.option(arg, args.peek().copied()) {
                    Ok(Used::Alone) => {}
                    Ok(Used::Argument) => _ = args.next(),
                    Err(Wrong::Stop(stop)) => return Err(stop),
                    Err(Wrong::Why(why, exit)) => {
                        return Err(Stop::Bad { option: arg.to_vec(), why: why.into(), exit });
                    }
                    Err(Wrong::Refused(why)) => {
                        return Err(Stop::Bad { option: arg.to_vec(), why, exit: Exit::Usage });
                    }
                }
            }
        }
        Ok(())
    }

    /// One option as written, with or without dashes in front of a long name, and the argument that
    /// may be its value.
    pub fn option(&mut self, option: &[u8], next: Option<&[u8]>) -> Result<Used, Wrong> {
        match option {
            [b'-', b'-', name @ ..] => self.long(name, next),
            [b'-', letters @ ..] => self.letters(letters, next),
            name => self.long(name, next),
        }
    }

    fn long(&mut self, name: &[u8], next: Option<&[u8]>) -> Result<Used, Wrong> {
        if let Some(how) = name.strip_prefix(b"explain=") {
            let true = how == b"bytes" else {
                return Err(Wrong::Why("takes nothing or =bytes", Exit::Usage));
            };
            self.config.global.explain = Some(Explain::Bytes);
            return Ok(Used::Alone);
        }
        let (name, on) = match name.strip_prefix(b"no-") {
            Some(rest) => (rest, false),
            None => (name, true),
        };
        let flag = match flags::long(name, !on) {
            Found::One(flag) => flag,
            Found::Ambiguous => return Err(Wrong::Why("is ambiguous", Exit::Usage)),
            Found::Unknown if name.contains(&b'=') => {
                return Err(Wrong::Why(
                    "is unknown; a value is an argument of its own: --name value",
                    Exit::Usage,
                ));
            }
            Found::Unknown => {
                return Err(suggest::flag(name).map_or(UNKNOWN, |flag| {
                    Wrong::Refused(format!("is unknown; did you mean --{}?", flag.written()))
                }));
            }
        };
        if !on && flag.kind() != Kind::Bool {
            return Err(Wrong::Why("cannot be turned off with --no-", Exit::Usage));
        }
        match flag.kind() {
            Kind::Text | Kind::File => {
                let value = next.ok_or(Wrong::Why("needs a value", Exit::Usage))?;
                self.set(flag, on, value, next)?;
                Ok(Used::Argument)
            }
            _ => self.set(flag, on, b"", next).map(|()| Used::Alone),
        }
    }

    fn letters(&mut self, letters: &[u8], next: Option<&[u8]>) -> Result<Used, Wrong> {
        if letters.is_empty() {
            return Err(UNKNOWN);
        }
        for (at, &letter) in letters.iter().enumerate() {
            let flag = flags::short(letter).ok_or(UNKNOWN)?;
            // `-N` is the short form of the negative name that people know.
            let on = !flag.written().starts_with("no-");
            if matches!(flag.kind(), Kind::None | Kind::Bool | Kind::Maybe) {
                self.set(flag, on, b"", next)?;
                continue;
            }
            let rest = &letters[at + 1..];
            if !rest.is_empty() {
                return self.set(flag, on, rest, next).map(|()| Used::Alone);
            }
            let value = next.ok_or(Wrong::Why("needs a value", Exit::Usage))?;
            return self.set(flag, on, value, next).map(|()| Used::Argument);
        }
        Ok(Used::Alone)
    }

    fn group(&mut self) -> &mut Group {
        if self.config.groups.is_empty() {
            self.config.groups.push(Group::new());
        }
        let last = self.config.groups.len() - 1;
        &mut self.config.groups[last]
    }

    /// Tells the user something, unless `-s` was given before.
    pub fn warn(&mut self, parts: &[&[u8]]) {
        if !self.config.global.silent {
            self.config.warnings.push(parts.concat());
        }
    }

    pub fn file(&mut self, name: &[u8]) -> io::Result<Vec<u8>> {
        (self.read)(name)
    }

    /// The first node from `from` on that is still free for something, or a new one.
    fn node(&mut self, from: usize, taken: fn(&Node) -> bool) -> (usize, &mut Node) {
        let group = self.group();
        let mut at = from;
        while at < group.nodes.len() && taken(&group.nodes[at]) {
            at += 1;
        }
        if at == group.nodes.len() {
            group.nodes.push(Node { remote_name: group.remote_name_all, ..Node::default() });
        }
        (at, &mut group.nodes[at])
    }

    fn url(&mut self, url: &[u8]) {
        let (at, node) = self.node(self.next_url, |node| node.url.is_some());
        node.url = Some(url.to_vec());
        self.next_url = at;
    }

    fn output(&mut self, name: Option<&[u8]>, remote: bool) {
        let (at, node) = self.node(self.next_output, |node| node.output_set);
        node.output = name.map(<[u8]>::to_vec);
        node.remote_name = remote;
        node.output_set = true;
        self.next_output = at;
    }

    fn next_group(&mut self) {
        if self.group().nodes.first().is_some_and(|node| node.url.is_some()) {
            self.config.groups.push(Group::new());
            (self.next_url, self.next_output, self.next_upload) = (0, 0, 0);
        }
    }

    /// Does what a flag says. `next` is the argument after it, which `-h` alone looks at without
    /// owning it.
    fn set(
        &mut self,
        flag: Flag,
        on: bool,
        value: &[u8],
        next: Option<&[u8]>,
    ) -> Result<(), Wrong> {
        let name = flag.long();
        if flag.is_out() {
            // Turning off what is not here, and the proxy that is none, are as they should be.
            let harmless = !on || (name == "proxy" && value.is_empty());
            let why = || Wrong::Refused(format!("is out: {}", flag.reason()));
            return if harmless { Ok(()) } else { Err(why()) };
        }
        if flag.kind() == Kind::File && value.len() > 1 && value[0] == b'-' {
            self.warn(&[b"The file name '", value, b"' looks like a flag"]);
        }
        let text = || Some(value.to_vec());
        match name {
            "url" => self.url(value),
            "output" if value.is_empty() => {
                self.warn(&[b"The output's file name is empty"]);
                return Err(BAD_USE);
            }
            "output" => self.output(Some(value), false),
            "remote-name" => self.output(None, on),
            "upload-file" => {
                let (at, node) = self.node(self.next_upload, |node| node.upload.is_some());
                node.upload = text();
                self.next_upload = at;
            }
            "next" => self.next_group(),

            "unix-socket" => self.group().socket = Some(Socket::Path(value.to_vec())),
            "abstract-unix-socket" => self.group().socket = Some(Socket::Abstract(value.to_vec())),
            "endpoint" => self.group().endpoint = text(),
            "context" => self.group().context = text(),
            "proxy-command" => self.group().proxy_command = text(),

            "request" => self.group().request = text(),
            "request-target" => self.group().request_target = text(),
            "path-as-is" => self.group().path_as_is = on,
            "http1.0" | "http1.1" => {
                let old = self.group().http10.replace(name == "http1.0");
                if old.is_some_and(|old| old != (name == "http1.0")) {
                    self.warn(&[b"The last of --http1.0 and --http1.1 counts"]);
                }
            }
            "header" => self.header(value)?,
            "user-agent" => self.group().user_agent = text(),
            "referer" => {
                let auto = value.windows(5).position(|part| part == b";auto");
                let value = &value[..auto.unwrap_or(value.len())];
                self.group().auto_referer = auto.is_some();
                self.group().referer = (!value.is_empty()).then(|| value.to_vec());
            }
            "user" => self.group().user = text(),
            "oauth2-bearer" => self.group().bearer = text(),
            "basic" => self.group().basic = on,
            "cookie" if value.first() == Some(&b'@') || !value.contains(&b'=') => {
                let why = "names a file of cookies, and there is no cookie jar; send one with -b NAME=VALUE";
                return Err(Wrong::Refused(why.into()));
            }
            "cookie" => self.group().cookies.push(value.to_vec()),
            "range" => self.range(value)?,
            "data" | "data-ascii" | "data-raw" | "data-binary" | "data-urlencode" | "json" => {
                self.data(name, value)?
            }
            "get" => self.group().get = on,
            "head" => {
                let group = self.group();
                if group.head_set && group.head != on {
                    self.warn(&[b"Only one request method can be chosen"]);
                    return Err(BAD_USE);
                }
                (group.head, group.include, group.head_set) = (on, on, true);
            }
            "url-query" => {
                let part = match value {
                    [b'+', rest @ ..] => rest.to_vec(),
                    _ => data::urlencoded(self, value)?,
                };
                data::join(&mut self.group().query, &part, b"&");
            }
            "disallow-username-in-url" => self.group().disallow_username = on,
            "expect100-timeout" => self.group().expect100_timeout_ms = milliseconds(value)?,

            "include" | "show-headers" => self.group().include = on,
            "dump-header" => self.group().dump_header = text(),
            "output-dir" => self.group().output_dir = text(),
            "create-dirs" => self.group().create_dirs = on,
            "remove-on-error" => self.group().remove_on_error = on,
            "clobber" => self.group().no_clobber = !on,
            "remote-name-all" => self.group().remote_name_all = on,
            "write-out" => self.group().write_out = self.text_of(value)?,
            "raw" => self.group().raw = on,
            "ignore-content-length" => self.group().ignore_content_length = on,

            "fail" => self.group().fail = on,
            "fail-with-body" => self.group().fail_with_body = on,
            "fail-early" => self.config.global.fail_early = on,
            "max-filesize" => self.group().max_filesize = size(value)?,
            "max-time" => self.group().max_time_ms = milliseconds(value)?,
            "connect-timeout" => self.group().connect_timeout_ms = milliseconds(value)?,
            "speed-limit" => {
                let limit = whole(value)?;
                let group = self.group();
                group.speed_limit = limit;
                if group.speed_time == 0 {
                    group.speed_time = 30;
                }
            }
            "speed-time" => {
                let time = whole(value)?;
                let group = self.group();
                group.speed_time = time;
                if group.speed_limit == 0 {
                    group.speed_limit = 1;
                }
            }
            "retry" => self.group().retry = whole(value)?,
            "retry-delay" => self.group().retry_delay = seconds(value)?,
            "retry-max-time" => self.group().retry_max_time = seconds(value)?,
            "retry-connrefused" => self.group().retry_connrefused = on,
            "retry-all-errors" => self.group().retry_all_errors = on,

            "location" => self.group().location = on,
            "location-trusted" => {
                self.group().location = on;
                self.group().location_trusted = on;
            }
            "max-redirs" => {
                let number = integer(value, 10)?;
                if number < -1 {
                    return Err(NOT_A_NUMBER);
                }
                self.group().max_redirs = number;
            }
            "post301" => self.group().post301 = on,
            "post302" => self.group().post302 = on,
            "post303" => self.group().post303 = on,

            "silent" => self.config.global.silent = on,
            "show-error" => self.config.global.show_error = on,
            "progress-bar" => self.config.global.progress_bar = on,
            "progress-meter" => self.config.global.no_progress_meter = !on,
            "styled-output" => self.config.global.no_styled_output = !on,
            "stderr" => self.config.global.stderr = text(),
            "verbose" => self.trace(if on { Trace::Plain } else { Trace::None }),
            "trace" => self.trace(Trace::Hex(value.to_vec())),
            "trace-ascii" => self.trace(Trace::Ascii(value.to_vec())),
            "trace-time" => self.config.global.trace_time = on,

            "config" => rcfile::read(self, value)?,
            "help" if on => return Err(Wrong::Stop(Stop::Help(next.map(<[u8]>::to_vec)))),
            "manual" if on => return Err(Wrong::Stop(Stop::Manual)),
            "version" if on => return Err(Wrong::Stop(Stop::Version)),
            "generate" => return Err(Wrong::Stop(Stop::Generate(value.to_vec()))),

            // How it is anyway. The other way round cannot be had.
            "keepalive" if on => {
                return Err(Wrong::Refused("cannot be had: std sets no TCP keepalive".into()));
            }
            "tcp-nodelay" if !on => {
                return Err(Wrong::Refused(
                    "cannot be had: small packets are always sent at once".into(),
                ));
            }
            "buffer" | "disable" | "globoff" | "help" | "keepalive" | "manual" | "noproxy"
            | "tcp-nodelay" | "version" => {}

            "negotiate-api" => self.group().negotiate_api = on,
            "demux" => self.group().demux = on,
            "hijack" => self.group().hijack = on,
            "fail-stream" => self.group().fail_stream = on,
            "select" => {
                let text = text().unwrap_or_default();
                let pointer = Pointer::parse(&String::from_utf8_lossy(&text));
                self.group().select =
                    Some(pointer.map_err(|error| Wrong::Refused(error.to_string()))?);
            }
            "pretty" => self.group().pretty = on,
            "explain" => self.config.global.explain = on.then_some(Explain::Lines),
            "demo" if cfg!(not(feature = "commands")) => {
                return Err(Wrong::Refused(ABSENT.to_owned()));
            }
            "demo" => self.config.global.demo = on,
            _ => return Err(UNKNOWN),
        }
        if name.starts_with("fail") && self.group().fail && self.group().fail_with_body {
            return Err(Wrong::Why(
                "is badly used here: --fail and --fail-with-body exclude each other",
                Exit::Usage,
            ));
        }
        Ok(())
    }

    fn trace(&mut self, how: Trace) {
        let old = &self.config.global.trace;
        if *old != Trace::None
            && how != Trace::None
            && std::mem::discriminant(old) != std::mem::discriminant(&how)
        {
            self.warn(&[b"The last of -v, --trace and --trace-ascii counts"]);
        }
        self.config.global.trace = how;
    }

    /// `-H`: a line, or `@FILE` with one a line.
    fn header(&mut self, value: &[u8]) -> Result<(), Wrong> {
        let [b'@', name @ ..] = value else {
            self.group().headers.push(value.to_vec());
            return Ok(());
        };
        match self.file(name) {
            Ok(text) => {
                let lines = text
                    .split(|&byte| matches!(byte, b'\r' | b'\n'))
                    .filter(|line| !line.is_empty());
                self.group().headers.extend(lines.map(<[u8]>::to_vec));
            }
            Err(_) => self.warn(&[b"Cannot read ", name]),
        }
        Ok(())
    }

    fn data(&mut self, name: &str, value: &[u8]) -> Result<(), Wrong> {
        let part = match (name, value) {
            ("data-urlencode", _) => data::urlencoded(self, value)?,
            ("data-raw", _) => value.to_vec(),
            ("data-binary" | "json", [b'@', file @ ..]) => self.file_or_nothing(file)?,
            (_, [b'@', file @ ..]) => data::without_line_ends(self.file_or_nothing(file)?),
            _ => value.to_vec(),
        };
        self.group().json |= name == "json";
        let between: &[u8] = if name == "json" { b"" } else { b"&" };
        data::join(&mut self.group().post, &part, between);
        Ok(())
    }

    /// A file's bytes; of one that cannot be opened nothing, with a warning, as curl 7.88 does.
    pub fn file_or_nothing(&mut self, name: &[u8]) -> Result<Vec<u8>, Wrong> {
        match self.file(name) {
            Ok(bytes) => Ok(bytes),
            Err(error) if opens(&error) => Err(Wrong::Why("cannot be read", Exit::Read)),
            Err(error) => {
                self.warn(&[
                    b"Cannot read '",
                    name,
                    b"' (",
                    error.to_string().as_bytes(),
                    b"); it counts as empty",
                ]);
                Ok(Vec::new())
            }
        }
    }

    /// `-w`: the text itself, or that of `@FILE` without its line ends.
    fn text_of(&mut self, value: &[u8]) -> Result<Option<Vec<u8>>, Wrong> {
        let [b'@', name @ ..] = value else { return Ok(Some(value.to_vec())) };
        let text = data::without_line_ends(self.file_or_nothing(name)?);
        Ok((!text.is_empty()).then_some(text))
    }

    fn range(&mut self, value: &[u8]) -> Result<(), Wrong> {
        let mut range = value.to_vec();
        if value.first().is_some_and(u8::is_ascii_digit) && !value.contains(&b'-') {
            let digits = value.iter().take_while(|byte| byte.is_ascii_digit()).count();
            whole(&value[..digits])?;
            range.truncate(digits);
            range.push(b'-');
            self.warn(&[b"A range has a dash: ", value, b" is taken as ", &range]);
        } else if let Some(at) =
            value.iter().position(|byte| !matches!(byte, b'0'..=b'9' | b'-' | b','))
        {
            self.warn(&[
                b"'",
                &value[at..=at],
                b"' does not belong into a range; what the server makes of it is open",
            ]);
        }
        self.group().range = Some(range);
        Ok(())
    }
}

/// The file is there but cannot be read through: a directory, a broken disk.
fn opens(error: &io::Error) -> bool {
    !matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied | io::ErrorKind::NotADirectory
    )
}
