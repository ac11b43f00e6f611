//! curl's exit codes, as far as they can happen here.

/// A number that the process ends with, in curl's meaning.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Exit {
    Ok = 0,
    /// The scheme is not http, or the peer does not speak HTTP/1.
    UnsupportedProtocol = 1,
    /// The command line is wrong or asks for something that is out.
    Usage = 2,
    /// The URL is wrong.
    Url = 3,
    /// The name does not resolve.
    Resolve = 6,
    /// No connection.
    Connect = 7,
    /// The response's head is malformed.
    WeirdReply = 8,
    /// The body was cut short.
    Partial = 18,
    /// `-f` and a status code of 400 or more.
    HttpError = 22,
    /// The output cannot be written.
    Write = 23,
    /// An upload of unknown length to an HTTP/1.0 server.
    Upload = 25,
    /// The input cannot be read.
    Read = 26,
    /// A time limit.
    Timeout = 28,
    /// TLS could not be established.
    TlsConnect = 35,
    /// More redirects than allowed.
    Redirects = 47,
    /// The peer closed without an answer.
    Nothing = 52,
    /// Sending failed.
    Send = 55,
    /// Receiving failed, or the chunked coding is broken.
    Receive = 56,
    /// The client certificate is missing, cannot be used or was refused.
    ClientCertificate = 58,
    /// The server's certificate does not verify.
    PeerVerification = 60,
    /// A transfer coding that is not understood.
    Encoding = 61,
    /// The body is larger than `--max-filesize`.
    FileSize = 63,
    /// The content cannot be sent a second time.
    Rewind = 65,
    /// A user name in the URL that is not wanted there.
    Login = 67,
    /// The file of CA certificates cannot be used.
    CaFile = 77,
}
