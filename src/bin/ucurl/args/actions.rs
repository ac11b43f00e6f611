//! What each flag does with the configuration.

use super::config::{ABSENT, Trace};
use super::draft::Draft;
use super::flags::Flag;
use super::numbers::{NOT_A_NUMBER, integer, milliseconds, size, whole};
use super::wrong::{NoTransfer, wrong};

const NO_KEEPALIVE: &str = "is not supported: std cannot set TCP keepalive";
const NO_DELAY: &str = "is not supported: small packets are always sent at once";

/// Applies one flag; `value` is empty for a flag without a value.
pub fn apply(draft: &mut Draft, flag: Flag, on: bool, value: &[u8]) -> Result<(), NoTransfer> {
    let name = flag.written();
    if let Some(field) = switch(draft, name) {
        *field = on;
    } else if let Some(field) = text(draft, name) {
        *field = Some(value.to_vec());
    } else {
        other(draft, flag, on, value)?;
    }
    Ok(())
}

/// Returns the field of a flag that is on or off.
fn switch<'d>(draft: &'d mut Draft, name: &str) -> Option<&'d mut bool> {
    let (global, group) = (&mut draft.global, &mut draft.group);
    Some(match name {
        "basic" => &mut group.basic,
        "create-dirs" => &mut group.output.create_dirs,
        "demux" => &mut group.stages.demux,
        "disallow-username-in-url" => &mut group.request.refuse_url_user,
        "fail-early" => &mut global.fail_early,
        "fail-stream" => &mut group.stages.fail_stream,
        "get" => &mut group.get,
        "hijack" => &mut group.request.hijack,
        "ignore-content-length" => &mut group.request.ignore_content_length,
        "include" | "show-headers" => &mut group.output.include,
        "location" => &mut group.location,
        "negotiate-api" => &mut group.request.negotiate_api,
        "path-as-is" => &mut group.request.path_as_is,
        "post301" => &mut group.post301,
        "post302" => &mut group.post302,
        "post303" => &mut group.post303,
        "pretty" => &mut group.stages.pretty,
        "progress-bar" => &mut global.progress_bar,
        "raw" => &mut group.request.raw,
        "remote-name-all" => &mut group.remote_name_all,
        "remove-on-error" => &mut group.output.remove_on_error,
        "retry-all-errors" => &mut group.retry_all_errors,
        "retry-connrefused" => &mut group.retry_connrefused,
        "show-error" => &mut global.show_error,
        "silent" => &mut global.silent,
        "trace-time" => &mut global.trace_time,
        _ => return None,
    })
}

/// Returns the field of a flag whose value is kept as it is.
fn text<'d>(draft: &'d mut Draft, name: &str) -> Option<&'d mut Option<Vec<u8>>> {
    let group = &mut draft.group;
    Some(match name {
        "context" => &mut group.context,
        "dump-header" => &mut group.dump_header,
        "endpoint" => &mut group.endpoint,
        "explain" => &mut draft.global.explain,
        "oauth2-bearer" => &mut group.bearer,
        "output-dir" => &mut group.output_dir,
        "proxy-command" => &mut group.proxy_command,
        "request" => &mut group.request.method,
        "request-target" => &mut group.request.target,
        "select" => &mut group.stages.select,
        "stderr" => &mut draft.global.stderr,
        "user" => &mut group.user,
        "user-agent" => &mut group.user_agent,
        _ => return None,
    })
}

