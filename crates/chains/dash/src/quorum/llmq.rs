//! Types of long-living masternode quorums (LLMQ), their parameters, and which network uses which.

use core::fmt;

/// A Dash network, as far as quorum rules differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Network {
    /// A development network; the types are Dash Core's defaults.
    Devnet,
    /// The main network.
    Mainnet,
    /// A private network of one machine.
    Regtest,
    /// The public test network.
    Testnet,
}

impl Network {
    /// Reads what a node reports as `getblockchaininfo.chain`: `main`, `test`, `regtest` or `devnet…`.
    #[must_use]
    pub fn from_chain(chain: &str) -> Option<Self> {
        match chain {
            "main" => Some(Self::Mainnet),
            "test" => Some(Self::Testnet),
            "regtest" => Some(Self::Regtest),
            _ if chain.starts_with("devnet") => Some(Self::Devnet),
            _ => None,
        }
    }

    /// Returns the type of the quorums that sign ChainLocks.
    ///
    /// Source: `llmqTypeChainLocks` in Dash Core v22 `src/chainparams.cpp`.
    #[must_use]
    pub const fn chain_lock_type(self) -> LlmqType {
        match self {
            Self::Devnet => LlmqType::LLMQ_DEVNET,
            Self::Mainnet => LlmqType::LLMQ_400_60,
            Self::Regtest => LlmqType::LLMQ_TEST,
            Self::Testnet => LlmqType::LLMQ_50_60,
        }
    }

    /// Returns the type of the quorums that sign InstantSend locks; all of them are rotated.
    ///
    /// Source: `llmqTypeDIP0024InstantSend` in Dash Core v22 `src/chainparams.cpp`.
    #[must_use]
    pub const fn instant_send_type(self) -> LlmqType {
        match self {
            Self::Devnet => LlmqType::LLMQ_DEVNET_DIP0024,
            Self::Mainnet | Self::Testnet => LlmqType::LLMQ_60_75,
            Self::Regtest => LlmqType::LLMQ_TEST_DIP0024,
        }
    }
}

/// The type of a quorum: one byte on the wire, unknown values included.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LlmqType(u8);

impl LlmqType {
    /// 50 members: ChainLocks on testnet.
    pub const LLMQ_50_60: Self = Self(1);
    /// 400 members, 60 %: ChainLocks on mainnet.
    pub const LLMQ_400_60: Self = Self(2);
    /// 400 members, 85 %: masternode hard-fork signals.
    pub const LLMQ_400_85: Self = Self(3);
    /// 100 members: Platform on mainnet.
    pub const LLMQ_100_67: Self = Self(4);
    /// 60 members, rotated: InstantSend on mainnet and testnet.
    pub const LLMQ_60_75: Self = Self(5);
    /// 25 members: Platform on testnet.
    pub const LLMQ_25_67: Self = Self(6);
    /// 3 members: ChainLocks on regtest.
    pub const LLMQ_TEST: Self = Self(100);
    /// 12 members: ChainLocks on devnets.
    pub const LLMQ_DEVNET: Self = Self(101);
    /// 3 members: a regtest type that tests activation.
    pub const LLMQ_TEST_V17: Self = Self(102);
    /// 4 members, rotated: InstantSend on regtest.
    pub const LLMQ_TEST_DIP0024: Self = Self(103);
    /// 3 members: InstantSend on regtest before rotation.
    pub const LLMQ_TEST_INSTANTSEND: Self = Self(104);
    /// 8 members, rotated: InstantSend on devnets.
    pub const LLMQ_DEVNET_DIP0024: Self = Self(105);
    /// 3 members: Platform on regtest.
    pub const LLMQ_TEST_PLATFORM: Self = Self(106);
    /// 12 members: Platform on devnets.
    pub const LLMQ_DEVNET_PLATFORM: Self = Self(107);

    /// Wraps the byte of the wire format.
    #[must_use]
    pub const fn new(byte: u8) -> Self {
        Self(byte)
    }

    /// Returns the byte of the wire format.
    #[must_use]
    pub const fn to_u8(self) -> u8 {
        self.0
    }

    /// Returns the parameters, or `None` for a type this code does not know.
    #[must_use]
    pub fn params(self) -> Option<&'static LlmqParams> {
        PARAMS.iter().find(|params| params.llmq_type == self)
    }

    /// Returns the name Dash Core prints, or `None` for a type this code does not know.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        self.params().map(|params| params.name)
    }
}

