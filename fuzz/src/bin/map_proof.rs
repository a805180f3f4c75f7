//! Fuzzes proofs of transactions and blocks.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| nodewright_fuzz::targets::map_proof(data));
