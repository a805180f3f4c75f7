//! The cases.

use core::ops::Range;
use std::sync::Arc;

use nodewright_core::{BlockHash, ChainId, ErrorKind, EventSeq, Revision, ScanBatch, ScanSink, Scope, ShardId, Stored};

use super::{Case, Play, Sharing, Subject, commit, drop_after};

pub(super) const ALL: &[Case] = &[
    Case { id: "SK-1/nothing-stored-yet", run: |subject| Box::pin(nothing_stored_yet(subject)) },
    Case { id: "SK-1/survives-reopening", run: |subject| Box::pin(survives_reopening(subject)) },
    Case { id: "SK-1/survives-reopening-after-every-commit", run: |subject| Box::pin(survives_every_time(subject)) },
    Case { id: "SK-1/begins-at-any-number", run: |subject| Box::pin(begins_at_any_number(subject)) },
    Case { id: "SK-2/large-batch", run: |subject| Box::pin(large_batch(subject)) },
    Case { id: "SK-2/checkpoint-alone", run: |subject| Box::pin(checkpoint_alone(subject)) },
    Case { id: "SK-2/dropped-commit-is-whole-or-nothing", run: |subject| Box::pin(dropped_commit(subject)) },
    Case { id: "SK-2/dropped-first-commit", run: |subject| Box::pin(dropped_first_commit(subject)) },
    Case { id: "SK-3/other-revision", run: |subject| Box::pin(other_revision(subject)) },
    Case { id: "SK-3/other-revision-of-an-empty-store", run: |subject| Box::pin(other_revision_of_empty(subject)) },
    Case { id: "SK-3/second-sink", run: |subject| Box::pin(second_sink(subject)) },
    Case { id: "SK-3/many-writers", run: |subject| Box::pin(many_writers(subject)) },
    Case { id: "SK-4/other-scope", run: |subject| Box::pin(other_scope(subject)) },
    Case { id: "SK-5/batch-sent-again", run: |subject| Box::pin(sent_again(subject)) },
    Case { id: "SK-5/batch-overlaps", run: |subject| Box::pin(overlaps(subject)) },
    Case { id: "SK-5/gap", run: |subject| Box::pin(gap(subject)) },
];

async fn nothing_stored_yet(subject: Subject) {
    let play = play();
    subject.is_empty(&play).await;
    // Looking does not bind the store to a scope.
    let sink = subject.open().await;
    for scope in other_scopes(&play) {
        assert_eq!(subject.ok(sink.load(&scope).await), None);
    }
    commit(&subject, &*sink, Revision(0), play.batch(0..1)).await;
}

async fn survives_reopening(subject: Subject) {
    let play = play();
    let (sink, stored) = with(&subject, &play, 0..25).await;
    drop(sink);
    subject.holds(&play, &stored).await;
    let sink = subject.open().await;
    let stored = commit(&subject, &*sink, stored.revision, play.batch(25..40)).await;
    drop(sink);
    subject.holds(&play, &stored).await;
}

async fn survives_every_time(subject: Subject) {
    let play = play();
    let (mut revision, mut next) = (Revision(0), 0);
    for size in [1, 1, 2, 3, 5, 8, 1, 13] {
        let sink = subject.open().await;
        let stored = commit(&subject, &*sink, revision, play.batch(next..next + size)).await;
        drop(sink);
        subject.holds(&play, &stored).await;
        (revision, next) = (stored.revision, next + size);
    }
}

async fn begins_at_any_number(subject: Subject) {
    let play = Play::new(EventSeq(1_234));
    let (sink, stored) = with(&subject, &play, 1_234..1_260).await;
    drop(sink);
    subject.holds(&play, &stored).await;
}

async fn large_batch(subject: Subject) {
    let play = play();
    let (sink, stored) = with(&subject, &play, 0..3_001).await;
    let stored = commit(&subject, &*sink, stored.revision, play.batch(3_001..6_000)).await;
    drop(sink);
    subject.holds(&play, &stored).await;
}

