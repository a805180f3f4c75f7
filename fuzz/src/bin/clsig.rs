//! Fuzzes the messages of ChainLocks and InstantSend locks.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| nodewright_fuzz::targets::clsig(data));
