//! The counters that tell of dropped messages.

use std::collections::HashMap;

use super::wire::Message;

/// Remembers the last counter of each topic.
#[derive(Debug, Default)]
pub(super) struct Counters {
    last: HashMap<Vec<u8>, u32>,
}

impl Counters {
    /// Takes a message and returns how many of its topic are missing before it: 0 for the first of a connection, whose
    /// counter may be any.
    ///
    /// A counter that stands still or goes back is that of a publisher that began anew; one message may then be missing
    /// or all, and 1 is returned.
    pub(super) fn missed(&mut self, message: &Message) -> u64 {
        let Some(counter) = message.counter else { return 0 };
        if !self.last.contains_key(&message.topic) && self.last.len() >= MAX_TOPICS {
            return 0;
        }
        let Some(last) = self.last.insert(message.topic.clone(), counter) else { return 0 };
        match counter.wrapping_sub(last) {
            1 => 0,
            ahead @ 2..=FAR => u64::from(ahead - 1),
            _ => 1,
        }
    }
}

/// Is the most topics that counters are kept for: a subscription is a prefix, so that one may bring several topics; Dash
/// Core publishes 20.
const MAX_TOPICS: usize = 64;

/// Is how far ahead a counter may be to count as ahead, not as begun anew: half of its range.
const FAR: u32 = u32::MAX / 2;

#[cfg(test)]
mod tests {
    use super::*;

    fn message(topic: &str, counter: u32) -> Message {
        Message { topic: topic.into(), counter: Some(counter) }
    }

    #[test]
    fn a_gap_is_counted_for_its_topic_alone() {
        let mut counters = Counters::default();
        let mut missed = |topic, counter| counters.missed(&message(topic, counter));
        assert_eq!(missed("hashblock", 7), 0);
        assert_eq!(missed("sequence", 900), 0);
        assert_eq!(missed("hashblock", 8), 0);
        assert_eq!(missed("hashblock", 12), 3);
        assert_eq!(missed("sequence", 901), 0);
    }

    #[test]
    fn a_counter_wraps_without_a_gap_and_a_new_beginning_is_one() {
        let mut counters = Counters::default();
        let mut missed = |counter| counters.missed(&message("hashblock", counter));
        assert_eq!(missed(u32::MAX), 0);
        assert_eq!(missed(0), 0);
        assert_eq!(missed(500), 499);
        assert_eq!(missed(0), 1);
        assert_eq!(missed(0), 1);
    }

    #[test]
    fn a_message_without_a_counter_tells_nothing() {
        let mut counters = Counters::default();
        assert_eq!(counters.missed(&Message { topic: b"hashblock".to_vec(), counter: None }), 0);
    }
}
