//! Fuzzes the cursor under every binary parser.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| nodewright_fuzz::targets::bytes(data));
