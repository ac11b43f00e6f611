//! One transfer: the request for a URL and its redirects, up to the last byte of the body.

use crate::args::config::{Group, Node};
use crate::args::exit::Exit;
use crate::fetch::attached::{Attached, Inspected};
use crate::fetch::failure::Failure;
use crate::fetch::hijack::Join;
use crate::fetch::refusal::Refusal;
use crate::fetch::request::{self, Body, Hop, Impossible};
use crate::fetch::run::Session;
use crate::fetch::url::Url;
use crate::output::content::Content;
use crate::output::messages::Messages;
use crate::output::sink::{self, Sink};
use crate::output::trace::Tracer;
use crate::output::writeout::Info;
use std::fs::File;
use std::io::Write as _;
use std::os::fd::AsFd as _;
use std::sync::Arc;
use std::time::{Duration, Instant};
use unix_http::docker::OutputKind;
use unix_http::wire::{Fields, Framing, Version, framing};
use unix_http::{Client, Error, Response, Timeouts};

/// A transfer that is about to be made, or made again.
pub struct Transfer<'t> {
    pub group: &'t Group,
    pub node: &'t Node,
    pub url: Url,
    pub login: Option<Vec<u8>>,
    pub client: &'t Client,
    messages: &'t Messages,
    /// Set where something has to be known of the wire: `-v`, `--trace`, `-i`, `-D`, `-w`.
    pub tracer: Option<&'t Arc<Tracer>>,
    pub heads: Option<&'t File>,
    /// The server answered an earlier request on this connection with HTTP/1.0.
    pub http10_server: bool,
    pub info: Info,
    /// The connection of the last response goes on.
    pub kept: bool,
    /// What Retry-After said.
    pub retry_after: Option<Vec<u8>>,
    start: Instant,
}

/// What follows from a response.
enum Next {
    Done,
    Redirect(Vec<u8>),
    /// 417: the same again without Expect.
    WithoutExpect,
}

