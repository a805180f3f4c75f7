//! A little Mithril network that really signs: keys, epochs, certificates, artifacts and era markers, all from a seed.
//!
//! Its certificates chain and verify by the rules of the real network; only the secret keys are known. The same seed and
//! the same calls make the same bytes.
//!
//! ```no_run
//! use nodewright_cardano::certificate::EntityKind;
//! use nodewright_cardano::sim::devnet::{Devnet, DevnetOptions};
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let mut devnet = Devnet::new(7, DevnetOptions::default())?;
//! devnet.advance_epoch()?;
//! devnet.certify(EntityKind::MithrilStakeDistribution)?;
//! devnet.certify(EntityKind::CardanoDatabase)?;
//! let server = devnet.serve()?;
//! println!("{} serves {} certificates", server.url(), devnet.chain().len());
//! # Ok(())
//! # }
//! ```

mod artifacts;
mod documents;
mod eras;
mod error;
mod options;
mod stm;

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use nodewright_core::{Epoch, EraId};
use rayon::prelude::*;
use sha2::{Digest as _, Sha256};

pub use self::error::DevnetError;
pub use self::options::DevnetOptions;
use self::stm::SignerSet;
use super::aggregator::{SimAggregator, SimContents, SimServer};
use crate::artifact::StakedSigner;
use crate::certificate::{
    AggregateVerificationKey, Certificate, CertificateExtras, CertificateHash, CertificateMetadata,
    CertificateSignature, EntityKind, MessageHash, MessagePartKey, ProtocolMessage, SignedEntity, StakeParty,
    Timestamp,
};
use crate::era::{Marker, Markers};
use crate::keys::SigningKey;
use crate::network::MithrilNetwork;
use crate::units::Stake;

/// Is a network of Mithril with one aggregator.
#[derive(Debug)]
pub struct Devnet {
    seed: [u8; 32],
    options: DevnetOptions,
    epoch: Epoch,
    /// Keeps the signers by the number of their set; an old set is dropped once there are many.
    sets: BTreeMap<u64, Arc<SignerSet>>,
    chain: Vec<Certificate>,
    /// The first certificate of the last certified epoch: to it later ones link.
    master: (Epoch, CertificateHash),
    /// Counts the certificates of this epoch.
    sealed: i64,
    /// Counts the trios of immutable files that are served.
    trios: u64,
    markers: Markers,
    aggregator: SimAggregator,
}

impl Devnet {
    /// Makes a network in its first epoch, with its genesis certificate.
    ///
    /// # Errors
    /// [`DevnetError::Stm`] if the parameters are unusable.
    pub fn new(seed: u64, options: DevnetOptions) -> Result<Self, DevnetError> {
        let seed = Sha256::new().chain_update(b"nodewright-devnet").chain_update(seed.to_be_bytes()).finalize().into();
        let era = EraId::try_new(FIRST_ERA).map_err(DevnetError::markers)?;
        let markers = Markers::try_new([Marker::new(era, Some(Epoch(0)))]).map_err(DevnetError::markers)?;
        let mut devnet = Self {
            seed,
            epoch: options.first_epoch,
            sets: BTreeMap::new(),
            chain: Vec::new(),
            master: (options.first_epoch, CertificateHash([0; 32])),
            sealed: 0,
            trios: 0,
            options,
            markers,
            aggregator: SimAggregator::new(SimContents::default()),
        };
        devnet.enter_epoch()?;
        let genesis = devnet.genesis()?;
        devnet.append(genesis);
        Ok(devnet)
    }

    /// Returns what a verifier needs to trust: name, genesis key, ancillary key.
    #[must_use]
    pub fn network(&self) -> MithrilNetwork {
        let genesis = self.secret("genesis").verification_key();
        MithrilNetwork::custom("devnet", self.options.network.clone(), genesis)
            .with_ancillary_key(self.secret("ancillary").verification_key())
    }

    /// Returns the epoch that it is in.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Returns all certificates, the genesis first.
    #[must_use]
    pub fn chain(&self) -> &[Certificate] {
        &self.chain
    }

    /// Returns who signs in an epoch.
    ///
    /// # Errors
    /// [`DevnetError::Stm`].
    pub fn signers(&mut self, epoch: Epoch) -> Result<Vec<StakedSigner>, DevnetError> {
        Ok(self.set(epoch)?.public.clone())
    }

    /// Returns its aggregator, to plant faults or change its regime.
    #[must_use]
    pub fn aggregator(&self) -> &SimAggregator {
        &self.aggregator
    }

    /// Serves the aggregator on a port of 127.0.0.1; what happens later is served too.
    ///
    /// # Errors
    /// When no port can be bound, or no Tokio runtime runs here.
    pub fn serve(&self) -> io::Result<SimServer> {
        self.aggregator.serve()
    }

