//! Draws `examples/tap.svg`, the picture on the README, from real output: `attach/` is a recording
//! of `docker run` and dockerd 20.10, and `ucurl tap --read` explains it.
//!
//! `UPDATE=1 cargo test --test docs picture` draws it again. Without `UPDATE`, the test fails if
//! the picture is out of date. To record another session:
//! `ucurl tap --connection 2 --record tests/docs/attach -- docker run …`.

use crate::support::child::{run, ucurl};
use std::fmt::Write;
use std::fs;
use std::time::Duration;

/// The recorded command, with the option of the tap that prints the text of the picture.
const COMMAND: &str = "ucurl tap --explain -- docker run --rm --network none busybox echo hello";
/// Lines on the wire that the picture leaves out, with their explanation.
const LEFT_OUT: [&str; 9] = [
    "> Host:",
    "> User-Agent:",
    "> Content-",
    "> Connection:",
    "> \\r\\n",
    "= Content-Length",
    "< Con",
    "< Upgrade:",
    "< \\r\\n",
];
const COLUMNS: usize = 86;
const LINE: usize = 18;
/// The width of a character in the font below. Other fonts are close to it.
const WIDTH: f64 = 7.8;
const TOP: usize = 44;

/// Returns the lines of the picture, from the request to the frame. `…` stands for omitted lines.
fn lines() -> Vec<String> {
    let mut tap = ucurl();
    tap.args(["tap", "--read", "tests/docs/attach", "--explain", "--color", "never"]);
    let output = run(&mut tap, b"", Duration::from_secs(60)).success();
    let output: Vec<&str> = output.lines().skip_while(|line| !line.starts_with("> ")).collect();
    let mut lines: Vec<String> = Vec::new();
    // A line on the wire, and the indented lines that explain it.
    for part in output.chunk_by(|_, next| next.starts_with("  ")) {
        match LEFT_OUT.iter().any(|start| part[0].starts_with(start)) {
            true if lines.last().is_some_and(|line| line == "…") => {}
            true => lines.push("…".to_owned()),
            false => lines.extend(part.iter().map(|line| short(line))),
        }
        if part.iter().any(|line| line.contains("hello")) {
            return lines;
        }
    }
    panic!("no frame with hello in {output:?}");
}

/// Shortens ids as docker does, and lines to the width of the picture.
fn short(line: &str) -> String {
    let is_id = |part: &&str| part.len() == 64 && part.bytes().all(|b| b.is_ascii_hexdigit());
    let id = line.split('/').find(is_id);
    let line = id.map_or(line.to_owned(), |id| line.replace(id, &format!("{}…", &id[..12])));
    match line.chars().count() > COLUMNS {
        true => line.chars().take(COLUMNS - 1).chain(['…']).collect(),
        false => line,
    }
}

/// The colour of a line, and whether it is bold.
fn style(line: &str) -> (&'static str, bool) {
    match line.as_bytes()[0] {
        b'$' => ("#e6edf3", true),
        b'>' => ("#7ee787", true),
        b'<' => ("#79c0ff", true),
        b'=' => ("#d2a8ff", false),
        _ => ("#9aa4b0", false),
    }
}

fn drawing(lines: &[String]) -> String {
    let escape = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let (width, height) = (COLUMNS as f64 * WIDTH + 40.0, TOP + lines.len() * LINE - 2);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height}\" \
         viewBox=\"0 0 {width:.0} {height}\" \
         font-family=\"ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace\" \
         font-size=\"13\">\n\
         <title>{}</title>\n\
         <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"#0d1117\"/>\n",
        escape(COMMAND)
    );
    for (at, colour) in ["#ff5f56", "#ffbd2e", "#27c93f"].iter().enumerate() {
        writeln!(svg, "<circle cx=\"{}\" cy=\"16\" r=\"5\" fill=\"{colour}\"/>", 20 + at * 18)
            .unwrap();
    }
    // A continuation line has the colour of its note.
    let mut last = "";
    for (at, line) in lines.iter().enumerate() {
        let (mut colour, bold) = style(line);
        if line.starts_with("  ") && !line.starts_with("   ") {
            colour = last;
        }
        last = colour;
        let weight = if bold { " font-weight=\"600\"" } else { "" };
        let (y, text) = (TOP + at * LINE, escape(line));
        writeln!(
            svg,
            "<text x=\"20\" y=\"{y}\" fill=\"{colour}\"{weight} xml:space=\"preserve\">{text}</text>"
        )
        .unwrap();
    }
    svg + "</svg>\n"
}

#[test]
fn the_picture_is_up_to_date() {
    let mut all = vec![format!("$ {COMMAND}"), "…".to_owned()];
    all.extend(lines());
    let drawing = drawing(&all);
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/tap.svg");
    if std::env::var_os("UPDATE").is_some() {
        fs::write(path, &drawing).unwrap();
    }
    let committed = fs::read_to_string(path).unwrap_or_default();
    assert!(committed == drawing, "stale: run UPDATE=1 cargo test --test docs picture");
}
