//! `/events`: what happens, as it happens.

use super::api::{Call, Outcome, Reply};
use super::containers::TICK;
use super::filters::{Filters, has_label};
use super::prelude::*;

/// Names of kinds of things are filters, too. Most of these have no events here.
const FILTERS: &str = "container event image label scope type config daemon network node plugin \
    secret service volume";

pub fn events(call: &mut Call<'_, '_>) -> Outcome {
    let (since, until) = (call.time("since")?, call.time("until")?);
    let is_past = until.is_some_and(|until| until < since.unwrap_or(until));
    let asked = ["since", "until"].map(|name| format!("`{name}` time ({})", call.parameter(name)));
    ensure!(!is_past, 400, "{}", asked.join(" cannot be after "));
    let filters = Filters::read(call, FILTERS)?;
    let log = &call.engine.log;
    let mut body = call.stream("application/json")?;
    body.flush()?;
    // Without a time, only what is to come.
    let past = since.or(until).is_some();
    let mut next = if past { 0 } else { log.get().count };
    // The epoch is no bound, but it has passed.
    let bound = until.filter(|until| *until > UNIX_EPOCH);
    loop {
        let left = until.map(|until| until.duration_since(SystemTime::now()).unwrap_or_default());
        let lines = log.wait(left.unwrap_or(TICK).min(TICK), |log| {
            let first = log.count - log.events.len();
            let new = log.events.iter().skip(next.saturating_sub(first)).filter(|(time, event)| {
                since.is_none_or(|since| *time >= since)
                    && bound.is_none_or(|until| *time <= until)
                    && fits(event, &filters).unwrap_or_default()
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

fn fits(event: &Value, filters: &Filters) -> io::Result<bool> {
    let (kind, action, id) = (text(event, "Type"), text(event, "Action"), text(event, "id"));
    let attributes = event.pointer("/Actor/Attributes").unwrap_or(&Value::Null);
    let image = text(attributes, if kind == "image" { "name" } else { "image" });
    filters.fit(|filter, wanted| {
        Ok(match filter {
            "type" => kind == wanted,
            "event" => action.split(':').next() == Some(wanted),
            "container" if kind == "container" => {
                id.starts_with(wanted) || text(attributes, "name").starts_with(wanted)
            }
            "image" => id == wanted || image == wanted || image.rsplit(':').nth(1) == Some(wanted),
            "scope" => wanted == "local",
            "label" => has_label(&object!(Labels: attributes.clone()), wanted),
            _ => false,
        })
    })
}
