//! What `--explain` says of each method, field and status-code: a line of text, and where it is
//! written.

use unix_http::wire::framing::Rule;

/// A remark, and the place that it can be looked up at.
pub type Remark<'a> = (&'a str, &'a str);

/// What a method asks for.
pub fn method(method: &str) -> Remark<'static> {
    match method {
        "GET" => ("GET: hand over what the target stands for; change nothing", "RFC 9110 §9.3.1"),
        "HEAD" => ("HEAD: as GET, but the head alone", "RFC 9110 §9.3.2"),
        "POST" => (
            "POST: do with the content as the target sees fit; asked twice, it may be done twice",
            "RFC 9110 §9.3.3",
        ),
        "PUT" => {
            ("PUT: make the target be this content; twice is as good as once", "RFC 9110 §9.3.4")
        }
        "DELETE" => ("DELETE: take the target away; twice is as good as once", "RFC 9110 §9.3.5"),
        "CONNECT" => ("CONNECT: a tunnel to the target", "RFC 9110 §9.3.6"),
        "OPTIONS" => ("OPTIONS: what can be done with the target?", "RFC 9110 §9.3.7"),
        "TRACE" => ("TRACE: send back what arrived", "RFC 9110 §9.3.8"),
        "PATCH" => ("PATCH: change the target as the content says", "RFC 5789 §2"),
        _ => ("a method of the server's own", "RFC 9110 §9.1"),
    }
}

/// What a field of a request is for; `content` tells whether any follows.
pub fn request_field(name: &str, value: &str, content: bool) -> Option<Remark<'static>> {
    Some(match name {
        "host" => ("which host is asked; every HTTP/1.1 request must say it", "RFC 9112 §3.2"),
        "user-agent" => ("which program asks", "RFC 9110 §10.1.5"),
        "accept" if value == "*/*" => ("content of any type is welcome", "RFC 9110 §12.5.1"),
        "accept" => ("which types of content are welcome", "RFC 9110 §12.5.1"),
        "accept-encoding" => ("which content codings are welcome", "RFC 9110 §12.5.3"),
        "content-type" if !content => {
            ("what the content would be, but none follows", "RFC 9110 §8.3")
        }
        "content-type" if value == "application/x-www-form-urlencoded" => (
            "-d means a form unless told otherwise. Docker wants application/json: use --json, or -H Content-Type",
            "RFC 9110 §8.3",
        ),
        "content-type" => ("what the content is, so that the server can read it", "RFC 9110 §8.3"),
        "content-length" => ("how many bytes the content has", "RFC 9110 §8.6"),
        "transfer-encoding" => {
            ("how the content is wrapped for the way; chunked: piece by piece", "RFC 9112 §6.1")
        }
        "connection" if value.eq_ignore_ascii_case("close") => {
            ("this request is the last one on the connection", "RFC 9112 §9.6")
        }
        "connection" if value.eq_ignore_ascii_case("upgrade") => {
            ("the Upgrade field is meant for the next hop alone", "RFC 9110 §7.6.1")
        }
        "connection" => ("what holds for this connection alone", "RFC 9110 §7.6.1"),
        "upgrade" if value.eq_ignore_ascii_case("h2c") => (
            "asks to go on in HTTP/2 on this same connection, as docker build does",
            "RFC 9110 §7.8",
        ),
        "upgrade" => (
            "asks to go on in another protocol on this same connection: for Docker the raw bytes of stdin and stdout",
            "RFC 9110 §7.8",
        ),
        "expect" => (
            "the content waits until the server says 100 (Continue), or has said nothing for a while",
            "RFC 9110 §10.1.1",
        ),
        "authorization" => ("who asks; not shown here", "RFC 9110 §11.6.2"),
        "proxy-authorization" => ("who asks the proxy; not shown here", "RFC 9110 §11.7.2"),
        "x-registry-auth" | "x-registry-config" => (
            "credentials for an image registry, base64 of JSON; not shown here",
            "Docker Engine API, Authentication",
        ),
        "cookie" => ("state that the server handed out before; not shown here", "RFC 6265 §4.2"),
        "referer" => ("where the request-target was found", "RFC 9110 §10.1.3"),
        "range" => ("only these bytes are wanted", "RFC 9110 §14.2"),
        "if-match" | "if-none-match" | "if-modified-since" | "if-unmodified-since" => {
            ("do it only under this condition", "RFC 9110 §13.1")
        }
        "te" => ("which transfer codings and trailers are welcome", "RFC 9110 §10.1.4"),
        _ => return None,
    })
}

