//! Reads what a Cardano node knows: its tip, its epoch and era, the datums at an address, the clock of KES keys.
//!
//! - `chain`: the trait [`ChainReader`] and what its methods return;
//! - `address`: addresses in bech32, checked against the network;
//! - `socket`: over the node's own Unix socket (node-to-client, local-state-query), as [`NodeSocket`];
//! - `chain_sync`: its blocks over the same socket (node-to-client, chain-sync), as [`ChainSync`], core's `HeaderSource`;
//! - `block`: a block's id, height, slot and parent in every era; `genesis`: how a network begins, as [`Genesis`];
//! - `cli`: by running `cardano-cli`, as [`CardanoCli`]; `cli_json` reads its JSON;
//! - `error`: the failures, sorted by what an operator does about them.

mod address;
mod block;
mod chain;
#[cfg(unix)]
mod chain_sync;
mod cli;
mod cli_json;
mod error;
mod genesis;
#[cfg(unix)]
mod socket;

pub use address::{Address, AddressError, AddressNetwork};
#[cfg(feature = "sim")]
pub(crate) use block::digest;
pub use block::{BlockError, BlockHead};
pub use chain::{AddressDatums, ChainReader, ChainTip, KesClock, LedgerEra, OutputRef, RawDatum, UtxoDatum};
#[cfg(unix)]
pub use chain_sync::ChainSync;
pub use cli::{CardanoCli, CardanoCliOptions};
pub use cli_json::{parse_tip, parse_utxo};
pub use error::{HandshakeRefusal, NodeError, NodeStep};
pub use genesis::Genesis;
#[cfg(unix)]
pub use socket::{NodeSocket, NodeSocketOptions, ReaderHealth};
