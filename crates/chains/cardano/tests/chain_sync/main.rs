//! Blocks through chain-sync over a real Unix socket, against the simulated node; and real blocks of every era.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic)]

mod blocks;
mod conformance;
mod evidence;
mod faults;
mod follow;
mod scan;
mod world;
