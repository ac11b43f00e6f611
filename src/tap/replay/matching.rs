//! Chooses the recorded response for a request.

use super::Replay;
use super::answers::{Given, PATIENCE, RequestKey};
use crate::base::nearest::distance;
use crate::docker::without_version;
use std::time::Duration;

impl Replay {
    /// Chooses the response for a request.
    pub(super) fn choose(&self, asked: &RequestKey) -> Result<usize, String> {
        let mut given = self.given.get();
        let wanted = normal(&asked.target);
        let candidates = self.answers.iter().map(|answer| &answer.request).enumerate();
        let best = candidates
            .filter(|(n, request)| match self.strict {
                true => *request == asked && !given.used.contains(n),
                false => request.method == asked.method && normal(&request.target) == wanted,
            })
            // Larger is better. Among equals, the first unused one wins, or the last.
            .max_by_key(|(n, request)| {
                let fresh = !given.used.contains(n);
                let order = if fresh { -(*n as i64) } else { *n as i64 };
                (request.body == asked.body, request.target == asked.target, fresh, order)
            });
        let chosen = match best {
            Some((n, request)) => {
                given.used.insert(n);
                match &self.answers[n].unfit {
                    None => Ok(n),
                    Some(why) => Err(format!("cannot replay {}: {why}", request.name())),
                }
            }
            None => Err(self.unknown(asked)),
        };
        let problem = match &chosen {
            Ok(n) => {
                let answer = &self.answers[*n];
                given.under_way.extend(answer.parts.first().map(|part| (*n, part.at)));
                let another = answer.request.body != asked.body;
                another.then(|| format!("answered as with another body: {}", asked.name()))
            }
            Err(why) => Some(why.clone()),
        };
        problem.into_iter().for_each(|problem| self.add(&mut given.problems, problem));
        drop(given);
        self.given.change(|_| {});
        chosen
    }

    fn add(&self, problems: &mut Vec<String>, problem: String) {
        self.tell.iter().for_each(|tell| tell(&problem));
        problems.push(problem);
    }

    /// Adds the unused responses if strict, and returns all problems.
    pub(super) fn finish(&self) -> Vec<String> {
        let given = &mut *self.given.get();
        let mut problems = std::mem::take(&mut given.problems);
        for (n, answer) in self.answers.iter().enumerate() {
            if self.strict && !given.used.contains(&n) {
                self.add(&mut problems, format!("never asked for: {}", answer.request.name()));
            }
        }
        problems
    }

    /// Notes the recorded time of the next part of response `n`, or that the response ended.
    pub(super) fn goes_on(&self, n: usize, at: Option<Duration>) {
        self.given.change(|given| match at {
            Some(at) => given.under_way.insert(n, at),
            None => given.under_way.remove(&n),
        });
    }

    /// Waits until the other connections have reached this point of the recording: all requests
    /// since that of response `n` have arrived, and no response in progress is behind. Gives up
    /// after a while, because the client may behave differently, and then ignores those requests
    /// until they arrive. Returns whether there were such requests.
    pub(super) fn wait_for_others(&self, n: usize, at: Duration) -> bool {
        let mine = &self.answers[n];
        let from = self.answers.partition_point(|answer| answer.began <= mine.began);
        let until = self.answers.partition_point(|answer| answer.began < at).max(from);
        // Later exchanges of the same connection cannot precede it.
        let elsewhere = |other: &usize| {
            let connection = self.answers[*other].connection;
            *other != n && (connection.is_none() || connection != mine.connection)
        };
        let unasked = |given: &Given| {
            let known = |other: &usize| given.used.contains(other) || given.skipped.contains(other);
            (from..until).filter(elsewhere).find(|other| !known(other))
        };
        let late = |given: &Given| {
            let mut late = given.under_way.iter().filter(|(_, next)| **next < at);
            late.find(|(other, _)| elsewhere(other)).map(|(other, _)| *other)
        };
        let behind = |given: &mut Given| unasked(given).is_some() || late(given).is_some();
        let mut given = self.given.wait_while(PATIENCE, behind);
        while let Some(other) = unasked(&given) {
            given.skipped.insert(other);
        }
        while let Some(other) = late(&given) {
            given.under_way.remove(&other);
        }
        (from..until).any(|other| elsewhere(&other))
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

/// Normalises a target: without the API version, and with sorted query parameters.
fn normal(target: &[u8]) -> Vec<u8> {
    let (path, query) = match target.iter().position(|&b| b == b'?') {
        Some(at) => (&target[..at], &target[at + 1..]),
        None => (target, &b""[..]),
    };
    let mut parameters: Vec<&[u8]> = query.split(|&b| b == b'&').collect();
    parameters.sort_unstable();
    [without_version(path), b"?", &parameters.join(&b'&')].concat()
}
