//! The configuration that a command line sets.

use std::path::PathBuf;
use std::time::Duration;

/// Why a build without the verbs rejects them.
pub const ABSENT: &str = "this ucurl was built without its commands (the Cargo feature `commands`)";

/// The field of a flag that only stores its value.
pub enum FlagField<'g> {
    Switch(&'g mut bool),
    Text(&'g mut Option<Vec<u8>>),
    /// Each use of the flag adds a value.
    List(&'g mut Vec<Vec<u8>>),
    /// A time in seconds; `None` for 0, which is no limit.
    Limit(&'g mut Option<Duration>),
}

/// Declares a struct of flags. The first block lists the flags that only store a value, by kind.
/// The second has all other fields.
macro_rules! flags {
    (
        $(#[$doc:meta])*
        $name:ident
        { $($kind:ident($value:ty): $($flag:ident)*;)* }
        { $($(#[$about:meta])* $field:ident: $type:ty,)* }
    ) => {
        $(#[$doc])*
        #[derive(Default, Debug)]
        pub struct $name {
            $($(pub $flag: $value,)*)*
            $($(#[$about])* pub $field: $type,)*
        }

        impl $name {
            pub fn field(&mut self, flag: &str) -> Option<FlagField<'_>> {
                Some(match flag {
                    $($(stringify!($flag) => FlagField::$kind(&mut self.$flag),)*)*
                    _ => return None,
                })
            }
        }
    };
}

flags! {
    Global {
        Switch(bool): demo fail_early no_progress_meter progress_bar show_error silent trace_time;
        Text(Option<Vec<u8>>): explain stderr;
    } {
        no_styled_output: bool,
        trace: Trace,
    }
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
    pub destination: Destination,
    /// Whether `-o` or `-O` has set the destination.
    pub output_set: bool,
    /// `-T`; with an empty name nothing is uploaded.
    pub upload: Option<Vec<u8>>,
}

/// The destination of a response's content.
#[derive(Default, Debug, PartialEq, Eq)]
pub enum Destination {
    #[default]
    Stdout,
    /// `-o -`: binary content is written to a terminal too.
    RawStdout,
    File(PathBuf),
    /// `-O`: a file named as the last segment of the URL.
    UrlName,
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

flags! {
    /// Flags for the transfers up to `--next`.
    Group {
        Switch(bool): basic create_dirs demux disallow_username_in_url fail_stream get hijack
            ignore_content_length include location negotiate_api no_clobber path_as_is post301
            post302 post303 pretty raw remote_name_all remove_on_error retry_all_errors
            retry_connrefused;
        Text(Option<Vec<u8>>): context dump_header endpoint oauth2_bearer output_dir proxy_command
            request request_target select user user_agent;
        List(Vec<Vec<u8>>): cookie expect;
        Limit(Option<Duration>): connect_timeout max_time retry_delay retry_max_time;
    } {
        nodes: Vec<Node>,
        /// `--unix-socket`, or `--abstract-unix-socket`.
        socket: Option<Vec<u8>>,
        is_abstract: bool,
        /// `--http1.0`, or `false` for `--http1.1`.
        http10: Option<bool>,
        auto_referer: bool,
        referer: Option<Vec<u8>>,
        range: Option<Vec<u8>>,
        /// The lines of `-H`.
        headers: Vec<Vec<u8>>,
        post: Vec<Part>,
        json: bool,
        head: bool,
        /// `-I` or `--no-head` was given.
        head_set: bool,
        query: Option<Vec<u8>>,
        expect100_timeout: Duration,
        fail: bool,
        fail_with_body: bool,
        write_out: Option<Vec<u8>>,
        max_filesize: Option<u64>,
        speed_limit: u64,
        /// In seconds.
        speed_time: u64,
        retry: u64,
        location_trusted: bool,
        /// `None` follows any number.
        max_redirs: Option<u64>,
    }
}

impl Group {
    pub fn new() -> Group {
        let expect100_timeout = Duration::from_secs(1);
        Group { expect100_timeout, max_redirs: Some(50), ..Group::default() }
    }
}

#[derive(Default, Debug)]
pub struct Config {
    pub global: Global,
    pub groups: Vec<Group>,
    pub warnings: Vec<Vec<u8>>,
}
