//! Which recorded answer a request gets.

use super::Replay;
use super::answers::{Given, RequestKey};
use crate::base::nearest::distance;
use crate::base::sync::lock;
use crate::docker::without_version;
use std::time::Duration;

/// How long a response waits for requests that preceded it in the recording.
const PATIENCE: Duration = Duration::from_secs(1);

/// How far other connections are, compared with the recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Others {
    /// They do not matter for this part.
    None,
    /// As far as in the recording.
    AsFar,
    /// Not as far, and perhaps they never will be.
    Elsewhere,
}

impl Replay {
    /// Chooses the response for a request.
    pub(super) fn choose(&self, asked: &RequestKey) -> Result<usize, String> {
        let mut given = lock(&self.given);
        let wanted = normal(&asked.target);
        let candidates = self.answers.iter().map(|answer| &answer.request).enumerate();
        let best = candidates
            .filter(|(n, request)| match self.strict {
                true => *request == asked && given.counts[*n] == 0,
                false => request.method == asked.method && normal(&request.target) == wanted,
            })
            // Larger is better; of equals, the first that was not given, or the last.
            .max_by_key(|(n, request)| {
                let fresh = given.counts[*n] == 0;
                let order = if fresh { -(*n as i64) } else { *n as i64 };
                (request.body == asked.body, request.target == asked.target, fresh, order)
            });
        let chosen = match best {
            Some((n, request)) => {
                given.counts[n] += 1;
                match &self.answers[n].unfit {
                    None => Ok(n),
                    Some(why) => Err(format!("cannot replay {}: {why}", request.name())),
                }
            }
            None => Err(self.unknown(asked)),
        };
        given.problems.extend(chosen.clone().err());
        drop(given);
        self.changed.notify_all();
        chosen
    }

    /// Notes that response `n` was given to the end.
    pub(super) fn gave(&self, n: usize) {
        lock(&self.given).whole[n] = true;
        self.changed.notify_all();
    }

    /// Waits until other connections are as far as they were at this point of the recording: all
    /// requests since that of response `n` were made, and completed responses were completed. Gives
    /// up after a while, since the client may go another way.
    pub(super) fn wait_for_others(&self, n: usize, at: Duration) -> Others {
        let mine = &self.answers[n];
        let from = self.answers.partition_point(|answer| answer.began <= mine.began);
        let until = self.answers.partition_point(|answer| answer.began < at).max(from);
        // Later exchanges of the same connection cannot come first.
        let others = (from..until).filter(|&other| {
            let connection = self.answers[other].connection;
            connection.is_none() || connection != mine.connection
        });
        let others: Vec<usize> = others.collect();
        if others.is_empty() {
            return Others::None;
        }
        let behind = |given: &mut Given| {
            others.iter().any(|&other| {
                given.counts[other] == 0 || self.answers[other].ended <= at && !given.whole[other]
            })
        };
        match self.changed.wait_timeout_while(lock(&self.given), PATIENCE, behind) {
            Ok((_, waited)) if !waited.timed_out() => Others::AsFar,
            _ => Others::Elsewhere,
        }
    }

    fn unknown(&self, asked: &RequestKey) -> String {
        let name = asked.name();
        let recorded = || self.answers.iter().map(|answer| &answer.request);
        let mut same =
            recorded().filter(|key| key.method == asked.method && key.target == asked.target);
        let edits = |key: &&RequestKey| distance(name.as_bytes(), key.name().as_bytes());
        let nearest = match (same.next(), recorded().min_by_key(edits)) {
            (Some(key), _) if key.body == asked.body => "it was recorded, but fewer times".into(),
            (Some(_), _) => "it was recorded with another body".into(),
            (None, Some(key)) => format!("the nearest that was recorded is {}", key.name()),
            (None, None) => "nothing was recorded".to_owned(),
        };
        format!("not recorded: {name}; {nearest}")
    }
}

/// A target without the API version, and with sorted query parameters.
fn normal(target: &[u8]) -> Vec<u8> {
    let (path, query) = match target.iter().position(|&b| b == b'?') {
        Some(at) => (&target[..at], &target[at + 1..]),
        None => (target, &b""[..]),
    };
    let mut parameters: Vec<&[u8]> = query.split(|&b| b == b'&').collect();
    parameters.sort_unstable();
    [without_version(path), b"?", &parameters.join(&b'&')].concat()
}

#[cfg(test)]
mod tests {
    use super::normal;

    #[test]
    fn what_does_not_count() {
        for (a, b) in [
            ("/v1.41/info", "/info"),
            ("/v1.41/a?b=1&a=2", "/v1.47/a?a=2&b=1"),
            ("/a?x=1&x=2", "/a?x=2&x=1"),
            ("/a?", "/a"),
        ] {
            assert_eq!(normal(a.as_bytes()), normal(b.as_bytes()), "{a} {b}");
        }
        for (a, b) in [
            ("/v1.41", "/"),
            ("/v1/a", "/a"),
            ("/v1.x/a", "/a"),
            ("/a?b=1", "/a?b=2"),
            ("/a/", "/a"),
        ] {
            assert_ne!(normal(a.as_bytes()), normal(b.as_bytes()), "{a} {b}");
        }
    }
}
