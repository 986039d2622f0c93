//! What is made of it: which finding, its name, and whether it is a race.

use super::last_put_by;
use crate::exec::trace::{Ending, What};
use crate::oracle::testing::{SPEC, Script, case, frame};
use crate::oracle::{Class, Judge, Kind, Signature, nondeterminism};
use pagerace_core::event::{Context, Event, Holder, Order};

#[test]
fn the_first_violation_in_the_trace_is_the_finding() {
    let mut s = Script::new();
    s.free(4, 0).event(Event::BadPage { frame: frame(4), order: Order(0), check: "later" });
    s.ending(Ending::Panic("still later".to_owned()));
    assert_eq!(s.signature(), "double-free/never-allocated");
}

#[test]
fn dropping_one_event_of_a_good_run_is_noticed() {
    let mut s = last_put_by(Holder::Lookup, false, &[(6, 1), (5, 0)], 0);
    s.all_free();
    let is = |what: &What, wanted: &str| format!("{what:?}").contains(wanted);
    for (dropped, expected) in [
        ("PageFree { frame: FrameNumber(6)", "overlap/listed-in-use"),
        ("PageFree { frame: FrameNumber(4)", "overlap/listed-in-use"),
        ("PageAlloc", "double-free/never-allocated"),
    ] {
        let mut mutant = Script::new();
        mutant.all_free();
        mutant.run.trace = s.run.trace.clone();
        mutant.run.trace.retain(|e| !is(&e.what, dropped));
        assert_eq!(mutant.run.trace.len() + 1, s.run.trace.len(), "{dropped}");
        assert_eq!(mutant.signature(), expected, "{dropped}");
    }
}

#[test]
fn a_judge_is_as_good_as_new_after_a_finding() {
    let mut judge = Judge::new(&SPEC);
    let mut good = last_put_by(Holder::Lookup, true, &[], 2);
    good.all_free();
    let mut bad = last_put_by(Holder::Lookup, false, &[], 0);
    bad.free_blocks(&[(4, 0), (0, 2)])
        .event(Event::Section { context: Context::Irq, entered: true });
    for _ in 0..3 {
        assert_eq!(judge.judge(&good.run, &case(2)), None);
        let found = judge.judge(&bad.run, &case(2)).expect("three frames are lost");
        assert_eq!(found.signature.as_str(), "leak/block/lookup");
    }
}

#[test]
fn two_hashes_of_one_case_are_equal() {
    assert_eq!(nondeterminism::differ(1, 1), None);
    let found = nondeterminism::differ(1, 2).expect("the hashes differ");
    assert_eq!(found.signature.as_str(), "nondeterminism/trace");
}

#[test]
fn classes_are_printed_as_listed() {
    let listed = Class::ALL.map(Class::name).join(" ");
    let expected = "leak double-free overlap not-coalesced not-drained refcount lookup bad-page \
                    unlocked sleeping-in-atomic lock-order rcu deadlock livelock panic accounting \
                    nondeterminism";
    assert_eq!(listed, expected);
    assert_eq!(format!("{:>5}|", Signature::new(Class::Rcu, &[])), "  rcu|");
}

#[test]
fn kinds_are_printed_as_in_entries() {
    let kinds = (Kind::Race.to_string(), Kind::Sequential.to_string());
    assert_eq!(kinds, ("race".into(), "sequential".into()));
}
