//! What a rule has to allow in a request.
//!
//! The docker command sends every member of a body, most of them empty. An empty one needs no rule,
//! because the engine does the same without it. It needs one where that is not so:
//!
//! * A few empty values are not the default: `"MaskedPaths": []` bares what `null` masks.
//! * In a map, the names say it: `"EndpointsConfig": {"db": {}}` joins the network `db`.
//! * An array of empty values, and an object that is not known to be a structure, may be either.

use super::glob::Glob;
use crate::json::Value;
use crate::traffic::secrets;
use std::collections::BTreeSet;
use std::fmt;

/// Empty values that are not the default.
const NOT_DEFAULT: &[(&str, &[&str])] = &[
    ("MaskedPaths", &["[]"]),
    ("ReadonlyPaths", &["[]"]),
    ("Entrypoint", &["[]", "\"\""]),
    ("MemorySwap", &["-1"]),
    ("PidsLimit", &["-1"]),
    ("OomScoreAdj", &["-1"]),
];

/// Objects whose members may all be there with empty values.
const STRUCTURES: &[&str] = &["HostConfig", "LogConfig", "RestartPolicy", "NetworkingConfig"];

/// Objects whose names are data.
const MAPS: &str = "Annotations Config DriverOpts EndpointsConfig ExposedPorts Labels Options \
    PortBindings StorageOpt Sysctls Tmpfs Volumes";

/// The longest name of a member.
const NAME_LIMIT: usize = 255;
/// How many facts of a request are named.
pub(super) const MOST: usize = 500;

/// A query parameter, `["?all"]`, or a member of the body, `["", "HostConfig", "Binds", "*"]`.
#[derive(Debug)]
pub(super) struct Fact {
    pub key: Vec<String>,
    pub value: String,
    /// Whether it is enough that a limit is about something inside it.
    pub is_inner: bool,
}

impl Fact {
    pub fn new(key: Vec<String>, value: &str) -> Fact {
        Fact { key, value: value.to_owned(), is_inner: false }
    }
}

/// The limit that allows it.
impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let token = |token: &String| match token.as_str() {
            "*" => "*".to_owned(),
            name if name.starts_with('?') => Glob::of(name).to_string().replace('=', "%3D"),
            name => {
                let token = Glob::of(name).to_string().replace('=', "%3D");
                token.replace('~', "~0").replace('/', "~1")
            }
        };
        let key: Vec<String> = self.key.iter().map(token).collect();
        // Nobody can match what was masked.
        let covered = secrets::is_covered(self.value.as_bytes());
        let value = if covered { "*".to_owned() } else { Glob::of(&self.value).to_string() };
        write!(f, "{}={value}", key.join("/"))
    }
}

/// Adds the facts of a body, or says why it could be read in two ways.
pub(super) fn of_body(body: &Value, facts: &mut Vec<Fact>) -> Result<(), String> {
    if !matches!(body, Value::Object(_)) {
        return Err("a body that is not an object".into());
    }
    add(body, &mut vec![String::new()], true, facts)
}

/// Adds what is at `key`. With `is_field` it is not an entry of a map.
fn add(
    value: &Value,
    key: &mut Vec<String>,
    is_field: bool,
    facts: &mut Vec<Fact>,
) -> Result<(), String> {
    let name = key.last().cloned().unwrap_or_default();
    if value.members().is_empty() && value.elements().is_empty() {
        if !(is_field && is_default(&name, value)) {
            let text = value.as_str().map(str::to_owned).unwrap_or_else(|| value.to_string());
            facts.push(Fact::new(key.clone(), &text));
        }
        return Ok(());
    }
    let before = facts.len();
    let mut seen = BTreeSet::new();
    let is_map = MAPS.split(' ').any(|map| map.eq_ignore_ascii_case(&name));
    let members = value.members().iter().map(|(name, member)| (name.as_str(), member));
    for (name, member) in members.chain(value.elements().iter().map(|element| ("*", element))) {
        let is_element = !value.elements().is_empty();
        if !name.is_ascii() || name.len() > NAME_LIMIT {
            return Err(format!("the name {name:?}, which is not ASCII or too long"));
        }
        if !is_element && !seen.insert(name.to_ascii_lowercase()) {
            return Err(format!("two members named {name:?} in any case"));
        }
        key.push(name.to_owned());
        add(member, key, is_element || (!is_map && names_field(name)), facts)?;
        key.pop();
        if facts.len() > MOST {
            return Err(format!("a body with more than {MOST} members that are not empty"));
        }
    }
    // The size of a terminal that there is not.
    let is_zeros = value.elements().iter().all(|element| element.as_u64() == Some(0))
        && value.members().is_empty();
    let is_known = key.len() == 1 || (is_field && STRUCTURES.contains(&name.as_str()));
    // Members that need a limit bring one that is about this object, too.
    if !is_known && !is_zeros && facts.len() == before {
        facts.push(Fact { key: key.clone(), value: String::new(), is_inner: true });
    }
    Ok(())
}

/// Whether the engine takes a value as it takes its absence.
fn is_default(name: &str, value: &Value) -> bool {
    let text = value.to_string();
    let not = |(other, texts): &(&str, &[&str])| {
        name.eq_ignore_ascii_case(other) && texts.contains(&text.as_str())
    };
    ["null", "false", "0", "-1", "\"\"", "[]", "{}"].contains(&text.as_str())
        && !NOT_DEFAULT.iter().any(not)
}

/// Whether a name can be that of a field in Go that is exported.
fn names_field(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_uppercase())
        && name.bytes().all(|b| b.is_ascii_alphanumeric())
}
