//! Parses the pages of this repository into commands and their output. `commands.rs` describes the
//! format.

use std::fs;
use std::path::{Path, PathBuf};

/// A fenced `console` block.
pub struct Block {
    pub place: String,
    pub words: Vec<String>,
    /// The commands of the `setup` blocks above it on its page.
    pub setup: Vec<Step>,
    pub steps: Vec<Step>,
}

impl Block {
    /// Reads a `console` block. A block of another known kind is `None`.
    pub fn read(fence: &Fence) -> Option<Block> {
        let place = fence.place.clone();
        let mut words = fence.info.split_whitespace().map(str::to_owned);
        let kind = words.next().unwrap_or_default();
        if kind == "console" {
            let steps = steps(&fence.lines, &place);
            return Some(Block { place, words: words.collect(), setup: Vec::new(), steps });
        }
        let known = OTHER.contains(&kind.split(',').next().unwrap_or_default());
        assert!(known, "{place}: a block of {kind:?}: use ```console or ```text");
        let command = fence.lines.iter().any(|line| line.starts_with("$ "));
        assert!(!command, "{place}: commands belong in ```console");
        None
    }

    pub fn has(&self, word: &str) -> bool {
        self.words.iter().any(|found| found == word)
    }
}

/// A command and its expected output.
#[derive(Clone)]
pub struct Step {
    pub command: String,
    pub expected: String,
}

/// Cargo runs a test in its package's directory.
pub fn repository() -> &'static Path {
    Path::new(".")
}

/// Returns the files below a directory that have this extension, in order.
pub fn files(dir: &Path, end: &str) -> Vec<PathBuf> {
    let mut entries: Vec<PathBuf> = fs::read_dir(dir)
        .expect("a directory")
        .map(|entry| entry.expect("its entry").path())
        .collect();
    entries.sort();
    let found = entries.into_iter().flat_map(|path| match path.is_dir() {
        true => files(&path, end),
        false => vec![path],
    });
    found.filter(|path| path.extension().is_some_and(|found| found == end)).collect()
}

/// The path of a page in the repository, and its Markdown.
pub type Page = (String, String);

/// Returns the README, all other pages, and the heads of the examples.
pub fn pages() -> Vec<Page> {
    let mut pages = vec![page(&repository().join("README.md"))];
    for folder in ["examples", "tests", "benches", "src"] {
        pages.extend(files(&repository().join(folder), "md").iter().map(|path| page(path)));
    }
    let examples = repository().join("examples");
    let lessons = files(&examples, "rs");
    let lessons = lessons.iter().filter(|path| path.parent() == Some(&examples));
    pages.extend(lessons.map(|path| page(path)));
    pages
}

/// Reads a Markdown file, or the doc comment at the head of a Rust file.
pub fn page(path: &Path) -> Page {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
    let name = path.strip_prefix(repository()).unwrap_or(path).display().to_string();
    match name.ends_with(".rs") {
        false => (name, text),
        true => {
            let head = text.lines().map_while(|line| line.strip_prefix("//!"));
            let head = head.map(|line| line.strip_prefix(' ').unwrap_or(line).to_owned() + "\n");
            (name, head.collect())
        }
    }
}

/// Languages of blocks that have no commands.
const OTHER: [&str; 9] =
    ["rust", "text", "toml", "json", "http", "abnf", "ini", "dockerfile", "diff"];

/// A fenced block of any kind.
pub struct Fence<'a> {
    pub place: String,
    /// The text behind the backquotes.
    pub info: &'a str,
    pub lines: Vec<&'a str>,
}

/// Returns all fenced blocks of a page.
pub fn fences<'a>(name: &str, text: &'a str) -> Vec<Fence<'a>> {
    let mut fences = Vec::new();
    let mut lines = text.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        let Some(info) = line.strip_prefix("```") else { continue };
        let inside = lines.by_ref().map(|(_, line)| line);
        let lines = inside.take_while(|line| !line.starts_with("```")).collect();
        fences.push(Fence { place: format!("{name}:{}", number + 1), info, lines });
    }
    fences
}

/// Returns the `console` blocks of a page.
pub fn blocks(name: &str, text: &str) -> Vec<Block> {
    let (mut blocks, mut setup) = (Vec::new(), Vec::new());
    for fence in fences(name, text) {
        let Some(mut block) = Block::read(&fence) else { continue };
        block.setup = setup.clone();
        if block.has("setup") {
            setup.extend(block.steps.iter().cloned());
        }
        blocks.push(block);
    }
    blocks
}

fn steps(lines: &[&str], place: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for line in lines {
        match (line.strip_prefix("$ "), steps.last_mut()) {
            (Some(command), _) => {
                steps.push(Step { command: command.to_owned(), expected: String::new() })
            }
            (None, Some(step))
                if step.command.ends_with('\\') || in_here_document(&step.command) =>
            {
                step.command += &format!("\n{line}")
            }
            (None, Some(step)) => step.expected += &format!("{line}\n"),
            (None, None) => panic!("{place}: a console block begins with a command: `$ ...`"),
        }
    }
    steps
}

fn in_here_document(command: &str) -> bool {
    command.lines().next().is_some_and(|line| line.contains("<<'END'") || line.contains("<<END"))
        && !command.ends_with("\nEND")
}
