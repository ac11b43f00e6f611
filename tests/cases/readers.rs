//! The decoders of `wire` behind one trait, with values in words.

use super::deliver::{Reader, Step};
use super::wire_fault::WireFault;
use unix_http::wire::{
    BodyDecoder, Decision, Fields, Framing, OVERHEAD_LIMIT, ParseError, RequestDecoder,
    RequestHead, ResponseDecoder, ResponseHead, framing,
};

fn step(result: Result<Option<(String, usize)>, ParseError>) -> Step {
    match result {
        Ok(None) => Step::Partial,
        Ok(Some((value, used))) => Step::Complete(value, used),
        Err(error) => Step::Error(error.into()),
    }
}

fn in_words(first: String, fields: &Fields) -> String {
    let fields = fields.iter().map(|f| format!("{}: {}", f.name(), f.value().escape_ascii()));
    let first = (!first.is_empty()).then_some(first);
    first.into_iter().chain(fields).collect::<Vec<_>>().join(" | ")
}

pub fn request_line(head: &RequestHead) -> String {
    format!("{} {} {}", head.method(), head.target().escape_ascii(), head.version())
}

/// A response head: `HTTP/1.1 200 OK | Name: value`.
pub fn response_head() -> Box<dyn Reader> {
    Box::new(Head(ResponseDecoder::new(), |head: &ResponseHead| {
        let line =
            format!("{} {:03} {}", head.version(), head.status(), head.reason().escape_ascii());
        Ok(in_words(line.trim_end_matches(' ').into(), head.fields()))
    }))
}

/// The class of a status-code.
pub fn status_class() -> Box<dyn Reader> {
    Box::new(Head(ResponseDecoder::new(), |head: &ResponseHead| Ok(format!("{}xx", head.class()))))
}

/// A request head: `GET / HTTP/1.1 | Name: value`.
pub fn request_head() -> Box<dyn Reader> {
    Box::new(Head(RequestDecoder::new(), |head: &RequestHead| {
        Ok(in_words(request_line(head), head.fields()))
    }))
}

/// The host of a request: the value of Host, or `none`.
pub fn host() -> Box<dyn Reader> {
    Box::new(Head(RequestDecoder::new(), |head: &RequestHead| {
        Ok(head.host()?.map_or("none".into(), |host| format!("[{}]", host.escape_ascii())))
    }))
}

fn decision(decision: &Decision) -> String {
    let framing = match decision.framing {
        Framing::NoBody => "no body".into(),
        Framing::Length(n) => format!("length {n}"),
        Framing::Chunked => "chunked".into(),
        Framing::UntilClose => "until close".into(),
        Framing::Tunnel => "tunnel".into(),
    };
    format!(
        "{framing}, {} (item {})",
        if decision.persistent { "reuse" } else { "close" },
        decision.rule.item()
    )
}

macro_rules! response_framing {
    ($($name:ident $method:literal)*) => {$(
        #[doc = concat!("The framing of a response to ", $method, ": `length 5, reuse (item 6)`.")]
        pub fn $name() -> Box<dyn Reader> {
            Box::new(Head(ResponseDecoder::new(), |head: &ResponseHead| {
                Ok(decision(&framing::response($method, head)?))
            }))
        }
    )*};
}

response_framing! { to_get "GET" to_head "HEAD" to_connect "CONNECT" }

/// The framing of a request.
pub fn request_framing() -> Box<dyn Reader> {
    Box::new(Head(RequestDecoder::new(), |head: &RequestHead| {
        Ok(decision(&framing::request(head)?))
    }))
}

/// A `HeadDecoder` of either direction, and a function that describes the head.
struct Head<D, H>(D, fn(&H) -> Result<String, ParseError>);

macro_rules! head_reader {
    ($decoder:ty, $head:ty) => {
        impl Reader for Head<$decoder, $head> {
            fn feed(&mut self, so_far: &[u8]) -> Step {
                step(self.0.decode(so_far).and_then(|progress| match progress {
                    None => Ok(None),
                    Some(len) => Ok(Some(((self.1)(self.0.head())?, len))),
                }))
            }
        }
    };
}

head_reader!(ResponseDecoder, ResponseHead);
head_reader!(RequestDecoder, RequestHead);

/// A body alone, in a given framing: `content | Trailer: value`.
pub struct Body {
    decoder: BodyDecoder,
    /// How many bytes of framing and content have been read.
    pub read: usize,
    pub content: Vec<u8>,
}

