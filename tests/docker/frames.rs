//! Frames: Docker Engine API, POST /containers/{id}/attach, "Stream format".

use crate::deliveries;
use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, Read, Write};
use unix_http::docker::{
    Demux, DockerError, FrameDecoder, FrameError, FrameStream, encode_frame, is_framed,
};

/// A stream, its data (`O` for stdout, `E` for stderr, `I` for stdin), and how it ends.
struct Case {
    id: &'static str,
    wire: &'static [u8],
    says: &'static [(char, &'static str)],
    end: fn() -> Result<(), FrameError>,
}

const CASES: &[Case] = &[
    Case { id: "nothing", wire: b"", says: &[], end: || Ok(()) },
    Case {
        // dockerd 20.10.24, GET /containers/{id}/logs?stdout=1&stderr=1
        id: "logs",
        wire: b"\x01\0\0\0\0\0\0\x04out\n\x02\0\0\0\0\0\0\x04err\n",
        says: &[('O', "out\n"), ('E', "err\n")],
        end: || Ok(()),
    },
    Case {
        // dockerd 20.10.24 and podman 4.3.1, POST /containers/{id}/attach
        id: "attach",
        wire: b"\x01\0\0\0\0\0\0\x04one\n\x01\0\0\0\0\0\0\x04two\n\x02\0\0\0\0\0\0\x06three\n",
        says: &[('O', "one\ntwo\n"), ('E', "three\n")],
        end: || Ok(()),
    },
    Case { id: "stdin", wire: b"\0\0\0\0\0\0\0\x02hi", says: &[('I', "hi")], end: || Ok(()) },
    Case {
        id: "empty-frames",
        wire: b"\x01\0\0\0\0\0\0\0\x02\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\x01x",
        says: &[('O', "x")],
        end: || Ok(()),
    },
    Case {
        id: "data-that-looks-like-a-header",
        wire: b"\x01\0\0\0\0\0\0\x08\x02\0\0\0\0\0\0\x04",
        says: &[('O', "\x02\0\0\0\0\0\0\x04")],
        end: || Ok(()),
    },
    Case {
        id: "daemon-error",
        wire: b"\x01\0\0\0\0\0\0\x01x\x03\0\0\0\0\0\0\x05gone\nrest is never read",
        says: &[('O', "x")],
        end: || Err(FrameError::Daemon { message: "gone".into() }),
    },
    Case {
        id: "daemon-error-empty",
        wire: b"\x03\0\0\0\0\0\0\0",
        says: &[],
        end: || Err(FrameError::Daemon { message: String::new() }),
    },
    Case {
        id: "daemon-error-cut",
        wire: b"\x03\0\0\0\0\0\0\x09gone",
        says: &[],
        end: || Err(FrameError::Daemon { message: "gone".into() }),
    },
    Case {
        id: "daemon-error-not-utf8",
        wire: b"\x03\0\0\0\0\0\0\x02a\xff",
        says: &[],
        end: || Err(FrameError::Daemon { message: "a\u{fffd}".into() }),
    },
    Case {
        id: "type-four",
        wire: b"\x04\0\0\0\0\0\0\x01x",
        says: &[],
        end: || Err(FrameError::NotAFrame { found: 4, offset: 0 }),
    },
    Case {
        id: "terminal-output",
        wire: b"/ # ls\r\n",
        says: &[],
        end: || Err(FrameError::NotAFrame { found: b'/', offset: 0 }),
    },
    Case {
        id: "type-after-a-frame",
        wire: b"\x01\0\0\0\0\0\0\x01xy",
        says: &[('O', "x")],
        end: || Err(FrameError::NotAFrame { found: b'y', offset: 9 }),
    },
    Case {
        id: "padding-1",
        wire: b"\x01\x01\0\0\0\0\0\x01x",
        says: &[],
        end: || Err(FrameError::NotAFrame { found: 1, offset: 1 }),
    },
    Case {
        id: "padding-3",
        wire: b"\x01\0\0\0\0\0\0\x01x\x02\0\0\x09\0\0\0\x01x",
        says: &[('O', "x")],
        end: || Err(FrameError::NotAFrame { found: 9, offset: 12 }),
    },
    Case {
        id: "cut-in-header",
        wire: b"\x01\0\0\0\0\0\0\x01x\x02\0\0",
        says: &[('O', "x")],
        end: || Err(FrameError::Incomplete { offset: 12, missing: None }),
    },
    Case {
        id: "cut-after-header",
        wire: b"\x02\0\0\0\0\0\x01\0",
        says: &[],
        end: || Err(FrameError::Incomplete { offset: 8, missing: Some((256, 256)) }),
    },
    Case {
        id: "cut-in-data",
        wire: b"\x01\0\0\0\0\0\0\x05hel",
        says: &[('O', "hel")],
        end: || Err(FrameError::Incomplete { offset: 11, missing: Some((2, 5)) }),
    },
    Case {
        id: "claims-four-gigabytes",
        wire: b"\x01\0\0\0\xff\xff\xff\xffx",
        says: &[('O', "x")],
        end: || Err(FrameError::Incomplete { offset: 9, missing: Some((u32::MAX - 1, u32::MAX)) }),
    },
];

