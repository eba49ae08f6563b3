//! `cargo xtask fuzz requests`
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| everfresh_fuzz::hold("requests", input));