/// What a field of a response tells, where `rule` decided about the body.
pub fn response_field(
    name: &str,
    value: &str,
    status: u16,
    rule: Option<Rule>,
) -> Option<Remark<'static>> {
    Some(match name {
        "api-version" => {
            ("the newest API version that this engine speaks", "Docker Engine API, Versioning")
        }
        "libpod-api-version" => ("podman's own API version", "podman system service"),
        "docker-experimental" => {
            ("whether experimental features are on", "Docker Engine API /_ping")
        }
        "builder-version" => {
            ("the builder of choice: 1 the classic one, 2 BuildKit", "Docker Engine API /_ping")
        }
        "ostype" => ("which system the containers run on", "Docker Engine API /_ping"),
        "swarm" => ("whether the engine is part of a swarm", "Docker Engine API /_ping"),
        "server" => ("which program answers", "RFC 9110 §10.2.4"),
        "date" => ("when the answer was made", "RFC 9110 §6.6.1"),
        "content-type" if value.starts_with("application/vnd.docker.multiplexed-stream") => (
            "stdout and stderr share the stream: each piece has a header of 8 bytes",
            "Docker Engine API v1.42 attach",
        ),
        "content-type" if value.starts_with("application/vnd.docker.raw-stream") => (
            "a container's output: as it is from a terminal, else, whatever the name says, in frames of stdout and stderr",
            "Docker Engine API v1.41 attach",
        ),
        "content-type" => ("what the content is", "RFC 9110 §8.3"),
        "content-length" => match rule {
            Some(Rule::Head) => {
                ("the content that a GET would bring, not what follows here", "RFC 9110 §8.6")
            }
            Some(Rule::Status) if status != 304 => {
                ("has no place here, and is not used", "RFC 9110 §8.6")
            }
            Some(Rule::Status) => {
                ("the content that a 200 would have had, not what follows here", "RFC 9110 §8.6")
            }
            Some(Rule::TransferEncodingOverLength) => {
                ("not used, for there is a Transfer-Encoding", "RFC 9112 §6.3")
            }
            _ => ("how many bytes the content has", "RFC 9110 §8.6"),
        },
        "transfer-encoding" => {
            ("how the content is wrapped for the way; chunked: piece by piece", "RFC 9112 §6.1")
        }
        "connection" if value.eq_ignore_ascii_case("close") => {
            ("the server closes the connection after this", "RFC 9112 §9.6")
        }
        "connection" if value.eq_ignore_ascii_case("upgrade") => {
            ("the Upgrade field is meant for the next hop alone", "RFC 9110 §7.6.1")
        }
        "connection" => ("what holds for this connection alone", "RFC 9110 §7.6.1"),
        "upgrade" if status == 101 => {
            ("the protocol that the connection goes on in", "RFC 9110 §7.8")
        }
        "upgrade" => ("protocols that the server could go on in", "RFC 9110 §7.8"),
        "location" if status == 201 => ("where the new thing is", "RFC 9110 §10.2.2"),
        "location" => ("where to look instead", "RFC 9110 §10.2.2"),
        "retry-after" => ("when to ask again: seconds, or a date", "RFC 9110 §10.2.3"),
        "trailer" => ("fields to expect after the last chunk", "RFC 9110 §6.6.2"),
        "cache-control" => ("whether the answer may be kept and used again", "RFC 9111 §5.2"),
        "expires" => ("until when the answer may be used again", "RFC 9111 §5.3"),
        "pragma" => ("what HTTP/1.0 had in place of Cache-Control", "RFC 9111 §5.4"),
        "etag" | "last-modified" => {
            ("tells this version of the content from others", "RFC 9110 §8.8")
        }
        "allow" => ("the methods that this target knows", "RFC 9110 §10.2.1"),
        "www-authenticate" => ("how to say who asks", "RFC 9110 §11.6.1"),
        "x-docker-container-path-stat" => {
            ("name, size and mode of the path, base64 of JSON", "Docker Engine API v1.41 archive")
        }
        "set-cookie" => ("state to be sent back; not kept here", "RFC 6265 §4.1"),
        _ => return None,
    })
}

