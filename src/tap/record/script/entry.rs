//! What a script is made of: a command, and requests with what is to be known of their answers.

use super::spool::{Disk, Spool};
use crate::traffic::{Exchange, Side};
use std::sync::Arc;
use std::time::Duration;

/// Which command the script is made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tool {
    /// `ucurl`, which opens up Docker's frames and can attach.
    #[default]
    Ucurl,
    /// `curl`, which is everywhere: frames stay as they are, and what was typed into a container is
    /// left out.
    Curl,
}

/// One request, and what is to be known of its answer.
pub(super) struct Entry {
    pub name: String,
    pub began: Duration,
    /// When its answer had ended; never, where it was broken off.
    pub ended: Option<Duration>,
    pub method: String,
    pub target: Vec<u8>,
    pub fields: Vec<(String, Vec<u8>)>,
    pub body: Spool,
    /// Whether it became a tunnel, and what the client said in it.
    pub tunnel: bool,
    pub stdin: Spool,
    pub status: u16,
    pub reply: Vec<u8>,
}

impl Entry {
    pub(super) fn new(connection: u64, at: Duration, x: &Exchange, disk: &Arc<Disk>) -> Entry {
        const OF_THE_CONNECTION: &[&str] = &[
            "host",
            "connection",
            "upgrade",
            "user-agent",
            "content-length",
            "transfer-encoding",
            "expect",
            "accept-encoding",
            "te",
            "trailer",
        ];
        let fields = x.fields(Side::Client).into_iter().flat_map(|fields| fields.iter());
        let fields = fields.filter(|field| {
            !OF_THE_CONNECTION.iter().any(|name| name.eq_ignore_ascii_case(field.name()))
        });
        Entry {
            name: format!("{connection}.{}", x.number),
            began: x.sent.began.unwrap_or(at),
            ended: None,
            method: x.method().to_owned(),
            target: x.target().to_vec(),
            fields: fields.map(|field| (field.name().to_owned(), field.value().to_vec())).collect(),
            body: Spool::new(disk),
            tunnel: false,
            stdin: Spool::new(disk),
            status: 0,
            reply: Vec::new(),
        }
    }
}
