#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| oracles::tap::check(bytes));
