//! The program `ucurl`: its flags compared with curl's, its output, its errors.
#![cfg(feature = "commands")]

mod program;
mod support;

use program::{args, console, content, fetch, output, plan};

mod cli {
    mod arguments;
    mod curl;
    mod docker;
    mod faults;
    mod flags_page;
    mod hijack;
    mod hostile;
    mod messages;
    mod nothing_lost;
    mod pipes;
    mod progress;
    mod security;
    mod shells;
    mod sockets;
    mod url;
}
