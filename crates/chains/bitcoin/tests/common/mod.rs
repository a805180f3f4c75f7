//! What the tests with a real node share.

pub(crate) mod litecoind;
pub(crate) mod tx;
