//! The same bytes to us and to others: the same body, or the same refusal.
//!
//! - Every response of the conformance tables is served on a Unix socket to ucurl, the system's
//!   curl, Python's `http.client` and node's `http`, and the connection closed behind it. Each
//!   either has a body or refuses.
//! - Every request of the tables, with another one behind it, is sent to the library's server,
//!   nginx and node's `http`. Each answers some, refuses one, or says nothing: how many were
//!   answered tells where each thought they ended.
//!
//! Where one of them does otherwise than we do, `explained` says why; `page` writes
//! `tests/DIFFERENCES.md` from that and from what was really seen. A difference that is not
//! explained fails, and so does an explanation that nothing needs.
//!
//! Others change: what is explained here holds for the versions in [`peers::KNOWN`]. Any other is
//! left out, and said so.

mod explained;
mod page;
mod peers;
mod requests;
mod responses;

use explained::{Explained, REQUESTS, RESPONSES};
use std::sync::LazyLock;

static OF_RESPONSES: LazyLock<Vec<Row>> = LazyLock::new(responses::rows);
static OF_REQUESTS: LazyLock<Vec<Row>> = LazyLock::new(requests::rows);

/// What all sides made of one case.
struct Row {
    id: &'static str,
    why: &'static str,
    ours: String,
    /// Who else, and what they made of it.
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

/// Where we take something, every difference has an explanation, and every explanation a
/// difference. Where we refuse, the case says why.
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
