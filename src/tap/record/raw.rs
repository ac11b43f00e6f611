//! The lossless recorder: every byte of each side, and the time when it arrived.

use crate::base::number::decimal;
use crate::tap::news::{News, What};
use crate::tap::recorder::Recorder;
use crate::traffic::until_error::UntilError;
use crate::traffic::{Event, Observer, Side};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The first line of an index.
const MAGIC: &str = "ucurl recording 1";

/// The files of a recording.
struct Record {
    dir: PathBuf,
    index: File,
    files: BTreeMap<(u64, Side), File>,
}

/// Returns an observer that records connections in a new or empty directory. Times count from
/// `started`; `covered` records whether secrets are masked.
///
/// A recording is a directory:
///
/// ```text
/// index         one event per line
/// 1.client      the bytes of the client of connection 1
/// 1.server      the bytes of the server
/// 2.client      and so on
/// ```
///
/// ```text
/// index      = "ucurl recording 1" LF header *( LF event ) LF
/// header     = "started " seconds LF "secrets " ( "covered" / "shown" )  ; since 1970 (UTC)
/// event      = seconds SP connection SP what                             ; since the start
/// what       = "open" / ( side SP 1*DIGIT )                              ; bytes of one read
///            / ( side SP "end" [ SP error ] ) / "closed" / ( "refused " reason )
/// side       = "client" / "server"
/// seconds    = 1*DIGIT "." 9DIGIT
/// connection = 1*DIGIT                                                     ; from 1
/// ```
///
/// Each byte of a masked secret is a `*`. The files are private (mode 0600, in a directory with
/// mode 0700). No event is dropped: a slow disk delays the traffic, and an error ends the recording
/// but not the traffic.
///
/// # Errors
/// Fails with `DirectoryNotEmpty`, or with a system error.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use unix_http::tap::{self, Recording};
/// use unix_http::traffic::{Conversation, Observer, Side};
/// # let parent = unix_http::transport::PrivateDir::new_in(std::env::temp_dir())?;
/// # let dir = parent.path().join("r");
///
/// let record = tap::record(&dir, SystemTime::UNIX_EPOCH, true)?;
/// let mut conversation = Conversation::new(true);
/// let at = Duration::from_millis(1500);
/// let request = b"GET / HTTP/1.1\r\nCookie: a\r\n\r\n";
/// conversation.bytes(Side::Client, at, request, &mut |event| record.see(1, at, event));
/// assert_eq!(record.finish(), None);
///
/// assert_eq!(std::fs::read(dir.join("1.client"))?, b"GET / HTTP/1.1\r\nCookie: *\r\n\r\n");
/// let index = std::fs::read_to_string(dir.join("index"))?;
/// assert!(index.ends_with("secrets covered\n1.500000000 1 client 29\n"));
/// assert_eq!(Recording::open(&dir)?.started, SystemTime::UNIX_EPOCH);
/// # std::fs::remove_dir_all(&dir)?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn record(dir: &Path, started: SystemTime, covered: bool) -> io::Result<impl Observer + use<>> {
    match DirBuilder::new().mode(0o700).create(dir) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            if fs::read_dir(dir)?.next().is_some() {
                return Err(ErrorKind::DirectoryNotEmpty.into());
            }
        }
        made => made?,
    }
    let mut index = new_file(&dir.join("index"))?;
    let since = seconds(started.duration_since(UNIX_EPOCH).unwrap_or_default());
    let secrets = if covered { "covered" } else { "shown" };
    index.write_all(format!("{MAGIC}\nstarted {since}\nsecrets {secrets}\n").as_bytes())?;
    let what = format!("the recording in {}", dir.display());
    Ok(UntilError::new(&what, Record { dir: dir.to_owned(), index, files: BTreeMap::new() }))
}

impl Recorder for Record {
    fn see(&mut self, connection: u64, at: Duration, event: &Event<'_>) -> io::Result<()> {
        let mut line = format!("{} {connection} ", seconds(at));
        let _ = match event {
            Event::Opened => write!(line, "open"),
            Event::Refused(why) => write!(line, "refused {}", one_line(why)),
            Event::Bytes(side, bytes) => {
                let key = (connection, *side);
                if !self.files.contains_key(&key) {
                    let path = self.dir.join(format!("{connection}.{side}"));
                    self.files.insert(key, new_file(&path)?);
                }
                (&self.files[&key]).write_all(bytes)?;
                write!(line, "{side} {}", bytes.len())
            }
            Event::Ended(side, None) => write!(line, "{side} end"),
            Event::Ended(side, Some(error)) => {
                write!(line, "{side} end {}", one_line(&error.to_string()))
            }
            Event::Closed => {
                self.files.remove(&(connection, Side::Client));
                self.files.remove(&(connection, Side::Server));
                write!(line, "closed")
            }
            _ => return Ok(()),
        };
        line.push('\n');
        self.index.write_all(line.as_bytes())
    }
}

