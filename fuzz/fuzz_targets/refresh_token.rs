//! `cargo xtask fuzz refresh_token`
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| everfresh_fuzz::hold("refresh_token", input));
