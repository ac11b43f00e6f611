//! What Docker adds to HTTP: frames, endpoints, errors inside a stream, versions.

#[path = "docker/endpoint.rs"]
mod endpoint;
#[path = "docker/errors.rs"]
mod errors;
#[path = "docker/frames.rs"]
mod frames;
#[path = "docker/host.rs"]
mod host;
#[path = "docker/sha256.rs"]
mod sha256;
#[path = "docker/version.rs"]
mod version;

/// Every way bytes are delivered: whole, byte by byte, and cut in two at every place.
fn deliveries(bytes: &[u8]) -> Vec<Vec<&[u8]>> {
    let mut all = vec![vec![bytes], bytes.chunks(1).collect()];
    all.extend((0..=bytes.len()).map(|at| vec![&bytes[..at], &bytes[at..]]));
    all
}
