//! Both sides of a connection, as the tap reads them. The input is the client's bytes, a line
//! `====`, and the server's bytes.

use super::{Pieces, bytewise};
use std::time::Duration;
use unix_http::traffic::{Conversation, Event, Side};

const BETWEEN: &[u8] = b"\n====\n";

pub fn check(bytes: &[u8]) {
    let at = bytes.windows(BETWEEN.len()).position(|window| window == BETWEEN);
    let (client, server) = match at {
        Some(at) => (&bytes[..at], &bytes[at + BETWEEN.len()..]),
        None => (bytes, &b""[..]),
    };
    let mut random = Pieces::of(bytes);
    for cover in [false, true] {
        let whole = read(cover, vec![(Side::Client, client), (Side::Server, server)]);
        for [client, server] in
            [[bytewise(client), bytewise(server)], [random.cut(client), random.cut(server)]]
        {
            let from_client = client.into_iter().map(|piece| (Side::Client, piece));
            let other = read(
                cover,
                from_client.chain(server.into_iter().map(|piece| (Side::Server, piece))).collect(),
            );
            assert_eq!(other.told.len(), whole.told.len());
            if !cover {
                assert_eq!(other.told, whole.told);
            }
            // Bytes that are not HTTP are masked from there on. In pieces, some have been shown by
            // then.
            if !cover || !whole.told.iter().any(|told| told.starts_with("fault")) {
                assert!(fits(cover, &other.client, &whole.client));
                assert!(fits(cover, &other.server, &whole.server));
            }
        }
        let (mut from_client, mut from_server) =
            (random.cut(client).into_iter(), random.cut(server).into_iter());
        let mut mixed = Vec::new();
        while from_client.len() + from_server.len() > 0 {
            let of_client = random.below(2) == 0;
            mixed.extend(match of_client {
                true => from_client.next().map(|piece| (Side::Client, piece)),
                false => from_server.next().map(|piece| (Side::Server, piece)),
            });
        }
        for read in [&whole, &read(cover, mixed)] {
            if cover {
                assert_eq!((read.client.len(), read.server.len()), (client.len(), server.len()));
            } else {
                assert_eq!((&read.client[..], &read.server[..]), (client, server));
            }
        }
    }
}

/// Returns whether both deliveries agree. The one in pieces may mask more: a piece that ends inside
/// a URL may end inside its credentials.
fn fits(cover: bool, pieces: &[u8], whole: &[u8]) -> bool {
    let same = |(a, b): (&u8, &u8)| a == b || cover && *a == b'*';
    pieces.len() == whole.len() && pieces.iter().zip(whole).all(same)
}

#[derive(Default)]
struct Read {
    /// The events, with the pieces of each message joined.
    told: Vec<String>,
    client: Vec<u8>,
    server: Vec<u8>,
}

fn read(cover: bool, pieces: Vec<(Side, &[u8])>) -> Read {
    let mut read = Read::default();
    let mut sums = vec![[0u64; 7]; 2];
    let mut done = Vec::new();
    {
        let mut tell = |what: String, piece: &[u8]| match read.told.last_mut() {
            Some(last) if !piece.is_empty() && last.starts_with(&what) => {
                *last += &piece.escape_ascii().to_string()
            }
            _ => read.told.push(what + &piece.escape_ascii().to_string()),
        };
        let mut see = |event: &Event<'_>| match event {
            Event::Request(x) => tell(format!("request {} {:?}", x.number, x.request), b""),
            Event::Interim(x, head) => tell(format!("interim {} {head:?}", x.number), b""),
            Event::Response(x) => tell(format!("response {} {:?}", x.number, x.response), b""),
            Event::Content(x, side, bytes) => {
                sums[*side as usize][0] += bytes.len() as u64;
                tell(format!("content {} {side} ", x.number), bytes);
            }
            Event::Framing(_, side, bytes) => sums[*side as usize][1] += bytes.len() as u64,
            Event::Tunnel(x, side, bytes) => {
                sums[*side as usize][2] += bytes.len() as u64;
                tell(format!("tunnel {} {side} ", x.number), bytes);
            }
            Event::End(x, side, trailers) => {
                tell(format!("end {} {side} {trailers:?}", x.number), b"")
            }
            Event::Done(x) => {
                assert!(!done.contains(&x.number), "over twice");
                done.push(x.number);
                for side in [Side::Client, Side::Server] {
                    let message = if side == Side::Client { x.sent } else { x.received };
                    sums[side as usize][3] += message.head;
                    sums[side as usize][4] += message.content;
                    sums[side as usize][5] += message.framing;
                    sums[side as usize][6] += message.tunnel;
                }
            }
            Event::Fault(x, side, fault) => {
                tell(format!("fault {:?} {side} {fault}", x.map(|x| x.number)), b"")
            }
            Event::Bytes(Side::Client, bytes) => read.client.extend_from_slice(bytes),
            Event::Bytes(Side::Server, bytes) => read.server.extend_from_slice(bytes),
            _ => {}
        };
        let mut conversation = Conversation::new(cover);
        for (side, piece) in pieces {
            conversation.bytes(side, Duration::ZERO, piece, &mut see);
        }
        conversation.end(Side::Client, Duration::ZERO, None, &mut see);
        conversation.end(Side::Server, Duration::ZERO, None, &mut see);
        conversation.close(&mut see);
    }
    for ([content, framing, tunnel, heads, counted, counted_framing, counted_tunnel], came) in
        sums.into_iter().zip([read.client.len(), read.server.len()])
    {
        let told = [content, framing, tunnel];
        assert_eq!(
            told,
            [counted, counted_framing, counted_tunnel],
            "what was told and what was counted"
        );
        assert!(heads + content + framing + tunnel <= came as u64, "no byte is counted twice");
    }
    read
}
