//! Downloads too large for memory: taken piece by piece, and gone on with where an earlier one stopped.

use core::fmt;
use std::sync::Arc;

use bytes::Bytes;
use hyper::HeaderMap;
use hyper::header::{CONTENT_RANGE, ETAG, HeaderName, HeaderValue, IF_RANGE, LAST_MODIFIED, RANGE};
use nodewright_core::{Error, ErrorKind, Result, Retry};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;

use crate::carrier::Body;
use crate::endpoint::Endpoint;
use crate::options::DownloadLimits;
use crate::redact::{EXCERPT, Scrub};
use crate::transport::{Opened, truncated};

/// States where a download goes on.
///
/// Built by literal on purpose: HTTP knows these two conditions and no others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resume<'a> {
    /// How many bytes of the content are there already.
    pub from: u64,
    /// What [`Download::validator`] returned when they came. With it the server sends the rest only if the content is
    /// still the same, and all of it otherwise; without it the caller has to compare validators itself.
    pub validator: Option<&'a str>,
}

impl Resume<'_> {
    pub(crate) fn headers(&self, op: &'static str) -> Result<HeaderMap> {
        let value = |key, text: &str| {
            let value = HeaderValue::try_from(text);
            value.map_err(|_| Error::new(ErrorKind::Config, op).with(key, text.escape_debug()))
        };
        let mut headers = HeaderMap::new();
        headers.insert(RANGE, value("range", &format!("bytes={}-", self.from))?);
        if let Some(validator) = self.validator {
            headers.insert(IF_RANGE, value("validator", validator)?);
        }
        Ok(headers)
    }
}

/// Delivers the content of one download. It keeps one of the client's connections until its end, its failure or its drop.
pub struct Download {
    op: &'static str,
    source: Endpoint,
    scrub: Arc<Scrub>,
    limits: DownloadLimits,
    resumed: bool,
    offset: u64,
    received: u64,
    total: Option<u64>,
    validator: Option<String>,
    state: State,
}

enum State {
    Open { body: Body, _permit: OwnedSemaphorePermit },
    Whole,
    Failed,
}

impl Download {
    /// Reads the head of a 200 or 206 answer to a request for everything, or for what is behind `from`.
    pub(crate) fn try_new(opened: Opened, source: Endpoint, from: Option<u64>, limits: DownloadLimits) -> Result<Self> {
        let Opened { op, head, headers, body, scrub, permit } = opened;
        let resumed = head.status == 206;
        let (offset, total) = if resumed {
            let text = headers.get(CONTENT_RANGE).map(HeaderValue::as_bytes).unwrap_or_default();
            match (ContentRange::parse(text), from) {
                (Some(range), Some(from)) if range.first == from => (from, range.total),
                _ => {
                    return Err(Error::new(ErrorKind::InvalidData, op)
                        .with("asked from", from.map_or_else(|| "the start".to_owned(), |from| from.to_string()))
                        .with("content-range", scrub.excerpt_bytes(text, EXCERPT)));
                }
            }
        } else {
            (0, body.announced())
        };
        if let Some(total) = total.filter(|total| *total > limits.max_bytes) {
            return Err(too_large(op, &format_args!("{total} bytes"), limits));
        }
        let validator = validator(&headers);
        let state = State::Open { body, _permit: permit };
        Ok(Self { op, source, scrub, limits, resumed, offset, received: 0, total, validator, state })
    }

    /// Says whether this is the rest of the content (HTTP 206). If not, it is all of it from the first byte (HTTP 200),
    /// even where the rest was asked for: what an earlier download brought is then to be thrown away.
    #[must_use]
    pub fn is_resumed(&self) -> bool {
        self.resumed
    }

    /// Returns the HTTP status: 200 or 206.
    #[must_use]
    pub fn status(&self) -> u16 {
        if self.resumed { 206 } else { 200 }
    }

