//! What edits promise, on many cases of the toy subject.

use super::*;
use crate::program::rng::Rng;
use crate::program::toy::{SPEC, any_case};

/// Applies one mutation to many cases and checks each pair of cases.
fn each(mutation: Mutation, check: impl Fn(&Case, &Case)) {
    let mut rng = Rng::new(mutation as u64);
    let mut mutator = Mutator::new(&SPEC, 1);
    let (mut applied, mut changed) = (0, 0);
    for _ in 0..1500 {
        let before = any_case(&mut rng);
        let mut after = before.clone();
        if mutator.apply(mutation, &mut after) {
            applied += 1;
            changed += usize::from(after != before);
            check(&before, &after);
        } else {
            assert_eq!(before, after, "{mutation:?} does not half apply");
        }
        let mut fitted = after.clone();
        fitted.fit(&SPEC);
        assert_eq!(after, fitted, "{mutation:?}");
    }
    assert!(applied > 300 && changed > 250, "{mutation:?} {applied} {changed}");
}

fn same_ops(a: &Case, b: &Case) -> usize {
    a.ops.iter().zip(&b.ops).filter(|(a, b)| a == b).count()
}

#[test]
fn insert_adds_one_operation_and_keeps_the_decisions() {
    each(Mutation::Insert, |a, b| {
        assert_eq!((a.ops.len() + 1, a.decisions.len()), (b.ops.len(), b.decisions.len()));
    });
}

#[test]
fn append_adds_one_operation_at_the_end_of_a_program_and_at_most_one_switch_before_it() {
    each(Mutation::Append, |a, b| {
        assert_eq!(a.ops.len() + 1, b.ops.len());
        let grown = (0..a.cpus).map(Place::Cpu).find(|&place| {
            let (mut before, mut after) = (a.program(place), b.program(place));
            let same = before.all(|(_, op)| after.next().is_some_and(|(_, new)| new.op == op.op));
            same && after.count() == 1
        });
        assert!(grown.is_some());
        let new = b.decisions.len() - a.decisions.len();
        assert!(new <= 1, "{new}");
    });
}

#[test]
fn remove_removes_one_operation() {
    each(Mutation::Remove, |a, b| assert_eq!(a.ops.len(), b.ops.len() + 1));
}

#[test]
fn swap_reorders_one_program() {
    each(Mutation::Swap, |a, b| {
        let count = |case: &Case, place| case.program(place).count();
        for op in &a.ops {
            assert_eq!(count(a, op.place), count(b, op.place));
        }
        assert_eq!(a.decisions.len(), b.decisions.len());
    });
}

#[test]
fn duplicate_adds_one_operation_and_its_decisions() {
    each(Mutation::Duplicate, |a, b| {
        assert_eq!(a.ops.len() + 1, b.ops.len());
        assert!(a.decisions.len() <= b.decisions.len());
    });
}

#[test]
fn move_keeps_the_operations() {
    each(Mutation::Move, |a, b| assert_eq!(a.ops.len(), b.ops.len()));
}

#[test]
fn retarget_changes_one_right_to_one_that_fits() {
    each(Mutation::Retarget, |a, b| {
        assert!(same_ops(a, b) + 1 >= a.ops.len());
        for (before, after) in a.ops.iter().zip(&b.ops).filter(|(a, b)| a != b) {
            assert_eq!(OpInstance { right: after.right, ..*before }, *after);
            let right = after.right.map(|id| b.ops[id.index()].op);
            let gives = right.and_then(|op| SPEC.ops[usize::from(op)].gives);
            let takes = SPEC.ops[usize::from(after.op)].takes;
            // None: the only fitting result was its own.
            assert!(right.is_none() || gives.is_some_and(|kind| takes.has(kind)));
        }
    });
}

#[test]
fn operand_changes_one_operand() {
    each(Mutation::Operand, |a, b| assert!(same_ops(a, b) + 1 >= a.ops.len()));
}

#[test]
fn decide_shift_and_undecide_change_one_decision() {
    each(Mutation::Decide, |a, b| assert!(b.decisions.len() <= a.decisions.len() + 1));
    each(Mutation::Shift, |a, b| {
        assert_eq!(a.ops, b.ops);
        let kept = a.decisions.iter().filter(|d| b.decisions.contains(d)).count();
        assert!(kept + 2 >= a.decisions.len(), "one moved, and may now hide one");
    });
    each(Mutation::Undecide, |a, b| {
        assert_eq!(a.decisions.len(), b.decisions.len() + 1);
        assert_eq!(a.ops, b.ops);
    });
}

#[test]
fn field_and_policy_change_nothing_else() {
    each(Mutation::Field, |a, b| {
        assert_eq!(Case { fields: b.fields.clone(), ..a.clone() }, *b);
    });
    each(Mutation::Policy, |a, b| assert_eq!(Case { policy: b.policy, ..a.clone() }, *b));
}

#[test]
fn splice_brings_one_program_along() {
    let mut rng = Rng::new(3);
    let mut mutator = Mutator::new(&SPEC, 2);
    for _ in 0..1500 {
        let (before, other) = (any_case(&mut rng), any_case(&mut rng));
        let mut after = before.clone();
        mutator.splice(&mut after, &other);
        let mut fitted = after.clone();
        fitted.fit(&SPEC);
        assert_eq!(after, fitted);
        let kinds =
            |case: &Case, place| case.program(place).map(|(_, op)| op.op).collect::<Vec<_>>();
        let spliced = (0..before.cpus).map(Place::Cpu).filter(|&to| {
            (0..before.cpus)
                .map(Place::Cpu)
                .filter(|&p| p != to)
                .all(|p| kinds(&before, p) == kinds(&after, p))
                && (0..other.cpus)
                    .any(|from| kinds(&other, Place::Cpu(from)).starts_with(&kinds(&after, to)))
        });
        assert!(spliced.count() > 0, "{before:?}\n{other:?}\n{after:?}");
    }
}

#[test]
fn one_seed_makes_the_same_edits() {
    let edited = || {
        let mut mutator = Mutator::new(&SPEC, 7);
        let mut case = Case::empty(&SPEC);
        (0..300).for_each(|_| mutator.mutate(&mut case));
        case
    };
    assert_eq!(edited(), edited());
    assert_ne!(edited(), Case::empty(&SPEC));
}
