//! Fuzzes the walk over raw blocks and what an observer reads from them.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| nodewright_fuzz::targets::block(data));
