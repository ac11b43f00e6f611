//! How large `ucurl` is: it may grow by a twentieth, and no further unseen. What is in it, and why: `benches/SIZE.md`.
//!
//! It takes two release builds, so it is run only where nothing may be left out (`UNIX_HTTP_TEST_STRICT`), and with the
//! compiler and the target that the numbers are for: another compiler makes other bytes.
#![cfg(all(target_os = "linux", target_arch = "x86_64", target_env = "gnu"))]

use std::path::Path;
use std::process::Command;

const COMPILER: &str = "rustc 1.95.0 ";
/// What is asked of cargo, and how many bytes that came to when it was last looked at.
const REACHED: [(&str, u64); 2] =
    [("build --release --bin ucurl", 1_297_752), ("small --no-default-features", 674_832)];

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
    for (words, reached) in REACHED {
        let mut build = Command::new(env!("CARGO"));
        build.args(words.split(' ')).arg("--quiet").arg("--target-dir").arg(&target).current_dir(root);
        let built = build.env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS").status().unwrap();
        assert!(built.success(), "cargo {words}: {built}");
        let size = target.join("release/ucurl").metadata().unwrap().len();
        let limit = reached + reached / 20;
        assert!(size <= limit, "cargo {words}: ucurl has {size} bytes, and {limit} are allowed");
    }
}