    /// Goes on to the next epoch. Nothing is certified by that: an epoch without a certificate is a gap in the chain.
    ///
    /// # Errors
    /// [`DevnetError::Stm`].
    pub fn advance_epoch(&mut self) -> Result<Epoch, DevnetError> {
        self.epoch = Epoch(self.epoch.0.saturating_add(1));
        self.sealed = 0;
        self.enter_epoch()?;
        Ok(self.epoch)
    }

    /// Goes through `epochs` epochs, each with one certificate of its signers.
    ///
    /// # Errors
    /// [`DevnetError::Stm`].
    pub fn run(&mut self, epochs: u64) -> Result<(), DevnetError> {
        for done in 0..epochs {
            if done % AT_ONCE == 0 {
                self.prepare(AT_ONCE.min(epochs - done))?;
            }
            self.advance_epoch()?;
            self.certify(EntityKind::MithrilStakeDistribution)?;
        }
        Ok(())
    }

    /// Has the signers of this epoch certify something of `kind`: a Mithril or Cardano stake distribution, or the
    /// database. It is signed even if the chain has a gap.
    ///
    /// # Errors
    /// [`DevnetError`], see there.
    pub fn certify(&mut self, kind: EntityKind) -> Result<&Certificate, DevnetError> {
        if self.epoch == self.options.first_epoch {
            return Err(DevnetError::GenesisEpoch);
        }
        let artifact = self.artifact(kind)?;
        let signers = self.set(self.epoch)?;
        let message =
            artifact.parts.iter().fold(self.message()?, |message, (key, value)| message.with_part(*key, value));
        let signed_message = hash_of(&message)?;
        let (signature, parties) = signers.sign(signed_message.to_string().as_bytes())?;
        let signature = CertificateSignature::Multi(signature);
        let mut certificate = self.certificate(artifact.entity.clone(), message, signed_message, signature);
        certificate.metadata.signers = parties;
        certificate.previous_hash = Some(self.master.1);
        certificate.aggregate_verification_key = signers.key.clone();
        let certificate = self.append(sealed(certificate)?);
        self.publish(artifact, certificate)?;
        // The chain has just grown.
        self.chain.last().ok_or(DevnetError::GenesisEpoch)
    }

    fn genesis(&mut self) -> Result<Certificate, DevnetError> {
        let message = self.message()?;
        let signed_message = hash_of(&message)?;
        let signature = self.secret("genesis").sign(signed_message.to_string().as_bytes());
        let entity = SignedEntity::MithrilStakeDistribution(self.epoch);
        let signature = CertificateSignature::Genesis(signature);
        sealed(self.certificate(entity, message, signed_message, signature))
    }

    /// The parts that every message has.
    fn message(&mut self) -> Result<ProtocolMessage, DevnetError> {
        let next = self.set(Epoch(self.epoch.0.saturating_add(1)))?;
        Ok(ProtocolMessage::new()
            .with_part(MessagePartKey::NextAggregateVerificationKey, next.key.as_str())
            .with_part(MessagePartKey::NextProtocolParameters, hex::encode(self.options.parameters.compute_hash()))
            .with_part(MessagePartKey::CurrentEpoch, self.epoch.to_string()))
    }

    /// A certificate without a hash, as the genesis has it: with the key of the next epoch, and without a previous one.
    fn certificate(
        &self,
        signed_entity: SignedEntity,
        protocol_message: ProtocolMessage,
        signed_message: MessageHash,
        signature: CertificateSignature,
    ) -> Certificate {
        let next_key = protocol_message.part(MessagePartKey::NextAggregateVerificationKey).unwrap_or_default();
        let aggregate_verification_key = AggregateVerificationKey::from_text(next_key);
        Certificate {
            hash: CertificateHash([0; 32]),
            previous_hash: None,
            epoch: self.epoch,
            signed_entity,
            beacon: None,
            metadata: CertificateMetadata {
                network: self.options.network.name().to_owned(),
                version: "0.1.0".to_owned(),
                parameters: self.options.parameters,
                initiated_at: self.time(0),
                sealed_at: self.time(SEALED_AFTER),
                signers: Vec::new(),
            },
            protocol_message,
            signed_message,
            aggregate_verification_key,
            signature,
            extras: CertificateExtras::default(),
        }
    }

    fn append(&mut self, certificate: Certificate) -> CertificateHash {
        let hash = certificate.hash;
        if self.master.0 != certificate.epoch || certificate.is_genesis() {
            self.master = (certificate.epoch, hash);
        }
        self.sealed = self.sealed.saturating_add(1);
        if let Ok(json) = serde_json::to_value(&certificate) {
            self.aggregator.update(|contents| contents.put_certificate(json));
        }
        self.chain.push(certificate);
        hash
    }

