//! Tests the course. The lessons run in their order, in one shell, as a learner types them. Every
//! lesson has all its parts. The answers to the exercises are right.

use super::commands::{Lesson as Turn, environment, has_parts, run_all};
use super::pages::{Block, Step, blocks, fences, files, page, repository};
use super::shell::Shell;
use crate::support::child;
use crate::support::demo::Demo;
use crate::support::needs;
use crate::support::temp::TempDir;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use unix_http::Client;

/// An example: the comment at its head, and the source below.
struct Lesson {
    name: String,
    head: String,
    source: String,
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Returns the lessons in the order of the course page.
fn lessons() -> Vec<Lesson> {
    let page = read(&repository().join("examples/README.md"));
    let links = page.split("](").skip(1).filter_map(|link| link.split_once(".rs)"));
    links.map(|(name, _)| Lesson::read(name)).collect()
}

impl Lesson {
    fn read(name: &str) -> Lesson {
        let path = repository().join(format!("examples/{name}.rs"));
        let (text, (_, head)) = (read(&path), page(&path));
        let source = text.lines().filter(|line| !line.starts_with("//!")).collect::<Vec<_>>();
        Lesson { name: name.to_owned(), head, source: source.join("\n") }
    }

    fn blocks(&self) -> Vec<Block> {
        blocks(&format!("examples/{}.rs", self.name), &self.head)
    }
}

#[test]
fn every_example_is_in_the_course() {
    let examples = files(&repository().join("examples"), "rs");
    let stem = |path: &PathBuf| path.file_stem().map(|name| name.to_string_lossy().into_owned());
    let examples = examples.iter().filter(|path| !path.ends_with("tar/mod.rs")).filter_map(stem);
    let lessons = lessons();
    let named: Vec<&str> = lessons.iter().map(|lesson| lesson.name.as_str()).collect();
    assert_eq!(
        named.iter().map(|name| name.to_string()).collect::<BTreeSet<_>>(),
        examples.collect()
    );
    assert_eq!(named.len(), named.iter().collect::<BTreeSet<_>>().len(), "a lesson twice");
}

#[test]
fn every_lesson_has_all_its_parts() {
    let answers = read(&repository().join("examples/ANSWERS.md"));
    for Lesson { name, head, source } in &lessons() {
        assert!(head.starts_with("# "), "{name}: no title");
        for part in ["\n```console", "\nGoal: ", "RFC 9", "\nExercise: ", "\nHint: "] {
            assert!(head.contains(part), "{name}: no {part:?}");
        }
        assert!(!head.contains("TMPDIR"), "{name}: many users have no TMPDIR: use mktemp");
        let (_, look) = head.split_once("\nLook at:\n\n").unwrap_or_else(|| panic!("{name}: look"));
        let (look, _) = look.split_once("\n\n").unwrap_or((look, ""));
        for number in ["1. `", "2. `", "3. `"] {
            let item = look.lines().find_map(|line| line.strip_prefix(number));
            let item = item.unwrap_or_else(|| panic!("{name}: nothing to look at: {number}"));
            let code = item.split('`').next().unwrap_or_default();
            assert!(source.contains(code), "{name}: {code} is not in the source");
        }
        let section = section(&answers, name);
        assert!(section.contains("```console"), "{name}: nothing shows the answer");
    }
}

/// Returns the section of the page of answers that belongs to a lesson.
fn section<'a>(answers: &'a str, name: &str) -> &'a str {
    let heading = format!(". {name}\n");
    let start = answers.find(&heading).unwrap_or_else(|| panic!("no answer for {name}"));
    let section = &answers[start + heading.len()..];
    section.split("\n## ").next().unwrap_or(section)
}

#[test]
fn the_lessons_run_in_order_on_the_demo_and_leave_nothing() {
    let demo = Demo::start();
    let client = Client::unix(demo.socket());
    let lists = ["/containers/json?all=1", "/images/json", "/volumes"];
    let state = || lists.map(|list| client.get(list).send().unwrap().text().unwrap());
    let before = state();
    follow(&demo.socket(), |block| !block.has("docker"));
    assert_eq!(state(), before);
}

#[test]
fn the_lessons_run_in_order_on_dockerd() {
    let Some(socket) = needs::docker() else { return };
    let _turn = Turn::on(&socket).expect("the engine");
    follow(&socket, |_| true);
}

/// Types all lessons into one shell.
fn follow(engine: &Path, fits: impl Fn(&Block) -> bool) {
    let dir = TempDir::new();
    let mut shell = Shell::start(&mut environment(&dir, Some(engine))).expect("a shell");
    for block in lessons().iter().flat_map(Lesson::blocks) {
        if !fits(&block) || !has_parts(&block) {
            continue;
        }
        for step in &block.steps {
            if let Err(why) = shell.run(step) {
                panic!("{} on {}\n$ {}\n{why}", block.place, engine.display(), step.command);
            }
        }
        let left = fs::read_dir(dir.path()).expect("a directory").flatten();
        let left: Vec<_> = left.map(|entry| entry.file_name()).collect();
        assert!(left.is_empty(), "{} leaves {left:?} behind", block.place);
    }
}

