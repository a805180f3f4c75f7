//! Fuzzes the joining of memos and the search for who paid.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| nodewright_fuzz::targets::memo(data));
