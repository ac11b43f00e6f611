//! No circles between files: if one file uses another, the other does not use it back, directly or
//! through a third. A type that both need belongs in a file below both.

use super::known::may_only_shrink;
use super::paths::{Edges, edges};
use super::source::{library, program};
use std::collections::{BTreeMap, VecDeque};
use std::iter::successors;

/// Known uses that close a circle, `FILE -> FILE`.
const KNOWN: &[(&str, usize)] = &[];

#[test]
fn no_circles_between_files() {
    let mut found = BTreeMap::new();
    for sources in [library(), program()] {
        let mut edges = edges(&sources);
        let all = edges.clone();
        for (from, to) in KNOWN.iter().filter_map(|(edge, _)| edge.split_once(" -> ")) {
            let used = all.get(from).is_some_and(|used| used.contains(to));
            if used && path(&all, to, from).is_some() {
                found.insert(format!("{from} -> {to}"), 0);
                edges.entry(from.to_owned()).or_default().remove(to);
            }
        }
        while let Some((from, to, circle)) = circle(&edges) {
            found.insert(format!("{from} -> {to}"), 0);
            println!("{}", circle.join("\n  uses "));
            edges.entry(from).or_default().remove(&to);
        }
    }
    may_only_shrink("uses that close a circle", KNOWN, &found);
}

/// Returns a shortest circle, and the use in it that most circles share.
fn circle(edges: &Edges) -> Option<(String, String, Vec<String>)> {
    let mut circles = Vec::new();
    for (from, used) in edges {
        for to in used {
            circles.extend(path(edges, to, from).map(|way| (from, to, way)));
        }
    }
    let shortest = circles.iter().map(|(.., way)| way.len()).min()?;
    circles.retain(|(.., way)| way.len() == shortest);
    // In a pair, the use of the upper file: `mod.rs` is above the files next to it.
    let up = |(_, to, _): &(&String, &String, Vec<String>)| to.ends_with("mod.rs");
    let at = circles.iter().position(up).unwrap_or(0);
    let (from, to, way) = circles.swap_remove(at);
    Some((from.clone(), to.clone(), [vec![from.clone()], way].concat()))
}

/// Returns the shortest path of uses from one file to another.
fn path(edges: &Edges, from: &str, to: &str) -> Option<Vec<String>> {
    let mut queue = VecDeque::from([from]);
    let mut before = BTreeMap::from([(from, None)]);
    while let Some(last) = queue.pop_front() {
        if last == to {
            let back = successors(Some(last), |file| before[file]);
            let mut way: Vec<String> = back.map(str::to_owned).collect();
            way.reverse();
            return Some(way);
        }
        for next in edges.get(last).into_iter().flatten() {
            if !before.contains_key(next.as_str()) {
                before.insert(next, Some(last));
                queue.push_back(next);
            }
        }
    }
    None
}
