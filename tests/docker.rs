//! What Docker adds to HTTP: frames, endpoints, errors inside a stream, versions.
#![cfg(feature = "docker")]

mod support;

mod docker {
    #[cfg(feature = "server")]
    mod answers;
    mod contexts;
    mod daemon;
    mod errors;
    mod frames;
    mod host;
    mod sha256;
    mod ssh;
    mod tls;
    mod version;
}

/// Returns every delivery of bytes: whole, byte by byte, and cut in two at every position.
fn deliveries(bytes: &[u8]) -> Vec<Vec<&[u8]>> {
    let mut all = vec![vec![bytes], bytes.chunks(1).collect()];
    all.extend((0..=bytes.len()).map(|at| vec![&bytes[..at], &bytes[at..]]));
    all
}
