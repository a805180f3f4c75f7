//! Shared by the Bitcoin family and Dash: typed node client, block walker, scripts, merkle proofs.

pub mod bytes;
pub mod client;
pub mod deployment;
pub mod fetch;
pub mod hash;
pub mod header;
pub mod merkle;
pub mod observe;
pub mod script;
pub mod source;
pub mod special;
pub mod tx;
pub mod walker;