/// Runs the commands of the page of answers. A block with `diff` and the name of an example is a
/// change, and the commands below it run the changed example.
#[test]
fn the_answers_are_right() {
    let page = read(&repository().join("examples/ANSWERS.md"));
    let fences = fences("examples/ANSWERS.md", &page);
    let mut answers = Answers::new();
    let mut todo: Vec<(Block, Option<String>)> = Vec::new();
    let mut changed = None;
    for fence in &fences {
        let name = fence.info.strip_prefix("diff ");
        match (name, Block::read(fence)) {
            (Some(name), _) => {
                let source = Lesson::read(name).source;
                let source = change(&source, &fence.lines)
                    .unwrap_or_else(|why| panic!("{}: {why}", fence.place));
                changed = Some(answers.add(name, &source));
            }
            (None, Some(block)) => {
                // The commands below run the changed example if they name it.
                let name = changed.as_ref().map(|program: &String| program.rsplit_once('-'));
                let name = name.flatten().map_or("", |(name, _)| name);
                let run_changed = block.steps.iter().any(|step| runs(&step.command, name));
                todo.push((block, changed.clone().filter(|_| run_changed)));
            }
            (None, None) => {}
        }
    }
    answers.build();
    let with_programs = todo.into_iter().map(|(mut block, program)| {
        if let Some(program) = program {
            block.steps.iter_mut().for_each(|step| step.use_program(answers.dir.path(), &program));
        }
        block
    });
    let failed = run_all(&with_programs.collect::<Vec<_>>(), 4);
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
}

const RUN: &str = "cargo run -q --example ";

fn runs(command: &str, name: &str) -> bool {
    let mut rest = command.split(RUN).skip(1);
    rest.any(|rest| rest.split([' ', ';', '\n']).next() == Some(name))
}

impl Step {
    /// Runs a changed example instead of the example.
    fn use_program(&mut self, programs: &Path, program: &str) {
        let (name, _) = program.rsplit_once('-').unwrap_or((program, ""));
        let path = programs.join(program).display().to_string();
        self.command = self.command.replace(&format!("{RUN}{name} -- "), &format!("{path} "));
        if runs(&self.command, name) {
            self.command = self.command.replace(&format!("{RUN}{name}"), &path);
        }
    }
}

/// Applies a change. In each hunk, the lines with ` ` and `-` occur once in the source, and the
/// lines with ` ` and `+` replace them. A line with `@@` begins the next hunk.
fn change(source: &str, diff: &[&str]) -> Result<String, String> {
    let mut source = format!("{source}\n");
    for hunk in diff.split(|line| line.starts_with("@@")) {
        let side = |mark: char| -> String {
            let kept = hunk.iter().filter(|line| line.is_empty() || line.starts_with([' ', mark]));
            kept.map(|line| format!("{}\n", line.get(1..).unwrap_or_default())).collect()
        };
        let (old, new) = (side('-'), side('+'));
        match source.matches(&old).count() {
            1 => source = source.replacen(&old, &new, 1),
            count => return Err(format!("stands {count} times in the source:\n{old}")),
        }
    }
    Ok(source)
}

/// The changed examples, as modules of one program. It is compiled with the library as the tests
/// use it, and runs the module that it is called by.
struct Answers {
    dir: TempDir,
    modules: String,
    arms: String,
    count: usize,
}

impl Answers {
    fn new() -> Answers {
        let tar = read(&repository().join("examples/tar/mod.rs"));
        let dir = TempDir::new();
        dir.write("tar/mod.rs", tar);
        Answers { dir, modules: String::new(), arms: String::new(), count: 0 }
    }

    /// Adds a program and returns its name.
    fn add(&mut self, example: &str, source: &str) -> String {
        self.count += 1;
        let (module, program) =
            (format!("{example}_{}", self.count), format!("{example}-{}", self.count));
        self.dir.write(&format!("{module}.rs"), source.replacen("\nfn main(", "\npub fn main(", 1));
        self.modules += &format!("#[path = \"{module}.rs\"]\nmod {module};\n");
        self.arms += &format!("        {program:?} => {module}::main().report(),\n");
        symlink("answers", self.dir.join(&program)).expect("a link");
        program
    }

    /// Builds all programs in their directory.
    fn build(&self) {
        let Answers { dir, modules, arms, .. } = self;
        let main = format!(
            "{modules}
use std::process::{{ExitCode, Termination}};

fn main() -> ExitCode {{
    let called = std::env::args().next().unwrap_or_default();
    match called.rsplit('/').next().unwrap_or_default() {{
{arms}        _ => ExitCode::FAILURE,
    }}
}}
"
        );
        let main = dir.write("answers.rs", main);
        let mut library = OsString::from("unix_http=");
        library.push(built_library());
        let mut rustc = Command::new("rustc");
        rustc.args(["--edition", "2024", "--extern"]).arg(library).arg(main);
        child::run(rustc.arg("-o").arg(dir.join("answers")), b"", LIMIT).success();
    }
}

const LIMIT: Duration = Duration::from_secs(600);

/// Returns the library's file, as Cargo built it for the tests.
fn built_library() -> PathBuf {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--lib", "--quiet", "--offline", "--message-format", "json"]);
    let built = child::run(&mut cargo, b"", LIMIT).success();
    let mut names = built.split('"').filter(|text| text.ends_with(".rlib"));
    names.next_back().expect("a library").into()
}