fn other(draft: &mut Draft, flag: Flag, on: bool, value: &[u8]) -> Result<(), NoTransfer> {
    let group = &mut draft.group;
    match flag.written() {
        // ucurl always works that way.
        "disable" | "globoff" | "insecure" | "no-buffer" | "noproxy" => {}
        "help" | "manual" | "version" | "no-keepalive" if !on => {}
        "tcp-nodelay" if on => {}
        "abstract-unix-socket" => {
            (group.abstract_socket, group.unix_socket) = (Some(value.to_vec()), None);
        }
        "connect-timeout" => group.connect_timeout_ms = some(milliseconds(value)?),
        "cookie" => draft.cookie(value)?,
        "data" | "data-ascii" | "data-binary" | "data-raw" | "data-urlencode" | "json" => {
            draft.content(flag.written(), value)?;
        }
        "demo" if cfg!(not(feature = "commands")) => return Err(wrong(ABSENT)),
        "demo" => draft.global.demo = on,
        "expect" => group.stages.expect.push(value.to_vec()),
        "expect100-timeout" => group.expect100_timeout_ms = milliseconds(value)?,
        "fail" => (group.fail, group.fail_with_body) = (on, false),
        "fail-with-body" => (group.fail, group.fail_with_body) = (false, on),
        "head" => draft.head(on)?,
        "header" => draft.header(value)?,
        "http1.0" => draft.http_version(true),
        "http1.1" => draft.http_version(false),
        "location-trusted" => (group.location, group.location_trusted) = (on, on),
        "max-filesize" => group.max_filesize = some(size(value)?),
        "max-redirs" => group.max_redirs = redirects(value)?,
        "max-time" => group.max_time_ms = some(milliseconds(value)?),
        "next" => draft.next_group()?,
        "no-clobber" => group.output.no_clobber = !on,
        "no-keepalive" => return Err(wrong(NO_KEEPALIVE)),
        "no-progress-meter" => draft.global.no_progress_meter = !on,
        "output" => draft.output(value)?,
        "range" => draft.range(value)?,
        "referer" => draft.referer(value),
        "remote-name" if on || group.remote_name_all => draft.output_to(None, on),
        "remote-name" => {}
        "retry" => group.retry = whole(value)?,
        "retry-delay" => group.retry_delay_ms = some(milliseconds(value)?),
        "retry-max-time" => group.retry_max_time_ms = some(milliseconds(value)?),
        "speed-limit" => speed(&mut group.speed_limit, value, &mut group.speed_time, 30)?,
        "speed-time" => speed(&mut group.speed_time, value, &mut group.speed_limit, 1)?,
        "styled-output" => draft.global.no_styled_output = !on,
        "tcp-nodelay" => return Err(wrong(NO_DELAY)),
        "trace" => draft.trace(Trace::Hex(value.to_vec())),
        "trace-ascii" => draft.trace(Trace::Ascii(value.to_vec())),
        "unix-socket" => (group.unix_socket, group.abstract_socket) = (Some(value.to_vec()), None),
        "upload-file" => draft.node(|node| node.upload.is_none()).upload = Some(value.to_vec()),
        "url" => draft.url_flag(value)?,
        "url-query" => draft.query(value)?,
        "verbose" => draft.trace(if on { Trace::Plain } else { Trace::None }),
        "write-out" => draft.write_out(value)?,
        // Turning off an unsupported flag changes nothing, and neither does an empty proxy.
        "proxy" if value.is_empty() => {}
        _ if flag.is_out() && !on => {}
        _ => return Err(format!("is not supported: {}", flag.reason()).into()),
    }
    Ok(())
}

/// Sets `--speed-limit` or `--speed-time`, and the other one to its default.
fn speed(field: &mut u64, value: &[u8], other: &mut u64, default: u64) -> Result<(), NoTransfer> {
    *field = whole(value)?;
    if *other == 0 {
        *other = default;
    }
    Ok(())
}

/// Reads the number of `--max-redirs`: -1 means no limit.
fn redirects(value: &[u8]) -> Result<Option<u64>, NoTransfer> {
    match integer(value)? {
        -1 => Ok(None),
        number => u64::try_from(number).map(Some).map_err(|_| NOT_A_NUMBER),
    }
}

/// Reads 0 as no limit.
fn some(number: u64) -> Option<u64> {
    (number > 0).then_some(number)
}