    /// Returns how many bytes of the content are there: the earlier part, if this is the rest, and what
    /// [`Download::chunk`] returned.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.offset.saturating_add(self.received)
    }

    /// Returns the length of the whole content in bytes, the earlier part included; `None` if the server did not say.
    #[must_use]
    pub fn total_len(&self) -> Option<u64> {
        self.total
    }

    /// Returns what tells this content from a later one under the same name, for [`Resume::validator`]: the strong entity
    /// tag, else the time of the last change; `None` if the server stated neither.
    #[must_use]
    pub fn validator(&self) -> Option<&str> {
        self.validator.as_deref()
    }

    /// Waits for the next piece; `None` when the content is whole, or, if its length is not known, when the server says
    /// that it is. After an error nothing more comes; what came before counts, and [`Resume`] goes on behind it.
    ///
    /// # Errors
    /// - [`ErrorKind::Timeout`] if nothing came for [`DownloadLimits::idle_timeout`];
    /// - [`ErrorKind::Limit`] if the content is larger than [`DownloadLimits::max_bytes`];
    /// - [`ErrorKind::Unreachable`] if it broke off, or ended before its stated length;
    /// - [`ErrorKind::InvalidData`] if it goes on behind its stated length.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing: the next call goes on, and its time starts anew.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>> {
        let next = match &mut self.state {
            State::Open { body, .. } => timeout(self.limits.idle_timeout, piece(body, &self.scrub)).await,
            State::Whole => return Ok(None),
            State::Failed => return Err(self.about(self.broken("it failed before".to_owned()))),
        };
        let outcome = match next {
            Ok(Ok(Some(piece))) => self.count(piece.len()).map(|()| Some(piece)),
            Ok(Ok(None)) => match self.total {
                Some(total) if self.position() < total => Err(self.broken(format!("{total} bytes were announced"))),
                _ => Ok(None),
            },
            Ok(Err(cause)) => Err(self.broken(cause)),
            Err(_) => Err(self.stalled()),
        };
        // At its end the connection is given back, or closed if the body was not read to its end.
        match &outcome {
            Ok(Some(_)) => {}
            Ok(None) => self.state = State::Whole,
            Err(_) => self.state = State::Failed,
        }
        outcome.map_err(|error| self.about(error))
    }

    /// Counts a piece, if it may still come.
    fn count(&mut self, len: usize) -> Result<()> {
        let received = self.received.saturating_add(u64::try_from(len).unwrap_or(u64::MAX));
        let position = self.offset.saturating_add(received);
        if position > self.limits.max_bytes {
            return Err(too_large(self.op, &format_args!("more than {} bytes", self.position()), self.limits));
        }
        if let Some(total) = self.total.filter(|total| position > *total) {
            return Err(Error::new(ErrorKind::InvalidData, self.op).with("longer than announced", total));
        }
        self.received = received;
        Ok(())
    }

    fn stalled(&self) -> Error {
        Error::new(ErrorKind::Timeout, self.op)
            .with_retry(Retry::After(None))
            .with("idle limit", format_args!("{} ms", self.limits.idle_timeout.as_millis()))
            .with("received", self.received)
    }

    fn broken(&self, cause: String) -> Error {
        truncated(self.op, usize::try_from(self.received).unwrap_or(usize::MAX), cause)
    }

    fn about(&self, error: Error) -> Error {
        error.with("endpoint", &self.source)
    }
}

impl fmt::Debug for Download {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Download")
            .field("op", &self.op)
            .field("source", &self.source)
            .field("status", &self.status())
            .field("position", &self.position())
            .field("total_len", &self.total)
            .finish_non_exhaustive()
    }
}

/// Waits for the next piece that holds something.
async fn piece(body: &mut Body, scrub: &Scrub) -> core::result::Result<Option<Bytes>, String> {
    loop {
        match body.chunk(scrub).await {
            Ok(Some(empty)) if empty.is_empty() => {}
            other => return other,
        }
    }
}

fn too_large(op: &'static str, size: &dyn fmt::Display, limits: DownloadLimits) -> Error {
    Error::new(ErrorKind::Limit, op).with("body", size).with("max bytes", limits.max_bytes)
}

/// Returns what may stand in `If-Range`: a weak entity tag may not (RFC 9110, 13.1.5).
fn validator(headers: &HeaderMap) -> Option<String> {
    let text = |name: HeaderName| headers.get(name)?.to_str().ok();
    text(ETAG).filter(|tag| tag.starts_with('"')).or_else(|| text(LAST_MODIFIED)).map(str::to_owned)
}

/// Is the part of the content that a 206 answer brings (RFC 9110, 14.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct ContentRange {
    first: u64,
    total: Option<u64>,
}

impl ContentRange {
    /// Reads `bytes 5-9/10`, or with `*` for a length that is not known.
    fn parse(text: &[u8]) -> Option<Self> {
        let (range, total) = str::from_utf8(text).ok()?.trim().strip_prefix("bytes ")?.split_once('/')?;
        let (first, last) = range.split_once('-')?;
        let (first, last) = (number(first)?, number(last)?);
        let total = if total == "*" { None } else { Some(number(total)?) };
        (first <= last && total.is_none_or(|total| last < total)).then_some(Self { first, total })
    }
}

fn number(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_content_range_is_read_if_it_is_one() {
        let range = |text: &str| ContentRange::parse(text.as_bytes()).map(|range| (range.first, range.total));
        assert_eq!(range("bytes 5-9/10"), Some((5, Some(10))));
        assert_eq!(range("bytes 0-0/*"), Some((0, None)));
        for text in ["", "bytes */10", "bytes 5-4/10", "bytes 5-10/10", "bytes 5-9", "lines 5-9/10", "bytes +5-9/10"] {
            assert_eq!(range(text), None, "{text}");
        }
        assert_eq!(range("bytes 0-18446744073709551615/18446744073709551616"), None);
        assert_eq!(ContentRange::parse(b"bytes 5-9/10\xff"), None);
    }

    #[test]
    fn a_weak_tag_does_not_validate_a_range() {
        let of = |pairs: &[(HeaderName, &'static str)]| {
            let pairs = pairs.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value)));
            validator(&pairs.collect())
        };
        let date = (LAST_MODIFIED, "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(of(&[(ETAG, "\"a\""), date.clone()]).as_deref(), Some("\"a\""));
        assert_eq!(of(&[(ETAG, "W/\"a\""), date.clone()]).as_deref(), Some(date.1));
        assert_eq!(of(&[(ETAG, "W/\"a\"")]), None);
    }
}
