//! # Lesson 17: who listens
//!
//! Goal: find the program behind a socket file, and learn which sockets speak HTTP.
//!
//! The kernel lists every Unix socket in `/proc/net/unix`, with a number, its inode. The open files
//! of a process are links in `/proc/PID/fd`, and the link of a socket names the same number. This
//! program joins the two lists. Its argument is a part of the path.
//!
//! ```console
//! $ D=$(mktemp -d)
//! $ cargo run -q --example echo_server -- $D/echo.sock >$D/log 2>&1 &
//! $ until grep -qs listening $D/log; do sleep 0.05; done
//! $ cargo run -q --example who_listens -- $D
//! …/echo.sock: echo_server, process …
//! $ ucurl sockets $D
//! unix:///…/echo.sock
//!     0… …:…; echo_server (process …); not HTTP
//! $ kill $!; rm -r $D
//! ```
//!
//! Three tools read the same lists. `ss` and `lsof` know the processes. `ucurl sockets` also asks
//! each socket what it speaks: it sends `GET /_ping`.
//!
//! ```console ss lsof
//! $ D=$(mktemp -d)
//! $ cargo run -q --example echo_server -- $D/echo.sock >$D/log 2>&1 &
//! $ until grep -qs listening $D/log; do sleep 0.05; done
//! $ ss -xlpH | grep $D | awk '{ print $2, $5, $NF }'
//! LISTEN …/echo.sock users:(("echo_server",pid=…,fd=…))
//! $ lsof -U 2>$D/warnings | grep $D | awk '{ print $1, $9, $NF }'
//! echo_serv …/echo.sock (LISTEN)
//! $ kill $!; rm -r $D
//! ```
//!
//! On a machine with Docker there are many such sockets, and few speak HTTP/1.1. dockerd does.
//! containerd speaks gRPC, which is HTTP/2. The shim between containerd and each container speaks
//! ttrpc, which has the calls of gRPC and none of HTTP:
//!
//! ```console docker root
//! $ ucurl -s '/containers/create?name=shimmed' -o /dev/null \
//!     --json '{"Image":"busybox","Cmd":["sleep","600"],"HostConfig":{"NetworkMode":"none"}}'
//! $ ucurl -s -X POST /containers/shimmed/start
//! $ ucurl sockets docker.sock
//! …
//!     0660 root:…; … (process …); a Docker engine, API …
//! …
//! $ ucurl sockets containerd.sock
//! …
//!     0660 root:root; containerd (process …); HTTP/2 (gRPC)
//! …
//! $ ucurl sockets containerd-shim
//! …
//! unix:///run/containerd/s/…
//!     0600 root:root; containerd-shim (process …); ttrpc, not HTTP
//! …
//! $ ucurl -s -X DELETE '/containers/shimmed?force=1'
//! ```
//!
//! The list has the path that a program gave to `bind`. A file that was renamed since is listed
//! under its old path. Only root sees the processes of other users. The file's mode, owner and
//! group say who may connect: connecting takes the right to write.
//!
//! Look at:
//!
//! 1. `LISTENS`: a flag of the kernel. Connections are in the list too, without it.
//! 2. `read_link`: the link of a socket reads `socket:[INODE]`.
//! 3. `[_, _, _, flags`: the columns that proc_net(5) lists. Most sockets have no path, and so no
//!    eighth column.
//!
//! Read: proc_pid_fd(5), proc_net(5), unix(7); RFC 9113 §3.4 (how HTTP/2 begins).
//!
//! Exercise: print how many clients are connected to each listening socket.
//!
//! Hint: the server's end of each connection is in the list under the same path. Its state (column
//! 6) is 03.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::io;
use std::path::Path;

/// The socket listens: `__SO_ACCEPTCON` of the kernel.
const LISTENS: &str = "00010000";

fn main() -> io::Result<()> {
    let wanted = env::args().nth(1).unwrap_or_default();
    let owners = owners();
    let table = String::from_utf8_lossy(&fs::read("/proc/net/unix")?).into_owned();
    for line in table.lines() {
        // A path with a space is cut short here. `ucurl sockets` shows all of it.
        let columns: Vec<&str> = line.split_whitespace().collect();
        let [_, _, _, flags, _, _, inode, path, ..] = columns[..] else { continue };
        if flags == LISTENS && path.contains(&wanted) {
            let owner = owners.get(inode).map_or("a process that you may not see", |owner| owner);
            println!("{path}: {owner}");
        }
    }
    Ok(())
}

/// Returns inodes of sockets, and the process that holds each.
fn owners() -> BTreeMap<String, String> {
    let mut owners = BTreeMap::new();
    for process in entries(Path::new("/proc")) {
        let Ok(name) = fs::read_to_string(process.join("comm")) else { continue };
        let id = process.file_name().unwrap_or_default().to_string_lossy();
        for descriptor in entries(&process.join("fd")) {
            let Ok(target) = fs::read_link(descriptor) else { continue };
            let target = target.to_string_lossy();
            if let Some(inode) = target.strip_prefix("socket:[") {
                let owner = format!("{}, process {id}", name.trim_end());
                owners.insert(inode.trim_end_matches(']').to_owned(), owner);
            }
        }
    }
    owners
}

/// Returns the paths in a directory: none if we may not read it.
fn entries(directory: &Path) -> impl Iterator<Item = std::path::PathBuf> {
    fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path())
}
