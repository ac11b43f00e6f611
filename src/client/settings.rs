//! What all requests of a client share.

use super::observer::{ClientEvent, ClientObserver};
use super::pool::Pool;
use crate::transport::{Endpoint, Timeouts};
use crate::wire::{EncodeError, Fields};
use std::sync::Arc;

#[derive(Debug)]
pub(super) struct Inner {
    pub settings: Settings,
    pub pool: Pool,
}

#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub endpoint: Endpoint,
    pub host: String,
    pub opening: Result<Opening, EncodeError>,
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

/// Host and User-Agent, encoded once for all requests of a client.
#[derive(Clone, Debug, Default)]
pub(super) struct Opening {
    pub fields: Fields,
    pub encoded: Vec<u8>,
}

impl Opening {
    pub fn new(host: &str) -> Result<Opening, EncodeError> {
        let mut opening = Opening::default();
        opening.fields.push("Host", host)?;
        opening.fields.push("User-Agent", concat!("unix-http/", env!("CARGO_PKG_VERSION")))?;
        opening.fields.encode(&mut opening.encoded);
        Ok(opening)
    }
}
