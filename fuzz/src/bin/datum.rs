//! Fuzzes the on-chain datum of era markers.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| nodewright_fuzz::targets::datum(data));
