//! Shows an observer some of the exchanges only.

use super::glob::Glob;
use crate::docker::without_version;
use crate::traffic::{Event, Exchange, Observer};
use std::time::Duration;

/// Which exchanges are shown: all that fit each condition.
///
/// ```
/// use unix_http::tap::Selection;
///
/// let starts = Selection::default().request("POST /containers/*/start")?.status("4xx")?;
/// assert!(Selection::default().status("four").is_err());
/// # Ok::<(), String>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Selection {
    connection: Option<u64>,
    request: Option<(String, Glob)>,
    status: Option<String>,
}

impl Selection {
    /// Selects one connection.
    #[must_use]
    pub fn connection(self, number: u64) -> Selection {
        Selection { connection: Some(number), ..self }
    }

    /// Selects requests: `POST /containers/*` or a path alone, without API version and query.
    ///
    /// # Errors
    /// Fails if the path has an invalid escape.
    pub fn request(self, pattern: &str) -> Result<Selection, String> {
        let (method, path) = pattern.split_once(' ').unwrap_or(("", pattern));
        Ok(Selection { request: Some((method.into(), Glob::parse(path)?)), ..self })
    }

    /// Selects exchanges that are over, by their status: `404` or `4xx`.
    ///
    /// # Errors
    /// Fails for anything else.
    pub fn status(self, pattern: &str) -> Result<Selection, String> {
        let digits = pattern.trim_end_matches('x');
        match pattern.len() == 3 && !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())
        {
            true => Ok(Selection { status: Some(digits.into()), ..self }),
            false => Err(format!("{pattern}: write 404 or 4xx")),
        }
    }

    /// Shows the selected events of a relay to `observer`.
    pub fn of<O: Observer>(&self, observer: O) -> Selected<O> {
        Selected { selection: self.clone(), observer }
    }

    fn fits(&self, x: &Exchange) -> bool {
        let path = x.target().split(|&b| b == b'?').next().unwrap_or_default();
        let path = String::from_utf8_lossy(without_version(path));
        let status = x.response.as_ref().map_or(0, |head| head.status()).to_string();
        self.request.as_ref().is_none_or(|(method, glob)| {
            (method.is_empty() || method == x.method()) && glob.matches(&path)
        }) && self.status.as_ref().is_none_or(|digits| status.starts_with(digits))
    }
}

/// An observer of selected events.
#[derive(Debug)]
pub struct Selected<O> {
    selection: Selection,
    observer: O,
}

impl<O: Observer> Observer for Selected<O> {
    fn see(&self, connection: u64, at: Duration, event: &Event<'_>) {
        let Selection { connection: only, request, status } = &self.selection;
        let is_over = matches!(event, Event::Done(_));
        let shown = match event.exchange() {
            Some(x) => (is_over || status.is_none()) && self.selection.fits(x),
            None => request.is_none() && status.is_none(),
        };
        if shown && only.is_none_or(|only| only == connection) {
            self.observer.see(connection, at, event);
        }
    }

    fn flush(&self) {
        self.observer.flush();
    }

    fn finish(&self) -> Option<String> {
        self.observer.finish()
    }

    fn error(&self) -> Option<String> {
        self.observer.error()
    }
}
