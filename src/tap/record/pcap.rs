//! Writes a capture file (pcapng) for Wireshark and tshark.

use crate::tap::recorder::Recorder;
use crate::traffic::until_error::UntilError;
use crate::traffic::{Event, Observer, Side};
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The most data in a packet. An IPv4 packet has at most 65,535 bytes (RFC 791 §3.1).
const SEGMENT: usize = 65_000;
const CLIENT: [u8; 4] = [127, 0, 0, 1];
const SERVER: [u8; 4] = [127, 0, 0, 2];

const FIN: u8 = 1;
const SYN: u8 = 2;
const RST: u8 = 4;
const PSH: u8 = 8;
const ACK: u8 = 16;

struct Pcap<W> {
    out: W,
    started: Duration,
    /// The next sequence number of each side.
    next: BTreeMap<u64, [u32; 2]>,
}

/// Returns an observer that writes connections as a capture file (pcapng). Times count from
/// `started`; `place` is the address of the listener.
///
/// A Unix socket has no packets. Each connection is written as a TCP connection: a handshake, the
/// bytes of each read as a segment with the time of that read, FIN when a side ends, RST when it
/// breaks.
///
/// ```text
/// file   = section interface *packet    ; draft-ietf-opsawg-pcapng, numbers little-endian
/// block  = type length body length      ; four bytes each but the body, padded to four
/// packet = 6, interface 0, time in ns since 1970, length captured, length,
///          IPv4 header, TCP header, data
/// ```
///
/// The link type is 101: packets begin with their IPv4 header. The client of connection n has the
/// address 127.0.0.1 and port 10000 + n (modulo 50,000), the server 127.0.0.2 and port 80, by which
/// Wireshark recognizes HTTP. The description of the interface names the real listener.
///
/// # Errors
/// Fails if writing to `out` fails.
pub fn pcap<W: Write + Send>(
    out: W,
    started: SystemTime,
    place: &str,
) -> io::Result<impl Observer + use<W>> {
    let started = started.duration_since(UNIX_EPOCH).unwrap_or_default();
    let mut pcap = Pcap { out, started, next: BTreeMap::new() };
    let mut section = Vec::new();
    words(&mut section, &[0x1a2b_3c4d, 1, u32::MAX, u32::MAX]);
    option(&mut section, 4, b"ucurl tap");
    option(&mut section, 0, b"");
    pcap.block(0x0a0d_0d0a, &section)?;
    let mut interface = Vec::new();
    words(&mut interface, &[101, 0]);
    option(&mut interface, 2, b"ucurl-tap");
    option(&mut interface, 3, place.as_bytes());
    // if_tsresol: times count 10^-9 s.
    option(&mut interface, 9, &[9]);
    option(&mut interface, 0, b"");
    pcap.block(1, &interface)?;
    Ok(UntilError::new("the capture", pcap))
}

