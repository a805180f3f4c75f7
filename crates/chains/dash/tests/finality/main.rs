//! Dash finality on recorded and real data, and on a small chain whose quorums the tests hold.

#![allow(clippy::unwrap_used, clippy::panic)]

mod chain_locks;
mod corpus;
mod damage;
mod instant_locks;
mod masternode_lists;
mod small_chain;
