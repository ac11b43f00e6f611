//! `/events`: what happens, as it happens.

use super::api::{Call, Filters, Outcome};
use super::containers::TICK;
use super::engine::Event;
use super::json::text;
use super::names::told;
use std::io::Write;
use std::time::{SystemTime, UNIX_EPOCH};

/// Names that dockerd knows; others change nothing, as there.
const FILTERS: [&str; 5] = ["container", "event", "image", "label", "type"];

pub fn events(call: &mut Call<'_, '_>) -> Outcome {
    let (since, until) = (call.time("since")?, call.time("until")?);
    if until.is_some_and(|until| until < since.unwrap_or(until)) {
        let (since, until) = (call.parameter("since"), call.parameter("until"));
        return told!(400, "`since` time ({since}) cannot be after `until` time ({until})");
    }
    let filters = Filters::read(call, &FILTERS)?;
    let engine = call.engine;
    let mut body = call.stream("application/json")?;
    body.flush()?;
    let state = engine.state();
    let first = state.event_count - state.events.len();
    // Without a time, only what is to come.
    let mut next = if since.or(until).is_some() { first } else { state.event_count };
    drop(state);
    // The epoch is no bound, but it has passed.
    let bound = until.filter(|until| *until > UNIX_EPOCH);
    loop {
        let now = SystemTime::now();
        let state = engine.state();
        let first = state.event_count - state.events.len();
        let in_time = |event: &&Event| {
            since.is_none_or(|since| event.time >= since)
                && bound.is_none_or(|until| event.time <= until)
        };
        let new = state.events.iter().skip(next.saturating_sub(first));
        let lines: Vec<String> = new
            .filter(in_time)
            .filter(|event| fits(event, &filters))
            .map(|event| event.line.clone())
            .collect();
        next = state.event_count;
        let over = until.is_some_and(|until| until <= now);
        if lines.is_empty() && !over {
            let left = until.and_then(|until| until.duration_since(now).ok()).unwrap_or(TICK);
            drop(engine.wait(state, left.min(TICK)));
        } else {
            drop(state);
        }
        for line in &lines {
            body.write_all(line.as_bytes())?;
            body.flush()?;
        }
        if over || call.request.is_gone() {
            return Ok(body.finish()?.into());
        }
    }
}

fn fits(event: &Event, filters: &Filters) -> bool {
    let is_named = |name: &String| {
        event.id.starts_with(&name[..]) || text(&event.attributes, "name").starts_with(&name[..])
    };
    let image = if event.kind == "image" { "name" } else { "image" };
    filters.any("type", |kind| event.kind == kind)
        && filters.any("event", |action| event.action.split(':').next() == Some(action))
        && filters.any("container", |name| event.kind == "container" && is_named(name))
        && filters.any("image", |name| text(&event.attributes, image) == name || event.id == *name)
        && filters.has_labels(&event.attributes)
}
