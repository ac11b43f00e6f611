//! The configuration under construction, and what each flag does with it.

use super::config::{ABSENT, Config, Destination, FlagField, Group, Node, Part, PartData, Trace};
use super::exit::{Exit, NoTransfer, wrong};
use super::flags::Flag;
use super::numbers::{NOT_A_NUMBER, integer, milliseconds, size, whole};
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::time::Duration;
use unix_http::base::percent;
use unix_http::base::text::harmless;

/// Returns the bytes of the file with a name; `-` is stdin.
pub type Read<'r> = &'r mut dyn FnMut(&[u8]) -> io::Result<Vec<u8>>;

const NO_JAR: &str =
    "names a file of cookies, which is not supported; send a cookie with -b NAME=VALUE";
const NO_URL_LIST: &str =
    "cannot read a list of URLs; give each URL on the command line or in a -K file";
const BAD_USE: &str = "cannot be used here";

pub struct Draft<'r> {
    /// With the groups that are complete.
    config: Config,
    /// The group that options apply to now.
    group: Group,
    read: Read<'r>,
}

impl<'r> Draft<'r> {
    pub fn new(read: Read<'r>) -> Draft<'r> {
        Draft { config: Config::default(), group: Group::new(), read }
    }

    pub fn finish(mut self) -> Config {
        self.config.groups.push(self.group);
        self.config
    }

    /// Applies one flag; `value` is empty for a flag without a value.
    pub fn apply(&mut self, flag: Flag, on: bool, value: &[u8]) -> Result<(), NoTransfer> {
        self.check(flag, on, value)?;
        let name = &*flag.written().replace('-', "_");
        match self.config.global.field(name).or_else(|| self.group.field(name)) {
            Some(FlagField::Switch(switch)) => *switch = on != name.starts_with("no_"),
            Some(FlagField::Text(text)) => *text = Some(value.to_vec()),
            Some(FlagField::List(list)) => list.push(value.to_vec()),
            Some(FlagField::Limit(time)) => *time = limit(value)?,
            None => self.other(flag, on, value)?,
        }
        Ok(())
    }

    fn other(&mut self, flag: Flag, on: bool, value: &[u8]) -> Result<(), NoTransfer> {
        let (global, group) = (&mut self.config.global, &mut self.group);
        match flag.written() {
            // ucurl always works this way. `help`, `manual` and `version` come here as `--no-…`.
            "disable" | "globoff" | "insecure" | "no-buffer" | "no-keepalive" | "noproxy"
            | "tcp-nodelay" | "help" | "manual" | "version" => {}
            "abstract-unix-socket" => {
                (group.socket, group.is_abstract) = (Some(value.to_vec()), true);
            }
            "data" | "data-ascii" | "data-binary" | "data-raw" | "data-urlencode" | "json" => {
                self.content(flag.written(), value)?;
            }
            "expect100-timeout" => group.expect100_timeout = limit(value)?.unwrap_or_default(),
            "fail" => (group.fail, group.fail_with_body) = (on, false),
            "fail-with-body" => (group.fail, group.fail_with_body) = (false, on),
            "head" => self.head(on)?,
            "header" => self.header(value)?,
            "http1.0" | "http1.1" => self.http_version(flag.written() == "http1.0"),
            "location-trusted" => (group.location, group.location_trusted) = (on, on),
            "max-filesize" => group.max_filesize = Some(size(value)?).filter(|size| *size > 0),
            "max-redirs" => {
                group.max_redirs = match integer(value)? {
                    -1 => None,
                    number => Some(u64::try_from(number).map_err(|_| NOT_A_NUMBER)?),
                };
            }
            "next" => self.next_group()?,
            "output" if value == b"-" => self.output_to(Destination::RawStdout),
            "output" => self.output_to(Destination::File(OsStr::from_bytes(value).into())),
            "range" => self.range(value)?,
            "referer" => self.referer(value),
            "remote-name" if on => self.output_to(Destination::UrlName),
            "remote-name" if group.remote_name_all => self.output_to(Destination::Stdout),
            "remote-name" => {}
            "retry" => group.retry = whole(value)?,
            "speed-limit" => speed(&mut group.speed_limit, value, &mut group.speed_time, 30)?,
            "speed-time" => speed(&mut group.speed_time, value, &mut group.speed_limit, 1)?,
            "show-headers" => group.include = on,
            "styled-output" => global.no_styled_output = !on,
            "trace" => self.trace(Trace::Hex(value.to_vec())),
            "trace-ascii" => self.trace(Trace::Ascii(value.to_vec())),
            "unix-socket" => (group.socket, group.is_abstract) = (Some(value.to_vec()), false),
            "upload-file" => self.node(|node| node.upload.is_none()).upload = Some(value.to_vec()),
            "url" => self.url(value),
            "url-query" => self.query(value)?,
            "verbose" => self.trace(if on { Trace::Plain } else { Trace::None }),
            "write-out" => self.write_out(value)?,
            name => debug_assert!(flag.is_out(), "--{name} does nothing"),
        }
        Ok(())
    }

    /// Refuses unsupported flags and values.
    fn check(&mut self, flag: Flag, on: bool, value: &[u8]) -> Result<(), NoTransfer> {
        Err(match flag.written() {
            "cookie" if value.starts_with(b"@") || !value.contains(&b'=') => wrong(NO_JAR),
            "demo" if cfg!(not(feature = "commands")) => wrong(ABSENT),
            "no-keepalive" if on => wrong("is not supported: std cannot set TCP keepalive"),
            "output" if value.is_empty() => {
                self.warn(&[b"The name of the output file is empty"]);
                wrong(BAD_USE)
            }
            "range" if value.is_empty() => wrong(BAD_USE),
            "tcp-nodelay" if !on => {
                wrong("is not supported: small packets are always sent at once")
            }
            // Since 8.13 curl reads a list of URLs from `@FILE`; older ones take it for a host.
            "url" if value.starts_with(b"@") => wrong(NO_URL_LIST),
            // An empty value means no proxy. Turning off an unsupported flag changes nothing.
            "proxy" if value.is_empty() => return Ok(()),
            _ if flag.is_out() && on => wrong(format!("is not supported: {}", flag.reason())),
            _ => return Ok(()),
        })
    }

    /// Warns the user, unless `-s` was given before.
    pub fn warn(&mut self, parts: &[&[u8]]) {
        if !self.config.global.silent {
            self.config.warnings.push(parts.concat());
        }
    }

    pub fn file(&mut self, name: &[u8]) -> Result<Vec<u8>, NoTransfer> {
        (self.read)(name).map_err(|error| {
            let why = format!("cannot read '{}': {error}", harmless(name));
            NoTransfer { exit: Exit::Read, ..wrong(why) }
        })
    }

    /// Returns the first node that is free for something, or a new one.
    fn node(&mut self, is_free: fn(&Node) -> bool) -> &mut Node {
        let Group { nodes, remote_name_all, .. } = &mut self.group;
        let at = nodes.iter().position(is_free).unwrap_or(nodes.len());
        if at == nodes.len() {
            let all_by_name = remote_name_all.then_some(Destination::UrlName);
            nodes.push(Node { destination: all_by_name.unwrap_or_default(), ..Node::default() });
        }
        &mut nodes[at]
    }

    pub fn url(&mut self, url: &[u8]) {
        self.node(|node| node.url.is_none()).url = Some(url.to_vec());
    }

    /// Sets the destination of the first URL without one.
    fn output_to(&mut self, destination: Destination) {
        let node = self.node(|node| !node.output_set);
        (node.destination, node.output_set) = (destination, true);
    }

    fn next_group(&mut self) -> Result<(), NoTransfer> {
        if self.group.nodes.first().is_none_or(|node| node.url.is_none()) {
            return Err(wrong("needs a URL before it"));
        }
        self.config.groups.push(std::mem::replace(&mut self.group, Group::new()));
        Ok(())
    }

    fn http_version(&mut self, http10: bool) {
        if self.group.http10.replace(http10).is_some_and(|before| before != http10) {
            self.warn(&[b"Only the last of --http1.0 and --http1.1 takes effect"]);
        }
    }

    /// `-H`: a line, or `@FILE` with one line each.
    fn header(&mut self, value: &[u8]) -> Result<(), NoTransfer> {
        if let [b'@', name @ ..] = value {
            let text = self.file(name)?;
            let lines = text.split(|byte| b"\r\n".contains(byte)).filter(|line| !line.is_empty());
            self.group.headers.extend(lines.map(<[u8]>::to_vec));
        } else {
            self.group.headers.push(value.to_vec());
        }
        Ok(())
    }

    fn referer(&mut self, value: &[u8]) {
        let auto = value.windows(5).position(|part| part == b";auto");
        let value = &value[..auto.unwrap_or(value.len())];
        self.group.auto_referer = auto.is_some();
        self.group.referer = (!value.is_empty()).then(|| value.to_vec());
    }

    fn range(&mut self, value: &[u8]) -> Result<(), NoTransfer> {
        let mut range = value.to_vec();
        let other = value.iter().find(|byte| !matches!(byte, b'0'..=b'9' | b'-' | b','));
        if value.first().is_some_and(u8::is_ascii_digit) && !value.contains(&b'-') {
            let digits = value.iter().take_while(|byte| byte.is_ascii_digit()).count();
            whole(&value[..digits])?;
            range = [&value[..digits], b"-"].concat();
            self.warn(&[b"A range has a dash: ", value, b" is taken as ", &range]);
        } else if let Some(&other) = other {
            let why = b"' does not belong in a range; the server may reject it";
            self.warn(&[b"'", &[other], why]);
        }
        self.group.range = Some(range);
        Ok(())
    }

    fn head(&mut self, on: bool) -> Result<(), NoTransfer> {
        if self.group.head_set && self.group.head != on {
            self.warn(&[b"Only one request method can be chosen"]);
            return Err(wrong(BAD_USE));
        }
        (self.group.head, self.group.include, self.group.head_set) = (on, on, true);
        Ok(())
    }

    fn trace(&mut self, how: Trace) {
        let old = &self.config.global.trace;
        let same = std::mem::discriminant(old) == std::mem::discriminant(&how);
        if !same && *old != Trace::None && how != Trace::None {
            self.warn(&[b"Only the last of -v, --trace and --trace-ascii takes effect"]);
        }
        self.config.global.trace = how;
    }

    /// `-w`: a text, or `@FILE`, whose line ends are left out.
    fn write_out(&mut self, value: &[u8]) -> Result<(), NoTransfer> {
        let text = self.without_line_ends(value)?;
        self.group.write_out = (value.is_empty() || !text.is_empty()).then_some(text);
        Ok(())
    }

    /// `--json` and `-d` and its relatives: more content for the request.
    fn content(&mut self, name: &str, value: &[u8]) -> Result<(), NoTransfer> {
        let text = matches!(name, "data" | "data-ascii");
        let data = match value {
            _ if name == "data-raw" => PartData::Text(value.to_vec()),
            _ if name == "data-urlencode" => PartData::Text(self.urlencoded(value)?),
            b"@-" if text => PartData::Text(self.without_line_ends(value)?),
            b"@-" => PartData::Text(self.file(b"-")?),
            [b'@', name @ ..] => PartData::File { name: OsStr::from_bytes(name).into(), text },
            _ => PartData::Text(value.to_vec()),
        };
        let separator = if name == "json" { "" } else { "&" };
        self.group.json |= name == "json";
        self.group.post.push(Part { separator, data });
        Ok(())
    }

    /// Returns the text, or the content of `@FILE` without its CR, LF and NUL.
    fn without_line_ends(&mut self, value: &[u8]) -> Result<Vec<u8>, NoTransfer> {
        let [b'@', name @ ..] = value else { return Ok(value.to_vec()) };
        let mut text = self.file(name)?;
        text.retain(|byte| !matches!(byte, b'\r' | b'\n' | 0));
        Ok(text)
    }

    /// `--url-query`: as `--data-urlencode`, but what follows a `+` stays as it is.
    fn query(&mut self, value: &[u8]) -> Result<(), NoTransfer> {
        let part = match value {
            [b'+', rest @ ..] => rest.to_vec(),
            _ => self.urlencoded(value)?,
        };
        match &mut self.group.query {
            Some(query) => query.extend([b"&", &part[..]].concat()),
            None => self.group.query = Some(part),
        }
        Ok(())
    }

    /// `--data-urlencode`: `CONTENT`, `=CONTENT`, `NAME=CONTENT`, `@FILE`, `NAME@FILE`.
    ///
    /// As in curl, an empty file leaves nothing, not even the name.
    fn urlencoded(&mut self, value: &[u8]) -> Result<Vec<u8>, NoTransfer> {
        let find = |wanted| value.iter().position(|&byte| byte == wanted);
        let (name, content) = match find(b'=').or_else(|| find(b'@')) {
            Some(at) if value[at] == b'@' => {
                let content = self.file(&value[at + 1..])?;
                if content.is_empty() {
                    return Ok(Vec::new());
                }
                (&value[..at], content)
            }
            Some(at) => (&value[..at], value[at + 1..].to_vec()),
            None => (&b""[..], value.to_vec()),
        };
        let mut out = if name.is_empty() { Vec::new() } else { [name, b"="].concat() };
        for byte in content {
            match byte {
                b' ' => out.push(b'+'),
                _ => percent::push(&mut out, byte, percent::is_unreserved),
            }
        }
        Ok(out)
    }
}

/// Sets `--speed-limit` or `--speed-time`, and the other one to its default.
fn speed(field: &mut u64, value: &[u8], other: &mut u64, default: u64) -> Result<(), NoTransfer> {
    *field = whole(value)?;
    if *other == 0 {
        *other = default;
    }
    Ok(())
}

/// Reads a time limit in seconds; 0 means no limit.
fn limit(value: &[u8]) -> Result<Option<Duration>, &'static str> {
    let milliseconds = milliseconds(value)?;
    Ok((milliseconds > 0).then(|| Duration::from_millis(milliseconds)))
}
