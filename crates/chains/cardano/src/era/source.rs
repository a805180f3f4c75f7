//! The adapters of Mithril's nodes: where markers are read. Nothing is dropped silently.

use core::fmt::{self, Debug};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use async_trait::async_trait;
use nodewright_core::{Epoch, EraError, EraId, SupportedEras};
use tokio::io::AsyncReadExt;

use super::{DatumError, EraAdapterConfig, Marker, Markers, MarkersDatum, MarkersError, MarkersPayload, PayloadError};
use crate::keys::{Signature, VerificationKey};
use crate::node::{Address, ChainReader, ChainTip, NodeError, OutputRef, UtxoDatum};

/// Reads what is said about eras at one place, valid or not.
///
/// Dropping the future loses nothing but the answer.
#[async_trait]
pub trait MarkerSource: Debug + Send + Sync + 'static {
    /// Reads the markers.
    ///
    /// # Errors
    /// [`MarkerSourceError`] when the place cannot be read. What is there and is not valid is in the answer.
    async fn read(&self) -> Result<MarkerReading, MarkerSourceError>;
}

impl EraAdapterConfig {
    /// Makes the source that the settings choose. `node` is asked by `cardano-chain` only, `eras` are those of the build.
    #[must_use]
    pub fn build(&self, node: &Arc<dyn ChainReader>, eras: &SupportedEras) -> Arc<dyn MarkerSource> {
        match self {
            Self::Bootstrap => Arc::new(BootstrapMarkers::first(eras)),
            Self::BootstrapLatest => Arc::new(BootstrapMarkers::latest(eras)),
            Self::CardanoChain { address, verification_key } => {
                Arc::new(ChainMarkers::new(Arc::clone(node), address.clone(), **verification_key))
            }
            Self::Dummy { markers } => Arc::new(DummyMarkers::new(markers.clone())),
            Self::File { markers_file } => Arc::new(FileMarkers::new(markers_file)),
        }
    }
}

/// Holds what was read at one place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MarkerReading {
    /// Holds the valid lists, in the order in which the place gives them.
    pub candidates: Vec<Candidate>,
    /// Holds what is there and is not valid.
    pub rejected: Vec<Rejected>,
    /// Is the state of the chain that they were read from; `None` if the place is no chain.
    pub tip: Option<ChainTip>,
}

/// Is a valid list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Is the list.
    pub markers: Markers,
    /// Is its signature, checked; `None` if the place signs nothing.
    pub signature: Option<Signature>,
    /// Says where it was read.
    pub origin: MarkerOrigin,
}

/// Is something that is no valid list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// Says where it was read.
    pub origin: MarkerOrigin,
    /// Says why it is not valid.
    pub reason: RejectReason,
}

/// Says why something is no valid list.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RejectReason {
    /// It is not a datum of Mithril; anybody can send one.
    #[error(transparent)]
    Datum(#[from] DatumError),
    /// It is not a payload that the key signed.
    #[error(transparent)]
    Payload(#[from] PayloadError),
}

/// Says where markers were read.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MarkerOrigin {
    /// They are of the build itself.
    Build,
    /// They are in a file.
    File(PathBuf),
    /// They are in memory.
    Memory,
    /// They are in the datum of an output.
    Output(OutputRef),
}

impl fmt::Display for MarkerOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Build => f.write_str("the build"),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Memory => f.write_str("memory"),
            Self::Output(output) => write!(f, "output {output}"),
        }
    }
}

/// Reads signed markers from the datums at an address (`cardano-chain`).
#[derive(Debug)]
pub struct ChainMarkers {
    node: Arc<dyn ChainReader>,
    address: Address,
    key: VerificationKey,
}

impl ChainMarkers {
    /// Makes a source that believes what `key` signed.
    #[must_use]
    pub fn new(node: Arc<dyn ChainReader>, address: Address, key: VerificationKey) -> Self {
        Self { node, address, key }
    }
}

#[async_trait]
impl MarkerSource for ChainMarkers {
    async fn read(&self) -> Result<MarkerReading, MarkerSourceError> {
        let answer = self.node.datums(&self.address).await?;
        let mut reading = MarkerReading { tip: Some(answer.tip), ..MarkerReading::default() };
        for datum in &answer.datums {
            let origin = MarkerOrigin::Output(datum.output);
            match open(datum, &self.key) {
                Ok((markers, signature)) => {
                    reading.candidates.push(Candidate { markers, signature: Some(signature), origin });
                }
                Err(reason) => reading.rejected.push(Rejected { origin, reason }),
            }
        }
        Ok(reading)
    }
}

