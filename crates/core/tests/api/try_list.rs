//! Finding a common version with servers that refuse, change, flap or keep silent.

use std::collections::BTreeSet;

use nodewright_core::api::{Attempt, Exhausted, TryList, Version, VersionRule};
use nodewright_core::{Error, ErrorKind};

use super::{random_version, version};

/// Is a server as Mithril's were while they enforced versions, except that it may speak several.
#[derive(Clone, Debug)]
struct Server {
    speaks: Vec<Version>,
    stated: Option<Version>,
}

impl Server {
    fn random(rng: &mut fastrand::Rng, states: bool) -> Self {
        let speaks: Vec<_> = (0..rng.usize(1..4)).map(|_| random_version(rng)).collect();
        Self { stated: speaks.iter().max().filter(|_| states).cloned(), speaks }
    }

    fn takes(&self, sent: &Version) -> bool {
        self.speaks.iter().any(|own| VersionRule::Series(own.clone()).accepts(sent))
    }

    fn newest_common(&self, ours: &[Version]) -> Option<Version> {
        ours.iter().filter(|own| self.takes(own)).max().cloned()
    }
}

/// Makes one call; returns the version that worked, and how many requests it took.
fn call(list: &mut TryList, mut server: impl FnMut() -> Server) -> (Result<Version, Exhausted>, usize) {
    let mut attempt = list.begin();
    for sent in 1.. {
        let server = server();
        if server.takes(attempt.version()) {
            list.answered(server.stated.as_ref());
            return (Ok(attempt.version().clone()), sent);
        }
        match list.refused(attempt, server.stated.as_ref()) {
            Ok(next) => attempt = next,
            Err(exhausted) => return (Err(exhausted), sent),
        }
    }
    unreachable!("the loop ends by returning")
}

fn random_list(rng: &mut fastrand::Rng) -> (Vec<Version>, TryList) {
    let ours: Vec<_> = (0..rng.usize(1..7)).map(|_| random_version(rng)).collect();
    let ours: Vec<_> = ours.into_iter().collect::<BTreeSet<_>>().into_iter().collect();
    (ours.clone(), TryList::try_new(ours).unwrap())
}

#[test]
fn a_list_tries_the_newest_first_and_remembers_what_worked() {
    let mut list = TryList::try_new(["0.1.4", "0.3.0", "0.2.1"].map(version)).unwrap();
    assert_eq!(*list.head(), version("0.3.0"));
    let server = Server { speaks: vec![version("0.1.0")], stated: Some(version("0.1.0")) };
    assert_eq!(call(&mut list, || server.clone()), (Ok(version("0.1.4")), 3));
    assert_eq!(call(&mut list, || server.clone()), (Ok(version("0.1.4")), 1));
}

#[test]
fn the_last_version_is_never_dropped_and_the_error_names_both_sides() {
    let mut list = TryList::try_new(["0.3.0", "0.2.1"].map(version)).unwrap();
    let server = Server { speaks: vec![version("0.4.0")], stated: Some(version("0.4.0")) };
    let (result, sent) = call(&mut list, || server.clone());
    let exhausted = result.unwrap_err();
    assert_eq!(sent, 2);
    assert_eq!(
        exhausted.to_string(),
        "server at 0.4.0 refused every API version of this build (0.3.0, 0.2.1): upgrade the older side"
    );
    assert_eq!(Error::from(exhausted).kind(), ErrorKind::Unsupported);
    // As Mithril's client did: what is left is one version, and it is sent once a call.
    assert_eq!(*list.head(), version("0.2.1"));
    assert_eq!(call(&mut list, || server.clone()).1, 1);
}

#[test]
fn an_upgraded_server_is_tried_with_the_newer_versions_again() {
    let mut list = TryList::try_new(["0.3.0", "0.2.1", "0.1.0"].map(version)).unwrap();
    let old = Server { speaks: vec![version("0.1.0")], stated: Some(version("0.1.0")) };
    let strict = Server { speaks: vec![version("0.3.1")], stated: Some(version("0.3.1")) };
    let lenient = Server { speaks: ["0.1.0", "0.2.0"].map(version).to_vec(), stated: Some(version("0.2.0")) };
    assert_eq!(call(&mut list, || old.clone()).0, Ok(version("0.1.0")));
    assert_eq!(call(&mut list, || strict.clone()), (Ok(version("0.3.0")), 2));
    assert_eq!(call(&mut list, || old.clone()).0, Ok(version("0.1.0")));
    assert_eq!(call(&mut list, || lenient.clone()), (Ok(version("0.1.0")), 1), "it works, so it is not refused");
    assert_eq!(call(&mut list, || lenient.clone()), (Ok(version("0.2.1")), 2), "the change was seen");
}

