//! Fuzzes Mithril's certificates.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| nodewright_fuzz::targets::certificate(data));
