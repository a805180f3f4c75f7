//! Which version of an API answers to which: the rule of semantic versions, below 1.0 too.

use core::cmp::Ordering;
use core::fmt;

use semver::Version;

/// Says which versions of the other side work with a version of ours.
///
/// Below 1.0 the minor number counts as the major one does above, as <https://semver.org> leaves it to a project and as
/// Mithril and Cargo do. Build metadata never counts. A pre-release is taken only by name: its order says nothing about
/// what it speaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VersionRule {
    /// The same series: `0.MINOR.*` for `0.MINOR.p`, `MAJOR.*` for anything above, older patches included. This is
    /// Mithril's rule (`mithril-common` 0.8, `api_version`), in which `0.0` is a series too.
    Series(Version),
    /// The same series, and nothing older: what Cargo writes as `^1.2.3`, in which every `0.0.p` is a series by itself.
    Since(Version),
}

impl VersionRule {
    /// Returns our version, the one that is sent.
    #[must_use]
    pub fn own(&self) -> &Version {
        match self {
            Self::Series(own) | Self::Since(own) => own,
        }
    }

    /// Returns whether the other side's version works with ours.
    #[must_use]
    pub fn accepts(&self, theirs: &Version) -> bool {
        let own = self.own();
        if own.cmp_precedence(theirs).is_eq() {
            return true;
        }
        match self {
            Self::Series(_) => theirs.pre.is_empty() && same_series(own, theirs),
            Self::Since(_) => {
                let same_patch = triple(own) == triple(theirs);
                own.cmp_precedence(theirs) == Ordering::Less
                    && same_series(own, theirs)
                    && (own.major > 0 || own.minor > 0 || same_patch)
                    && (theirs.pre.is_empty() || (same_patch && !own.pre.is_empty()))
            }
        }
    }
}

impl fmt::Display for VersionRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Series(own) if own.major > 0 => write!(f, "{}.*", own.major),
            Self::Series(own) => write!(f, "0.{}.*", own.minor),
            Self::Since(own) => write!(f, "^{own}"),
        }
    }
}

fn same_series(own: &Version, theirs: &Version) -> bool {
    own.major == theirs.major && (own.major > 0 || own.minor == theirs.minor)
}

fn triple(version: &Version) -> (u64, u64, u64) {
    (version.major, version.minor, version.patch)
}

#[cfg(test)]
mod tests {
    use semver::VersionReq;

    use super::*;

    fn version(text: &str) -> Version {
        Version::parse(text).unwrap()
    }

    /// Writes the requirement as Mithril derives it from its own version.
    fn requirement_of_mithril(own: &Version) -> VersionReq {
        let text = if own.major > 0 { format!("={}", own.major) } else { format!("=0.{}", own.minor) };
        VersionReq::parse(&text).unwrap()
    }

    fn random(rng: &mut fastrand::Rng) -> Version {
        let pre = ["", "", "", "-alpha", "-rc.1", "-rc.2"][rng.usize(..6)];
        let build = ["", "", "+5d5571e"][rng.usize(..3)];
        version(&format!("{}.{}.{}{pre}{build}", rng.u8(..3), rng.u8(..3), rng.u8(..4)))
    }

    #[test]
    fn a_rule_accepts_what_its_table_says() {
        let table = [
            ("0.2.3", "0.2.3", true, true),
            ("0.2.3", "0.2.0", true, false),
            ("0.2.3", "0.2.9", true, true),
            ("0.2.3", "0.1.3", false, false),
            ("0.2.3", "0.3.0", false, false),
            ("0.2.3", "1.2.3", false, false),
            ("0.0.1", "0.0.7", true, false),
            ("1.4.0", "1.0.0", true, false),
            ("1.4.0", "1.9.2", true, true),
            ("1.4.0", "2.0.0", false, false),
            ("1.4.0", "0.4.0", false, false),
            ("0.2.3", "0.2.3+5d5571e", true, true),
            ("0.2.3", "0.2.4-rc.1", false, false),
            ("0.2.3-rc.1", "0.2.3-rc.1", true, true),
            ("0.2.3-rc.1", "0.2.3-rc.2", false, true),
            ("0.2.3-rc.2", "0.2.3-rc.1", false, false),
            ("0.2.3-rc.1", "0.2.3", true, true),
        ];
        for (own, theirs, series, since) in table {
            assert_eq!(VersionRule::Series(version(own)).accepts(&version(theirs)), series, "{own} series {theirs}");
            assert_eq!(VersionRule::Since(version(own)).accepts(&version(theirs)), since, "{own} since {theirs}");
        }
    }

    #[test]
    fn the_rules_agree_with_the_semver_crate_except_for_one_and_the_same_version() {
        let mut seen = [0_usize; 4];
        for seed in nodewright_testkit::seeds(20_000, 200_000) {
            let mut rng = fastrand::Rng::with_seed(seed);
            let (own, theirs) = (random(&mut rng), random(&mut rng));
            let same = own.cmp_precedence(&theirs).is_eq();
            let caret = VersionReq::parse(&format!("^{own}")).unwrap();
            let since = VersionRule::Since(own.clone()).accepts(&theirs);
            assert_eq!(since, caret.matches(&theirs), "seed {seed}: {own} since {theirs}");
            let series = VersionRule::Series(own.clone()).accepts(&theirs);
            let expected = same || requirement_of_mithril(&own).matches(&theirs);
            assert_eq!(series, expected, "seed {seed}: {own} series {theirs}");
            seen[usize::from(series)] += 1;
            seen[2 + usize::from(since)] += 1;
        }
        assert!(seen.iter().all(|count| *count > 1_000), "{seen:?}");
    }
}
