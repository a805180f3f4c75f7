//! Litecoin: networks, addresses, connection.
//!
//! Blocks are taken as the node serves them; what follows the integrating transaction of an MWEB block is the extension
//! block, whose size the walker tells and whose content it leaves aside. Payments out of the extension appear as outputs
//! of the integrating transaction and are observed like any other.

mod address;

use std::sync::Arc;

use nodewright_core::{BlockDelta, ChainAdapter, Result};
use nodewright_rpc::Auth;
use nodewright_utxo::hash::sha256d;
use nodewright_utxo::source::{ConnectOptions, UtxoChain, UtxoNetwork, UtxoSource};
use nodewright_utxo::walker::Dialect;

use self::address::Forms;
use crate::adapter::adapter;
use crate::bitcoin::genesis;

/// Connects to a Litecoin node.
///
/// # Errors
/// As [`UtxoSource::connect`].
///
/// # Cancel safety
/// Dropping the future loses nothing.
pub async fn connect(url: &str, auth: Auth, options: ConnectOptions) -> Result<ChainAdapter> {
    let source = UtxoSource::connect(&CHAIN, url, auth, options).await?;
    Ok(adapter(&Arc::new(source)))
}

/// Describes Litecoin. Genesis blocks and address prefixes are those of Litecoin Core 0.21 `src/chainparams.cpp`; tests
/// compare them with what litecoind 0.21.2 answers on each network. Block ids are double SHA-256; scrypt only weighs the
/// work.
pub static CHAIN: UtxoChain = UtxoChain {
    name: "litecoin",
    dialect: Dialect::Litecoin,
    header_id: |header| sha256d(header),
    networks: &[
        UtxoNetwork {
            name: "main",
            genesis: genesis(b"12a765e31ffd4059bada1e25190f6e98c99d9714d334efa41a195a7e7e04bfe2"),
            private: false,
            signal_period: Some(BlockDelta(8_064)),
            address: |script| MAIN.address(script),
            script: |text| MAIN.script(text),
        },
        UtxoNetwork {
            name: "test",
            genesis: genesis(b"4966625a4b2851d9fdee139e56211a0d88575f59ed816ff5e6a63deb4e3e29a0"),
            private: false,
            signal_period: Some(BlockDelta(2_016)),
            address: |script| TEST.address(script),
            script: |text| TEST.script(text),
        },
        UtxoNetwork {
            name: "regtest",
            genesis: genesis(b"530827f38f93b43ed12af0b3ad25a288dc02ed74d6d7857862df51fc56c416f9"),
            private: true,
            signal_period: Some(BlockDelta(144)),
            address: |script| REGTEST.address(script),
            script: |text| REGTEST.script(text),
        },
    ],
};

/// Prefixes as in Litecoin Core `src/chainparams.cpp`: `PUBKEY_ADDRESS`, `SCRIPT_ADDRESS2` (what the node prints),
/// `SCRIPT_ADDRESS` (which it still reads), `bech32_hrp`.
const MAIN: Forms = Forms { network: "main", key: 48, script: 50, old_script: 5, hrp: "ltc" };
const TEST: Forms = Forms { network: "test", key: 111, script: 58, old_script: 196, hrp: "tltc" };
const REGTEST: Forms = Forms { network: "regtest", key: 111, script: 58, old_script: 196, hrp: "rltc" };
