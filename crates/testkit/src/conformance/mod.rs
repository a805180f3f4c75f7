//! Suites that every implementation of a core trait must pass.

pub mod sink;
pub mod source;
