//! The era that holds now, for readers on many threads.

use core::fmt;
use core::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;

use crate::era::activation::Activation;
use crate::era::error::EraError;
use crate::era::id::EraId;
use crate::era::marker::EraMarker;
use crate::era::supported::SupportedEras;
use crate::time::BlockTime;
use crate::units::{BlockHeight, Epoch, ProtocolVersion};

/// Tells readers on any thread which era holds, and since which edge. Clones share one stamp.
///
/// The era and its edge are packed into one 64-bit word, so a reader sees the pair that one update wrote, and reading is
/// one atomic load: it takes no lock and never waits, neither for the writer nor for other readers. The one writer is the
/// [`EraChecker`](crate::EraChecker) that the stamp comes from. What a thread wrote before an update is visible to
/// whoever reads that update.
///
/// For the edge 51 bits are left: a protocol version has 26 bits for its major and 25 for its minor number.
#[derive(Clone)]
pub struct EraStamp {
    shared: Arc<Shared>,
}

struct Shared {
    eras: SupportedEras,
    word: AtomicU64,
}

impl EraStamp {
    pub(crate) fn new(eras: SupportedEras) -> Self {
        Self { shared: Arc::new(Shared { eras, word: AtomicU64::new(UNKNOWN) }) }
    }

    /// Returns what holds now.
    #[must_use]
    pub fn read(&self) -> EraStanding<'_> {
        let word = self.shared.word.load(Ordering::Acquire);
        let place = match word & PLACE_MASK {
            UNKNOWN => return EraStanding::Unknown,
            HALTED => return EraStanding::Halted,
            place => usize::try_from(place - FIRST_PLACE).unwrap_or(usize::MAX),
        };
        match self.shared.eras.as_slice().get(place) {
            Some(era) => EraStanding::Active { era, since: unpack_edge(word >> PLACE_BITS) },
            None => EraStanding::Unknown,
        }
    }

    /// Returns the era that holds; `None` before the first was entered, and after a halt.
    #[must_use]
    pub fn current(&self) -> Option<&EraId> {
        match self.read() {
            EraStanding::Active { era, .. } => Some(era),
            EraStanding::Halted | EraStanding::Unknown => None,
        }
    }

    /// Returns the edge at which the era that holds began; `None` as for [`EraStamp::current`]. To have both of one
    /// update, use [`EraStamp::read`].
    #[must_use]
    pub fn since(&self) -> Option<Activation> {
        match self.read() {
            EraStanding::Active { since, .. } => Some(since),
            EraStanding::Halted | EraStanding::Unknown => None,
        }
    }

    /// Returns whether `era` is the one that holds. After a halt none is.
    #[must_use]
    pub fn is_active(&self, era: &EraId) -> bool {
        self.current() == Some(era)
    }

    /// Returns the eras that a stamp can name.
    #[must_use]
    pub fn supported(&self) -> &SupportedEras {
        &self.shared.eras
    }

    /// Finds the word that says that `marker` holds.
    pub(crate) fn word_for(&self, marker: &EraMarker) -> Result<u64, EraError> {
        let place = self.shared.eras.require(&marker.era)?;
        let place = u64::try_from(place).unwrap_or(u64::MAX).saturating_add(FIRST_PLACE);
        match pack_edge(marker.activation) {
            Some(edge) if place <= PLACE_MASK => Ok(edge << PLACE_BITS | place),
            _ => Err(EraError::EdgeTooFar { marker: Box::new(marker.clone()) }),
        }
    }

    pub(crate) fn publish(&self, word: u64) {
        self.shared.word.store(word, Ordering::Release);
    }

    pub(crate) fn halt(&self) {
        self.publish(HALTED);
    }
}

impl fmt::Debug for EraStamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("EraStamp").field(&self.read()).finish()
    }
}

/// Says what holds now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EraStanding<'a> {
    /// This era holds.
    Active {
        /// Names the era.
        era: &'a EraId,
        /// Is the edge at which it began.
        since: Activation,
    },
    /// The era that holds is not supported.
    Halted,
    /// No era was entered yet.
    Unknown,
}

/// Packs an edge into 2 bits for the axis and 51 for the number.
fn pack_edge(edge: Activation) -> Option<u64> {
    let (axis, number) = match edge {
        Activation::Epoch(epoch) => (0, epoch.0),
        Activation::Height(height) => (1, height.0),
        Activation::Time(time) => (2, time.0),
        Activation::Protocol(ProtocolVersion { major, minor }) => {
            let fits = major >> (NUMBER_BITS - MINOR_BITS) == 0 && minor >> MINOR_BITS == 0;
            (3, if fits { major << MINOR_BITS | minor } else { u64::MAX })
        }
        Activation::Unscheduled => return None,
    };
    (number >> NUMBER_BITS == 0).then_some(number << AXIS_BITS | axis)
}

fn unpack_edge(packed: u64) -> Activation {
    let number = packed >> AXIS_BITS;
    match packed & AXIS_MASK {
        0 => Activation::Epoch(Epoch(number)),
        1 => Activation::Height(BlockHeight(number)),
        2 => Activation::Time(BlockTime(number)),
        _ => Activation::Protocol(ProtocolVersion::new(number >> MINOR_BITS, number & ((1 << MINOR_BITS) - 1))),
    }
}

