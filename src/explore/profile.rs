//! What earlier runs of an exploration say of the next one.
//!
//! Tasks are told apart by their names, so that a run which starts them in another order still knows them.
//!
//! What it is not: certain. A run under another schedule may do more, or something else.

use super::run::Run;
use super::schedule::TaskName;
use crate::exec::policy::Expected;
use crate::subject::ObjectId;
use std::collections::BTreeMap;

/// How many runs are looked at.
pub(super) const RUNS: u64 = 8;

/// The most that each task was seen to do.
#[derive(Default)]
pub(super) struct Profile {
    tasks: BTreeMap<TaskName, Seen>,
    /// The tasks of the last run, in the order in which they were started.
    order: Vec<TaskName>,
}

#[derive(Default)]
struct Seen {
    points: u32,
    objects: BTreeMap<ObjectId, u32>,
}

impl Profile {
    /// Adds a run that counted.
    pub fn add(&mut self, run: &Run) {
        let of_run: Vec<_> = run.tasks().collect();
        for (name, _, points) in &of_run {
            let seen = self.tasks.entry(name.clone()).or_default();
            seen.points = seen.points.max(*points);
        }
        for (&(task, object), &points) in run.counts.iter().flatten() {
            let seen = self.tasks.entry(of_run[task].0.clone()).or_default();
            let most = seen.objects.entry(object).or_default();
            *most = points.max(*most);
        }
        self.order = of_run.into_iter().map(|(name, ..)| name).collect();
    }

    /// What to expect of the tasks, by number.
    pub fn expected(&self) -> Vec<Expected> {
        let number = |name: &TaskName| self.order.iter().position(|other| other == name);
        let of_task = |name: &TaskName| {
            let seen = &self.tasks[name];
            Expected {
                parent: name.parent().and_then(|(parent, _)| number(&parent)),
                points: seen.points,
                objects: seen.objects.iter().map(|(&object, &n)| (object, n)).collect(),
            }
        };
        self.order.iter().map(of_task).collect()
    }
}
