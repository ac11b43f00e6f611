//! The rules of a guard, and the check of a request against them.

use super::facts::{ARCHIVE, Fact};
use super::request::{ApiRequest, segments};
use crate::tap::gate::Denied;
use crate::tap::glob::Glob;
use crate::wire::RequestHead;

/// The rules of a guard: an allow-list between a program and its engine.
///
/// With [`Relay::guard`](crate::tap::Relay::guard), a relay passes the requests that a rule allows,
/// and answers all others with 403 and the rule that would be needed. It refuses ambiguous
/// requests, and encodes each request again before it sends it to the engine.
///
/// This is not a sandbox: a container that a rule allows can do everything that containers can, and
/// `*` as its name matches every container of the engine. `examples/guard/README.md` lists escapes.
///
/// ```text
/// rule  = method SP path *( SP limit )     ; one per line; "#" begins a comment
/// path  = "/" glob *( "/" glob )           ; "*" is one segment, a last "**" is the rest
/// limit = [ "!" ] ( "?" glob / pointer ) "=" glob
///       / "<"                              ; allows a body that is not read: an archive
/// glob  = *( CHAR / "*" )                  ; "*" matches any characters; %20 is a space
/// ```
///
/// An API version before a path is ignored. `?all=1` allows a query parameter; `/Cmd/*=echo` allows
/// each element of an array in the JSON body (RFC 6901; each token is a glob). Every value without
/// a limit must be absent or empty. With `!` the value must be present.
///
/// ```
/// use unix_http::{tap::AllowList, wire::RequestDecoder};
/// let mut decoder = RequestDecoder::new();
/// decoder.decode(b"GET /v1.41/containers/json?all=1 HTTP/1.0\r\n\r\n")?;
/// let allowed = AllowList::parse("GET /containers/json ?all=*")?.admit(decoder.head(), Some(b""));
/// assert!(allowed?.starts_with(b"GET /v1.41/containers/json?all=1 HTTP/1.0\r\n"));
/// let denied = AllowList::default().admit(decoder.head(), Some(b"")).unwrap_err();
/// assert_eq!(denied.needed.as_deref(), Some("GET /containers/json ?all=1"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Default)]
pub struct AllowList(Vec<AllowRule>);

#[derive(Debug)]
struct AllowRule {
    method: String,
    path: Vec<Glob>,
    /// Whether the path ends in `**`.
    rest: bool,
    limits: Vec<RuleLimit>,
}

/// A value that a request may have, or must have.
#[derive(Debug)]
struct RuleLimit {
    word: String,
    key: Vec<Glob>,
    value: Glob,
}

impl AllowList {
    /// Parses a rule file.
    ///
    /// # Errors
    /// Fails at the first malformed line, with its number.
    pub fn parse(text: &str) -> Result<AllowList, String> {
        let mut rules = Vec::new();
        for (line, number) in text.lines().zip(1..) {
            let words = line.split_ascii_whitespace().take_while(|word| !word.starts_with('#'));
            let words: Vec<&str> = words.collect();
            if !words.is_empty() {
                let rule = AllowRule::parse(&words);
                rules.push(rule.map_err(|why| format!("line {number}: {why}"))?);
            }
        }
        Ok(AllowList(rules))
    }

    /// Checks one request. Returns it in its encoding for the engine, or without `content` only its
    /// head, for an archive that is not read.
    ///
    /// # Errors
    /// Fails for a request that no rule allows, and for an ambiguous request.
    pub fn admit(&self, head: &RequestHead, content: Option<&[u8]>) -> Result<Vec<u8>, Denied> {
        let to_head = head.method() == "HEAD";
        let denied = |why, needed| Denied { status: 403, why, needed, to_head };
        let request = ApiRequest::read(head, content).map_err(|why| denied(why, None))?;
        let wants = self.0.iter().filter_map(|rule| rule.wants(&request)).min_by_key(Vec::len);
        let why = match wants {
            Some(wants) if wants.is_empty() => {
                return request.encode(head).map_err(|error| denied(error.to_string(), None));
            }
            Some(wants) => format!("the rule lacks {}", wants.join(" ")),
            None => "no rule has this method and path".to_owned(),
        };
        let needed = request.needed_rule();
        Err(denied(format!("{why}; needed: {needed}"), Some(needed)))
    }
}

