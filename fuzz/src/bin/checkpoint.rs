//! Fuzzes stored checkpoints and records.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| nodewright_fuzz::targets::checkpoint(data));
