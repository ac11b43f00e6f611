//! # Lesson 13: a server of your own
//!
//! Goal: be the other side: read a request and answer it.
//!
//! This server keeps notes. It has no port, so only users who may open the socket file can reach
//! it. curl and ucurl can, and through `ucurl tap` a browser can.
//!
//! ```console curl
//! $ D=$(mktemp -d)
//! $ cargo run -q --example web_server -- $D/notes.sock &
//! listening on unix:///…/notes.sock
//! $ curl -s --unix-socket $D/notes.sock http://localhost/notes
//! $ curl -s --unix-socket $D/notes.sock -d text=from%20curl http://localhost/notes \
//!     -w '%{http_code}, see %{redirect_url}\n'
//! 303, see http://localhost/
//! $ ucurl -s --unix-socket $D/notes.sock -d text='from <ucurl>' http:/notes
//! $ ucurl -s --unix-socket $D/notes.sock http:/notes
//! from curl
//! from <ucurl>
//! $ ucurl -sI --unix-socket $D/notes.sock http:/notes | grep -v Date
//! HTTP/1.1 200 OK
//! Content-Type: text/plain; charset=utf-8
//! Content-Length: 23
//!
//! $ ucurl -s --unix-socket $D/notes.sock -X DELETE http:/notes -w '%{http_code}\n'
//! GET, HEAD or POST
//! 405
//! $ kill $!; rm -r $D
//! ```
//!
//! For a browser, run `ucurl tap --listen tcp://127.0.0.1:9999 --to unix:///tmp/notes.sock` and
//! open <http://127.0.0.1:9999/>. The tap forwards the requests and shows them.
//!
//! Look at:
//!
//! 1. `Server::bind`: the file is private (mode 0600). A file on which another server listens
//!    stays.
//! 2. `request.bytes(64 * 1024)`: a longer body is answered with 413. A client must not fill the
//!    memory.
//! 3. `fn escaped`: without it, a note `<script>…</script>` would run in the browser of the next
//!    reader.
//!
//! Read: RFC 9110 §9.3 (methods), §15.4.4 (303: after a POST, GET this), §15.5.6 (405 lists the
//! allowed methods), RFC 9112 §9.3 (the connection stays open, so one thread serves many requests).
//!
//! Exercise: let `DELETE /notes` remove all notes, and answer 204.
//!
//! Hint: one more arm of the `match`. A 405 has to name the new method as well.

use std::env;
use std::io;
use std::path::absolute;
use std::process::exit;
use std::sync::Mutex;
use unix_http::server::{Request, Responder, Sent, Server};
use unix_http::transport::Endpoint;

fn main() {
    if let Err(error) = serve() {
        eprintln!("web_server: {error}");
        exit(1);
    }
}

fn serve() -> Result<(), Box<dyn std::error::Error>> {
    let path = env::args().nth(1).unwrap_or("notes.sock".into());
    let endpoint = Endpoint::Unix(absolute(path)?);
    // The file's mode is 0600. A file on which another server listens stays.
    let server = Server::bind(&endpoint)?;
    println!("listening on {endpoint}");
    let notes = Mutex::new(Vec::new());
    server.spawn(move |request, responder| answer(&notes, request, responder))?.wait();
    Ok(())
}

/// Answers a request. Many threads can be here at once.
fn answer(
    notes: &Mutex<Vec<String>>,
    request: &mut Request<'_>,
    responder: Responder<'_>,
) -> io::Result<Sent> {
    let shown = || notes.lock().map(|notes| notes.clone()).unwrap_or_default();
    match (request.method(), request.path()) {
        ("GET" | "HEAD", b"/") => {
            responder.field("Content-Type", "text/html; charset=utf-8").send(page(&shown()))
        }
        ("GET" | "HEAD", b"/notes") => {
            let text: String = shown().iter().map(|note| format!("{note}\n")).collect();
            responder.field("Content-Type", "text/plain; charset=utf-8").send(text)
        }
        ("POST", b"/notes") => {
            // A longer body is answered with 413: a client must not fill the memory.
            let form = request.bytes(64 * 1024)?;
            match form_field(&form, "text").filter(|text| !text.is_empty()) {
                Some(text) => notes.lock().map(|mut notes| notes.push(text)).unwrap_or_default(),
                None => {
                    return responder.status(400).send("a note is text=..., as a form sends it\n");
                }
            }
            responder.status(303).field("Location", "/").send("")
        }
        (_, b"/") => responder.status(405).field("Allow", "GET, HEAD").send("GET or HEAD\n"),
        (_, b"/notes") => {
            responder.status(405).field("Allow", "GET, HEAD, POST").send("GET, HEAD or POST\n")
        }
        _ => responder.status(404).send("there are / and /notes\n"),
    }
}

fn page(notes: &[String]) -> String {
    let notes: String = notes.iter().map(|note| format!("<li>{}\n", escaped(note))).collect();
    format!(
        "<!DOCTYPE html>\n<title>Notes</title>\n<h1>Notes</h1>\n<ul>\n{notes}</ul>\n\
         <form method=post action=/notes><input name=text autofocus> <button>Add</button></form>\n"
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

/// Returns a field of `application/x-www-form-urlencoded` content: `name=value&name=value`, with
/// `+` for a space and `%41` for an A.
fn form_field(form: &[u8], name: &str) -> Option<String> {
    let pairs = form.split(|&byte| byte == b'&').map(|pair| pair.split(|&byte| byte == b'='));
    let value = pairs
        .filter_map(|mut pair| (pair.next()? == name.as_bytes()).then(|| pair.next()).flatten())
        .next()?;
    let (mut bytes, mut rest) = (Vec::new(), value.iter().copied());
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                // Digit by digit: `from_str_radix` would accept %+5 as well.
                let mut digit = || char::from(rest.next()?).to_digit(16);
                (digit()? * 16 + digit()?) as u8
            }
            _ => byte,
        });
    }
    Some(String::from_utf8_lossy(&bytes).into_owned())
}
