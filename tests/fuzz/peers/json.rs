//! Our reader of JSON compared with serde_json.

use unix_http::json::Value;

pub fn check(bytes: &[u8]) {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    reader.disable_recursion_limit();
    let mut texts = reader.into_iter::<serde_json::Value>();
    let first = texts.next().and_then(Result::ok);
    let alone = bytes[texts.byte_offset()..].iter().all(|b| b" \t\r\n".contains(b));
    match (Value::parse(bytes), first.filter(|_| alone)) {
        (Ok(ours), Some(theirs)) => same(&ours, &theirs),
        (Err(_), None) => {}
        // serde_json has no limit when it is told to have none.
        (Err(error), Some(_)) if error.to_string().contains("nesting deeper") => {}
        (ours, theirs) => panic!("{ours:?}\n{theirs:?}"),
    }
}

fn same(ours: &Value, theirs: &serde_json::Value) {
    use serde_json::Value as Peer;
    match (ours, theirs) {
        (Value::Null, Peer::Null) => {}
        (Value::Bool(a), Peer::Bool(b)) => assert_eq!(a, b),
        (Value::String(a), Peer::String(b)) => assert_eq!(a, b),
        (Value::Array(a), Peer::Array(b)) => {
            assert_eq!(a.len(), b.len());
            a.iter().zip(b).for_each(|(a, b)| same(a, b));
        }
        (Value::Object(a), Peer::Object(b)) => {
            // serde_json keeps the last of several members with one name.
            for (name, value) in b {
                let last = a.iter().rev().find(|(n, _)| n == name).expect("a member");
                same(&last.1, value);
            }
        }
        (Value::Number(a), Peer::Number(b)) => assert_eq!(digits(&a.to_string()), digits(&b.to_string())),
        (ours, theirs) => panic!("{ours:?}\n{theirs:?}"),
    }
}

/// Removes the sign that serde_json adds to an exponent.
fn digits(number: &str) -> String {
    number.replace('E', "e").replace("e+", "e")
}
