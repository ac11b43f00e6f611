//! Limits on clients.

use std::time::Duration;

/// Limits on clients. `None` is no limit. Time limits do not apply to an
/// [`Upgraded`](crate::connection::Upgraded) connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Limits {
    pub(crate) connections: usize,
    pub(crate) overhead: usize,
    pub(crate) content: Option<u64>,
    pub(crate) head: Option<Duration>,
    pub(crate) idle: Option<Duration>,
    pub(crate) silence: Option<Duration>,
}

impl Limits {
    /// Sets the number of connections at a time: 512 unless set. Each costs a thread, a descriptor
    /// and about 20 KiB.
    pub fn connections(self, connections: usize) -> Limits {
        Limits { connections, ..self }
    }

    /// Sets the number of bytes of a request that are not content: 128 KiB unless set.
    pub fn overhead(self, overhead: usize) -> Limits {
        Limits { overhead, ..self }
    }

    /// Sets the number of bytes of content of a request. By default there is no limit, because the
    /// server does not keep content in memory.
    pub fn content(self, limit: impl Into<Option<u64>>) -> Limits {
        Limits { content: limit.into(), ..self }
    }

    /// Sets the time from the first byte of a head to its last: 30 s unless set.
    pub fn head(self, limit: impl Into<Option<Duration>>) -> Limits {
        Limits { head: limit.into(), ..self }
    }

    /// Sets the time between a response and the next request: 60 s unless set.
    pub fn idle(self, limit: impl Into<Option<Duration>>) -> Limits {
        Limits { idle: limit.into(), ..self }
    }

    /// Sets the time without progress inside a request's body or while a response is sent: 60 s
    /// unless set.
    pub fn silence(self, limit: impl Into<Option<Duration>>) -> Limits {
        Limits { silence: limit.into(), ..self }
    }
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
