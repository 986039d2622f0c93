//! What the executor promises, on the toy subject.

use super::toy::{self, Toy};
use super::{Ending, Executor, Options, Phase, Scheduling, What, enumerate};
use crate::program::{Action, Case, Decision, Key, OpId, OpInstance, Place, PolicyGene, Site};
use crate::subject::Subject;
use pagerace_core::sync::Kind;
use std::ops::ControlFlow;

pub(super) fn case(programs: &[&[(u8, u32)]]) -> Case {
    let mut case = Case::empty(Toy::spec());
    case.cpus = programs.len() as u8;
    for (cpu, program) in programs.iter().enumerate() {
        for &(op, register) in *program {
            let place = Place::Cpu(cpu as u8);
            case.ops.push(OpInstance { place, op, operands: [register, 0], right: None });
        }
    }
    case.normalize();
    case
}

pub(super) fn random_case(seed: u64) -> Case {
    let mut z = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = move |n: u64| {
        z ^= z << 13;
        z ^= z >> 7;
        z ^= z << 17;
        (z >> 11) % n
    };
    let harmless = [toy::BUMP, toy::TWICE, toy::LOCK_AB, toy::RING, toy::SLEEP, toy::RELAX];
    let mut case = Case::empty(Toy::spec());
    case.cpus = 2 + next(3) as u8;
    for _ in 0..1 + next(8) {
        let op = harmless[next(harmless.len() as u64) as usize];
        let place = Place::Cpu(next(u64::from(case.cpus)) as u8);
        case.ops.push(OpInstance { place, op, operands: [next(2) as u32, 0], right: None });
    }
    case.policy = PolicyGene::of(next(256) as usize, next(65536) as u16, next(256) as u8);
    for _ in 0..next(4) {
        let at = Key { op: OpId(next(8) as u8), site: Site::Nth(1 + next(4) as u16) };
        case.decisions.push(Decision { at, action: Action::Run(next(4) as u8) });
    }
    case.normalize();
    case
}

/// Which CPUs made the accesses of the programs, in order.
fn turns(executor: &mut Executor<Toy>, case: &Case) -> Vec<usize> {
    let run = executor.run(case);
    let programs = run.trace.iter().skip_while(|line| line.what != What::Phase(Phase::Programs));
    let accesses = programs.filter(|line| matches!(line.what, What::Access { .. }));
    accesses.map(|line| line.cpu.index()).collect()
}

#[test]
fn policies_are_not_told_of_the_set_up() {
    let plain = case(&[&[(toy::BUMP, 0)], &[(toy::BUMP, 0)]]);
    let mut set_up = plain.clone();
    set_up.ops.push(OpInstance {
        place: Place::Setup,
        op: toy::BUMP,
        operands: [1, 0],
        right: None,
    });
    set_up.normalize();
    let mut executor = Executor::<Toy>::new();
    let mut orders = std::collections::BTreeSet::new();
    for number in 0..40 {
        let policy = PolicyGene::Periods { number };
        let case = Case { policy, ..plain.clone() };
        let without = turns(&mut executor, &case);
        let with = turns(&mut executor, &Case { policy, ..set_up.clone() });
        assert_eq!(with, without, "{number}");
        orders.insert(without);
    }
    assert!(orders.len() > 4, "{orders:?}");
}

#[test]
fn a_directed_switch_loses_an_update() {
    let mut case = case(&[&[(toy::BUMP, 0)], &[(toy::BUMP, 0)]]);
    let mut executor = Executor::<Toy>::new();
    assert_eq!(executor.run(&case).census.frames, 2);
    let site = Site::Named { class: 0, kind: Kind::Store, nth: 1 };
    case.decisions = vec![Decision { at: Key { op: OpId(0), site }, action: Action::Run(1) }];
    let run = executor.run(&case);
    assert_eq!((run.census.frames, run.unreached), (1, 0));
    assert_eq!(run.executed, case.decisions);
}

#[test]
fn a_decision_whose_access_is_not_reached_is_counted() {
    let mut case = case(&[&[(toy::BUMP, 0)], &[(toy::BUMP, 0)]]);
    let site = Site::Named { class: 0, kind: Kind::Store, nth: 2 };
    case.decisions = vec![Decision { at: Key { op: OpId(0), site }, action: Action::Run(1) }];
    assert_eq!(Executor::<Toy>::new().run(&case).unreached, 1);
}

#[test]
fn programs_without_conflicts_enumerate_to_the_binomial_coefficient() {
    // C(a + b, a) for a and b points: 2 and 2, 4 and 2, 4 and 4, 6 and 4.
    for (a, b, expected) in [(1, 1, 6), (2, 1, 15), (2, 2, 70), (3, 2, 210)] {
        let case = case(&[&vec![(toy::TWICE, 0); a], &vec![(toy::TWICE, 1); b]]);
        let mut hashes = std::collections::BTreeSet::new();
        let mut executor = Executor::<Toy>::new();
        let counted = executor.session(|session| {
            enumerate::schedules(session, &case, usize::MAX, u64::MAX, |_, run| {
                hashes.insert(run.hash());
                ControlFlow::Continue(())
            })
        });
        assert!(counted.complete);
        assert_eq!((counted.schedules, hashes.len()), (expected, expected as usize));
    }
}

