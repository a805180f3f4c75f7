//! ChainLocks: a masternode quorum's signature over one block at one height (DIP-8 as deployed).
//!
//! A [`ChainLock`] is a claim. [`verify_chain_lock`] turns it into a [`VerifiedLock`], which has
//! no other constructor. A verified lock makes its block and every ancestor final; what had to be
//! believed for that is its [`trust`](VerifiedLock::trust).
//!
//! Where the DIP's text and Dash Core differ, this follows Dash Core: request ids begin with the
//! length of the text `clsig`, and there are no signing attempts.

mod coinbase;
mod lock;
mod report;
mod verify;

pub use self::coinbase::CoinbaseLock;
pub use self::lock::{ChainLock, RawChainLock, request_id};
pub use self::report::ReportedLock;
pub use self::verify::{CERTIFICATE, LockError, VerifiedLock, verify_chain_lock};