async fn checkpoint_alone(subject: Subject) {
    let play = play();
    let sink = subject.open().await;
    let stored = commit(&subject, &*sink, Revision(0), play.batch(0..0)).await;
    let stored = commit(&subject, &*sink, stored.revision, play.batch(0..7)).await;
    let mut alone = play.batch(7..7);
    alone.checkpoint.pending.clear();
    let stored = commit(&subject, &*sink, stored.revision, alone).await;
    drop(sink);
    subject.holds(&play, &stored).await;
}

async fn dropped_commit(subject: Subject) {
    let play = play();
    let (mut sink, mut stored) = with(&subject, &play, 0..5).await;
    for polls in 0..6 {
        let next = stored.checkpoint.next_seq.0;
        let batch = play.batch(next..next + 40);
        let landed = Stored { checkpoint: batch.checkpoint.clone(), revision: stored.revision.next() };
        let answer = drop_after(polls, sink.commit(stored.revision, batch)).await;
        let loaded = subject.ok(sink.load(&play.scope()).await);
        if answer.is_some_and(|answer| subject.ok(answer) == landed.revision) || loaded.as_ref() != Some(&stored) {
            stored = landed;
        }
        assert_eq!(loaded.as_ref(), Some(&stored), "{}: after {polls} polls", subject.case);
        drop(sink);
        subject.holds(&play, &stored).await;
        sink = subject.open().await;
        // What reloading says is final: nothing lands later, so the next commit is not refused.
        let next = stored.checkpoint.next_seq.0;
        stored = commit(&subject, &*sink, stored.revision, play.batch(next..next + 1)).await;
    }
}

async fn dropped_first_commit(subject: Subject) {
    let play = play();
    let sink = subject.open().await;
    drop(drop_after(1, sink.commit(Revision(0), play.batch(0..9))).await);
    let loaded = subject.ok(sink.load(&play.scope()).await);
    drop(sink);
    match loaded {
        None => subject.is_empty(&play).await,
        Some(stored) => {
            assert_eq!(stored, Stored { checkpoint: play.checkpoint(EventSeq(9)), revision: Revision(1) });
            subject.holds(&play, &stored).await;
        }
    }
}

async fn other_revision(subject: Subject) {
    let play = play();
    let (sink, stored) = with(&subject, &play, 0..4).await;
    let stored = commit(&subject, &*sink, stored.revision, play.batch(4..8)).await;
    for expected in [0, 1, 3, u64::MAX] {
        let refused = sink.commit(Revision(expected), play.batch(8..12)).await;
        subject.refused(refused, ErrorKind::Conflict);
    }
    drop(sink);
    subject.holds(&play, &stored).await;
}

async fn other_revision_of_empty(subject: Subject) {
    let play = play();
    let sink = subject.open().await;
    subject.refused(sink.commit(Revision(1), play.batch(0..3)).await, ErrorKind::Conflict);
    drop(sink);
    subject.is_empty(&play).await;
}

async fn second_sink(subject: Subject) {
    let play = play();
    let (first, stored) = with(&subject, &play, 0..4).await;
    let stored = match subject.medium.sharing() {
        Sharing::Exclusive => {
            subject.refused(subject.medium.open().await, ErrorKind::Conflict);
            commit(&subject, &*first, stored.revision, play.batch(4..6)).await
        }
        Sharing::Shared => {
            let second = subject.open().await;
            assert_eq!(subject.ok(second.load(&play.scope()).await).as_ref(), Some(&stored));
            let newer = commit(&subject, &*first, stored.revision, play.batch(4..6)).await;
            subject.refused(second.commit(stored.revision, play.batch(4..5)).await, ErrorKind::Conflict);
            assert_eq!(subject.ok(second.load(&play.scope()).await).as_ref(), Some(&newer));
            commit(&subject, &*second, newer.revision, play.batch(6..9)).await
        }
    };
    drop(first);
    subject.holds(&play, &stored).await;
}

async fn many_writers(subject: Subject) {
    let play = play().without_reports();
    let one = subject.open().await;
    let mut tasks = Vec::new();
    for writer in 0..WRITERS {
        let sink = match subject.medium.sharing() {
            Sharing::Exclusive => Arc::clone(&one),
            Sharing::Shared => subject.open().await,
        };
        tasks.push(tokio::spawn(write_until(subject.clone(), sink, play, 1 + writer)));
    }
    let mut won = 0;
    for task in tasks {
        match task.await {
            Ok(commits) => won += commits,
            Err(error) => subject.fail(&super::message(error)),
        }
    }
    let stored = subject.ok(one.load(&play.scope()).await);
    drop(one);
    let Some(stored) = stored else { subject.fail("nothing is stored") };
    assert_eq!(stored.revision, Revision(won), "{}: each revision was made by one commit", subject.case);
    subject.holds(&play, &stored).await;
}

