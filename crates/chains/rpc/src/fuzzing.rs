//! Doors for fuzz targets; they exist only under `cfg(fuzzing)` and promise nothing.

use core::time::Duration;
use std::sync::Arc;

use serde::de::IgnoredAny;

use crate::batch::BatchReply;
use crate::endpoint::Endpoint;
use crate::envelope::{Envelope, Outcome};
use crate::redact::Scrub;
use crate::retry_after;

/// Reads `body` as one reply.
///
/// # Panics
/// If what is returned as a result is not a JSON value.
pub fn reply(body: &str) {
    let scrub = Scrub::default();
    let Ok(envelope) = Envelope::parse(body, &scrub) else { return };
    if let (Ok(_), Ok(Outcome::Result(result))) = (envelope.id(&scrub), envelope.outcome(200, &scrub)) {
        assert!(serde_json::from_str::<IgnoredAny>(result).is_ok(), "{result}");
    }
}

/// Reads `body` as the answers to `count` requests with the ids 0, 1, ….
///
/// # Panics
/// If a slot holds what is not a JSON value.
pub fn batch(body: &str, count: u8) {
    let methods = vec!["fuzz"; usize::from(count)];
    let Ok(reply) = BatchReply::try_new(body.to_owned(), 0, methods, &Arc::default()) else { return };
    for result in (0..reply.len()).filter_map(|index| reply.get(index).ok()) {
        assert!(serde_json::from_str::<IgnoredAny>(result).is_ok(), "{result}");
    }
}

/// Reads the text of a `Retry-After` header, and of a URL.
///
/// # Panics
/// If a wait is over its bound.
pub fn text(text: &str) {
    let most = Duration::from_secs(60);
    assert!(retry_after::wait(text, Some(text), 0, most).is_none_or(|wait| wait <= most));
    if let Ok((endpoint, _)) = Endpoint::parse(text) {
        drop(endpoint.to_string());
        drop(endpoint.scrub().excerpt(text, 160));
    }
}