/// Reads markers from a file, again with each call, unsigned (`file`).
#[derive(Clone, Debug)]
pub struct FileMarkers {
    path: PathBuf,
}

impl FileMarkers {
    /// Names the file, which holds the bare list.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }
}

#[async_trait]
impl MarkerSource for FileMarkers {
    async fn read(&self) -> Result<MarkerReading, MarkerSourceError> {
        let failed = |error: io::Error| MarkerSourceError::File { path: self.path.clone(), kind: error.kind() };
        let bytes = read_up_to(&self.path, Markers::MAX_JSON + 1).await.map_err(failed)?;
        let origin = MarkerOrigin::File(self.path.clone());
        let markers = Markers::parse(&bytes).map_err(|source| MarkerSourceError::Markers { origin, source })?;
        Ok(single(markers, MarkerOrigin::File(self.path.clone())))
    }
}

/// Holds markers in memory, to be set by a test or a program (`dummy`).
#[derive(Debug)]
pub struct DummyMarkers {
    markers: RwLock<Markers>,
}

impl DummyMarkers {
    /// Takes the first list.
    #[must_use]
    pub fn new(markers: Markers) -> Self {
        Self { markers: RwLock::new(markers) }
    }

    /// Takes another list.
    pub fn set(&self, markers: Markers) {
        *self.markers.write().unwrap_or_else(PoisonError::into_inner) = markers;
    }
}

#[async_trait]
impl MarkerSource for DummyMarkers {
    async fn read(&self) -> Result<MarkerReading, MarkerSourceError> {
        let markers = self.markers.read().unwrap_or_else(PoisonError::into_inner).clone();
        Ok(single(markers, MarkerOrigin::Memory))
    }
}

/// Lets one era of the build hold from epoch 0 (`bootstrap`, `bootstrap-latest`).
#[derive(Clone, Debug)]
pub struct BootstrapMarkers {
    era: Option<EraId>,
}

impl BootstrapMarkers {
    /// Takes the first era of the build.
    #[must_use]
    pub fn first(eras: &SupportedEras) -> Self {
        Self { era: eras.as_slice().first().cloned() }
    }

    /// Takes the last era of the build.
    #[must_use]
    pub fn latest(eras: &SupportedEras) -> Self {
        Self { era: eras.as_slice().last().cloned() }
    }
}

#[async_trait]
impl MarkerSource for BootstrapMarkers {
    async fn read(&self) -> Result<MarkerReading, MarkerSourceError> {
        let origin = MarkerOrigin::Build;
        let markers = Markers::try_new(self.era.iter().map(|era| Marker::new(era.clone(), Some(Epoch(0)))));
        let markers = markers.map_err(|source| MarkerSourceError::Markers { origin: origin.clone(), source })?;
        Ok(single(markers, origin))
    }
}

/// Says why markers could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MarkerSourceError {
    /// The file could not be read.
    #[error("era markers {}: {kind}", .path.display())]
    File {
        /// Is the file.
        path: PathBuf,
        /// Is the reason.
        kind: io::ErrorKind,
    },
    /// What was read is no list of markers.
    #[error("{origin}: {source}")]
    Markers {
        /// Says where it was read.
        origin: MarkerOrigin,
        /// Says why.
        source: MarkersError,
    },
    /// The node gave no answer.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// The list makes no schedule.
    #[error(transparent)]
    Schedule(#[from] EraError),
}

fn single(markers: Markers, origin: MarkerOrigin) -> MarkerReading {
    let candidate = Candidate { markers, signature: None, origin };
    MarkerReading { candidates: vec![candidate], ..MarkerReading::default() }
}

fn open(datum: &UtxoDatum, key: &VerificationKey) -> Result<(Markers, Signature), RejectReason> {
    let bytes = MarkersDatum::read(&datum.datum)?;
    let signed = MarkersPayload::parse(bytes.payload())?.verify(key)?;
    Ok((signed.markers().clone(), *signed.signature()))
}

async fn read_up_to(path: &Path, limit: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = tokio::fs::File::open(path).await?;
    file.take(u64::try_from(limit).unwrap_or(u64::MAX)).read_to_end(&mut bytes).await?;
    Ok(bytes)
}