fn new_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

fn seconds(time: Duration) -> String {
    format!("{}.{:09}", time.as_secs(), time.subsec_nanos())
}

fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// A recording: its index in memory, the bytes in its files.
#[derive(Debug)]
pub struct Recording {
    /// The directory.
    pub(crate) dir: PathBuf,
    /// When the recording began.
    pub started: SystemTime,
    /// Whether secrets are masked.
    pub(crate) covered: bool,
    /// The events, in order.
    pub(crate) events: Vec<News>,
    /// The unusable parts and the reasons: an incomplete last line, unsupported entries of a HAR.
    pub remarks: Vec<String>,
    /// The bytes of each side of a HAR, which has no directory.
    pub(in crate::tap) memory: Option<BTreeMap<(u64, Side), Vec<u8>>>,
}

impl Recording {
    /// Reads the index of a recording.
    ///
    /// # Errors
    /// Fails with `InvalidData` and the line that breaks the grammar, or with a system error.
    pub fn open(dir: impl AsRef<Path>) -> io::Result<Recording> {
        let dir = dir.as_ref().to_owned();
        let text = fs::read(dir.join("index"))?;
        let text = String::from_utf8_lossy(&text);
        let invalid = |n: usize| {
            io::Error::new(ErrorKind::InvalidData, format!("line {} of its index is none", n + 1))
        };
        let mut lines = text.lines();
        if lines.next() != Some(MAGIC) {
            return Err(invalid(0));
        }
        let since = lines.next().and_then(|line| parse_seconds(line.strip_prefix("started ")?));
        let started = since.and_then(|since| UNIX_EPOCH.checked_add(since));
        let started = started.ok_or_else(|| invalid(1))?;
        let covered = match lines.next() {
            Some("secrets covered") => true,
            Some("secrets shown") => false,
            _ => return Err(invalid(2)),
        };
        let mut lines: Vec<_> = lines.zip(3..).collect();
        // The last line ends with a line feed, unless the recorder was interrupted.
        let cut = lines.pop_if(|_| !text.ends_with('\n'));
        let cut = cut.map(|(_, n)| format!("line {} of its index is cut short", n + 1));
        let event = |(line, n)| parse_event(line).ok_or_else(|| invalid(n));
        let events = lines.into_iter().map(event).collect::<io::Result<_>>()?;
        let remarks = cut.into_iter().collect();
        Ok(Recording { dir, started, covered, events, remarks, memory: None })
    }

    /// Returns the path of one side's bytes; a side that sent nothing has no file.
    pub(crate) fn file(&self, connection: u64, side: Side) -> PathBuf {
        self.dir.join(format!("{connection}.{side}"))
    }
}

fn parse_event(line: &str) -> Option<News> {
    let (at, rest) = line.split_once(' ')?;
    let (connection, what) = rest.split_once(' ')?;
    let side = |what: &str| match what {
        "client" => Some(Side::Client),
        "server" => Some(Side::Server),
        _ => None,
    };
    let what = match what.split_once(' ') {
        None if what == "open" => What::Opened,
        None if what == "closed" => What::Closed,
        Some(("refused", why)) => What::Refused(why.to_owned()),
        Some((from, "end")) => What::Ended(side(from)?, None),
        Some((from, rest)) => match rest.strip_prefix("end ") {
            Some(error) => What::Ended(side(from)?, Some(io::Error::other(error))),
            None => What::Bytes(side(from)?, usize::try_from(digits(rest)?).ok()?),
        },
        None => return None,
    };
    Some(News { at: parse_seconds(at)?, connection: digits(connection)?, what })
}

fn parse_seconds(text: &str) -> Option<Duration> {
    let (whole, nanos) = text.split_once('.')?;
    let nanos = if nanos.len() == 9 { digits(nanos)? } else { return None };
    Some(Duration::new(digits(whole)?, u32::try_from(nanos).ok()?))
}

fn digits(text: &str) -> Option<u64> {
    decimal(text.as_bytes())
}
