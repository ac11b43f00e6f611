//! Replays a recording, or a HAR read as one, to an observer, as a relay showed the traffic.

use super::raw::{Recording, What};
use crate::traffic::{Conversation, Event, Observer, Side};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, ErrorKind, Read};

/// One connection: its conversation, and the bytes of both sides.
struct Played<'a> {
    conversation: Conversation,
    files: [Option<Box<dyn Read + 'a>>; 2],
}

impl Recording {
    /// Shows all events in order, with secrets masked if `cover` is set, and then
    /// [finishes](Observer::finish). Returns the observer's error.
    ///
    /// # Errors
    /// Fails if a file of the recording cannot be read.
    pub fn show(&self, cover: bool, observer: &dyn Observer) -> io::Result<Option<String>> {
        let mut open: BTreeMap<u64, Played<'_>> = BTreeMap::new();
        let mut bytes = Vec::new();
        for event in &self.events {
            let (number, at) = (event.connection, event.at);
            let see = &mut |event: &Event<'_>| observer.see(number, at, event);
            if let What::Open = event.what {
                let [client, server] =
                    [Side::Client, Side::Server].map(|side| self.side(number, side));
                let files = [client?, server?];
                open.insert(number, Played { conversation: Conversation::new(cover), files });
                see(&Event::Opened);
            }
            let Some(Played { conversation, files }) = open.get_mut(&number) else {
                if let What::Refused(why) = &event.what {
                    see(&Event::Refused(why));
                }
                continue;
            };
            match &event.what {
                What::Bytes(side, length) => {
                    bytes.clear();
                    if let Some(file) = &mut files[*side as usize] {
                        file.take(*length).read_to_end(&mut bytes)?;
                    }
                    conversation.bytes(*side, at, &bytes, see);
                }
                What::End(side, why) => {
                    let error = why.as_ref().map(|why| io::Error::other(why.clone()));
                    conversation.end(*side, at, error.as_ref(), see);
                }
                What::Closed => conversation.close(see),
                What::Refused(why) => see(&Event::Refused(why)),
                What::Open => {}
            }
        }
        Ok(observer.finish())
    }

    /// Opens the bytes of one side, unless it sent nothing.
    fn side(&self, number: u64, side: Side) -> io::Result<Option<Box<dyn Read + '_>>> {
        if let Some(memory) = &self.memory {
            let bytes = memory.get(&(number, side));
            return Ok(bytes.map(|bytes| Box::new(bytes.as_slice()) as Box<dyn Read>));
        }
        match File::open(self.file(number, side)) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            file => Ok(Some(Box::new(file?))),
        }
    }
}
