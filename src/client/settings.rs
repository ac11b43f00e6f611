//! What all requests of a client share.

use super::observer::{ClientEvent, ClientObserver};
use super::pool::Pool;
use crate::transport::{Endpoint, Timeouts};
use crate::wire::target::not_a_host;
use crate::wire::{EncodeError, ErrorKind, Fields};
use std::sync::Arc;

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
    pub observer: Option<Arc<dyn ClientObserver>>,
}

impl Settings {
    pub fn tell(&self, event: ClientEvent<'_>) {
        if let Some(observer) = &self.observer {
            observer.on(&event);
        }
    }
}

/// Makes the fields that a request begins with unless the caller sets them.
pub(super) fn opening(host: &str) -> Result<Fields, EncodeError> {
    if let Some(offset) = not_a_host(host.as_bytes()) {
        return Err(EncodeError { kind: ErrorKind::Host, offset });
    }
    let mut fields = Fields::new();
    fields.push("Host", host)?;
    fields.push("User-Agent", concat!("unix-http/", env!("CARGO_PKG_VERSION")))?;
    Ok(fields)
}
