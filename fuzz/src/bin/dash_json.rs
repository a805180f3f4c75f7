//! Fuzzes the masternode lists and ChainLocks that a Dash node reports in JSON.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| nodewright_fuzz::targets::dash_json(data));
