//! The stages of a body between the connection and stdout: `--fail-stream`, `--demux`, `--expect`,
//! `--select`, `--pretty`.
//!
//! ```text
//! content ──▶ look for errors of the daemon ──▶ decode frames ──┬─▶ select or lay out ──▶ stdout
//!                                                               └─▶ stderr
//! ```
//!
//! Content is passed on as it arrives, a JSON text once its last byte is there. Without these
//! options, content is written unchanged.

use crate::args::exit::Exit;
use crate::output::messages::Failure;
use crate::output::sink::Sink;
use crate::plan::Operation;
use std::fs::File;
use std::io::Write as _;
use unix_http::base::text::harmless;
use unix_http::docker::{ErrorScanner, FrameDecoder, FrameError, FrameStream};
use unix_http::json::{JsonError, JsonText, JsonTexts, Pointer, Value};

/// Writes JSON in pieces of this size.
const PIECE: usize = 64 << 10;
/// How much of an unexpected value an error shows.
const SHOWN: usize = 200;

pub struct BodyStages<'t> {
    scanner: Option<ErrorScanner>,
    frames: Option<FrameDecoder>,
    /// `None` writes content as it is.
    json: Option<JsonStage<'t>>,
    /// stderr, or the file of `--stderr`.
    stderr: &'t File,
}

/// `--select`, `--expect`, `--pretty`.
struct JsonStage<'t> {
    operation: &'t Operation,
    texts: JsonTexts,
    /// Whether a text was printed.
    found: bool,
    /// Why the latest text was not printed.
    miss: Option<String>,
}

impl<'t> BodyStages<'t> {
    /// With `framed`, decodes the content from Docker's frames.
    pub fn new(operation: &'t Operation, stderr: &'t File, framed: bool) -> BodyStages<'t> {
        let json = JsonStage { operation, texts: JsonTexts::default(), found: false, miss: None };
        BodyStages {
            scanner: operation.flags.fail_stream.then(ErrorScanner::new),
            frames: framed.then(FrameDecoder::new),
            json: (operation.selects() || operation.flags.pretty).then_some(json),
            stderr,
        }
    }

    /// Passes a piece of content through the stages.
    pub fn feed(&mut self, mut content: &[u8], sink: &mut Sink) -> Result<(), Failure> {
        if let Some(scanner) = &mut self.scanner {
            scanner.feed(content);
        }
        let mut write = |data: &[u8]| match &mut self.json {
            None => sink.write(data),
            Some(json) => json.write(Some(data), sink),
        };
        let Some(frames) = &mut self.frames else { return write(content) };
        while let Some((stream, data)) = frames.next(&mut content).map_err(bad_frame)? {
            match stream {
                FrameStream::Stderr => {
                    let mut stderr = self.stderr;
                    stderr.write_all(data).map_err(|error| {
                        Failure::new(Exit::Write, format!("cannot write to stderr: {error}"))
                    })?;
                }
                _ => write(data)?,
            }
        }
        Ok(())
    }

    /// Ends a body that `arrived`, or failed to, and writes the rest of its JSON. The body must be
    /// complete and report no error of the daemon.
    pub fn finish(&mut self, arrived: Result<(), Failure>, sink: &mut Sink) -> Result<(), Failure> {
        let rest = self.json.as_mut().map_or(Ok(()), |json| json.write(None, sink));
        arrived?;
        if let Some(frames) = &self.frames {
            frames.finish().map_err(bad_frame)?;
        }
        let error = self.scanner.take().map_or(Ok(None), ErrorScanner::finish);
        if let Some(error) = error.map_err(bad_json("--fail-stream"))? {
            let text = format!("the daemon reports an error in its stream: {error}");
            return Err(Failure::new(Exit::HttpError, text));
        }
        rest?;
        let Some(json) = self.json.as_mut().filter(|json| !json.found) else { return Ok(()) };
        match json.miss.take() {
            _ if !json.operation.selects() => Ok(()),
            Some(miss) => Err(Failure::new(Exit::HttpError, miss)),
            None => Value::parse(b"").map(drop).map_err(bad_json(json.option())),
        }
    }
}

impl JsonStage<'_> {
    fn option(&self) -> &'static str {
        match (&self.operation.select, &self.operation.expect[..]) {
            (Some(_), _) => "--select",
            (None, [_, ..]) => "--expect",
            (None, []) => "--pretty",
        }
    }

    /// Writes the JSON texts that end in `content`, or with the body.
    fn write(&mut self, content: Option<&[u8]>, sink: &mut Sink) -> Result<(), Failure> {
        let Operation { select, expect, flags, .. } = self.operation;
        let (mut pending, mut written) = (Vec::new(), Ok(()));
        let out = &mut |piece: &[u8]| {
            pending.extend_from_slice(piece);
            if pending.len() >= PIECE {
                if written.is_ok() {
                    written = sink.write(&pending);
                }
                pending.clear();
            }
        };
        let show = &mut |text: &JsonText<'_>| {
            for (pointer, value) in expect {
                self.miss = unexpected(text, pointer, value)?;
                if self.miss.is_some() {
                    return Ok(());
                }
            }
            match select {
                Some(pointer) => {
                    let print = &mut |value: &JsonText<'_>| value.print(flags.pretty, out);
                    let miss = text.select(pointer, print)?;
                    self.miss = miss.map(|miss| format!("--select found no value: {miss}"));
                }
                None if flags.pretty => text.lay_out(out)?,
                None => {
                    out(text.bytes);
                    out(b"\n");
                }
            }
            self.found |= self.miss.is_none();
            Ok(())
        };
        let result = match content {
            Some(content) => self.texts.feed(content, show),
            None => self.texts.finish(show),
        };
        written.and_then(|()| sink.write(&pending))?;
        result.map_err(bad_json(self.option()))
    }
}

/// Returns why a text is not as expected.
fn unexpected(
    text: &JsonText,
    pointer: &Pointer,
    want: &[u8],
) -> Result<Option<String>, JsonError> {
    let (mut count, mut other) = (0, None);
    let miss = text.select(pointer, &mut |value| {
        let mut found = Vec::new();
        value.print(false, &mut |piece| found.extend_from_slice(piece));
        found.pop();
        count += 1;
        if found != want {
            other.get_or_insert(found);
        }
    })?;
    let why = match (other, miss) {
        (Some(other), _) => format!("it is {}", harmless(&other[..other.len().min(SHOWN)])),
        (None, Some(miss)) => miss,
        (None, None) if count == 0 => "there is no value".to_owned(),
        (None, None) => return Ok(None),
    };
    Ok(Some(format!("--expect {pointer}={}: {why}", harmless(want))))
}

fn bad_json(option: &str) -> impl Fn(JsonError) -> Failure {
    move |error| Failure::new(Exit::WeirdReply, format!("{option}: the body is not JSON: {error}"))
}

/// A frame of type 3 reports a failure of the daemon.
fn bad_frame(error: FrameError) -> Failure {
    let exit = match error {
        FrameError::Daemon { .. } => Exit::HttpError,
        FrameError::Incomplete { .. } => Exit::Partial,
        _ => Exit::WeirdReply,
    };
    Failure::new(exit, error.to_string())
}
