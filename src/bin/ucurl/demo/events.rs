//! `/events`: what happens, as it happens.

use super::containers::filters;
use super::engine::Event;
use super::process::TICK;
use super::reply::{Call, Fault, Outcome};
use super::time;
use std::io::Write;
use std::time::SystemTime;

pub fn events(call: &mut Call<'_, '_>) -> Outcome {
    let engine = call.engine;
    let moment = |name: &str| match call.parameter(name) {
        "" => Ok(None),
        text => time::parse(text)
            .map(Some)
            .ok_or_else(|| Fault::told(400, &["failed to parse value as time: ", text])),
    };
    let (since, until) = (moment("since")?, moment("until")?);
    let filters = filters(call)?;
    let mut body = call.stream(Some("application/json"))?;
    let state = engine.lock();
    // Without `since`, what is to come.
    let mut next = if since.is_some() {
        state.event_count - state.events.len() as u64
    } else {
        state.event_count
    };
    drop(state);
    body.flush()?;
    loop {
        let now = SystemTime::now();
        let state = engine.lock();
        let first = state.event_count - state.events.len() as u64;
        let skip = usize::try_from(next.saturating_sub(first)).unwrap_or(usize::MAX);
        let lines: Vec<String> = state
            .events
            .iter()
            .skip(skip)
            .filter(|event| {
                since.is_none_or(|since| event.time >= since)
                    && until.is_none_or(|until| event.time <= until)
            })
            .filter(|event| filters.iter().all(|(name, values)| fits(event, name, values)))
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

fn fits(event: &Event, name: &str, values: &[String]) -> bool {
    let attribute = |name: &str| {
        event.attributes.iter().find(|(n, _)| n == name).map_or("", |(_, value)| value)
    };
    values.iter().any(|value| match name {
        "type" => event.kind == value,
        "event" => event.action.split(':').next() == Some(value),
        "container" if event.kind == "container" => {
            event.id.starts_with(value.as_str()) || attribute("name") == value
        }
        "image" if event.kind == "image" => event.id == *value || attribute("name") == value,
        "image" => attribute("image") == value,
        "label" => {
            event.attributes.iter().any(|(n, v)| value == n || *value == [n, "=", v].concat())
        }
        "container" => false,
        // What is not known here shuts nothing out.
        _ => true,
    })
}
