//! The parameters of the lottery that decides who signs.

use core::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest as _, Sha256};

/// Holds the parameters of the multi-signature scheme: of `m` lotteries, winning tickets for `k` make a quorum.
///
/// Two sets are equal if `phi_f` is equal in the fixed-point form that Mithril hashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProtocolParameters {
    /// Holds how many lotteries must be won for a quorum.
    pub k: u64,
    /// Holds how many lotteries there are.
    pub m: u64,
    /// Holds the chance to win one lottery with all the stake.
    pub phi_f: PhiF,
}

impl ProtocolParameters {
    /// Hashes the parameters: SHA-256 of `k`, `m` (big-endian) and `phi_f` in fixed-point form.
    #[must_use]
    pub fn compute_hash(&self) -> [u8; 32] {
        Sha256::new()
            .chain_update(self.k.to_be_bytes())
            .chain_update(self.m.to_be_bytes())
            .chain_update(self.phi_f.to_fixed().to_be_bytes())
            .finalize()
            .into()
    }
}

impl fmt::Display for ProtocolParameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "k {}, m {}, phi_f {}", self.k, self.m, self.phi_f)
    }
}

/// Holds a chance: more than 0, at most 1.
///
/// Mithril hashes it as a fixed-point number of 24 fractional bits (`U8F24`), rounded to nearest and half to even.
/// The conversion here works on the bits of the double and involves no float arithmetic.
#[derive(Clone, Copy)]
pub struct PhiF(f64);

impl PhiF {
    /// Makes a chance of a number.
    ///
    /// # Errors
    /// [`PhiFError`] if it is not in `(0, 1]`.
    pub fn try_new(value: f64) -> Result<Self, PhiFError> {
        // Also refuses what is not a number.
        if value > 0.0 && value <= 1.0 { Ok(Self(value)) } else { Err(PhiFError { value }) }
    }

    /// Returns the number.
    #[must_use]
    pub fn get(self) -> f64 {
        self.0
    }

    /// Returns the number times 2^24, rounded to nearest and half to even.
    #[must_use]
    pub fn to_fixed(self) -> u32 {
        let bits = self.0.to_bits();
        // The constructor excludes signs, infinities and exponents above 2^0.
        let exponent = (bits >> MANTISSA_BITS) & 0x7ff;
        if exponent == 0 {
            return 0; // Subnormal: far below half of 2^-24.
        }
        let mantissa = (bits & ((1 << MANTISSA_BITS) - 1)) | (1 << MANTISSA_BITS);
        // value = mantissa * 2^(exponent - 1075); times 2^24 that is mantissa >> (1051 - exponent).
        let shift = 1075 - 24 - exponent.min(1051);
        if shift > MANTISSA_BITS + 1 {
            return 0; // Less than half of 2^-24.
        }
        let whole = mantissa >> shift;
        let rest = mantissa & ((1 << shift) - 1);
        let half = (1 << shift) >> 1;
        let up = rest > half || (rest == half && whole & 1 == 1);
        u32::try_from(whole + u64::from(up)).unwrap_or(u32::MAX)
    }
}

impl PartialEq for PhiF {
    fn eq(&self, other: &Self) -> bool {
        self.to_fixed() == other.to_fixed()
    }
}

impl Eq for PhiF {}

impl fmt::Debug for PhiF {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Display for PhiF {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl Serialize for PhiF {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.0)
    }
}

impl<'de> Deserialize<'de> for PhiF {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::try_new(f64::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

/// Says that a number is no chance to win.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("phi_f must be more than 0 and at most 1: {value}")]
pub struct PhiFError {
    /// Holds the number.
    pub value: f64,
}

/// Stored bits of a double's mantissa.
const MANTISSA_BITS: u64 = 52;

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters(k: u64, m: u64, phi_f: f64) -> ProtocolParameters {
        ProtocolParameters { k, m, phi_f: PhiF::try_new(phi_f).unwrap() }
    }

    #[test]
    fn hashes_are_those_that_real_certificates_sign() {
        for (parameters, hash) in [
            (parameters(5, 100, 0.7), "2237c07202bb267dbb920c08a64e00db967551c5a53956cd378f252992c4367d"),
            (parameters(1944, 16948, 0.2), "cc6da4edf2228a4bb3650adb42bd598d1778e95325a1b96da173b889f086e578"),
            (parameters(2422, 20973, 0.2), "176001033ad0eef6cbcafbd98145f19042bb4d43198cbefd2872cbc16f51b098"),
            (parameters(70, 105, 0.95), "c36d7a800cb88eed32791ad2de7a37d758ed878c3c721b254a9a29e42cc6ad4f"),
        ] {
            assert_eq!(hex::encode(parameters.compute_hash()), hash, "{parameters}");
        }
    }

    #[test]
    fn the_fixed_point_form_is_that_of_mithril_common() {
        let oracle = |value| {
            let parameters = mithril_common::entities::ProtocolParameters::new(1, 1, value);
            u32::from_be_bytes(parameters.phi_f_fixed().to_be_bytes())
        };
        let tick = 2_f64.powi(-24);
        let mut values = vec![1.0, 0.5, 0.2, 0.65, 0.7, 0.95, 0.123_001, tick, f64::MIN_POSITIVE, 5e-324];
        // Halves between two ticks round to even; their neighbours do not.
        for ticks in [0.5, 1.5, 2.5, 100.5, 8_388_608.5, 16_777_215.5] {
            let half: f64 = ticks * tick;
            values.extend([half, half.next_down(), half.next_up()]);
        }
        let mut random = fastrand::Rng::with_seed(1);
        values.extend((0..2000).map(|_| random.f64()).filter(|value| *value > 0.0));
        values.extend((0..2000).map(|_| random.f64() * 2_f64.powi(-random.i32(0..60))).filter(|value| *value > 0.0));
        for value in values {
            assert_eq!(PhiF::try_new(value).unwrap().to_fixed(), oracle(value), "{value:e}");
        }
    }

    #[test]
    fn what_is_no_chance_is_refused() {
        for value in [0.0, -0.0, -0.5, 1.0_f64.next_up(), f64::NAN, f64::INFINITY] {
            assert!(PhiF::try_new(value).is_err(), "{value}");
        }
        assert!(serde_json::from_str::<ProtocolParameters>(r#"{"k":1,"m":1,"phi_f":0}"#).is_err());
        assert!(serde_json::from_str::<ProtocolParameters>(r#"{"k":1,"m":1,"phi_f":1}"#).is_ok());
        assert!(serde_json::from_str::<ProtocolParameters>(r#"{"k":-1,"m":1,"phi_f":1}"#).is_err());
    }
}
