//! `cargo xtask fuzz refresh_sequence`
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| everfresh_fuzz::hold("refresh_sequence", input));
