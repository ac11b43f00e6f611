//! TLS through the system's `openssl s_client`: the library has no cryptography of its own.
//!
//! `openssl` is installed on almost every machine, carries arbitrary bytes in both directions,
//! names the cause if a certificate does not verify, and fails if the connection ends without
//! close_notify (RFC 8446 §6.1). socat, stunnel and gnutls-cli make a truncated response look
//! complete.
//!
//! It cannot half-close: it ends the connection when its input ends. Therefore
//! [`Stream::shutdown`](crate::transport::Stream::shutdown) of the write side fails. Use ssh or a
//! [`proxy_command`](Endpoint::proxy_command) if you need it.
//!
//! OpenSSL takes the common name of a certificate without a subjectAltName, which the docker
//! command refuses; `s_client` cannot turn this off. Its interactive commands (a line that begins
//! with `Q`, `R`, `k`, `K`) are off by `-quiet` and `-nocommands`, which needs OpenSSL 3.0;
//! `-no_ign_eof` alone would turn them on.

use super::environment::open;
use crate::base::text::{visible, visible_path};
use crate::transport::{
    Carrier, Cause, ConnectErrorKind as Kind, Endpoint, EndpointError, Program, Ready,
};
use crate::transport::{check_host, host_and_port, tcp};
use std::ffi::OsString;
use std::fmt;
use std::io::{self, Read};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

/// The line that `-brief` prints when the handshake is done.
const ESTABLISHED: &str = "CONNECTION ESTABLISHED";

/// The certificates of a TLS connection. By default the system's CA certificates verify the server.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct TlsOptions {
    pub(super) ca: Option<PathBuf>,
    /// The certificate and its private key.
    pub(super) client: Option<(PathBuf, PathBuf)>,
    pub(super) verify: bool,
    pub(super) server_name: Option<String>,
}

impl TlsOptions {
    /// Sets a PEM file with the certificates to trust, instead of the system's.
    pub fn ca(self, ca: impl Into<PathBuf>) -> TlsOptions {
        TlsOptions { ca: Some(ca.into()), ..self }
    }

    /// Sets PEM files with our certificate and its private key, for a server that requires them.
    pub fn client(self, cert: impl Into<PathBuf>, key: impl Into<PathBuf>) -> TlsOptions {
        TlsOptions { client: Some((cert.into(), key.into())), ..self }
    }

    /// Sets whether to verify the server's certificate and name. Without it, an attacker in the
    /// middle can read and change everything.
    pub fn verify(self, verify: bool) -> TlsOptions {
        TlsOptions { verify, ..self }
    }

    /// Sets the server name to request and to verify, instead of the host.
    pub fn server_name(self, name: impl Into<String>) -> TlsOptions {
        TlsOptions { server_name: Some(name.into()), ..self }
    }
}

impl Default for TlsOptions {
    fn default() -> Self {
        Self { ca: None, client: None, verify: true, server_name: None }
    }
}

#[derive(Debug)]
struct Tls {
    host: String,
    port: u16,
    options: TlsOptions,
}

impl Endpoint {
    /// Returns a TCP port over TLS. A failed handshake is an error of
    /// [`connect`](crate::transport::connect()); a later failure (with TLS 1.3, a missing client
    /// certificate) is one of the first read.
    ///
    /// ```no_run
    /// use unix_http::{Client, Endpoint, docker::TlsOptions};
    ///
    /// let options = TlsOptions::default().ca("ca.pem").client("cert.pem", "key.pem");
    /// let docker = Client::new(Endpoint::tls("docker.example", 2376, options)?);
    /// println!("{}", docker.get("/version").send()?.text()?);
    /// # Ok::<(), unix_http::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`EndpointError`] for a malformed host or server name.
    pub fn tls(host: &str, port: u16, options: TlsOptions) -> Result<Self, EndpointError> {
        let name = options.server_name.as_deref().unwrap_or(host);
        check_host(host).and_then(|()| check_host(name)).map_err(|e| e.about(host.as_bytes()))?;
        Ok(Self::Program(Carrier(Arc::new(Tls { host: host.to_owned(), port, options }))))
    }
}

