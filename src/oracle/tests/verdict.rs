//! What is made of it: which finding, its name, and whether it is a race.

use super::last_put_by;
use crate::exec::trace::{Ending, What};
use crate::oracle::testing::{SPEC, Script, case, frame};
use crate::oracle::{Class, Judge, Kind, Signature, kind_of, nondeterminism};
use crate::program::{Action, Case, Decision, Key, OpId, Place, Policy, Site};
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
    let expected = "leak double-free overlap not-coalesced refcount lookup bad-page unlocked \
                    sleeping-in-atomic lock-order rcu deadlock livelock panic nondeterminism";
    assert_eq!(listed, expected);
    assert_eq!(format!("{:>5}|", Signature::new(Class::Rcu, &[])), "  rcu|");
}

/// The order in which the operations of a case without switches run, by the number they had.
fn executed(case: &Case) -> Vec<u8> {
    let mut cpus: Vec<u8> = (0..case.cpus).collect();
    cpus.sort_by_key(|&cpu| (cpu != case.first, cpu));
    cpus.iter()
        .flat_map(|&cpu| case.program(Place::Cpu(cpu)).map(|(_, op)| op.operands[0] as u8))
        .collect()
}

#[test]
fn every_order_is_tried_before_a_finding_is_called_a_race() {
    for cpus in 1..=4u8 {
        let mut all = case(cpus);
        for (n, op) in all.ops.iter_mut().enumerate() {
            op.operands[0] = n as u32;
        }
        let mut seen = Vec::new();
        let kind = kind_of(&all, |case| {
            seen.push(executed(case));
            None
        });
        assert_eq!(kind, Kind::Race);
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), (1..=usize::from(cpus)).product::<usize>(), "{cpus} CPUs");
    }
}

#[test]
fn one_order_that_fails_makes_a_finding_sequential() {
    let mut programs = case(3);
    programs.policy = Policy::Walk { seed: 1, rate: 0 };
    let at = |op| Key { op: OpId(op), site: Site::Nth(1) };
    programs.decisions = vec![
        Decision { at: at(0), action: Action::Run(2) },
        Decision { at: at(1), action: Action::Fail },
    ];
    for (n, op) in programs.ops.iter_mut().enumerate() {
        op.operands[0] = n as u32;
    }
    let kind = kind_of(&programs, |case| {
        assert_eq!((case.policy, case.switches(), case.decisions.len()), (Policy::Stay, 0, 1));
        let failing = case.decisions[0].at.op.index();
        assert_eq!(case.ops[failing].operands[0], 1, "the decision stays with its operation");
        (executed(case) == [2, 1, 0]).then(|| nondeterminism::differ(1, 2).expect("differ"))
    });
    assert_eq!(kind, Kind::Sequential);
    assert_eq!((Kind::Race.to_string(), kind.to_string()), ("race".into(), "sequential".into()));
}
