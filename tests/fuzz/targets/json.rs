#![no_main]

#[path = "../peers/json.rs"]
mod peer;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    oracles::json::check(bytes);
    peer::check(bytes);
});
