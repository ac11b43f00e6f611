//! `tests/README.md` is complete: it has a row for each test file and for each variable, and no
//! other rows.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Returns the first cell of each row in the table under a heading.
fn rows(heading: &str) -> BTreeSet<String> {
    let page = fs::read_to_string("tests/README.md").expect("tests/README.md");
    let part = page.split("\n## ").find(|part| part.starts_with(heading)).expect("the heading");
    let cells = part.lines().filter_map(|line| line.strip_prefix("| `")?.split(" | ").next());
    // A cell may contain several names, separated by commas.
    cells.flat_map(|cell| cell.split(", ")).map(|name| name.replace('`', "")).collect()
}

fn files(below: &str) -> Vec<String> {
    let mut files = Vec::new();
    for entry in fs::read_dir(below).unwrap_or_else(|error| panic!("{below}: {error}")) {
        let path = entry.expect("an entry").path();
        let name = path.to_str().expect("a name in UTF-8");
        match path.is_dir() {
            true => files.extend(self::files(name)),
            false => files.extend(name.ends_with(".rs").then(|| name.to_owned())),
        }
    }
    files
}

/// Returns the name in `("NAME")`.
fn literal(call: &str) -> Option<&str> {
    call.split(')').next()?.split('"').nth(1)
}

#[track_caller]
fn same(what: &str, there: &BTreeSet<String>, named: &BTreeSet<String>) {
    let missing: Vec<_> = there.difference(named).collect();
    let gone: Vec<_> = named.difference(there).collect();
    assert!(
        missing.is_empty() && gone.is_empty(),
        "tests/README.md, {what}: {missing:?} have no row; {gone:?} have one and are not there"
    );
}

#[test]
fn every_test_file_is_in_the_index() {
    // A program with a folder only lists the files in it.
    let has_folder = |file: &str| Path::new(file.trim_end_matches(".rs")).is_dir();
    let lists_others = |file: &str| has_folder(file) || file == "tests/wire.rs";
    // fuzz/README.md lists the targets.
    let of_fuzz = ["tests/fuzz/targets/", "tests/fuzz/oracles/"];
    let there = files("tests").into_iter().filter(|file| {
        let target = of_fuzz.iter().any(|folder| file.starts_with(folder));
        !lists_others(file) && (!target || file.ends_with("/mod.rs"))
    });
    let there = there.map(|file| file["tests/".len()..].to_owned()).collect();
    same("Index", &there, &rows("Index"));
}

/// Variables are found by the prefixes of their names.
#[test]
fn every_variable_is_in_the_index() {
    const BEGINNINGS: [&str; 5] =
        ["UNIX_HTTP_TEST_", "UNIX_HTTP_BENCH_", "UNIX_HTTP_GUARD", "FUZZ_", "MUTATION_"];
    let mut there = BTreeSet::from(["UPDATE", "LLVM", "LLVM_PROFILE_FILE"].map(str::to_owned));
    let me = "tests/layers/index.rs".to_owned();
    let files = ["tests", "benches"].into_iter().flat_map(files).filter(|file| *file != me);
    for file in files {
        let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{file}: {error}"));
        let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let names = words.filter(|word| BEGINNINGS.iter().any(|start| word.starts_with(start)));
        there.extend(names.map(str::to_owned));
        // Every variable that a test reads is in the table, or belongs to another program.
        for name in text.split("env::var").skip(1).filter_map(literal) {
            let known = name == "PATH" || rows("Variables").contains(name);
            assert!(known, "{file}: {name} has no row");
        }
    }
    same("Variables", &there, &rows("Variables"));
}