#[test]
fn an_empty_list_is_none_and_build_metadata_makes_no_second_version() {
    assert_eq!(TryList::try_new([]), None);
    let mut list = TryList::try_new(["0.3.0+a", "0.3.0+b"].map(version)).unwrap();
    assert!(list.refused(list.begin(), None).is_err());
}

#[test]
fn random_servers_are_met_at_the_newest_common_version_and_then_in_one_request() {
    let mut met = [0_usize; 2];
    for seed in nodewright_testkit::seeds(5_000, 50_000) {
        let mut rng = fastrand::Rng::with_seed(seed);
        let (ours, mut list) = random_list(&mut rng);
        let states = rng.bool();
        for build in 0..4 {
            // The server is replaced by another, of another build, between the rounds.
            let mut server = Server::random(&mut rng, states);
            server.stated = server.stated.map(|stated| version(&format!("{stated}+{build}")));
            let common = server.newest_common(&ours);
            let (first, sent) = call(&mut list, || server.clone());
            assert!(sent <= 2 * ours.len(), "seed {seed}: {sent} requests");
            assert!(!states || first.is_ok() == common.is_some(), "seed {seed}: {first:?}");
            let (second, _) = call(&mut list, || server.clone());
            if states || first.is_err() {
                assert_eq!(second.clone().ok(), common, "seed {seed}: {server:?} from {ours:?}");
            }
            if let Ok(worked) = second {
                assert!(server.takes(&worked), "seed {seed}");
                assert_eq!(call(&mut list, || server.clone()), (Ok(worked), 1), "seed {seed}");
            }
            met[usize::from(common.is_some())] += 1;
        }
    }
    assert!(met.iter().all(|count| *count > 1_000), "{met:?}");
}

#[test]
fn one_server_gives_what_the_rule_of_mithrils_client_gives() {
    for seed in nodewright_testkit::seeds(5_000, 50_000) {
        let mut rng = fastrand::Rng::with_seed(seed);
        let (ours, mut list) = random_list(&mut rng);
        let mut theirs: Vec<_> = ours.iter().rev().cloned().collect();
        let server = Server::random(&mut rng, true);
        for _ in 0..3 {
            // Send the first; when it is refused, drop it if two remain and send the next, else fail.
            let expected = loop {
                if server.takes(&theirs[0]) {
                    break Some(theirs[0].clone());
                }
                if theirs.len() < 2 {
                    break None;
                }
                theirs.remove(0);
            };
            assert_eq!(call(&mut list, || server.clone()).0.ok(), expected, "seed {seed}");
            assert_eq!(*list.head(), theirs[0], "seed {seed}");
        }
    }
}

#[test]
fn a_call_ends_even_if_every_answer_comes_from_another_server() {
    let mut ended = [0_usize; 2];
    for seed in nodewright_testkit::seeds(3_000, 30_000) {
        let mut rng = fastrand::Rng::with_seed(seed);
        let (ours, mut list) = random_list(&mut rng);
        for _ in 0..5 {
            let (result, sent) = call(&mut list, || {
                let states = rng.bool();
                Server::random(&mut rng, states)
            });
            assert!(sent <= 2 * ours.len(), "seed {seed}: {sent} requests for {} versions", ours.len());
            ended[usize::from(result.is_ok())] += 1;
        }
    }
    assert!(ended.iter().all(|count| *count > 500), "{ended:?}");
}

#[test]
fn calls_that_overlap_drop_a_refused_version_once_and_all_find_the_common_one() {
    let mut found = 0;
    for seed in nodewright_testkit::seeds(3_000, 30_000) {
        let mut rng = fastrand::Rng::with_seed(seed);
        let (ours, mut list) = random_list(&mut rng);
        let server = Server::random(&mut rng, true);
        let common = server.newest_common(&ours);
        let mut calls: Vec<Attempt> = (0..rng.usize(2..6)).map(|_| list.begin()).collect();
        while !calls.is_empty() {
            let attempt = calls.swap_remove(rng.usize(..calls.len()));
            if server.takes(attempt.version()) {
                assert_eq!(Some(attempt.version()), common.as_ref(), "seed {seed}");
                list.answered(server.stated.as_ref());
                found += 1;
                continue;
            }
            match list.refused(attempt, server.stated.as_ref()) {
                Ok(next) => calls.push(next),
                Err(_) => assert_eq!(common, None, "seed {seed}"),
            }
        }
        assert_eq!(Some(list.head()).filter(|_| common.is_some()), common.as_ref(), "seed {seed}");
    }
    assert!(found > 1_000, "{found}");
}
