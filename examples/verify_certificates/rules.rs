//! The rules of a chain by name: on what each was checked, and what to do when one is broken.

use nodewright::cardano::certificate::BrokenRule;

use crate::check::Report;

/// Is one rule, as a person reads it.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) name: &'static str,
    pub(crate) says: &'static str,
    pub(crate) advice: &'static str,
    scope: Scope,
}

/// Says on what a rule is checked.
#[derive(Clone, Copy, Debug)]
enum Scope {
    Certificate,
    Genesis,
    Link,
    MultiSignature,
}

impl Rule {
    /// Finds the rule that is broken; `None` if this program knows no name for it.
    pub(crate) fn of(broken: &BrokenRule) -> Option<&'static Self> {
        let name = match broken {
            BrokenRule::AggregateKey { .. } => "aggregate key",
            BrokenRule::Dates { .. } => "dates",
            BrokenRule::Entity { .. } => "entity",
            BrokenRule::Epoch { .. } => "epoch",
            BrokenRule::EpochBackwards { .. } => "epoch order",
            BrokenRule::EpochGap { .. } => "epoch gap",
            BrokenRule::GenesisSignature(_) => "genesis signature",
            BrokenRule::Hash { .. } => "hash",
            BrokenRule::Loop => "loop",
            BrokenRule::Message { .. } => "message",
            BrokenRule::MessagePart { .. } => "message part",
            BrokenRule::MultiSignature(_) => "multi-signature",
            BrokenRule::Network { .. } => "network",
            BrokenRule::Parameters { .. } => "parameters",
            BrokenRule::Previous { .. } => "previous",
            BrokenRule::PreviousHash { .. } => "previous hash",
            _ => return None,
        };
        RULES.iter().find(|rule| rule.name == name)
    }

    /// Counts how often the rule held.
    pub(crate) fn held(&self, report: &Report) -> usize {
        match self.scope {
            Scope::Certificate => report.checked,
            Scope::Genesis => report.genesis,
            Scope::Link => report.links,
            Scope::MultiSignature => report.multi_signatures,
        }
    }

    /// Names what the rule is checked on.
    pub(crate) fn on(&self) -> &'static str {
        match self.scope {
            Scope::Certificate => "certificates",
            Scope::Genesis => "genesis",
            Scope::Link => "links",
            Scope::MultiSignature => "signatures",
        }
    }
}

const fn rule(scope: Scope, name: &'static str, says: &'static str, advice: &'static str) -> Rule {
    Rule { name, says, advice, scope }
}

const ANOTHER: &str = "do not use what it serves; report the aggregator and ask another one";
const REPORT: &str = "do not use what it serves; report the aggregator";

/// The order is that of the library's table.
pub(crate) const RULES: &[Rule] = &[
    rule(
        Scope::Certificate,
        "network",
        "it is of the network that you trust",
        "check the network name, or point to an aggregator of that network",
    ),
    rule(Scope::Certificate, "dates", "it was begun before it was sealed", REPORT),
    rule(Scope::Certificate, "previous", "only a genesis has nothing before it", REPORT),
    rule(Scope::Certificate, "loop", "it is not its own ancestor", REPORT),
    rule(Scope::Certificate, "message part", "values have the form of their part", REPORT),
    rule(Scope::Certificate, "hash", "its hash is that of its content", ANOTHER),
    rule(Scope::Certificate, "message", "what was signed is the hash of its parts", ANOTHER),
    rule(Scope::Certificate, "epoch", "its epoch is the one that was signed", ANOTHER),
    rule(Scope::Certificate, "entity", "its numbers are those that were signed", ANOTHER),
    rule(
        Scope::Genesis,
        "genesis signature",
        "the genesis key signed it",
        "check the genesis key: after a new genesis the network publishes another one",
    ),
    rule(Scope::MultiSignature, "multi-signature", "a quorum of stake signed it", ANOTHER),
    rule(Scope::Link, "previous hash", "the one before it is the one it names", REPORT),
    rule(Scope::Link, "epoch order", "epochs do not run backwards", REPORT),
    rule(
        Scope::Link,
        "epoch gap",
        "no epoch is left out",
        "ask another aggregator; if it says the same, the chain is interrupted: wait for a new genesis",
    ),
    rule(
        Scope::Link,
        "aggregate key",
        "the epoch before it signed for its signers",
        "do not use what it serves; report it: the signers were exchanged",
    ),
    rule(
        Scope::Link,
        "parameters",
        "and for the size of its quorum",
        "do not use what it serves; report it: the quorum was changed",
    ),
];
