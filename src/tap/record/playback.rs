//! Replays a recording, or a HAR read as one, to an observer, as a relay showed the traffic.

use super::raw::Recording;
use crate::tap::news::{Conversations, News, What};
use crate::traffic::{Event, Observer, Side};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fs::File;
use std::io::{self, ErrorKind, Read};

impl Recording {
    /// Shows all events in order, with secrets masked if `cover` is set, and then
    /// [finishes](Observer::finish). Returns the observer's error.
    ///
    /// # Errors
    /// Fails if a file of the recording cannot be read.
    pub fn show(&self, cover: bool, observer: &dyn Observer) -> io::Result<Option<String>> {
        let mut conversations = Conversations::new(cover);
        self.for_each(|news, bytes| {
            let see = &mut |event: &Event<'_>| observer.see(news.connection, news.at, event);
            conversations.read(news, bytes, see);
        })?;
        Ok(observer.finish())
    }

    /// Passes each event to `take`, with the bytes of a read.
    pub(in crate::tap) fn for_each(&self, mut take: impl FnMut(&News, &[u8])) -> io::Result<()> {
        let mut open = BTreeMap::new();
        let mut bytes = Vec::new();
        for news in &self.events {
            bytes.clear();
            match news.what {
                What::Bytes(side, length) => {
                    let file = match open.entry((news.connection, side)) {
                        Entry::Occupied(open) => open.into_mut(),
                        Entry::Vacant(new) => new.insert(self.side(news.connection, side)?),
                    };
                    file.take(length as u64).read_to_end(&mut bytes)?;
                }
                What::Closed => open.retain(|(number, _), _| *number != news.connection),
                _ => {}
            }
            take(news, &bytes);
        }
        Ok(())
    }

    /// Opens the bytes of one side.
    fn side(&self, number: u64, side: Side) -> io::Result<Box<dyn Read + '_>> {
        if let Some(memory) = &self.memory {
            return Ok(Box::new(memory.get(&(number, side)).map_or(&[][..], Vec::as_slice)));
        }
        match File::open(self.file(number, side)) {
            Ok(file) => Ok(Box::new(file)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Box::new(io::empty())),
            Err(error) => Err(io::Error::new(error.kind(), format!("{number}.{side}: {error}"))),
        }
    }
}
