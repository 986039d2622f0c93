//! What generated cases promise.

use super::*;
use crate::program::toy::SPEC;
use crate::program::wire::{decode, encode};

#[test]
fn one_seed_shows_every_profile_the_same_bytes() {
    let bytes = |profile| {
        let mut generator = Generator::new(&SPEC, 5, Fixed::default());
        let mut case = Case::empty(&SPEC);
        case.set_profile(profile);
        let mut next = || {
            generator.fill(&mut case);
            assert_eq!(case.history, profile.history);
            encode(&SPEC, &case)
        };
        (0..1000).map(|_| next()).collect::<Vec<_>>()
    };
    assert_eq!(bytes(&SPEC.profiles[0]), bytes(&SPEC.profiles[1]));
}

#[test]
fn a_case_depends_on_seed_and_number_alone() {
    let (mut a, mut b) = (Case::empty(&SPEC), Case::empty(&SPEC));
    let mut all = Generator::new(&SPEC, 9, Fixed::default());
    let mut odd = Generator::new(&SPEC, 9, Fixed::default());
    for n in 0..500 {
        all.fill(&mut a);
        if n % 2 == 1 {
            odd.seek(n);
            odd.fill(&mut b);
            assert_eq!(a, b);
        }
    }
    assert_eq!(odd.index(), all.index());
}

#[test]
fn generated_cases_are_legal_small_and_full_of_conflict() {
    let mut generator = Generator::new(&SPEC, 1, Fixed::default());
    let mut case = Case::empty(&SPEC);
    let (mut setups, mut taken, mut switched, mut two, mut ops) = (0, 0, 0, 0, 0);
    for _ in 0..5000 {
        generator.fill(&mut case);
        let mut fitted = case.clone();
        fitted.fit(&SPEC);
        assert_eq!(case, fitted);
        assert_eq!(decode(&SPEC, &encode(&SPEC, &case)), case);
        let mut kinds: Vec<u8> =
            case.ops.iter().filter(|op| op.place != Place::Setup).map(|op| op.op).collect();
        kinds.sort_unstable();
        kinds.dedup();
        assert!(kinds.len() <= MAX_KINDS);
        for op in &case.ops {
            let row = &SPEC.ops[usize::from(op.op)];
            assert_eq!(row.takes.is_empty(), op.right.is_none(), "{case:?}");
            if let Some(right) = op.right {
                let gives = SPEC.ops[usize::from(case.ops[right.index()].op)].gives;
                assert!(gives.is_some_and(|kind| row.takes.has(kind)), "{case:?}");
                assert_eq!(case.ops.iter().filter(|o| o.right == op.right).count(), 1);
                taken += 1;
            }
        }
        ops += case.ops.len();
        setups += usize::from(case.program(Place::Setup).next().is_some());
        switched += usize::from(case.switches() > 0 || case.policy != PolicyGene::Stay);
        two += usize::from(case.cpus == 2);
    }
    assert!(setups > 3000 && taken > 3000 && switched > 2000 && two > 4000 && ops < 40_000);
}

#[test]
fn what_is_fixed_is_never_drawn() {
    let fixed = Fixed { cpus: Some(3), fields: vec![None, None, Some(2)] };
    let mut generator = Generator::new(&SPEC, 1, fixed);
    let mut case = Case::empty(&SPEC);
    for _ in 0..200 {
        generator.fill(&mut case);
        assert_eq!((case.cpus, case.fields[2]), (3, 2));
    }
}
