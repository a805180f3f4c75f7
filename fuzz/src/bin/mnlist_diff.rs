//! Fuzzes the differences between Dash's masternode lists, as message and as JSON.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| nodewright_fuzz::targets::mnlist_diff(data));
