//! What makes a replay fail: each part of an entry's promise, broken on its own.

mod common;

use common::{Counters, SPEC, entry, entry_of, tools};
use pagerace::corpus::replay::{replay_within, row, row_within};
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

/// Passes under both histories, so that both are searched.
const PASSING: [(&str, &str); 2] = [
    ("expect overlap/lost-update race", "expect pass"),
    ("op1 counter.store#1", "op1 counter.load#1"),
];

#[test]
fn one_budget_of_steps_serves_both_searches() {
    let mut text = TEXT.replace("bump counter", "read counter");
    for (from, to) in PASSING {
        text = text.replace(from, to);
    }
    let entry = entry_of(&text);
    let (mut executor, mut examiner) = tools();
    let mut within = |steps| replay_within(&mut executor, &mut examiner, &entry, steps);
    let whole = within(u64::MAX);
    assert!(whole.is_kept() && !whole.is_too_large(), "{whole:?}");
    // The least that is enough: both searches are of the same size, and half of it is not.
    let enough = (1..).find(|steps| within(*steps).is_kept()).unwrap();
    let half = within(enough / 2);
    assert!(half.is_too_large() && half.schedules <= whole.schedules / 2 + 1, "{half:?}");
    let almost = within(enough - 1);
    assert_eq!(almost.schedules, whole.schedules, "the last schedule is one too many");
    let said = almost.explain(&SPEC, &entry);
    let words = format!("of up to 2 switches take more than {} steps", enough - 1);
    assert!(said.contains("too large to verify") && said.contains(&words), "{said}");
}

#[test]
fn a_matrix_without_steps_is_unknown() {
    let (mut executor, mut examiner) = tools();
    let other = entry_of(&TEXT.replace("bump counter", "read counter"));
    let cells = row_within::<Counters>(&mut executor, &mut examiner, &other, 1);
    assert_eq!(cells, [Cell::Unknown, Cell::Unknown]);
}

/// What was kept in a hurry has operations to no purpose, and still shows what it promises.
#[test]
fn an_entry_that_was_not_reduced_may_have_operations_that_do_not_run() {
    let idle = TEXT.replace("cpu1:\n", "cpu1:\n  give none\n");
    let unreduced = idle
        .replace("seed 7.\n", "seed 7.\n# Not reduced yet: `pagerace minimize` makes it small.\n");
    assert!(replayed(&entry_of(&idle)).1.contains("was skipped"));
    assert_eq!(replayed(&entry_of(&unreduced)).1, "");
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
