//! Fuzzes archives that snapshots are unpacked from.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| nodewright_fuzz::targets::archive(data));
