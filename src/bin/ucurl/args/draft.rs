//! The configuration under construction, and the flags that do more than set a value.

use super::config::{Config, Global, Group, Node, Part, PartData, Trace};
use super::numbers::whole;
use super::wrong::{NoTransfer, wrong};
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use unix_http::base::percent;

/// Returns the bytes of the file with a name; `-` is stdin.
pub type Read<'r> = &'r mut dyn FnMut(&[u8]) -> io::Result<Vec<u8>>;

const NO_JAR: &str =
    "names a file of cookies, which is not supported; send a cookie with -b NAME=VALUE";
const NO_URL_LIST: &str =
    "cannot read a list of URLs; give each URL on the command line or in a -K file";
const BAD_USE: NoTransfer = wrong("cannot be used here");

pub struct Draft<'r> {
    pub global: Global,
    /// The group that options apply to now; the groups before it are complete.
    pub group: Group,
    complete: Vec<Group>,
    warnings: Vec<Vec<u8>>,
    pub read: Read<'r>,
}

impl<'r> Draft<'r> {
    pub fn new(read: Read<'r>) -> Draft<'r> {
        let (complete, warnings) = (Vec::new(), Vec::new());
        Draft { global: Global::default(), group: Group::new(), complete, warnings, read }
    }

    pub fn finish(mut self) -> Config {
        self.complete.push(self.group);
        Config { global: self.global, groups: self.complete, warnings: self.warnings }
    }

    /// Warns the user, unless `-s` was given before.
    pub fn warn(&mut self, parts: &[&[u8]]) {
        if !self.global.silent {
            self.warnings.push(parts.concat());
        }
    }

    /// Reads the file that a value names.
    pub fn file(&mut self, name: &[u8]) -> Result<Vec<u8>, NoTransfer> {
        (self.read)(name).map_err(|error| NoTransfer::unreadable(name, &error))
    }

    /// Returns the first node that is free for something, or a new one.
    pub fn node(&mut self, is_free: fn(&Node) -> bool) -> &mut Node {
        let Group { nodes, remote_name_all, .. } = &mut self.group;
        let at = nodes.iter().position(is_free).unwrap_or(nodes.len());
        if at == nodes.len() {
            nodes.push(Node { remote_name: *remote_name_all, ..Node::default() });
        }
        &mut nodes[at]
    }

    pub fn url(&mut self, url: &[u8]) {
        self.node(|node| node.url.is_none()).url = Some(url.to_vec());
    }

    /// `--url`. Since 8.13 curl reads a list of URLs from `@FILE`; older ones take it for a host.
    pub fn url_flag(&mut self, value: &[u8]) -> Result<(), NoTransfer> {
        if value.starts_with(b"@") {
            return Err(wrong(NO_URL_LIST));
        }
        self.url(value);
        Ok(())
    }

    pub fn output(&mut self, name: &[u8]) -> Result<(), NoTransfer> {
        if name.is_empty() {
            self.warn(&[b"The name of the output file is empty"]);
            return Err(BAD_USE);
        }
        self.output_to(Some(name), false);
        Ok(())
    }

    /// Sends the output of a URL to a file, to the name in the URL, or to stdout.
    pub fn output_to(&mut self, name: Option<&[u8]>, remote_name: bool) {
        let node = self.node(|node| !node.output_set);
        node.output = name.map(<[u8]>::to_vec);
        (node.remote_name, node.output_set) = (remote_name, true);
    }

    pub fn next_group(&mut self) -> Result<(), NoTransfer> {
        if self.group.nodes.first().is_none_or(|node| node.url.is_none()) {
            return Err(wrong("needs a URL before it"));
        }
        self.complete.push(std::mem::replace(&mut self.group, Group::new()));
        Ok(())
    }

    pub fn http_version(&mut self, http10: bool) {
        if self.group.http10.replace(http10).is_some_and(|before| before != http10) {
            self.warn(&[b"Only the last of --http1.0 and --http1.1 takes effect"]);
        }
    }

    /// `-H`: a line, or `@FILE` with one line each.
    pub fn header(&mut self, value: &[u8]) -> Result<(), NoTransfer> {
        if let [b'@', name @ ..] = value {
            let text = self.file(name)?;
            let lines = text.split(|byte| b"\r\n".contains(byte)).filter(|line| !line.is_empty());
            self.group.request.headers.extend(lines.map(<[u8]>::to_vec));
        } else {
            self.group.request.headers.push(value.to_vec());
        }
        Ok(())
    }

    pub fn referer(&mut self, value: &[u8]) {
        let auto = value.windows(5).position(|part| part == b";auto");
        let value = &value[..auto.unwrap_or(value.len())];
        self.group.auto_referer = auto.is_some();
        self.group.request.referer = (!value.is_empty()).then(|| value.to_vec());
    }

    pub fn cookie(&mut self, value: &[u8]) -> Result<(), NoTransfer> {
        if value.first() == Some(&b'@') || !value.contains(&b'=') {
            return Err(wrong(NO_JAR));
        }
        self.group.cookies.push(value.to_vec());
        Ok(())
    }

    pub fn range(&mut self, value: &[u8]) -> Result<(), NoTransfer> {
        if value.is_empty() {
            return Err(BAD_USE);
        }
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
        self.group.request.range = Some(range);
        Ok(())
    }

    pub fn head(&mut self, on: bool) -> Result<(), NoTransfer> {
        if self.group.head_set && self.group.request.head != on {
            self.warn(&[b"Only one request method can be chosen"]);
            return Err(BAD_USE);
        }
        (self.group.request.head, self.group.output.include, self.group.head_set) = (on, on, true);
        Ok(())
    }

    pub fn trace(&mut self, how: Trace) {
        let old = &self.global.trace;
        let same = std::mem::discriminant(old) == std::mem::discriminant(&how);
        if !same && *old != Trace::None && how != Trace::None {
            self.warn(&[b"Only the last of -v, --trace and --trace-ascii takes effect"]);
        }
        self.global.trace = how;
    }

    /// `-w`: a text, or `@FILE`, whose line ends are left out.
    pub fn write_out(&mut self, value: &[u8]) -> Result<(), NoTransfer> {
        let text = self.without_line_ends(value)?;
        self.group.output.write_out = (value.is_empty() || !text.is_empty()).then_some(text);
        Ok(())
    }

    /// `--json` and `-d` and its relatives: more content for the request.
    pub fn content(&mut self, name: &str, value: &[u8]) -> Result<(), NoTransfer> {
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
    pub fn query(&mut self, value: &[u8]) -> Result<(), NoTransfer> {
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