impl<'t> Transfer<'t> {
    #[allow(clippy::too_many_arguments, reason = "it is a list of names, made in one place")]
    pub fn new(
        session: &'t Session,
        group: &'t Group,
        node: &'t Node,
        url: Url,
        login: Option<Vec<u8>>,
        client: &'t Client,
        heads: Option<&'t File>,
        http10_server: bool,
    ) -> Transfer<'t> {
        let tracer = session.tracer.as_ref();
        let (info, start) = (Info::default(), Instant::now());
        Transfer {
            group,
            node,
            url,
            login,
            client,
            messages: &session.messages,
            tracer,
            heads,
            http10_server,
            info,
            kept: false,
            retry_after: None,
            start,
        }
    }

    /// Makes it. Whatever happens, `info` tells how far it came.
    pub fn run(&mut self, sink: &mut Sink) -> Result<(), Failure> {
        self.start = Instant::now();
        self.info = Info { http_version: "0", ..Info::default() };
        self.retry_after = None;
        if let Some(tracer) = self.tracer {
            tracer.begin(self.start, sink.to_terminal);
        }
        let result = self.hops(sink);
        self.finish(sink);
        result
    }

    fn hops(&mut self, sink: &mut Sink) -> Result<(), Failure> {
        let first = self.url.clone();
        let mut url = first.clone();
        let mut body = self.body();
        let mut login = self.login.clone();
        let mut referer = self.group.referer.clone();
        let mut followed: i64 = 0;
        let mut no_expect = false;
        loop {
            self.info.url_effective = url.to_bytes();
            self.info.referer.clone_from(&referer);
            let hop = Hop {
                url: &url,
                body: body.kind(self.group)?,
                head: self.group.head,
                first: (followed > 0).then_some(&first),
                referer: referer.as_deref(),
                http10_server: self.http10_server,
                no_expect,
                login: login.as_deref(),
            };
            let response = self.exchange(&hop, &body)?;
            match self.receive(response, &hop, sink)? {
                Next::Done => return Ok(()),
                Next::WithoutExpect => {
                    no_expect = true;
                    if let Some(tracer) = self.tracer {
                        tracer.explain("417: asks once more, without Expect", "RFC 9110 §10.1.1");
                    }
                }
                Next::Redirect(location) => {
                    let target = url.redirect(&location, self.group.path_as_is);
                    let target = target.map_err(|error| {
                        Failure::new(error.exit, format!("the redirect's target {}", error.why))
                    })?;
                    if self.group.max_redirs >= 0 && followed >= self.group.max_redirs {
                        self.info.redirect_url = Some(target.to_bytes());
                        let text =
                            format!("Maximum ({}) redirects followed", self.group.max_redirs);
                        return Err(Failure::new(Exit::Redirects, text));
                    }
                    followed += 1;
                    self.info.num_redirects += 1;
                    if self.group.auto_referer {
                        referer = Some(
                            Url { user: None, password: None, fragment: None, ..url.clone() }
                                .to_bytes(),
                        );
                    }
                    if !self.group.location_trusted && target.port_or_80() != url.port_or_80() {
                        login = None;
                    }
                    let keep = match self.info.response_code {
                        301 => self.group.post301,
                        302 => self.group.post302,
                        303 => self.group.post303,
                        _ => true,
                    };
                    let had_content = !matches!(body, Source::None);
                    match body {
                        Source::Post if !keep => body = Source::None,
                        Source::File(_) | Source::Stdin if self.info.response_code == 303 => {
                            body = Source::None
                        }
                        Source::Stdin => {
                            return Err(Failure::new(
                                Exit::Rewind,
                                "stdin cannot be sent a second time, to where a redirect leads",
                            ));
                        }
                        _ => {}
                    }
                    if let Some(tracer) = self.tracer {
                        tracer.info(
                            &[
                                "Issue another request to this URL: '",
                                &String::from_utf8_lossy(&target.to_bytes()),
                                "'",
                            ]
                            .concat(),
                        );
                        let status = self.info.response_code;
                        let dropped = had_content && matches!(body, Source::None);
                        let how = match (dropped, &self.group.request) {
                            (true, None) => ", with GET and without the content",
                            (true, Some(_)) => ", without the content",
                            (false, _) => "",
                        };
                        tracer.explain(
                            &format!("{status} and -L: asks for the Location now{how}"),
                            "RFC 9110 §15.4",
                        );
                    }
                    self.info.time_redirect = self.start.elapsed();
                    url = target;
                }
            }
        }
    }

    /// Where the content comes from.
    fn body(&self) -> Source {
        match (&self.node.upload, &self.group.post) {
            (Some(name), _) if matches!(name.as_slice(), b"-" | b".") => Source::Stdin,
            (Some(name), _) if !name.is_empty() => Source::File(name.clone()),
            (_, Some(_)) if !self.group.get => Source::Post,
            _ => Source::None,
        }
    }

    /// Sends the request and waits for the final head.
    fn exchange(&mut self, hop: &Hop, source: &Source) -> Result<Response, Failure> {
        let plan = request::plan(self.group, hop).map_err(|Impossible::ChunkedTo10| {
            Failure::new(
                Exit::Upload,
                "an upload of unknown length needs HTTP/1.1; give its length with -H 'Content-Length: ...'",
            )
        })?;
        if let Some(tracer) = self.tracer {
            let (host, port) = (String::from_utf8_lossy(&hop.url.host), hop.url.port_or_80());
            tracer.hop(&host);
            self.info.remote_port = port;
        }
        let method = String::from_utf8_lossy(&plan.method);
        let mut fields = Fields::new();
        for line in &plan.lines {
            fields.push_line(line).map_err(|error| {
                let line = String::from_utf8_lossy(line);
                Failure::new(Exit::Usage, format!("-H '{}': {error}", line.escape_debug()))
            })?;
        }
        let elapsed = self.start.elapsed();
        let version = if plan.http10 { Version::Http10 } else { Version::Http11 };
        let mut request =
            self.client.request(&method, &plan.target).version(version).fields(fields);
        request = request.timeouts(self.limits(elapsed)?);
        if plan.expect {
            request =
                request.expect_continue(Duration::from_millis(self.group.expect100_timeout_ms));
        }
        if self.group.raw {
            request = request.raw();
        }
        if self.group.ignore_content_length {
            request = request.ignore_content_length();
        }
        request = match source {
            Source::None => request,
            Source::Post => request.body(self.group.post.as_deref().unwrap_or_default()),
            Source::File(name) => {
                let file = File::open(crate::output::output::path(name))
                    .map_err(|error| unreadable(name, &error))?;
                request.body(unix_http::Body::file(file).map_err(|error| unreadable(name, &error))?)
            }
            Source::Stdin => {
                let stdin = std::io::stdin()
                    .as_fd()
                    .try_clone_to_owned()
                    .map_err(|error| unreadable(b"-", &error))?;
                request.body(unix_http::Body::reader(File::from(stdin)))
            }
        };
        self.info.method.clone_from(&plan.method);
        Ok(request.send()?)
    }

    /// curl's limits hold for the whole transfer, redirects and all.
    fn limits(&self, elapsed: Duration) -> Result<Timeouts, Failure> {
        let mut limits = limits(self.group);
        if let Some(total) = limits.total {
            limits.total = total.checked_sub(elapsed).filter(|left| !left.is_zero());
            if limits.total.is_none() {
                return Err(Failure::new(Exit::Timeout, format!("not finished within {total:?}")));
            }
        }
        Ok(limits)
    }

    /// Does with a response what the options say.
    fn receive(
        &mut self,
        mut response: Response,
        hop: &Hop,
        sink: &mut Sink,
    ) -> Result<Next, Failure> {
        let group = self.group;
        let status = response.status();
        self.http10_server |= response.version() == Version::Http10;
        self.kept = response.decision().persistent;
        self.note_head(&response);
        self.show_heads(&response, sink)?;
        // An upgrade that is refused leaves stdin without anybody to read it.
        if (group.fail || group.hijack) && status >= 400 {
            return Err(Refusal::read(response).into());
        }
        let redirect = if matches!(status, 300..400) {
            response.field("Location").filter(|to| !to.is_empty())
        } else {
            None
        };
        let redirect = redirect.map(<[u8]>::to_vec);
        let next = match redirect {
            Some(location) if group.location => Next::Redirect(location),
            _ if status == 417 && hop.body != Body::None && !hop.no_expect && self.expects(hop) => {
                Next::WithoutExpect
            }
            other => {
                if let Some(location) = other {
                    let target = hop.url.redirect(&location, group.path_as_is);
                    self.info.redirect_url = Some(target.map_or(location, |url| url.to_bytes()));
                }
                Next::Done
            }
        };
        if group.head {
            // No content follows, but a script may ask for its length before it fetches it.
            if let Some(max) = Some(group.max_filesize).filter(|max| *max > 0) {
                let announced = framing::response("GET", response.head()).map_err(Error::Parse)?;
                if matches!(announced.framing, Framing::Length(length) if length > max) {
                    return Err(sink::too_large());
                }
            }
            return Ok(next);
        }
        if !matches!(next, Next::Done) {
            // Read to its end if the connection is to be used again, else leave it.
            if response.decision().persistent {
                sink::discard(&mut response)?;
            }
            return Ok(next);
        }
        let length = match response.decision().framing {
            Framing::Length(length) => Some(length),
            _ => None,
        };
        if group.max_filesize > 0 && length.is_some_and(|length| length > group.max_filesize) {
            return Err(sink::too_large());
        }
        if let Some(meter) = &mut sink.meter {
            meter.now.download_size = length;
        }
        self.deliver(response, hop, sink).map(|()| Next::Done)
    }

    /// Brings the content to where it belongs, by the stages that the options ask for.
    fn deliver(
        &mut self,
        mut response: Response,
        hop: &Hop,
        sink: &mut Sink,
    ) -> Result<(), Failure> {
        let (group, status) = (self.group, response.status());
        let ended = matches!(response.decision().framing, Framing::Tunnel | Framing::UntilClose);
        let raw = ended && status < 300 && (group.hijack || status == 101);
        let attached =
            Attached::of(&text(&hop.url.path), &text(hop.url.query.as_deref().unwrap_or_default()));
        let kind = OutputKind::of_content_type(response.field("Content-Type"));
        let other = self.other_end(attached.as_ref(), kind, raw)?;
        let frames = match kind {
            OutputKind::Multiplexed => true,
            OutputKind::DependsOnTty => other.terminal != Some(true),
            OutputKind::Other => false,
        };
        let content = Content::new(group, self.messages, frames && group.demux && status < 300);
        if raw {
            let tty = kind != OutputKind::Multiplexed && other.terminal == Some(true);
            let (client, tracer) = (self.client, self.tracer.cloned());
            let join =
                Join { client, attached, tty, stdin: other.stdin != Some(false), content, tracer };
            join.run(response, sink, &mut self.info.size_download)?;
            if let Some(tracer) = self.tracer {
                tracer.raw_end();
            }
            return Ok(());
        }
        let result = match content {
            Some(content) if status >= 400 && group.select.is_some() => {
                let refusal = Refusal::read(response);
                self.info.size_download = refusal.body.len() as u64;
                return refusal.select(content, sink);
            }
            None => sink.body(&mut response),
            Some(content) => sink.through(content, &mut response),
        };
        self.info.size_download = response.received();
        result?;
        self.show_trailers(&response, sink)?;
        if status < 300
            && let Some(error) = response.upload_error()
        {
            return Err(Failure::new(Exit::Send, error.to_string()));
        }
        Ok(())
    }

    fn expects(&self, hop: &Hop) -> bool {
        request::plan(self.group, hop).is_ok_and(|plan| plan.expect)
    }

    /// What has to be known of the other end, and is not said by the response: the daemon is asked.
    fn other_end(
        &self,
        attached: Option<&Attached>,
        kind: OutputKind,
        raw: bool,
    ) -> Result<Inspected, Failure> {
        let Some(attached) = attached else { return Ok(Inspected::default()) };
        let frames = (raw || self.group.demux) && kind == OutputKind::DependsOnTty;
        let ask = frames || (raw && attached.is_exec());
        if let Some(tracer) = self.tracer.filter(|_| ask) {
            let why = "asks what the other end is: without a terminal its output comes in frames";
            tracer.explain(why, "Docker Engine API v1.41 attach");
        }
        Ok(match ask {
            true => attached.inspect(self.client, self.limits(self.start.elapsed())?),
            false => Inspected { terminal: None, stdin: attached.stdin() },
        })
    }

    /// What `-w` will want to know.
    fn note_head(&mut self, response: &Response) {
        let head = response.head();
        self.info.response_code = head.status();
        self.info.http_version = match head.version() {
            Version::Http10 => "1",
            Version::Http11 => "1.1",
        };
        self.retry_after = response.field("Retry-After").map(<[u8]>::to_vec);
        if self.tracer.is_none() {
            return;
        }
        self.info.size_header += head.as_bytes().len() as u64;
        if let Some(value) = response.field("Content-Type").filter(|value| !value.is_empty()) {
            self.info.content_type = Some(value.to_vec());
        }
        self.info.headers = head
            .fields()
            .iter()
            .map(|field| (field.name().as_bytes().to_vec(), field.value().to_vec()))
            .collect();
        self.info.num_headers = self.info.headers.len() as u64;
    }

    /// `-i` and `-D`: all heads of this hop, those of 1xx first.
    fn show_heads(&mut self, response: &Response, sink: &mut Sink) -> Result<(), Failure> {
        let interim = self.tracer.map(|tracer| tracer.told().interim).unwrap_or_default();
        self.info.size_header += interim.iter().map(|head| head.len() as u64).sum::<u64>();
        for head in interim.iter().map(Vec::as_slice).chain([response.head().as_bytes()]) {
            if let Some(mut file) = self.heads {
                file.write_all(head).map_err(|error| Failure::of_writing(&error, false))?;
            }
            if self.group.include {
                sink.head(head)?;
            }
        }
        Ok(())
    }

    /// `-i` and `-D` show the trailer section too, as curl does.
    fn show_trailers(&self, response: &Response, sink: &mut Sink) -> Result<(), Failure> {
        for field in response.trailers().into_iter().flat_map(Fields::iter) {
            let line = [field.name().as_bytes(), b": ", field.value(), b"\r\n"].concat();
            if let Some(tracer) = self.tracer {
                tracer.trailer(&line);
            }
            if let Some(mut file) = self.heads {
                file.write_all(&line).map_err(|error| Failure::of_writing(&error, false))?;
            }
            if self.group.include {
                sink.head(&line)?;
            }
        }
        Ok(())
    }

    /// Whether the content can be read, told before anything else happens.
    pub fn check_source(&self) -> Result<(), Failure> {
        self.body().kind(self.group).map(|_| ())
    }

    /// Fills in times and sizes.
    fn finish(&mut self, sink: &Sink) {
        let info = &mut self.info;
        info.time_total = self.start.elapsed();
        info.file.clone_from(&sink.name);
        let Some(tracer) = self.tracer else { return };
        let told = tracer.told();
        info.num_connects = told.connects;
        info.size_request = told.request_bytes + told.upload_bytes;
        info.size_upload = told.upload_bytes;
        info.time_connect = told.connected.unwrap_or_default();
        info.time_pretransfer = told.connected.unwrap_or_default();
        info.time_starttransfer = told.answered.unwrap_or_default();
        match told.connected {
            Some(_) => {
                info.scheme = Some("HTTP");
                info.remote_ip = crate::output::trace::place(self.client.endpoint()).into_bytes();
            }
            None => info.remote_port = 0,
        }
        let micros = info.time_total.as_micros() as u64;
        info.speed_download = crate::output::progress::speed(info.size_download, micros);
        info.speed_upload = crate::output::progress::speed(info.size_upload, micros);
    }
}

