//! One task of a run.
//!
//! What it is not: its stack or what it runs; those are [`crate::explore::world`]'s.

use super::chooser::Planned;
use super::trace::Announced;
use crate::explore::schedule::{Place, TaskName};
use crate::program::rng::Rng;
use std::rc::Rc;

/// Where a task is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::explore) enum State {
    /// It has not begun.
    Fresh,
    /// It runs, or could.
    Ready,
    /// It cannot go on until it is told of this address, or for a `change` that changes it. If it waits
    /// only for a time, it could go on nevertheless.
    Waiting { addr: usize, change: bool, timed: bool },
    /// It has ended.
    Ended,
}

/// A panic that left a task.
#[derive(Clone, Debug)]
pub(in crate::explore) struct Panicked {
    pub task: usize,
    pub message: String,
    pub place: Option<String>,
}

/// A task that waits when nobody can go on.
#[derive(Clone, Debug)]
pub(in crate::explore) struct Waits {
    pub task: usize,
    pub what: Announced,
    /// Who holds what it waits for.
    pub holders: Vec<usize>,
}

/// A task.
pub(super) struct Task {
    pub parent: Option<usize>,
    /// The how-manieth of its parent's it is, from 1.
    pub ordinal: u32,
    children: u32,
    /// The same in every run for a task of the same name, and for no other.
    id: u64,
    pub state: State,
    /// How often it was asked at a point, and where it waited.
    pub points: u32,
    pub waits: u32,
    pub accesses: u32,
    /// How many accesses in a row have changed nothing since it took over.
    pub in_vain: u32,
    /// What it announced last, and where that is.
    pub addr: usize,
    pub announced: Announced,
    /// Nobody can ask how it ended.
    pub detached: bool,
    /// Somebody has asked.
    pub joined: bool,
    /// What a schedule decides at its places.
    pub plan: Option<Rc<Planned>>,
}

impl Task {
    pub fn main() -> Self {
        Self::new(None, 0, 0)
    }

    fn new(parent: Option<usize>, ordinal: u32, id: u64) -> Self {
        Self {
            parent,
            ordinal,
            children: 0,
            id,
            state: State::Fresh,
            points: 0,
            waits: 0,
            accesses: 0,
            in_vain: 0,
            addr: 0,
            announced: Announced::default(),
            detached: false,
            joined: false,
            plan: None,
        }
    }

    /// The next task that this one, which is number `me`, starts.
    pub fn child(&mut self, me: usize) -> Self {
        self.children += 1;
        let id = Rng::nth(self.id, u64::from(self.children)).bits();
        Self::new(Some(me), self.children, id)
    }

    /// Names its access in all runs.
    pub fn key(&self) -> u64 {
        Rng::new(self.id ^ u64::from(self.accesses)).bits()
    }

    pub fn planned(&self, at: Place) -> Option<(usize, TaskName)> {
        self.plan.as_ref()?.get(&at).cloned()
    }
}
