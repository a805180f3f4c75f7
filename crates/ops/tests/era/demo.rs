//! The demonstration of an era switch from Mithril's logbook under a fast clock: what the operator of a build that supports
//! the new era reads, and what the operator of one that does not.

use nodewright_core::EraSchedule;
use nodewright_ops::era::HookLead;

use crate::fixture::*;

fn script() -> Vec<(u64, EraSchedule)> {
    vec![
        (0, by_epoch(&[("thales", Some(1))])),
        (3, by_epoch(&[("thales", Some(1)), ("pythagoras", None)])),
        (5, by_epoch(&[("thales", Some(1)), ("pythagoras", Some(9))])),
        (11, by_epoch(&[("pythagoras", Some(9))])),
    ]
}

#[tokio::test(start_paused = true)]
async fn a_build_that_supports_the_new_era_is_told_five_things_and_prepares_in_time() {
    let chain = Chain::new(script());
    let journal = Journal::new(&chain);
    let hook = Preparing { journal: journal.clone(), takes: EPOCH / 2, fails: false };
    let book = book(&["thales", "pythagoras"]).with_pace(pace()).with_hook(HookLead::default());
    let mut watch = watch(&chain, &journal, book).with_hook(std::sync::Arc::new(hook));
    run(&mut watch, 11).await;
    let lines = [
        "2: era thales (epoch 1) holds: nothing to do",
        "3: era pythagoras is announced without a date; this build supports it: nothing to do",
        "5: era pythagoras (epoch 9) begins in 4 epochs (about 4 h 0 min); this build supports it: nothing to do",
        "8: hook for pythagoras (epoch 9) in 1 epoch",
        "8: preparations for era pythagoras (epoch 9) are complete: nothing to do",
        "10: era pythagoras (epoch 9) holds now, thales has ended: nothing to do",
    ];
    assert_eq!(journal.lines(), lines);
    assert!(watch.book().checker().stamp().is_active(&era("pythagoras")));
}

#[tokio::test(start_paused = true)]
async fn a_build_that_does_not_is_reminded_more_urgently_and_told_to_stop() {
    let chain = Chain::new(script());
    let journal = Journal::new(&chain);
    let mut watch = watch(&chain, &journal, book(&["thales"]).with_pace(pace()));
    run(&mut watch, 10).await;
    let next = "era pythagoras (epoch 9)";
    let lines = [
        "2: era thales (epoch 1) holds: nothing to do".to_owned(),
        "3: era pythagoras is announced without a date and not supported by this build: look for a build that supports it"
            .to_owned(),
        format!("5: {next} begins in 4 epochs (about 4 h 0 min); this build does not support it: update before then"),
        format!("8: {next} begins in 1 epoch (about 1 h 0 min) and is not supported by this build: update before it does"),
        format!("9: the head has reached the edge of {next}, which this build does not support: update now"),
        format!("10: {next} holds and is not supported by this build: stop, and install a build that supports it"),
        format!("11: {next} holds and is not supported by this build: stop, and install a build that supports it"),
    ];
    assert_eq!(journal.lines(), lines);
    assert_eq!(watch.book().checker().stamp().current(), None);
}
