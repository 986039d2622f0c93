//! What the tasks and accesses of a run are called, and what was decided, by these names.
//!
//! What it is not: numbers of tasks or objects, which mean something in one run only.

use super::task::Task;
use super::{Announced, Decision, MAIN, Run, Taken, TaskName, object};
use pagerace_core::sync::Kind;

impl Run {
    pub(super) fn name_of_new(&self, task: &Task) -> TaskName {
        task.parent.map_or_else(TaskName::main, |parent| self.name(parent).child(task.ordinal))
    }

    /// What a task is called.
    pub(in crate::explore) fn name(&self, task: usize) -> TaskName {
        self.name_of_new(&self.tasks[task])
    }

    /// What an access is called: its object, and what is done to it.
    pub(in crate::explore) fn access_name(&self, what: &Announced, kind: Option<Kind>) -> String {
        let word = what.word.or(kind.map(Kind::name)).unwrap_or("start");
        let Some(object) = what.object else { return word.to_owned() };
        let task = || self.name(usize::from(object.instance())).to_string();
        format!("{}.{word}", object::object_name(object).unwrap_or_else(task))
    }

    /// The same for signatures, in which tasks have no names: which of several alike waits for which
    /// other is chance.
    pub(in crate::explore) fn access_kind(&self, what: &Announced) -> String {
        match what.object {
            Some(object) if object::object_name(object).is_none() => {
                what.word.unwrap_or("").to_owned()
            }
            _ => self.access_name(what, None),
        }
    }

    pub(super) fn find(&self, name: &TaskName) -> Option<usize> {
        let Some((parent, ordinal)) = name.parent() else { return Some(MAIN) };
        let parent = self.find(&parent)?;
        self.tasks.iter().position(|t| t.parent == Some(parent) && t.ordinal == ordinal)
    }

    /// What was decided, as a schedule.
    pub(in crate::explore) fn decisions(&self) -> Vec<Decision> {
        let named = |taken: &Taken| Decision {
            task: self.name(taken.task),
            at: taken.at,
            run: self.name(taken.run),
        };
        self.taken.iter().map(named).collect()
    }

    /// The tasks there were, with their parents and the points that each had.
    pub(in crate::explore) fn tasks(&self) -> impl Iterator<Item = (TaskName, Option<usize>, u32)> {
        (0..self.tasks.len()).map(|at| {
            let task = &self.tasks[at];
            (self.name(at), task.parent, task.points)
        })
    }
}
