//! Connecting to a TCP port of a host with one or more addresses.

use super::cause::{Cause, ConnectErrorKind as Kind};
use super::deadline::{Limit, Timeout, rounded, within};
use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

// `docker::tls` reports these causes too.
pub(crate) const REFUSED: &str =
    "no process is listening on this port; start the server or check the port";
pub(crate) const NO_ANSWER: &str =
    "no answer; a firewall may drop the packets, or the host is down";
pub(crate) const NO_ROUTE: &str =
    "no route to the host; check the address and this machine's network";

/// Connects to the first address of `host` that answers.
pub(super) fn connect(
    host: &str,
    port: u16,
    timeout: Option<Duration>,
) -> Result<TcpStream, Cause> {
    let start = Instant::now();
    let addresses = look_up(host, port, timeout).map_err(explain_look_up)?;
    let mut failures = Vec::new();
    for (n, address) in addresses.iter().enumerate() {
        let share = match timeout.map(|limit| limit.saturating_sub(start.elapsed())) {
            Some(Duration::ZERO) => break,
            left => left.map(|left| share(left, addresses.len() - n)),
        };
        let connected = match share {
            Some(share) => TcpStream::connect_timeout(address, share),
            None => TcpStream::connect(address),
        };
        match connected.and_then(|socket| socket.set_nodelay(true).map(|()| socket)) {
            Ok(socket) => return Ok(socket),
            Err(error) => failures.push((*address, error)),
        }
    }
    Err(explain_all(failures, timeout.filter(|limit| start.elapsed() >= *limit)))
}

/// Returns an equal share of the remaining time, but at least 1 s.
fn share(left: Duration, addresses: usize) -> Duration {
    let equal = left / u32::try_from(addresses).unwrap_or(u32::MAX);
    equal.max(Duration::from_secs(1)).min(left)
}

fn look_up(host: &str, port: u16, timeout: Option<Duration>) -> io::Result<Vec<SocketAddr>> {
    if let Ok(ip) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(ip, port)]);
    }
    let host = host.to_owned();
    let ask = move || (host.as_str(), port).to_socket_addrs().map(Iterator::collect);
    match timeout {
        None => ask(),
        Some(limit) => within(limit, ask),
    }
}

fn explain_look_up(error: io::Error) -> Cause {
    let text = error.to_string();
    let cause = text.trim_start_matches("failed to lookup address information: ");
    let (kind, why) = match Timeout::of(&error) {
        Some(timeout) => (
            Kind::TimedOut,
            format!("the host name was not resolved within {:?}", rounded(timeout.after)),
        ),
        None => (
            Kind::UnknownHost,
            format!("the host name cannot be resolved ({cause}); check its spelling"),
        ),
    };
    Cause::new(kind, why).from(error)
}

/// Joins the errors of all addresses. `over` is the timeout, if it was reached.
fn explain_all(failures: Vec<(SocketAddr, io::Error)>, over: Option<Duration>) -> Cause {
    let one = failures.len() == 1;
    let (mut kind, mut source) = (Kind::UnknownHost, None);
    let mut lines = Vec::new();
    for (address, error) in failures {
        let cause = explain(error);
        lines.push(if one { cause.why } else { format!("{address}: {}", cause.why) });
        (kind, source) = (cause.kind, cause.source);
    }
    if lines.is_empty() {
        lines.push("no address was tried".to_owned());
    }
    if let Some(limit) = over {
        kind = Kind::TimedOut;
        lines.push(format!("the limit of {:?} was reached", rounded(limit)));
        source = Some(Timeout { limit: Limit::Connect, after: limit }.into());
    }
    Cause { kind, why: lines.join("; "), source }
}

fn explain(error: io::Error) -> Cause {
    let (kind, why) = match error.kind() {
        ErrorKind::ConnectionRefused => (Kind::NobodyListens, REFUSED),
        ErrorKind::TimedOut => (Kind::TimedOut, NO_ANSWER),
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => (Kind::Other, NO_ROUTE),
        ErrorKind::PermissionDenied => {
            (Kind::PermissionDenied, "a local firewall or security module refuses the connection")
        }
        _ => (Kind::Other, &*error.to_string()),
    };
    Cause::new(kind, why).from(error)
}
