//! The era watch: what an operator is told, when, how often, and what runs before an edge.

#![allow(clippy::unwrap_used, clippy::panic)]

mod book;
mod demo;
mod fixture;
mod golden;
mod watch;
