//! Docker's frames.

use super::{Pieces, bytewise};
use unix_http::docker::{Demux, DockerError, FrameDecoder, FrameError, FrameStream, encode_frame};

pub fn check(bytes: &[u8]) {
    let whole = read([bytes]);
    let mut pieces = Pieces::of(bytes);
    for cut in [bytewise(bytes), pieces.cut(bytes)] {
        assert_eq!(read(cut), whole);
    }
    assert_eq!(plainly(bytes), (whole.stdout.clone(), whole.stderr.clone(), whole.end.is_ok()));
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let copied = Demux::new(bytes).copy_to(&mut stdout, &mut stderr);
    assert_eq!((&stdout, &stderr), (&whole.stdout, &whole.stderr));
    match (copied, &whole.end) {
        (Ok(()), Ok(())) => {}
        (Err(DockerError::Frame(error)), Err(want)) => assert_eq!(error, *want),
        (copied, want) => panic!("{copied:?}, {want:?}"),
    }
    if let Err(error) = &whole.end {
        assert!(
            !error.to_string().contains(char::is_control),
            "one line, and nothing that moves the cursor"
        );
    }
    again(&whole);
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Reading {
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    end: Result<(), FrameError>,
}

fn read<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Reading {
    let mut decoder = FrameDecoder::new();
    let mut reading = Reading { stdout: Vec::new(), stderr: Vec::new(), end: Ok(()) };
    for mut piece in pieces {
        loop {
            match decoder.next(&mut piece) {
                Ok(Some((stream, data))) => {
                    assert!(!data.is_empty());
                    match stream {
                        FrameStream::Stdin | FrameStream::Stdout => {
                            reading.stdout.extend_from_slice(data)
                        }
                        FrameStream::Stderr => reading.stderr.extend_from_slice(data),
                    }
                }
                Ok(None) => break,
                Err(error) => {
                    assert_eq!(decoder.next(&mut piece), Err(error.clone()), "an error is final");
                    assert_eq!(decoder.finish(), Err(error));
                    reading.end = decoder.finish();
                    return reading;
                }
            }
        }
        assert!(piece.is_empty());
    }
    reading.end = decoder.finish();
    reading
}

/// A simple reader of the Docker Engine API's "Stream format": stdout, stderr, and whether all
/// frames were valid.
fn plainly(mut bytes: &[u8]) -> (Vec<u8>, Vec<u8>, bool) {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    while !bytes.is_empty() {
        let [kind @ 0..=2, 0, 0, 0, a, b, c, d, rest @ ..] = bytes else {
            return (stdout, stderr, false);
        };
        let length = u32::from_be_bytes([*a, *b, *c, *d]) as usize;
        let data = &rest[..length.min(rest.len())];
        if *kind == 2 { &mut stderr } else { &mut stdout }.extend_from_slice(data);
        if data.len() < length {
            return (stdout, stderr, false);
        }
        bytes = &rest[length..];
    }
    (stdout, stderr, true)
}

fn again(reading: &Reading) {
    let mut wire = Vec::new();
    encode_frame(&mut wire, FrameStream::Stdout, &reading.stdout);
    encode_frame(&mut wire, FrameStream::Stderr, &reading.stderr);
    let other = read([&wire[..]]);
    assert_eq!(other, Reading { end: Ok(()), ..reading.clone() });
}