impl<W: Write + Send> Recorder for Pcap<W> {
    fn see(&mut self, connection: u64, at: Duration, event: &Event<'_>) -> io::Result<()> {
        if let Event::Opened = event {
            self.next.insert(connection, [0, 0]);
        }
        let mut segment =
            |side, flags, data: &[u8]| self.segment((connection, at), side, flags, data);
        match event {
            Event::Opened => {
                segment(Side::Client, SYN, b"")?;
                segment(Side::Server, SYN | ACK, b"")?;
                segment(Side::Client, ACK, b"")
            }
            Event::Bytes(side, bytes) => {
                bytes.chunks(SEGMENT).try_for_each(|data| segment(*side, PSH | ACK, data))?;
                segment(side.other(), ACK, b"")
            }
            Event::Ended(side, error) => {
                let end = if error.is_some() { RST } else { FIN };
                segment(*side, end | ACK, b"")?;
                segment(side.other(), ACK, b"")
            }
            Event::Closed => {
                self.next.remove(&connection);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn finish(&mut self, _failed: bool) -> io::Result<()> {
        self.out.flush()
    }
}

impl<W: Write> Pcap<W> {
    /// Writes a packet of a connection.
    fn segment(
        &mut self,
        (connection, at): (u64, Duration),
        from: Side,
        flags: u8,
        data: &[u8],
    ) -> io::Result<()> {
        let Some(next) = self.next.get_mut(&connection) else { return Ok(()) };
        let (sequence, acknowledged) = (next[from as usize], next[from.other() as usize]);
        let takes_one = u32::from(flags & (SYN | FIN) != 0);
        next[from as usize] = sequence.wrapping_add(data.len() as u32).wrapping_add(takes_one);
        let client_port = 10_000 + (connection % 50_000) as u16;
        let ends = match from {
            Side::Client => [(CLIENT, client_port), (SERVER, 80)],
            Side::Server => [(SERVER, 80), (CLIENT, client_port)],
        };
        let acknowledged = if flags & ACK != 0 { acknowledged } else { 0 };
        let packet = packet(ends, sequence, acknowledged, flags, data);
        let (time, length) = ((self.started + at).as_nanos() as u64, packet.len() as u32);
        let mut body = Vec::with_capacity(packet.len() + 32);
        words(&mut body, &[0, (time >> 32) as u32, time as u32, length, length]);
        body.extend_from_slice(&packet);
        pad(&mut body);
        self.block(6, &body)
    }

    fn block(&mut self, kind: u32, body: &[u8]) -> io::Result<()> {
        let length = (body.len() as u32 + 12).to_le_bytes();
        self.out.write_all(&[&kind.to_le_bytes()[..], &length, body, &length].concat())
    }
}

/// Returns an IPv4 packet (RFC 791 §3.1) with a TCP segment (RFC 9293 §3.1).
fn packet(
    [(from, from_port), (to, to_port)]: [([u8; 4], u16); 2],
    sequence: u32,
    acknowledged: u32,
    flags: u8,
    data: &[u8],
) -> Vec<u8> {
    let ports = [from_port.to_be_bytes(), to_port.to_be_bytes()].concat();
    let numbers = [sequence.to_be_bytes(), acknowledged.to_be_bytes()].concat();
    // Five words of header, the flags, the largest window, the checksum, no urgent data.
    let rest = [5 << 4, flags, 0xff, 0xff, 0, 0, 0, 0];
    let mut tcp = [&ports[..], &numbers, &rest, data].concat();
    let length = tcp.len() as u16;
    let pseudo = [&from[..], &to, &[0, 6], &length.to_be_bytes()].concat();
    let sum = checksum(&[&pseudo, &tcp]);
    tcp[16..18].copy_from_slice(&sum.to_be_bytes());

    // Version 4, five words of header; do not fragment, 64 hops, TCP, the checksum.
    let flags = [0, 0, 0x40, 0, 64, 6, 0, 0];
    let mut ip = [&[4 << 4 | 5, 0], &(20 + length).to_be_bytes()[..], &flags, &from, &to].concat();
    let sum = checksum(&[&ip]);
    ip[10..12].copy_from_slice(&sum.to_be_bytes());
    ip.extend_from_slice(&tcp);
    ip
}

/// Returns the Internet checksum (RFC 1071). Every part but the last has an even length.
fn checksum(parts: &[&[u8]]) -> u16 {
    let word = |pair: &[u8]| u16::from_be_bytes([pair[0], pair.get(1).copied().unwrap_or(0)]);
    let words = parts.iter().flat_map(|part| part.chunks(2));
    let mut sum: u64 = words.map(|pair| u64::from(word(pair))).sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

/// Appends an option: code, length, value.
fn option(block: &mut Vec<u8>, code: u16, value: &[u8]) {
    let value = &value[..value.len().min(u16::MAX.into())];
    block.extend_from_slice(&code.to_le_bytes());
    block.extend_from_slice(&(value.len() as u16).to_le_bytes());
    block.extend_from_slice(value);
    pad(block);
}

fn words(block: &mut Vec<u8>, numbers: &[u32]) {
    numbers.iter().for_each(|number| block.extend_from_slice(&number.to_le_bytes()));
}

fn pad(block: &mut Vec<u8>) {
    block.resize(block.len().next_multiple_of(4), 0);
}
