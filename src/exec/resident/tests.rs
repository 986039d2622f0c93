//! What a resident promises: the same runs as an executor, whatever happens in between.
//!
//! What it is not: a test of how cases run; see `exec::tests`.

use super::{CASES, Warm};
use crate::exec::tests::{case, random_case};
use crate::exec::toy::{self, Toy};
use crate::exec::{Ending, Executor, Resident, engine};
use crate::program::{Action, Case, Decision, Key, OpId, Site};
use std::panic::{self, AssertUnwindSafe};

/// Cases whose runs are cut: by two that wait for each other, a panic, the bound, a fatal event, and by one
/// that waits alone.
fn cut_cases() -> Vec<Case> {
    let mut cases = vec![
        case(&[&[(toy::LOCK_AB, 0)], &[(toy::LOCK_BA, 0)]]),
        case(&[&[(toy::BOOM, 0)], &[(toy::LOCK_AB, 0)]]),
        case(&[&[(toy::SPIN, 0)], &[(toy::SLEEP, 0)]]),
        case(&[&[(toy::UNLOCKED, 0)], &[(toy::SLEEP, 0)], &[(toy::SLEEP, 0)]]),
    ];
    for case in &mut cases {
        let at = Key { op: OpId(0), site: Site::Nth(2) };
        case.decisions = vec![Decision { at, action: Action::Run(1) }];
    }
    cases.push(case(&[&[(toy::SLEEP, 0)]]));
    cases
}

/// Runs a case in both, and compares all that is recorded.
fn assert_same(resident: &mut Resident<Toy>, executor: &mut Executor<Toy>, case: &Case) {
    let (one, other) = (resident.run(case), executor.run(case));
    assert_eq!(one.hash(), other.hash());
    assert_eq!((&one.trace, &one.executed), (&other.trace, &other.executed));
    assert_eq!((&one.ending, &one.census), (&other.ending, &other.census));
    assert_eq!((one.ops, one.skipped, one.unreached), (other.ops, other.skipped, other.unreached));
}

#[test]
fn runs_are_those_of_an_executor_cut_ones_among_them() {
    // The executor's sessions lie within the resident's execution, while that is parked.
    let (mut resident, mut executor) = (Resident::new(), Executor::new());
    let cut = cut_cases();
    let endings: Vec<_> = cut.iter().map(|case| executor.run(case).ending.clone()).collect();
    assert!(matches!(
        &endings[..],
        [
            Ending::Deadlock(_),
            Ending::Panic(_),
            Ending::Bound { .. },
            Ending::Fatal,
            Ending::Deadlock(_)
        ]
    ));
    for seed in 1..4_000 {
        assert_same(&mut resident, &mut executor, &random_case(seed));
        if seed % 7 == 0 {
            assert_same(&mut resident, &mut executor, &cut[seed as usize / 7 % cut.len()]);
        }
        assert_eq!(engine::open(), 1);
    }
}

#[test]
fn it_stays_within_one_execution_for_a_while() {
    let mut resident = Resident::<Toy>::new();
    assert_eq!(engine::open(), 0);
    for round in 0..2 {
        for left in (0..CASES).rev() {
            resident.run(&random_case(1 + left as u64));
            assert_eq!(resident.warm.as_ref().map(|warm| warm.left), Some(left), "{round}");
        }
    }
    drop(resident);
    assert_eq!(engine::open(), 0);
}

#[test]
fn dropping_it_ends_its_execution_and_lets_go_of_all_it_holds() {
    let mut executor = Executor::<Toy>::new();
    let before = executor.run(&random_case(1)).hash();
    for cases in [0, 1, 5] {
        let mut resident = Resident::<Toy>::new();
        let shared = std::rc::Rc::downgrade(&resident.executor.shared);
        for seed in 0..cases {
            resident.run(&random_case(1 + seed));
        }
        resident.run(&cut_cases()[0]);
        assert_eq!(engine::open(), 1);
        drop(resident);
        assert_eq!(engine::open(), 0);
        assert!(shared.upgrade().is_none());
    }
    assert_eq!(executor.run(&random_case(1)).hash(), before);
}

#[test]
fn its_executor_opens_sessions_and_the_last_run_is_the_last_of_both() {
    let (mut resident, mut executor) = (Resident::<Toy>::new(), Executor::<Toy>::new());
    for seed in 1..200 {
        let (one, other) = (random_case(seed), random_case(seed + 1_000));
        let hash = resident.run(&one).hash();
        assert_eq!(resident.last().hash(), hash);
        assert!(resident.warm.is_some());
        let within = resident.executor().session(|session| session.run(&other).hash());
        assert_eq!(within, executor.run(&other).hash());
        assert_eq!(resident.last().hash(), within);
        assert_same(&mut resident, &mut executor, &one);
    }
}

#[test]
fn a_second_one_and_one_within_a_session_run_the_same() {
    let (mut first, mut second) = (Resident::new(), Resident::new());
    let (mut executor, mut outer) = (Executor::new(), Executor::<Toy>::new());
    for seed in 1..300 {
        assert_same(&mut first, &mut executor, &random_case(seed));
        assert_same(&mut second, &mut executor, &random_case(seed + 1));
        assert!(first.warm.is_some() && second.warm.is_none());
        let case = random_case(seed + 2);
        let within = outer.session(|session| {
            let hash = first.run(&case).hash();
            (hash, session.run(&case).hash())
        });
        assert_eq!(within, (executor.run(&case).hash(), executor.run(&case).hash()));
    }
    drop(first);
    assert_same(&mut second, &mut executor, &random_case(1));
    assert!(second.warm.is_some());
}

#[test]
fn one_that_is_dropped_within_a_session_is_lost_and_harms_nothing() {
    // On a thread of its own: none of this one's residents would be warm afterwards.
    let thread = std::thread::spawn(|| {
        let (mut lost, mut next) = (Resident::<Toy>::new(), Resident::new());
        let mut executor = Executor::new();
        lost.run(&random_case(1));
        Executor::<Toy>::new().session(|session| {
            drop(lost);
            session.run(&random_case(2));
        });
        assert_eq!(engine::open(), 1);
        for seed in 1..100 {
            assert_same(&mut next, &mut executor, &random_case(seed));
        }
        assert!(next.warm.is_none());
    });
    assert!(thread.join().is_ok());
}

#[test]
fn a_panic_of_the_driver_is_raised_outside_and_ends_the_execution() {
    let executor = Executor::<Toy>::new();
    let mut warm = Warm::open(&executor, || panic!("an error of the driver"));
    assert_eq!(engine::open(), 1);
    let step = panic::catch_unwind(AssertUnwindSafe(|| warm.step()));
    assert_eq!(step.unwrap_err().downcast_ref(), Some(&"an error of the driver"));
    assert_eq!((engine::open(), warm.coroutine.is_none()), (0, true));
}
