//! The library's server on a private socket, and a client that sends raw bytes.

use super::temp::TempDir;
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::time::Duration;
use unix_http::server::{Handle, Limits, Request, Responder, Sent, Server};
use unix_http::transport::Endpoint;
use unix_http::{Client, Error};

/// The longest wait for a peer.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A server. Dropping it ends the server.
pub struct Served {
    pub handle: Option<Handle>,
    pub dir: TempDir,
}

pub fn serve<H>(handler: H) -> Served
where
    H: Fn(&mut Request<'_>, Responder<'_>) -> io::Result<Sent> + Send + Sync + 'static,
{
    serve_within(Limits::default(), handler)
}

pub fn serve_within<H>(limits: Limits, handler: H) -> Served
where
    H: Fn(&mut Request<'_>, Responder<'_>) -> io::Result<Sent> + Send + Sync + 'static,
{
    let dir = TempDir::new();
    let server =
        Server::bind(&Endpoint::Unix(dir.join("s"))).expect("a socket in a private directory");
    let handle = server.with_limits(limits).spawn(handler).expect("a thread");
    Served { handle: Some(handle), dir }
}

/// Responds with the first `length` bytes of a reader, which may have fewer.
pub fn send_reader(responder: Responder<'_>, reader: impl Read, length: u64) -> io::Result<Sent> {
    let mut body = responder.field("Content-Length", length.to_string()).stream()?;
    io::copy(&mut reader.take(length), &mut body)?;
    body.finish()
}

impl Served {
    pub fn client(&self) -> Client {
        Client::unix(self.dir.join("s"))
    }

    pub fn connect(&self) -> UnixStream {
        let stream = UnixStream::connect(self.dir.join("s")).expect("a server");
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
        stream.set_write_timeout(Some(PATIENCE)).expect("a socket");
        stream
    }

    /// Sends these bytes, half-closes, and returns the whole answer.
    #[track_caller]
    pub fn talk(&self, bytes: impl AsRef<[u8]>) -> String {
        let mut stream = self.connect();
        // The server may have answered and closed before the last byte.
        let _ = stream.write_all(bytes.as_ref()).and_then(|()| stream.shutdown(Shutdown::Write));
        rest(&mut stream)
    }

    pub fn stop(&mut self, limit: Duration) -> usize {
        self.handle.take().expect("not stopped yet").stop(limit)
    }
}

/// Returns all remaining bytes, without Date fields.
#[track_caller]
pub fn rest(stream: &mut UnixStream) -> String {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).expect("the server closes in time");
    dateless(&bytes)
}

/// Reads up to and including these bytes.
#[track_caller]
pub fn until(stream: &mut UnixStream, end: &str) -> String {
    let mut bytes = Vec::new();
    while !bytes.ends_with(end.as_bytes()) {
        let mut byte = [0];
        stream
            .read_exact(&mut byte)
            .unwrap_or_else(|e| panic!("{e} after {:?}", bytes.escape_ascii().to_string()));
        bytes.extend(byte);
    }
    dateless(&bytes)
}

fn dateless(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.split_inclusive("\r\n").filter(|line| !line.starts_with("Date: ")).collect()
}

/// Returns the status-codes of a sequence of responses, as the library reads them.
pub fn statuses(wire: &str) -> Result<Vec<u16>, Error> {
    use unix_http::connection::Connection;
    use unix_http::wire::{BodyDecoder, ResponseDecoder, framing};
    let (mut connection, mut statuses) = (Connection::new(wire.as_bytes()), Vec::new());
    loop {
        let mut decoder = ResponseDecoder::new();
        if connection.read_head(&mut decoder)?.is_none() {
            return Ok(statuses);
        }
        statuses.push(decoder.head().status());
        let mut body = BodyDecoder::new(framing::response("GET", decoder.head())?.framing, 0, 1024);
        loop {
            let n = connection.fill_body(&mut body)?.len();
            if n == 0 {
                break;
            }
            connection.consume_body(n);
        }
    }
}
