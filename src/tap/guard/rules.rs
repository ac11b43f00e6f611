//! The rules of a guard, and the check of a request against them.
//!
//! ```text
//! rule  = method SP path *( SP limit )     ; one a line; "#" begins a comment
//! path  = "/" glob *( "/" glob )           ; "*" is one segment, a last "**" is the rest;
//!                                          ; an API version in front is ignored
//! limit = [ "!" ] ( "?" glob / pointer ) "=" glob
//!       / "<"                              ; a body may be there that is not read: an archive
//! glob  = *( CHAR / "*" )                  ; "*" is any run of characters; %20 is a space
//! ```
//!
//! `?all=1` lets the query parameter `all` be there with the value `1`; `/Cmd/*=echo` lets every
//! element of the array `Cmd` in the JSON body be `echo` (RFC 6901; each token is a glob). A value
//! that no limit allows must be absent or empty. With `!` a value that the limit allows must be
//! there.

use super::facts::Fact;
use super::glob::Glob;
use super::request::{ApiRequest, api_version, segments};
use crate::tap::gate::Denied;
use crate::wire::RequestHead;
use std::fmt;

/// The rules of a guard.
///
/// ```
/// use unix_http::tap::guard::AllowList;
///
/// assert!(AllowList::parse("GET /containers/json ?all=1 # docker ps -a\n").is_ok());
/// let error = AllowList::parse("\nGET containers").unwrap_err();
/// assert_eq!(error.to_string(), "line 2: containers: a path begins with /");
/// ```
#[derive(Clone, Debug, Default)]
pub struct AllowList(Vec<AllowRule>);

/// Why a line is not a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleError {
    /// The number of the line, from 1.
    pub line: usize,
    why: String,
}

/// One line.
#[derive(Debug, Clone, PartialEq)]
struct AllowRule {
    method: String,
    path: Vec<Glob>,
    /// Whether the path ends in `**`.
    rest: bool,
    limits: Vec<RuleLimit>,
    /// Whether a body may be there that is not read.
    archive: bool,
}

/// What a request may have, or must have.
#[derive(Debug, Clone, PartialEq)]
struct RuleLimit {
    required: bool,
    key: Vec<Glob>,
    value: Glob,
}

impl AllowList {
    /// Reads the text of a rule file.
    ///
    /// # Errors
    /// Fails at the first line that is no rule.
    pub fn parse(text: &str) -> Result<AllowList, RuleError> {
        let mut rules = Vec::new();
        for (line, number) in text.lines().zip(1..) {
            let words = line.split_ascii_whitespace().take_while(|word| !word.starts_with('#'));
            let words: Vec<&str> = words.collect();
            if !words.is_empty() {
                let rule = AllowRule::parse(&words);
                rules.push(rule.map_err(|why| RuleError { line: number, why })?);
            }
        }
        Ok(AllowList(rules))
    }

