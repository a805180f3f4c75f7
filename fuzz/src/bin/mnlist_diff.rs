//! Fuzzes the differences between Dash's masternode lists.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| nodewright_fuzz::targets::mnlist_diff(data));