#[test]
fn normal_forms_and_a_switch_at_every_point_give_the_same_trace() {
    let mut executor = Executor::<Toy>::new();
    let mut every = Executor::<Toy>::with_scheduling(Scheduling::CaseEveryPoint);
    let mut switched = 0;
    for seed in 1..3_000 {
        let case = random_case(seed);
        let run = executor.run(&case);
        let (hash, trace, ending) = (run.hash(), run.trace.clone(), run.ending.clone());
        let normal = run.normal_form(&case);
        switched += usize::from(!normal.decisions.is_empty());
        let again = executor.run(&normal);
        assert_eq!((again.hash(), &again.trace, &again.ending), (hash, &trace, &ending));
        assert_eq!((again.unreached, &again.executed.len()), (0, &normal.decisions.len()));
        let everywhere = every.run(&case);
        assert_eq!((everywhere.hash(), &everywhere.trace), (hash, &trace));
    }
    assert!(switched > 1_000, "only {switched} cases had a switch");
}

#[test]
fn sequential_orders_ignore_the_schedule() {
    let mut case = case(&[&[(toy::BUMP, 0)], &[(toy::BUMP, 0)], &[(toy::BUMP, 0)]]);
    case.policy = PolicyGene::Pos { seed: 7 };
    let mut executor = Executor::<Toy>::new();
    executor.session(|session| {
        for order in [[0, 1, 2, 3], [2, 1, 0, 3], [1, 2, 0, 3]] {
            let options = Options { sequential: Some(order), ..Options::default() };
            let run = session.run_with(&case, options);
            let cpus: Vec<_> = run
                .trace
                .iter()
                .filter(|e| e.what == What::OpStart)
                .map(|e| e.cpu.index() as u8)
                .collect();
            assert_eq!((run.census.frames, cpus), (3, order[..3].to_vec()));
        }
    });
}

/// What ends a run, and that the same context goes on as if nothing had happened.
#[test]
fn cut_runs_leave_the_context_as_it_was() {
    let abba = case(&[&[(toy::LOCK_AB, 0)], &[(toy::LOCK_BA, 0)]]);
    type Expected = fn(&Ending) -> bool;
    let endings: [(Case, Expected); 5] = [
        (abba, |e| matches!(e, Ending::Deadlock(w) if w.len() == 2)),
        (
            case(&[&[(toy::BOOM, 0)], &[(toy::LOCK_AB, 0)]]),
            |e| matches!(e, Ending::Panic(m) if m == "the toy goes boom"),
        ),
        (case(&[&[(toy::SPIN, 0)], &[(toy::SLEEP, 0)]]), |e| matches!(e, Ending::Bound { .. })),
        (case(&[&[(toy::UNLOCKED, 0)], &[(toy::SLEEP, 0)]]), |e| *e == Ending::Fatal),
        (case(&[&[(toy::SLEEP, 0)]]), |e| matches!(e, Ending::Deadlock(w) if w.len() == 1)),
    ];
    let mut executor = Executor::<Toy>::new();
    let before: Vec<u64> = (1..200).map(|seed| executor.run(&random_case(seed)).hash()).collect();
    for (mut case, expected) in endings {
        if case.program(Place::Cpu(1)).next().is_some() {
            let at = Key { op: OpId(0), site: Site::Nth(2) };
            case.decisions = vec![Decision { at, action: Action::Run(1) }];
        }
        executor.session(|session| {
            for _ in 0..3 {
                let run = session.run(&case);
                assert!(expected(&run.ending), "{:?}", run.ending);
            }
            for (seed, hash) in (1..200).zip(&before) {
                assert_eq!(session.run(&random_case(seed)).hash(), *hash);
            }
        });
    }
}

#[test]
fn waiting_ends_when_the_object_is_rung_or_changed() {
    let mut executor = Executor::<Toy>::new();
    let sleeper = case(&[&[(toy::SLEEP, 0)], &[(toy::RING, 0)]]);
    assert_eq!(executor.run(&sleeper).ending, Ending::Quiescent);
    let relaxer = case(&[&[(toy::RELAX, 0)], &[(toy::BUMP, 0)]]);
    assert_eq!(executor.run(&relaxer).ending, Ending::Quiescent);
    let never = case(&[&[(toy::RELAX, 0)], &[(toy::BUMP, 1)]]);
    assert!(matches!(executor.run(&never).ending, Ending::Deadlock(_)));
}

#[test]
#[should_panic(expected = "an error of the caller")]
fn a_panic_of_the_driver_is_raised_again() {
    Executor::<Toy>::new().session(|_| panic!("an error of the caller"));
}
