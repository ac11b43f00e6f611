//! A response with a status of 400 or above, and the reason that its body gives.

use crate::args::exit::Exit;
use crate::output::body_stages::BodyStages;
use crate::output::failure::Failure;
use crate::output::sink::Sink;
use std::io::Read as _;
use unix_http::Response;
use unix_http::docker::{DaemonMessage, MESSAGE_LIMIT};

/// The status, and the body as far as it can be a reason: reasons are short and complete.
pub struct ErrorResponse {
    status: u16,
    kind: Option<Vec<u8>>,
    pub body: Vec<u8>,
}

impl ErrorResponse {
    pub fn read(response: Response) -> ErrorResponse {
        let (status, kind) =
            (response.status(), response.field("Content-Type").map(<[u8]>::to_vec));
        let mut body = Vec::new();
        if response.take(MESSAGE_LIMIT as u64).read_to_end(&mut body).is_err() {
            body.clear();
        }
        ErrorResponse { status, kind, body }
    }

    /// Selects from the body; without a result, the failure gives the reason of the response.
    pub fn select(self, mut stages: BodyStages, sink: &mut Sink) -> Result<(), Failure> {
        let arrived = stages.feed(&self.body, sink);
        match stages.finish(arrived, sink) {
            Err(failure) if failure.exit != Exit::Write => Err(self.into()),
            other => other,
        }
    }
}

/// With the reason in the words of the daemon, if it gives one.
impl From<ErrorResponse> for Failure {
    fn from(response: ErrorResponse) -> Failure {
        let message = DaemonMessage::from_body(response.kind.as_deref(), &response.body);
        let message =
            message.map_or(String::new(), |message| [": ", &message.to_string()].concat());
        Failure::new(
            Exit::HttpError,
            format!("The requested URL returned error: {}{message}", response.status),
        )
    }
}
