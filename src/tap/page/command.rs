//! The command that makes an exchange's request again, for copying.

use super::kept::{ContentKind, KeptExchange};
use crate::tap::record::command::{RepeatedRequest, Tool, is_inline, quoted, repeated_fields};
use crate::traffic::Side;
use crate::transport::Endpoint;
use std::os::unix::ffi::OsStrExt;

/// Returns the command. It is empty if no command can make the request: its content is binary or
/// not kept completely, or it asks for an upgrade, which curl does not support.
pub(super) fn command(tool: Tool, kept: &KeptExchange, target: &Endpoint) -> String {
    let x = &kept.x;
    let whole = kept.x.sent.complete && kept.x.sent.content == content(kept).len() as u64;
    let Some((place, origin)) = place(tool, target) else { return String::new() };
    if x.request.is_none() || !whole || !is_inline(&content(kept)) {
        return String::new();
    }
    if tool == Tool::Curl && x.asks_for_tunnel() {
        return String::new();
    }
    let mut words = place;
    let frames = tool == Tool::Ucurl && kept.named_kind(Side::Server) == ContentKind::Frames;
    let options = [
        ("--hijack", x.asks_for_tunnel()),
        ("--demux", frames),
        ("-g", tool == Tool::Curl && x.target().iter().any(|b| b"[]{}".contains(b))),
        ("--path-as-is", x.target().windows(2).any(|two| two == b"/.")),
    ];
    words.extend(options.iter().filter(|(_, on)| *on).map(|(option, _)| (*option).to_owned()));
    let content = content(kept);
    let request = RepeatedRequest {
        method: x.method(),
        target: x.target(),
        fields: &repeated_fields(x.fields(Side::Client)),
        body: (!content.is_empty()).then(|| quoted(&content)),
        origin: &origin,
    };
    words.extend(request.words(&|text| quoted(text)));
    words.join(" ")
}

/// Returns the content of the request, as far as it was kept.
fn content(kept: &KeptExchange) -> Vec<u8> {
    let sent = kept.pieces().filter(|(piece, _)| piece.side == Side::Client && !piece.upgraded);
    sent.flat_map(|(_, bytes)| bytes).copied().collect()
}

/// Returns the words that name the program and the engine, and the beginning of the URL.
fn place(tool: Tool, target: &Endpoint) -> Option<(Vec<String>, String)> {
    let program = if tool == Tool::Curl { "curl" } else { "ucurl" };
    let localhost = if tool == Tool::Curl { "http://localhost" } else { "" };
    let option = |name: &str, value: &[u8]| {
        Some((vec![program.into(), format!("{name} {}", quoted(value))], localhost.into()))
    };
    match target {
        Endpoint::Unix(path) => option("--unix-socket", path.as_os_str().as_bytes()),
        Endpoint::Abstract(name) => option("--abstract-unix-socket", name),
        Endpoint::Tcp { host, port } => {
            let host = if host.contains(':') { format!("[{host}]") } else { host.clone() };
            Some((vec![program.into()], format!("http://{host}:{port}")))
        }
        _ if tool == Tool::Curl => None,
        other => {
            let variable = format!("DOCKER_HOST={}", quoted(other.to_string().as_bytes()));
            Some((vec![variable, program.into()], String::new()))
        }
    }
}