impl AllowRule {
    fn parse(words: &[&str]) -> Result<AllowRule, String> {
        let [method, path, limits @ ..] = words else {
            return Err("a rule is a method, a path and limits".into());
        };
        if !method.bytes().all(|byte| byte.is_ascii_uppercase()) {
            return Err(format!("{method}: a method is written in capital letters"));
        }
        let mut path = segments(path)?;
        let rest = path.pop_if(|last| *last == "**").is_some();
        if path.iter().any(|segment| segment.contains("**")) {
            return Err("** is the last segment of a path".into());
        }
        let path = path.into_iter().map(Glob::parse).collect::<Result<_, _>>()?;
        let limits = limits.iter().map(|word| RuleLimit::parse(word)).collect::<Result<_, _>>()?;
        Ok(AllowRule { method: (*method).to_owned(), path, rest, limits })
    }

    /// Returns what the rule lacks to allow a request, or `None` if it is about other requests.
    fn wants(&self, request: &ApiRequest) -> Option<Vec<String>> {
        let rest = request.path.get(self.path.len()..)?;
        let same = self.path.iter().zip(&request.path).all(|(glob, segment)| glob.matches(segment));
        if request.method != self.method || !same || rest.is_empty() == self.rest {
            return None;
        }
        let denied = |fact: &&Fact| {
            !self.limits.iter().any(|l| l.is_met_by(fact) || fact.is_inner && l.leads_to(fact))
        };
        let mut wants: Vec<_> = request.facts.iter().filter(denied).map(Fact::to_string).collect();
        // A rule must name a tunnel explicitly: no star matches its name.
        let named = self.path.last().is_some_and(|last| last.is("attach") || last.is("start"));
        if request.upgrade && (self.rest || !named) {
            wants.push("a path that ends in the name of what is upgraded".to_owned());
        }
        let met = |limit: &RuleLimit| request.facts.iter().any(|fact| limit.is_met_by(fact));
        let unmet = self.limits.iter().filter(|limit| limit.word.starts_with('!') && !met(limit));
        wants.extend(unmet.map(|limit| format!("a request with {}", limit.word)));
        Some(wants)
    }
}

impl RuleLimit {
    fn parse(word: &str) -> Result<RuleLimit, String> {
        let unescape = |token: &str| Glob::parse(&token.replace("~1", "/").replace("~0", "~"));
        let tokens = |name: &str| name.split('/').map(unescape).collect::<Result<_, _>>();
        let (key, value) = match word.strip_prefix('!').unwrap_or(word).split_once('=') {
            None if word == ARCHIVE => (vec![Glob::parse(ARCHIVE)?], ""),
            Some((name, value)) if name.starts_with('?') => (vec![Glob::parse(name)?], value),
            Some((name, value)) if name.starts_with('/') => (tokens(name)?, value),
            _ => return Err(format!("{word}: a limit is ?name=value, /pointer=value or <")),
        };
        Ok(RuleLimit { word: word.to_owned(), key, value: Glob::parse(value)? })
    }

    /// Returns whether the limit is about the place of a fact, or about one inside it.
    fn leads_to(&self, fact: &Fact) -> bool {
        self.key.len() >= fact.key.len()
            && self.key.iter().zip(&fact.key).all(|(glob, name)| glob.matches(name))
    }

    fn is_met_by(&self, fact: &Fact) -> bool {
        self.leads_to(fact) && self.key.len() == fact.key.len() && self.value.matches(&fact.value)
    }
}
