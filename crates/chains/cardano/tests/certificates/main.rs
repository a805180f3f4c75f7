//! Certificates: real data, the oracle `mithril-common`, and every rule broken once.

#![allow(clippy::unwrap_used, clippy::panic)]

mod anchors;
mod chain;
mod corpus;
mod data;
mod generated;
mod lies;
mod oracle;
mod rules;
mod shelf;
mod stm;