impl Body {
    pub fn new(decoder: BodyDecoder) -> Body {
        Body { decoder, read: 0, content: Vec::new() }
    }

    /// Continues to read `so_far`, which holds all bytes of the body. Returns whether the body is
    /// done.
    pub fn read_on(&mut self, so_far: &[u8]) -> Result<bool, ParseError> {
        while !self.decoder.is_done() {
            let step = self.decoder.step(&so_far[self.read..])?;
            self.read += step.framing;
            let data = &so_far[self.read..self.read + step.data];
            // In two halves, so that a chunk is also consumed in pieces.
            for part in [&data[..data.len() / 2], &data[data.len() / 2..]] {
                self.decoder.consume(part.len());
                self.content.extend_from_slice(part);
            }
            self.read += step.data;
            if step.framing + step.data == 0 {
                break;
            }
        }
        Ok(self.decoder.is_done())
    }

    pub fn trailers(&self) -> &Fields {
        const NONE: &Fields = &Fields::new();
        self.decoder.trailers().unwrap_or(NONE)
    }

    fn in_words(&self) -> String {
        in_words(format!("{}", self.content.escape_ascii()), self.trailers())
    }
}

impl Reader for Body {
    fn feed(&mut self, so_far: &[u8]) -> Step {
        step(self.read_on(so_far).map(|done| done.then(|| (self.in_words(), self.read))))
    }

    fn whole_at_end(&self) -> bool {
        self.decoder.finish().is_ok()
    }
}

/// A chunked body.
pub fn chunked() -> Box<dyn Reader> {
    Box::new(Body::new(BodyDecoder::new(Framing::Chunked, 0, OVERHEAD_LIMIT)))
}

/// A whole request, as a server reads it: `POST /a HTTP/1.1 > content`.
pub fn request() -> Box<dyn Reader> {
    Box::new(Request { decoder: RequestDecoder::new(), body: None })
}

struct Request {
    decoder: RequestDecoder,
    /// The head's length and the body, once the head is complete.
    body: Option<(usize, Body)>,
}

impl Reader for Request {
    fn feed(&mut self, so_far: &[u8]) -> Step {
        step((|| {
            if self.body.is_none() {
                let Some(len) = self.decoder.decode(so_far)? else {
                    return Ok(None);
                };
                self.decoder.head().host()?;
                let framing = framing::request(self.decoder.head())?.framing;
                let body = BodyDecoder::of_request(framing, len as u64, OVERHEAD_LIMIT - len);
                self.body = Some((len, Body::new(body)));
            }
            let Some((len, body)) = &mut self.body else { return Ok(None) };
            if !body.read_on(&so_far[*len..])? {
                return Ok(None);
            }
            Ok(Some((
                format!("{} > {}", request_line(self.decoder.head()), body.in_words()),
                *len + body.read,
            )))
        })())
    }
}

/// Field lines after the bytes `before`, up to the empty line: `Name: value | Name: value`.
struct After {
    before: &'static [u8],
    reader: Box<dyn Reader>,
}

impl Reader for After {
    fn feed(&mut self, so_far: &[u8]) -> Step {
        match self.reader.feed(&[self.before, so_far].concat()) {
            Step::Partial => Step::Partial,
            Step::Complete(value, used) => Step::Complete(value, used - self.before.len()),
            Step::Error(e) => {
                Step::Error(WireFault { offset: e.offset - self.before.len() as u64, ..e })
            }
        }
    }
}

/// Field lines after a status-line.
pub fn response_fields() -> Box<dyn Reader> {
    let reader = Box::new(Head(ResponseDecoder::new(), |h: &ResponseHead| {
        Ok(in_words(String::new(), h.fields()))
    }));
    Box::new(After { before: b"HTTP/1.1 200 OK\r\n", reader })
}

/// Field lines after a request-line.
pub fn request_fields() -> Box<dyn Reader> {
    let reader = Box::new(Head(RequestDecoder::new(), |h: &RequestHead| {
        Ok(in_words(String::new(), h.fields()))
    }));
    Box::new(After { before: b"GET / HTTP/1.1\r\n", reader })
}

/// Field lines after a last chunk: a trailer section.
pub fn trailer_fields() -> Box<dyn Reader> {
    Box::new(After { before: b"0\r\n", reader: chunked() })
}
