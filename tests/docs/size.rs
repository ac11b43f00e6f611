//! Limits the size of `ucurl` to a twentieth above the last review. `benches/SIZE.md` lists its
//! parts.
//!
//! The test makes release builds, so it runs only where nothing may be left out
//! (`UNIX_HTTP_TEST_STRICT`), and only with the compiler and target of these numbers: another
//! compiler generates other code.
#![cfg(all(target_os = "linux", target_arch = "x86_64", target_env = "gnu"))]

use crate::support::child::run;
use crate::support::serve;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const COMPILER: &str = "rustc 1.95.0 ";
/// Arguments for cargo, the folder of the result, and its bytes at the last review.
const REACHED: [(&str, &str, u64); 3] = [
    ("build --release --bin ucurl", "release", 1_805_928),
    ("small --no-default-features", "release", 791_920),
    ("musl", MUSL, 1_571_176),
];
const MUSL: &str = "x86_64-unknown-linux-musl/release";
/// A limit for the memory of the last of these, for a transfer of any size; it used 1,200.
const PEAK_KIB: u64 = 2000;

#[test]
fn ucurl_stays_small() {
    if std::env::var_os("UNIX_HTTP_TEST_STRICT").is_none() {
        println!("left out: UNIX_HTTP_TEST_STRICT is not set, and this takes release builds");
        return;
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let compiler = Command::new("rustc").arg("-V").current_dir(root).output().unwrap();
    let compiler = String::from_utf8(compiler.stdout).unwrap();
    if !compiler.starts_with(COMPILER) {
        println!("left out: the numbers are for {COMPILER}and this is {compiler}");
        return;
    }
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("size");
    for (words, folder, reached) in REACHED {
        if folder == MUSL && !has_musl() {
            println!(
                "left out: cargo musl, for which rustup target add x86_64-unknown-linux-musl is needed"
            );
            continue;
        }
        let mut build = Command::new(env!("CARGO"));
        build
            .args(words.split(' '))
            .arg("--quiet")
            .arg("--target-dir")
            .arg(&target)
            .current_dir(root);
        let built =
            build.env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS").status().unwrap();
        assert!(built.success(), "cargo {words}: {built}");
        let ucurl = target.join(folder).join("ucurl");
        let size = ucurl.metadata().unwrap().len();
        let limit = reached + reached / 20;
        assert!(size <= limit, "cargo {words}: ucurl has {size} bytes, and {limit} are allowed");
        if folder == MUSL {
            needs_little_memory(&ucurl);
        }
    }
}

fn has_musl() -> bool {
    let asked = Command::new("rustc")
        .args(["--print", "target-libdir", "--target", "x86_64-unknown-linux-musl"])
        .output();
    asked.is_ok_and(|found| PathBuf::from(String::from_utf8_lossy(&found.stdout).trim()).exists())
}

fn needs_little_memory(ucurl: &Path) {
    const LENGTH: u64 = 256 << 20;
    let server =
        serve::serve(|_, responder| serve::send_reader(responder, std::io::repeat(b'x'), LENGTH));
    let mut ucurl = Command::new(ucurl);
    ucurl
        .args(["-s", "-o", "/dev/null", "-w", "%{size_download}", "--unix-socket"])
        .arg(server.dir.join("s"));
    let ended = run(ucurl.arg("http://localhost/"), b"", Duration::from_secs(60));
    assert!((1..=PEAK_KIB).contains(&ended.peak_kib), "{} KiB", ended.peak_kib);
    assert_eq!(ended.success(), LENGTH.to_string());
}
