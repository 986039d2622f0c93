//! The least that shows what an entry promises: the fewest switches, and the fewest of its operations.
//!
//! Both by enumeration, from the least on, so that each number is a minimum over all schedules and not
//! what some reduction came to. Only the signature counts, not the kind.
//!
//! What it is not: a reduction ([`crate::minimize`] is), or a minimum over all programs: operations are
//! left out, never changed or put in.

use super::entry::Entry;
use super::replay::{Budget, is_of, search};
use crate::examine::Examiner;
use crate::exec::{Executor, Session};
use crate::program::{Case, Expect, OpId};
use crate::subject::Subject;

/// The most steps for one entry, as [`super::replay::MAX_STEPS`] counts them: some seconds' worth.
pub const MAX_STEPS: u64 = 100_000_000;
/// The most operations of an entry whose subsets are looked at.
pub const MAX_OPS: usize = 16;

/// The least with which something shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Least {
    /// So many; with fewer, no schedule shows it.
    Shown(usize),
    /// So many or more: the search ended there.
    AtLeast(usize),
    /// Nothing that was asked for shows it.
    Never,
}

/// What enumeration found about one entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Smallest {
    /// The fewest switches with which a schedule of the entry's programs shows it, up to the entry's own.
    pub switches: Least,
    /// The fewest of the entry's operations that show it, under any schedule with up to one switch more
    /// than the entry has. One whose right is missing would be skipped, so it counts as left out.
    pub ops: Least,
    /// How many schedules were run.
    pub schedules: u64,
}

/// The least that shows what an entry promises; none if it promises to pass.
pub fn smallest<S: Subject>(
    executor: &mut Executor<S>,
    examiner: &mut Examiner,
    entry: &Entry,
) -> Option<Smallest> {
    smallest_within(executor, examiner, entry, MAX_STEPS)
}

/// [`smallest()`] with so many steps.
pub fn smallest_within<S: Subject>(
    executor: &mut Executor<S>,
    examiner: &mut Examiner,
    entry: &Entry,
    steps: u64,
) -> Option<Smallest> {
    let Expect::Finding(promised) = entry.expect() else { return None };
    let case = entry.case();
    executor.session(|session| {
        let mut search = Search { session, examiner, promised, left: Budget(steps), schedules: 0 };
        let switches = search.fewest_switches(case);
        let ops = match switches {
            Least::Never => Least::Never,
            _ => search.fewest_ops(case),
        };
        Some(Smallest { switches, ops, schedules: search.schedules })
    })
}

struct Search<'a, 'e, S: Subject> {
    session: &'a mut Session<'e, S>,
    examiner: &'a mut Examiner,
    promised: &'a str,
    left: Budget,
    schedules: u64,
}

impl<S: Subject> Search<'_, '_, S> {
    /// Whether a schedule with at most so many switches shows it; none if that is not known.
    fn shows(&mut self, case: &Case, switches: usize) -> Option<bool> {
        let promised = self.promised;
        let left = &mut self.left;
        let searched = search(self.session, self.examiner, case, switches, left, |finding| {
            is_of(promised, finding)
        });
        self.schedules += searched.schedules;
        (searched.hit.is_some() || searched.complete).then_some(searched.hit.is_some())
    }

    fn fewest_switches(&mut self, case: &Case) -> Least {
        for switches in 0..=case.switches() {
            match self.shows(case, switches) {
                Some(true) => return Least::Shown(switches),
                Some(false) => {}
                None => return Least::AtLeast(switches),
            }
        }
        Least::Never
    }

    /// Every smaller subset is looked at, not only those of one operation less each time: leaving out
    /// one operation can hide what leaving out two shows.
    fn fewest_ops(&mut self, case: &Case) -> Least {
        let ops = case.ops.len();
        if ops > MAX_OPS {
            return Least::AtLeast(1);
        }
        for size in 1..ops as u32 {
            for kept in (0..1_u32 << ops).filter(|kept| kept.count_ones() == size) {
                let Some(subset) = subset(case, kept) else { continue };
                match self.shows(&subset, case.switches() + 1) {
                    Some(true) => return Least::Shown(size as usize),
                    Some(false) => {}
                    None => return Least::AtLeast(size as usize),
                }
            }
        }
        Least::Shown(ops)
    }
}

/// The case with the operations whose bits are set; none if one of them has lost its right.
fn subset(case: &Case, kept: u32) -> Option<Case> {
    let is_kept = |op: OpId| kept >> op.index() & 1 == 1;
    let complete = (0..case.ops.len())
        .filter(|at| kept >> at & 1 == 1)
        .all(|at| case.ops[at].right.is_none_or(is_kept));
    complete.then(|| {
        let mut subset = case.clone();
        subset.retain_ops(|op, _| is_kept(op));
        subset
    })
}