    /// Checks one request. Returns it as the engine gets it; without `content` only its head, for
    /// an archive that follows.
    ///
    /// # Errors
    /// Fails, with the rule that would be needed, for a request that no rule allows.
    ///
    /// ```
    /// use unix_http::tap::guard::AllowList;
    /// use unix_http::wire::RequestDecoder;
    ///
    /// let mut decoder = RequestDecoder::new();
    /// decoder.decode(b"GET /v1.41/containers/json?all=1 HTTP/1.0\r\n\r\n")?;
    /// let allowed = AllowList::parse("GET /containers/json ?all=*")?;
    /// let passed = allowed.admit(decoder.head(), Some(b""))?;
    /// assert!(passed.starts_with(b"GET /v1.41/containers/json?all=1 HTTP/1.0\r\n"));
    /// let denied = AllowList::default().admit(decoder.head(), Some(b"")).unwrap_err();
    /// assert_eq!(denied.status, 403);
    /// assert!(denied.to_string().ends_with("needed: GET /containers/json ?all=1"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn admit(&self, head: &RequestHead, content: Option<&[u8]>) -> Result<Vec<u8>, Denied> {
        let denied = |why| Denied::new(403, why);
        let mut request = ApiRequest::read(head).map_err(denied)?;
        request.archive = content.is_none();
        let content = content.unwrap_or_default();
        if let Err(why) = request.read_body(content) {
            // Only as an archive could this pass.
            request.archive = !content.trim_ascii_start().starts_with(b"{");
            let needed = self.check(&request).err().filter(|_| request.archive);
            return Err(denied(needed.unwrap_or(why)));
        }
        self.check(&request).map_err(denied)?;
        request.encode(head).map_err(|error| denied(error.to_string()))
    }

    /// Whether a rule lets a request with this head have a body that is not read.
    pub(super) fn takes_archive(&self, head: &RequestHead) -> Result<bool, Denied> {
        let mut request = ApiRequest::read(head).map_err(|why| Denied::new(403, why))?;
        request.archive = true;
        Ok(self.check(&request).is_ok())
    }

    /// Allows a request, or says why not and which rule would be needed.
    pub(super) fn check(&self, request: &ApiRequest) -> Result<(), String> {
        let wants = self.0.iter().filter_map(|rule| rule.wants(request)).min_by_key(Vec::len);
        let why = match wants {
            Some(wants) if wants.is_empty() => return Ok(()),
            Some(wants) => format!("the rule lacks {}", wants.join(" ")),
            None => "no rule has this method and path".to_owned(),
        };
        Err(format!("{why}; needed: {}", request.needed_rule()))
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
        if path.first().is_some_and(|first| api_version(first)) {
            path.remove(0);
        }
        let rest = path.pop_if(|last| *last == "**").is_some();
        if path.iter().any(|segment| segment.contains("**")) {
            return Err("** is the last segment of a path".into());
        }
        let path = path.into_iter().map(Glob::parse).collect::<Result<_, _>>()?;
        let (mut archive, mut found) = (false, Vec::new());
        for word in limits {
            match *word {
                "<" => archive = true,
                word => found.push(RuleLimit::parse(word)?),
            }
        }
        Ok(AllowRule { method: (*method).to_owned(), path, rest, limits: found, archive })
    }

    /// What the rule would need to allow a request; `None` if it is about other requests.
    fn wants(&self, request: &ApiRequest) -> Option<Vec<String>> {
        let path = request.path();
        let fits =
            if self.rest { path.len() > self.path.len() } else { path.len() == self.path.len() };
        let mut pairs = self.path.iter().zip(&path);
        if request.method != self.method || !fits || !pairs.all(|(glob, text)| glob.matches(text)) {
            return None;
        }
        let mut wants = Vec::new();
        // A tunnel has to be meant: no star stands for its name.
        let named = !self.rest && self.path.last().is_some_and(|l| l.is("attach") || l.is("start"));
        if request.upgrade && !named {
            wants.push("a path that ends in the name of what is upgraded".to_owned());
        }
        if request.archive && !self.archive {
            wants.push("<".into());
        }
        let allowed = |fact: &&Fact| self.limits.iter().any(|limit| limit.allows(fact));
        wants.extend(request.facts.iter().filter(|fact| !allowed(fact)).map(Fact::to_string));
        let met = |limit: &&RuleLimit| request.facts.iter().any(|fact| limit.is_met_by(fact));
        let unmet = self.limits.iter().filter(|limit| limit.required && !met(limit));
        wants.extend(unmet.map(|limit| format!("a request with {limit}")));
        Some(wants)
    }
}

impl RuleLimit {
    fn parse(word: &str) -> Result<RuleLimit, String> {
        let bare = word.strip_prefix('!').unwrap_or(word);
        let unescape = |token: &str| Glob::parse(&token.replace("~1", "/").replace("~0", "~"));
        let key = match bare.split_once('=') {
            Some((name, _)) if name.starts_with('?') => vec![Glob::parse(name)?],
            Some((name, _)) if name.starts_with('/') => {
                name.split('/').map(unescape).collect::<Result<_, _>>()?
            }
            _ => return Err(format!("{word}: a limit is ?name=value, /pointer=value or <")),
        };
        let value = Glob::parse(bare.split_once('=').unwrap_or_default().1)?;
        Ok(RuleLimit { required: bare != word, key, value })
    }

    fn allows(&self, fact: &Fact) -> bool {
        let leads_there = self.key.len() >= fact.key.len()
            && self.key.iter().zip(&fact.key).all(|(glob, name)| glob.matches(name));
        leads_there && (fact.is_inner || self.is_met_by(fact))
    }

    fn is_met_by(&self, fact: &Fact) -> bool {
        self.key.len() == fact.key.len()
            && self.key.iter().zip(&fact.key).all(|(glob, name)| glob.matches(name))
            && self.value.matches(&fact.value)
    }
}

impl fmt::Display for RuleLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = self.key.iter().map(Glob::to_string).collect::<Vec<_>>().join("/");
        write!(f, "{}{key}={}", if self.required { "!" } else { "" }, self.value)
    }
}

impl fmt::Display for RuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.why)
    }
}

impl std::error::Error for RuleError {}
