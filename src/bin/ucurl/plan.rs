//! The operation that the flags between two `--next` describe.
//!
//! ```text
//! arguments ──▶ args: which flags were given ──▶ Operation: what to do ──▶ fetch, output
//! ```

use crate::args::config::{Destination, Group, Node};
use crate::args::exit::Exit;
use crate::content::PostContent;
use crate::output::messages::Failure;
use std::ffi::OsStr;
use std::mem;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;
use unix_http::json::Pointer;
use unix_http::{Endpoint, Timeouts};

/// The flags and URLs between two `--next`.
pub struct Operation {
    /// The flags whose meaning does not depend on other flags.
    pub flags: Group,
    /// The socket that the flags name.
    pub socket: Option<Endpoint>,
    /// `--select`
    pub select: Option<Pointer>,
    /// `--expect`
    pub expect: Vec<(Pointer, Vec<u8>)>,
    /// The content of `-d`, unless `-G` makes it the query.
    pub post: PostContent,
    pub timeouts: Timeouts,
    /// How long a transfer may be too slow.
    pub speed_time: Option<Duration>,
    /// The URLs, or why there is nothing to do: no URL, or flags that contradict each other.
    pub fetches: Result<Vec<FetchPlan>, &'static str>,
    /// There are more `-o` and `-T` than URLs.
    pub urls_missing: bool,
}

/// One URL.
pub struct FetchPlan {
    pub url: Vec<u8>,
    pub source: Source,
    pub destination: Destination,
}

/// The source of a request's content.
pub enum Source {
    None,
    /// `-d` and its relatives.
    Post,
    File(PathBuf),
    Stdin,
}

impl Operation {
    /// Interprets the flags, and opens the content of `-d` before anything is sent.
    ///
    /// # Errors
    /// Names the option with an invalid value, or the file that cannot be read.
    pub fn new(mut group: Group) -> Result<Operation, Failure> {
        let conflict = conflict(&group);
        let nodes = mem::take(&mut group.nodes);
        let given = nodes.len();
        // `-d` without `-G` becomes the content.
        let posts = !group.post.is_empty() && !group.get;
        let to_query = !group.post.is_empty() && group.get;
        let fetch = |Node { url, destination, upload, .. }| {
            let source = match upload.as_deref() {
                Some(b"-" | b".") => Source::Stdin,
                Some(name @ [_, ..]) => Source::File(path(name).to_owned()),
                _ if posts => Source::Post,
                _ => Source::None,
            };
            Some(FetchPlan { url: url?, source, destination })
        };
        let fetches: Vec<_> = nodes.into_iter().map_while(fetch).collect();
        let urls_missing = given > fetches.len();
        let no_url = fetches.is_empty().then_some("no URL given (help: ucurl -h)");
        if group.json {
            add_json_fields(&mut group.headers);
        }
        let has_slowest = group.speed_time > 0 && group.speed_limit > 0;
        let speed_time = has_slowest.then(|| Duration::from_secs(group.speed_time));
        let socket = group.socket.as_ref().map(|name| match group.is_abstract {
            true => Endpoint::Abstract(name.clone()),
            false => Endpoint::Unix(path(name).to_owned()),
        });
        let select = group.select.as_deref().map(|text| pointer("select", text)).transpose()?;
        let expect = group.expect.iter().map(|text| expectation(text)).collect::<Result<_, _>>()?;
        let mut post = PostContent::new(mem::take(&mut group.post), to_query)?;
        if to_query {
            group.query = Some(mem::take(&mut post).into_bytes());
        }
        Ok(Operation {
            socket,
            select,
            expect,
            post,
            timeouts: Timeouts::default()
                .connect(group.connect_timeout)
                .total(group.max_time)
                // Silence for this long is slower than any limit.
                .idle(speed_time),
            speed_time,
            fetches: no_url.or(conflict).map_or(Ok(fetches), Err),
            urls_missing,
            flags: group,
        })
    }

    /// Returns whether only a part of the JSON is printed.
    pub fn selects(&self) -> bool {
        self.select.is_some() || !self.expect.is_empty()
    }
}

fn pointer(option: &str, text: &[u8]) -> Result<Pointer, Failure> {
    let pointer = Pointer::parse(&String::from_utf8_lossy(text));
    pointer.map_err(|error| Failure::new(Exit::Usage, format!("option --{option}: {error}")))
}

/// Reads `POINTER=VALUE`.
fn expectation(text: &[u8]) -> Result<(Pointer, Vec<u8>), Failure> {
    let equals = text.iter().position(|&byte| byte == b'=');
    let no_value = Failure::new(Exit::Usage, "option --expect: needs POINTER=VALUE");
    let equals = equals.ok_or(no_value)?;
    Ok((pointer("expect", &text[..equals])?, text[equals + 1..].to_vec()))
}

/// `--json` sends JSON and asks for it, unless `-H` says otherwise.
fn add_json_fields(headers: &mut Vec<Vec<u8>>) {
    for name in ["Content-Type", "Accept"] {
        if !headers.iter().any(|line| names_field(line, name)) {
            headers.push([name.as_bytes(), b": application/json"].concat());
        }
    }
}

/// Returns whether a `-H` line names this field, also as `Name:` or `Name;` without a value.
pub fn names_field(line: &[u8], name: &str) -> bool {
    let after = line.get(name.len());
    matches!(after, Some(b':' | b';')) && line[..name.len()].eq_ignore_ascii_case(name.as_bytes())
}

/// `-I`, `-d` and `-T` each name a method; `--hijack` cannot be combined with an upload.
fn conflict(group: &Group) -> Option<&'static str> {
    let uploads =
        group.nodes.iter().any(|node| node.upload.as_ref().is_some_and(|name| !name.is_empty()));
    let data = !group.post.is_empty();
    match (group.head_set || (data && group.get), data && !group.get, uploads) {
        (_, _, true) if group.hijack => Some(
            "--hijack sends stdin after the upgrade, -T sends content before: choose one of them",
        ),
        (true, true, _) => Some(
            "Only one request method can be chosen: -I and -d ask for two \
             (-G puts -d into the URL)",
        ),
        (true, _, true) => Some("Only one request method can be chosen: -T asks for PUT"),
        (_, true, true) => Some("Only one request method can be chosen: -d and -T ask for two"),
        _ => None,
    }
}

/// Returns the path that an argument names.
pub fn path(name: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(name))
}
