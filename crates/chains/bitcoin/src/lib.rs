//! Bitcoin and Litecoin for Nodewright: what they are, as constants, over the sources of `nodewright-utxo`.
//!
//! ```no_run
//! use nodewright_bitcoin::{Auth, ConnectOptions, bitcoin};
//!
//! # async fn run() -> nodewright_core::Result<()> {
//! let cookie = Auth::Cookie("/home/me/.bitcoin/.cookie".into());
//! let node = bitcoin::connect("http://127.0.0.1:8332", cookie, ConnectOptions::default()).await?;
//! println!("{}", node.scope);
//! # Ok(())
//! # }
//! ```
//!
//! What each file holds:
//!
//! - `adapter`: eras and API versions;
//! - `bitcoin`, `litecoin`: networks, genesis blocks, addresses, and how to connect;
//! - `policy`: the finality that is recommended for a chain without certificates.

mod adapter;
pub mod bitcoin;
pub mod litecoin;
mod policy;

pub use adapter::{KNOWN_DEPLOYMENTS, api_ranges};
pub use nodewright_rpc::Auth;
pub use nodewright_utxo::fetch::FetchOptions;
pub use nodewright_utxo::source::{ConnectOptions, UtxoChain, UtxoNetwork, UtxoSource};
pub use policy::{CONFIRMATIONS, default_policy};
