//! Fuzzes JSON-RPC bodies and the texts of HTTP that come with them.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| nodewright_fuzz::targets::json_rpc(data));
