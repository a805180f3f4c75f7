//! How a simulated source behaves: which node answers, how far that one is behind, and how it fails and lies.

use core::time::Duration;

use nodewright_core::{BlockHash, BlockHeight, BlockId, Error, ErrorKind, Extension, Header, Retry};

use crate::sim::mint::mix;

/// States how a [`SimSource`](crate::sim::SimSource) behaves; the default is one honest node that has everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Behaviour {
    /// Holds the nodes behind the one URL; each call is answered by one of them, drawn from the seed. None: one node
    /// that has the best branch.
    pub backends: Vec<Backend>,
    /// Holds the lies to choose from.
    pub lies: Vec<Lie>,
    /// Is how many answers in a hundred are a lie.
    pub lie_percent: u8,
    /// Is how many calls in a hundred fail.
    pub fail_percent: u8,
    /// Is how many of the next calls fail.
    pub fail_next: u32,
    /// Is the most headers that an answer holds, however many are asked for.
    pub cut: Option<usize>,
}

/// Describes one node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backend {
    /// Names the head of the branch that the node is on; `None`: the best branch.
    pub tip: Option<BlockId>,
    /// Is how many blocks the node is behind that.
    pub lag: usize,
    /// Says that the node knows no block off its own branch, as one that was set up anew.
    pub forgetful: bool,
    /// Says that the node knows the header of every block, also of those that it has not reached.
    pub headers_first: bool,
}

/// Names a way to answer wrongly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lie {
    /// Offers a certificate that does not verify, which a chain crate makes an error.
    Evidence,
    /// Names a head that does not exist, far above.
    FakeHead,
    /// States a height below the parent's.
    FallingHeight,
    /// Says that the headers follow a block that was not in the locator.
    ForeignFrom,
    /// Mixes the answer of two views: a header in the middle is left out.
    Gap,
    /// Says the opposite of what it knows of a block.
    Membership,
    /// Answers from an older point of the locator than it could.
    OldFrom,
    /// Returns twice the headers that were asked for.
    Overlong,
    /// Leaves out the header that would link to the point it answers from.
    Unlinked,
}

impl Lie {
    /// Holds every lie.
    pub const ALL: [Self; 9] = [
        Self::Evidence,
        Self::FakeHead,
        Self::FallingHeight,
        Self::ForeignFrom,
        Self::Gap,
        Self::Membership,
        Self::OldFrom,
        Self::Overlong,
        Self::Unlinked,
    ];

    /// Bends an answer; `foreign` is any block of the tree.
    pub(crate) fn bend(self, answer: &mut Extension, foreign: BlockId, rng: &mut fastrand::Rng) {
        let headers = &mut answer.headers;
        match self {
            Self::FakeHead => {
                let height = BlockHeight(answer.tips.head.height.0.saturating_add(rng.u64(1..2_000)));
                answer.tips.head = BlockId { height, hash: mix(&BlockHash::default(), rng.u64(..)) };
            }
            Self::FallingHeight => {
                let at = rng.usize(..headers.len().max(1));
                let below = match at.checked_sub(1).and_then(|before| headers.get(before)) {
                    Some(Header { point, .. }) => point.id.height,
                    None => answer.from.unwrap_or_default().id.height,
                };
                if let (Some(header), Some(lower)) = (headers.get_mut(at), below.0.checked_sub(1)) {
                    header.point.id.height = BlockHeight(lower);
                }
            }
            Self::ForeignFrom => answer.from = Some(foreign.into()),
            Self::Gap if headers.len() > 2 => drop(headers.remove(rng.usize(1..headers.len() - 1))),
            Self::Unlinked if headers.len() > 1 => drop(headers.remove(0)),
            Self::Evidence | Self::Gap | Self::Unlinked | Self::Membership | Self::OldFrom | Self::Overlong => {}
        }
    }
}

/// Makes one of the failures that a node shows in passing.
pub(crate) fn failure(op: &'static str, rng: &mut fastrand::Rng) -> Error {
    let (kind, wait) = match rng.u8(..5) {
        0 => (ErrorKind::Busy, None),
        1 => (ErrorKind::RateLimited, Some(Duration::from_secs(7))),
        2 => (ErrorKind::Timeout, None),
        3 => (ErrorKind::Unreachable, None),
        _ => (ErrorKind::WarmingUp, Some(Duration::from_millis(1))),
    };
    Error::new(kind, op).with_retry(Retry::After(wait))
}
