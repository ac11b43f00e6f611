//! What each flag does, in the order of `flags.txt`. The build fails where the two differ.

use super::config::{ABSENT, Explain, Socket, Trace};
use super::draft::Draft;
use super::flags;
use super::numbers::{NOT_A_NUMBER, integer, milliseconds, seconds, size, whole};
use super::wrong::{NoTransfer, Wrong};
use Action::*;
use unix_http::json::Pointer;

/// A place in the configuration.
pub type Field<T> = for<'d> fn(&'d mut Draft<'_>) -> &'d mut T;

/// What a flag does with the configuration.
pub enum Action {
    /// Nothing: ucurl always works that way.
    Always,
    /// The same, but the opposite is not supported, for this reason.
    Only(bool, &'static str),
    /// Is set to whether the flag is on.
    Switch(Field<bool>),
    /// Is set to whether the flag is off.
    Negated(Field<bool>),
    /// Is set to the value.
    Text(Field<Option<Vec<u8>>>),
    /// Is set to the value, read as a number of some kind.
    Number(fn(&[u8]) -> Result<u64, Wrong>, Field<u64>),
    /// Is extended by a part, after this separator.
    Part(fn(&mut Draft<'_>, &[u8]) -> Result<Vec<u8>, Wrong>, &'static str, Field<Option<Vec<u8>>>),
    /// Something else with whether the flag is on.
    Turn(fn(&mut Draft<'_>, bool) -> Result<(), Wrong>),
    /// Something else with the value.
    Value(fn(&mut Draft<'_>, &[u8]) -> Result<(), Wrong>),
    /// The same, where nothing can go wrong.
    Put(fn(&mut Draft<'_>, &[u8])),
    /// Reads options from a file.
    ReadFile,
    /// Ends the command line with something else than a transfer, if the flag is on. The argument
    /// is the flag's value or, of a flag without one, the argument that follows.
    End(fn(Option<&[u8]>) -> NoTransfer),
}

/// The flags that are in, as written, and what they do.
pub static ACTIONS: [(&str, Action); 93] = [
    ("abstract-unix-socket", Put(|d, name| d.group.socket = Some(Socket::Abstract(name.to_vec())))),
    ("basic", Switch(|d| &mut d.group.basic)),
    ("config", ReadFile),
    ("connect-timeout", Number(milliseconds, |d| &mut d.group.connect_timeout_ms)),
    ("context", Text(|d| &mut d.group.context)),
    ("cookie", Value(|d, value| d.cookie(value))),
    ("create-dirs", Switch(|d| &mut d.group.output.create_dirs)),
    ("data", Part(|d, value| d.without_line_ends(value), "&", |d| &mut d.group.post)),
    ("data-ascii", Part(|d, value| d.without_line_ends(value), "&", |d| &mut d.group.post)),
    ("data-binary", Part(|d, value| d.text_or_file(value), "&", |d| &mut d.group.post)),
    ("data-raw", Part(|_, value| Ok(value.to_vec()), "&", |d| &mut d.group.post)),
    ("data-urlencode", Part(|d, value| d.urlencoded(value), "&", |d| &mut d.group.post)),
    ("demo", Turn(demo)),
    ("demux", Switch(|d| &mut d.group.stages.demux)),
    ("disable", Always),
    ("disallow-username-in-url", Switch(|d| &mut d.group.request.refuse_url_user)),
    ("dump-header", Text(|d| &mut d.group.dump_header)),
    ("endpoint", Text(|d| &mut d.group.endpoint)),
    ("expect100-timeout", Number(milliseconds, |d| &mut d.group.expect100_timeout_ms)),
    ("explain", Put(|d, how| d.global.explain = Some(explain(how)))),
    ("fail", Turn(|d, on| d.fail(false, on))),
    ("fail-early", Switch(|d| &mut d.global.fail_early)),
    ("fail-stream", Switch(|d| &mut d.group.stages.fail_stream)),
    ("fail-with-body", Turn(|d, on| d.fail(true, on))),
    ("generate", End(|kind| NoTransfer::Generate(kind.unwrap_or_default().to_vec()))),
    ("get", Switch(|d| &mut d.group.get)),
    ("globoff", Always),
    ("head", Turn(|d, on| d.head(on))),
    ("header", Put(|d, value| d.header(value))),
    ("help", End(|topic| NoTransfer::Help(topic.map(<[u8]>::to_vec)))),
    ("hijack", Switch(|d| &mut d.group.request.hijack)),
    ("http1.0", Put(|d, _| d.http_version(true))),
    ("http1.1", Put(|d, _| d.http_version(false))),
    ("ignore-content-length", Switch(|d| &mut d.group.request.ignore_content_length)),
    ("include", Switch(|d| &mut d.group.output.include)),
    ("json", Part(|d, value| d.json(value), "", |d| &mut d.group.post)),
    ("location", Switch(|d| &mut d.group.location)),
    ("location-trusted", Turn(location_trusted)),
    ("manual", End(|_| NoTransfer::Manual)),
    ("max-filesize", Number(size, |d| &mut d.group.max_filesize)),
    ("max-redirs", Value(max_redirs)),
    ("max-time", Number(milliseconds, |d| &mut d.group.max_time_ms)),
    ("negotiate-api", Switch(|d| &mut d.group.request.negotiate_api)),
    ("next", Put(|d, _| d.next_group())),
    ("no-buffer", Always),
    ("no-clobber", Negated(|d| &mut d.group.output.no_clobber)),
    ("no-keepalive", Only(false, "cannot be had: std sets no TCP keepalive")),
    ("no-progress-meter", Negated(|d| &mut d.global.no_progress_meter)),
    ("noproxy", Always),
    ("oauth2-bearer", Text(|d| &mut d.group.bearer)),
    ("output", Value(|d, value| d.output(value))),
    ("output-dir", Text(|d| &mut d.group.output_dir)),
    ("path-as-is", Switch(|d| &mut d.group.request.path_as_is)),
    ("post301", Switch(|d| &mut d.group.post301)),
    ("post302", Switch(|d| &mut d.group.post302)),
    ("post303", Switch(|d| &mut d.group.post303)),
    ("pretty", Switch(|d| &mut d.group.stages.pretty)),
    ("progress-bar", Switch(|d| &mut d.global.progress_bar)),
    ("proxy-command", Text(|d| &mut d.group.proxy_command)),
    ("range", Value(|d, value| d.range(value))),
    ("raw", Switch(|d| &mut d.group.request.raw)),
    ("referer", Put(|d, value| d.referer(value))),
    ("remote-name", Turn(|d, on| d.remote_name(on))),
    ("remote-name-all", Switch(|d| &mut d.group.remote_name_all)),
    ("remove-on-error", Switch(|d| &mut d.group.output.remove_on_error)),
    ("request", Text(|d| &mut d.group.request.method)),
    ("request-target", Text(|d| &mut d.group.request.target)),
    ("retry", Number(whole, |d| &mut d.group.retry)),
    ("retry-all-errors", Switch(|d| &mut d.group.retry_all_errors)),
    ("retry-connrefused", Switch(|d| &mut d.group.retry_connrefused)),
    ("retry-delay", Number(seconds, |d| &mut d.group.retry_delay)),
    ("retry-max-time", Number(seconds, |d| &mut d.group.retry_max_time)),
    ("select", Value(select)),
    ("show-error", Switch(|d| &mut d.global.show_error)),
    ("show-headers", Switch(|d| &mut d.group.output.include)),
    ("silent", Switch(|d| &mut d.global.silent)),
    ("speed-limit", Value(speed_limit)),
    ("speed-time", Value(speed_time)),
    ("stderr", Text(|d| &mut d.global.stderr)),
    ("styled-output", Negated(|d| &mut d.global.no_styled_output)),
    ("tcp-nodelay", Only(true, "cannot be had: small packets are always sent at once")),
    ("trace", Put(|d, file| d.trace(Trace::Hex(file.to_vec())))),
    ("trace-ascii", Put(|d, file| d.trace(Trace::Ascii(file.to_vec())))),
    ("trace-time", Switch(|d| &mut d.global.trace_time)),
    ("unix-socket", Put(|d, path| d.group.socket = Some(Socket::Path(path.to_vec())))),
    ("upload-file", Put(|d, value| d.upload(value))),
    ("url", Put(|d, value| d.url(value))),
    ("url-query", Part(|d, value| d.query(value), "&", |d| &mut d.group.query)),
    ("user", Text(|d| &mut d.group.user)),
    ("user-agent", Text(|d| &mut d.group.user_agent)),
    ("verbose", Turn(verbose)),
    ("version", End(|_| NoTransfer::Version)),
    ("write-out", Value(|d, value| d.write_out(value))),
];

/// The first row of the table is the command itself.
const _: () = {
    let mut at = 0;
    while at < ACTIONS.len() {
        assert!(flags::row_is(1 + at, ACTIONS[at].0), "not the order of flags.txt");
        at += 1;
    }
};

/// How the table's `[=bytes]` and nothing are told apart.
fn explain(how: &[u8]) -> Explain {
    if how.is_empty() { Explain::Lines } else { Explain::Bytes }
}

fn demo(draft: &mut Draft<'_>, on: bool) -> Result<(), Wrong> {
    if cfg!(not(feature = "commands")) {
        return Err(Wrong::Refused(ABSENT.to_owned()));
    }
    draft.global.demo = on;
    Ok(())
}

fn location_trusted(draft: &mut Draft<'_>, on: bool) -> Result<(), Wrong> {
    (draft.group.location, draft.group.location_trusted) = (on, on);
    Ok(())
}

fn max_redirs(draft: &mut Draft<'_>, value: &[u8]) -> Result<(), Wrong> {
    draft.group.max_redirs = integer(value).and_then(|number| match number {
        -1.. => Ok(number),
        _ => Err(NOT_A_NUMBER),
    })?;
    Ok(())
}

fn select(draft: &mut Draft<'_>, value: &[u8]) -> Result<(), Wrong> {
    let pointer = Pointer::parse(&String::from_utf8_lossy(value));
    draft.group.stages.select = Some(pointer.map_err(|error| Wrong::Refused(error.to_string()))?);
    Ok(())
}

fn speed_limit(draft: &mut Draft<'_>, value: &[u8]) -> Result<(), Wrong> {
    draft.group.speed_limit = whole(value)?;
    if draft.group.speed_time == 0 {
        draft.group.speed_time = 30;
    }
    Ok(())
}

fn speed_time(draft: &mut Draft<'_>, value: &[u8]) -> Result<(), Wrong> {
    draft.group.speed_time = whole(value)?;
    if draft.group.speed_limit == 0 {
        draft.group.speed_limit = 1;
    }
    Ok(())
}

fn verbose(draft: &mut Draft<'_>, on: bool) -> Result<(), Wrong> {
    draft.trace(if on { Trace::Plain } else { Trace::None });
    Ok(())
}
