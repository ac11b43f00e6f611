//! The pattern language of expected output: plain text with one wildcard.
//!
//! `…` within a line matches any text on that line. `…` alone on a line matches any number of
//! lines, including none. Spaces (and a CR) at the end of a line are ignored. All other bytes must
//! be equal.

/// Checks whether the text matches the pattern. If not, returns where it first fails.
pub fn check(pattern: &str, text: &str) -> Result<(), String> {
    let (pattern, text) = (lines(pattern), lines(text));
    let mut furthest = 0;
    if fit(&pattern, &text, 0, &mut furthest) {
        return Ok(());
    }
    let found = text.get(furthest).map_or("(the end)".to_owned(), |line| format!("{line:?}"));
    Err(format!(
        "line {} does not fit: {found}\n--- expected\n{}\n--- found\n{}\n---",
        furthest + 1,
        pattern.join("\n"),
        text.join("\n")
    ))
}

fn lines(text: &str) -> Vec<&str> {
    text.lines().map(str::trim_end).collect()
}

/// `at` is the number of lines that are already matched.
fn fit(pattern: &[&str], text: &[&str], at: usize, furthest: &mut usize) -> bool {
    *furthest = (*furthest).max(at);
    match pattern {
        [] => at == text.len(),
        ["…", rest @ ..] => (at..=text.len()).any(|at| fit(rest, text, at, furthest)),
        [line, rest @ ..] => {
            text.get(at).is_some_and(|found| fit_line(line, found))
                && fit(rest, text, at + 1, furthest)
        }
    }
}

fn fit_line(pattern: &str, line: &str) -> bool {
    match pattern.split_once('…') {
        None => pattern == line,
        Some((start, rest)) => line.strip_prefix(start).is_some_and(|line| {
            line.char_indices()
                .map(|(at, _)| at)
                .chain([line.len()])
                .any(|at| fit_line(rest, &line[at..]))
        }),
    }
}