    /// Makes or finds the signers of an epoch.
    fn set(&mut self, epoch: Epoch) -> Result<Arc<SignerSet>, DevnetError> {
        let number = epoch.0 / self.options.epochs_per_key.get();
        if let Some(set) = self.sets.get(&number) {
            return Ok(set.clone());
        }
        let set = Arc::new(self.make_set(number)?);
        self.keep([(number, set.clone())]);
        Ok(set)
    }

    fn make_set(&self, number: u64) -> Result<SignerSet, DevnetError> {
        let seed = self.derive(&format!("signers {number}"));
        SignerSet::try_new(seed, self.parties(number), &self.options.parameters)
    }

    /// Makes the signers of the next epochs on all cores: that is most of the work.
    fn prepare(&mut self, epochs: u64) -> Result<(), DevnetError> {
        let number = |ahead| self.epoch.0.saturating_add(ahead) / self.options.epochs_per_key.get();
        // The signers of two epochs ahead register already.
        let missing: Vec<_> = (number(0)..=number(epochs.saturating_add(2))).collect();
        let missing = missing.into_par_iter().filter(|number| !self.sets.contains_key(number));
        let made = missing.map(|number| Ok((number, Arc::new(self.make_set(number)?))));
        let made: Vec<_> = made.collect::<Result<_, DevnetError>>()?;
        self.keep(made);
        Ok(())
    }

    fn keep(&mut self, sets: impl IntoIterator<Item = (u64, Arc<SignerSet>)>) {
        self.sets.extend(sets);
        while self.sets.len() > MOST_SETS {
            self.sets.pop_first();
        }
    }

    /// The parties of a set. Their ids stay; their stake changes a little with each set.
    fn parties(&self, number: u64) -> Vec<StakeParty> {
        let party = |index: u32| {
            let id = self.derive(&format!("pool {index}"));
            let party_id = pool_id(&id);
            let change = self.derive(&format!("stake {number} {index}"))[0];
            let stake = STAKE.saturating_mul(1000 + u64::from(change));
            StakeParty { party_id, stake: Stake(stake) }
        };
        (0..self.options.signers.get()).map(party).collect()
    }

    /// An instant so many nanoseconds after the beginning of the next certificate.
    fn time(&self, after: i64) -> Timestamp {
        let epoch = i64::try_from(self.epoch.0).unwrap_or(i64::MAX);
        let within = self.sealed.saturating_mul(PACE).saturating_add(after);
        Timestamp::from_nanos(START.saturating_add(epoch.saturating_mul(EPOCH)).saturating_add(within))
    }

    fn secret(&self, what: &str) -> SigningKey {
        SigningKey::from_bytes(&self.derive(what))
    }

    fn derive(&self, what: &str) -> [u8; 32] {
        Sha256::new().chain_update(self.seed).chain_update(what).finalize().into()
    }
}

/// Gives a certificate the hash of its content.
fn sealed(mut certificate: Certificate) -> Result<Certificate, DevnetError> {
    certificate.hash = certificate.compute_hash().map_err(DevnetError::stm)?;
    Ok(certificate)
}

fn hash_of(message: &ProtocolMessage) -> Result<MessageHash, DevnetError> {
    message.compute_hash().map_err(DevnetError::stm)
}

/// The bech32 id of a pool.
fn pool_id(bytes: &[u8; 32]) -> String {
    let (id, _) = bytes.split_at(28);
    // The prefix is a lawful one, and 28 bytes are not too long.
    bech32::Hrp::parse("pool")
        .ok()
        .and_then(|prefix| bech32::encode::<bech32::Bech32>(prefix, id).ok())
        .unwrap_or_default()
}

/// The era that holds from the start: the first one of `mithril-common` 0.8.
const FIRST_ERA: &str = "pythagoras";
/// How many sets of signers are kept: twice as many as are made at once.
const MOST_SETS: usize = 64;
/// For how many epochs signers are made at once.
const AT_ONCE: u64 = 16;
/// A pool's stake is a thousand of these and up to 255 more, in lovelace.
const STAKE: u64 = 1_000_000_000;
/// The beginning of epoch 0: the first second of 2026.
const START: i64 = 1_767_225_600_000_000_000;
/// The length of an epoch: an hour, so that thousands of them fit.
const EPOCH: i64 = 3_600_000_000_000;
/// A certificate begins each 10 s.
const PACE: i64 = 10_000_000_000;
/// A certificate is sealed 2 s after it begins.
const SEALED_AFTER: i64 = 2_000_000_000;
