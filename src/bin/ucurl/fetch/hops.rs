//! The requests of one try: the first one, and those that redirects lead to.

use crate::args::exit::Exit;
use crate::console::unbuffered;
use crate::content::StatedLength;
use crate::fetch::attempt::{Attempt, Next};
use crate::fetch::request::{self, Hop, RequestContent};
use crate::fetch::session::Server;
use crate::fetch::url::Url;
use crate::output::messages::Failure;
use crate::output::trace;
use crate::output::writeout::TransferInfo;
use crate::plan::Source;
use std::fs::File;
use std::io;
use std::path::Path;
use std::time::Instant;
use unix_http::base::number::decimal;
use unix_http::base::sync::lock;
use unix_http::base::text::without_password;
use unix_http::docker::DockerError;
use unix_http::wire::{Fields, Version};
use unix_http::{Body, Response};

impl<'t> Attempt<'t> {
    /// Tries once. `info` records the progress, even of a failed try.
    pub fn run(&mut self) -> Result<(), Failure> {
        self.start = Instant::now();
        self.info = TransferInfo::default();
        lock(&self.session.tracer).begin(self.start, self.sink.to_terminal);
        let result = self.hops();
        self.info.time_total = self.start.elapsed();
        self.info.file = self.sink.name.clone();
        self.info.facts = lock(&self.session.tracer).facts.clone();
        if self.info.facts.connected.is_none() {
            self.info.remote_port = 0;
        } else if self.info.remote_ip.is_empty() {
            self.info.remote_ip = trace::place_of(self.server.engine.client().endpoint());
        }
        result
    }

    fn hops(&mut self) -> Result<(), Failure> {
        let mut hop = self.first.clone();
        if self.operation.flags.negotiate_api {
            lock(&self.session.tracer).begin_hop(&hop.url.host);
            hop.url = versioned(&self.server, hop.url)?;
        }
        loop {
            self.info.url_effective = hop.url.to_bytes();
            self.info.referer.clone_from(&hop.referer);
            let (response, expecting) = self.exchange(&hop)?;
            match self.receive(response, &hop, expecting)? {
                Next::Done => return Ok(()),
                Next::WithoutExpect => {
                    hop.no_expect = true;
                    let text = "417: repeats the request without Expect";
                    lock(&self.session.tracer).explain(text, "RFC 9110 §10.1.1");
                }
                Next::Redirect(location) => hop = self.follow(hop, &location)?,
            }
        }
    }

    /// Sends the request, waits for the final head, and returns whether it asked for a 100.
    fn exchange(&mut self, hop: &Hop) -> Result<(Response, bool), Failure> {
        let flags = &self.operation.flags;
        let http10 = flags.http10 == Some(true) || self.server.http10.get();
        let planned =
            request::plan(flags, hop, http10).map_err(|why| Failure::new(Exit::Upload, why))?;
        lock(&self.session.tracer).begin_hop(&hop.url.host);
        self.info.remote_port = hop.url.port_or_80();
        let mut fields = Fields::new();
        for line in &planned.lines {
            fields.push_line(line).map_err(|error| {
                let line = String::from_utf8_lossy(line);
                Failure::new(Exit::Usage, format!("-H '{}': {error}", line.escape_debug()))
            })?;
        }
        let body = self.body(hop.content, fields.get("Content-Length"))?;
        let method = String::from_utf8_lossy(&planned.method);
        let version = if http10 { Version::Http10 } else { Version::Http11 };
        let client = self.server.engine.client();
        let mut request = client.request(&method, &planned.target).version(version).fields(fields);
        request = request.timeouts(self.limits()?).body(body);
        if planned.expect {
            request = request.expect_continue(flags.expect100_timeout);
        }
        if flags.raw {
            request = request.raw();
        }
        if flags.ignore_content_length {
            request = request.ignore_content_length();
        }
        self.info.method.clone_from(&planned.method);
        self.monitor.sends(hop.content.length());
        Ok((request.send()?, planned.expect))
    }

