//! What a schedule may not change: the eras that began at or before a final position.

use crate::era::error::EraError;
use crate::era::marker::EraMarker;
use crate::era::position::ChainPosition;
use crate::era::schedule::EraSchedule;

/// Checks `schedule` against the eras `known` that had begun when `known_at` became final, and returns the eras that have
/// begun at `finalized`, which is not before it: the known ones, then the new ones.
///
/// An old era may be left out once a later one has begun for good; nothing else of the past may differ.
pub(crate) fn begun_since(
    known: &[EraMarker],
    known_at: Option<&ChainPosition>,
    schedule: &EraSchedule,
    finalized: &ChainPosition,
) -> Result<Vec<EraMarker>, EraError> {
    let listed = schedule.begun(finalized)?;
    let Some(current) = listed.last() else {
        return Err(EraError::BeforeFirstEra { position: *finalized });
    };
    let Some(known_at) = known_at else {
        return Ok(listed.to_vec());
    };
    let rewritten = |known: Option<&EraMarker>, found: Option<&EraMarker>| {
        let era = known.or(found).unwrap_or(current).era.clone();
        let (known, found) = (known.map(|marker| marker.activation), found.map(|marker| marker.activation));
        EraError::PastRewritten { era, known, found, finalized: Box::new(*known_at) }
    };
    let place = |marker: &EraMarker| known.iter().position(|known| known.era == marker.era);
    for known in known {
        if let Some(found) = schedule.find(&known.era)
            && found.activation != known.activation
        {
            return Err(rewritten(Some(known), Some(found)));
        }
    }
    for found in listed {
        if found.activation.is_reached(known_at) != Some(false) && place(found).is_none() {
            return Err(rewritten(None, Some(found)));
        }
    }
    // The era that holds is the newest of the known ones, or a later one.
    if let (Some(newest), Some(at)) = (known.last(), place(current))
        && at + 1 != known.len()
    {
        return Err(rewritten(Some(newest), None));
    }
    let mut begun = known.to_vec();
    begun.extend(listed.iter().filter(|marker| place(marker).is_none()).cloned());
    let surplus = begun.len().saturating_sub(EraSchedule::MAX_ERAS);
    begun.drain(..surplus);
    Ok(begun)
}
