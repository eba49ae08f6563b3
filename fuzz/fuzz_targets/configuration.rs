//! `cargo xtask fuzz configuration`
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| everfresh_fuzz::hold("configuration", input));