/// What a status-code says.
pub fn status(code: u16) -> Remark<'static> {
    match code {
        100 => ("go on and send the content", "RFC 9110 §15.2.1"),
        101 => ("the connection goes on in the protocol that was asked for", "RFC 9110 §15.2.2"),
        103 => ("a hint at fields of the answer to come", "RFC 8297 §2"),
        200 => ("it worked", "RFC 9110 §15.3.1"),
        201 => ("it worked, and something new is there", "RFC 9110 §15.3.2"),
        202 => ("it was accepted, and is not done yet", "RFC 9110 §15.3.3"),
        204 => ("it worked, and there is nothing to say about it", "RFC 9110 §15.3.5"),
        206 => ("the part that was asked for", "RFC 9110 §15.3.7"),
        301 => ("for good, look at Location instead", "RFC 9110 §15.4.2"),
        302 => ("for now, look at Location instead", "RFC 9110 §15.4.3"),
        303 => ("the answer is a GET of Location away", "RFC 9110 §15.4.4"),
        304 => ("what you have is still good; to Docker: it was so already", "RFC 9110 §15.4.5"),
        307 => ("for now, ask Location the same", "RFC 9110 §15.4.8"),
        308 => ("for good, ask Location the same", "RFC 9110 §15.4.9"),
        400 => ("the server cannot read the request, or will not have it so", "RFC 9110 §15.5.1"),
        401 => ("say who you are first", "RFC 9110 §15.5.2"),
        403 => ("understood, and refused", "RFC 9110 §15.5.4"),
        404 => ("there is no such thing", "RFC 9110 §15.5.5"),
        405 => ("this target does not know the method", "RFC 9110 §15.5.6"),
        406 => ("there is nothing of a type that Accept names", "RFC 9110 §15.5.7"),
        408 => ("the request took too long to arrive", "RFC 9110 §15.5.9"),
        409 => (
            "the state of things does not allow it: a name is taken, a container still runs",
            "RFC 9110 §15.5.10",
        ),
        410 => ("it was here, and is gone", "RFC 9110 §15.5.11"),
        411 => ("the request must state its length", "RFC 9110 §15.5.12"),
        413 => ("the content is too large", "RFC 9110 §15.5.14"),
        414 => ("the request-target is too long", "RFC 9110 §15.5.15"),
        415 => ("content of this type is not taken", "RFC 9110 §15.5.16"),
        417 => ("the server does not do what Expect asks for", "RFC 9110 §15.5.18"),
        426 => ("not in this protocol: Upgrade names another", "RFC 9110 §15.5.22"),
        429 => ("too many requests: wait", "RFC 6585 §4"),
        431 => ("the fields are too large", "RFC 6585 §5"),
        500 => (
            "the server failed; older Dockers also say so of JSON that they cannot read",
            "RFC 9110 §15.6.1",
        ),
        501 => ("the server does not know the method", "RFC 9110 §15.6.2"),
        502 => ("the server behind this one answered nonsense", "RFC 9110 §15.6.3"),
        503 => ("not now; from Docker: not in a swarm, or shutting down", "RFC 9110 §15.6.4"),
        504 => ("the server behind this one did not answer in time", "RFC 9110 §15.6.5"),
        505 => ("the server does not speak this version of HTTP", "RFC 9110 §15.6.6"),
        _ => match code / 100 {
            1 => ("an interim answer; the final one is still to come", "RFC 9110 §15.2"),
            2 => ("it worked", "RFC 9110 §15.3"),
            3 => ("more is to be done", "RFC 9110 §15.4"),
            4 => ("the request is to blame", "RFC 9110 §15.5"),
            _ => ("the server failed", "RFC 9110 §15.6"),
        },
    }
}
