//! Fuzzes the scan core under sequences of operations.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| nodewright_fuzz::targets::scan_core(data));
