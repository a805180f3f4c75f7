//! Operator tools of Nodewright: the scan driver, the deposit observer and the era watch, over the traits alone.
//!
//! This crate names no chain. It receives a [`ChainAdapter`](nodewright_core::ChainAdapter) and a
//! [`ScanSink`](nodewright_core::ScanSink), and provides
//!
//! - [`scan::ScanDriver`]: carries the scan core's requests to the sources, observes blocks in batches ahead of the
//!   commits, and commits events, reports and checkpoint together;
//! - [`scan::ErrorPolicy`]: says what to do about a failure; the default stops at once where a person is needed;
//! - [`era::EraWatch`]: reads a chain's eras and tells an operator what comes, how long is left, and what to do; runs what
//!   is to run before an edge;
//! - [`observer::DepositBook`]: folds what was committed into deposits: seen, final (with evidence), or gone;
//! - [`observer::ValueWeight`]: says how many confirmations the value of *your* deposits asks for.
//!
//! ```text
//!   HeaderSource ──► ScanCore ──► observe, two chunks at once ──► batch ──► ScanSink ──► ScanListener
//!        ▲              │ ▲                                                    │
//!        └── requests ──┘ └──────────────────── ack ───────────────────────────┘
//! ```
//!
//! What this crate does *not* do: open a connection, parse a block, choose a runtime, or install a logger.

#![forbid(unsafe_code)]

pub mod era;
pub mod observer;
pub mod scan;

/// Compiles the examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadmeExamples;
