//! How tasks and runs end: by themselves, stuck, or cut.
//!
//! What it is not: the unwinding of a run that is cut; that is [`crate::explore::world`]'s.

use super::task::{Panicked, State, Waits};
use super::{Did, MAIN, Place, Run, Step};
use crate::subject::ObjectId;

/// How a run ended, where it did not end well.
#[derive(Clone, Debug)]
pub(in crate::explore) enum Ending {
    /// This panic was handed to nobody.
    Panic(Panicked),
    /// Nobody can go on.
    Deadlock(Vec<Waits>),
    /// The bound on points was reached by this task.
    Livelock(usize),
    /// The policy named a task that cannot go on.
    Policy(usize),
}

/// What is waited for by who waits for the end of a task: no object lies so low.
pub(in crate::explore) const fn end_of(task: usize) -> usize {
    task + 1
}

impl Run {
    /// Nobody can go on. That is no finding if nobody would ask those who wait for their results.
    pub(super) fn stuck(&mut self) {
        let left = || self.tasks.iter().filter(|task| task.state != State::Ended);
        if left().all(|task| task.detached) {
            return self.end_well();
        }
        let waits = (0..self.tasks.len())
            .filter(|&task| matches!(self.tasks[task].state, State::Waiting { .. }))
            .map(|task| {
                let what = self.tasks[task].announced;
                let by = |&&(object, _): &&(ObjectId, usize)| Some(object) == what.object;
                let holders = self.held.iter().filter(by).map(|&(_, task)| task).collect();
                Waits { task, what, holders }
            })
            .collect();
        self.cut_with(Ending::Deadlock(waits));
    }

    /// Ends the run here, well unless a task has panicked and nobody was told.
    pub(super) fn end_well(&mut self) {
        self.cut = true;
        self.ending = self.unhandled().cloned().map(Ending::Panic);
    }

    pub(super) fn unhandled(&self) -> Option<&Panicked> {
        self.panics.iter().find(|panicked| !self.tasks[panicked.task].joined)
    }

    /// Ends the run here. What has panicked before, and was handed to nobody, is what it ends with.
    pub(in crate::explore) fn cut_with(&mut self, ending: Ending) {
        if !self.cut {
            self.cut = true;
            self.ending = Some(self.unhandled().cloned().map_or(ending, Ending::Panic));
        }
    }

    /// The running task has panicked. That is what its parent is told when it joins; nobody is told of
    /// the first task's, nor if nobody can ask.
    ///
    /// Returns false if it was the policy that has.
    pub(in crate::explore) fn panicked(&mut self, message: String, place: Option<String>) -> bool {
        if self.asking {
            self.cut = true;
            return false;
        }
        if self.cut {
            return true;
        }
        let task = self.me;
        self.panics.push(Panicked { task, message, place });
        self.record(Did::Panics);
        if task == MAIN {
            // What it panicked of is often what another task did, which it joined.
            self.cut = true;
            self.ending = self.panics.first().cloned().map(Ending::Panic);
        } else if self.tasks[task].detached {
            self.cut = true;
            self.ending = self.panics.last().cloned().map(Ending::Panic);
        }
        true
    }

    /// The running task panics, and a destructor of its would have to wait.
    pub(in crate::explore) fn panicked_for_good(&mut self, message: String, place: Option<String>) {
        let panicked = Panicked { task: self.me, message, place };
        self.cut_with(Ending::Panic(panicked));
    }

    /// The running task knows how this one ended.
    pub(in crate::explore) fn joined(&mut self, task: usize) {
        self.tasks[task].joined = true;
    }

    /// Whether a task has panicked and nobody was told.
    pub(in crate::explore) fn is_unhandled(&self, task: usize) -> bool {
        !self.tasks[task].joined && self.panics.iter().any(|panicked| panicked.task == task)
    }

    /// Nobody can ask any more how this one ended.
    pub(in crate::explore) fn detach(&mut self, task: usize) {
        self.tasks[task].detached = true;
    }

    /// The running task has ended. Returns who runs next; `None` if all have ended.
    pub(in crate::explore) fn end(&mut self) -> Option<usize> {
        let me = self.me;
        self.pending[me] = None;
        self.set(me, State::Ended);
        self.wake(end_of(me));
        if !self.cut {
            self.record(Did::Ends);
            let enabled = self.enabled;
            if let Some(lowest) = enabled.first() {
                match self.decide(Place::End, enabled, lowest) {
                    Step::Switch(next) => return Some(next),
                    // The policy was at fault.
                    Step::Stay | Step::Leave => return self.next_to_unwind(),
                }
            }
            if self.waiting > 0 {
                self.stuck();
            } else {
                self.end_well();
            }
        }
        self.next_to_unwind()
    }

    /// The next task, in turn, that has to unwind, besides the one that runs.
    pub(in crate::explore) fn next_to_unwind(&self) -> Option<usize> {
        let count = self.tasks.len();
        let mut rest = (1..count).map(|step| (self.me + step) % count);
        rest.find(|&task| self.tasks[task].state != State::Ended)
    }

    /// How many tasks there are, or were.
    pub(in crate::explore) fn task_count(&self) -> usize {
        self.tasks.len()
    }

    /// How the run ended.
    pub(in crate::explore) fn take_ending(&mut self) -> Option<Ending> {
        self.ending.take()
    }
}
