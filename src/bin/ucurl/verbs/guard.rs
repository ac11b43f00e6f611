//! `ucurl guard`: relays the requests that the rules allow, and refuses the others.

use super::outputs::failed;
use super::supervise::Front;
use super::tap;
use crate::args::given::Given;
use crate::console::say;
use std::fs;
use unix_http::tap::AllowList;
use unix_http::traffic::Event;

/// Guards until the command ends or the front asks to stop.
pub fn serve(given: &Given, front: &Front) -> Result<i32, String> {
    let name = &given.operands[0];
    let text = fs::read_to_string(name).map_err(|error| failed(name, &error))?;
    let rules = AllowList::parse(&text).map_err(|error| failed(name, &error))?;
    let (_directory, relay) = tap::relay(given, &tap::target(given)?)?;
    let relay = match (given.has("dry-run"), given.has("quiet")) {
        (true, _) => relay.show_secrets(true).observe(rules.watch(|x, denied| {
            let target = x.target().escape_ascii();
            say(&format!("guard: would refuse {} {target}: {denied}", x.method()));
            Ok(())
        })),
        (false, true) => relay.guard(rules),
        (false, false) => relay.guard(rules).observe(tap::OnEvent(|event: &Event<'_>| {
            if let Event::Refused(why) = event {
                say(&format!("guard: {why}"));
            }
        })),
    };
    tap::run(given, relay, front, given.has("quiet"))
}
