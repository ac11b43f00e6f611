//! How large the release build of `ucurl` is: it may grow by a twentieth, and no further unseen.
//!
//! It takes a release build, so it is run only where nothing may be left out (`UNIX_HTTP_TEST_STRICT`), and on the
//! target that the numbers are for.
#![cfg(all(target_os = "linux", target_arch = "x86_64", target_env = "gnu"))]

use std::path::Path;
use std::process::Command;

/// Bytes of `cargo build --release`, as it was last looked at.
const REACHED: u64 = 1_285_680;

#[test]
fn ucurl_stays_small() {
    if std::env::var_os("UNIX_HTTP_TEST_STRICT").is_none() {
        println!("left out: UNIX_HTTP_TEST_STRICT is not set, and this takes a release build");
        return;
    }
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("size");
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--release", "--bin", "ucurl", "--target-dir"])
        .arg(&target)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env_remove("RUSTFLAGS")
        .status()
        .unwrap();
    assert!(built.success(), "{built}");
    let size = target.join("release/ucurl").metadata().unwrap().len();
    let limit = REACHED + REACHED / 20;
    assert!(size <= limit, "ucurl has {size} bytes, and {limit} are allowed");
}
