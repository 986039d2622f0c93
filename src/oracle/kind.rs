//! Race or sequential: whether it takes a schedule to see a finding.
//!
//! A finding is a race if the same programs pass when they run one after the other, in every order;
//! if some order shows any finding at all, of whatever class, it is sequential: then the programs
//! are at fault without any help of a schedule.
//!
//! What it is not: an executor. It edits cases and asks its caller to run and judge them.

use super::finding::Finding;
use crate::program::{Action, Case, Place, Policy};
use core::fmt;
use pagerace_core::sync::MAX_CPUS;

/// Whether a finding needs a schedule.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Kind {
    /// The same programs pass, one after the other, in every order.
    Race,
    /// The same programs fail one after the other, in some order.
    Sequential,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Race => "race",
            Self::Sequential => "sequential",
        })
    }
}

/// Decides for the programs of `case`. `judge` runs a case and says what is found in it; it is called
/// once for each order of the CPUs that have a program, until one shows a finding.
///
/// The case's history and its `fail` decisions are kept, its switches are dropped.
pub fn kind_of(case: &Case, mut judge: impl FnMut(&Case) -> Option<Finding>) -> Kind {
    let mut active: Vec<u8> =
        (0..case.cpus).filter(|&cpu| case.program(Place::Cpu(cpu)).next().is_some()).collect();
    if any_order(&mut active, 0, &mut |order| judge(&in_order(case, order)).is_some()) {
        Kind::Sequential
    } else {
        Kind::Race
    }
}

/// Whether `test` holds of some order of `cpus` that keeps the first `fixed` in place.
fn any_order(cpus: &mut [u8], fixed: usize, test: &mut impl FnMut(&[u8]) -> bool) -> bool {
    if fixed >= cpus.len() {
        return test(cpus);
    }
    (fixed..cpus.len()).any(|next| {
        cpus.swap(fixed, next);
        let found = any_order(cpus, fixed + 1, test);
        cpus.swap(fixed, next);
        found
    })
}

/// The case with its programs one after the other in this order of CPUs.
///
/// Without switches a run starts on `first` and goes on with the lowest CPU left, so the CPUs are
/// renumbered until that is the order. CPU 0 keeps its number where it can, since the set-up and the
/// drain run there: with it first or second it does. An order with CPU 0 third or later renumbers
/// it as well, and what the set-up left on CPU 0's own lists is then the first program's.
fn in_order(case: &Case, order: &[u8]) -> Case {
    let mut case = case.clone();
    let mut number: [u8; MAX_CPUS] = core::array::from_fn(|cpu| cpu as u8);
    let keeps_zero = order.iter().position(|&cpu| cpu == 0).is_none_or(|at| at < 2);
    let others = order.iter().filter(|&&cpu| !(keeps_zero && cpu == 0));
    for (&cpu, new) in others.zip(u8::from(keeps_zero)..) {
        number[usize::from(cpu)] = new;
    }
    for op in &mut case.ops {
        if let Place::Cpu(cpu) = &mut op.place {
            *cpu = number[usize::from(*cpu)];
        }
    }
    case.decisions.retain(|decision| decision.action == Action::Fail);
    case.policy = Policy::Stay;
    case.first = order.first().map_or(0, |&cpu| number[usize::from(cpu)]);
    case.normalize();
    case
}
