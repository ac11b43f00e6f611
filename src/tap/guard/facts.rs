//! What a rule has to allow in a request.
//!
//! The docker command sends every member of a body, most of them empty. An empty one needs no rule,
//! because the engine does the same without it. It needs one where that is not so:
//!
//! * A few empty values are not the default: `"MaskedPaths": []` bares what `null` masks.
//! * In a map, the names say it: `"EndpointsConfig": {"db": {}}` joins the network `db`. An object
//!   that is not known to be a structure may be a map.

use super::glob::Glob;
use crate::json::Value;
use crate::traffic::secrets;
use std::collections::BTreeSet;
use std::fmt;

/// Empty values that are not the default.
const NOT_DEFAULT: &str = "MaskedPaths=[] ReadonlyPaths=[] Entrypoint=[] Entrypoint=\"\" \
    MemorySwap=-1 PidsLimit=-1 OomScoreAdj=-1";
/// Objects whose members may all be there with empty values.
const STRUCTURES: [&str; 4] = ["HostConfig", "LogConfig", "RestartPolicy", "NetworkingConfig"];
/// Objects whose names are data.
const MAPS: &str = "Annotations Config DriverOpts EndpointsConfig ExposedPorts Labels Options \
    PortBindings StorageOpt Sysctls Tmpfs Volumes";
/// The longest name of a member.
const NAME_LIMIT: usize = 255;
/// How many facts a request may have.
pub(super) const MOST: usize = 500;

/// A query parameter, `["?all"]`, or a member of the body, `["", "HostConfig", "Binds", "*"]`.
#[derive(Debug)]
pub(super) struct Fact {
    pub key: Vec<String>,
    pub value: String,
    /// Whether it is enough that a limit is about something inside it.
    pub is_inner: bool,
}

/// The limit that allows it.
impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let token = |name: &String| match (self.key.len(), name.as_str()) {
            (_, "*") => "*".to_owned(),
            (1, name) => Glob::of(name).to_string(),
            (_, name) => Glob::of(name).to_string().replace('~', "~0").replace('/', "~1"),
        };
        let key = self.key.iter().map(|name| token(name).replace('=', "%3D"));
        // Nothing can match what was masked.
        let covered = secrets::is_covered(self.value.as_bytes());
        let value = if covered { "*".to_owned() } else { Glob::of(&self.value).to_string() };
        write!(f, "{}={value}", key.collect::<Vec<_>>().join("/"))
    }
}

/// Adds the facts of a value at `key`, or says why it could be read in two ways. With `is_field`
/// it is not an entry of a map.
pub(super) fn add(
    value: &Value,
    key: &mut Vec<String>,
    is_field: bool,
    facts: &mut Vec<Fact>,
) -> Result<(), String> {
    let name = key.last().cloned().unwrap_or_default();
    let fact = |key: &[String], value: String, is_inner| Fact { key: key.into(), value, is_inner };
    let members = value.members().iter().map(|(name, member)| (name.as_str(), member));
    let elements = value.elements().iter().map(|element| ("*", element));
    let (before, mut seen, mut is_empty) = (facts.len(), BTreeSet::new(), true);
    let is_map = MAPS.split(' ').any(|map| map.eq_ignore_ascii_case(&name));
    for (name, inside) in members.chain(elements) {
        is_empty = false;
        let is_element = !value.elements().is_empty();
        if !name.is_ascii() || name.len() > NAME_LIMIT {
            return Err(format!("the name {name:?}, which is not ASCII or too long"));
        }
        if !is_element && !seen.insert(name.to_ascii_lowercase()) {
            return Err(format!("two members named {name:?} in any case"));
        }
        key.push(name.to_owned());
        add(inside, key, is_element || (!is_map && names_field(name)), facts)?;
        key.pop();
        if facts.len() > MOST {
            return Err(format!("a body with more than {MOST} members that are not empty"));
        }
    }
    if is_empty {
        if !(is_field && is_default(&name, &value.to_string())) {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            facts.push(fact(key, text, false));
        }
        return Ok(());
    }
    // Zeros alone are the size of a terminal that there is not.
    let zeros = matches!(value, Value::Array(all) if all.iter().all(|n| n.as_u64() == Some(0)));
    let is_structure = key.len() == 1 || is_field && STRUCTURES.contains(&name.as_str());
    // Members that need a limit bring one that is about this object, too.
    if !is_structure && !zeros && facts.len() == before {
        facts.push(fact(key, String::new(), true));
    }
    Ok(())
}

/// Whether the engine takes a value as it takes its absence.
fn is_default(name: &str, value: &str) -> bool {
    let member = format!("{name}={value}");
    ["null", "false", "0", "-1", "\"\"", "[]", "{}"].contains(&value)
        && !NOT_DEFAULT.split(' ').any(|other| other.eq_ignore_ascii_case(&member))
}

/// Whether a name can be that of a field in Go that is exported.
fn names_field(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_uppercase())
        && name.bytes().all(|b| b.is_ascii_alphanumeric())
}
