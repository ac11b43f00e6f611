//! Bytes that a client sends after a request for an upgrade.
//!
//! Until the response arrives, they may belong to the other protocol or to another request, so
//! secrets of both kinds are masked.

use super::{Conversation, See};
use crate::traffic::event::Event;
use crate::traffic::exchange::Side;
use crate::traffic::lane::Reading;
use crate::traffic::secrets::{BodyMask, HeadMask};

/// How many bytes are held back until the response.
const HELD_LIMIT: usize = 64 * 1024;

impl Conversation {
    /// Holds bytes back, and masks the secrets of both interpretations in `bytes`.
    pub(super) fn hold(&mut self, bytes: &mut [u8], see: &mut See<'_>) {
        let lane = &mut self.lanes[Side::Client as usize];
        lane.cover.lines(bytes);
        let Reading::Held(held, error) = &mut lane.reading else { return };
        held.extend_from_slice(bytes);
        if held.len() > HELD_LIMIT && error.is_some() {
            self.lose(Side::Client, bytes);
        } else if held.len() > HELD_LIMIT {
            // This many bytes are probably a tunnel. They are masked because that is not certain.
            let mut held = std::mem::take(held);
            lane.reading = Reading::Tunnel;
            lane.cover.body.run(bytes);
            lane.cover.again().unknown(&mut held);
            self.tell_tunnel(Side::Client, &held, see);
        } else {
            lane.cover.body.run(bytes);
        }
    }

    fn begin_tunnel(&mut self, number: u64, mut held: Vec<u8>, see: &mut See<'_>) {
        let lane = self.lane(Side::Client);
        (lane.reading, lane.number) = (Reading::Tunnel, number);
        if !held.is_empty() {
            self.through_tunnel(Side::Client, &mut held, see);
        }
    }

    /// Reads the held bytes as the response requires.
    pub(super) fn release(&mut self, see: &mut See<'_>) {
        let (tunnel, lane) = (self.tunnel, &mut self.lanes[Side::Client as usize]);
        let (mut held, error) = match (&mut lane.reading, tunnel) {
            (Reading::Held(held, error), _) => (std::mem::take(held), *error),
            // No request can follow, so this is not a head.
            (Reading::Head, Some(_)) => (std::mem::take(self.requests.partial()), None),
            _ => return,
        };
        match (tunnel, error) {
            (Some(number), _) => self.begin_tunnel(number, held, see),
            (None, Some(_)) if self.awaiting().is_some() => {
                self.lane(Side::Client).reading = Reading::Held(held, error);
                return;
            }
            (None, Some(error)) => {
                self.lose(Side::Client, &mut []);
                see(&Event::Fault(None, Side::Client, error.into()));
            }
            (None, None) => {
                let lane = self.lane(Side::Client);
                lane.reading = Reading::Head;
                lane.cover.head = HeadMask::default();
                self.read(Side::Client, &mut held, see);
            }
        }
        // The held bytes may contain another request for an upgrade.
        let held = matches!(self.lane(Side::Client).reading, Reading::Held(..));
        if let (Some((at, in_order)), false) = (self.ends_held, held) {
            self.ends_held = None;
            let now = std::mem::replace(&mut self.now, at);
            self.finish(Side::Client, in_order, see);
            self.now = now;
        }
    }

    /// Returns the beginning of an incomplete head.
    pub(super) fn partial(&mut self, side: Side) -> &mut Vec<u8> {
        match side {
            Side::Client => self.requests.partial(),
            Side::Server => self.responses.partial(),
        }
    }

    pub(super) fn through_tunnel(&mut self, side: Side, bytes: &mut [u8], see: &mut See<'_>) {
        if self.exchange(side).is_some_and(|exchange| exchange.is_opaque()) {
            self.lane(side).cover.begin(BodyMask::All);
            self.lane(side).cover.body.run(bytes);
        } else if self.tunnel.is_none() {
            self.lane(side).cover.unknown(bytes);
        }
        self.tell_tunnel(side, bytes, see);
    }

    fn tell_tunnel(&mut self, side: Side, bytes: &[u8], see: &mut See<'_>) {
        if let Some(exchange) = self.count(side, |sizes| sizes.tunnel += bytes.len() as u64) {
            see(&Event::Tunnel(exchange, side, bytes));
        }
    }
}
