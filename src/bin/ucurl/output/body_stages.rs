//! The stages of a body between the connection and stdout: `--fail-stream`, `--demux`, `--select`,
//! `--pretty`.
//!
//! ```text
//! content ──▶ look for errors of the daemon ──▶ decode frames ──┬─▶ select or lay out ──▶ stdout
//!                                                               └─▶ stderr
//! ```
//!
//! Content is passed on as it arrives, a JSON text with its last byte. Without these options,
//! content is written as it is.

use crate::args::exit::Exit;
use crate::output::failure::Failure;
use crate::output::messages::Messages;
use crate::output::sink::Sink;
use crate::plan::Operation;
use std::fs::File;
use std::io::Write as _;
use std::sync::Arc;
use unix_http::docker::{ErrorScanner, FrameDecoder, FrameError, FrameStream};
use unix_http::json::{JsonError, JsonText, JsonTexts, Pointer, Value};

/// How much JSON is written at once.
const PIECE: usize = 64 << 10;

pub struct BodyStages {
    scanner: Option<ErrorScanner>,
    frames: Option<FrameDecoder>,
    json: JsonStage,
    /// Where `--stderr` says.
    stderr: Arc<File>,
}

struct JsonStage {
    /// `None` writes content as it is.
    form: Option<Form>,
    texts: JsonTexts,
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

impl BodyStages {
    /// With `framed`, decodes the content from Docker's frames.
    pub fn new(plan: &Operation, messages: &Messages, framed: bool) -> BodyStages {
        let flags = &plan.flags.stages;
        let form = (plan.select.is_some() || flags.pretty).then(|| Form {
            pointer: plan.select.clone(),
            pretty: flags.pretty,
            found: false,
            miss: None,
        });
        BodyStages {
            scanner: flags.fail_stream.then(ErrorScanner::new),
            frames: framed.then(FrameDecoder::new),
            json: JsonStage { form, texts: JsonTexts::default(), out: Vec::new() },
            stderr: Arc::clone(&messages.out),
        }
    }

    /// Passes a piece of content through the stages.
    pub fn feed(&mut self, mut content: &[u8], sink: &mut Sink) -> Result<(), Failure> {
        if let Some(scanner) = &mut self.scanner {
            scanner.feed(content);
        }
        let Some(frames) = &mut self.frames else { return self.json.feed(content, sink) };
        while let Some((stream, data)) = frames.next(&mut content).map_err(bad_frame)? {
            match stream {
                FrameStream::Stderr => (&*self.stderr).write_all(data).map_err(|error| {
                    Failure::new(Exit::Write, format!("cannot write to stderr: {error}"))
                })?,
                _ => self.json.feed(data, sink)?,
            }
        }
        Ok(())
    }

    /// Ends a body that `arrived`, or failed to, and writes the rest of its JSON. The body must be
    /// complete and report no error of the daemon.
    pub fn finish(&mut self, arrived: Result<(), Failure>, sink: &mut Sink) -> Result<(), Failure> {
        let json = self.json.write(None, sink);
        arrived?;
        let json = json?;
        if let Some(frames) = &self.frames {
            frames.finish().map_err(bad_frame)?;
        }
        let error = self.scanner.take().map_or(Ok(None), ErrorScanner::finish);
        if let Some(error) = error.map_err(bad_json("--fail-stream"))? {
            let text = format!("the daemon reports an error in its stream: {error}");
            return Err(Failure::new(Exit::HttpError, text));
        }
        let Some(form) = &self.json.form else { return Ok(()) };
        json.map_err(bad_json(form.option()))?;
        match &form.miss {
            _ if form.pointer.is_none() || form.found => Ok(()),
            Some(miss) => {
                Err(Failure::new(Exit::HttpError, format!("--select found no value: {miss}")))
            }
            None => Value::parse(b"").map(drop).map_err(bad_json(form.option())),
        }
    }
}

impl JsonStage {
    fn feed(&mut self, content: &[u8], sink: &mut Sink) -> Result<(), Failure> {
        let Some(form) = &self.form else { return sink.write(content) };
        let option = form.option();
        self.write(Some(content), sink)?.map_err(bad_json(option))
    }

    /// Writes the JSON texts that end in `content`, or with the body.
    fn write(
        &mut self,
        content: Option<&[u8]>,
        sink: &mut Sink,
    ) -> Result<Result<(), JsonError>, Failure> {
        let Some(form) = &mut self.form else { return Ok(Ok(())) };
        let (waiting, mut written) = (&mut self.out, Ok(()));
        let mut out = |piece: &[u8]| {
            waiting.extend_from_slice(piece);
            if waiting.len() >= PIECE {
                if written.is_ok() {
                    written = sink.write(waiting);
                }
                waiting.clear();
            }
        };
        let result = match content {
            Some(content) => self.texts.feed(content, &mut |text| form.show(text, &mut out)),
            None => self.texts.finish(&mut |text| form.show(text, &mut out)),
        };
        let written = written.and_then(|()| sink.write(&self.out));
        self.out.clear();
        written.map(|()| result)
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

fn bad_json(option: &str) -> impl Fn(JsonError) -> Failure {
    move |error| Failure::new(Exit::WeirdReply, format!("{option}: the body is not JSON: {error}"))
}

/// A frame of type 3 reports a failure of the daemon.
fn bad_frame(error: FrameError) -> Failure {
    let exit = match error {
        FrameError::Daemon { .. } => Exit::HttpError,
        FrameError::Incomplete { .. } | FrameError::IncompleteHeader { .. } => Exit::Partial,
        _ => Exit::WeirdReply,
    };
    Failure::new(exit, error.to_string())
}
