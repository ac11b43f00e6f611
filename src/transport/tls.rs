//! TLS through the system's `openssl s_client`: no cryptography of our own.
//!
//! Why this one: it is on almost every machine, carries any bytes both ways at once, names the
//! cause when a certificate does not verify, and fails when the server refuses us or the connection
//! is cut without TLS's own end (close_notify, RFC 8446 §6.1). socat and stunnel end with status 0
//! and without a word then, so that a cut answer would look whole; gnutls-cli ends the connection
//! when its input ends.
//!
//! What it lacks is half-close: when its input ends it ends the connection, so
//! [`Stream::shutdown`](super::Stream::shutdown) of the write side is refused here. Who needs it
//! takes a [`proxy_command`](Endpoint::proxy_command) or ssh.
//!
//! Its interactive commands (a line that begins with `Q`, `R`, `k`, `K`) are off by `-quiet`, for
//! certain by `-nocommands`, which needs OpenSSL 3.0; `-no_ign_eof` alone would turn them on.

use std::ffi::OsString;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::net::IpAddr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::endpoint::{authority, check_host, printable};
use super::error::{ConnectError, ConnectErrorKind as Kind};
use super::{Endpoint, EndpointError};

/// The line that `-brief` prints when the handshake is done.
pub(super) const ESTABLISHED: &str = "CONNECTION ESTABLISHED";

/// How a TLS server proves who it is, and how we do. The default verifies it by the system's
/// certificates.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TlsOptions {
    /// A PEM file with the certificates to trust, instead of the system's.
    pub ca: Option<PathBuf>,
    /// A PEM file with our certificate, for a server that asks for one.
    pub cert: Option<PathBuf>,
    /// A PEM file with its private key.
    pub key: Option<PathBuf>,
    /// Whether the server's certificate must be valid for its name. `false` is open to everyone in
    /// the middle.
    pub verify: bool,
    /// The name to ask for and to verify, where it is not the host that is dialled.
    pub server_name: Option<String>,
}

impl Default for TlsOptions {
    fn default() -> Self {
        Self { ca: None, cert: None, key: None, verify: true, server_name: None }
    }
}

/// See [`Endpoint::tls`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Tls {
    host: String,
    port: u16,
    options: Box<TlsOptions>,
}

impl Endpoint {
    /// A TCP port over TLS. The connection is made when the handshake is done: what fails before
    /// that is an error of [`connect`](super::connect()), what fails after it (with TLS 1.3, a
    /// missing client certificate) one of the first read.
    ///
    /// ```no_run
    /// use unix_http::{Client, Endpoint, transport::TlsOptions};
    ///
    /// let options = TlsOptions {
    ///     ca: Some("ca.pem".into()),
    ///     cert: Some("cert.pem".into()),
    ///     key: Some("key.pem".into()),
    ///     ..TlsOptions::default()
    /// };
    /// let docker = Client::new(Endpoint::tls("docker.example", 2376, options)?);
    /// println!("{}", docker.get("/version").send()?.text()?);
    /// # Ok::<(), unix_http::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`EndpointError`] for a host or a server name that is not one.
    pub fn tls(host: &str, port: u16, options: TlsOptions) -> Result<Self, EndpointError> {
        let name = options.server_name.as_deref().unwrap_or(host);
        match check_host(host).and_then(|()| check_host(name)) {
            Ok(()) => {
                Ok(Self::Tls(Tls { host: host.to_owned(), port, options: Box::new(options) }))
            }
            Err(why) => Err(EndpointError::new(host.as_bytes(), why)),
        }
    }
}

impl Tls {
    pub(super) fn authority(&self) -> String {
        authority(&self.host, self.port)
    }

    /// The name that the server's certificate must be for.
    fn name(&self) -> &str {
        self.options.server_name.as_deref().unwrap_or(&self.host)
    }

    /// The program and its arguments.
    pub(super) fn words(&self) -> Vec<OsString> {
        let options = &self.options;
        let mut words: Vec<OsString> =
            ["openssl", "s_client", "-quiet", "-brief", "-no_ign_eof", "-nocommands", "-nbio"]
                .map(Into::into)
                .to_vec();
        words.extend(["-connect".into(), self.authority().into()]);
        let is_ip = self.name().parse::<IpAddr>().is_ok();
        match is_ip {
            true => words.push("-noservername".into()),
            false => words.extend(["-servername".into(), self.name().into()]),
        }
        if options.verify {
            let verify = if is_ip { "-verify_ip" } else { "-verify_hostname" };
            words.extend(["-verify_return_error".into(), verify.into(), self.name().into()]);
        }
        for (option, file) in
            [("-CAfile", &options.ca), ("-cert", &options.cert), ("-key", &options.key)]
        {
            if let Some(file) = file {
                words.extend([option.into(), file.into()]);
            }
        }
        words
    }

    /// Looks at the files first: what `openssl` says about them is less clear.
    pub(super) fn check_files(&self) -> Result<(), ConnectError> {
        let TlsOptions { ca, cert, key, .. } = &*self.options;
        let files = [
            (ca, Kind::CaFile, "the CA certificates", "CERTIFICATE-----"),
            (cert, Kind::ClientCertificate, "the client certificate", "CERTIFICATE-----"),
            (key, Kind::ClientCertificate, "the client's private key", "PRIVATE KEY-----"),
        ];
        for (file, kind, what, label) in files {
            let Some(file) = file else { continue };
            let name = printable(file.as_os_str().as_bytes());
            let (why, source) = match holds(file, label) {
                Ok(true) => continue,
                Ok(false) => (format!("{what} in {name}: the file holds none in PEM form"), None),
                Err(error) => (format!("{what} in {name} cannot be read: {error}"), Some(error)),
            };
            return Err(ConnectError::new(Endpoint::Tls(self.clone()), kind, why, source));
        }
        Ok(())
    }

