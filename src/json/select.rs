//! Selecting values of a text with a pointer: `--select /Id`.

use super::error::JsonError;
use super::pointer::{Pointer, array_index};
use super::reader::{Begun, JsonReader, Next};
use super::texts::JsonText;
use super::value::Value;

/// The last existing value on the path of a pointer that matches nothing: the number of tokens that
/// are left, a word for this value, and a word for the missing part.
type Near = (usize, &'static str, &'static str);

impl<'a> JsonText<'a> {
    /// Passes each value that a pointer selects to `found`, unchanged, and checks the whole text.
    /// If there is no such value, returns a message that explains why.
    ///
    /// ```
    /// use unix_http::json::{JsonText, Pointer};
    ///
    /// let text = JsonText { bytes: br#"{"State":{"Status":"exited"}}"#, offset: 0 };
    /// let (pointer, mut out) = (Pointer::parse("/State/Status")?, Vec::new());
    /// let miss = text.select(&pointer, &mut |value| {
    ///     value.print(false, &mut |piece| out.extend_from_slice(piece));
    /// })?;
    /// assert_eq!((miss, out), (None, b"exited\n".to_vec()));
    /// # Ok::<(), unix_http::json::JsonError>(())
    /// ```
    ///
    /// # Errors
    /// Fails if the text is not JSON, or contains a name on the pointer's path twice. Values before
    /// the error have been passed to `found`.
    pub fn select(
        &self,
        pointer: &Pointer,
        found: &mut dyn FnMut(&JsonText<'a>),
    ) -> Result<Option<String>, JsonError> {
        let mut reader = self.reader();
        let mut found = |bytes| found(&JsonText { bytes, ..*self });
        let near = follow(&mut reader, &pointer.tokens, &mut found)?;
        reader.finish()?;
        Ok(near.map(|near| miss(pointer, near)))
    }

    /// Prints a selected value for a shell: a string without quotes and escapes, anything else
    /// unchanged, or indented if `pretty`. Adds a line end.
    pub fn print(&self, pretty: bool, out: &mut dyn FnMut(&[u8])) {
        let string = if self.bytes.starts_with(b"\"") { self.value().ok() } else { None };
        match string {
            Some(Value::String(characters)) => out(characters.as_bytes()),
            _ if pretty => return self.lay_out(out).unwrap_or_default(),
            _ => out(self.bytes),
        }
        out(b"\n");
    }
}

fn follow<'a>(
    reader: &mut JsonReader<'a>,
    tokens: &[String],
    found: &mut dyn FnMut(&'a [u8]),
) -> Result<Option<Near>, JsonError> {
    let Some((token, rest)) = tokens.split_first() else {
        found(reader.skip()?);
        return Ok(None);
    };
    let (kind, child) = match reader.begin()? {
        Begun::Scalar(_) => ("a value that is neither object nor array,", ""),
        Begun::Container(b'[') => ("the array", "element "),
        Begun::Container(_) => ("the object", "member "),
    };
    let mut near = Some((tokens.len(), kind, child));
    let each = token == "*" && child == "element ";
    let (mut elements, mut taken) = (0, false);
    while !child.is_empty() {
        let is_next = match reader.next()? {
            Next::End(_) => break,
            Next::Element => {
                elements += 1;
                each || array_index(token) == Some(elements - 1)
            }
            Next::Member(name) => name == *token,
        };
        if !is_next {
            reader.skip()?;
        } else if taken && !each {
            return reader.fail_twice();
        } else {
            let inner = follow(reader, rest, found)?;
            near = if taken { near.and(inner) } else { inner };
            taken = true;
        }
    }
    // `*` on an empty array is not a miss.
    Ok(near.filter(|_| taken || !each))
}

/// Describes the last existing value on the path, and the missing part.
fn miss(pointer: &Pointer, (left, kind, child): Near) -> String {
    let (found, missing) = pointer.tokens.split_at(pointer.tokens.len() - left);
    let place = match (Pointer { tokens: found.to_vec() }).to_string() {
        root if root.is_empty() => "the root".to_owned(),
        place => place,
    };
    format!("no {child}{:?} in {kind} at {place} (RFC 6901 §4)", missing[0])
}
