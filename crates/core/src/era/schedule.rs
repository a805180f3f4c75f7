//! The eras of a chain in their order.

use crate::era::activation::EraAxis;
use crate::era::error::EraError;
use crate::era::id::EraId;
use crate::era::marker::EraMarker;
use crate::era::position::ChainPosition;

/// Holds the eras of a chain in the order in which they begin, and those that are announced without a date.
///
/// It can be made only of markers that say one thing: no era twice, no two eras at one edge. While all edges are on one
/// axis, the order in which markers are given does not matter. Edges on several axes cannot be compared by themselves, so
/// there the order given is the order of the eras, and the edges of each axis must rise along it.
///
/// Chains that switch several rules at one block make one era of them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(try_from = "Vec<EraMarker>", into = "Vec<EraMarker>")
)]
pub struct EraSchedule {
    /// Holds the markers with an edge, in the order of the eras.
    scheduled: Vec<EraMarker>,
    /// Holds the others, by name.
    announced: Vec<EraMarker>,
}

impl EraSchedule {
    /// Is the greatest number of markers: NEAR, which changes its rules most often, has had fewer than 100 protocol versions.
    pub const MAX_ERAS: usize = 1_024;

    /// Takes the markers if they make a schedule.
    ///
    /// # Errors
    /// [`EraError::NoEras`], [`EraError::TooManyEras`], [`EraError::DuplicateEra`], [`EraError::SharedEdge`], and
    /// [`EraError::OutOfOrder`] where several axes are mixed.
    pub fn try_new(markers: impl IntoIterator<Item = EraMarker>) -> Result<Self, EraError> {
        let markers: Vec<_> = markers.into_iter().take(Self::MAX_ERAS + 1).collect();
        if markers.is_empty() {
            return Err(EraError::NoEras);
        }
        if markers.len() > Self::MAX_ERAS {
            return Err(EraError::TooManyEras);
        }
        check_names(&markers)?;
        let (mut scheduled, mut announced): (Vec<_>, Vec<_>) =
            markers.into_iter().partition(|marker| marker.activation.axis().is_some());
        announced.sort_by(|a, b| a.era.cmp(&b.era));
        let axes = axes_of(&scheduled);
        if axes.len() == 1 {
            scheduled.sort_by_key(|marker| marker.activation.key());
        }
        for axis in axes {
            check_rising(&scheduled, axis)?;
        }
        Ok(Self { scheduled, announced })
    }

    /// Returns the era that a block at `position` belongs to; this is the question for decoding.
    ///
    /// # Errors
    /// [`EraError::BeforeFirstEra`], [`EraError::MissingAxis`] if the position lacks an axis of any edge, and
    /// [`EraError::Contradiction`].
    pub fn at(&self, position: &ChainPosition) -> Result<&EraMarker, EraError> {
        self.current(position)?.ok_or(EraError::BeforeFirstEra { position: *position })
    }

    /// Returns the era that holds at `position`; `None` before the first.
    ///
    /// # Errors
    /// [`EraError::MissingAxis`] and [`EraError::Contradiction`].
    pub fn current(&self, position: &ChainPosition) -> Result<Option<&EraMarker>, EraError> {
        Ok(self.begun(position)?.last())
    }

    /// Returns the era that comes after the one at `position`; `None` if no edge lies ahead.
    ///
    /// # Errors
    /// [`EraError::MissingAxis`] and [`EraError::Contradiction`].
    pub fn next(&self, position: &ChainPosition) -> Result<Option<&EraMarker>, EraError> {
        Ok(self.ahead(position)?.first())
    }

    /// Returns the eras that have begun at `position`, oldest first.
    ///
    /// # Errors
    /// [`EraError::MissingAxis`] and [`EraError::Contradiction`].
    pub fn begun(&self, position: &ChainPosition) -> Result<&[EraMarker], EraError> {
        self.split(position).map(|(begun, _)| begun)
    }