    /// Opens the content of a request. Its length was measured before, or `-H` states it.
    fn body(&self, content: RequestContent, stated: Option<&[u8]>) -> Result<Body<'t>, Failure> {
        let (name, file) = match (self.source, content) {
            (_, RequestContent::None) | (Source::None, _) => return Ok(Body::default()),
            (Source::Post, _) => return self.operation.post.body(),
            (Source::Stdin, _) => (Path::new("-"), unbuffered(io::stdin())),
            (Source::File(name), _) => (&**name, File::open(name)),
        };
        let file = file.map_err(Failure::of_reading(name))?;
        match (content.length(), stated.and_then(decimal)) {
            (None, Some(stated)) => {
                let file = StatedLength::new(file, stated).map_err(Failure::of_reading(name))?;
                Ok(Body::reader(file, None))
            }
            (length, _) => Ok(Body::reader(file, length)),
        }
    }

    /// Returns the request that a redirect leads to.
    fn follow(&mut self, hop: Hop, location: &[u8]) -> Result<Hop, Failure> {
        let flags = &self.operation.flags;
        let url = hop.url.redirect(location).map_err(|error| {
            Failure::new(error.exit, format!("the redirect's target {}", error.text))
        })?;
        if let Some(max) = flags.max_redirs.filter(|max| self.info.num_redirects >= *max) {
            self.info.redirect_url = Some(url.to_bytes());
            let text = format!("Maximum ({max}) redirects followed");
            return Err(Failure::new(Exit::Redirects, text));
        }
        self.info.num_redirects += 1;
        let content = self.content_after(&hop)?;
        self.tell_of_redirect(&url, content != hop.content);
        self.info.time_redirect = self.start.elapsed();
        let same_port = |other: &Url| url.port_or_80() == other.port_or_80();
        let same_host = url.host.eq_ignore_ascii_case(&self.first.url.host);
        let mut referer = hop.referer;
        if flags.auto_referer {
            referer = Some(Url { login: None, fragment: None, ..hop.url.clone() }.to_bytes());
        }
        let trusted = flags.location_trusted || (same_host && same_port(&self.first.url));
        Ok(Hop {
            content,
            referer,
            dropped: hop.dropped || content != hop.content,
            login: hop.login.filter(|_| flags.location_trusted || same_port(&hop.url)),
            other_host: !same_host,
            untrusted: !trusted,
            url,
            ..hop
        })
    }

    /// Returns the content after a redirect: a change to GET drops it.
    fn content_after(&self, hop: &Hop) -> Result<RequestContent, Failure> {
        let status = self.info.response_code;
        let flags = &self.operation.flags;
        let keep_post = match status {
            301 => flags.post301,
            302 => flags.post302,
            _ => flags.post303,
        };
        match (hop.content, status) {
            (RequestContent::Post(_), 301..=303) if !keep_post => Ok(RequestContent::None),
            (RequestContent::Put(_), 303) => Ok(RequestContent::None),
            (RequestContent::Put(_), _) if matches!(self.source, Source::Stdin) => {
                let text = "stdin cannot be sent a second time, as this redirect requires";
                Err(Failure::new(Exit::Rewind, text))
            }
            (content, _) => Ok(content),
        }
    }

    fn tell_of_redirect(&self, url: &Url, dropped: bool) {
        let url = without_password(&url.to_bytes());
        lock(&self.session.tracer).say(&format!("Issue another request to this URL: '{url}'"));
        let how = match (dropped, &self.operation.flags.request) {
            (true, None) => ", with GET and without the content",
            (true, Some(_)) => ", without the content",
            (false, _) => "",
        };
        let status = self.info.response_code;
        let text = format!("{status} and -L: requests the Location{how}");
        lock(&self.session.tracer).explain(&text, "RFC 9110 §15.4");
    }
}

/// Inserts the newest version that both sides support before the path.
fn versioned(server: &Server, url: Url) -> Result<Url, Failure> {
    let path = String::from_utf8_lossy(&url.path);
    let path = server.engine.target(&path).map_err(|error| match error {
        DockerError::Exchange(error) => Failure::from(error),
        other => Failure::new(Exit::Usage, other.to_string()),
    })?;
    Ok(Url { path: path.into_bytes(), ..url })
}
