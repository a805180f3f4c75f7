//! The check of a signer's registration: the pool that it claims to be did sign the key that it registers.

use core::ops::RangeInclusive;

use crate::kes::{Evolutions, KesError, OpCert, PoolId, StmKey, Sum6Signature};

/// Holds a registration's fields as an aggregator sends them, in epoch settings, in stake distributions and to
/// `register-signer`.
#[derive(Clone, Copy, Debug)]
pub struct RegistrationText<'a> {
    /// Is `party_id`.
    pub party_id: &'a str,
    /// Is `verification_key`.
    pub verification_key: &'a str,
    /// Is `verification_key_signature`.
    pub verification_key_signature: Option<&'a str>,
    /// Is `operational_certificate`.
    pub operational_certificate: Option<&'a str>,
    /// Is `kes_period`, which counts evolutions.
    pub kes_period: Option<u64>,
}

/// Is a registration whose texts could be read. Being read does not mean that it holds: [`SignerRegistration::verify`]
/// says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignerRegistration {
    party: String,
    key: StmKey,
    signature: Sum6Signature,
    certificate: OpCert,
    evolutions: Option<Evolutions>,
}

impl SignerRegistration {
    /// Reads the texts.
    ///
    /// # Errors
    /// [`KesError::MissingCertificate`] or [`KesError::MissingSignature`] (Mithril lets these two pass in tests only), or
    /// what is wrong with one of the texts.
    pub fn from_text(text: &RegistrationText<'_>) -> Result<Self, KesError> {
        let party = || text.party_id.chars().take(MAX_PARTY).collect::<String>();
        let certificate =
            text.operational_certificate.ok_or_else(|| KesError::MissingCertificate { party: party() })?;
        let signature = text.verification_key_signature.ok_or_else(|| KesError::MissingSignature { party: party() })?;
        Ok(Self {
            party: party(),
            key: StmKey::from_text(text.verification_key)?,
            signature: Sum6Signature::from_text(signature)?,
            certificate: OpCert::from_text(certificate)?,
            evolutions: text.kes_period.map(Evolutions),
        })
    }

    /// Returns the key that is registered.
    #[must_use]
    pub fn key(&self) -> &StmKey {
        &self.key
    }

    /// Returns the operational certificate.
    #[must_use]
    pub fn certificate(&self) -> &OpCert {
        &self.certificate
    }

    /// Returns the evolutions that the registration states.
    #[must_use]
    pub fn evolutions(&self) -> Option<Evolutions> {
        self.evolutions
    }

    /// Verifies the registration at the evolutions that it states itself.
    ///
    /// # Errors
    /// [`KesError::MissingPeriod`] if it states none; otherwise as [`SignerRegistration::verify_at`].
    pub fn verify(&self) -> Result<VerifiedRegistration, KesError> {
        match self.evolutions {
            Some(evolutions) => self.verify_at(evolutions),
            None => Err(KesError::MissingPeriod { party: self.party.clone() }),
        }
    }

    /// Verifies the registration as an aggregator does, whose own node says how often the key has evolved: the cold
    /// key signed the certificate, the certificate's pool is the party, and the evolving key signed the Mithril key
    /// with its proof of possession, at `evolutions` or one period beside it (clocks differ).
    ///
    /// The proof of possession itself is left to whoever takes the key into a Mithril registration.
    ///
    /// # Errors
    /// [`KesError::ColdKey`], [`KesError::ColdSignature`], [`KesError::OtherPool`], [`KesError::Exhausted`],
    /// [`KesError::KeyPair`] or [`KesError::NoEvolution`].
    pub fn verify_at(&self, evolutions: Evolutions) -> Result<VerifiedRegistration, KesError> {
        let pool = self.certificate.verify()?;
        if self.party.parse() != Ok(pool) {
            return Err(KesError::OtherPool { stated: self.party.clone(), proven: pool });
        }
        let start = self.certificate.start();
        let tried = around(evolutions).ok_or(KesError::Exhausted { evolutions, start })?;
        for evolution in tried.clone() {
            match self.signature.verify(evolution, self.certificate.kes_key(), self.key.as_bytes()) {
                Ok(()) => return Ok(VerifiedRegistration { pool, key: self.key, evolution }),
                // Every evolution goes through the pair at the top, and through others of its own further down.
                Err(top @ KesError::KeyPair { level: 0 }) => return Err(top),
                Err(_) => {}
            }
        }
        Err(KesError::NoEvolution { tried, start })
    }
}

/// Is proof that a pool signed a Mithril key. Only [`SignerRegistration::verify`] makes one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct VerifiedRegistration {
    pool: PoolId,
    key: StmKey,
    evolution: u8,
}

impl VerifiedRegistration {
    /// Returns the pool.
    #[must_use]
    pub fn pool(&self) -> PoolId {
        self.pool
    }

    /// Returns the key that the pool signed.
    #[must_use]
    pub fn key(&self) -> &StmKey {
        &self.key
    }

    /// Returns the evolution at which the signature holds, from 0 to 63.
    #[must_use]
    pub fn evolution(&self) -> u8 {
        self.evolution
    }
}

/// Returns the evolutions to try: one before to one after, as `mithril-common` 0.8 does, but within those that a key
/// has; `None` if none of them exists.
fn around(evolutions: Evolutions) -> Option<RangeInclusive<u8>> {
    let from = u8::try_from(evolutions.0.saturating_sub(1)).ok()?;
    let to = u8::try_from(evolutions.0.saturating_add(1)).unwrap_or(u8::MAX).min(Sum6Signature::LAST_EVOLUTION);
    (from <= to).then_some(from..=to)
}

/// Is longer than the 56 characters of any pool's name.
const MAX_PARTY: usize = 90;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_evolutions_tried_are_clipped_to_those_that_a_key_has() {
        let around = |evolutions| around(Evolutions(evolutions));
        assert_eq!(around(0), Some(0..=1));
        assert_eq!(around(30), Some(29..=31));
        assert_eq!(around(63), Some(62..=63));
        assert_eq!(around(64), Some(63..=63));
        assert_eq!(around(65), None);
        assert_eq!(around(u64::MAX), None);
    }
}
