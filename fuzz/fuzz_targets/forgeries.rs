//! `cargo xtask fuzz forgeries`
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| everfresh_fuzz::hold("forgeries", input));
