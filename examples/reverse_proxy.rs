//! # Lesson 19: a proxy
//!
//! Goal: be the server and the client at once, and pass messages on.
//!
//! A proxy accepts a request, sends it to another server, and passes the response back. Some
//! fields describe only one of the two connections, and a proxy must not forward them. This one
//! listens on a socket of its own, forwards everything to the engine, and prints a log.
//!
//! ```console engine
//! $ D=$(mktemp -d)
//! $ cargo run -q --example reverse_proxy -- $D/proxy.sock >$D/log &
//! $ until [ -S $D/proxy.sock ]; do sleep 0.05; done
//! $ ucurl -s --unix-socket $D/proxy.sock /containers/nobody/json
//! {"message":"No such container: nobody"}
//! $ echo hello | DOCKER_HOST=unix://$D/proxy.sock \
//!     cargo run -q --example docker_run -- --rm -i --network none busybox cat
//! hello
//! $ until grep -q 'attach?.* 101 ' $D/log; do sleep 0.05; done
//! $ kill $!; rm -r $D
//! ```
//!
//! The program of lesson 12 does not notice the proxy. Its stdin and its output pass through an
//! upgraded connection, in both directions at once. Argument: the path of the socket. The program
//! forwards to the engine that the `docker` command would ask.
//!
//! Look at:
//!
//! 1. `const ONE_CONNECTION`: the fields that a proxy removes. `Connection` may name more.
//! 2. `Body::borrowed`: forwards the body while it arrives, so its size does not matter.
//! 3. `body.flush()?`: sends each piece at once. Otherwise the events of a quiet stream would stay
//!    in a buffer.
//!
//! Read: RFC 9110 §7.6.1 (Connection), §7.8 (Upgrade), RFC 9112 §6.1 (why a proxy frames a body
//! anew).
//!
//! Exercise: let only GET and HEAD pass, so that others can inspect your engine but not change it.
//!
//! Hint: a `Refusal` is an error with a status-code. Return one before the request is sent. (Look
//! at what GET can read, too: [guard](guard/README.md) has finer rules.)

use std::env;
use std::error::Error;
use std::fmt::Display;
use std::io::{self, BufRead, Write};
use std::net::Shutdown;
use std::path::absolute;
use std::process::exit;
use std::thread;
use unix_http::docker::Engine;
use unix_http::server::{Refusal, Request, Responder, Sent, Server};
use unix_http::wire::Fields;
use unix_http::{Body, Client, Endpoint, Response};

fn main() {
    if let Err(error) = serve() {
        eprintln!("reverse_proxy: {error}");
        exit(1);
    }
}

fn serve() -> Result<(), Box<dyn Error>> {
    let path = env::args_os().nth(1).ok_or("usage: reverse_proxy SOCKET")?;
    let engine = Engine::from_env()?;
    let server = Server::bind(&Endpoint::Unix(absolute(path)?))?;
    let server = server.observe(|access| println!("{access}"));
    server.spawn(move |request, responder| forward(engine.client(), request, responder))?.wait();
    Ok(())
}

/// Fields of one connection (RFC 9110 §7.6.1), and the framing, which each connection chooses.
const ONE_CONNECTION: [&str; 8] = [
    "Connection",
    "Content-Length",
    "Expect",
    "Keep-Alive",
    "TE",
    "Trailer",
    "Transfer-Encoding",
    "Upgrade",
];

/// Returns the fields that a proxy passes on.
fn passed_on(fields: &Fields) -> impl Iterator<Item = (&str, &[u8])> {
    let all = fields.iter().map(|field| (field.name(), field.value()));
    all.filter(|(name, _)| {
        let known = ONE_CONNECTION.iter().any(|one| one.eq_ignore_ascii_case(name));
        !known && !fields.has_token("Connection", name)
    })
}

fn forward(
    client: &Client,
    request: &mut Request<'_>,
    mut responder: Responder<'_>,
) -> io::Result<Sent> {
    let (method, target) = (request.method().to_owned(), request.target().to_owned());
    let protocol = request.fields().get("Upgrade").map(String::from_utf8_lossy);
    let protocol = protocol.filter(|name| request.offers_upgrade(name)).map(String::from);

    let mut onward = client.request(&method, &target);
    for (name, value) in passed_on(request.fields()) {
        onward = onward.field(name, value);
    }
    if let Some(protocol) = &protocol {
        onward = onward.upgrade(protocol);
    }
    let length = request.length();
    if length != Some(0) {
        onward = onward.body(Body::borrowed(&mut *request, length));
    }
    let response = onward.send().map_err(bad_gateway)?;

    responder = responder.status(response.status());
    for (name, value) in passed_on(response.fields()) {
        responder = responder.field(name, value);
    }
    match (response.status(), protocol) {
        (101, Some(protocol)) => tunnel(response, request, responder, &protocol),
        // These have no body. The Content-Length of a 304 describes the response to a GET.
        (204 | 205 | 304, _) => responder.send(""),
        _ if method == "HEAD" => match response.field("Content-Length") {
            Some(length) => responder.field("Content-Length", length).send(""),
            None => responder.send(""),
        },
        _ => pass_body(response, responder),
    }
}

fn pass_body(mut response: Response, responder: Responder<'_>) -> io::Result<Sent> {
    let mut body = responder.stream()?;
    loop {
        // The first time, this sends the head: a client may wait for it alone.
        body.flush()?;
        let piece = response.fill_buf()?;
        if piece.is_empty() {
            break;
        }
        body.write_all(piece)?;
        let length = piece.len();
        response.consume(length);
    }
    body.finish_with(&response.trailers().cloned().unwrap_or_default())
}

/// Copies the bytes of another protocol, each direction in a thread. Either may end first.
fn tunnel(
    response: Response,
    request: &mut Request<'_>,
    responder: Responder<'_>,
    protocol: &str,
) -> io::Result<Sent> {
    let refused = |_| bad_gateway("the engine did not upgrade");
    let (mut from_engine, mut to_engine) = response.into_upgraded().map_err(refused)?.split()?;
    let (client, sent) = responder.upgrade(request, protocol)?;
    let (mut from_client, mut to_client) = client.split()?;
    thread::spawn(move || {
        io::copy(&mut from_client, &mut to_engine).and_then(|_| to_engine.shutdown(Shutdown::Write))
    });
    thread::spawn(move || {
        io::copy(&mut from_engine, &mut to_client).and_then(|_| to_client.shutdown(Shutdown::Write))
    });
    Ok(sent)
}

fn bad_gateway(why: impl Display) -> io::Error {
    Refusal::new(502, why.to_string()).into()
}
