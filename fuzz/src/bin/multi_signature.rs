//! Fuzzes multi-signatures and their keys.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| nodewright_fuzz::targets::multi_signature(data));
