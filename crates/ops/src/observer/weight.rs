//! How many confirmations the value of a block's deposits asks for: the formula of THORChain's bifrost, as integers.

use nodewright_core::{Amount, BlockDelta, BlockHeight};

/// Weighs deposits against what it costs to take a block back.
///
/// Undoing `n` blocks forgoes `n` rewards. So deposits that sum up to `s` in one block ask for `s / (r * m)` blocks,
/// where `r` is the reward of that block and `m` the multiplier. It weighs *your* deposits, not the chain: it makes
/// nothing final, and is a pure function of chain data, so that every operator comes to the same height.
///
/// Source: `getBlockRequiredConfirmation` in THORNode `bifrost/pkg/chainclients/utxo/client.go`. There, too, the
/// quotient is rounded down, the cap is applied before the floor, and a multiplier that the network does not set is
/// 10,000. bifrost rounds the product `r * m` to a whole unit before it divides; here nothing is rounded before the
/// quotient, which is the same unless `r * m` is a fraction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ValueWeight {
    /// Multiplies the reward, in hundredths of a percent: 10,000 is 1. Smaller asks for more confirmations.
    pub multiplier_bps: u32,
    /// Is the least number of confirmations. Wins over `max` where the two contradict each other.
    pub min: BlockDelta,
    /// Is the most confirmations; `None` for no cap.
    pub max: Option<BlockDelta>,
}

impl ValueWeight {
    /// Returns how many confirmations deposits of `total_in_block` ask for: `total * 10_000 / (reward * multiplier_bps)`
    /// rounded down, then at most `max`, then at least `min`.
    ///
    /// Exact for every input; a quotient beyond `u64` counts as `u64::MAX`.
    ///
    /// # Errors
    /// [`WeightError::NoReward`] when the block's reward is not known, [`WeightError::ZeroReward`] when the block paid
    /// none (whoever wants a default passes it as the reward), [`WeightError::ZeroMultiplier`].
    pub fn required(&self, total_in_block: Amount, reward: Option<Amount>) -> Result<BlockDelta, WeightError> {
        if self.multiplier_bps == 0 {
            return Err(WeightError::ZeroMultiplier);
        }
        let reward = match reward {
            None => return Err(WeightError::NoReward),
            Some(Amount(0)) => return Err(WeightError::ZeroReward),
            Some(Amount(reward)) => reward,
        };
        let blocks = BlockDelta(quotient(total_in_block.0, reward, self.multiplier_bps));
        let capped = self.max.map_or(blocks, |max| blocks.min(max));
        Ok(capped.max(self.min))
    }

    /// Weighs deposits of `total_in_block` in the block at `height`.
    ///
    /// # Errors
    /// As [`ValueWeight::required`]; [`WeightError::HeightOverflow`] when the height would not fit.
    pub fn weigh(
        &self,
        height: BlockHeight,
        total_in_block: Amount,
        reward: Option<Amount>,
    ) -> Result<Weighed, WeightError> {
        let required = self.required(total_in_block, reward)?;
        let finalise_height = height.checked_add(required).ok_or(WeightError::HeightOverflow { height, required })?;
        Ok(Weighed { required, finalise_height })
    }
}

/// Holds what a weight asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weighed {
    /// Counts the blocks wanted on top of the deposit's block.
    pub required: BlockDelta,
    /// Is the height of the tip at which there are enough.
    pub finalise_height: BlockHeight,
}

impl Weighed {
    /// Returns whether a chain whose newest block is at `tip` has enough confirmations.
    #[must_use]
    pub fn enough(&self, tip: BlockHeight) -> bool {
        tip >= self.finalise_height
    }
}

/// Says why deposits cannot be weighed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WeightError {
    /// The sum of height and confirmations does not fit.
    #[error("{required} confirmations on top of height {height} are beyond the largest height")]
    HeightOverflow {
        /// Is the deposit's height.
        height: BlockHeight,
        /// Counts the confirmations.
        required: BlockDelta,
    },
    /// What the block's producer was paid is not known.
    #[error("the block's reward is not known")]
    NoReward,
    /// The multiplier is 0, which would ask for infinitely many confirmations.
    #[error("the multiplier is 0")]
    ZeroMultiplier,
    /// The block's producer was paid nothing, so taking the block back costs nothing.
    #[error("the block paid no reward")]
    ZeroReward,
}