    /// What `openssl s_client` means by what it says when it fails.
    pub(super) fn explain(&self, said: &str) -> Option<(Kind, String)> {
        if let Some(cause) = said.lines().find_map(|line| line.strip_prefix("verify error:num="))
            && self.options.verify
        {
            return Some((Kind::PeerCertificate, self.explain_verification(cause, said)));
        }
        if let Some(alert) = said.split("SSL alert number ").nth(1) {
            return Some(self.explain_alert(alert.lines().next().unwrap_or_default().trim(), said));
        }
        let (kind, why) = KNOWN
            .iter()
            .find(|(words, ..)| said.contains(words))
            .map(|(_, kind, why)| (kind, why))?;
        Some((*kind, (*why).to_owned()))
    }

    /// The numbers are those of X509_STORE_CTX_get_error(3).
    fn explain_verification(&self, cause: &str, said: &str) -> String {
        let name = self.name();
        let (number, text) = cause.split_once(':').unwrap_or((cause, cause));
        let date = |field: &str| {
            said.lines().find_map(|l| l.strip_prefix(field)).unwrap_or("an unknown date").to_owned()
        };
        let trusted = match &self.options.ca {
            Some(file) => format!("in {}", printable(file.as_os_str().as_bytes())),
            None => "among this system's; give its CA file".into(),
        };
        match number {
            "9" => format!(
                "its certificate is not valid before {}; check this machine's clock",
                date("notBefore=")
            ),
            "10" => {
                format!(
                    "its certificate has expired on {}; renew it, or check this machine's clock",
                    date("notAfter=")
                )
            }
            "18" | "19" | "20" | "21" => {
                format!("its certificate was not signed by a CA {trusted} ({})", text.trim())
            }
            "62" | "64" => format!(
                "its certificate is not for `{name}` ({}); use a name that it is for",
                text.trim()
            ),
            _ => format!("its certificate does not verify: {}", text.trim()),
        }
    }

    /// The numbers are those of RFC 8446 §6.
    fn explain_alert(&self, number: &str, said: &str) -> (Kind, String) {
        match (number, &self.options.cert) {
            ("116", _) | ("42" | "40", None) => (
                Kind::ClientCertificate,
                format!(
                    "the server wants a client certificate (TLS alert {number}); give a certificate and its key"
                ),
            ),
            ("42" | "43" | "44" | "45" | "46" | "48" | "49" | "51", Some(cert)) => {
                let cert = printable(cert.as_os_str().as_bytes());
                (
                    Kind::ClientCertificate,
                    format!(
                        "the server refuses the client certificate {cert} (TLS alert {number})"
                    ),
                )
            }
            _ => {
                let text = said
                    .split("alert ")
                    .nth(1)
                    .and_then(|rest| rest.split(':').next())
                    .unwrap_or("unknown");
                (Kind::TlsHandshake, format!("the server ended TLS with alert {number}, {text}"))
            }
        }
    }
}

/// What else `openssl` says, and what it means.
const KNOWN: &[(&str, Kind, &str)] = &[
    (
        "Connection refused",
        Kind::NobodyListens,
        "nobody listens on this port; start the server or check the port",
    ),
    (
        "Name or service not known",
        Kind::UnknownHost,
        "the host name cannot be resolved; check its spelling",
    ),
    (
        "nodename nor servname",
        Kind::UnknownHost,
        "the host name cannot be resolved; check its spelling",
    ),
    (
        "Temporary failure in name resolution",
        Kind::UnknownHost,
        "the host name cannot be resolved now",
    ),
    (
        "Connection timed out",
        Kind::TimedOut,
        "no answer; a firewall may drop the packets, or the host is down",
    ),
    (
        "No route to host",
        Kind::Unreachable,
        "no route to the host; check the address and this machine's network",
    ),
    (
        "Network is unreachable",
        Kind::Unreachable,
        "the network is unreachable; check this machine's network",
    ),
    (
        "wrong version number",
        Kind::TlsHandshake,
        "the server does not speak TLS on this port; try it without TLS",
    ),
    (
        "packet length too long",
        Kind::TlsHandshake,
        "the server does not speak TLS on this port; try it without TLS",
    ),
    (
        "key values mismatch",
        Kind::ClientCertificate,
        "the private key does not belong to the client certificate",
    ),
    (
        "private key",
        Kind::ClientCertificate,
        "the client's private key cannot be used: wrong password or not a key",
    ),
    (
        "client certificate",
        Kind::ClientCertificate,
        "the client certificate cannot be used: not a certificate",
    ),
    ("X509_load_cert_crl_file", Kind::CaFile, "the CA file holds no certificate that can be used"),
    (
        "unexpected eof",
        Kind::Child,
        "the server cut the connection without TLS's own end, so what came may not be all",
    ),
    ("errno=104", Kind::Child, "the server reset the connection"),
    (
        "nknown option",
        Kind::NoProgram,
        "this `openssl` lacks an option that is needed; OpenSSL 3.0 or later has it",
    ),
];

fn holds(file: &Path, label: &str) -> io::Result<bool> {
    let mut text = Vec::new();
    File::open(file)?.take(1 << 20).read_to_end(&mut text)?;
    Ok(text.windows(label.len()).any(|window| window == label.as_bytes()))
}

impl fmt::Display for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tcp://{} with TLS", self.authority())
    }
}
