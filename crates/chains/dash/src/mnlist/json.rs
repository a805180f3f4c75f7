//! The same diff in the form of the RPC call `protx diff`, which needs no peer-to-peer access.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use bitcoin::base58;
use nodewright_core::BlockHash;
use nodewright_utxo::hash::{Txid, parse_reversed};
use serde::Deserialize;

use super::commitment::Commitment;
use super::entry::{TYPE_EVO, TYPE_REGULAR, VERSION_BASIC, VERSION_LEGACY};
use super::{DiffTextError, MasternodeDetails, MasternodeEntry, Members, MnListDiff, QuorumLock};
use crate::bls::{PublicKey, Signature};
use crate::quorum::{LlmqType, QuorumHash};

/// The result of `protx diff`, field by field as the node gives it.
///
/// Its two roots are left out: what counts is in the coinbase.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProtxDiff {
    base_block_hash: String,
    block_hash: String,
    cb_tx_merkle_tree: String,
    cb_tx: String,
    #[serde(rename = "deletedMNs")]
    deleted_mns: Vec<String>,
    mn_list: Vec<ProtxMasternode>,
    #[serde(default)]
    deleted_quorums: Vec<ProtxDeletedQuorum>,
    #[serde(default)]
    new_quorums: Vec<ProtxQuorum>,
    /// Each element maps one signature to positions of quorums.
    #[serde(default, rename = "quorumsCLSigs")]
    quorums_cl_sigs: Vec<BTreeMap<String, Vec<u16>>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ProtxMasternode {
    n_version: u16,
    #[serde(default)]
    n_type: u16,
    pro_reg_tx_hash: String,
    confirmed_hash: String,
    service: String,
    pub_key_operator: String,
    voting_address: String,
    is_valid: bool,
    #[serde(rename = "platformHTTPPort")]
    platform_http_port: Option<u16>,
    #[serde(rename = "platformNodeID")]
    platform_node_id: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ProtxDeletedQuorum {
    llmq_type: u8,
    quorum_hash: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ProtxQuorum {
    version: u16,
    llmq_type: u8,
    quorum_hash: String,
    #[serde(default)]
    quorum_index: i16,
    signers: String,
    valid_members: String,
    quorum_public_key: String,
    quorum_vvec_hash: String,
    quorum_sig: String,
    members_sig: String,
}

impl TryFrom<&ProtxDiff> for MnListDiff {
    type Error = DiffTextError;

    fn try_from(json: &ProtxDiff) -> Result<Self, Self::Error> {
        let each = |quorum: &ProtxDeletedQuorum| {
            let quorum_hash = QuorumHash(hash("quorumHash", &quorum.quorum_hash)?);
            Ok((LlmqType::new(quorum.llmq_type), quorum_hash))
        };
        let diff = Self {
            base_block: BlockHash(hash("baseBlockHash", &json.base_block_hash)?),
            block: BlockHash(hash("blockHash", &json.block_hash)?),
            merkle_proof: bytes("cbTxMerkleTree", &json.cb_tx_merkle_tree)?,
            coinbase: bytes("cbTx", &json.cb_tx)?,
            deleted_masternodes: json
                .deleted_mns
                .iter()
                .map(|text| hash("deletedMNs", text).map(Txid))
                .collect::<Result<_, _>>()?,
            updated_masternodes: json.mn_list.iter().map(MasternodeEntry::try_from).collect::<Result<_, _>>()?,
            deleted_quorums: json.deleted_quorums.iter().map(each).collect::<Result<_, DiffTextError>>()?,
            new_quorums: json.new_quorums.iter().map(Commitment::try_from).collect::<Result<_, _>>()?,
            quorum_locks: json
                .quorums_cl_sigs
                .iter()
                .flatten()
                .map(|(signature, quorums)| {
                    let signature = Signature::new(array("quorumsCLSigs", signature)?);
                    Ok(QuorumLock { signature, quorums: quorums.clone() })
                })
                .collect::<Result<_, DiffTextError>>()?,
        };
        // The proof and the coinbase came as opaque hex: they must be what the message would hold.
        Self::parse(&diff.to_bytes()).map_err(DiffTextError::Diff)
    }
}

impl TryFrom<&ProtxMasternode> for MasternodeEntry {
    type Error = DiffTextError;

    fn try_from(json: &ProtxMasternode) -> Result<Self, Self::Error> {
        let pro_reg_tx = Txid(hash("proRegTxHash", &json.pro_reg_tx_hash)?);
        let service: SocketAddr =
            json.service.parse().map_err(|_| DiffTextError::Address { text: excerpt(&json.service) })?;
        let address = match service.ip() {
            IpAddr::V4(ip) => ip.to_ipv6_mapped().octets(),
            IpAddr::V6(ip) => ip.octets(),
        };
        let platform = json.platform_http_port.zip(json.platform_node_id.as_deref());
        let details = match (json.n_version, json.n_type, platform) {
            (VERSION_LEGACY, _, _) => MasternodeDetails::Legacy,
            (VERSION_BASIC, TYPE_REGULAR, _) => MasternodeDetails::Regular,
            (VERSION_BASIC, TYPE_EVO, Some((platform_http_port, node_id))) => {
                // A 160-bit number in the node's text form, hence reversed.
                let mut platform_node_id = array("platformNodeID", node_id)?;
                platform_node_id.reverse();
                MasternodeDetails::Evo { platform_http_port, platform_node_id }
            }
            (version, node_type, _) => {
                return Err(DiffTextError::Masternode { pro_reg_tx, version, node_type });
            }
        };
        Ok(Self {
            pro_reg_tx,
            confirmed_hash: hash("confirmedHash", &json.confirmed_hash)?,
            address,
            port: service.port(),
            operator_key: PublicKey::new(array("pubKeyOperator", &json.pub_key_operator)?),
            voting_key_id: key_id(&json.voting_address)?,
            is_valid: json.is_valid,
            details,
        })
    }
}

impl TryFrom<&ProtxQuorum> for Commitment {
    type Error = DiffTextError;

    fn try_from(json: &ProtxQuorum) -> Result<Self, Self::Error> {
        let llmq_type = LlmqType::new(json.llmq_type);
        let quorum_hash = QuorumHash(hash("quorumHash", &json.quorum_hash)?);
        let version = json.version;
        let (Some(params), Some((scheme, rotated))) = (llmq_type.params(), Self::layout(version)) else {
            return Err(DiffTextError::Quorum { quorum_hash, llmq_type, version });
        };
        // The text form drops the number of bits, which is the size of the type.
        let members = |what: &'static str, text: &str| {
            Members::new(params.size.into(), bytes(what, text)?).ok_or(DiffTextError::Members {
                llmq_type,
                quorum_hash,
                what,
            })
        };
        Ok(Self {
            scheme,
            llmq_type,
            quorum_hash,
            index: rotated.then_some(json.quorum_index),
            signers: members("signers", &json.signers)?,
            valid_members: members("validMembers", &json.valid_members)?,
            public_key: PublicKey::new(array("quorumPublicKey", &json.quorum_public_key)?),
            vvec_hash: hash("quorumVvecHash", &json.quorum_vvec_hash)?,
            quorum_signature: Signature::new(array("quorumSig", &json.quorum_sig)?),
            members_signature: Signature::new(array("membersSig", &json.members_sig)?),
        })
    }
}

/// Reads a P2PKH address of any network: one version byte, then the key hash.
fn key_id(address: &str) -> Result<[u8; 20], DiffTextError> {
    base58::decode_check(address)
        .ok()
        .filter(|decoded| decoded.len() == 21)
        .and_then(|decoded| decoded.last_chunk().copied())
        .ok_or_else(|| DiffTextError::Base58 { text: excerpt(address) })
}

fn hash(what: &'static str, text: &str) -> Result<[u8; 32], DiffTextError> {
    parse_reversed(text).map_err(|source| DiffTextError::Hash { what, source })
}

fn bytes(what: &'static str, text: &str) -> Result<Vec<u8>, DiffTextError> {
    hex::decode(text).map_err(|_| DiffTextError::Hex { what, text: excerpt(text) })
}

fn array<const N: usize>(what: &'static str, text: &str) -> Result<[u8; N], DiffTextError> {
    let mut bytes = [0; N];
    match hex::decode_to_slice(text, &mut bytes) {
        Ok(()) => Ok(bytes),
        Err(_) => Err(DiffTextError::Hex { what, text: excerpt(text) }),
    }
}

fn excerpt(text: &str) -> String {
    text.chars().take(EXCERPT).collect()
}

/// Characters of a bad field that an error repeats.
const EXCERPT: usize = 200;
