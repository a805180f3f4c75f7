//! Tests against a real litecoind on regtest; skipped, with a word, where there is none.

#![allow(clippy::unwrap_used, clippy::panic, clippy::cast_possible_truncation)]

#[path = "../common/mod.rs"]
mod common;

mod blocks;
mod conformance;
mod connect;
mod deposits;
mod eras;
mod faults;
mod headers;
mod reorgs;
mod scan;
