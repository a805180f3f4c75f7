//! Fuzzes the payloads of Dash's special transactions.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| nodewright_fuzz::targets::special(data));
