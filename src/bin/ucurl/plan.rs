//! What the command line asks for, as values that need no further interpretation.
//!
//! ```text
//! arguments ──▶ args: which flags were given ──▶ Plan: what to do ──▶ fetch, output
//! ```
//!
//! Only this file reads flags. After it, no `0` means "no limit" and no `-` means stdout.

use crate::args::config::{Config, Explain, Global, Group, Node, Socket, Trace};
use crate::args::config::{OutputFlags, RequestFlags, StageFlags};
use std::ffi::OsString;
use std::mem;
use std::os::unix::ffi::OsStringExt as _;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;
use unix_http::docker::DaemonFlags;
use unix_http::{Endpoint, Timeouts};

/// The whole command line.
pub struct Plan {
    pub warnings: Vec<Vec<u8>>,
    pub messages: MessagePlan,
    pub trace: TracePlan,
    /// The progress meter on stderr, if it is shown.
    pub meter: Option<MeterStyle>,
    /// Field names in bold on a terminal.
    pub styled: bool,
    pub fail_early: bool,
    pub operations: Vec<Operation>,
}

/// Which messages are printed, and where.
pub struct MessagePlan {
    pub warnings: bool,
    pub errors: bool,
    pub notes: bool,
    pub to: Channel,
}

/// `-v`, `--trace`, `--trace-ascii` and `--explain`.
pub struct TracePlan {
    pub style: Option<TraceStyle>,
    pub to: Channel,
    pub time: bool,
    pub explain: Option<Explain>,
    /// `-i`, `-D` or `-w` needs to know what the tracer sees.
    pub observed: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum TraceStyle {
    Plain,
    Hex,
    Ascii,
}

#[derive(Clone, Copy)]
pub enum MeterStyle {
    Numbers,
    Bar,
}

/// Where text other than a body goes.
pub enum Channel {
    Stderr,
    Stdout,
    File(PathBuf),
}

/// The flags and URLs between two `--next`.
pub struct Operation {
    pub target: TargetChoice,
    pub request: RequestPlan,
    /// `-L`
    pub redirects: Option<RedirectPlan>,
    pub trusted: bool,
    pub timeouts: Timeouts,
    pub slowest: Option<SlowestSpeed>,
    pub max_filesize: Option<u64>,
    /// `-f`: no body of a response with a status of 400 or above.
    pub fail: bool,
    pub fail_with_body: bool,
    pub retry: RetryPlan,
    /// `-D`
    pub dump_header: Option<Channel>,
    /// `--output-dir`, or empty.
    pub directory: PathBuf,
    pub output: OutputFlags,
    pub stages: StageFlags,
    pub fetches: Vec<FetchPlan>,
    /// There are more `-o` and `-T` than URLs.
    pub urls_missing: bool,
    /// Why these flags contradict each other.
    pub conflict: Option<&'static str>,
}

/// One URL.
pub struct FetchPlan {
    pub url: Vec<u8>,
    pub source: Source,
    pub destination: Destination,
}

/// Where the content of a request comes from.
pub enum Source {
    None,
    /// `-d` and its relatives.
    Post(Rc<Vec<u8>>),
    File(PathBuf),
    Stdin,
}

/// Where the content of a response goes.
pub enum Destination {
    /// With `any_bytes`, binary content is written to a terminal too.
    Stdout {
        any_bytes: bool,
    },
    File(PathBuf),
    /// `-O`: a file named as the last segment of the URL.
    UrlName,
}

/// How the endpoint is chosen.
pub enum TargetChoice {
    /// This one, and the flag that names it.
    Endpoint(Endpoint, &'static str),
    ProxyCommand(PathBuf),
    /// The one that the docker command would use with these flags.
    Docker(DaemonFlags),
    /// The host and port of the URL.
    Url,
}

pub struct RequestPlan {
    pub flags: RequestFlags,
    pub http10: bool,
    /// `None` sends no User-Agent.
    pub user_agent: Option<Vec<u8>>,
    pub credentials: Credentials,
    pub cookies: Option<Vec<u8>>,
    /// The data of `-G` or `--url-query`.
    pub query: Option<Vec<u8>>,
    pub expect_timeout: Duration,
}

/// The source of the Authorization field.
pub enum Credentials {
    /// The user and the password of the URL, if it has them.
    OfUrl,
    /// `user:password`
    Basic(Vec<u8>),
    Bearer(Vec<u8>),
    /// Two schemes were named: curl waits for the server to choose one, and sends none.
    Undecided,
}

pub struct RedirectPlan {
    /// `None` follows any number.
    pub max: Option<u64>,
    pub auto_referer: bool,
    /// Status codes that do not change POST to GET.
    pub keep_post: Vec<u16>,
}

/// `--speed-limit` over `--speed-time`.
#[derive(Clone, Copy)]
pub struct SlowestSpeed {
    pub bytes_per_second: u64,
    pub time: Duration,
}

pub struct RetryPlan {
    pub times: u64,
    /// A fixed delay in seconds instead of one that doubles.
    pub delay: Option<u64>,
    pub max_time: Option<u64>,
    pub on_refused: bool,
    pub on_any_error: bool,
}

impl Plan {
    pub fn new(config: Config) -> Plan {
        let Config { global, groups, warnings } = config;
        let operations: Vec<_> =
            groups.into_iter().map(|group| Operation::new(group, global.demo)).collect();
        let observed = operations.iter().any(|operation| {
            let output = &operation.output;
            output.include || output.write_out.is_some() || operation.dump_header.is_some()
        });
        // A meter between the lines of an explanation would be unreadable.
        let quiet = global.silent || global.no_progress_meter || global.explain.is_some();
        let style = if global.progress_bar { MeterStyle::Bar } else { MeterStyle::Numbers };
        Plan {
            warnings,
            meter: (!quiet).then_some(style),
            styled: !global.no_styled_output,
            fail_early: global.fail_early,
            messages: MessagePlan {
                warnings: !global.silent,
                errors: !global.silent || global.show_error,
                notes: !global.silent && global.trace != Trace::None,
                to: global.stderr.clone().map_or(Channel::Stderr, Channel::new),
            },
            trace: TracePlan::new(global, observed),
            operations,
        }
    }
}

/// Completes each `-u USER` without a password; `ask` gets the prompt.
pub fn ask_passwords(operations: &mut [Operation], ask: fn(&[u8]) -> Vec<u8>) {
    let several = operations.len() > 1;
    for (at, operation) in operations.iter_mut().enumerate() {
        let Credentials::Basic(user) = &mut operation.request.credentials else { continue };
        if user.contains(&b':') {
            continue;
        }
        let which = if several { format!(" on URL #{}", at + 1) } else { String::new() };
        let prompt = [b"Enter host password for user '", &user[..], b"'", which.as_bytes(), b":"];
        let password = ask(&prompt.concat());
        user.push(b':');
        user.extend_from_slice(&password);
    }
}

impl TracePlan {
    fn new(global: Global, observed: bool) -> TracePlan {
        let (style, to) = match global.trace {
            Trace::None => (None, None),
            Trace::Plain => (Some(TraceStyle::Plain), None),
            Trace::Hex(name) => (Some(TraceStyle::Hex), Some(name)),
            Trace::Ascii(name) => (Some(TraceStyle::Ascii), Some(name)),
        };
        let to = match to {
            Some(name) if name != b"%" => Channel::new(name),
            _ => Channel::Stderr,
        };
        TracePlan { style, to, time: global.trace_time, explain: global.explain, observed }
    }
}

impl Channel {
    fn new(name: Vec<u8>) -> Channel {
        if name == b"-" { Channel::Stdout } else { Channel::File(path(name)) }
    }
}

impl Operation {
    fn new(mut group: Group, demo: bool) -> Operation {
        let conflict = conflict(&group);
        let fetches = fetches(&mut group);
        Operation {
            urls_missing: group.nodes.len() > fetches.len(),
            conflict,
            fetches,
            redirects: group.location.then(|| RedirectPlan {
                max: u64::try_from(group.max_redirs).ok(),
                auto_referer: group.auto_referer,
                keep_post: keep_post(&group),
            }),
            trusted: group.location_trusted,
            timeouts: timeouts(&group),
            slowest: slowest(&group),
            max_filesize: some(group.max_filesize),
            fail: group.fail,
            fail_with_body: group.fail_with_body,
            retry: RetryPlan {
                times: group.retry,
                delay: some(group.retry_delay),
                max_time: some(group.retry_max_time),
                on_refused: group.retry_connrefused,
                on_any_error: group.retry_all_errors,
            },
            dump_header: group.dump_header.take().map(Channel::new),
            directory: path(group.output_dir.take().unwrap_or_default()),
            output: mem::take(&mut group.output),
            stages: mem::take(&mut group.stages),
            target: TargetChoice::new(&mut group, demo),
            request: RequestPlan::new(group),
        }
    }
}

/// The URLs of a group. They fill its nodes from the front.
fn fetches(group: &mut Group) -> Vec<FetchPlan> {
    let post = group.post.take_if(|_| !group.get).map(Rc::new);
    let urls = group.nodes.iter_mut().map_while(|node| node.url.take().map(|url| (url, node)));
    let fetch = |(url, node): (Vec<u8>, &mut Node)| {
        let source = match (node.upload.take().as_deref(), &post) {
            (Some(b"-" | b"."), _) => Source::Stdin,
            (Some(name @ [_, ..]), _) => Source::File(path(name.to_vec())),
            (_, Some(post)) => Source::Post(Rc::clone(post)),
            _ => Source::None,
        };
        let destination = match (node.output.take(), node.remote_name) {
            (Some(name), _) if name == b"-" => Destination::Stdout { any_bytes: true },
            (Some(name), _) => Destination::File(path(name)),
            (None, true) => Destination::UrlName,
            (None, false) => Destination::Stdout { any_bytes: false },
        };
        FetchPlan { url, source, destination }
    };
    urls.map(fetch).collect()
}

impl TargetChoice {
    fn new(group: &mut Group, demo: bool) -> TargetChoice {
        let flag = |value: &mut Option<Vec<u8>>| value.take().map(OsString::from_vec);
        match (group.socket.take(), group.proxy_command.take()) {
            (Some(socket), _) => {
                let flag = match socket {
                    _ if demo => "--demo has started an engine there",
                    Socket::Path(_) => "--unix-socket names it",
                    Socket::Abstract(_) => "--abstract-unix-socket names it",
                };
                TargetChoice::Endpoint(endpoint(socket), flag)
            }
            (None, Some(command)) => TargetChoice::ProxyCommand(path(command)),
            (None, None) if group.endpoint.is_none() && group.context.is_none() => {
                TargetChoice::Url
            }
            (None, None) => TargetChoice::Docker(DaemonFlags {
                host: flag(&mut group.endpoint),
                context: flag(&mut group.context),
            }),
        }
    }
}

impl RequestPlan {
    fn new(group: Group) -> RequestPlan {
        let default_agent = concat!("ucurl/", env!("CARGO_PKG_VERSION")).as_bytes();
        let agent = group.user_agent.unwrap_or_else(|| default_agent.to_vec());
        let credentials = match (group.bearer, group.user) {
            (Some(_), _) if group.basic => Credentials::Undecided,
            (Some(token), _) => Credentials::Bearer(token),
            (None, Some(user)) => Credentials::Basic(user),
            (None, None) => Credentials::OfUrl,
        };
        let mut plan = RequestPlan {
            flags: group.request,
            http10: group.http10 == Some(true),
            user_agent: Some(agent).filter(|agent| !agent.is_empty()),
            credentials,
            cookies: (!group.cookies.is_empty()).then(|| group.cookies.join(&b";"[..])),
            // `-d` without `-G` has become the content.
            query: group.post.or(group.query),
            expect_timeout: Duration::from_millis(group.expect100_timeout_ms),
        };
        for name in ["Content-Type", "Accept"] {
            if group.json && plan.header(name).is_none() {
                plan.flags.headers.push([name.as_bytes(), b": application/json"].concat());
            }
        }
        plan
    }

