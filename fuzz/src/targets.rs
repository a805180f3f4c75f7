//! One module and one function for each target.

mod block;
mod bytes;
mod cbtx;
mod checkpoint;
mod clsig;
mod dash_json;
mod json_rpc;
mod memo;
mod mnlist_diff;
mod scan_core;
mod special;

pub use block::block;
pub use bytes::bytes;
pub use cbtx::cbtx;
pub use checkpoint::checkpoint;
pub use clsig::clsig;
pub use dash_json::dash_json;
pub use json_rpc::json_rpc;
pub use memo::memo;
pub use mnlist_diff::mnlist_diff;
pub use scan_core::scan_core;
pub use special::special;
