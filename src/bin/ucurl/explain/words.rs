//! What `--explain` says of each field, method and status-code: a line of text and where it is written.

/// A remark, and the place that it can be looked up at.
pub type Remark = (&'static str, &'static str);

/// What a field of a request is for.
pub fn request_field(name: &str, value: &str) -> Option<Remark> {
    Some(match name {
        "host" => (
            "which host is asked; every HTTP/1.1 request must say it. A Unix socket has none, so any name will do; Go's \
             servers refuse a socket's path here",
            "RFC 9112 §3.2",
        ),
        "user-agent" => ("which program asks", "RFC 9110 §10.1.5"),
        "accept" if value == "*/*" => ("content of any type is welcome", "RFC 9110 §12.5.1"),
        "accept" => ("which types of content are welcome", "RFC 9110 §12.5.1"),
        "content-type" if value == "application/x-www-form-urlencoded" => (
            "-d means a form unless told otherwise. Docker wants application/json: use --json, or -H Content-Type",
            "RFC 9110 §8.3",
        ),
        "content-type" => ("what the content is, so that the server can read it", "RFC 9110 §8.3"),
        "content-length" => ("so many bytes follow the empty line, and then the request ends", "RFC 9112 §6.2"),
        "transfer-encoding" => {
            ("the content's length is not known yet: it comes in chunks, each with its size before it", "RFC 9112 §7.1")
        }
        "connection" if value.eq_ignore_ascii_case("close") => {
            ("this request is the last one on the connection", "RFC 9112 §9.6")
        }
        "connection" if value.eq_ignore_ascii_case("upgrade") => {
            ("the Upgrade field is meant for the next hop alone", "RFC 9110 §7.6.1")
        }
        "connection" => ("what holds for this connection alone", "RFC 9110 §7.6.1"),
        "upgrade" => (
            "asks to go on in another protocol on this same connection: for Docker the raw bytes of stdin and stdout",
            "RFC 9110 §7.8",
        ),
        "expect" => ("the content waits until the server says 100 (Continue)", "RFC 9110 §10.1.1"),
        "authorization" => ("who asks; not shown here", "RFC 9110 §11.6.2"),
        "x-registry-auth" | "x-registry-config" => {
            ("credentials for an image registry, base64 of JSON; not shown here", "Docker Engine API, Authentication")
        }
        "cookie" => ("state that the server handed out before; not shown here", "RFC 6265 §4.2"),
        "referer" => ("where the request-target was found", "RFC 9110 §10.1.3"),
        "te" => ("which transfer codings and trailers are welcome", "RFC 9110 §10.1.4"),
        _ => return None,
    })
}

/// What a field of a response tells.
pub fn response_field(name: &str, value: &str) -> Option<Remark> {
    Some(match name {
        "api-version" => ("the newest API version that this engine speaks", "Docker Engine API, Versioning"),
        "libpod-api-version" => ("podman's own API version", "podman system service"),
        "docker-experimental" => ("whether experimental features are on", "Docker Engine API /_ping"),
        "builder-version" => ("1: the classic builder, 2: BuildKit", "Docker Engine API /_ping"),
        "ostype" => ("which system the containers run", "Docker Engine API /_ping"),
        "swarm" => ("whether the engine is part of a swarm", "Docker Engine API /_ping"),
        "server" => ("which program answers", "RFC 9110 §10.2.4"),
        "date" => ("when the answer was made", "RFC 9110 §6.6.1"),
        "content-type" if value.starts_with("application/vnd.docker.multiplexed-stream") => {
            ("stdout and stderr share the stream: each piece has a header of 8 bytes", "Docker Engine API v1.42 attach")
        }
        "content-type" if value.starts_with("application/vnd.docker.raw-stream") => (
            "a container's output: as it is from a terminal, else, whatever the name says, in frames of stdout and stderr",
            "Docker Engine API v1.41 attach",
        ),
        "content-type" => ("what the content is", "RFC 9110 §8.3"),
        "content-length" => ("how many bytes the content has", "RFC 9110 §8.6"),
        "transfer-encoding" => ("how the content is wrapped for the way; chunked: piece by piece", "RFC 9112 §6.1"),
        "connection" if value.eq_ignore_ascii_case("close") => {
            ("the server closes the connection after this", "RFC 9112 §9.6")
        }
        "connection" => ("what holds for this connection alone", "RFC 9110 §7.6.1"),
        "upgrade" => ("the protocol that the connection goes on in", "RFC 9110 §7.8"),
        "location" => ("where to look instead, or where the new thing is", "RFC 9110 §10.2.2"),
        "retry-after" => ("when to ask again: seconds, or a date", "RFC 9110 §10.2.3"),
        "trailer" => ("fields to expect after the last chunk", "RFC 9110 §6.6.2"),
        "cache-control" | "pragma" | "expires" => ("whether the answer may be kept and used again", "RFC 9111 §5.2"),
        "etag" | "last-modified" => ("tells this version of the content from others", "RFC 9110 §8.8"),
        "allow" => ("the methods that this target knows", "RFC 9110 §10.2.1"),
        "x-docker-container-path-stat" => {
            ("name, size and mode of the path, base64 of JSON", "Docker Engine API v1.41 /containers/{id}/archive")
        }
        "set-cookie" => ("state to be sent back; not kept here", "RFC 6265 §4.1"),
        _ => return None,
    })
}

/// What a method asks for.
pub fn method(method: &str) -> &'static str {
    match method {
        "GET" => "GET: hand over what the target stands for; nothing is changed",
        "HEAD" => "HEAD: as GET, but the head alone",
        "POST" => "POST: process the content as the target sees fit; asked twice, it may be done twice",
        "PUT" => "PUT: make the target be this content",
        "DELETE" => "DELETE: take the target away",
        "OPTIONS" => "OPTIONS: what can be done with the target?",
        "CONNECT" => "CONNECT: a tunnel to the target",
        _ => "a method that is the server's own affair",
    }
}

/// What a status-code says.
pub fn status(code: u16) -> &'static str {
    match code {
        100 => "go on and send the content",
        101 => "the connection goes on in the protocol that was asked for",
        103 => "a hint at fields of the answer to come",
        200 => "it worked",
        201 => "it worked, and something new is there",
        202 => "it was accepted, and is not done yet",
        204 => "it worked, and there is nothing to say about it",
        301 | 302 | 303 | 307 | 308 => "look at Location instead",
        304 => "nothing changed; to Docker: it was so already",
        400 => "the server cannot read the request, or will not have it so",
        401 => "say who you are first",
        403 => "not for you",
        404 => "there is no such thing",
        405 => "this target does not know the method",
        408 => "the request took too long to arrive",
        409 => "the state of things does not allow it: a name is taken, a container still runs",
        411 => "the request must state its length",
        413 => "the content is too large",
        417 => "the server does not do what Expect asks for",
        429 => "too many requests: wait",
        431 => "the fields are too large",
        500 => "the server failed; Docker also says so of JSON that it cannot read",
        501 => "the server does not know how",
        503 => "not now; for Docker: not in a swarm, or shutting down",
        505 => "the server does not speak this version of HTTP",
        _ => match code / 100 {
            1 => "an interim answer; the final one is still to come",
            2 => "it worked",
            3 => "more is to be done, elsewhere",
            4 => "the request is to blame",
            _ => "the server failed",
        },
    }
}
