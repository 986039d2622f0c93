//! Runs cases and judges them: what the campaign, the corpus and the fuzz targets have in common.
//!
//! What it is not: a campaign (it looks at one case at a time) or an oracle of its own.

use crate::exec::{Options, Run, Session};
use crate::minimize::Same;
use crate::oracle::{Class, Finding, Judge, Kind, LockOrder, Signature};
use crate::program::{Case, Place};
use crate::subject::{Spec, Subject};
use pagerace_core::sync::MAX_CPUS;

/// A judge that can also tell a race from a sequential bug.
#[derive(Debug)]
pub struct Examiner {
    judge: Judge,
}

impl Examiner {
    /// An examiner for runs of this subject.
    #[must_use]
    pub fn new(spec: &'static Spec) -> Self {
        Self { judge: Judge::new(spec) }
    }

    /// The same without the oracles of these classes.
    #[must_use]
    pub fn without(self, classes: &[Class]) -> Self {
        Self { judge: self.judge.without(classes) }
    }

    /// The first violation in a run of `case`, if there is one.
    pub fn judge(&mut self, run: &Run, case: &Case) -> Option<Finding> {
        self.judge.judge(run, case)
    }

    /// In which order the run judged last took its locks.
    #[must_use]
    pub fn lock_order(&self) -> &LockOrder {
        self.judge.lock_order()
    }

    /// Runs a case and judges it.
    pub fn examine<S: Subject>(
        &mut self,
        session: &mut Session<'_, S>,
        case: &Case,
    ) -> Option<Finding> {
        let run = session.run(case);
        self.judge.judge(run, case)
    }

    /// Whether what a case shows takes a schedule to see: it is a [`Kind::Race`] if the same programs
    /// pass when they run one after the other, in every order; any finding there makes it
    /// [`Kind::Sequential`]. The case's `fail` decisions are kept. Also says how many runs it took.
    ///
    /// Operations that do not run under the case's own schedule are left out: they have no part in what it
    /// shows, but might keep an order from showing it. Rights that are then not given back keep nobody
    /// waiting (see [`Subject::Right`]).
    pub fn kind<S: Subject>(&mut self, session: &mut Session<'_, S>, case: &Case) -> (Kind, u64) {
        let mut ran = case.clone();
        let run = session.run(case);
        ran.retain_ops(|op, _| run.ran(op));
        let case = &ran;
        let mut order: [u8; MAX_CPUS] = core::array::from_fn(|cpu| cpu as u8);
        // CPUs without a program take no part.
        order.sort_by_key(|&cpu| case.program(Place::Cpu(cpu)).next().is_none());
        let active = case.active_cpus();
        let mut runs = 1;
        let fails = any_order(&mut order, 0, active, &mut |order| {
            let options = Options { sequential: Some(order), ..Options::default() };
            runs += 1;
            let run = session.run_with(case, options);
            self.judge.judge(run, case).is_some()
        });
        (if fails { Kind::Sequential } else { Kind::Race }, runs)
    }
}

/// Whether `test` holds of some order of the first `len` that keeps the first `fixed` in place.
fn any_order(
    order: &mut [u8; MAX_CPUS],
    fixed: usize,
    len: usize,
    test: &mut impl FnMut([u8; MAX_CPUS]) -> bool,
) -> bool {
    if fixed >= len {
        return test(*order);
    }
    (fixed..len).any(|next| {
        order.swap(fixed, next);
        let found = any_order(order, fixed + 1, len, test);
        order.swap(fixed, next);
        found
    })
}

/// Reduction keeps signature and kind.
#[derive(Debug)]
pub struct SameFinding<'a> {
    examiner: &'a mut Examiner,
    signature: Signature,
    kind: Kind,
}

impl<'a> SameFinding<'a> {
    /// What shows `finding`, of this kind.
    pub fn new(examiner: &'a mut Examiner, finding: &Finding, kind: Kind) -> Self {
        Self { examiner, signature: finding.signature.clone(), kind }
    }
}

impl<S: Subject> Same<S> for SameFinding<'_> {
    fn shows(&mut self, case: &Case, run: &Run) -> bool {
        self.examiner.judge(run, case).is_some_and(|f| f.signature == self.signature)
    }

    fn same_kind(&mut self, session: &mut Session<'_, S>, case: &Case) -> (bool, u64) {
        let (kind, runs) = self.examiner.kind(session, case);
        (kind == self.kind, runs)
    }
}
