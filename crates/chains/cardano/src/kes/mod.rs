//! Key-evolving signatures of stake pools: operational certificates, Sum6KES, and the check of a signer's registration.
//!
//! A pool's cold key signs an operational certificate for a key that evolves ([`OpCert`]); the evolving key signs the
//! pool's Mithril key ([`Sum6Signature`]); together they prove that a registration belongs to the pool
//! ([`SignerRegistration`]). Nothing here reads a file, a clock or a network.
//!
//! | Text form | Certificate | KES signature | Mithril key |
//! |---|---|---|---|
//! | json-hex (what aggregators send) | hex of `[[kes,issue,start,sig],cold]` | hex of nested `{"sigma","lhs_pk","rhs_pk"}` | hex of `{"vk","pop"}` |
//! | bytes-hex | hex of the same as CBOR | hex of 448 bytes | hex of 192 bytes |

mod decode;
mod error;
mod opcert;
mod period;
mod pool;
mod registration;
mod stm_key;
mod sum6;

pub use error::KesError;
pub use opcert::OpCert;
pub use period::{Evolutions, KesPeriod, PeriodError};
pub use pool::{PoolId, PoolIdError};
pub use registration::{RegistrationText, SignerRegistration, VerifiedRegistration};
pub use stm_key::StmKey;
pub use sum6::Sum6Signature;
