//! Ids in one response that a later request uses.

use super::entry::Entry;
use super::spool::Disk;
use crate::json::Value;
use std::collections::BTreeSet;
use std::io;

/// The shortest id: `docker ps` shows twelve digits.
const SHORT: usize = 12;
/// The longest body of a request that is searched for ids.
const BODY_LIMIT: u64 = 32 * 1024;
/// How many strings of one response are tried.
const STRINGS: usize = 10_000;

/// An id that becomes a variable.
pub(super) struct Id {
    /// The entry whose response contains it.
    pub source: usize,
    /// Its JSON pointer (RFC 6901).
    pub pointer: String,
    /// The name of its member, and its zero-based index among the string members with that name.
    pub member: String,
    pub nth: usize,
    pub value: String,
    pub variable: String,
}

/// A part of a text: plain, or a variable.
pub(super) enum Piece<'a> {
    Text(&'a [u8]),
    Variable(&'a str),
}

/// Finds all ids, in order.
pub(super) fn find(entries: &[Entry], disk: &Disk) -> io::Result<Vec<Id>> {
    // Only a response that shares a word with a request is read as JSON.
    let mut asked = BTreeSet::new();
    for entry in entries {
        asked.extend(beginnings(&entry.target));
        asked.extend(beginnings(&disk.all(&entry.body, BODY_LIMIT)?));
    }
    let mut found: Vec<Id> = Vec::new();
    for (source, entry) in entries.iter().enumerate() {
        let reply = disk.all(&entry.reply, u64::MAX)?;
        if !beginnings(&reply).any(|word| asked.contains(&word)) {
            continue;
        }
        let Ok(reply) = Value::parse(&reply) else { continue };
        let mut strings = Vec::new();
        collect(&reply, "", "", &mut strings);
        for (n, (pointer, member, value)) in strings.iter().enumerate() {
            let known = found.iter().any(|id| id.value.starts_with(value));
            if known || !is_id(value) || !beginnings(value.as_bytes()).any(|b| asked.contains(&b)) {
                continue;
            }
            for later in entries[source + 1..].iter().filter(|later| later.began > entry.began) {
                if uses(&later.target, value) || uses(&disk.all(&later.body, BODY_LIMIT)?, value) {
                    let nth = strings[..n].iter().filter(|(_, name, _)| name == member).count();
                    let variable = format!("id{}", found.len() + 1);
                    let (pointer, member) = (pointer.clone(), member.clone());
                    let value = (*value).to_owned();
                    found.push(Id { source, pointer, member, nth, value, variable });
                    break;
                }
            }
        }
    }
    Ok(found)
}

/// Collects the pointer, name and text of every string member.
fn collect<'a>(
    value: &'a Value,
    pointer: &str,
    name: &str,
    found: &mut Vec<(String, String, &'a str)>,
) {
    if found.len() >= STRINGS {
        return;
    }
    if let (Some(text), false) = (value.as_str(), name.is_empty()) {
        found.push((pointer.to_owned(), name.to_owned(), text));
    }
    for (name, member) in value.members() {
        let token = name.replace('~', "~0").replace('/', "~1");
        collect(member, &format!("{pointer}/{token}"), name, found);
    }
    for (n, element) in value.elements().iter().enumerate() {
        collect(element, &format!("{pointer}/{n}"), "", found);
    }
}

/// Returns the beginning of each word that is as long as an id.
fn beginnings(text: &[u8]) -> impl Iterator<Item = [u8; SHORT]> {
    let words = text.split(|b| !b.is_ascii_alphanumeric());
    words.filter_map(|word| word.first_chunk().copied())
}

/// Returns whether text consists of letters and digits, perhaps after the name of a hash.
fn is_id(text: &str) -> bool {
    let bare = text.strip_prefix("sha256:").unwrap_or(text);
    let plain = bare.len() >= SHORT && bare.bytes().all(|b| b.is_ascii_alphanumeric());
    plain && bare.bytes().any(|b| b.is_ascii_digit())
}

fn uses(text: &[u8], id: &str) -> bool {
    (0..text.len()).any(|at| matches(text, at, id) > 0)
}

/// Returns how many bytes at a position match the id: all of it, or a word that is its beginning.
fn matches(text: &[u8], at: usize, id: &str) -> usize {
    let word = |b: &u8| b.is_ascii_alphanumeric();
    if at > 0 && word(&text[at - 1]) {
        return 0;
    }
    if text[at..].starts_with(id.as_bytes()) && !text.get(at + id.len()).is_some_and(word) {
        return id.len();
    }
    let run = text[at..].iter().take_while(|b| word(b)).count();
    if run >= SHORT && id.as_bytes().starts_with(&text[at..at + run]) { run } else { 0 }
}

/// Splits a text at the ids of entries before `before`.
pub(super) fn pieces<'a>(text: &'a [u8], ids: &'a [Id], before: usize) -> Vec<Piece<'a>> {
    let (mut pieces, mut start, mut at) = (Vec::new(), 0, 0);
    while at < text.len() {
        let here =
            ids.iter().filter(|id| id.source < before).map(|id| (matches(text, at, &id.value), id));
        match here.max_by_key(|(n, _)| *n) {
            Some((n @ 1.., id)) => {
                pieces.push(Piece::Text(&text[start..at]));
                pieces.push(Piece::Variable(&id.variable));
                at += n;
                start = at;
            }
            _ => at += 1,
        }
    }
    pieces.push(Piece::Text(&text[start..]));
    pieces.retain(|piece| !matches!(piece, Piece::Text([])));
    pieces
}