impl Tls {
    fn name(&self) -> &str {
        self.options.server_name.as_deref().unwrap_or(&self.host)
    }

    /// Explains an error number of X509_STORE_CTX_get_error(3).
    fn explain_verification(&self, cause: &str, said: &str) -> String {
        let (number, text) = cause.split_once(':').unwrap_or((cause, cause));
        let text = text.trim();
        match number {
            "10" => {
                let until = said.lines().find_map(|line| line.strip_prefix("notAfter="));
                format!(
                    "its certificate has expired on {}; renew it, or check this machine's clock",
                    until.unwrap_or("an unknown date")
                )
            }
            "18" | "19" | "20" | "21" => {
                let trusted = match &self.options.ca {
                    Some(file) => format!("in {}", visible_path(file)),
                    None => "among this system's; give its CA file".into(),
                };
                format!("its certificate was not signed by a CA {trusted} ({text})")
            }
            "62" | "64" => {
                let name = self.name();
                format!("its certificate is not for `{name}` ({text}); use a name that it is for")
            }
            _ => format!("its certificate does not verify: {text}"),
        }
    }

    /// Explains an alert number of RFC 8446 §6.
    fn explain_alert(&self, alert: &str) -> Option<Cause> {
        let number = alert.lines().next().unwrap_or_default().trim();
        let why = match (number, &self.options.client) {
            ("116", _) | ("42" | "40", None) => format!(
                "the server wants a client certificate (TLS alert {number}); give a certificate \
                 and its key"
            ),
            ("42" | "43" | "44" | "45" | "46" | "48" | "49" | "51", Some((cert, _))) => {
                let cert = visible_path(cert);
                format!("the server refuses the client certificate {cert} (TLS alert {number})")
            }
            _ => return None,
        };
        Some(Cause::new(Kind::ClientCertificate, why))
    }

    /// With TLS 1.3 a server refuses our certificate after the handshake, and its reset can
    /// overtake the alert that says so.
    fn explain_reset(&self) -> Cause {
        let maybe = match &self.options.client {
            Some((cert, _)) => format!("refuse the client certificate {}", visible_path(cert)),
            None => "want a client certificate".into(),
        };
        let why = "the server reset the connection; if it never answered, it may";
        Cause::new(Kind::Other, format!("{why} {maybe}"))
    }
}

impl Program for Tls {
    fn words(&self, _: Option<Duration>) -> Vec<OsString> {
        let options = &self.options;
        let fixed =
            ["openssl", "s_client", "-quiet", "-brief", "-no_ign_eof", "-nocommands", "-nbio"];
        let mut words: Vec<OsString> = fixed.map(OsString::from).into();
        words.extend(["-connect".into(), host_and_port(&self.host, self.port).into()]);
        let is_ip = self.name().parse::<IpAddr>().is_ok();
        if is_ip {
            words.push("-noservername".into());
        } else {
            words.extend(["-servername".into(), self.name().into()]);
        }
        if options.verify {
            let verify = if is_ip { "-verify_ip" } else { "-verify_hostname" };
            words.extend(["-verify_return_error".into(), verify.into(), self.name().into()]);
        }
        if let Some(ca) = &options.ca {
            words.extend(["-CAfile".into(), ca.into()]);
        }
        if let Some((cert, key)) = &options.client {
            words.extend(["-cert".into(), cert.into(), "-key".into(), key.into()]);
        }
        words
    }

