//! Builds, saves and loads images with ucurl and with the docker command. One build fails. One
//! image has 200 MB, and the memory of ucurl stays flat.

use crate::support::engine::{Engine, engines};
use crate::support::tar::archive;
use crate::support::temp::TempDir;
use std::fs::File;
use std::io::{BufReader, Read};
use std::process::Stdio;

const TAR: [&str; 3] = ["-f", "-H", "Content-Type: application/x-tar"];
/// The size of the layer that makes the image large.
const SIZE: u64 = 200_000_000;
/// The memory of a process that holds no part of the image.
const FLAT: u64 = 16 * 1024;

/// An image. Dropping it removes it from the engine.
struct Image<'e> {
    engine: &'e Engine,
    name: String,
}

impl Image<'_> {
    fn path(&self, rest: &str) -> String {
        format!("/images/{}{rest}", self.name)
    }

    #[track_caller]
    fn id(&self) -> String {
        self.engine.says(&["-f", "--select", "/Id", &self.path("/json")])
    }

    fn remove(&self) {
        let remove = self.path("?force=1");
        let _ = self.engine.ask(&["-X", "DELETE", &remove], b"");
    }
}

impl Drop for Image<'_> {
    fn drop(&mut self) {
        self.remove();
    }
}

fn build(query: &str) -> String {
    format!("/build?networkmode=none&rm=1&forcerm=1&{query}")
}

#[test]
fn an_image_is_built_from_a_tar_on_stdin() {
    for engine in engines() {
        let image = Image { engine: &engine, name: engine.unused_name() };
        let context = archive(
            "Dockerfile",
            format!("FROM busy\nRUN echo built {} | tee /it\n", image.name).as_bytes(),
        );
        let options = ["--fail-stream", "--select", "/stream", "-X", "POST", "-T", "-"];
        let build = build(&format!("t={}", image.name));
        let ended = engine.ask(&[&TAR[..], &options, &[&build]].concat(), &context);
        assert_eq!((ended.code, ended.stderr()), (0, String::new()), "{}", ended.stdout());
        assert!(ended.stdout().contains(&format!("built {}\n", image.name)), "{}", ended.stdout());
        let words = ["run", "--rm", "--network", "none", &image.name, "cat", "/it"];
        assert_eq!(engine.cli(&words, b"").success(), format!("built {}\n", image.name));
        if engine.is_docker {
            // The docker command builds the same image from the same context, from the cache.
            let theirs = engine.cli(&["build", "-q", "--network", "none", "-"], &context).success();
            assert_eq!(theirs.trim_end(), image.id());
        }
    }
}

/// The status is 200, and the failure is in the body.
#[test]
fn a_failed_build_is_an_error() {
    for engine in engines() {
        let context = archive("Dockerfile", b"FROM busy\nRUN echo before; exit 3\n");
        let query = build("nocache=1");
        let options = ["--fail-stream", "-X", "POST", "-T", "-", &query];
        let ended = engine.ask(&[&TAR[..], &options].concat(), &context);
        assert_eq!(ended.code, 22, "{}", ended.stderr());
        let why = ended.stderr();
        let why = why
            .strip_prefix("ucurl: (22) the daemon reports an error in its stream: ")
            .expect(&why)
            .trim_end();
        assert!(ended.stdout().contains(r#"{"stream":"before\n"}"#), "{}", ended.stdout());
        let theirs =
            engine.cli(&["build", "--network", "none", "--no-cache", "--force-rm", "-"], &context);
        assert_ne!(theirs.code, 0);
        assert!(theirs.stderr().contains(why), "`{why}` is missing in: {}", theirs.stderr());
        // Without the option, only the content shows it.
        let ended = engine.ask(&[&TAR[..], &options[1..]].concat(), &context);
        assert_eq!((ended.code, ended.stderr()), (0, String::new()));
        assert!(ended.stdout().contains(r#"{"errorDetail":"#), "{}", ended.stdout());
    }
}

#[test]
fn two_hundred_megabytes_are_saved_and_loaded_in_flat_memory() {
    for engine in engines() {
        let (dir, image) = (TempDir::new(), Image { engine: &engine, name: engine.unused_name() });
        let file = dir.join("image.tar");
        let make = format!(
            "FROM busy\nRUN head -c {SIZE} /dev/zero >/large; echo {} >>/large\n",
            image.name
        );
        let query = build(&format!("t={}", image.name));
        let options = ["--fail-stream", "-X", "POST", "-T", "-", "-o", "/dev/null", &query];
        engine
            .ask(&[&TAR[..], &options].concat(), &archive("Dockerfile", make.as_bytes()))
            .success();
        let id = image.id();

        let saved = engine.ask(&["-f", "-o", file.to_str().unwrap(), &image.path("/get")], b"");
        assert_eq!(saved.code, 0, "{}", saved.stderr());
        let mut save = engine.docker(&["save", &image.name]);
        let mut theirs = save.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let size = same(File::open(&file).unwrap(), theirs.stdout.take().unwrap());
        assert!(theirs.wait().unwrap().success());
        assert!(size > SIZE, "{size}");

        image.remove();
        let load = [
            "-f",
            "--fail-stream",
            "--select",
            "/stream",
            "-X",
            "POST",
            "-T",
            file.to_str().unwrap(),
        ];
        let more = ["-H", "Content-Type: application/x-tar", "/images/load?quiet=1"];
        let loaded = engine.ask(&[&load[..], &more].concat(), b"");
        assert_eq!((loaded.code, loaded.stderr()), (0, String::new()));
        assert!(loaded.stdout().contains(&format!("{}:latest", image.name)), "{}", loaded.stdout());
        assert_eq!(image.id(), id);

        println!(
            "{}: {size} bytes saved in {} KiB, loaded in {} KiB",
            engine.name, saved.peak_kib, loaded.peak_kib
        );
        for peak in [saved.peak_kib, loaded.peak_kib] {
            assert!((1..FLAT).contains(&peak), "{peak} KiB");
        }
    }
}

/// Compares two streams to their ends. Returns their length.
#[track_caller]
fn same(ours: impl Read, theirs: impl Read) -> u64 {
    const PIECE: u64 = 1 << 20;
    let (mut ours, mut theirs, mut size) = (BufReader::new(ours), BufReader::new(theirs), 0);
    loop {
        let mut pieces = [Vec::new(), Vec::new()];
        ours.by_ref().take(PIECE).read_to_end(&mut pieces[0]).unwrap();
        theirs.by_ref().take(PIECE).read_to_end(&mut pieces[1]).unwrap();
        assert!(pieces[0] == pieces[1], "they differ after byte {size}");
        size += pieces[0].len() as u64;
        if pieces[0].is_empty() {
            return size;
        }
    }
}
