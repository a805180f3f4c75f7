//! One module and one function for each target.

mod archive;
mod block;
mod bytes;
mod cbtx;
mod certificate;
mod checkpoint;
mod clsig;
mod dash_json;
mod datum;
mod json_rpc;
mod map_proof;
mod markers;
mod memo;
mod mnlist_diff;
mod multi_signature;
mod opcert;
mod scan_core;
mod special;

pub use archive::archive;
pub use block::block;
pub use bytes::bytes;
pub use cbtx::cbtx;
pub use certificate::certificate;
pub use checkpoint::checkpoint;
pub use clsig::clsig;
pub use dash_json::dash_json;
pub use datum::datum;
pub use json_rpc::json_rpc;
pub use map_proof::map_proof;
pub use markers::markers;
pub use memo::memo;
pub use mnlist_diff::mnlist_diff;
pub use multi_signature::multi_signature;
pub use opcert::opcert;
pub use scan_core::scan_core;
pub use special::special;