    /// Checks the files, because the errors of `openssl` are less clear.
    fn check(&self) -> Result<(), Cause> {
        let (cert, key) = self.options.client.as_ref().map(|(cert, key)| (cert, key)).unzip();
        let files = [
            (self.options.ca.as_ref(), Kind::CaFile, "the CA certificates", "CERTIFICATE-----"),
            (cert, Kind::ClientCertificate, "the client certificate", "CERTIFICATE-----"),
            (key, Kind::ClientCertificate, "the client's private key", "PRIVATE KEY-----"),
        ];
        for (file, kind, what, label) in files {
            let Some(file) = file else { continue };
            let what = format!("{what} in {}", visible_path(file));
            let is_pem = holds(file, label).map_err(|error| {
                Cause::new(kind, format!("{what} cannot be read: {error}")).from(error)
            })?;
            if !is_pem {
                return Err(Cause::new(kind, format!("{what}: the file holds none in PEM form")));
            }
        }
        Ok(())
    }

    fn ready(&self) -> Option<Ready> {
        let late = "the host is down, or the server does not speak TLS";
        Some(Ready { says: ESTABLISHED, late })
    }

    fn no_half_close(&self) -> Option<&'static str> {
        Some("`openssl s_client` cannot pass on the end of the input; use ssh or a proxy command")
    }

    fn explain(&self, _: ExitStatus, said: &str) -> Option<Cause> {
        let verification = said.lines().find_map(|line| line.strip_prefix("verify error:num="));
        if let Some(cause) = verification.filter(|_| self.options.verify) {
            let why = self.explain_verification(cause, said);
            return Some(Cause::new(Kind::PeerCertificate, why));
        }
        if let Some((_, alert)) = said.split_once("SSL alert number ")
            && let Some(cause) = self.explain_alert(alert)
        {
            return Some(cause);
        }
        // The system failed, not TLS: openssl names no error then.
        if said.contains(ESTABLISHED) && !said.contains("error:") {
            return Some(self.explain_reset());
        }
        let (_, kind, why) = KNOWN.iter().find(|(words, ..)| said.contains(words))?;
        let last = said.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default();
        let why = if why.is_empty() { visible(last.trim().as_bytes()) } else { (*why).to_owned() };
        Some(Cause::new(*kind, why))
    }

    fn authority(&self) -> Option<String> {
        Some(host_and_port(&self.host, self.port))
    }
}

const NO_TLS: &str = "the server does not speak TLS on this port; try it without TLS";

/// What else `openssl` prints, and its meaning. An empty meaning quotes the last line of it.
const KNOWN: &[(&str, Kind, &str)] = &[
    ("Connection refused", Kind::NobodyListens, tcp::REFUSED),
    ("BIO_lookup_ex", Kind::UnknownHost, "the host name cannot be resolved; check its spelling"),
    ("Connection timed out", Kind::TimedOut, tcp::NO_ANSWER),
    ("No route to host", Kind::Other, tcp::NO_ROUTE),
    ("unreachable", Kind::Other, tcp::NO_ROUTE),
    ("wrong version number", Kind::TlsHandshake, NO_TLS),
    ("packet length too long", Kind::TlsHandshake, NO_TLS),
    (
        "key values mismatch",
        Kind::ClientCertificate,
        "the private key does not belong to the client certificate",
    ),
    ("private key", Kind::ClientCertificate, ""),
    ("client certificate", Kind::ClientCertificate, ""),
    ("X509_load_cert_crl_file", Kind::CaFile, ""),
    (
        "unexpected eof",
        Kind::Other,
        "the server cut the connection without TLS's own end, so what came may not be all",
    ),
    ("nknown option", Kind::Other, "this `openssl` is too old; OpenSSL 3.0 or later is needed"),
    ("SSL alert number", Kind::TlsHandshake, ""),
];

fn holds(file: &Path, label: &str) -> io::Result<bool> {
    let mut text = Vec::new();
    open(file)?.take(1 << 20).read_to_end(&mut text)?;
    Ok(text.windows(label.len()).any(|window| window == label.as_bytes()))
}

impl fmt::Display for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tcp://{} with TLS", host_and_port(&self.host, self.port))
    }
}
