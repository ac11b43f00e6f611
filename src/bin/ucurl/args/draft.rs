//! The configuration while a command line is read, and the flags that do more than set a value.
//!
//! Files are opened through `read` only, which gets a file's name (`-` for stdin) and returns its
//! bytes.

use super::config::{Config, Global, Group, Node, Trace};
use super::exit::Exit;
use super::numbers::whole;
use super::wrong::Wrong;
use std::io;
use unix_http::base::percent;

/// Returns the bytes of a file.
pub type Read<'r> = &'r mut dyn FnMut(&[u8]) -> io::Result<Vec<u8>>;

const BAD_USE: Wrong = Wrong::Why("is badly used here", Exit::Usage);

/// The configuration as far as it has been read.
pub struct Draft<'r> {
    pub global: Global,
    /// The group that options apply to now; the groups before it are complete.
    pub group: Group,
    complete: Vec<Group>,
    warnings: Vec<Vec<u8>>,
    read: Read<'r>,
    /// The first node of the group that may still lack a URL, an output, an upload.
    next_url: usize,
    next_output: usize,
    next_upload: usize,
}

impl<'r> Draft<'r> {
    pub fn new(read: Read<'r>) -> Draft<'r> {
        Draft {
            global: Global::default(),
            group: Group::new(),
            complete: Vec::new(),
            warnings: Vec::new(),
            read,
            next_url: 0,
            next_output: 0,
            next_upload: 0,
        }
    }

    /// The configuration that was read.
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

    pub fn file(&mut self, name: &[u8]) -> io::Result<Vec<u8>> {
        (self.read)(name)
    }

    /// A file's bytes; of one that cannot be opened nothing, with a warning, as curl 7.88 does.
    fn file_or_nothing(&mut self, name: &[u8]) -> Result<Vec<u8>, Wrong> {
        use io::ErrorKind::{NotADirectory, NotFound, PermissionDenied};
        match self.file(name) {
            Ok(bytes) => Ok(bytes),
            Err(error) if !matches!(error.kind(), NotFound | PermissionDenied | NotADirectory) => {
                // It is there but cannot be read through: a directory, a broken disk.
                Err(Wrong::Why("cannot be read", Exit::Read))
            }
            Err(error) => {
                let why = error.to_string();
                self.warn(&[
                    b"Cannot read '",
                    name,
                    b"' (",
                    why.as_bytes(),
                    b"); it counts as empty",
                ]);
                Ok(Vec::new())
            }
        }
    }

    /// The first node from `from` on that is still free for something, or a new one.
    fn node(&mut self, from: usize, taken: fn(&Node) -> bool) -> (usize, &mut Node) {
        let group = &mut self.group;
        let mut at = from;
        while at < group.nodes.len() && taken(&group.nodes[at]) {
            at += 1;
        }
        if at == group.nodes.len() {
            group.nodes.push(Node { remote_name: group.remote_name_all, ..Node::default() });
        }
        (at, &mut group.nodes[at])
    }

    pub fn url(&mut self, url: &[u8]) {
        let (at, node) = self.node(self.next_url, |node| node.url.is_some());
        node.url = Some(url.to_vec());
        self.next_url = at;
    }

    pub fn output(&mut self, name: &[u8]) -> Result<(), Wrong> {
        if name.is_empty() {
            self.warn(&[b"The output's file name is empty"]);
            return Err(BAD_USE);
        }
        self.output_to(Some(name), false);
        Ok(())
    }

    pub fn remote_name(&mut self, on: bool) -> Result<(), Wrong> {
        self.output_to(None, on);
        Ok(())
    }

    fn output_to(&mut self, name: Option<&[u8]>, remote_name: bool) {
        let (at, node) = self.node(self.next_output, |node| node.output_set);
        node.output = name.map(<[u8]>::to_vec);
        node.remote_name = remote_name;
        node.output_set = true;
        self.next_output = at;
    }

    pub fn upload(&mut self, name: &[u8]) {
        let (at, node) = self.node(self.next_upload, |node| node.upload.is_some());
        node.upload = Some(name.to_vec());
        self.next_upload = at;
    }

    pub fn next_group(&mut self) {
        if self.group.nodes.first().is_some_and(|node| node.url.is_some()) {
            self.complete.push(std::mem::replace(&mut self.group, Group::new()));
            (self.next_url, self.next_output, self.next_upload) = (0, 0, 0);
        }
    }

    pub fn http_version(&mut self, http10: bool) {
        if self.group.http10.replace(http10).is_some_and(|before| before != http10) {
            self.warn(&[b"The last of --http1.0 and --http1.1 counts"]);
        }
    }

    /// `-H`: a line, or `@FILE` with one a line.
    pub fn header(&mut self, value: &[u8]) {
        let [b'@', name @ ..] = value else {
            self.group.headers.push(value.to_vec());
            return;
        };
        let Ok(text) = self.file(name) else { return self.warn(&[b"Cannot read ", name]) };
        let lines = text.split(|&byte| matches!(byte, b'\r' | b'\n'));
        let lines = lines.filter(|line| !line.is_empty()).map(<[u8]>::to_vec);
        self.group.headers.extend(lines);
    }

    pub fn referer(&mut self, value: &[u8]) {
        let auto = value.windows(5).position(|part| part == b";auto");
        let value = &value[..auto.unwrap_or(value.len())];
        self.group.auto_referer = auto.is_some();
        self.group.referer = (!value.is_empty()).then(|| value.to_vec());
    }

    pub fn cookie(&mut self, value: &[u8]) -> Result<(), Wrong> {
        if value.first() == Some(&b'@') || !value.contains(&b'=') {
            let why =
                "names a file of cookies, and there is no cookie jar; send one with -b NAME=VALUE";
            return Err(Wrong::Refused(why.into()));
        }
        self.group.cookies.push(value.to_vec());
        Ok(())
    }

    pub fn range(&mut self, value: &[u8]) -> Result<(), Wrong> {
        let mut range = value.to_vec();
        let other = value.iter().position(|byte| !matches!(byte, b'0'..=b'9' | b'-' | b','));
        if value.first().is_some_and(u8::is_ascii_digit) && !value.contains(&b'-') {
            let digits = value.iter().take_while(|byte| byte.is_ascii_digit()).count();
            whole(&value[..digits])?;
            range.truncate(digits);
            range.push(b'-');
            self.warn(&[b"A range has a dash: ", value, b" is taken as ", &range]);
        } else if let Some(at) = other {
            let why = b"' does not belong into a range; what the server makes of it is open";
            self.warn(&[b"'", &value[at..=at], why]);
        }
        self.group.range = Some(range);
        Ok(())
    }

    pub fn head(&mut self, on: bool) -> Result<(), Wrong> {
        if self.group.head_set && self.group.head != on {
            self.warn(&[b"Only one request method can be chosen"]);
            return Err(BAD_USE);
        }
        (self.group.head, self.group.include, self.group.head_set) = (on, on, true);
        Ok(())
    }

    pub fn fail(&mut self, on: bool) -> Result<(), Wrong> {
        self.group.fail = on;
        self.check_fail()
    }

    pub fn fail_with_body(&mut self, on: bool) -> Result<(), Wrong> {
        self.group.fail_with_body = on;
        self.check_fail()
    }

    fn check_fail(&self) -> Result<(), Wrong> {
        let why = "is badly used here: --fail and --fail-with-body exclude each other";
        match self.group.fail && self.group.fail_with_body {
            true => Err(Wrong::Why(why, Exit::Usage)),
            false => Ok(()),
        }
    }

    pub fn trace(&mut self, how: Trace) {
        let old = &self.global.trace;
        let same = std::mem::discriminant(old) == std::mem::discriminant(&how);
        if !same && *old != Trace::None && how != Trace::None {
            self.warn(&[b"The last of -v, --trace and --trace-ascii counts"]);
        }
        self.global.trace = how;
    }

    /// `-w`: the text itself, or that of `@FILE` without its line ends.
    pub fn write_out(&mut self, value: &[u8]) -> Result<(), Wrong> {
        self.group.write_out = match value {
            [b'@', name @ ..] => {
                Some(without_line_ends(self.file_or_nothing(name)?)).filter(|text| !text.is_empty())
            }
            _ => Some(value.to_vec()),
        };
        Ok(())
    }

    /// `--data`: text, or `@FILE` without its line ends.
    pub fn data(&mut self, value: &[u8]) -> Result<(), Wrong> {
        let part = match value {
            [b'@', name @ ..] => without_line_ends(self.file_or_nothing(name)?),
            _ => value.to_vec(),
        };
        self.data_raw(&part);
        Ok(())
    }

    pub fn data_raw(&mut self, part: &[u8]) {
        join(&mut self.group.post, part, b"&");
    }

    pub fn data_binary(&mut self, value: &[u8]) -> Result<(), Wrong> {
        let part = self.text_or_file(value)?;
        self.data_raw(&part);
        Ok(())
    }

    pub fn json(&mut self, value: &[u8]) -> Result<(), Wrong> {
        let part = self.text_or_file(value)?;
        self.group.json = true;
        join(&mut self.group.post, &part, b"");
        Ok(())
    }

    fn text_or_file(&mut self, value: &[u8]) -> Result<Vec<u8>, Wrong> {
        match value {
            [b'@', name @ ..] => self.file_or_nothing(name),
            _ => Ok(value.to_vec()),
        }
    }

    pub fn data_urlencode(&mut self, value: &[u8]) -> Result<(), Wrong> {
        let part = self.urlencoded(value)?;
        self.data_raw(&part);
        Ok(())
    }

    pub fn url_query(&mut self, value: &[u8]) -> Result<(), Wrong> {
        let part = match value {
            [b'+', rest @ ..] => rest.to_vec(),
            _ => self.urlencoded(value)?,
        };
        join(&mut self.group.query, &part, b"&");
        Ok(())
    }

    /// `--data-urlencode`: `CONTENT`, `=CONTENT`, `NAME=CONTENT`, `@FILE`, `NAME@FILE`.
    ///
    /// An empty file leaves nothing, not even the name: so it is in curl.
    fn urlencoded(&mut self, value: &[u8]) -> Result<Vec<u8>, Wrong> {
        let find = |wanted| value.iter().position(|&byte| byte == wanted);
        let (name, content) = match find(b'=').or_else(|| find(b'@')) {
            Some(at) if value[at] == b'@' => {
                let content = self.file_or_nothing(&value[at + 1..])?;
                if content.is_empty() {
                    return Ok(Vec::new());
                }
                (&value[..at], content)
            }
            Some(at) => (&value[..at], value[at + 1..].to_vec()),
            None => (&b""[..], value.to_vec()),
        };
        let mut out = name.to_vec();
        if !name.is_empty() {
            out.push(b'=');
        }
        for byte in content {
            match byte {
                b' ' => out.push(b'+'),
                _ => percent::push(&mut out, byte, percent::is_unreserved),
            }
        }
        Ok(out)
    }
}

/// Appends a part to those that are there, with something between.
fn join(whole: &mut Option<Vec<u8>>, part: &[u8], between: &[u8]) {
    let whole = match whole {
        Some(whole) => {
            whole.extend_from_slice(between);
            whole
        }
        None => whole.insert(Vec::new()),
    };
    whole.extend_from_slice(part);
}

/// Returns the text without CR, LF and NUL.
fn without_line_ends(mut text: Vec<u8>) -> Vec<u8> {
    text.retain(|byte| !matches!(byte, b'\r' | b'\n' | 0));
    text
}
