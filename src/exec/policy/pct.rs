//! Priorities with change points (Burckhardt, Kothari, Musuvathi, Nagarakatte, ASPLOS 2010): the task with
//! the highest priority goes on; at each of `depth - 1` accesses, drawn before the run, the task about
//! to make it falls below all others. A bug that takes `depth` ordering constraints is met with probability
//! at least 1 / (n k^(depth-1)), with n tasks and k accesses in all.
//!
//! A change point is the m-th access of a task, not a step of the run: an edit of another task leaves it
//! where it is. There are never more of them than accesses.
//!
//! What it is not: fair. A task that waits for another's progress by asking again and again has to say so.

use super::api::{Pending, Policy, Start, View};
use super::draw;
use super::lengths::Lengths;

/// The accesses that a run is taken to have of which nothing is known.
const UNKNOWN: u64 = 32;

/// A task falls to `level` at its access number `nth`.
#[derive(Clone, Copy, Debug)]
struct Change {
    task: usize,
    nth: u64,
    level: u64,
}

/// The state of priorities with change points.
#[derive(Clone, Debug)]
pub struct Pct {
    depth: usize,
    seed: u64,
    lengths: Lengths,
    /// Drawn priorities have their top bit set; those of change points are their level.
    priority: Vec<u64>,
    /// How many accesses each task has made.
    made: Vec<u64>,
    changes: Vec<Change>,
}

impl Pct {
    /// Looks for bugs of this depth, from 1.
    #[must_use]
    pub fn new(depth: usize) -> Self {
        Self {
            depth: depth.max(1),
            seed: 0,
            lengths: Lengths::default(),
            priority: Vec::new(),
            made: Vec::new(),
            changes: Vec::new(),
        }
    }

    /// Sets the depth of the runs to come.
    pub(super) fn set_depth(&mut self, depth: usize) {
        self.depth = depth.max(1);
    }

    fn know(&mut self, task: usize) {
        for new in self.priority.len()..=task {
            let drawn = draw::at(self.seed, new as u64, 1).bits();
            self.priority.push(drawn | 1 << 63);
            self.made.push(0);
        }
    }

    fn draw_changes(&mut self) {
        self.changes.clear();
        let tasks = self.lengths.tasks().max(1);
        let of = |task: usize| {
            let known = self.lengths.own(task);
            if self.lengths.tasks() == 0 { UNKNOWN } else { known }
        };
        let total: u64 = (0..tasks).map(of).sum();
        let mut rng = draw::at(self.seed, u64::MAX, 2);
        for level in 0..(self.depth as u64 - 1).min(total) {
            // Another one where there is one already: each access falls at most once.
            let (task, nth) = loop {
                let mut nth = rng.below(total as usize) as u64;
                let mut task = 0;
                while nth >= of(task) {
                    nth -= of(task);
                    task += 1;
                }
                if !self.changes.iter().any(|c| (c.task, c.nth) == (task, nth)) {
                    break (task, nth);
                }
            };
            self.changes.push(Change { task, nth, level });
        }
    }
}

impl Policy for Pct {
    fn begin(&mut self, start: &Start<'_>) {
        self.seed = start.seed;
        self.lengths.begin(start.expected, |task| task.points);
        self.priority.clear();
        self.made.clear();
        self.draw_changes();
    }

    fn choose(&mut self, view: &View<'_>) -> usize {
        if let Some(last) = view.enabled.iter().last() {
            self.know(last);
        }
        loop {
            let task = view
                .enabled
                .iter()
                .max_by_key(|&task| (self.priority[task], usize::MAX - task))
                .expect("some task is enabled");
            let nth = self.made[task];
            let due = |c: &Change| c.task == task && c.nth == nth;
            match self.changes.iter().position(due) {
                Some(at) if view.pending(task).is_some() => {
                    self.priority[task] = self.changes.swap_remove(at).level;
                }
                _ => return task,
            }
        }
    }

    fn made(&mut self, by: usize, _: &Pending, _: &View<'_>) {
        self.know(by);
        self.made[by] += 1;
    }
}
