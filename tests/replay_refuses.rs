//! What makes a replay fail: each part of an entry's promise, broken on its own.

mod common;

use common::{Counters, SPEC, entry, entry_of, tools};
use pagerace::corpus::replay::row;
use pagerace::corpus::{Broken, Cell, Entry, replay};

const TEXT: &str = "\
pagerace case v1
# Found by a test on old, seed 7.
subject counters
cpus 2 first 0
history bump=split
expect overlap/lost-update race

cpu0:
  bump counter=0
cpu1:
  bump counter=0
schedule:
  policy stay
  at cpu0 op1 counter.store#1: run cpu1
";

fn replayed(entry: &Entry) -> (Vec<Broken>, String) {
    let (mut executor, mut examiner) = tools();
    let replayed = replay(&mut executor, &mut examiner, entry);
    let words = replayed.explain(&SPEC, entry);
    assert_eq!(replayed.is_kept(), words.is_empty());
    (replayed.broken, words)
}

#[track_caller]
fn refused(from: &str, to: &str, words: &str) {
    assert!(TEXT.contains(from), "{from}");
    let (_, said) = replayed(&entry_of(&TEXT.replacen(from, to, 1)));
    assert!(said.contains(words), "{from} -> {to}: {said}");
}

#[test]
fn a_kept_promise_is_accepted() {
    assert_eq!(entry().print(&SPEC), TEXT);
    assert_eq!(replayed(&entry_of(TEXT)).1, "");
}

#[test]
fn replaying_runs_all_schedules_with_one_switch_more() {
    let (mut executor, mut examiner) = tools();
    let first = replay(&mut executor, &mut examiner, &entry());
    // On the default profile a bump is one access; each CPU may start, and the other may come first.
    assert_eq!(first.schedules, 2);
    assert_eq!(first, replay(&mut executor, &mut examiner, &entry()));
}

#[test]
fn another_expectation_is_refused() {
    refused("lost-update race", "lost-page race", "but it shows `overlap/lost-update race`");
    refused("update race", "update sequential", "but it shows `overlap/lost-update race`");
    refused("expect overlap/lost-update race", "expect pass", "expected `pass`, but it shows");
}

#[test]
fn a_dropped_operation_is_refused() {
    refused("cpu1:\n  bump counter=0\n", "", "the run passes");
    // The operation it took its operand from is gone.
    refused("cpu1:\n", "cpu1:\n  give none\n", "cpu1 op1 (give) was skipped");
}

#[test]
fn a_dropped_decision_is_refused() {
    refused("  at cpu0 op1 counter.store#1: run cpu1\n", "", "the run passes");
}

#[test]
fn a_decision_that_is_not_reached_is_refused() {
    let at = "  at cpu0 op1 counter.store#1: run cpu1\n";
    let more = format!("{at}  at cpu0 op1 counter.store#2: run cpu1\n");
    refused(at, &more, "1 decisions were not taken, the first at cpu0 op1");
    // Reached, but CPU 1 has ended by then.
    let text = TEXT.replace("cpu1:\n", "  read counter=1\ncpu1:\n");
    let (_, said) = replayed(&entry_of(&text));
    assert_eq!(said, "");
    let more = format!("{text}  at cpu0 op2 counter.load#1: run cpu1\n");
    let (_, said) = replayed(&entry_of(&more));
    assert_eq!(said, "1 decisions were not taken, the first at cpu0 op2");
}

#[test]
fn a_bug_that_the_default_profile_has_is_refused() {
    // Without a schedule, the programs lose an update on the old profile only...
    refused("bump=split", "bump=atomic", "the run passes");
    // ...and an entry that is to pass has to on its own history, whatever its schedule.
    let passing = TEXT
        .replace("overlap/lost-update race", "pass")
        .replace("counter.store#1", "counter.load#1");
    let (broken, said) = replayed(&entry_of(&passing));
    assert!(matches!(broken[..], [Broken::Fails { default: false, .. }]), "{said}");
    assert!(said.contains("must pass on its own history"), "{said}");
}

#[test]
fn a_fix_that_only_moves_the_window_is_refused() {
    let (broken, said) = replayed(&entry_of(&TEXT.replace("bump counter", "tally counter")));
    let [Broken::Fails { default: true, schedule, .. }] = &broken[..] else { panic!("{said}") };
    assert_ne!(schedule.decisions, entry_of(TEXT).case().decisions);
    assert!(said.contains("must pass on current, but show `overlap/lost-update race`"), "{said}");
}

#[test]
fn a_sequential_finding_is_not_a_race() {
    let text = TEXT.replace("cpu1:\n", "cpu1:\n  lose counter=1\n");
    let (_, said) = replayed(&entry_of(&text));
    assert!(said.contains("but it shows `overlap/lost-update sequential`"), "{said}");
    let (_, said) = replayed(&entry_of(&text.replace("update race", "update sequential")));
    assert_eq!(said, "");
}

#[test]
fn the_matrix_tells_the_profiles_apart() {
    let (mut executor, mut examiner) = tools();
    let mut row = |text: &str| row::<Counters>(&mut executor, &mut examiner, &entry_of(text));
    assert_eq!(row(TEXT), [Cell::Passes, Cell::Fails]);
    let other = TEXT.replace("lost-update", "lost-page");
    let found = "overlap/lost-update race".to_owned();
    assert_eq!(row(&other), [Cell::Passes, Cell::Other(found)]);
}
