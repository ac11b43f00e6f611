//! `/events`: what happens, as it happens.

use super::api::{Call, Filters, Outcome, Reply};
use super::containers::TICK;
use super::json::{text, write};
use super::names::told;
use std::io::Write;
use std::time::{SystemTime, UNIX_EPOCH};
use unix_http::json::Value;

/// Kinds of things that have no events here.
const SILENT: &str = "config daemon network node plugin secret service volume";

pub fn events(call: &mut Call<'_, '_>) -> Outcome {
    let (since, until) = (call.time("since")?, call.time("until")?);
    if until.is_some_and(|until| until < since.unwrap_or(until)) {
        let (since, until) = (call.parameter("since"), call.parameter("until"));
        return told!(400, "`since` time ({since}) cannot be after `until` time ({until})");
    }
    let known = format!("container event image label scope type {SILENT}");
    let filters = Filters::read(call, &known)?;
    let engine = call.engine;
    let mut body = call.stream("application/json")?;
    body.flush()?;
    // Without a time, only what is to come.
    let past = since.or(until).is_some();
    let mut next = if past { 0 } else { engine.state().event_count };
    // The epoch is no bound, but it has passed.
    let bound = until.filter(|until| *until > UNIX_EPOCH);
    loop {
        let now = SystemTime::now();
        let state = engine.state();
        let first = state.event_count - state.events.len();
        let new = state.events.iter().skip(next.saturating_sub(first)).filter(|event| {
            since.is_none_or(|since| event.time >= since)
                && bound.is_none_or(|until| event.time <= until)
                && fits(&event.line, &filters)
        });
        let lines: Vec<String> = new.map(|event| write(&event.line) + "\n").collect();
        next = state.event_count;
        let over = until.is_some_and(|until| until <= now);
        let left = until.and_then(|until| until.duration_since(now).ok()).unwrap_or(TICK);
        if lines.is_empty() && !over {
            drop(engine.wait(state, left.min(TICK)));
        } else {
            drop(state);
        }
        for line in &lines {
            body.write_all(line.as_bytes())?;
            body.flush()?;
        }
        if over || call.request.is_gone() {
            return Ok(Reply::Sent(body.finish()?));
        }
    }
}

fn fits(event: &Value, filters: &Filters) -> bool {
    let (kind, action, id) = (text(event, "Type"), text(event, "Action"), text(event, "id"));
    let actor = event.get("Actor").and_then(|actor| actor.get("Attributes"));
    let attributes = actor.unwrap_or(&Value::Null);
    let is_named = |name: &String| {
        id.starts_with(&name[..]) || text(attributes, "name").starts_with(&name[..])
    };
    let image = text(attributes, if kind == "image" { "name" } else { "image" });
    filters.any("type", |wanted| kind == wanted)
        && filters.any("event", |wanted| action.split(':').next() == Some(wanted))
        && filters.any("container", |name| kind == "container" && is_named(name))
        && filters.any("image", |name| image == name || id == name)
        && filters.any("scope", |scope| scope == "local")
        && SILENT.split(' ').all(|kind| filters.values(kind).is_empty())
        && filters.has_labels(attributes)
}
