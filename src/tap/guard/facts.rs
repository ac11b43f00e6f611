//! The facts of a request that a rule must allow.
//!
//! The docker command sends every member of a body, most of them empty. An empty member needs no
//! rule if the engine does the same without it. But a few empty values are not the default
//! (`"MaskedPaths": []` exposes paths that `null` masks), and the names in a map are data
//! (`"EndpointsConfig": {"db": {}}` joins the network `db`). An object that is not known to be a
//! structure may be a map.

use crate::json::Value;
use crate::tap::glob::pattern;
use crate::traffic::secrets;
use std::collections::BTreeSet;
use std::fmt;

/// Values that the engine treats as absent.
const EMPTY: [&str; 7] = ["null", "false", "0", "-1", "\"\"", "[]", "{}"];
/// Exceptions: empty values that are not the default.
const NOT_DEFAULT: &str = "MaskedPaths=[] ReadonlyPaths=[] Entrypoint=[] Entrypoint=\"\" \
    MemorySwap=-1 PidsLimit=-1 OomScoreAdj=-1";
/// Objects whose members may all be present with empty values.
const STRUCTURES: [&str; 4] = ["HostConfig", "LogConfig", "RestartPolicy", "NetworkingConfig"];
/// Objects whose member names are data.
const MAPS: &str = "Annotations Config DriverOpts EndpointsConfig ExposedPorts Labels Options \
    PortBindings StorageOpt Sysctls Tmpfs Volumes";
/// The longest member name.
const NAME_LIMIT: usize = 255;
/// The most facts of a request.
pub(super) const MOST: usize = 500;
/// The notation for an archive, a body that is not read: the limit, and the key of the fact.
pub(super) const ARCHIVE: &str = "<";

/// A query parameter, `["?all"]`, a member, `["", "HostConfig", "Binds", "*"]`, or an archive.
#[derive(Default)]
pub(super) struct Fact {
    pub key: Vec<String>,
    pub value: String,
    /// Whether a limit about something inside it is enough.
    pub is_inner: bool,
}

/// The limit that allows it.
impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let token = |name: &String| match (self.key.len(), name.as_str()) {
            (_, "*") => "*".to_owned(),
            (1, name) => pattern(name).replace('=', "%3D"),
            (_, name) => pattern(name).replace('~', "~0").replace('/', "~1").replace('=', "%3D"),
        };
        let key = self.key.iter().map(token).collect::<Vec<_>>().join("/");
        match self.value.as_str() {
            _ if key == ARCHIVE => f.write_str(&key),
            // No rule can match a masked value.
            value if secrets::is_covered(value.as_bytes()) => write!(f, "{key}=*"),
            value => write!(f, "{key}={}", pattern(value)),
        }
    }
}

/// Returns the facts of a value at `key`, or why it is ambiguous. A `field` is not in a map.
pub(super) fn read(json: &Value, key: &mut Vec<String>, field: bool) -> Result<Vec<Fact>, String> {
    let (members, elements) = (json.members(), json.elements());
    let name = key.last().cloned().unwrap_or_default();
    let fact = |key: &[String], value, is_inner| Fact { key: key.to_vec(), value, is_inner };
    if members.is_empty() && elements.is_empty() {
        let text = json.to_string();
        let member = format!("{name}={text}");
        let is_set = NOT_DEFAULT.split(' ').any(|other| other.eq_ignore_ascii_case(&member));
        if field && !is_set && EMPTY.contains(&&*text) {
            return Ok(Vec::new());
        }
        return Ok(vec![fact(key, json.as_str().map_or(text, str::to_owned), false)]);
    }
    let (mut facts, mut seen) = (Vec::new(), BTreeSet::new());
    let is_map = MAPS.split(' ').any(|map| map.eq_ignore_ascii_case(&name));
    // An exported field in Go begins with a capital. Other names are those of a map.
    let names_field = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_uppercase())
            && name.bytes().all(|b| b.is_ascii_alphanumeric())
    };
    let inside = members.iter().map(|(name, member)| (name.as_str(), member));
    for (name, value) in inside.chain(elements.iter().map(|element| ("*", element))) {
        if !name.is_ascii() || name.len() > NAME_LIMIT {
            return Err(format!("the name {name:?}, which is not ASCII or too long"));
        }
        if !members.is_empty() && !seen.insert(name.to_ascii_lowercase()) {
            return Err(format!("two members named {name:?} in any case"));
        }
        key.push(name.to_owned());
        facts.extend(read(value, key, members.is_empty() || !is_map && names_field(name))?);
        key.pop();
        if facts.len() > MOST {
            return Err(format!("a body with more than {MOST} members that are not empty"));
        }
    }
    // Two zeros are the size of a missing terminal.
    let zeros = members.is_empty() && elements.iter().all(|n| n.as_u64() == Some(0));
    let is_structure = key.len() == 1 || field && STRUCTURES.contains(&name.as_str());
    // The limit of a member is also about this object.
    if facts.is_empty() && !is_structure && !zeros {
        facts.push(fact(key, String::new(), true));
    }
    Ok(facts)
}
