//! An answer of 400 or above, and what it says why.

use crate::args::exit::Exit;
use crate::fetch::failure::Failure;
use crate::output::content::Content;
use crate::output::sink::Sink;
use std::io::Read as _;
use unix_http::Response;
use unix_http::docker::{DaemonMessage, MESSAGE_LIMIT};

/// The whole of it. What says why is short; of what is longer, or breaks off, the status says
/// enough.
pub struct Refusal {
    status: u16,
    kind: Option<Vec<u8>>,
    pub body: Vec<u8>,
}

impl Refusal {
    pub fn read(response: Response) -> Refusal {
        let (status, kind) =
            (response.status(), response.field("Content-Type").map(<[u8]>::to_vec));
        let mut body = Vec::new();
        if response.take(MESSAGE_LIMIT as u64).read_to_end(&mut body).is_err() {
            body.clear();
        }
        Refusal { status, kind, body }
    }

    /// The part that `--select` asks for is seldom in it; where it is not, what it says why is
    /// told.
    pub fn select(self, mut content: Content, sink: &mut Sink) -> Result<(), Failure> {
        match content.feed(&self.body, sink).and_then(|()| content.finish(sink)) {
            Err(failure) if failure.exit != Exit::Write => Err(self.into()),
            other => other,
        }
    }
}

/// With the daemon's own words, where it gives any.
impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Failure {
        let message = DaemonMessage::from_body(refusal.kind.as_deref(), &refusal.body);
        let message =
            message.map_or(String::new(), |message| [": ", &message.to_string()].concat());
        Failure::new(
            Exit::HttpError,
            format!("The requested URL returned error: {}{message}", refusal.status),
        )
    }
}
