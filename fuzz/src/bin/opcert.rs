//! Fuzzes operational certificates and what a pool registers with.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| nodewright_fuzz::targets::opcert(data));
