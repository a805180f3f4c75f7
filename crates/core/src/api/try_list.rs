//! Which of our versions to send to one server, learned from its refusals.

use core::fmt;
use std::collections::VecDeque;

use semver::Version;

use super::negotiate::Listed;
use crate::error::{Error, ErrorKind};

/// Holds the versions to try with one server, newest first, and remembers which one it took.
///
/// A refused version is dropped, so the next call begins with what worked; the last one stays, as in Mithril's client
/// (`mithril-signer` of 2023, which kept its list the same way). When the server states another version than before, it
/// was replaced, and every version is tried again.
///
/// It is a plain value that performs no I/O and is not stored: a restart tries again from the newest. Calls may overlap:
/// each has an [`Attempt`] of its own, and two refusals of one version drop it once. The borrow is short, so a mutex
/// around the list never has to be held while a request is under way.
///
/// ```
/// use nodewright_core::api::{TryList, Version};
///
/// let mut list = TryList::try_new([Version::new(0, 1, 0), Version::new(0, 2, 0)]).ok_or("empty")?;
/// let mut attempt = list.begin();
/// while *attempt.version() > Version::new(0, 1, 9) {
///     // The server answered 412 and states 0.1.5.
///     attempt = list.refused(attempt, Some(&Version::new(0, 1, 5)))?;
/// }
/// list.answered(Some(&Version::new(0, 1, 5)));
/// assert_eq!(*list.begin().version(), Version::new(0, 1, 0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TryList {
    /// Every version, newest first.
    all: Vec<Version>,
    /// Is the version to send first.
    head: Version,
    /// Holds what is left after it, newest first.
    rest: VecDeque<Version>,
    /// Is what the server stated last.
    server: Option<Version>,
}

impl TryList {
    /// Makes the list; `None` without a version. Versions that differ in build metadata alone are one.
    #[must_use]
    pub fn try_new(versions: impl IntoIterator<Item = Version>) -> Option<Self> {
        let mut all: Vec<_> = versions.into_iter().collect();
        all.sort_by(|left, right| right.cmp_precedence(left));
        all.dedup_by(|left, right| same(left, right));
        let mut rest: VecDeque<_> = all.iter().cloned().collect();
        let head = rest.pop_front()?;
        Some(Self { all, head, rest, server: None })
    }

    /// Returns the version that the next call sends first.
    #[must_use]
    pub fn head(&self) -> &Version {
        &self.head
    }

    /// Starts a call.
    #[must_use]
    pub fn begin(&self) -> Attempt {
        // A call meets each version at most once before the server changes and once after. Without a bound, a proxy in
        // front of two different servers could keep one call going for ever.
        Attempt { version: self.head.clone(), sends: self.all.len().saturating_mul(2) }
    }

    /// Takes in an answer that was no refusal, with the version that the server states. The version that was sent stays
    /// the first for later calls, unless the server has changed: then they try the newer ones again.
    pub fn answered(&mut self, theirs: Option<&Version>) {
        self.meet(theirs);
    }

    /// Takes in a refusal of what `attempt` sent, with the version that the server states, and returns what to send next.
    ///
    /// # Errors
    /// [`Exhausted`] when nothing is left to try; the call has failed.
    pub fn refused(&mut self, attempt: Attempt, theirs: Option<&Version>) -> Result<Attempt, Exhausted> {
        self.meet(theirs);
        self.drop_version(&attempt.version);
        let sends = attempt.sends.saturating_sub(1);
        if sends > 0 && !same(&self.head, &attempt.version) {
            return Ok(Attempt { version: self.head.clone(), sends });
        }
        if self.server.is_none() {
            // Nothing will tell that this server was replaced, so what it refused today must not be forgotten for good.
            self.refill();
        }
        Err(Exhausted { ours: Listed(self.all.iter().map(ToString::to_string).collect()), theirs: theirs.cloned() })
    }

    /// Remembers what the server states; starts over if it has changed.
    fn meet(&mut self, theirs: Option<&Version>) {
        if theirs.is_some() && theirs != self.server.as_ref() {
            self.server = theirs.cloned();
            self.refill();
        }
    }

    fn refill(&mut self) {
        self.rest = self.all.iter().cloned().collect();
        if let Some(newest) = self.rest.pop_front() {
            self.head = newest;
        }
    }

    /// Drops `version` unless it is the last one, or another call has dropped it already.
    fn drop_version(&mut self, version: &Version) {
        if !same(&self.head, version) {
            self.rest.retain(|other| !same(other, version));
        } else if let Some(next) = self.rest.pop_front() {
            self.head = next;
        }
    }
}

/// Is one call's way through a [`TryList`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    version: Version,
    /// Counts the requests that the call may still send, this one included.
    sends: usize,
}

impl Attempt {
    /// Returns the version to send.
    #[must_use]
    pub fn version(&self) -> &Version {
        &self.version
    }
}

/// Says that a server refused every version that this build speaks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("server {} refused every API version of this build ({ours}): upgrade the older side", Stated(theirs.as_ref()))]
pub struct Exhausted {
    /// Holds our versions, newest first.
    pub ours: Listed,
    /// Is the server's version; `None` if it does not say.
    pub theirs: Option<Version>,
}

impl From<Exhausted> for Error {
    fn from(error: Exhausted) -> Self {
        Self::new(ErrorKind::Unsupported, "agree on a version").because(error)
    }
}

/// Prints a version that may be unknown.
struct Stated<'a>(Option<&'a Version>);

impl fmt::Display for Stated<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(version) => write!(f, "at {version}"),
            None => f.write_str("of unknown version"),
        }
    }
}

fn same(left: &Version, right: &Version) -> bool {
    left.cmp_precedence(right).is_eq()
}
