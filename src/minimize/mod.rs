//! Makes a case small while it keeps showing the same finding.
//!
//! Every step is an edit of the case followed by a run: the edit stays if the run shows the same
//! finding again ([`Same`]). The order of steps is from coarse to fine: whole CPUs, operations, pairs
//! of operations, decisions, then operands, set-up fields and simpler operations; to a fixpoint.
//! Where more than two CPUs are left, the programs of two are joined if some schedule then still shows
//! the finding. At the end, the smallest number of switches that shows the finding is found by enumeration, and
//! once more each operation is left out, alone and with the one whose right it takes, this time under every
//! schedule of at most that many switches, since an edit may fail only because the stored schedule no longer
//! fits it.
//!
//! What it is not: it does not know what a finding is, and it knows neither the corpus nor history.
//! It never changes a switch of history.

mod edits;

use crate::exec::{Run, Session, enumerate};
use crate::program::{Action, Case, Place, PolicyGene};
use crate::subject::{Spec, Subject};
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

/// What stays the same while a case shrinks.
pub trait Same<S: Subject> {
    /// Whether a run shows the finding.
    fn shows(&mut self, case: &Case, run: &Run) -> bool;

    /// Whether a case that shows it is of the same kind (a race must not become a sequential bug).
    /// Returns how many runs it took to tell.
    fn same_kind(&mut self, session: &mut Session<'_, S>, case: &Case) -> (bool, u64);
}

/// How much a reduction may cost.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// Runs.
    pub executions: u64,
    /// Time, if it is limited. With a limit the result depends on the machine.
    pub time: Option<Duration>,
}

impl Default for Budget {
    fn default() -> Self {
        Self { executions: 200_000, time: None }
    }
}

/// The result of a reduction.
#[derive(Clone, Debug)]
pub struct Reduced {
    /// The smallest case found, its schedule in normal form.
    pub case: Case,
    /// How many runs it took.
    pub executions: u64,
    /// Whether the fixpoint was reached within the budget.
    pub complete: bool,
}

/// The most switches for which all schedules of a candidate are tried.
const ENUMERATED_SWITCHES: usize = 4;
/// The most runs spent on one candidate's schedules.
const ENUMERATED_RUNS: u64 = 8_000;

/// Reduces `case`, which shows the finding `same` stands for. `None` if it does not.
pub fn reduce<S: Subject>(
    session: &mut Session<'_, S>,
    case: &Case,
    same: &mut dyn Same<S>,
    budget: Budget,
) -> Option<Reduced> {
    let deadline = budget.time.map(|time| Instant::now() + time);
    let mut reducer = Reducer {
        session,
        same,
        left: budget.executions,
        deadline,
        best: case.clone(),
        executions: 0,
    };
    reducer.start(case)?;
    let complete = reducer.run_all();
    let Reducer { best, executions, .. } = reducer;
    Some(Reduced { case: best, executions, complete })
}

struct Reducer<'r, 'e, S: Subject> {
    session: &'r mut Session<'e, S>,
    same: &'r mut dyn Same<S>,
    left: u64,
    deadline: Option<Instant>,
    best: Case,
    executions: u64,
}

impl<S: Subject> Reducer<'_, '_, S> {
    /// Puts the case into normal form, if it shows the finding.
    fn start(&mut self, case: &Case) -> Option<()> {
        self.spend(1);
        let run = self.session.run(case);
        if !self.same.shows(case, run) {
            return None;
        }
        self.best = run.normal_form(case);
        Some(())
    }

    fn spend(&mut self, runs: u64) {
        self.executions += runs;
        self.left = self.left.saturating_sub(runs);
    }

    fn out_of_budget(&self) -> bool {
        self.left == 0 || self.deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }

    /// Runs all steps to the fixpoint; false if the budget ended first.
    fn run_all(&mut self) -> bool {
        loop {
            let before = self.best.clone();
            while edits::coarse(self) | edits::fine(self) {}
            self.join_programs();
            self.fewest_switches();
            self.leave_out_under_any_schedule();
            if self.out_of_budget() {
                return false;
            }
            if self.best == before {
                return true;
            }
        }
    }

    /// Takes `candidate` if it shows the same finding; its executed schedule replaces its own, so
    /// decisions that no longer fit fall away.
    fn accept(&mut self, mut candidate: Case) -> bool {
        candidate.normalize();
        if candidate == self.best || self.out_of_budget() {
            return false;
        }
        self.spend(1);
        let run = self.session.run(&candidate);
        if !self.same.shows(&candidate, run) {
            return false;
        }
        let normal = run.normal_form(&candidate);
        self.take_if_same_kind(normal)
    }

