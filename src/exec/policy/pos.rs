//! Partial order sampling (Yuan, Yang, Gu, CAV 2018): each pending access has a random priority, the
//! highest goes first, and an access that is made has those that conflict with it drawn again.
//!
//! What it is not: aware of how many accesses a task has. Where one task has many and another few, the
//! orders in which the few come late are seldom met.

use super::api::{Pending, Policy, Start, View};
use super::draw;

/// The priority of what a task is about to do.
#[derive(Clone, Copy, Debug)]
struct Drawn {
    /// For which access; none where it has not announced any.
    key: Option<u64>,
    priority: u64,
}

/// The state of partial order sampling.
#[derive(Clone, Default, Debug)]
pub struct Pos {
    seed: u64,
    drawn: Vec<Drawn>,
    /// Counts draws that are made again, so that each gives another value.
    again: u64,
}

impl Pos {
    /// A sampler of which nothing has been asked yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Draws for what has been announced since. A task that has announced nothing is about to begin: that
    /// has a priority as well, and conflicts with nothing.
    fn refresh(&mut self, view: &View<'_>) {
        for task in view.enabled.iter() {
            let key = view.pending(task).map(|pending| pending.key);
            while self.drawn.len() <= task {
                let new = self.drawn.len() as u64;
                let priority = draw::at(self.seed, !new, 0).bits();
                self.drawn.push(Drawn { key: None, priority });
            }
            let drawn = &mut self.drawn[task];
            if let Some(new) = key
                && drawn.key != key
            {
                *drawn = Drawn { key, priority: draw::at(self.seed, new, 0).bits() };
            }
        }
    }

    /// The one of these whose priority is highest.
    pub(super) fn highest(
        &mut self,
        view: &View<'_>,
        among: impl Fn(usize) -> bool,
    ) -> Option<usize> {
        self.refresh(view);
        view.enabled
            .iter()
            .filter(|&task| among(task))
            .max_by_key(|&task| (self.drawn[task].priority, usize::MAX - task))
    }

    /// The priority of what `task` has announced.
    #[cfg(test)]
    pub(super) fn priority(&self, task: usize) -> Option<u64> {
        self.drawn.get(task).map(|drawn| drawn.priority)
    }
}

impl Policy for Pos {
    fn begin(&mut self, start: &Start<'_>) {
        self.seed = start.seed;
        self.drawn.clear();
        self.again = 0;
    }

    fn choose(&mut self, view: &View<'_>) -> usize {
        self.highest(view, |_| true).expect("some task is enabled")
    }

    fn made(&mut self, by: usize, access: &Pending, view: &View<'_>) {
        for (task, drawn) in self.drawn.iter_mut().enumerate() {
            if task != by
                && let Some(other) = view.pending(task)
                && other.conflicts(access)
                && drawn.key == Some(other.key)
            {
                self.again += 1;
                drawn.priority = draw::at(self.seed, other.key, self.again).bits();
            }
        }
    }
}
