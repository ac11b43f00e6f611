//! The configuration that a command line sets.

use std::path::PathBuf;
use std::time::Duration;

/// Why a build without the verbs rejects them.
pub const ABSENT: &str = "this ucurl was built without its commands (the Cargo feature `commands`)";

/// Declares a struct of flags. Each flag that is a switch, or whose value is kept unchanged, is a
/// field with its name. `switch` and `text` find the field by that name.
macro_rules! flags {
    (
        $(#[$doc:meta])*
        $name:ident {
            switches: $($switch:ident)*;
            texts: $($text:ident)*;
            $($(#[$about:meta])* $field:ident: $type:ty,)*
        }
    ) => {
        $(#[$doc])*
        #[derive(Default, Debug)]
        pub struct $name {
            $(pub $switch: bool,)*
            $(pub $text: Option<Vec<u8>>,)*
            $($(#[$about])* pub $field: $type,)*
        }

        impl $name {
            pub fn switch(&mut self, flag: &str) -> Option<&mut bool> {
                match flag {
                    $(stringify!($switch) => Some(&mut self.$switch),)*
                    _ => None,
                }
            }

            pub fn text(&mut self, flag: &str) -> Option<&mut Option<Vec<u8>>> {
                match flag {
                    $(stringify!($text) => Some(&mut self.$text),)*
                    _ => None,
                }
            }
        }
    };
}

flags! {
    Global {
        switches: demo fail_early progress_bar show_error silent trace_time;
        texts: explain stderr;
        no_progress_meter: bool,
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
        switches: basic create_dirs demux disallow_username_in_url fail_stream get hijack
            ignore_content_length include location negotiate_api path_as_is post301 post302
            post303 pretty raw remote_name_all remove_on_error retry_all_errors retry_connrefused;
        texts: context dump_header endpoint oauth2_bearer output_dir proxy_command request
            request_target select user user_agent;
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
        cookies: Vec<Vec<u8>>,
        post: Vec<Part>,
        json: bool,
        head: bool,
        /// `-I` or `--no-head` was given.
        head_set: bool,
        query: Option<Vec<u8>>,
        expect: Vec<Vec<u8>>,
        expect100_timeout: Duration,
        fail: bool,
        fail_with_body: bool,
        no_clobber: bool,
        write_out: Option<Vec<u8>>,
        max_filesize: Option<u64>,
        max_time: Option<Duration>,
        connect_timeout: Option<Duration>,
        speed_limit: u64,
        /// In seconds.
        speed_time: u64,
        retry: u64,
        retry_delay: Option<Duration>,
        retry_max_time: Option<Duration>,
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