    fn take_if_same_kind(&mut self, candidate: Case) -> bool {
        if cost(S::spec(), &candidate) >= cost(S::spec(), &self.best) {
            return false;
        }
        let (same, runs) = self.same.same_kind(self.session, &candidate);
        self.spend(runs);
        if same {
            self.best = candidate;
        }
        same
    }

    /// The first schedule of `program` with at most `switches` switches that shows the finding.
    fn enumerate(&mut self, program: &Case, switches: usize) -> Option<Case> {
        let mut found = None;
        let same = &mut *self.same;
        let limit = self.left.min(ENUMERATED_RUNS);
        let counted = enumerate::schedules(self.session, program, switches, limit, |case, run| {
            if same.shows(case, run) {
                found = Some(run.normal_form(case));
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        });
        self.spend(counted.schedules);
        found
    }

    /// Runs the programs of two CPUs on one, one after the other, as long as more than two have one:
    /// a third CPU often only saves a switch. The stored schedule cannot fit, so all are tried.
    fn join_programs(&mut self) {
        'again: while self.best.active_cpus() > 2 {
            for (to, from) in pairs(self.best.cpus) {
                let candidate = edits::joined(&self.best, to, from);
                if candidate.active_cpus() >= self.best.active_cpus() {
                    continue;
                }
                for switches in 0..=ENUMERATED_SWITCHES {
                    if self.out_of_budget() {
                        return;
                    }
                    if let Some(found) = self.enumerate(&candidate, switches)
                        && self.take_if_same_kind(found)
                    {
                        continue 'again;
                    }
                }
            }
            return;
        }
    }

    /// Looks for a schedule with fewer switches, the fewest first.
    fn fewest_switches(&mut self) {
        let now = self.best.switches();
        for switches in 0..now.min(ENUMERATED_SWITCHES + 1) {
            if self.out_of_budget() {
                return;
            }
            let program = self.best.clone();
            if let Some(found) = self.enumerate(&program, switches)
                && self.take_if_same_kind(found)
            {
                return;
            }
        }
    }

    fn leave_out_under_any_schedule(&mut self) {
        let mut at = 0;
        while at < self.best.ops.len() && !self.out_of_budget() {
            let switches = self.best.switches();
            if switches > ENUMERATED_SWITCHES {
                return;
            }
            let producer = self.best.ops[at].right;
            let without = [
                Some(edits::without_op(&self.best, at)),
                edits::passed_by(&self.best, at),
                producer.and_then(|from| edits::both_passed_by(&self.best, from.index(), at)),
            ];
            let taken = without.into_iter().flatten().any(|mut candidate| {
                candidate.normalize();
                let found = self.enumerate(&candidate, switches);
                found.is_some_and(|found| self.take_if_same_kind(found))
            });
            at = if taken { 0 } else { at + 1 };
        }
    }
}

/// All ordered pairs of different CPUs.
fn pairs(cpus: u8) -> impl Iterator<Item = (u8, u8)> {
    (0..cpus)
        .flat_map(move |to| (0..cpus).filter(move |&from| from != to).map(move |from| (to, from)))
}

/// What is smaller: fewer CPUs with a program, then fewer operations, decisions and switches, then
/// simpler operations, operands and fields. Compared from left to right.
fn cost(spec: &Spec, case: &Case) -> impl Ord + use<> {
    let decisions = case.decisions.len();
    let fails = case.decisions.iter().filter(|d| d.action == Action::Fail).count();
    let in_programs = case.ops.iter().filter(|op| op.place != Place::Setup).count();
    let operands: u32 = case.ops.iter().flat_map(|op| op.operands).sum();
    let kinds: usize = case.ops.iter().map(|op| depth(spec, op.op)).sum();
    let policy = usize::from(case.policy != PolicyGene::Stay);
    let dangling = case.ops.iter().filter(|op| op.right.is_some()).count();
    (
        (case.active_cpus(), case.ops.len(), decisions, fails, in_programs),
        (case.cpus, case.first, policy, dangling),
        (kinds, operands, case.fields.clone()),
    )
}

/// How far an operation is from one that nothing simpler can stand for.
fn depth(spec: &Spec, op: u8) -> usize {
    spec.row(op).simpler.iter().map(|&simpler| 1 + depth(spec, simpler as u8)).max().unwrap_or(0)
}
