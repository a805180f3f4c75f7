//! The adapter against nodes on loopback: a recording of a real network, and a simulated one.

#![allow(clippy::unwrap_used, clippy::panic)]

mod acts;
mod amnesia;
mod conformance;
mod copy;
mod deterministic;
mod eras;
mod lies;
mod preflight;
mod scene;
mod seeds;
#[allow(dead_code, reason = "shared with the tests of finality, which use all of it")]
#[path = "../finality/small_chain.rs"]
mod small_chain;
mod trust;
mod zmq;