/// Where a request's content comes from.
enum Source {
    None,
    Post,
    File(Vec<u8>),
    Stdin,
}

impl Source {
    fn kind(&self, group: &Group) -> Result<Body, Failure> {
        Ok(match self {
            Source::None => Body::None,
            Source::Post => Body::Post(group.post.as_ref().map_or(0, Vec::len) as u64),
            Source::Stdin => Body::Put(None),
            Source::File(name) => {
                let metadata = std::fs::metadata(crate::output::output::path(name))
                    .map_err(|error| unreadable(name, &error))?;
                Body::Put(metadata.is_file().then_some(metadata.len()))
            }
        })
    }
}

/// curl's limits for a transfer that has not begun.
pub fn limits(group: &Group) -> Timeouts {
    let some = |milliseconds: u64| (milliseconds > 0).then(|| Duration::from_millis(milliseconds));
    // A peer that is silent for so long is slower than any limit.
    let idle = if group.speed_limit > 0 { some(group.speed_time * 1000) } else { None };
    Timeouts {
        connect: some(group.connect_timeout_ms),
        total: some(group.max_time_ms),
        idle,
        head: None,
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn unreadable(name: &[u8], error: &std::io::Error) -> Failure {
    Failure::new(
        Exit::Read,
        format!("cannot read '{}': {error}", String::from_utf8_lossy(name).escape_debug()),
    )
}
