//! Generates `curl/FLAGS.md`, the page of all flags, from the table of flags.

use crate::args::flags::{self, Flag, transfers, verbs};

fn page() -> String {
    let count = |place| transfers().flags().filter(|flag| flag.place == place).count();
    let cell = |text: &str| text.replace('|', "\\|").replace('<', "\\<");
    let code = |flag: Flag| format!("`{}`", flag.shown.replace('|', "\\|"));
    let mut out = format!(
        "# All flags\n\nGenerated from the flag table by `UPDATE=1 cargo test --test cli flags_page`. \
         [CURL.md](../../../examples/CURL.md) is the introduction.\n\n\
         Of curl 7.88's flags {} are in and {} are out, {} are ucurl's own. \
         Flags of newer curls are known by name.\n\n## ucurl's own\n\n\
         | flag | what it does |\n|---|---|\n",
        count("in"),
        count("out"),
        count("own")
    );
    for flag in transfers().shown().filter(|flag| flag.place == "own") {
        out += &format!("| {} | {} |\n", code(flag), cell(flag.help));
    }
    out += "\n## curl's\n\n| flag | what it does | different from curl |\n|---|---|---|\n";
    for flag in transfers().shown().filter(|flag| flag.place != "own") {
        let differs = flag.manual.lines().find_map(|line| line.strip_prefix("Curl: "));
        let differs = cell(differs.unwrap_or_default());
        out += &format!("| {} | {} | {differs} |\n", code(flag), cell(flag.help));
    }
    out += "\n## Not supported\n\nEach of these ends the run with exit code 2 and one line. ";
    out += "`--no-NAME`, which turns one off, is accepted.\n\n| reason | flags |\n|---|---|\n";
    for (key, why) in flags::reasons() {
        out += &format!("| {} |", cell(why));
        flags::out_for(key).for_each(|flag| out += &format!(" {}", code(flag)));
        out += " |\n";
    }
    for verb in verbs() {
        out += &format!("\n## `{}`\n\n{}.\n\n", verb.usage, verb.help);
        out += "| flag | what it does |\n|---|---|\n";
        for flag in verb.shown() {
            out += &format!("| {} | {} |\n", code(flag), cell(flag.help));
        }
    }
    out
}

#[test]
fn the_page_is_up_to_date() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cli/curl/FLAGS.md");
    let page = page();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, &page).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(committed == page, "stale: run UPDATE=1 cargo test --test cli flags_page");
    for flag in transfers().flags() {
        assert!(page.contains(&flag.shown.replace('|', "\\|")), "{}", flag.shown);
    }
    let counts = page.lines().find_map(|line| line.strip_prefix("Of curl 7.88's flags ")).unwrap();
    let counts = counts.split(" are ucurl's own").next().unwrap();
    assert!(
        include_str!("../../examples/CURL.md").contains(counts),
        "examples/CURL.md has other numbers than: {counts}"
    );
}
