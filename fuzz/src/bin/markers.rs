//! Fuzzes era markers and the parameters of their adapters.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| nodewright_fuzz::targets::markers(data));