/// Holds a place in the list of supported eras, which has at most 1,024, after two words of its own.
const PLACE_BITS: u32 = 11;
const PLACE_MASK: u64 = (1 << PLACE_BITS) - 1;
const UNKNOWN: u64 = 0;
const HALTED: u64 = 1;
const FIRST_PLACE: u64 = 2;
const AXIS_BITS: u32 = 2;
const AXIS_MASK: u64 = (1 << AXIS_BITS) - 1;
const NUMBER_BITS: u32 = 64 - PLACE_BITS - AXIS_BITS;
const MINOR_BITS: u32 = 25;

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;
    use std::thread;

    use super::*;
    use crate::era::schedule::EraSchedule;

    fn eras(count: usize) -> SupportedEras {
        SupportedEras::try_new((0..count).map(|n| EraId::try_new(format!("era-{n}")).unwrap())).unwrap()
    }

    #[test]
    fn the_greatest_edge_of_each_axis_at_either_end_of_a_full_list_comes_back_as_it_went_in() {
        let eras = eras(EraSchedule::MAX_ERAS);
        let stamp = EraStamp::new(eras.clone());
        let most = (1 << 51) - 1;
        let edges = [
            Activation::Epoch(Epoch(most)),
            Activation::Height(BlockHeight(0)),
            Activation::Height(BlockHeight(most)),
            Activation::Time(BlockTime(most)),
            Activation::Protocol(ProtocolVersion::new((1 << 26) - 1, (1 << 25) - 1)),
            Activation::Protocol(ProtocolVersion::new(9, 1)),
        ];
        for era in [eras.as_slice().first().unwrap(), eras.as_slice().last().unwrap()] {
            for since in edges {
                stamp.publish(stamp.word_for(&EraMarker::new(era.clone(), since)).unwrap());
                assert_eq!(stamp.read(), EraStanding::Active { era, since });
                assert!(stamp.is_active(era) && stamp.since() == Some(since));
            }
        }
        stamp.halt();
        assert_eq!((stamp.read(), stamp.current()), (EraStanding::Halted, None));
    }

    #[test]
    fn an_edge_that_does_not_fit_is_an_error_and_not_another_edge() {
        let stamp = EraStamp::new(eras(1));
        let era = EraId::try_new("era-0").unwrap();
        for edge in [
            Activation::Height(BlockHeight(1 << 51)),
            Activation::Epoch(Epoch(u64::MAX)),
            Activation::Protocol(ProtocolVersion::new(1 << 26, 0)),
            Activation::Protocol(ProtocolVersion::new(1, 1 << 25)),
            Activation::Unscheduled,
        ] {
            let error = stamp.word_for(&EraMarker::new(era.clone(), edge)).unwrap_err();
            assert!(matches!(error, EraError::EdgeTooFar { .. }), "{error}");
        }
        let unknown = EraMarker::new(EraId::try_new("other").unwrap(), Activation::Epoch(Epoch(1)));
        assert!(matches!(stamp.word_for(&unknown), Err(EraError::Unsupported { .. })));
    }

    const READERS: usize = 8;
    const ERAS: u64 = 7;

    /// Lets one thread write the pairs `(n % ERAS, n)` while eight read; returns whether any read another pair.
    fn tears(updates: u64, write: impl Fn(u64) + Sync, read: impl Fn() -> Option<(u64, u64)> + Sync) -> bool {
        let (done, torn) = (AtomicBool::new(false), AtomicBool::new(false));
        thread::scope(|scope| {
            for _ in 0..READERS {
                scope.spawn(|| {
                    while !done.load(Ordering::Relaxed) {
                        if read().is_some_and(|(place, since)| place != since % ERAS) {
                            torn.store(true, Ordering::Relaxed);
                        }
                    }
                });
            }
            for n in 0..updates {
                write(n);
                if torn.load(Ordering::Relaxed) {
                    break;
                }
                if n % 2_048 == 0 {
                    thread::yield_now();
                }
            }
            done.store(true, Ordering::Relaxed);
        });
        torn.into_inner()
    }

    #[test]
    fn eight_threads_never_see_the_era_of_one_update_with_the_edge_of_another() {
        let eras = eras(7);
        let stamp = EraStamp::new(eras.clone());
        let write = |n: u64| {
            let era = eras.as_slice()[usize::try_from(n % ERAS).unwrap()].clone();
            stamp.publish(stamp.word_for(&EraMarker::new(era, Activation::Height(BlockHeight(n)))).unwrap());
        };
        let read = || match stamp.read() {
            EraStanding::Active { era, since: Activation::Height(since) } => {
                Some((u64::try_from(eras.require(era).unwrap()).unwrap(), since.0))
            }
            _ => None,
        };
        assert!(!tears(200_000, write, read));
    }

    #[test]
    fn the_same_eight_threads_do_see_it_where_the_pair_is_two_words() {
        let (place, since) = (AtomicU64::new(0), AtomicU64::new(0));
        let write = |n: u64| {
            place.store(n % ERAS, Ordering::SeqCst);
            since.store(n, Ordering::SeqCst);
        };
        let read = || Some((place.load(Ordering::SeqCst), since.load(Ordering::SeqCst)));
        assert!(tears(u64::MAX, write, read));
    }
}