/// Returns `total * 10_000 / (reward * bps)` rounded down, or `u64::MAX` if it is more.
///
/// Neither product need fit into 128 bits, so the quotient is searched for: the largest `q` with
/// `q * bps * reward <= total * 10_000`. `q * bps` has at most 96 bits.
fn quotient(total: u128, reward: u128, bps: u32) -> u64 {
    let dividend = wide_product(total, WHOLE_BPS);
    let fits = |q: u64| wide_product(u128::from(q) * u128::from(bps), reward) <= dividend;
    let (mut low, mut high) = (0_u64, u64::MAX);
    while low < high {
        let middle = high - (high - low) / 2;
        if fits(middle) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    low
}

/// Returns `a * b` as its high and low 128 bits.
fn wide_product(a: u128, b: u128) -> (u128, u128) {
    let half = |x: u128| (x >> 64, x & u128::from(u64::MAX));
    let ((a1, a0), (b1, b0)) = (half(a), half(b));
    let low = a0 * b0;
    let (middle, carried) = (a1 * b0).overflowing_add(a0 * b1);
    let (sum, overflowed) = low.overflowing_add(middle << 64);
    let high = a1 * b1 + (middle >> 64) + (u128::from(carried) << 64) + u128::from(overflowed);
    (high, sum)
}

/// Is 1 in hundredths of a percent.
const WHOLE_BPS: u128 = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn weight(multiplier_bps: u32, min: u64, max: Option<u64>) -> ValueWeight {
        ValueWeight { multiplier_bps, min: BlockDelta(min), max: max.map(BlockDelta) }
    }

    #[test]
    fn required_confirmations_follow_the_table() {
        const COIN: u128 = 100_000_000;
        let all = u128::MAX;
        // What it shows, total, reward, multiplier, least, most, and the answer.
        let table = [
            ("nothing paid", 0, 5 * COIN, 10_000, 0, None, 0),
            ("one unit below a reward", 5 * COIN - 1, 5 * COIN, 10_000, 0, None, 0),
            ("exactly a reward", 5 * COIN, 5 * COIN, 10_000, 0, None, 1),
            ("one unit above a reward", 5 * COIN + 1, 5 * COIN, 10_000, 0, None, 1),
            ("one unit below two rewards", 10 * COIN - 1, 5 * COIN, 10_000, 0, None, 1),
            ("half the reward counts", 5 * COIN, 5 * COIN, 5_000, 0, None, 2),
            ("twice the reward counts", 15 * COIN, 5 * COIN, 20_000, 0, None, 1),
            ("a hundredth of a percent", 1, 1, 1, 0, None, 10_000),
            ("an odd multiplier rounds only once", 10, 3, 3_333, 0, None, 10),
            ("the floor lifts", 0, 5 * COIN, 10_000, 2, None, 2),
            ("the floor is met", 10 * COIN, 5 * COIN, 10_000, 2, Some(9), 2),
            ("the cap cuts", 500 * COIN, 5 * COIN, 10_000, 1, Some(9), 9),
            ("the cap is met", 45 * COIN, 5 * COIN, 10_000, 1, Some(9), 9),
            ("a cap of zero", 45 * COIN, 5 * COIN, 10_000, 0, Some(0), 0),
            ("the floor wins against a lower cap", 500 * COIN, 5 * COIN, 10_000, 6, Some(3), 6),
            ("all there can be against itself", all, all, 10_000, 0, None, 1),
            ("all there can be, largest multiplier", all, all, u32::MAX, 0, None, 0),
            ("all there can be, smallest multiplier", all, all, 1, 0, None, 10_000),
            ("beyond 64 bits", all, 1, 1, 0, None, u64::MAX),
            ("the largest quotient that fits", u128::from(u64::MAX), 1, 10_000, 0, None, u64::MAX),
            ("one less than that", u128::from(u64::MAX) - 1, 1, 10_000, 0, None, u64::MAX - 1),
            ("beyond 64 bits, capped", all, 1, 1, 0, Some(7), 7),
        ];
        for (name, total, reward, bps, min, max, expected) in table {
            let answer = weight(bps, min, max).required(Amount(total), Some(Amount(reward)));
            assert_eq!(answer, Ok(BlockDelta(expected)), "{name}");
        }
    }

    #[test]
    fn a_reward_that_is_absent_or_zero_is_an_answer_of_its_own() {
        let weight = weight(10_000, 1, None);
        assert_eq!(weight.required(Amount(1), None), Err(WeightError::NoReward));
        assert_eq!(weight.required(Amount(0), Some(Amount(0))), Err(WeightError::ZeroReward));
        let broken = ValueWeight { multiplier_bps: 0, ..weight };
        assert_eq!(broken.required(Amount(1), Some(Amount(1))), Err(WeightError::ZeroMultiplier));
    }

    #[test]
    fn quotient_agrees_with_plain_division_wherever_that_fits() {
        let mut rng = fastrand::Rng::with_seed(1);
        for _ in 0..10_000 {
            let bits = rng.u32(1..90);
            let (total, reward, bps) = (rng.u128(..1 << 100), rng.u128(1..1 << bits), rng.u32(1..200_000));
            let plain = total * WHOLE_BPS / (reward * u128::from(bps));
            let expected = u64::try_from(plain).unwrap_or(u64::MAX);
            assert_eq!(quotient(total, reward, bps), expected, "{total} {reward} {bps}");
        }
    }

    #[test]
    fn wide_product_agrees_with_schoolbook_squares() {
        assert_eq!(wide_product(u128::MAX, u128::MAX), (u128::MAX - 1, 1));
        assert_eq!(wide_product(u128::MAX, 2), (1, u128::MAX - 1));
        assert_eq!(wide_product(1 << 64, 1 << 64), (1, 0));
        assert_eq!(wide_product(3, 5), (0, 15));
    }

    #[test]
    fn enough_is_reached_at_the_finalise_height_and_not_before() {
        let weighed = weight(10_000, 0, None).weigh(BlockHeight(100), Amount(35), Some(Amount(10))).unwrap();
        assert_eq!(weighed, Weighed { required: BlockDelta(3), finalise_height: BlockHeight(103) });
        assert!(!weighed.enough(BlockHeight(102)));
        assert!(weighed.enough(BlockHeight(103)));
        let error = weight(1, 0, None).weigh(BlockHeight(u64::MAX), Amount(1), Some(Amount(1))).unwrap_err();
        assert!(matches!(error, WeightError::HeightOverflow { .. }));
    }
}
