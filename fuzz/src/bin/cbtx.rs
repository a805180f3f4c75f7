//! Fuzzes the payload of Dash coinbases and the ChainLocks in it.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| nodewright_fuzz::targets::cbtx(data));
