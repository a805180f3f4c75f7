//! Stops the folder at every step and looks what a restart finds: the old state or the new one, never a mix.

use nodewright_core::{EventSeq, Revision};

use super::files::Name;
use super::folder::Folder;
use super::simulated::{Fault, Neglect, SimulatedDisk};
use crate::memory::tests::{batch, scope};
use crate::record::LoggedRecord;

/// Counts the events of each commit; zero stores a checkpoint alone.
const SIZES: [u64; 6] = [3, 1, 0, 20, 2, 7];

/// Counts the commits of a store and checks the next state against them.
#[derive(Clone, Copy, Debug, Default)]
struct Progress {
    /// Counts the commits that were acknowledged, or seen after a restart.
    stored: u64,
    /// Says whether a commit failed since, which may have landed all the same.
    in_doubt: bool,
}

impl Progress {
    fn next_seq(commits: u64) -> u64 {
        (0..commits).map(size).sum()
    }

    /// Commits until there are `until`; tells the first error.
    fn commit_until(&mut self, folder: &mut Folder, until: u64) -> Result<(), nodewright_core::Error> {
        while self.stored < until {
            let seqs = Self::next_seq(self.stored)..Self::next_seq(self.stored + 1);
            self.in_doubt = true;
            folder.commit(Revision(self.stored), batch(seqs))?;
            self.in_doubt = false;
            self.stored += 1;
        }
        Ok(())
    }

    /// Checks that `folder` holds what is known to be stored, or one commit more if that is in doubt; then it no longer is.
    fn check(&mut self, folder: &mut Folder) -> Result<(), String> {
        let loaded = folder.load(&scope()).map_err(|error| format!("cannot load: {error}"))?;
        let revision = loaded.as_ref().map_or(0, |stored| stored.revision.0);
        if revision != self.stored && !(self.in_doubt && revision == self.stored + 1) {
            return Err(format!("revision {revision} after {} commits", self.stored));
        }
        (self.stored, self.in_doubt) = (revision, false);
        let next = Self::next_seq(revision);
        let expected = batch(0..next);
        if loaded.is_some_and(|stored| stored.checkpoint != expected.checkpoint) {
            return Err("another checkpoint".to_owned());
        }
        let records = folder.records(EventSeq(0), usize::MAX).map_err(|error| format!("cannot read: {error}"))?;
        let expected: Vec<_> = expected.records.iter().map(LoggedRecord::from).collect();
        if records == expected {
            Ok(())
        } else {
            Err(format!("{} records in place of {}", records.len(), expected.len()))
        }
    }
}

fn size(commit: u64) -> u64 {
    SIZES[usize::try_from(commit).unwrap() % SIZES.len()]
}

fn open(disk: &SimulatedDisk) -> Result<Folder, String> {
    Folder::open(Box::new(disk.clone())).map_err(|error| format!("cannot open: {error}"))
}

/// Lets `fault` happen after `steps` steps, then goes on as a driver would: with the same sink, or after a restart.
fn stop_at(disk: SimulatedDisk, steps: u64, fault: Fault, random: &mut fastrand::Rng) -> Result<(), String> {
    let mut disk = disk;
    let mut progress = Progress::default();
    let until = SIZES.len() as u64;
    disk.fail_after(steps, fault);
    let stopped = match open(&disk) {
        Ok(mut folder) => {
            let stopped = progress.commit_until(&mut folder, until).is_err();
            if stopped && !disk.is_down() {
                progress.check(&mut folder)?;
                // What was read is settled: a restart right now, or after going on, finds no other commit.
                let mut settled = progress;
                settled.check(&mut open(&disk.restart(random))?)?;
                progress.commit_until(&mut folder, until - 1).map_err(|error| format!("cannot go on: {error}"))?;
            }
            stopped
        }
        Err(_) => true,
    };
    if !stopped {
        return Err("the fault did not happen".to_owned());
    }
    disk = disk.restart(random);
    let mut folder = open(&disk)?;
    progress.check(&mut folder)?;
    progress.commit_until(&mut folder, until).map_err(|error| format!("cannot go on after a restart: {error}"))?;
    progress.check(&mut folder)
}

/// Counts the steps of a run without fault.
fn all_steps() -> u64 {
    let disk = SimulatedDisk::default();
    let mut folder = open(&disk).unwrap();
    Progress::default().commit_until(&mut folder, SIZES.len() as u64).unwrap();
    disk.steps()
}

#[test]
fn a_fault_at_any_step_leaves_the_old_state_or_the_new_one() {
    let steps = all_steps();
    assert!(steps > 30, "{steps} steps");
    for step in 0..steps {
        for fault in [Fault::Refuse, Fault::Halfway, Fault::PowerLoss] {
            for seed in nodewright_testkit::seeds(10, 500) {
                let mut random = fastrand::Rng::with_seed(seed);
                if let Err(error) = stop_at(SimulatedDisk::default(), step, fault, &mut random) {
                    panic!("step {step}, {fault:?}, seed {seed}: {error}");
                }
            }
        }
    }
}

#[test]
fn faults_again_and_again_never_mix_two_states() {
    for seed in nodewright_testkit::seeds(40, 2_000) {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut disk = SimulatedDisk::default();
        let mut progress = Progress::default();
        for round in 0..25 {
            let faults = [Fault::Refuse, Fault::Halfway, Fault::PowerLoss];
            disk.fail_after(random.u64(..25), faults[random.usize(..faults.len())]);
            let again = progress.stored + random.u64(1..4);
            if let Ok(mut folder) = open(&disk) {
                let stopped = progress.commit_until(&mut folder, again).is_err();
                // The fault may still wait, and then meets the check; so try until there is none.
                let mut checked = if disk.is_down() || !stopped { Ok(()) } else { progress.check(&mut folder) };
                if checked.is_err() && !disk.is_down() {
                    checked = progress.check(&mut folder);
                }
                assert!(disk.is_down() || checked.is_ok(), "seed {seed}, round {round}: {checked:?}");
            }
            if disk.is_down() || random.bool() {
                disk = disk.restart(&mut random);
            }
            disk.fail_after(u64::MAX / 2, Fault::Refuse);
            let checked = open(&disk).and_then(|mut folder| progress.check(&mut folder));
            assert_eq!(checked, Ok(()), "seed {seed}, round {round}");
        }
        assert!(progress.stored > 5, "seed {seed}: {progress:?}");
    }
}

#[test]
fn leaving_out_any_sync_or_swapping_the_order_is_noticed() {
    let steps = all_steps();
    let careless =
        [Neglect::Order, Neglect::SyncOf(Name::Log), Neglect::SyncOf(Name::Temporary), Neglect::SyncOfFolder];
    for neglect in careless {
        let (disk, mut progress) = (SimulatedDisk::neglecting(neglect), Progress::default());
        let mut folder = open(&disk).unwrap();
        progress.commit_until(&mut folder, SIZES.len() as u64).unwrap();
        assert_eq!(progress.check(&mut folder), Ok(()), "without a loss of power {neglect:?} does no harm");
        let noticed = (0..steps).flat_map(|step| (0..10).map(move |seed| (step, seed))).any(|(step, seed)| {
            let disk = SimulatedDisk::neglecting(neglect);
            stop_at(disk, step, Fault::PowerLoss, &mut fastrand::Rng::with_seed(seed)).is_err()
        });
        assert!(noticed, "{neglect:?} goes unnoticed");
    }
}
