//! Limits of size: anything larger is two things, or repeats one.

use super::known::may_only_shrink;
use super::source::{below, library, program, tokens};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

const LINES_OF_A_FUNCTION: usize = 60;
const LINES_OF_A_FILE: usize = 450;
/// Including `self`.
const PARAMETERS: usize = 5;
const COLUMNS: usize = 100;
/// Nested blocks of `if`, `else`, `match` and loops.
const DEPTH: usize = 4;

const LONG_FUNCTIONS: &[(&str, usize)] = &[];
const LONG_FILES: &[(&str, usize)] = &[];
const WIDE_SIGNATURES: &[(&str, usize)] = &[];
const DEEP_FUNCTIONS: &[(&str, usize)] = &[];
/// Folders with lines that are too long, and the number of lines.
const WIDE_LINES: &[(&str, usize)] = &[("benches", 5), ("tests", 408)];

/// A function: its lines from `fn` to the closing brace, its parameters, and the nesting depth of
/// `if`, `match` and loops.
struct Function {
    name: String,
    lines: usize,
    parameters: usize,
    depth: usize,
}

fn functions(code: &str) -> Vec<Function> {
    let tokens = tokens(code);
    let text = |at: usize| tokens.get(at).map_or("", |token| token.text.as_str());
    let starts = (0..tokens.len()).filter(|&at| text(at) == "fn" && text(at + 1) != "(");
    let function = |at: usize| {
        // In generic parameters, only `Fn(A) -> B` has parentheses.
        let mut angle = 0;
        let open = (at..tokens.len()).find(|&n| {
            angle += i32::from(text(n) == "<") - i32::from(text(n) == ">");
            angle == 0 && text(n) == "("
        })?;
        let (mut depth, mut parameters, mut empty) = (0, 0, true);
        let close = (open..tokens.len()).find(|&n| {
            depth += i32::from(["(", "[", "<", "{"].contains(&text(n)))
                - i32::from([")", "]", ">", "}"].contains(&text(n)));
            // No parameter follows a trailing comma.
            parameters +=
                usize::from(depth == 1 && (empty || text(n) == ",") && text(n + 1) != ")");
            empty = false;
            depth == 0
        })?;
        let body = (close..tokens.len()).find(|&n| ["{", ";"].contains(&text(n)))?;
        let mut depth = 0;
        let end = (body..tokens.len()).find(|&n| {
            depth += i32::from(text(n) == "{") - i32::from(text(n) == "}");
            depth == 0
        })?;
        let lines = tokens[end].line - tokens[at].line + 1;
        let depth = depth_of_blocks((body..end).map(text));
        Some(Function { name: text(at + 1).to_owned(), lines, parameters, depth })
    };
    starts.filter_map(function).collect()
}

/// Returns the maximum nesting of `if`, `else`, `match` and loops.
fn depth_of_blocks<'a>(tokens: impl Iterator<Item = &'a str>) -> usize {
    let (mut open, mut next_is_block, mut deepest) = (Vec::new(), false, 0);
    for token in tokens {
        match token {
            "if" | "else" | "match" | "loop" | "while" | "for" => next_is_block = true,
            // The `if` of a match arm has no block.
            "=>" => next_is_block = false,
            "{" => {
                open.push(std::mem::take(&mut next_is_block));
                deepest = deepest.max(open.iter().filter(|block| **block).count());
            }
            "}" => {
                open.pop();
            }
            _ => {}
        }
    }
    deepest
}

#[test]
fn functions_are_short_and_flat_and_take_few_parameters() {
    let (mut long, mut wide, mut deep) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    for source in library().into_iter().chain(program()) {
        for function in functions(&source.code) {
            let name = format!("{} {}", source.file, function.name);
            if function.lines > LINES_OF_A_FUNCTION {
                long.insert(name.clone(), function.lines);
            }
            if function.depth > DEPTH {
                deep.insert(name.clone(), function.depth);
            }
            if function.parameters > PARAMETERS {
                wide.insert(name, function.parameters);
            }
        }
    }
    may_only_shrink("functions of more than 60 lines", LONG_FUNCTIONS, &long);
    may_only_shrink("functions of more than 5 parameters", WIDE_SIGNATURES, &wide);
    may_only_shrink("functions with more than 4 blocks inside each other", DEEP_FUNCTIONS, &deep);
}

#[test]
fn files_are_short() {
    let lines = library().into_iter().chain(program()).map(|s| (s.file, s.text.lines().count()));
    let long = lines.filter(|(_, lines)| *lines > LINES_OF_A_FILE).collect();
    may_only_shrink("files of more than 450 lines", LONG_FILES, &long);
}

#[test]
fn lines_fit_in_100_columns() {
    let mut wide = BTreeMap::new();
    for folder in ["src", "tests", "benches", "examples"] {
        let (mut files, mut count) = (Vec::new(), 0);
        below(Path::new(folder), &mut files);
        for file in files {
            let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{file}: {error}"));
            let lines = text.lines().zip(1..).filter(|(line, _)| line.chars().count() > COLUMNS);
            for (_, line) in lines {
                println!("{file}:{line}");
                count += 1;
            }
        }
        if count > 0 {
            wide.insert(folder.to_owned(), count);
        }
    }
    may_only_shrink("lines of more than 100 columns", WIDE_LINES, &wide);
}

#[test]
fn functions_are_measured_correctly() {
    let code =
        "fn a<F: Fn(u8, u8)>(&self, b: HashMap<u8, u8>, c: [u8; 2],) -> u8 {\n{}\n}\nfn d();";
    let [a, d] = &functions(code)[..] else { panic!("two functions") };
    assert_eq!((a.name.as_str(), a.lines, a.parameters), ("a", 3, 3));
    assert_eq!((d.name.as_str(), d.lines, d.parameters), ("d", 1, 0));
    let code = "fn e() { for a in b { match c { D if e => {} _ => if f { g } else { h } } } i() }";
    assert_eq!(functions(code)[0].depth, 3);
}