    /// Returns the eras whose edges lie ahead of `position`, the nearest first.
    ///
    /// # Errors
    /// [`EraError::MissingAxis`] and [`EraError::Contradiction`].
    pub fn ahead(&self, position: &ChainPosition) -> Result<&[EraMarker], EraError> {
        self.split(position).map(|(_, ahead)| ahead)
    }

    /// Returns the eras that have an edge, in their order.
    #[must_use]
    pub fn scheduled(&self) -> &[EraMarker] {
        &self.scheduled
    }

    /// Returns the eras that are announced without a date, by name.
    #[must_use]
    pub fn announced(&self) -> &[EraMarker] {
        &self.announced
    }

    /// Finds the marker of `era`.
    #[must_use]
    pub fn find(&self, era: &EraId) -> Option<&EraMarker> {
        self.scheduled.iter().chain(&self.announced).find(|marker| marker.era == *era)
    }

    /// Returns the axes that the edges are on, each once: a position must have all of them.
    #[must_use]
    pub fn axes(&self) -> Vec<EraAxis> {
        axes_of(&self.scheduled)
    }

    fn split(&self, position: &ChainPosition) -> Result<(&[EraMarker], &[EraMarker]), EraError> {
        let mut begun = 0;
        for (index, marker) in self.scheduled.iter().enumerate() {
            if !reached(marker, position)? {
                continue;
            }
            if index > begun {
                let earlier = self.scheduled.get(begun).unwrap_or(marker);
                return Err(EraError::Contradiction {
                    earlier: Box::new(earlier.clone()),
                    later: Box::new(marker.clone()),
                    position: Box::new(*position),
                });
            }
            begun = index + 1;
        }
        Ok(self.scheduled.split_at(begun))
    }
}

impl TryFrom<Vec<EraMarker>> for EraSchedule {
    type Error = EraError;

    fn try_from(markers: Vec<EraMarker>) -> Result<Self, EraError> {
        Self::try_new(markers)
    }
}

impl From<EraSchedule> for Vec<EraMarker> {
    fn from(schedule: EraSchedule) -> Self {
        let mut markers = schedule.scheduled;
        markers.extend(schedule.announced);
        markers
    }
}

fn reached(marker: &EraMarker, position: &ChainPosition) -> Result<bool, EraError> {
    match (marker.activation.is_reached(position), marker.activation.axis()) {
        (Some(reached), _) => Ok(reached),
        (None, None) => Ok(false),
        (None, Some(axis)) => {
            Err(EraError::MissingAxis { axis, era: marker.era.clone(), position: Box::new(*position) })
        }
    }
}

fn axes_of(scheduled: &[EraMarker]) -> Vec<EraAxis> {
    let mut axes: Vec<_> = scheduled.iter().filter_map(|marker| marker.activation.axis()).collect();
    axes.sort_unstable();
    axes.dedup();
    axes
}

fn check_names(markers: &[EraMarker]) -> Result<(), EraError> {
    let mut names: Vec<_> = markers.iter().map(|marker| &marker.era).collect();
    names.sort_unstable();
    match names.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(EraError::DuplicateEra { era: pair[0].clone() }),
        None => Ok(()),
    }
}

/// Checks that the edges on `axis` rise along the list.
fn check_rising(scheduled: &[EraMarker], axis: EraAxis) -> Result<(), EraError> {
    let on_axis = scheduled.iter().filter(|marker| marker.activation.axis() == Some(axis));
    for (earlier, later) in on_axis.clone().zip(on_axis.skip(1)) {
        let (from, to) = (earlier.activation.key(), later.activation.key());
        if from == to {
            let (first, second) = (earlier.era.clone(), later.era.clone());
            return Err(EraError::SharedEdge { first, second, edge: later.activation });
        }
        if from > to {
            let (earlier, later) = (Box::new(earlier.clone()), Box::new(later.clone()));
            return Err(EraError::OutOfOrder { earlier, later });
        }
    }
    Ok(())
}
