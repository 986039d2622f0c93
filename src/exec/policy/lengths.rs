//! How much each task still has before it: what was expected of it, less what it did.
//!
//! A task answers for the tasks that it is going to start, until it has.
//!
//! What it is not: an estimate. That is made by whoever begins the run.

use super::api::Expected;

/// What is left of each task.
#[derive(Clone, Default, Debug)]
pub(super) struct Lengths {
    /// Of the task itself.
    own: Vec<u64>,
    /// Of the tasks that it is going to start.
    below: Vec<u64>,
    /// What a task has of which nothing is known: the mean of those of which something is.
    unknown: u64,
}

impl Lengths {
    /// A run begins, in which `count` says what matters of what is expected.
    pub fn begin(&mut self, expected: &[Expected], count: impl Fn(&Expected) -> u32) {
        self.own.clear();
        self.own.extend(expected.iter().map(|task| u64::from(count(task))));
        self.below.clear();
        self.below.resize(expected.len(), 0);
        let known = expected.len().max(1) as u64;
        self.unknown = self.own.iter().sum::<u64>().div_ceil(known);
        // A child comes after its parent, so that its own children are in its sum by then.
        for (task, of) in expected.iter().enumerate().rev() {
            if let Some(parent) = of.parent {
                self.below[parent] += self.own[task] + self.below[task];
            }
        }
    }

    /// A task was started.
    pub fn spawned(&mut self, task: usize, parent: usize) {
        if task < self.own.len() {
            let moved = self.own[task] + self.below[task];
            self.below[parent] = self.below[parent].saturating_sub(moved);
        } else {
            self.know(task);
        }
    }

    fn know(&mut self, task: usize) {
        if task >= self.own.len() {
            self.own.resize(task + 1, self.unknown);
            self.below.resize(task + 1, 0);
        }
    }

    /// A task has done one of what is counted.
    pub fn made(&mut self, task: usize) {
        self.know(task);
        self.own[task] = self.own[task].saturating_sub(1);
    }

    /// A task has so much left.
    pub fn correct(&mut self, task: usize, left: u32) {
        self.know(task);
        self.own[task] = u64::from(left);
    }

    /// What is left of a task and of those that it is going to start.
    pub fn left(&self, task: usize) -> u64 {
        match self.own.get(task) {
            Some(own) => own + self.below[task],
            None => self.unknown,
        }
    }

    /// What is left of a task itself.
    pub fn own(&self, task: usize) -> u64 {
        self.own.get(task).copied().unwrap_or(self.unknown)
    }

    /// Of how many tasks something is known.
    pub fn tasks(&self) -> usize {
        self.own.len()
    }
}
