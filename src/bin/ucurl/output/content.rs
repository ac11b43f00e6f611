//! What becomes of a body between the connection and stdout: `--demux`, `--select`, `--pretty`,
//! `--fail-stream`.
//!
//! ```text
//! content ──▶ errors of the daemon looked for ──▶ frames taken apart ──┬─▶ stdout: as it is, selected, or laid out
//!                                                                      └─▶ stderr
//! ```
//!
//! Everything is passed on as it comes; nothing waits for the end.

use crate::args::config::Group;
use crate::args::exit::Exit;
use crate::fetch::failure::Failure;
use crate::output::messages::Messages;
use crate::output::sink::Sink;
use std::fs::File;
use std::io::Write as _;
use std::sync::Arc;
use unix_http::docker::{ErrorScanner, FrameDecoder, FrameError, Stream};
use unix_http::json::{JsonError, Pretty, Select};

/// A piece is laid out at most so large, since each byte of it can become a long line.
const PIECE: usize = 4096;

/// The stages that the options ask for.
pub struct Content {
    scanner: Option<ErrorScanner>,
    frames: Option<FrameDecoder>,
    json: Json,
    /// Where `--stderr` says.
    stderr: Option<Arc<File>>,
    out: Vec<u8>,
}

enum Json {
    AsItIs,
    Select(Box<Select>),
    Pretty(Box<Pretty>),
}

impl Content {
    /// The stages, or `None` where content stays as it is. `frames` tells whether there are any to
    /// take apart.
    pub fn new(group: &Group, messages: &Messages, frames: bool) -> Option<Content> {
        if !(group.fail_stream || frames || group.select.is_some() || group.pretty) {
            return None;
        }
        let json = match &group.select {
            Some(pointer) => {
                let select = Select::new(pointer.clone());
                Json::Select(Box::new(if group.pretty { select.pretty() } else { select }))
            }
            None if group.pretty => Json::Pretty(Box::default()),
            None => Json::AsItIs,
        };
        let stderr = frames.then(|| Arc::clone(&messages.out));
        let (scanner, frames) =
            (group.fail_stream.then(ErrorScanner::new), frames.then(FrameDecoder::new));
        Some(Content { scanner, frames, json, stderr, out: Vec::new() })
    }

    /// Content that has come.
    pub fn feed(&mut self, mut content: &[u8], sink: &mut Sink) -> Result<(), Failure> {
        if let Some(scanner) = &mut self.scanner {
            scanner.feed(content);
        }
        let Some(mut frames) = self.frames.take() else { return self.show(content, sink) };
        let result = loop {
            match frames.next(&mut content) {
                Ok(None) => break Ok(()),
                Ok(Some((Stream::Stderr, data))) => {
                    let written =
                        self.stderr.as_deref().map_or(Ok(()), |mut stderr| stderr.write_all(data));
                    if let Err(error) = written {
                        break Err(unwritable(&error));
                    }
                }
                Ok(Some((_, data))) => {
                    if let Err(failure) = self.show(data, sink) {
                        break Err(failure);
                    }
                }
                Err(error) => break Err(bad_frame(&error)),
            }
        };
        self.frames = Some(frames);
        result
    }

    /// The body is over: whether what it said was whole, and no error of the daemon.
    pub fn finish(mut self, sink: &mut Sink) -> Result<(), Failure> {
        self.out.clear();
        let json = match &mut self.json {
            Json::AsItIs => Ok(()),
            Json::Select(select) => select.finish(&mut self.out),
            Json::Pretty(pretty) => pretty.finish(&mut self.out),
        };
        sink.write(&self.out)?;
        if let Some(frames) = &self.frames {
            frames.finish().map_err(|error| bad_frame(&error))?;
        }
        let error = self.scanner.map_or(Ok(None), ErrorScanner::finish);
        if let Some(error) = error.map_err(|error| bad_json("--fail-stream", &error))? {
            return Err(Failure::new(
                Exit::HttpError,
                format!("the daemon reports an error in its stream: {error}"),
            ));
        }
        json.map_err(|error| bad_json(self.json.option(), &error))?;
        match &self.json {
            Json::Select(select) if select.found() == 0 => {
                let why = select.miss().map_or("nothing there".to_owned(), ToString::to_string);
                Err(Failure::new(Exit::HttpError, format!("--select found no value: {why}")))
            }
            _ => Ok(()),
        }
    }

    /// Writes to stdout, in the form that was asked for.
    fn show(&mut self, content: &[u8], sink: &mut Sink) -> Result<(), Failure> {
        if matches!(self.json, Json::AsItIs) {
            return sink.write(content);
        }
        for piece in content.chunks(PIECE) {
            self.out.clear();
            let result = match &mut self.json {
                Json::Select(select) => select.feed(piece, &mut self.out),
                Json::Pretty(pretty) => pretty.feed(piece, &mut self.out),
                Json::AsItIs => Ok(()),
            };
            sink.write(&self.out)?;
            result.map_err(|error| bad_json(self.json.option(), &error))?;
        }
        Ok(())
    }
}

impl Json {
    fn option(&self) -> &'static str {
        if matches!(self, Json::Select(_)) { "--select" } else { "--pretty" }
    }
}

fn bad_json(option: &str, error: &JsonError) -> Failure {
    Failure::new(Exit::WeirdReply, format!("{option}: the body is not JSON: {error}"))
}

/// A type 3 frame is the daemon's own failure, a frame cut short a body cut short.
fn bad_frame(error: &FrameError) -> Failure {
    let exit = match error {
        FrameError::Daemon { .. } => Exit::HttpError,
        FrameError::Incomplete { .. } | FrameError::IncompleteHeader { .. } => Exit::Partial,
        _ => Exit::WeirdReply,
    };
    Failure::new(exit, error.to_string())
}

fn unwritable(error: &std::io::Error) -> Failure {
    Failure::new(Exit::Write, format!("cannot write to stderr: {error}"))
}
