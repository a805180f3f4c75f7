//! A map keyed by scripts that answers quickly for the scripts it does not hold.

use core::fmt;
use std::collections::HashMap;

/// Maps output scripts to values.
///
/// A scanner asks for every output of every block whether its script is watched, and nearly always it is not. A small
/// bit table, looked at before the map is, answers most of those questions from a few bytes of the script.
#[derive(Clone)]
pub struct ScriptMap<V> {
    map: HashMap<Box<[u8]>, V>,
    /// One bit per slot, set if some script of the map falls into it; a power of two of them.
    slots: Box<[u64]>,
}

impl<V> ScriptMap<V> {
    /// Makes an empty map.
    #[must_use]
    pub fn new() -> Self {
        Self { map: HashMap::new(), slots: Box::new([0]) }
    }

    /// Inserts a script and returns the value it had.
    pub fn insert(&mut self, script: &[u8], value: V) -> Option<V> {
        let old = self.map.insert(script.into(), value);
        if old.is_none() {
            if self.map.len().saturating_mul(BITS_PER_SCRIPT) > self.slots.len().saturating_mul(64) {
                self.slots = vec![0; self.slots.len().saturating_mul(4)].into_boxed_slice();
                for script in self.map.keys() {
                    mark(&mut self.slots, script);
                }
            } else {
                mark(&mut self.slots, script);
            }
        }
        old
    }

    /// Returns the value of `script`.
    #[must_use]
    #[inline]
    pub fn get(&self, script: &[u8]) -> Option<&V> {
        let (word, bit) = slot(self.slots.len(), script);
        let marked = self.slots.get(word).is_some_and(|slots| slots & bit != 0);
        if marked { self.map.get(script) } else { None }
    }

    /// Returns how many scripts there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.map.len()
    }

    /// Returns whether there is no script.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.map.is_empty()
    }
}

impl<V> Default for ScriptMap<V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<V> fmt::Debug for ScriptMap<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScriptMap").field("scripts", &self.map.len()).finish_non_exhaustive()
    }
}

impl<S: AsRef<[u8]>, V> FromIterator<(S, V)> for ScriptMap<V> {
    fn from_iter<T: IntoIterator<Item = (S, V)>>(scripts: T) -> Self {
        let mut map = Self::new();
        for (script, value) in scripts {
            map.insert(script.as_ref(), value);
        }
        map
    }
}

fn mark(slots: &mut [u64], script: &[u8]) {
    let (word, bit) = slot(slots.len(), script);
    if let Some(slots) = slots.get_mut(word) {
        *slots |= bit;
    }
}

/// Returns word and bit of the slot of `script` in a table of `words` words, a power of two.
#[inline]
fn slot(words: usize, script: &[u8]) -> (usize, u64) {
    // In every standard form, the eight bytes from the fourth on lie within the hash or key.
    let sample = script.get(4..).and_then(<[u8]>::first_chunk).map_or(0, |bytes| u64::from_le_bytes(*bytes));
    let mixed = (sample ^ script.len() as u64).wrapping_mul(MULTIPLIER);
    // The upper bits depend on all the lower ones.
    let word = usize::try_from(mixed >> 32).unwrap_or_default() & words.saturating_sub(1);
    (word, 1 << (mixed >> 58))
}

/// With 16 slots for each script at most one question in 16 gets as far as the map.
const BITS_PER_SCRIPT: usize = 16;
/// The odd number nearest to 2^64 divided by the golden ratio, which spreads keys evenly (Knuth, TAOCP 3, 6.4).
const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;

    #[test]
    fn answers_as_a_hash_map_does() {
        let mut random = fastrand::Rng::with_seed(5);
        let mut script = |len| -> Vec<u8> { (0..len).map(|_| random.u8(..)).collect() };
        let mut plain = HashMap::new();
        let mut map = ScriptMap::new();
        for index in 0..3_000_usize {
            let key = script(index % 40);
            assert_eq!(map.insert(&key, index), plain.insert(key, index));
            assert_eq!(map.len(), plain.len());
        }
        for (key, value) in &plain {
            assert_eq!(map.get(key), Some(value));
        }
        for index in 0..3_000 {
            let key = script(index % 40);
            assert_eq!(map.get(&key), plain.get(&key));
        }
    }

    #[test]
    fn sends_few_unknown_scripts_to_the_map() {
        let mut random = fastrand::Rng::with_seed(6);
        let mut script = || [&[0x00, 20][..], &core::array::from_fn::<u8, 20, _>(|_| random.u8(..))].concat();
        let map: ScriptMap<()> = (0..500).map(|_| (script(), ())).collect();
        let asked = 20_000;
        let passed = (0..asked)
            .filter(|_| {
                let (word, bit) = slot(map.slots.len(), &script());
                map.slots[word] & bit != 0
            })
            .count();
        assert!(passed < asked / 10, "{passed} of {asked}");
    }

    #[test]
    fn holds_nothing_when_empty() {
        let map = ScriptMap::<u8>::default();
        assert!(map.is_empty());
        assert_eq!(map.get(&[]), None);
        assert_eq!(map.get(&[0x6a]), None);
    }
}
