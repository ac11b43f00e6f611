//! A client of the live page: reads its events and its JSON.

use std::io::BufRead;
use std::time::Duration;
use unix_http::json::Value;
use unix_http::{Client, Endpoint, Response, Timeouts};

/// No test waits longer than this for an event.
const PATIENCE: Duration = Duration::from_secs(30);

pub struct WebClient {
    pub client: Client,
    /// `/TOKEN/`
    pub path: String,
    /// `127.0.0.1:PORT`
    pub authority: String,
}

/// One event of the stream.
#[derive(Debug)]
pub struct WebEvent {
    pub id: Option<u64>,
    pub name: String,
    pub data: Value,
}

pub struct WebEvents(Response);

impl WebClient {
    /// `url` is the printed address: `http://127.0.0.1:PORT/TOKEN/`.
    #[track_caller]
    pub fn new(url: &str) -> WebClient {
        let rest = url.trim().strip_prefix("http://").expect("a URL");
        let (authority, path) = rest.split_once('/').expect("a path");
        let endpoint = Endpoint::parse(format!("tcp://{authority}")).expect("an address");
        let timeouts = Timeouts::default().idle(PATIENCE);
        let client = Client::builder(endpoint).timeouts(timeouts).build();
        WebClient { client, path: format!("/{path}"), authority: authority.into() }
    }

    #[track_caller]
    pub fn get(&self, name: &str) -> (u16, String) {
        let response = self.client.get(&format!("{}{name}", self.path)).send().expect("an answer");
        (response.status(), response.text().expect("UTF-8"))
    }

    /// Returns an exchange in full.
    #[track_caller]
    pub fn detail(&self, id: u64, query: &str) -> Value {
        let (status, text) = self.get(&format!("exchange/{id}{query}"));
        assert_eq!(status, 200, "{text}");
        Value::parse(text.as_bytes()).expect("JSON")
    }

    /// Opens the stream of events after `last`.
    #[track_caller]
    pub fn events(&self, last: Option<u64>) -> WebEvents {
        let path = format!("{}events", self.path);
        let mut request = self.client.get(&path);
        if let Some(last) = last {
            request = request.field("Last-Event-ID", last.to_string());
        }
        let response = request.send().expect("an answer");
        assert_eq!(response.fields().get("Content-Type"), Some(&b"text/event-stream"[..]));
        WebEvents(response)
    }
}

impl WebEvents {
    /// Waits for the next event, and skips comments.
    #[track_caller]
    pub fn next(&mut self) -> WebEvent {
        let mut event = WebEvent { id: None, name: String::new(), data: Value::Null };
        loop {
            let mut line = String::new();
            assert_ne!(self.0.read_line(&mut line).expect("an event"), 0, "the stream ended");
            match line.trim_end_matches('\n').split_once(": ") {
                Some(("id", id)) => event.id = Some(id.parse().expect("a version")),
                Some(("event", name)) => event.name = name.into(),
                Some(("data", data)) => event.data = Value::parse(data.as_bytes()).expect("JSON"),
                _ if line == "\n" && !event.name.is_empty() => return event,
                _ => assert!(line == "\n" || line == ":\n", "{line:?}"),
            }
        }
    }

    /// Waits for an event that fits. Returns all events up to it.
    #[track_caller]
    pub fn until(&mut self, fits: impl Fn(&WebEvent) -> bool) -> Vec<WebEvent> {
        let mut events = Vec::new();
        loop {
            events.push(self.next());
            if events.last().is_some_and(&fits) {
                return events;
            }
        }
    }

    /// Waits until an exchange with this target is over.
    #[track_caller]
    pub fn done(&mut self, target: &str) -> WebEvent {
        let fits = |event: &WebEvent| {
            event.name == "exchange"
                && text(&event.data, "target") == target
                && text(&event.data, "state") != "open"
        };
        self.until(fits).pop().expect("one")
    }
}

/// Returns a member that is a string.
#[track_caller]
pub fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_else(|| panic!("no {name} in {value}"))
}

/// Returns a member that is a whole number.
#[track_caller]
pub fn number(value: &Value, name: &str) -> i64 {
    value.get(name).and_then(Value::as_i64).unwrap_or_else(|| panic!("no {name} in {value}"))
}

/// Returns the elements of a member.
#[track_caller]
pub fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value.get(name).unwrap_or_else(|| panic!("no {name} in {value}")).elements()
}
