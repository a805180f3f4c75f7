//! Certificates of Mithril: their data, their hashes, and the chain that leads to a genesis.

mod anchor;
mod anchor_file;
mod avk;
mod compute;
mod digest;
mod entity;
mod message;
mod metadata;
mod parameters;
mod pool;
pub mod rules;
mod signature;
mod source;
mod stm;
mod timestamp;
mod types;
mod verifier;

pub use anchor::{Anchor, AnchorDigest, AnchorError, AnchorStore, Anchors, MemoryAnchors, NetworkFingerprint};
pub use anchor_file::FileAnchors;
pub use avk::{AggregateVerificationKey, AvkError, AvkParts};
pub use compute::{HashError, HashGeneration};
pub use digest::{CertificateHash, HashFormatError, MessageHash};
pub use entity::{DatabaseBeacon, EntityKind, SignedEntity, UnknownEntity};
pub use message::{HashScheme, MessageHashError, MessagePartKey, ProtocolMessage};
pub use metadata::{CertificateMetadata, StakeParty, SummaryMetadata};
pub use parameters::{PhiF, PhiFError, ProtocolParameters};
pub use rules::{BrokenRule, NotUnderstood};
pub use signature::{CertificateSignature, MultiSignature};
pub use source::CertificateSource;
pub use stm::{MultiSignatureError, MultiSignatureVerifier, StmVerifier};
pub use timestamp::{Timestamp, TimestampError};
pub use types::{Certificate, CertificateExtras, CertificateSummary, FormatError, MAX_CERTIFICATE_BYTES};
pub use verifier::{ChainEnd, ChainError, ChainEvent, ChainLimits, ChainVerifier, VerifiedCertificate, VerifiedChain};