    /// The `-H` line that names this field.
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        self.flags.headers.iter().map(Vec::as_slice).find(|line| names_field(line, name))
    }

    /// The value of the `-H` line that names this field.
    pub fn header_value(&self, name: &str) -> Option<&[u8]> {
        self.header(name).map(|line| line[name.len() + 1..].trim_ascii())
    }
}

/// Whether a `-H` line names this field, also as `Name:` or `Name;` without a value.
pub fn names_field(line: &[u8], name: &str) -> bool {
    let after = line.get(name.len());
    matches!(after, Some(b':' | b';')) && line[..name.len()].eq_ignore_ascii_case(name.as_bytes())
}

/// `-I`, `-d` and `-T` each name a method; `--hijack` has no use for an upload.
fn conflict(group: &Group) -> Option<&'static str> {
    let uploads =
        group.nodes.iter().any(|node| node.upload.as_ref().is_some_and(|name| !name.is_empty()));
    let data = group.post.is_some();
    match (group.head_set || (data && group.get), data && !group.get, uploads) {
        (_, _, true) if group.request.hijack => Some(
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

fn keep_post(group: &Group) -> Vec<u16> {
    let flags = [(group.post301, 301), (group.post302, 302), (group.post303, 303)];
    flags.iter().filter(|(given, _)| *given).map(|(_, status)| *status).collect()
}

fn timeouts(group: &Group) -> Timeouts {
    let milliseconds = |number| some(number).map(Duration::from_millis);
    Timeouts {
        connect: milliseconds(group.connect_timeout_ms),
        total: milliseconds(group.max_time_ms),
        // Silence for this long is slower than any speed.
        idle: slowest(group).map(|slowest| slowest.time),
        head: None,
    }
}

fn slowest(group: &Group) -> Option<SlowestSpeed> {
    let time = Duration::from_secs(some(group.speed_time)?);
    Some(SlowestSpeed { bytes_per_second: some(group.speed_limit)?, time })
}

/// A number of which 0 means "none".
fn some(number: u64) -> Option<u64> {
    (number > 0).then_some(number)
}

fn endpoint(socket: Socket) -> Endpoint {
    match socket {
        Socket::Path(name) => Endpoint::Unix(path(name)),
        Socket::Abstract(name) => Endpoint::Abstract(name),
    }
}

fn path(name: Vec<u8>) -> PathBuf {
    OsString::from_vec(name).into()
}
