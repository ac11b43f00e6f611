//! Limits on clients.

use std::time::Duration;

/// Limits on clients. `None` is no limit. Time limits do not apply to an
/// [`Upgraded`](crate::connection::Upgraded) connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections at a time: 512. Each costs a thread, a descriptor and about 20 KiB.
    pub connections: usize,
    /// Bytes of a request that are not content: 128 KiB.
    pub overhead: usize,
    /// Bytes of content of a request: no limit, because the server does not keep them in memory.
    pub content: Option<u64>,
    /// Time from the first byte of a head to its last: 30 s.
    pub head: Option<Duration>,
    /// Time between a response and the next request: 60 s.
    pub idle: Option<Duration>,
    /// Time without progress inside a request's body or while sending a response: 60 s.
    pub silence: Option<Duration>,
}

impl Default for Limits {
    fn default() -> Limits {
        let minute = Some(Duration::from_secs(60));
        Limits {
            connections: 512,
            overhead: 128 * 1024,
            content: None,
            head: Some(Duration::from_secs(30)),
            idle: minute,
            silence: minute,
        }
    }
}
