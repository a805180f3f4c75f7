//! Era markers of a simulated network: announced, scheduled, active, removed.

use nodewright_core::{Epoch, EraId};

use super::documents::status_era;
use super::error::DevnetError;
use super::{Devnet, FIRST_ERA};
use crate::era::{Marker, Markers, MarkersDatum, SignedMarkers};
use crate::keys::VerificationKey;

impl Devnet {
    /// Announces an era, without a date.
    ///
    /// # Errors
    /// [`DevnetError::Markers`] if the list would be too long.
    pub fn announce_era(&mut self, era: EraId) -> Result<&Markers, DevnetError> {
        self.mark(era, None)
    }

    /// Lets an era begin with `epoch`, announced before or not.
    ///
    /// # Errors
    /// As [`Devnet::announce_era`].
    pub fn schedule_era(&mut self, era: EraId, epoch: Epoch) -> Result<&Markers, DevnetError> {
        self.mark(era, Some(epoch))
    }

    /// Lets an era begin with this epoch.
    ///
    /// # Errors
    /// As [`Devnet::announce_era`].
    pub fn activate_era(&mut self, era: EraId) -> Result<&Markers, DevnetError> {
        self.mark(era, Some(self.epoch))
    }

    /// Takes an era out of the list.
    ///
    /// # Errors
    /// As [`Devnet::announce_era`].
    pub fn remove_era(&mut self, era: &EraId) -> Result<&Markers, DevnetError> {
        let kept: Vec<_> = self.markers.as_slice().iter().filter(|marker| marker.name != *era).cloned().collect();
        self.take(kept)
    }

    /// Returns the markers in the order in which they came.
    #[must_use]
    pub fn markers(&self) -> &Markers {
        &self.markers
    }

    /// Returns the name of the era that holds.
    #[must_use]
    pub fn era(&self) -> String {
        let current = self.markers.current(self.epoch);
        current.map_or_else(|| FIRST_ERA.to_owned(), |marker| marker.name.to_string())
    }

    /// Returns the key that signs the markers.
    #[must_use]
    pub fn era_key(&self) -> VerificationKey {
        self.secret("era").verification_key()
    }

    /// Returns the markers, signed.
    #[must_use]
    pub fn signed_markers(&self) -> SignedMarkers {
        SignedMarkers::sign(self.markers.clone(), &self.secret("era"))
    }

    /// Returns the markers as they stand in a datum on chain, for a [`crate::sim::node::SimNode`].
    ///
    /// # Errors
    /// [`DevnetError::Markers`] if they do not fit into a datum.
    pub fn era_datum(&self) -> Result<MarkersDatum, DevnetError> {
        MarkersDatum::try_new(self.signed_markers().to_json()).map_err(DevnetError::markers)
    }

    fn mark(&mut self, era: EraId, epoch: Option<Epoch>) -> Result<&Markers, DevnetError> {
        let mut markers = self.markers.as_slice().to_vec();
        match markers.iter_mut().find(|marker| marker.name == era) {
            Some(marker) => marker.epoch = epoch,
            None => markers.push(Marker::new(era, epoch)),
        }
        self.take(markers)
    }

    fn take(&mut self, markers: Vec<Marker>) -> Result<&Markers, DevnetError> {
        self.markers = Markers::try_new(markers).map_err(DevnetError::markers)?;
        let era = self.era();
        self.aggregator.update(|contents| status_era(contents, &era));
        Ok(&self.markers)
    }
}
