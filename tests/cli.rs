//! The program `ucurl`: its flags beside curl's, its output, its errors.
#![cfg(feature = "commands")]

mod support;

mod cli {
    mod curl;
    mod docker;
    mod faults;
    mod hijack;
    mod hostile;
    mod pipes;
    mod security;
    mod shells;
}
