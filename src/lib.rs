//! Finality-aware scanning for people who run blockchain nodes and build tools around them.
//!
//! This crate re-exports the parts; each chain is a feature, and `ops` holds the tools that work on every chain. Nothing
//! runs before you call it, and no global is installed: no logger, no signal handler, no TLS provider.
//!
//! | part | what it is |
//! |---|---|
//! | [`core`] | traits, finality policies, the scan core, eras, API versions: pure, without I/O |
//! | [`ops`] | the scan driver, the deposit observer and the era watch, over the traits alone |
//! | [`stores`] | where results go: memory, file, SQLite |
//! | [`bitcoin`], [`cardano`], [`dash`] | one chain each (`bitcoin` holds Litecoin, `cardano` Mithril) |
//! | [`rpc`], [`utxo`] | what chains share: the JSON-RPC shell, the block walker |
//! | [`registry`] | the chains of this build, by name |
//!
//! # Following a node
//!
//! ```no_run
//! # #[cfg(all(feature = "dash", feature = "ops"))]
//! # async fn run() -> nodewright::core::Result<()> {
//! use std::sync::Arc;
//!
//! use nodewright::core::{WatchRules, WatchSet};
//! use nodewright::ops::scan::{ScanDriver, ScanOptions};
//! use nodewright::rpc::Auth;
//! use nodewright::stores::SqliteSink;
//!
//! let cookie = Auth::Cookie("/home/me/.dashcore/.cookie".into());
//! let node = nodewright::dash::connect("http://127.0.0.1:9998", cookie, Default::default()).await?;
//! let vault = node.observations.as_ref().expect("Dash observes").watch("XtAG1982HcYJVibHxRZrBmdzL5YTzj4cA1")?;
//!
//! let options = ScanOptions { watch: WatchSet::new([vault], WatchRules::default()), ..Default::default() };
//! let sink = SqliteSink::open("deposits.sqlite").await?;
//! ScanDriver::new(node, Arc::new(sink), options).run().await?;
//! # Ok(())
//! # }
//! ```
//!
//! The example `observe` is the whole program around this; `era_watch` and `verify_certificates` are the others.

#[cfg(any(feature = "bitcoin", feature = "dash"))]
pub mod registry;

#[cfg(feature = "bitcoin")]
pub use nodewright_bitcoin as bitcoin;
#[cfg(feature = "cardano")]
pub use nodewright_cardano as cardano;
pub use nodewright_core as core;
#[cfg(feature = "dash")]
pub use nodewright_dash as dash;
#[cfg(feature = "ops")]
pub use nodewright_ops as ops;
#[cfg(any(feature = "bitcoin", feature = "cardano", feature = "dash"))]
pub use nodewright_rpc as rpc;
#[cfg(feature = "ops")]
pub use nodewright_stores as stores;
#[cfg(any(feature = "bitcoin", feature = "dash"))]
pub use nodewright_utxo as utxo;
