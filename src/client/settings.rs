//! What all requests of a client share.

use super::observer::{ClientEvent, ClientObserver};
use super::pool::{Pool, Wire};
use crate::transport::{Endpoint, Timeouts};
use crate::wire::target::not_a_host;
use crate::wire::{EncodeError, Fields, Violation};

#[derive(Debug)]
pub(super) struct Inner {
    pub settings: Settings,
    pub pool: Pool,
}

#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub endpoint: Endpoint,
    pub opening: Result<Fields, EncodeError>,
    pub prefix: String,
    pub timeouts: Timeouts,
    pub limit: usize,
    pub max_idle: usize,
    pub observer: Option<ClientObserver>,
    pub observes_bodies: bool,
}

impl Inner {
    /// Takes a kept connection that can carry another request.
    pub fn take(&self) -> Option<Box<Wire>> {
        loop {
            let wire = self.pool.take()?;
            if wire.is_usable() {
                return Some(wire);
            }
            self.close(wire);
        }
    }

    /// Keeps a connection for the next request if there is room, or closes it.
    pub fn keep(&self, wire: Box<Wire>) {
        let number = wire.number;
        match self.pool.keep(wire) {
            Ok(()) => self.settings.tell(ClientEvent::Kept(number)),
            Err(wire) => self.close(wire),
        }
    }

    pub fn close(&self, wire: Box<Wire>) {
        let number = wire.number;
        self.pool.close(wire);
        self.settings.tell(ClientEvent::Closed(number));
    }
}

impl Settings {
    pub fn tell(&self, event: ClientEvent<'_>) {
        if let Some(observer) = &self.observer {
            (observer.0)(&event);
        }
    }
}

/// Makes the fields that a request begins with unless the caller sets them.
pub(super) fn opening(host: &str) -> Result<Fields, EncodeError> {
    if let Some(offset) = not_a_host(host.as_bytes()) {
        return Err(EncodeError { violation: Violation::Host, offset });
    }
    let mut fields = Fields::new();
    fields.push("Host", host)?;
    fields.push("User-Agent", concat!("unix-http/", env!("CARGO_PKG_VERSION")))?;
    Ok(fields)
}
