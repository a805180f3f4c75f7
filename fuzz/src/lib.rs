//! Fuzz targets of Nodewright, as plain functions from bytes; the programs in `src/bin` hand them to libFuzzer.
//!
//! A target panics on what must not happen and returns on everything else. `README.md` says how to add one.
#![forbid(unsafe_code)]

mod plant;
pub mod targets;
