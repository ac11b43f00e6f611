//! Indents JSON, and counts members that are null, false, 0 or empty instead of showing them.
//!
//! ```text
//! {
//!   "Image": "busybox",
//!   (41 empty members)
//! }
//! ```

use crate::json::{JsonError, JsonText};

/// Indents a text and passes its lines to `show`.
pub(super) fn lay_out(text: &JsonText<'_>, show: &mut dyn FnMut(&[u8])) -> Result<(), JsonError> {
    let mut fold = Fold { open: Vec::new(), show };
    let result = text.lay_out(&mut |line| fold.line(line));
    fold.show_open();
    result
}

struct Fold<'f> {
    open: Vec<OpenValue>,
    show: &'f mut dyn FnMut(&[u8]),
}

/// An open object or list.
struct OpenValue {
    line: Vec<u8>,
    shown: bool,
    empty: usize,
    /// The last empty member. A single one is shown.
    last: Vec<u8>,
}

impl Fold<'_> {
    fn line(&mut self, line: &[u8]) {
        let text = line.trim_ascii();
        let text = text.strip_suffix(b",").unwrap_or(text);
        let is_member = text.starts_with(b"\"");
        let empty = [": null", ": \"\"", ": false", ": 0", ": []", ": {}"];
        match (text, self.open.last_mut()) {
            ([.., b'{' | b'['], _) => {
                let (line, last) = (line.to_vec(), Vec::new());
                self.open.push(OpenValue { line, shown: false, empty: 0, last });
            }
            (b"}" | b"]", Some(_)) => self.end(line),
            (_, Some(open)) if is_member && empty.iter().any(|e| text.ends_with(e.as_bytes())) => {
                open.empty += 1;
                open.last = line.to_vec();
            }
            _ => {
                self.show_open();
                (self.show)(line);
            }
        }
    }

    fn end(&mut self, line: &[u8]) {
        let Some(OpenValue { line: first, shown, empty, last }) = self.open.pop() else { return };
        let is_member = first.trim_ascii_start().starts_with(b"\"");
        if let (Some(parent), true) = (self.open.last_mut(), is_member && !shown && empty > 1) {
            parent.empty += empty;
            return;
        }
        self.show_open();
        if !shown {
            (self.show)(&first);
        }
        let indent = "  ".repeat(self.open.len() + 1);
        match empty {
            0 => {}
            1 => (self.show)(&last),
            _ => (self.show)(format!("{indent}({empty} empty members)\n").as_bytes()),
        }
        (self.show)(line);
    }

    fn show_open(&mut self) {
        for open in self.open.iter_mut().filter(|open| !open.shown) {
            open.shown = true;
            (self.show)(&open.line);
        }
    }
}