impl fmt::Display for LlmqType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "llmq type {}", self.0),
        }
    }
}

impl fmt::Debug for LlmqType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LlmqType({self})")
    }
}

/// The parameters of a quorum type. A devnet or regtest node may run with other sizes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LlmqParams {
    /// The type described.
    pub llmq_type: LlmqType,
    /// The name Dash Core prints.
    pub name: &'static str,
    /// Whether a whole cycle of quorums rotates together (DIP-24).
    pub rotated: bool,
    /// Members.
    pub size: u16,
    /// Valid members needed for a commitment.
    pub min_size: u16,
    /// Members needed for a signature.
    pub threshold: u16,
    /// Blocks between two key generations; for rotated types, blocks of a cycle.
    pub dkg_interval: u32,
    /// How many of the newest quorums take part in signing.
    pub active: u8,
}

/// Every known type, from `available_llmqs` in Dash Core `src/llmq/params.h` (read at 084d5826).
static PARAMS: [LlmqParams; 14] = [
    params(LlmqType::LLMQ_50_60, "llmq_50_60", false, [50, 40, 30], 24, 24),
    params(LlmqType::LLMQ_400_60, "llmq_400_60", false, [400, 300, 240], 288, 4),
    params(LlmqType::LLMQ_400_85, "llmq_400_85", false, [400, 350, 340], 576, 4),
    params(LlmqType::LLMQ_100_67, "llmq_100_67", false, [100, 80, 67], 24, 24),
    params(LlmqType::LLMQ_60_75, "llmq_60_75", true, [60, 50, 45], 288, 32),
    params(LlmqType::LLMQ_25_67, "llmq_25_67", false, [25, 22, 17], 24, 24),
    params(LlmqType::LLMQ_TEST, "llmq_test", false, [3, 2, 2], 24, 2),
    params(LlmqType::LLMQ_DEVNET, "llmq_devnet", false, [12, 7, 6], 24, 4),
    params(LlmqType::LLMQ_TEST_V17, "llmq_test_v17", false, [3, 2, 2], 24, 2),
    params(LlmqType::LLMQ_TEST_DIP0024, "llmq_test_dip0024", true, [4, 4, 2], 24, 2),
    params(LlmqType::LLMQ_TEST_INSTANTSEND, "llmq_test_instantsend", false, [3, 2, 2], 24, 2),
    params(LlmqType::LLMQ_DEVNET_DIP0024, "llmq_devnet_dip0024", true, [8, 6, 4], 48, 2),
    params(LlmqType::LLMQ_TEST_PLATFORM, "llmq_test_platform", false, [3, 2, 2], 24, 2),
    params(LlmqType::LLMQ_DEVNET_PLATFORM, "llmq_devnet_platform", false, [12, 9, 8], 24, 4),
];

const fn params(
    llmq_type: LlmqType,
    name: &'static str,
    rotated: bool,
    [size, min_size, threshold]: [u16; 3],
    dkg_interval: u32,
    active: u8,
) -> LlmqParams {
    LlmqParams { llmq_type, name, rotated, size, min_size, threshold, dkg_interval, active }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use super::*;

    #[test]
    fn every_network_signs_with_known_types_and_instant_send_is_rotated() {
        for network in [Network::Devnet, Network::Mainnet, Network::Regtest, Network::Testnet] {
            assert!(!network.chain_lock_type().params().unwrap().rotated, "{network:?}");
            let rotated = network.instant_send_type().params().unwrap();
            assert!(rotated.rotated && rotated.active.is_power_of_two(), "{network:?}");
        }
    }

    #[test]
    fn thresholds_lie_within_the_size() {
        for params in &PARAMS {
            assert!(params.threshold <= params.min_size && params.min_size <= params.size);
            assert!(2 * params.threshold >= params.size, "{}", params.name);
        }
    }

    #[test]
    fn unknown_types_keep_their_number() {
        assert_eq!(LlmqType::new(77).to_string(), "llmq type 77");
        assert_eq!(LlmqType::new(77).to_u8(), 77);
        assert_eq!(LlmqType::LLMQ_400_60.to_string(), "llmq_400_60");
    }

    #[test]
    fn networks_are_read_from_the_nodes_chain_name() {
        assert_eq!(Network::from_chain("main"), Some(Network::Mainnet));
        assert_eq!(Network::from_chain("devnet-paloma"), Some(Network::Devnet));
        assert_eq!(Network::from_chain("signet"), None);
    }
}
