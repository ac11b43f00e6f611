//! Generates `DIFFERENT.md`: how ucurl differs from curl, from the lines marked so.

use super::lines;
use std::collections::BTreeMap;
use std::fmt::Write as _;

fn page() -> String {
    let lines = lines();
    // By reason: how many lines differ from 7.88 and from 8.14, and the first of them.
    let mut reasons: BTreeMap<&str, (usize, usize, &str)> = BTreeMap::new();
    for line in &lines {
        let Some((why, from)) = &line.differs else { continue };
        let command = line.text.splitn(3, '!').last().unwrap_or_default().trim_start();
        let row = reasons.entry(why).or_insert((0, 0, command));
        row.0 += usize::from(from.contains(&7));
        row.1 += usize::from(from.contains(&8));
    }
    let count = |major| {
        let same = |line: &&super::Line| {
            line.differs.as_ref().is_none_or(|(_, from)| !from.contains(&major))
        };
        lines.iter().filter(same).count()
    };
    let mut out = format!(
        "# Different from curl\n\nGenerated from `lines.txt`; a test keeps it up to date.\n\n\
         Of {} command lines, {} give the same result as curl 7.88.1 and {} the same as curl \
         8.14.1. This table lists the rest by what ucurl does, with the number of lines that \
         differ from each curl.\n\n\
         | ucurl | 7.88 | 8.14 | example |\n|---|---|---|---|\n",
        lines.len(),
        count(7),
        count(8)
    );
    for (why, (old, new, command)) in reasons {
        let command = command.replace('|', "\\|");
        _ = writeln!(out, "| {why} | {old} | {new} | `{command}` |");
    }
    out
}

#[test]
fn the_page_is_up_to_date() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cli/curl/DIFFERENT.md");
    let page = page();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, &page).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(committed == page, "stale: run UPDATE=1 cargo test --test cli page");
}