fn letter(stream: FrameStream) -> char {
    match stream {
        FrameStream::Stdin => 'I',
        FrameStream::Stdout => 'O',
        FrameStream::Stderr => 'E',
    }
}

/// Adds data. Joins it to the last item if both are on the same stream, because the cut between
/// them is arbitrary.
fn note(said: &mut Vec<(char, String)>, stream: FrameStream, data: &[u8]) {
    assert!(!data.is_empty(), "no empty data");
    let text = std::str::from_utf8(data).unwrap();
    match said.last_mut() {
        Some((last, before)) if *last == letter(stream) => before.push_str(text),
        _ => said.push((letter(stream), text.to_owned())),
    }
}

fn says(case: &Case) -> Vec<(char, String)> {
    case.says.iter().map(|&(stream, text)| (stream, text.to_owned())).collect()
}

#[test]
fn frames_are_decoded_in_every_delivery() {
    for case in CASES {
        for slices in deliveries(case.wire) {
            let (mut decoder, mut said) = (FrameDecoder::new(), Vec::new());
            let fed = slices.iter().try_for_each(|slice| {
                let mut input = *slice;
                while let Some((stream, data)) = decoder.next(&mut input)? {
                    note(&mut said, stream, data);
                }
                assert!(input.is_empty(), "{}", case.id);
                Ok(())
            });
            assert_eq!(
                fed.clone().and_then(|()| decoder.finish()),
                (case.end)(),
                "{} as {slices:?}",
                case.id
            );
            assert_eq!(said, says(case), "{} as {slices:?}", case.id);
            if let Err(error) = fed {
                assert_eq!(
                    decoder.next(&mut &b"\x01\0\0\0\0\0\0\x01x"[..]),
                    Err(error),
                    "an error is final"
                );
            }
        }
    }
}

/// Returns one slice for each call, and records what had been written by then.
struct Slices<'a>(VecDeque<&'a [u8]>);

impl Read for Slices<'_> {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        unreachable!("frames are read through BufRead")
    }
}

impl BufRead for Slices<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.0.front().is_some_and(|slice| slice.is_empty()) {
            self.0.pop_front();
        }
        Ok(self.0.front().copied().unwrap_or_default())
    }

    fn consume(&mut self, n: usize) {
        if let Some(front) = self.0.front_mut() {
            *front = &front[n..];
        }
    }
}

#[test]
fn frames_are_copied_to_two_writers() {
    for case in CASES {
        for slices in deliveries(case.wire) {
            let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
            let end = Demux::new(Slices(slices.into())).copy_to(&mut stdout, &mut stderr);
            let all = |streams: &str| -> String {
                case.says
                    .iter()
                    .filter(|(stream, _)| streams.contains(*stream))
                    .map(|(_, text)| *text)
                    .collect()
            };
            assert_eq!(
                (String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap()),
                (all("OI"), all("E"))
            );
            match (end, (case.end)()) {
                (Ok(()), Ok(())) => {}
                (Err(DockerError::Frame(error)), Err(want)) => {
                    assert_eq!(error, want, "{}", case.id)
                }
                (end, want) => panic!("{}: {end:?} for {want:?}", case.id),
            }
        }
    }
}

#[test]
fn frames_can_be_iterated() {
    for case in CASES {
        for capacity in [1, 3, 8, 9, 64] {
            let mut said = Vec::new();
            let mut end = Ok(());
            let mut frames = Demux::new(BufReader::with_capacity(capacity, case.wire));
            for frame in &mut frames {
                match frame {
                    Ok((stream, data)) => note(&mut said, stream, &data),
                    Err(DockerError::Frame(error)) => end = Err(error),
                    Err(error) => panic!("{}: {error}", case.id),
                }
            }
            assert_eq!((said, end), (says(case), (case.end)()), "{} with {capacity}", case.id);
            assert!(frames.next().is_none(), "over is over");
        }
    }
}

/// A writer that holds data back until it is flushed, as a buffered stdout does.
#[derive(Default)]
struct Lazy {
    held: Vec<u8>,
    shown: std::rc::Rc<std::cell::RefCell<Vec<u8>>>,
}

impl Write for Lazy {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.held.extend_from_slice(data);
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.shown.borrow_mut().append(&mut self.held);
        Ok(())
    }
}

#[test]
fn output_is_flushed_before_the_next_read() {
    struct Watch {
        slices: VecDeque<&'static [u8]>,
        want: VecDeque<&'static [u8]>,
        shown: std::rc::Rc<std::cell::RefCell<Vec<u8>>>,
    }
    impl Read for Watch {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            assert_eq!(
                Some(self.shown.borrow().as_slice()),
                self.want.pop_front(),
                "shown before the next read"
            );
            let slice = self.slices.pop_front().unwrap_or_default();
            buffer[..slice.len()].copy_from_slice(slice);
            Ok(slice.len())
        }
    }
    let mut stdout = Lazy::default();
    let watch = Watch {
        slices: [&b"\x01\0\0\0\0\0\0\x08one\n"[..], b"two\n\x01\0\0", b"\0\0\0\0\x01x"].into(),
        want: [&b""[..], b"one\n", b"one\ntwo\n", b"one\ntwo\nx"].into(),
        shown: stdout.shown.clone(),
    };
    Demux::new(BufReader::new(watch)).copy_to(&mut stdout, &mut io::sink()).unwrap();
}

