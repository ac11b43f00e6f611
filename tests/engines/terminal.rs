//! `ucurl --hijack` in a real terminal, with a container that has one as well: keys, signals, the
//! window size, and the state of the terminal afterwards.
//!
//! `script` provides the terminal, and `stty` prints its mode.

use crate::support::child::run;
use crate::support::engine::{Container, Engine, LIMIT, engines};
use crate::support::live::Live;
use crate::support::needs;
use std::process::Command;

/// A shell in a terminal of its own, with 33 rows and 77 columns, which echoes as terminals do.
///
/// In it, `$ucurl` is the command with its options. `restored` waits for the old mode of the
/// terminal.
struct Terminal(Live);

const PROLOGUE: &str = r#"
stty sane rows 33 cols 77
before=$(stty -g)
restored() {
    until [ "$(stty -g)" = "$before" ]; do sleep 0.02; done
    echo "it is as it was"
}
echo "terminal $(tty)"
"#;

impl Terminal {
    #[track_caller]
    fn start(engine: &Engine, commands: &str) -> (Terminal, String) {
        let ucurl = engine.ucurl(&[]);
        let mut script = Command::new("script");
        script.envs(ucurl.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let ucurl = format!("ucurl='{} -sS --hijack'\n", ucurl.get_program().display());
        let commands = [&ucurl, PROLOGUE, commands].concat();
        let mut terminal = Terminal(Live::start(
            script.args(["-qec", &commands, "/dev/null"]).env("SHELL", "/bin/sh"),
        ));
        terminal.0.says("terminal ");
        let name = terminal.0.says("\r\n").trim_end().to_owned();
        (terminal, name)
    }
}

/// Creates an exec with a terminal. Returns the arguments that start and join it.
fn exec(container: &Container, command: &str) -> String {
    let id =
        container.exec(&format!(r#""AttachStdin":true,"Tty":true,"Cmd":["sh","-c","{command}"]"#));
    format!(r#"$ucurl --json '{{"Detach":false,"Tty":true}}' /exec/{id}/start"#)
}

/// The program in the container, as JSON: a shell without a line editor, so that only the terminal
/// echoes.
const SHELL: &str = r#"trap : INT; while printf 'ready> '; read -r line; do eval \"$line\"; done"#;

fn ready() -> Vec<Engine> {
    if needs::program("script").is_some() { engines() } else { Vec::new() }
}

#[test]
fn keys_signals_and_the_window_size_reach_the_container() {
    for engine in ready() {
        let container = engine.sleeper();
        let (mut terminal, name) = Terminal::start(
            &engine,
            &format!("{}; echo code $?; restored", exec(&container, SHELL)),
        );
        let terminal = &mut terminal.0;
        terminal.says("ready> ");
        // The container's terminal echoes once. Our terminal would echo first, and once more.
        terminal.send("echo a''b\r");
        assert_eq!(terminal.says("ready> "), "echo a''b\r\nab\r\nready> ");

        // The process in the container gets the signal, and ucurl continues.
        terminal.send("sh -c 'echo asl''eep; exec sleep 300'\r");
        terminal.says("\r\nasleep\r\n");
        terminal.send("\x03");
        assert_eq!(terminal.says("ready> "), "^Cready> ");

        // Wait until the engine has forwarded it.
        terminal.send("until [ \"$(stty size)\" = '33 77' ]; do sleep 0.1; done; echo small\r");
        terminal.says("\r\nsmall\r\n");
        // If it were typed earlier, its echo would come before the prompt.
        terminal.says("ready> ");
        let grow = format!("stty rows 40 cols 100 <{name}");
        run(Command::new("sh").args(["-c", &grow]), b"", LIMIT).success();
        terminal.send("until [ \"$(stty size)\" = '40 100' ]; do sleep 0.1; done; echo large\r");
        terminal.says("\r\nlarge\r\n");

        terminal.says("ready> ");
        terminal.send("\x04");
        terminal.says("code 0\r\n");
        // The size differs, but it is not part of the mode.
        terminal.says("it is as it was\r\n");
    }
}

/// Attaches before the start, as `docker run -it` does.
#[test]
fn a_container_with_a_terminal_can_be_attached() {
    for engine in ready() {
        let container = engine
            .container(&format!(r#""Cmd":["sh","-c","{SHELL}"],"Tty":true,"OpenStdin":true"#));
        let attach = container.path("/attach?stream=1&stdin=1&stdout=1");
        let commands = format!("$ucurl -D /dev/stderr '{attach}'; echo code $?; restored");
        let (mut terminal, _) = Terminal::start(&engine, &commands);
        terminal.0.says("101 ");
        container.start();
        terminal.0.send("\r");
        terminal.0.says("ready> ");
        terminal.0.send("until [ \"$(stty size)\" = '33 77' ]; do sleep 0.1; done; exit 9\r");
        terminal.0.says("code 0\r\n");
        terminal.0.says("it is as it was\r\n");
        assert_eq!(container.wait(), "9");
    }
}

#[test]
fn the_terminal_is_always_restored() {
    for engine in ready() {
        let container = engine.sleeper();
        // This kills ucurl itself, not the shell that restores the terminal.
        let killed = |how: &str| {
            let ucurl = exec(&container, SHELL).replace('"', "\\\"");
            format!("{how} sh -c \"echo pid \\$\\$; exec {ucurl}\"; echo code $?; restored")
        };
        let (slow, short) = (exec(&container, SHELL), exec(&container, "exit 3"));
        // With `set -m`, as in an interactive shell, ucurl has a process group of its own, which is
        // in the background at the end.
        let cases = [
            ("", format!("{}; echo code $?; restored", slow.replace("$ucurl", "$ucurl -m 1")), 28),
            ("", format!("{short}; echo code $?; restored"), 0),
            ("TERM", killed(""), 143),
            ("KILL", killed(""), 137),
            ("TERM", killed("set -m;"), 143),
            ("KILL", killed("set -m;"), 137),
        ];
        for (signal, commands, code) in cases {
            let (mut terminal, _) = Terminal::start(&engine, &commands);
            if !signal.is_empty() {
                terminal.0.says("pid ");
                let pid = terminal.0.says("\r\n");
                terminal.0.says("ready> ");
                run(Command::new("kill").args(["-s", signal, pid.trim_end()]), b"", LIMIT)
                    .success();
            }
            terminal.0.says(&format!("code {code}"));
            terminal.0.says("it is as it was\r\n");
            terminal.0.close();
            assert_eq!(terminal.0.end().code, 0);
        }
    }
}
