//! The same bytes, read by this library and by other programs: the same body, or the same refusal.
//!
//! - Every response of the conformance tables is served on a Unix socket to ucurl, the system's
//!   curl, Python's `http.client` and node's `http`, and the connection is closed after it. Each
//!   program either returns a body or rejects the response.
//! - Every request of the tables, followed by another one, is sent to the library's server, nginx
//!   and node's `http`. Each server answers some requests, rejects one, or stays silent: the number
//!   of answers shows where it saw the end of each request.
//!
//! `explained` gives the reason for each difference. `page` generates `tests/DIFFERENCES.md` from
//! the reasons and the actual results. An unexplained difference fails the test, and so does an
//! unused explanation.
//!
//! Programs change: the explanations hold for the versions in [`peers::KNOWN`]. Other versions are
//! skipped, with a message.

mod explained;
mod page;
mod peers;
mod requests;
mod responses;

use explained::{Explained, REQUESTS, RESPONSES};
use std::sync::LazyLock;

static OF_RESPONSES: LazyLock<Vec<Row>> = LazyLock::new(responses::rows);
static OF_REQUESTS: LazyLock<Vec<Row>> = LazyLock::new(requests::rows);

/// The results of all programs for one case.
struct Row {
    id: &'static str,
    why: &'static str,
    ours: String,
    /// The other programs and their results.
    others: Vec<(&'static str, String)>,
}

impl Row {
    fn we_refuse(&self) -> bool {
        self.ours == "refused"
    }

    fn differing(&self) -> impl Iterator<Item = &(&'static str, String)> {
        self.others.iter().filter(|(_, verdict)| *verdict != self.ours)
    }
}

/// Checks that every difference in an accepted message has an explanation, and that every
/// explanation is used. If we reject a message, the case states the reason.
fn all_explained(rows: &[Row], explained: &[Explained]) {
    let mut wrong = String::new();
    let mut used = vec![false; explained.len()];
    for row in rows {
        for (peer, verdict) in row.differing().filter(|_| !row.we_refuse()) {
            match explained
                .iter()
                .position(|explained| explained.peers.contains(peer) && explained.names(row.id))
            {
                Some(at) => used[at] = true,
                None => {
                    wrong += &format!(
                        "{}: {peer}: {verdict:?}, ours: {:?} ({})\n",
                        row.id, row.ours, row.why
                    )
                }
            }
        }
    }
    let asked: Vec<_> = rows.iter().flat_map(|row| &row.others).map(|(peer, _)| *peer).collect();
    for (explained, used) in explained.iter().zip(used) {
        if !used && explained.peers.iter().all(|peer| asked.contains(peer)) {
            wrong += &format!("no longer so: {:?} {:?}\n", explained.peers, explained.cases);
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn every_difference_between_readers_of_responses_is_explained() {
    all_explained(&OF_RESPONSES, RESPONSES);
}

#[test]
fn every_difference_between_readers_of_requests_is_explained() {
    all_explained(&OF_REQUESTS, REQUESTS);
}