#[test]
fn the_error_names_the_writer_that_failed() {
    struct Closed;
    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let wire = &b"\x02\0\0\0\0\0\0\x01e\x01\0\0\0\0\0\0\x01o"[..];
    let error = Demux::new(wire).copy_to(&mut Closed, &mut io::sink()).unwrap_err();
    assert_eq!(error.to_string(), "cannot write to stdout: broken pipe");
    assert!(matches!(error, DockerError::Io(e) if e.kind() == io::ErrorKind::BrokenPipe));
    let error = Demux::new(wire).copy_to(&mut io::sink(), &mut Closed).unwrap_err();
    assert_eq!(error.to_string(), "cannot write to stderr: broken pipe");
}

#[test]
fn a_signal_does_not_end_a_stream_but_an_error_does() {
    struct Reader(u8);
    impl Read for Reader {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.0 += 1;
            match self.0 {
                1 => Err(io::ErrorKind::Interrupted.into()),
                2 => (&b"\x01\0\0\0\0\0\0\x01x"[..]).read(buffer),
                _ => Err(io::ErrorKind::ConnectionReset.into()),
            }
        }
    }
    let mut stdout = Vec::new();
    let error =
        Demux::new(BufReader::new(Reader(0))).copy_to(&mut stdout, &mut io::sink()).unwrap_err();
    assert!(
        matches!(&error, DockerError::Io(e) if e.kind() == io::ErrorKind::ConnectionReset),
        "{error:?}"
    );
    assert_eq!(stdout, b"x");
}

#[test]
fn encoded_frames_are_decoded_unchanged() {
    let mut wire = Vec::new();
    encode_frame(&mut wire, FrameStream::Stdout, b"out");
    encode_frame(&mut wire, FrameStream::Stderr, b"");
    encode_frame(&mut wire, FrameStream::Stderr, b"err");
    encode_frame(&mut wire, FrameStream::Stdin, b"in");
    assert_eq!(wire, b"\x01\0\0\0\0\0\0\x03out\x02\0\0\0\0\0\0\x03err\0\0\0\0\0\0\0\x02in");
    let frames: Vec<_> = Demux::new(&wire[..]).map(Result::unwrap).collect();
    let said: Vec<_> = frames.iter().map(|(stream, data)| (*stream, data.as_slice())).collect();
    assert_eq!(
        said,
        [
            (FrameStream::Stdout, &b"out"[..]),
            (FrameStream::Stderr, b"err"),
            (FrameStream::Stdin, b"in")
        ]
    );
}

#[test]
fn an_endless_error_of_the_daemon_is_truncated() {
    let mut decoder = FrameDecoder::new();
    assert_eq!(decoder.next(&mut &b"\x03\0\0\0\xff\xff\xff\xff"[..]), Ok(None));
    for _ in 0..100 {
        assert_eq!(decoder.next(&mut &[b'x'; 4096][..]), Ok(None));
    }
    let Err(FrameError::Daemon { message }) = decoder.finish() else { panic!("no error") };
    assert_eq!(message.len(), 64 << 10);
}

#[test]
fn the_error_of_a_frame_names_its_byte_and_rule() {
    let cases = [
        (
            FrameError::NotAFrame { found: 47, offset: 0 },
            "not a frame: 0x2f at byte 0; the output of a container with a terminal has no frames (Docker Engine API, Stream format)",
        ),
        (
            FrameError::NotAFrame { found: 9, offset: 12 },
            "not a frame: 0x09 at byte 12 (Docker Engine API, Stream format)",
        ),
        (
            FrameError::Daemon { message: "gone".into() },
            "error from the daemon in the stream: gone",
        ),
    ];
    for (error, want) in cases {
        assert_eq!(error.to_string(), want);
    }
}

#[test]
fn the_content_type_decides_whether_a_stream_has_frames() {
    let cases: &[(Option<&str>, Option<bool>)] = &[
        (Some("application/vnd.docker.multiplexed-stream"), Some(true)),
        (Some("Application/vnd.docker.Multiplexed-Stream ; x=y"), Some(true)),
        (Some("application/vnd.docker.raw-stream"), None),
        (None, None),
        // podman sends this with frames, and with the output of a terminal.
        (Some("application/octet-stream"), None),
        (Some("text/plain; charset=utf-8"), Some(false)),
        (Some("application/json"), Some(false)),
        (Some("application/vnd.docker.multiplexed-streams"), Some(false)),
        (Some(""), Some(false)),
    ];
    for &(content_type, want) in cases {
        assert_eq!(is_framed(content_type.map(str::as_bytes)), want, "{content_type:?}");
    }
}
