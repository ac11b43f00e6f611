//! JSON out: templates that are filled in, and values that were read.

use unix_http::json::{Value, encode_string};

/// A template with each `{{name}}` replaced by the value of that name. JSON itself never opens two
/// braces in a row.
pub fn fill(template: &str, values: &[(&str, &str)]) -> String {
    let mut out = String::with_capacity(template.len() * 2);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        out.push_str(before);
        if after.starts_with('{') {
            out.push('{');
            rest = &rest[before.len() + 1..];
            continue;
        }
        let (name, after) = after.split_once("}}").unwrap_or((after, ""));
        out.push_str(
            values.iter().find(|(key, _)| *key == name).map_or("null", |(_, value)| value),
        );
        rest = after;
    }
    out + rest
}

/// A JSON string.
pub fn string(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len() + 2);
    encode_string(&mut out, text);
    String::from_utf8(out).unwrap_or_default()
}

/// A JSON array of strings.
pub fn strings<S: AsRef<str>>(texts: &[S]) -> String {
    list(texts.iter().map(|text| string(text.as_ref())))
}

/// A JSON array of what is JSON already.
pub fn list(values: impl IntoIterator<Item = String>) -> String {
    let mut out = String::from("[");
    for value in values {
        if out.len() > 1 {
            out.push(',');
        }
        out.push_str(&value);
    }
    out.push(']');
    out
}

/// A JSON object of names and strings.
pub fn object<S: AsRef<str>>(members: &[(S, S)]) -> String {
    let members = members
        .iter()
        .map(|(name, value)| [string(name.as_ref()), string(value.as_ref())].join(":"));
    let list = list(members);
    ["{", &list[1..list.len() - 1], "}"].concat()
}

/// A member's text; empty where there is none.
pub fn member<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// Whether a member is `true`.
pub fn flag(value: &Value, name: &str) -> bool {
    value.get(name).and_then(Value::as_bool).unwrap_or_default()
}

/// A member that is an array of strings; a string alone counts as one element.
pub fn words(value: &Value, name: &str) -> Vec<String> {
    match value.get(name) {
        Some(Value::String(word)) => vec![word.clone()],
        Some(list) => {
            list.elements().iter().filter_map(|word| word.as_str().map(str::to_owned)).collect()
        }
        None => Vec::new(),
    }
}

/// A member that is an object of strings.
pub fn pairs(value: &Value, name: &str) -> Vec<(String, String)> {
    let members = value.get(name).map(Value::members).unwrap_or_default();
    members
        .iter()
        .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{fill, object, strings};

    #[test]
    fn templates() {
        assert_eq!(fill("{{{a}}:{}}", &[("a", "x")]), "{x:{}}");
        let filled =
            fill(r#"{"A":{{a}},"B":[{{b}}],"C":{{none}}}"#, &[("a", r#""{{b}}""#), ("b", "1")]);
        assert_eq!(filled, r#"{"A":"{{b}}","B":[1],"C":null}"#);
        assert_eq!(strings(&["a\"", "b"]), r#"["a\"","b"]"#);
        assert_eq!(object(&[("a", "b"), ("c", "d")]), r#"{"a":"b","c":"d"}"#);
        assert_eq!(object::<&str>(&[]), "{}");
    }
}
