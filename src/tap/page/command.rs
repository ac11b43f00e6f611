//! The command that makes an exchange's request again, for copying.

use super::kept::{ContentKind, KeptExchange};
use crate::tap::record::command::{RepeatedRequest, Tool, is_inline, quoted, repeated_fields};
use crate::traffic::Side;
use crate::transport::{Endpoint, host_and_port};
use std::os::unix::ffi::OsStrExt;

/// Returns the command. It is empty if no command can make the request: its content is binary or
/// not kept completely, or it asks for an upgrade, which curl does not support.
pub(super) fn command(tool: Tool, kept: &KeptExchange, target: &Endpoint) -> String {
    let x = &kept.x;
    let Some((mut words, origin)) = place(tool, target) else { return String::new() };
    // The bytes of a tunnel follow the content.
    let content = kept.bytes(Side::Client).take(x.sent.content as usize).collect::<Vec<u8>>();
    let whole = x.sent.complete && content.len() as u64 == x.sent.content;
    let unable = tool == Tool::Curl && x.asks_for_tunnel();
    if x.request.is_none() || unable || !whole || !is_inline(&content) {
        return String::new();
    }
    let frames = tool == Tool::Ucurl && kept.named_kind(Side::Server) == ContentKind::Frames;
    let options = [
        ("--hijack", x.asks_for_tunnel()),
        ("--demux", frames),
        ("-g", tool == Tool::Curl && x.target().iter().any(|b| b"[]{}".contains(b))),
        ("--path-as-is", x.target().windows(2).any(|two| two == b"/.")),
    ];
    words.extend(options.iter().filter(|(_, on)| *on).map(|(option, _)| (*option).to_owned()));
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
            let origin = format!("http://{}", host_and_port(host, *port));
            Some((vec![program.into()], origin))
        }
        _ if tool == Tool::Curl => None,
        other => {
            let variable = format!("DOCKER_HOST={}", quoted(other.to_string().as_bytes()));
            Some((vec![variable, program.into()], String::new()))
        }
    }
}
