//! What happens on the connections of a relay, live or recorded, and its reading as HTTP.

use crate::traffic::{Conversation, Event, Side};
use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

/// Something that happened on a connection.
#[derive(Debug)]
pub(crate) struct News {
    pub connection: u64,
    /// The time since the start.
    pub at: Duration,
    pub what: What,
}

#[derive(Debug)]
pub(crate) enum What {
    Opened,
    /// The client was rejected.
    Refused(String),
    /// One read from a side returned this number of bytes.
    Bytes(Side, usize),
    /// One side ended, properly or with an error.
    Ended(Side, Option<io::Error>),
    Closed,
}

/// The conversations of the open connections.
#[derive(Debug)]
pub(super) struct Conversations {
    /// Whether those that begin mask secrets.
    pub cover: bool,
    open: BTreeMap<u64, Conversation>,
}

impl Conversations {
    pub fn new(cover: bool) -> Conversations {
        Conversations { cover, open: BTreeMap::new() }
    }

    /// Passes what happened to `see`, after the messages in the `bytes` of a read.
    pub fn read(&mut self, news: &News, bytes: &[u8], see: &mut dyn FnMut(&Event<'_>)) {
        let News { connection, at, what } = news;
        if let What::Refused(why) = what {
            return see(&Event::Refused(why));
        }
        let begin = || Conversation::new(self.cover);
        let conversation = self.open.entry(*connection).or_insert_with(begin);
        match what {
            What::Opened => see(&Event::Opened),
            What::Bytes(side, _) => conversation.bytes(*side, *at, bytes, see),
            What::Ended(side, error) => conversation.end(*side, *at, error.as_ref(), see),
            What::Closed => {
                conversation.close(see);
                self.open.remove(connection);
            }
            What::Refused(_) => {}
        }
    }
}
