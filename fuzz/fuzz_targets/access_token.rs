//! `cargo xtask fuzz access_token`
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| everfresh_fuzz::hold("access_token", input));
