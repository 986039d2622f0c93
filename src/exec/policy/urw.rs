//! A random walk that is uniform over interleavings (Zhao, Wolff, Mathur, Roychoudhury, ASPLOS 2025): each
//! task goes on with a probability proportional to how many accesses it has left, those of tasks that it is
//! going to start included.
//!
//! It is uniform where the numbers are right and no task waits. Where they are not, they are corrected as the
//! run shows it, and a task that has none left by the numbers counts as having one.
//!
//! What it is not: directed at what the tasks share. An interleaving of accesses that do not conflict
//! counts as much as one of those that do.

use super::api::{Pending, Policy, Start, View};
use super::draw;
use super::lengths::Lengths;

/// The state of a uniform random walk.
#[derive(Clone, Default, Debug)]
pub struct Urw {
    seed: u64,
    lengths: Lengths,
}

impl Urw {
    /// A walk of which nothing has been asked yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Policy for Urw {
    fn begin(&mut self, start: &Start<'_>) {
        self.seed = start.seed;
        self.lengths.begin(start.expected, |task| task.points);
    }

    fn spawned(&mut self, task: usize, parent: usize) {
        self.lengths.spawned(task, parent);
    }

    fn correct(&mut self, task: usize, left: u32) {
        self.lengths.correct(task, left);
    }

    fn choose(&mut self, view: &View<'_>) -> usize {
        if let Some(chosen) = view.standing() {
            return chosen;
        }
        let mut rng = draw::at(self.seed, view.place, 0);
        draw::weighted(&mut rng, view.enabled.iter(), |task| self.lengths.left(task).max(1))
            .expect("some task is enabled")
    }

    fn made(&mut self, by: usize, _: &Pending, _: &View<'_>) {
        self.lengths.made(by);
    }
}