/// Loads and commits `size` events at a time until the end is reached; returns how often it was the one who did.
async fn write_until(subject: Subject, sink: Arc<dyn ScanSink>, play: Play, size: u64) -> u64 {
    let mut won = 0;
    for _ in 0..ATTEMPTS {
        let stored = subject.ok(sink.load(&play.scope()).await);
        let (revision, next) = stored.map_or((Revision(0), 0), |held| (held.revision, held.checkpoint.next_seq.0));
        if next >= END {
            return won;
        }
        match sink.commit(revision, play.batch(next..next + size)).await {
            Ok(_) => won += 1,
            refused => subject.refused(refused, ErrorKind::Conflict),
        }
    }
    subject.fail("the writers do not get on")
}

async fn other_scope(subject: Subject) {
    let play = play();
    let (sink, stored) = with(&subject, &play, 0..12).await;
    for scope in other_scopes(&play) {
        subject.refused(sink.load(&scope).await, ErrorKind::ScopeMismatch);
        for expected in [stored.revision, Revision(0)] {
            let mut batch = play.batch(12..15);
            batch.checkpoint.scope = scope.clone();
            subject.refused(sink.commit(expected, batch).await, ErrorKind::ScopeMismatch);
        }
    }
    drop(sink);
    subject.holds(&play, &stored).await;
}

async fn sent_again(subject: Subject) {
    let play = play();
    let (sink, stored) = with(&subject, &play, 0..20).await;
    let stored = commit(&subject, &*sink, stored.revision, play.batch(0..20)).await;
    let stored = commit(&subject, &*sink, stored.revision, play.batch(19..20)).await;
    drop(sink);
    subject.holds(&play, &stored).await;
}

async fn overlaps(subject: Subject) {
    let play = play();
    let (sink, stored) = with(&subject, &play, 0..20).await;
    let stored = commit(&subject, &*sink, stored.revision, play.batch(15..31)).await;
    drop(sink);
    subject.holds(&play, &stored).await;
}

async fn gap(subject: Subject) {
    let play = play();
    let (sink, stored) = with(&subject, &play, 0..20).await;
    let mut holed = play.batch(20..24);
    holed.records.remove(1);
    let mut doubled = play.batch(20..24);
    doubled.records.extend(play.records(23..24));
    let mut short = play.batch(20..24);
    short.records.pop();
    let batches: [ScanBatch; 6] = [play.batch(21..24), play.batch(21..21), play.batch(3..9), holed, doubled, short];
    for batch in batches {
        subject.refused(sink.commit(stored.revision, batch).await, ErrorKind::Inconsistent);
    }
    drop(sink);
    subject.holds(&play, &stored).await;
}

/// Opens a store and commits the events of `seqs` as its first batch.
async fn with(subject: &Subject, play: &Play, seqs: Range<u64>) -> (Arc<dyn ScanSink>, Stored) {
    let sink = subject.open().await;
    let stored = commit(subject, &*sink, Revision(0), play.batch(seqs)).await;
    (sink, stored)
}

fn play() -> Play {
    Play::new(EventSeq(0))
}

/// Returns scopes that differ from that of `play` in one thing each.
fn other_scopes(play: &Play) -> Vec<Scope> {
    let scope = play.scope();
    let mut others = vec![scope; 5];
    if let [chain, network, genesis, shard, none] = others.as_mut_slice() {
        chain.chain = ChainId::new("other");
        network.network.name = "test".to_owned();
        genesis.network.genesis = BlockHash([8; 32]);
        shard.shard = Some(ShardId(3));
        none.shard = None;
    }
    others
}

/// Counts the writers that compete.
const WRITERS: u64 = 4;

/// Is the number of events at which they stop.
const END: u64 = 120;

/// Counts the attempts after which a writer gives up; far more than it takes when somebody wins each time.
const ATTEMPTS: usize = 5_000;
