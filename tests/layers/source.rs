//! The files of `src/`, reduced to code.

use std::fs;
use std::path::Path;

/// A file of a crate: its text, and its code with comments, strings and tests blanked out.
pub struct Source {
    /// The path in the repository: `src/wire/head.rs`.
    pub file: String,
    /// The path in the crate: `["wire", "head"]`.
    pub module: Vec<String>,
    pub text: String,
    pub code: String,
}

/// An identifier, `::`, `->`, `=>`, or any other character, with its line number.
pub struct Token {
    pub text: String,
    pub line: usize,
}

/// Returns the files of the library.
pub fn library() -> Vec<Source> {
    sources("src", "lib.rs").into_iter().filter(|s| !s.file.starts_with("src/bin/")).collect()
}

/// Returns the files of `ucurl`.
pub fn program() -> Vec<Source> {
    sources("src/bin/ucurl", "main.rs")
}

fn sources(root: &str, top: &str) -> Vec<Source> {
    let mut files = Vec::new();
    below(Path::new(root), &mut files);
    files.sort();
    assert!(files.len() > 20, "{root}: the sources were not found");
    let source = |file: String| {
        let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{file}: {error}"));
        let inside = file[root.len() + 1..].trim_end_matches(".rs").trim_end_matches("/mod");
        let module = match file.ends_with(top) && file.len() == root.len() + 1 + top.len() {
            true => Vec::new(),
            false => inside.split('/').map(str::to_owned).collect(),
        };
        Source { module, code: blanked(without_tests(&text), true), text, file }
    };
    files.into_iter().map(source).collect()
}

/// Returns every Rust file below a folder.
pub fn below(folder: &Path, files: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap_or_else(|error| panic!("{folder:?}: {error}")) {
        let path = entry.expect("an entry").path();
        match path.is_dir() {
            true => below(&path, files),
            false if path.extension().is_some_and(|end| end == "rs") => {
                files.push(path.to_str().expect("a name in UTF-8").to_owned());
            }
            false => {}
        }
    }
}

/// Returns the text before the unit tests at the foot of a file.
fn without_tests(text: &str) -> &str {
    match text.find("\n#[cfg(test)]") {
        Some(at) => &text[..=at],
        None => text,
    }
}

/// Replaces every comment, and optionally every string, with spaces.
pub fn blanked(text: &str, strings: bool) -> String {
    let (mut out, mut rest) = (String::new(), text);
    while let Some(first) = rest.chars().next() {
        let (length, keep) = match first {
            '/' if rest.starts_with("//") => (rest.find('\n').unwrap_or(rest.len()), false),
            '/' if rest.starts_with("/*") => (rest.find("*/").map_or(rest.len(), |n| n + 2), false),
            '"' => (quoted(rest), !strings),
            'r' if !out.strip_suffix('b').unwrap_or(&out).ends_with(is_word) => {
                raw(rest).map_or((1, true), |length| (length, !strings))
            }
            '\'' => (character(rest), !strings),
            _ => (first.len_utf8(), true),
        };
        let (piece, behind) = rest.split_at(length);
        match keep || length == 1 {
            true => out.push_str(piece),
            false => out.extend(piece.chars().map(|c| if c == '\n' { '\n' } else { ' ' })),
        }
        rest = behind;
    }
    out
}

/// Returns the length of a string literal.
fn quoted(text: &str) -> usize {
    let mut escaped = true; // the first quotation mark
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// Returns the length of a raw string literal, if one begins here.
fn raw(text: &str) -> Option<usize> {
    let hashes = text[1..].len() - text[1..].trim_start_matches('#').len();
    let inside = text[1 + hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    Some(2 + hashes + inside.find(&end)? + end.len())
}

/// Returns the length of a character literal, or 1 for a lifetime.
fn character(text: &str) -> usize {
    let mut inside = text[1..].char_indices();
    match inside.next() {
        Some((_, '\\')) => text[3..].find('\'').map_or(1, |at| at + 4),
        Some((_, c)) if text[1 + c.len_utf8()..].starts_with('\'') => c.len_utf8() + 2,
        _ => 1,
    }
}

pub fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Returns the tokens of blanked code.
pub fn tokens(code: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    for (number, mut rest) in code.lines().enumerate().map(|(n, line)| (n + 1, line)) {
        while let Some(first) = rest.chars().next() {
            let length = match first {
                c if is_word(c) => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
                _ if ["::", "->", "=>"].iter().any(|two| rest.starts_with(two)) => 2,
                c => c.len_utf8(),
            };
            let (text, behind) = rest.split_at(length);
            if !first.is_whitespace() {
                tokens.push(Token { text: text.to_owned(), line: number });
            }
            rest = behind;
        }
    }
    tokens
}

#[test]
fn comments_and_strings_are_blanked() {
    let code = "a /* b */ 'c' b\"d\\\"e\" 'static r#\"f\"g\"# br\"h\" '\\'' // i\nj";
    let blank = blanked(code, true);
    assert_eq!(blank.split_whitespace().collect::<Vec<_>>(), ["a", "b", "'static", "b", "j"]);
    assert_eq!(blank.len(), code.len());
    assert!(blanked("\"a // b\" // c", false).trim_end() == "\"a // b\"");
}
