//! # Lesson 2: two datagram sockets
//!
//! Goal: see what changes when the kernel keeps the boundaries of messages.
//!
//! Unix sockets come in a second kind. Each end has a name of its own, there is no connection, and
//! every `send` is one message that arrives whole or not at all. With socat, each end is `socat -
//! UNIX-DATAGRAM:peer,bind=mine`.
//!
//! ```console
//! $ cargo run -q --example datagram_pair -- one 'and two' ''
//! a: sent     3 bytes "one"
//! a: sent     7 bytes "and two"
//! a: sent     0 bytes ""
//! b: received 3 bytes "one" from …/a
//! b: received 7 bytes "and two" from …/a
//! b: received 0 bytes "" from …/a
//! a: received 10 bytes "3 received" from …/b
//! ```
//!
//! Three messages were sent and three arrived, even the empty one. On a stream, the ten bytes would
//! arrive as `oneand two`, in pieces of any size, and the empty message would leave no trace.
//! HTTP/1.1 runs on streams, so it has to say where each message ends (RFC 9112 §6).
//!
//! Look at:
//!
//! 1. `UnixDatagram::bind`: both ends need a name, or an answer has no destination.
//! 2. `send_to`: names the receiver each time.
//! 3. `recv_from`: one call returns one message and the name of its sender.
//!
//! Exercise: receive into 4 bytes instead of 1024. Where does the rest of `and two` go?
//!
//! Hint: change the size of `buffer`, and compare with what a stream would do.

use std::os::unix::net::UnixDatagram;
use std::{env, fs, io, process};

fn main() -> io::Result<()> {
    let dir = env::temp_dir().join(format!("datagram_pair.{}", process::id()));
    fs::create_dir(&dir)?;
    let done = talk(&dir.join("a"), &dir.join("b"));
    fs::remove_dir_all(&dir)?;
    done
}

fn talk(a_path: &std::path::Path, b_path: &std::path::Path) -> io::Result<()> {
    let (a, b) = (UnixDatagram::bind(a_path)?, UnixDatagram::bind(b_path)?);
    let messages: Vec<String> = env::args().skip(1).collect();
    for message in &messages {
        let count = a.send_to(message.as_bytes(), b_path)?;
        println!("a: sent     {count} bytes {message:?}");
    }
    for _ in &messages {
        receive("b", &b)?;
    }
    b.send_to(format!("{} received", messages.len()).as_bytes(), a_path)?;
    receive("a", &a)
}

fn receive(name: &str, socket: &UnixDatagram) -> io::Result<()> {
    let mut buffer = [0; 1024];
    let (count, sender) = socket.recv_from(&mut buffer)?;
    let text = String::from_utf8_lossy(&buffer[..count]);
    let sender = sender.as_pathname().unwrap_or("a socket without a name".as_ref()).display();
    println!("{name}: received {count} bytes {text:?} from {sender}");
    Ok(())
}
