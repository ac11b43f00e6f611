//! The configuration that a command line sets.

use std::path::PathBuf;

/// Why a build without the verbs rejects them.
pub const ABSENT: &str = "this ucurl was built without its commands (the Cargo feature `commands`)";

/// Flags for the whole run.
#[derive(Default, Debug)]
pub struct Global {
    pub silent: bool,
    pub show_error: bool,
    pub fail_early: bool,
    pub progress_bar: bool,
    pub no_progress_meter: bool,
    pub no_styled_output: bool,
    pub trace: Trace,
    pub trace_time: bool,
    /// `--stderr`: a file, or `-` for stdout.
    pub stderr: Option<Vec<u8>>,
    /// `--explain` as an empty text, or what follows `--explain=`.
    pub explain: Option<Vec<u8>>,
    pub demo: bool,
}

/// `-v`, `--trace`, `--trace-ascii`: the last one wins.
#[derive(Clone, Default, Debug, PartialEq, Eq)]
pub enum Trace {
    #[default]
    None,
    Plain,
    Hex(Vec<u8>),
    Ascii(Vec<u8>),
}

/// A URL with its output and its upload; URLs, `-o`, `-O` and `-T` each fill nodes in order.
#[derive(Default, Debug, PartialEq, Eq)]
pub struct Node {
    pub url: Option<Vec<u8>>,
    pub output: Option<Vec<u8>>,
    pub output_set: bool,
    pub remote_name: bool,
    /// `-T`; with an empty name nothing is uploaded.
    pub upload: Option<Vec<u8>>,
}

/// A part of the content of `-d` and its relatives.
#[derive(Debug)]
pub struct Part {
    /// Joins it to the part before it, if there is one.
    pub separator: &'static str,
    pub data: PartData,
}

#[derive(Debug)]
pub enum PartData {
    Text(Vec<u8>),
    /// With `text`, CR, LF and NUL are left out.
    File {
        name: PathBuf,
        text: bool,
    },
}

/// Flags for the transfers up to `--next`.
#[derive(Default, Debug)]
pub struct Group {
    pub nodes: Vec<Node>,
    pub unix_socket: Option<Vec<u8>>,
    pub abstract_socket: Option<Vec<u8>>,
    pub endpoint: Option<Vec<u8>>,
    pub context: Option<Vec<u8>>,
    pub proxy_command: Option<Vec<u8>>,
    pub request: RequestFlags,
    pub output: OutputFlags,
    pub stages: StageFlags,
    /// `--http1.0`, or `false` for `--http1.1`.
    pub http10: Option<bool>,
    pub user_agent: Option<Vec<u8>>,
    pub auto_referer: bool,
    pub user: Option<Vec<u8>>,
    pub bearer: Option<Vec<u8>>,
    pub basic: bool,
    pub cookies: Vec<Vec<u8>>,
    pub post: Vec<Part>,
    pub json: bool,
    pub get: bool,
    /// `-I` or `--no-head` was given.
    pub head_set: bool,
    pub query: Option<Vec<u8>>,
    pub expect100_timeout_ms: u64,
    pub dump_header: Option<Vec<u8>>,
    pub output_dir: Option<Vec<u8>>,
    pub remote_name_all: bool,
    pub fail: bool,
    pub fail_with_body: bool,
    pub max_filesize: Option<u64>,
    pub max_time_ms: Option<u64>,
    pub connect_timeout_ms: Option<u64>,
    pub speed_limit: u64,
    pub speed_time: u64,
    pub retry: u64,
    pub retry_delay_ms: Option<u64>,
    pub retry_max_time_ms: Option<u64>,
    pub retry_connrefused: bool,
    pub retry_all_errors: bool,
    pub location: bool,
    pub location_trusted: bool,
    /// `None` follows any number.
    pub max_redirs: Option<u64>,
    pub post301: bool,
    pub post302: bool,
    pub post303: bool,
}

/// Flags about the request.
#[derive(Default, Debug)]
pub struct RequestFlags {
    /// `-X`
    pub method: Option<Vec<u8>>,
    pub target: Option<Vec<u8>>,
    pub path_as_is: bool,
    /// The lines of `-H`.
    pub headers: Vec<Vec<u8>>,
    pub referer: Option<Vec<u8>>,
    pub range: Option<Vec<u8>>,
    /// `-I`
    pub head: bool,
    pub refuse_url_user: bool,
    pub hijack: bool,
    pub negotiate_api: bool,
    pub raw: bool,
    pub ignore_content_length: bool,
}

/// Flags about the output.
#[derive(Default, Debug)]
pub struct OutputFlags {
    /// `-i`
    pub include: bool,
    pub create_dirs: bool,
    pub remove_on_error: bool,
    pub no_clobber: bool,
    pub write_out: Option<Vec<u8>>,
}

/// Flags about content on its way to the output.
#[derive(Default, Debug)]
pub struct StageFlags {
    pub demux: bool,
    pub fail_stream: bool,
    pub select: Option<Vec<u8>>,
    pub expect: Vec<Vec<u8>>,
    pub pretty: bool,
}

impl Group {
    pub fn new() -> Group {
        Group { expect100_timeout_ms: 1000, max_redirs: Some(50), ..Group::default() }
    }
}

#[derive(Debug)]
pub struct Config {
    pub global: Global,
    pub groups: Vec<Group>,
    /// Warnings for stderr.
    pub warnings: Vec<Vec<u8>>,
}
