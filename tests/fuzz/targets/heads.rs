#![no_main]

#[path = "../peers/heads.rs"]
mod peer;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    oracles::heads::check(bytes);
    peer::check(bytes);
});
