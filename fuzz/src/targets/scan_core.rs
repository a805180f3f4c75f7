//! The scan core under sequences of operations: a tree of blocks that grows as the bytes say, a source that serves any
//! part of it well or badly, a store that takes some of the events, restarts and rewinds.

mod model;
mod play;
mod tree;

use self::play::Play;

/// Takes the first bytes of `data` as policy and limits, and the rest as operations, one after the other.
///
/// Whatever the source says: what the events tell is a chain, what is final stays, nothing comes after a fault, what is
/// held stays within the limits, and a checkpoint says where the stored events lead.
pub fn scan_core(data: &[u8]) {
    let mut bytes = Bytes { rest: data };
    let mut play = Play::new(&mut bytes);
    for step in 0..MOST_OPERATIONS {
        if bytes.rest.is_empty() {
            break;
        }
        play.operate(&mut bytes);
        play.check();
        // It copies all that is held: now and then is enough, and leaves time for more inputs.
        if step % 4 == 0 {
            play.check_checkpoints();
        }
    }
    play.settle();
    play.check_checkpoints();
}

/// Hands out the bytes of the input; zeros after its end.
struct Bytes<'a> {
    rest: &'a [u8],
}

impl Bytes<'_> {
    fn next(&mut self) -> u8 {
        let Some((&first, rest)) = self.rest.split_first() else { return 0 };
        self.rest = rest;
        first
    }

    fn index(&mut self) -> usize {
        self.next().into()
    }

    /// Returns a number from 1 to `most`.
    fn some(&mut self, most: u8) -> u8 {
        self.next() % most + 1
    }

    fn word(&mut self) -> u32 {
        u32::from_le_bytes([self.next(), self.next(), self.next(), self.next()])
    }
}

/// Bounds the time that one input takes.
const MOST_OPERATIONS: usize = 200;
