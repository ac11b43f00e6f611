//! `/events`: past and future events, as JSON lines.

use super::api::*;
use super::filters::Filters;

pub fn events(call: &mut Call<'_, '_>) -> Outcome {
    let (since, until) = (call.time("since")?, call.time("until")?);
    let is_past = until.is_some_and(|until| until < since.unwrap_or(until));
    ensure!(!is_past, "times", call.parameter("since"), call.parameter("until"));
    let filters = Filters::read(&call.state(), "events", call.parameter("filters"))?;
    let log = Arc::clone(&call.state().log);
    let mut body = call.stream("application/json")?;
    body.flush()?;
    // Without a time, a client sees only future events.
    let past = since.or(until).is_some();
    let mut next = if past { 0 } else { log.get().count };
    // As in dockerd, 0 is not a bound, but the answer ends at once.
    let bound = until.filter(|until| *until > UNIX_EPOCH);
    loop {
        let left = until.map(|until| until.duration_since(SystemTime::now()).unwrap_or_default());
        let lines = log.wait(left.unwrap_or(TICK).min(TICK), |log| {
            let first = log.count - log.events.len();
            let new = log.events.iter().skip(next.saturating_sub(first)).filter(|(time, event)| {
                since.is_none_or(|since| *time >= since)
                    && bound.is_none_or(|until| *time <= until)
                    && filters.fit(event)
            });
            let lines: String = new.map(|(_, event)| write(event) + "\n").collect();
            next = log.count;
            (!lines.is_empty()).then_some(lines)
        });
        body.write_all(lines.unwrap_or_default().as_bytes())?;
        body.flush()?;
        if left.is_some_and(|left| left.is_zero()) || call.request.is_gone() {
            return Ok(Reply::Sent(body.finish()?));
        }
    }
}
