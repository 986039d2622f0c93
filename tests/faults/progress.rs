//! Runs that do not end, one that only seems so, and what is left behind when a run is cut.

use super::{Hunt, planted, reduced, replant};
use pagerace::examine::Examiner;
use pagerace::exec::{Ending, Executor, enumerate};
use pagerace::oracle::{Class, Kind};
use pagerace::program::generate::{Fixed, Generator};
use pagerace::program::{Case, text};
use pagerace::subject::mm::{MmSubject, SPEC};
use std::ops::ControlFlow;

/// A lookup meets a page that reclaim has frozen and not yet taken out of its tree.
const FROZEN: &str = "pagerace case v1
subject mm
cpus 2 first 1
setup:
  add mapping=0 index=0
cpu0:
  lookup mapping=0 index=0
cpu1:
  reclaim mapping=0 index=0
schedule:
  policy stay
  at cpu1 op1 slot.store#1: run cpu0
";

fn frozen(fault: &str) -> Case {
    let case = text::parse(&SPEC, FROZEN.as_bytes()).unwrap_or_else(|e| panic!("{e}")).case;
    replant(&case, fault)
}

fn outcome(name: &str) -> usize {
    SPEC.outcomes.iter().position(|outcome| outcome.name == name).expect("an outcome")
}

#[test]
fn three_ways_to_hang_have_three_names() {
    let lost_wakeup = reduced("unlock-no-wake", Class::Deadlock);
    let abba = reduced("page-locks-crossed", Class::Deadlock);
    let never_reloads = reduced("mismatch-never-reloads", Class::Livelock);
    assert_eq!(lost_wakeup.finding.signature.as_str(), "deadlock/flags.sleep");
    assert_eq!(abba.finding.signature.as_str(), "deadlock/cycle/flags.sleep");
    assert!(never_reloads.finding.signature.as_str().starts_with("livelock/"));
    for found in [lost_wakeup, abba, never_reloads] {
        assert_eq!(found.kind, Kind::Race);
    }
}

#[test]
fn a_lookup_that_spins_on_a_frozen_page_is_silent() {
    let (mut executor, mut examiner) = (Executor::<MmSubject>::new(), Examiner::new(&SPEC));
    let case = frozen("none");
    let run = executor.run(&case);
    assert_eq!((&run.ending, run.unreached), (&Ending::Quiescent, 0));
    assert!(run.outcomes[outcome("try_get-refused")] > 0, "it met the frozen page");
    assert!(run.outcomes[outcome("freeze-succeeded")] > 0);
    assert_eq!(examiner.judge(run, &case), None);
    // Nor under any other schedule of up to three switches.
    let counted = executor.session(|session| {
        enumerate::schedules(session, &case, 3, u64::MAX, |case, run| {
            assert_eq!(examiner.judge(run, case), None);
            ControlFlow::Continue(())
        })
    });
    assert!(counted.complete && counted.schedules > 100);
    // The same lookup, if it does not look at the slot again, never ends.
    let case = frozen("retry-never-reloads");
    let finding = examiner.judge(executor.run(&case), &case).expect("it spins for ever");
    assert_eq!(finding.class, Class::Livelock);
}

#[test]
fn runs_that_are_cut_leave_the_context_as_it_was() {
    const CASES: usize = 10_000;
    type Expected = fn(&Ending) -> bool;
    let cut: [(Case, Expected); 4] = [
        (found("mismatch-panics", Class::Panic), |e| matches!(e, Ending::Panic(_))),
        (found("unlock-no-wake", Class::Deadlock), |e| matches!(e, Ending::Deadlock(_))),
        (found("relocks-same-page", Class::Livelock), |e| matches!(e, Ending::Bound { .. })),
        (found("freed-locked", Class::BadPage), |e| *e == Ending::Fatal),
    ];
    let mut generator = Generator::new(&SPEC, super::SEED, Fixed::default());
    let mut case = Case::empty(&SPEC);
    case.history = planted("none");
    let mut executor = Executor::<MmSubject>::new();
    executor.session(|session| {
        let mut hashes = |session: &mut pagerace::exec::Session<'_, MmSubject>| -> Vec<u64> {
            generator.seek(0);
            let mut next = || {
                generator.fill(&mut case);
                session.run(&case).hash()
            };
            (0..CASES).map(|_| next()).collect()
        };
        let before = hashes(session);
        for (cut, expected) in &cut {
            let ending = &session.run(cut).ending;
            assert!(expected(ending), "{ending:?}");
            // The cases that follow end by themselves, as they did before.
            assert!(hashes(session) == before, "after {cut:?}");
        }
    });
}

/// The first case that shows a fault as this class.
fn found(fault: &str, class: Class) -> Case {
    let hunt = Hunt { until: Some(class), ..Hunt::with_fault(fault, 20_000) };
    let (_, found) = hunt.run::<MmSubject>();
    found.into_iter().rfind(|d| d.finding.class == class).expect("it is found").case
}
