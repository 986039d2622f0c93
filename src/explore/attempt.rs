//! Runs a closure once, under a policy, a schedule or by itself, and says what came of it.
//!
//! What it is not: a search. It keeps nothing from run to run.

use super::finding::Failure;
use super::run::{Chooser, Line, Plan};
use super::schedule::Decision;
use super::world::{Opened, World};
use crate::exec::policy::Expected;

/// How runs are made.
#[derive(Clone, Copy)]
pub(super) struct Runner<'a> {
    pub world: &'static World,
    pub body: &'a dyn Fn(),
    /// The most points of a run.
    pub bound: u64,
}

/// What came of a run.
pub(super) struct Outcome {
    pub failure: Option<Failure>,
    /// The same for the same interleaving.
    pub hash: u64,
    pub points: u64,
    /// What was decided; only of a run that failed.
    pub decisions: Vec<Decision>,
    /// The first decision of the schedule that was not taken.
    pub unreached: Option<usize>,
}

impl Runner<'_> {
    /// Runs with the chooser that is set.
    pub fn run(&self, opened: &Opened, seed: u64, expected: &[Expected]) -> Outcome {
        self.world.run.borrow_mut().begin(seed, expected, self.bound);
        opened.run(self.body);
        let mut run = self.world.run.borrow_mut();
        let failure = run.take_ending().map(|ending| Failure::of(&run, ending));
        let decisions = failure.as_ref().map(|_| run.decisions()).unwrap_or_default();
        let unreached = match &run.chooser {
            Chooser::Plan(plan) => plan.unreached(),
            _ => None,
        };
        Outcome { failure, hash: run.hash(), points: run.points(), decisions, unreached }
    }

    /// Runs under a schedule.
    pub fn replay(&self, opened: &Opened, decisions: &[Decision]) -> Outcome {
        self.choose(Chooser::Plan(Plan::new(decisions)));
        self.run(opened, 0, &[])
    }

    /// Runs under a schedule and keeps what happened, which [`Runner::lines`] hands over.
    pub fn record(&self, opened: &Opened, decisions: &[Decision]) -> Outcome {
        self.world.run.borrow_mut().lines = Some(Vec::new());
        self.replay(opened, decisions)
    }

    /// What happened in the run that was recorded.
    pub fn lines(&self) -> Vec<Line> {
        self.world.run.borrow_mut().lines.take().unwrap_or_default()
    }

    /// Sets who decides; returns who did.
    pub fn choose(&self, chooser: Chooser) -> Chooser {
        std::mem::replace(&mut self.world.run.borrow_mut().chooser, chooser)
    }
}
