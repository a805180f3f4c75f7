//! What the tests with a real node share.

pub(crate) mod front;
pub(crate) mod litecoind;
pub(crate) mod tx;
