//! API versions: negotiation, trying, judging answers, and values of several formats.

#![allow(clippy::unwrap_used, clippy::panic)]

mod formats;
mod negotiate;
mod try_list;
mod verdict;

use nodewright_core::api::Version;

fn version(text: &str) -> Version {
    Version::parse(text).unwrap()
}

/// Makes a version of few numbers, so that two of them often meet.
fn random_version(rng: &mut fastrand::Rng) -> Version {
    Version::new(rng.u64(..2), rng.u64(..4), rng.u64(..3))
}
