//! Negative controls of the race of the mail: what comes close to it on 5.9, and is none.
//!
//! What it is not: the race itself (`corpus/seed_race/nc-free-leak.case`), which is run here only to
//! show that these cases are one step away from it.

use pagerace::examine::Examiner;
use pagerace::exec::{Ending, Executor, OpEnd, What};
use pagerace::oracle::{Finding, Kind};
use pagerace::program::{Case, text};
use pagerace::subject::mm::{MmSubject, SPEC};

const RACE: &str = include_str!("../corpus/seed_race/nc-free-leak.case");

fn race() -> Case {
    text::parse(&SPEC, RACE.as_bytes()).unwrap_or_else(|e| panic!("{e}")).case
}

fn outcome(name: &str) -> usize {
    SPEC.outcomes.iter().position(|outcome| outcome.name == name).expect("an outcome")
}

/// Runs a case all of whose operations and decisions must take place, and in which the lookup's
/// reference falls on the block that was allocated in the place of its page.
fn run(case: &Case) -> (Option<Finding>, Kind) {
    let (mut executor, mut examiner) = (Executor::<MmSubject>::new(), Examiner::new(&SPEC));
    let run = executor.run(case);
    assert_eq!((&run.ending, run.unreached), (&Ending::Quiescent, 0));
    assert!(!run.trace.iter().any(|line| line.what == What::OpEnd(OpEnd::Skipped)));
    assert_eq!(run.outcomes[outcome("try_get-reallocated")], 1);
    assert_eq!(run.outcomes[outcome("reload-mismatch")], 1);
    let finding = examiner.judge(run, case);
    (finding, executor.session(|session| examiner.kind(session, case).0))
}

#[test]
fn the_race_is_found() {
    let (finding, kind) = run(&race());
    let signature = finding.map(|finding| finding.signature.to_string());
    assert_eq!((signature.as_deref(), kind), (Some("leak/block/lookup"), Kind::Race));
}

#[test]
fn the_put_of_the_reader_before_the_free_of_the_owner_is_silent() {
    let mut case = race();
    // Without its second switch the lookup reloads, puts and retries while the owner holds the block.
    case.remove_decision(1);
    let (finding, _) = run(&case);
    assert_eq!(finding, None);
}

#[test]
fn a_compound_block_with_a_lookup_in_flight_is_silent() {
    let mut case = race();
    let compound =
        SPEC.ops.iter().position(|op| op.name == "alloc_compound").expect("an operation");
    let alloc = case.ops.iter_mut().find(|op| SPEC.ops[usize::from(op.op)].name == "alloc");
    alloc.expect("the block").op = compound as u8;
    let (finding, _) = run(&case);
    assert_eq!(finding, None);
}
