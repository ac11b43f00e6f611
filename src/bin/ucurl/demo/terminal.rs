//! What a terminal does with what is typed.

use super::names::told;
use super::process::Process;
use std::io;

/// The keys that detach a client: by default Ctrl-P Ctrl-Q.
#[derive(Clone)]
pub struct Keys {
    keys: Vec<u8>,
    /// How many of them were typed.
    typed: usize,
}

impl Keys {
    /// `ctrl-p,ctrl-q`, `a`
    pub fn parse(text: &str) -> io::Result<Keys> {
        let key = |name: &str| match (name.strip_prefix("ctrl-"), name.as_bytes()) {
            (Some(name), _) if name.len() == 1 => Ok(name.as_bytes()[0].to_ascii_uppercase() & 31),
            (None, [key]) => Ok(*key),
            _ => told!(400, "Invalid detach keys ({text}) provided"),
        };
        let text = if text.is_empty() { "ctrl-p,ctrl-q" } else { text };
        Ok(Keys { keys: text.split(',').map(key).collect::<io::Result<_>>()?, typed: 0 })
    }

    /// What of it the process gets; `None` once the keys are complete.
    pub fn pass(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        let mut passed = Vec::new();
        for &byte in bytes {
            if byte != self.keys[self.typed] {
                passed.extend_from_slice(&self.keys[..self.typed]);
                self.typed = 0;
            }
            if byte == self.keys[self.typed] {
                self.typed += 1;
            } else {
                passed.push(byte);
            }
            if self.typed == self.keys.len() {
                return None;
            }
        }
        Some(passed)
    }
}

/// The line that is being typed.
#[derive(Default)]
pub struct Terminal(Vec<u8>);

impl Terminal {
    /// Echoes what is typed, and gives the process a line at its end; whether it takes any.
    pub fn pass(&mut self, bytes: &[u8], process: &Process) -> bool {
        for &byte in bytes {
            match byte {
                // Ctrl-C, SIGINT
                3 => {
                    process.write(false, b"^C\n");
                    self.0.clear();
                    process.kill(2);
                }
                // Ctrl-D: the end of input on an empty line.
                4 if self.0.is_empty() => process.change(|run| run.input_open = false),
                4 => drop(process.feed(&std::mem::take(&mut self.0))),
                b'\r' | b'\n' => {
                    process.write(false, b"\n");
                    self.0.push(b'\n');
                    if !process.feed(&std::mem::take(&mut self.0)) {
                        return false;
                    }
                }
                8 | 0x7f => {
                    if self.0.pop().is_some() {
                        process.write(false, b"\x08 \x08");
                    }
                }
                byte => {
                    process.write(false, &[byte]);
                    self.0.push(byte);
                }
            }
        }
        true
    }
}
