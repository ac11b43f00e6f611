//! Generates `tests/CONFORMANCE.md`: each requirement with its tests, and each case.
//!
//! `UPDATE=1 cargo test --test wire conformance::page` writes the page. Without `UPDATE` the test
//! fails if the page is out of date.

use super::requirements::{POLICY, RFC9110, RFC9112, Requirement, Verdict};
use crate::cases::deliver::Want;
use crate::cases::tables;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs::read_to_string;
use std::sync::LazyLock;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The id of every case once, in the order of the tables.
static IDS: LazyLock<Vec<&str>> = LazyLock::new(|| {
    let mut seen = BTreeSet::new();
    tables()
        .flat_map(|table| table.cases)
        .map(|case| case.id)
        .filter(|id| seen.insert(*id))
        .collect()
});

/// Matches `pattern`, in which `*` matches any text.
fn matches(pattern: &str, id: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == id,
        Some((start, rest)) => id
            .strip_prefix(start)
            .is_some_and(|id| (0..=id.len()).any(|at| matches(rest, &id[at..]))),
    }
}

/// Returns the cases that a reference matches, or none if it names a test.
fn cases_of(reference: &str) -> Vec<&'static str> {
    if let Some((file, test)) = reference.split_once("::") {
        let path = match file.strip_prefix("tests/") {
            Some(_) => format!("{ROOT}/{file}"),
            None => format!("{ROOT}/tests/conformance/{file}.rs"),
        };
        let source = read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"));
        assert!(source.contains(&format!("#[test]\nfn {test}()")), "{reference}: no such test");
        return Vec::new();
    }
    let cases: Vec<_> = IDS.iter().copied().filter(|id| matches(reference, id)).collect();
    assert!(!cases.is_empty(), "{reference}: no such case");
    cases
}

/// Formats a table cell: the number of cases, and the references.
fn shown(references: &[&str]) -> String {
    let cases: BTreeSet<_> = references.iter().flat_map(|reference| cases_of(reference)).collect();
    let names: Vec<_> = references.iter().map(|reference| format!("`{reference}`")).collect();
    match cases.len() {
        0 => names.join(" "),
        n => format!("{n}: {}", names.join(" ")),
    }
}

fn requirements(page: &mut String, rfc: &str, requirements: &[Requirement]) {
    writeln!(
        page,
        "\n## {rfc}\n\n| § | | binds | to do | verdict | tests |\n|---|---|---|---|---|---|"
    )
    .unwrap();
    for Requirement { section, level, who, says, verdict, shown: by } in requirements {
        let verdict = match verdict {
            Verdict::Kept => "kept".into(),
            Verdict::Stricter(how) => format!("stricter: {how}"),
            Verdict::Partly(why) => format!("partly: {why}"),
            Verdict::NotOurs(why) => format!("not applicable: {why}"),
        };
        writeln!(page, "| {section} | {level} | {who} | {says} | {verdict} | {} |", shown(by))
            .unwrap();
    }
}

/// Lists the number of cases for each section.
fn by_section(page: &mut String) {
    let mut sections = BTreeMap::new();
    for id in IDS.iter() {
        let mut parts = id.splitn(3, '-');
        let (rfc, section) = (parts.next().unwrap(), parts.next().unwrap());
        let numbers: Vec<u32> = section.split('.').map(|n| n.parse().expect("a section")).collect();
        *sections.entry((rfc, numbers, section)).or_insert(0) += 1;
    }
    page.push_str("\n## Cases by section\n\n| RFC | § and its cases |\n|---|---|\n");
    for rfc in ["rfc9112", "rfc9110", "rfc9113"] {
        let of_it = sections.iter().filter(|((of, ..), _)| *of == rfc);
        let all: Vec<_> = of_it.map(|((.., section), n)| format!("§{section}: {n}")).collect();
        writeln!(page, "| {} | {} |", &rfc[3..], all.join(", ")).unwrap();
    }
}

fn page() -> String {
    let all = || RFC9112.iter().chain(RFC9110);
    let count = |is: fn(&Verdict) -> bool| all().filter(|r| is(&r.verdict)).count();
    let mut page = format!(
        "# Conformance\n\n\
         Generated from the tables in `tests/cases/` by `UPDATE=1 cargo test --test wire conformance::page`.\n\n\
         {} requirements of RFC 9112, and of RFC 9110 where it affects framing: {} kept, {} kept more strictly, \
         {} partly, {} not applicable. {} cases, each delivered whole, byte by byte, cut at every byte and with \
         other bytes after it.\n",
        all().count(),
        count(|v| matches!(v, Verdict::Kept)),
        count(|v| matches!(v, Verdict::Stricter(_))),
        count(|v| matches!(v, Verdict::Partly(_))),
        count(|v| matches!(v, Verdict::NotOurs(_))),
        IDS.len(),
    );
    page.push_str("\n## Reading policy\n\nOne strict policy without switches. Content that arrives before an error is delivered \
         first.\n\n| input | verdict | tests |\n|---|---|---|\n");
    for policy in POLICY {
        writeln!(page, "| {} | {} | {} |", policy.input, policy.verdict, shown(policy.shown))
            .unwrap();
    }
    by_section(&mut page);
    requirements(&mut page, "RFC 9112", RFC9112);
    requirements(&mut page, "RFC 9110", RFC9110);
    page.push_str("\n## Cases\n");
    for table in tables() {
        write!(page, "\n### {}\n\n| case | reason | verdict |\n|---|---|---|\n", table.topic)
            .unwrap();
        for case in table.cases {
            let verdict = match case.want {
                Want::Value("") => "accepted".into(),
                Want::Value(value) => format!("`{}`", value.replace('|', "\\|")),
                Want::Refused { kind, .. } => kind.text().to_owned(),
            };
            writeln!(page, "| `{}` | {} | {verdict} |", case.id, case.why).unwrap();
        }
    }
    page
}

#[test]
fn the_page_is_up_to_date() {
    let (path, page) = (format!("{ROOT}/tests/CONFORMANCE.md"), page());
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let committed = read_to_string(&path).unwrap_or_default();
    let stale = committed.lines().zip(page.lines()).find(|(committed, new)| committed != new);
    assert!(
        committed == page,
        "out of date at {stale:?}: run UPDATE=1 cargo test --test wire conformance::page"
    );
}

#[test]
fn every_case_belongs_to_a_requirement() {
    let references = RFC9112
        .iter()
        .chain(RFC9110)
        .flat_map(|r| r.shown)
        .chain(POLICY.iter().flat_map(|p| p.shown));
    let shown: BTreeSet<_> = references.flat_map(|reference| cases_of(reference)).collect();
    let idle: Vec<_> = IDS.iter().filter(|id| !shown.contains(*id)).collect();
    assert!(idle.is_empty(), "no requirement names {idle:?}");
}

#[test]
fn every_kept_requirement_has_a_test() {
    for r in RFC9112.iter().chain(RFC9110) {
        let (section, what) = (r.section, r.says);
        assert!(
            !matches!(r.verdict, Verdict::Kept | Verdict::Stricter(_)) || !r.shown.is_empty(),
            "§{section} {what}: no test"
        );
    }
}
