//! What becomes of a body between the connection and stdout: `--demux`, `--select`, `--pretty`,
//! `--fail-stream`.
//!
//! ```text
//! content ─▶ look for the daemon's errors ─▶ take frames apart ─┬─▶ stdout: as it is, selected or laid out
//!                                                               └─▶ stderr
//! ```
//!
//! Content is passed on as it comes; a JSON text is shown when its last byte has come.

use crate::args::config::Group;
use crate::args::exit::Exit;
use crate::fetch::failure::Failure;
use crate::output::messages::Messages;
use crate::output::sink::Sink;
use std::fs::File;
use std::io::Write as _;
use std::sync::Arc;
use unix_http::docker::{ErrorScanner, FrameDecoder, FrameError, Stream};
use unix_http::json::{JsonError, JsonText, JsonTexts, Pointer, Value};

/// How much of what JSON becomes is written at once.
const PIECE: usize = 64 << 10;

/// The stages that the options ask for.
pub struct Content {
    scanner: Option<ErrorScanner>,
    frames: Option<FrameDecoder>,
    texts: JsonTexts,
    /// What to show of each text; `None` shows content as it is.
    form: Option<Form>,
    /// Where `--stderr` says.
    stderr: Option<Arc<File>>,
    out: Vec<u8>,
}

/// How a JSON text is shown: `--select`, `--pretty`, or both.
struct Form {
    pointer: Option<Pointer>,
    pretty: bool,
    found: bool,
    /// Why the latest text has no such value.
    miss: Option<String>,
}

impl Content {
    /// The stages, or `None` where content stays as it is. `frames` tells whether there are any to
    /// take apart.
    pub fn new(group: &Group, messages: &Messages, frames: bool) -> Option<Content> {
        if !(group.fail_stream || frames || group.select.is_some() || group.pretty) {
            return None;
        }
        let form = (group.select.is_some() || group.pretty).then(|| Form {
            pointer: group.select.clone(),
            pretty: group.pretty,
            found: false,
            miss: None,
        });
        let stderr = frames.then(|| Arc::clone(&messages.out));
        let (scanner, frames) =
            (group.fail_stream.then(ErrorScanner::new), frames.then(FrameDecoder::new));
        let texts = JsonTexts::default();
        Some(Content { scanner, frames, texts, form, stderr, out: Vec::new() })
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
        let json = self.json(None, sink)?;
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
        let Some(form) = self.form else { return Ok(()) };
        json.map_err(|error| bad_json(form.option(), &error))?;
        match form.miss {
            _ if form.pointer.is_none() || form.found => Ok(()),
            Some(miss) => {
                Err(Failure::new(Exit::HttpError, format!("--select found no value: {miss}")))
            }
            None => Value::parse(b"").map(drop).map_err(|error| bad_json(form.option(), &error)),
        }
    }

    /// Writes to stdout, in the form that was asked for.
    fn show(&mut self, content: &[u8], sink: &mut Sink) -> Result<(), Failure> {
        let Some(form) = &self.form else { return sink.write(content) };
        let option = form.option();
        self.json(Some(content), sink)?.map_err(|error| bad_json(option, &error))
    }

    /// Writes what the JSON texts become that end in `content`, or with the body.
    fn json(
        &mut self,
        content: Option<&[u8]>,
        sink: &mut Sink,
    ) -> Result<Result<(), JsonError>, Failure> {
        let Some(form) = &mut self.form else { return Ok(Ok(())) };
        let (waiting, mut written) = (&mut self.out, Ok(()));
        let mut out = |piece: &[u8]| {
            waiting.extend_from_slice(piece);
            if waiting.len() >= PIECE && written.is_ok() {
                written = sink.write(waiting);
            }
            if waiting.len() >= PIECE {
                waiting.clear();
            }
        };
        let result = match content {
            Some(content) => self.texts.feed(content, &mut |text| form.show(text, &mut out)),
            None => self.texts.finish(&mut |text| form.show(text, &mut out)),
        };
        written.and_then(|()| sink.write(&self.out))?;
        self.out.clear();
        Ok(result)
    }
}

impl Form {
    fn option(&self) -> &'static str {
        if self.pointer.is_some() { "--select" } else { "--pretty" }
    }

    fn show(&mut self, text: &JsonText<'_>, out: &mut dyn FnMut(&[u8])) -> Result<(), JsonError> {
        let Some(pointer) = &self.pointer else { return text.lay_out(out) };
        self.miss = text.select(pointer, &mut |value| {
            self.found = true;
            value.print(self.pretty, out);
        })?;
        Ok(())
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
