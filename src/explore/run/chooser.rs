//! Who is asked where a run could go on in more than one way.
//!
//! What it is not: what happens where nobody is asked, or has no answer; that is the run's own.

use super::task::Task;
use crate::exec::policy::{Pending, Policy, Start, TaskSet, View};
use crate::explore::schedule::{Decision, Place, TaskName};
use std::collections::BTreeMap;
use std::rc::Rc;

/// The decisions of one task: which of the plan's each is, and who is to run.
pub(super) type Planned = BTreeMap<Place, (usize, TaskName)>;

/// Who decides.
pub(in crate::explore) enum Chooser {
    /// Nobody: the run goes on by itself.
    Nobody,
    /// A policy.
    Policy(Box<dyn Policy>),
    /// A schedule.
    Plan(Plan),
}

/// A schedule, prepared for a run.
pub(in crate::explore) struct Plan {
    by_task: BTreeMap<TaskName, Rc<Planned>>,
    /// Which of its decisions were taken.
    taken: Vec<bool>,
}

impl Plan {
    pub fn new(decisions: &[Decision]) -> Self {
        let mut by_task = BTreeMap::<TaskName, Planned>::new();
        for (index, decision) in decisions.iter().enumerate() {
            let places = by_task.entry(decision.task.clone()).or_default();
            // Of two for one place the first holds; the other is never taken, which a replay reports.
            places.entry(decision.at).or_insert_with(|| (index, decision.run.clone()));
        }
        let by_task = by_task.into_iter().map(|(task, places)| (task, Rc::new(places))).collect();
        Self { by_task, taken: vec![false; decisions.len()] }
    }

    /// The first decision that was not taken.
    pub fn unreached(&self) -> Option<usize> {
        self.taken.iter().position(|taken| !taken)
    }
}

impl Chooser {
    pub(super) fn begin(&mut self, start: &Start<'_>) {
        match self {
            Self::Nobody => {}
            Self::Policy(policy) => policy.begin(start),
            Self::Plan(plan) => plan.taken.fill(false),
        }
    }

    pub(super) fn plan_for(&self, task: &mut Task, name: impl FnOnce(&Task) -> TaskName) {
        if let Self::Plan(plan) = self {
            task.plan = plan.by_task.get(&name(task)).cloned();
        }
    }

    pub(super) fn taken(&mut self, decision: usize) {
        if let Self::Plan(plan) = self {
            plan.taken[decision] = true;
        }
    }

    pub(super) fn spawned(&mut self, task: usize, parent: usize) {
        if let Self::Policy(policy) = self {
            policy.spawned(task, parent);
        }
    }

    pub(super) fn made(
        &mut self,
        by: usize,
        access: &Pending,
        enabled: &TaskSet,
        pending: &[Option<Pending>],
    ) {
        if let Self::Policy(policy) = self {
            policy.made(
                by,
                access,
                &View { last: by, place: access.key, idle: false, enabled, pending },
            );
        }
    }
}
