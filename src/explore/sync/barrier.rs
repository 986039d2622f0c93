//! `std::sync::Barrier`.

use super::{Object, PoisonError};
use crate::explore::run::Class;
use pagerace_core::sync::Kind;
use std::fmt;
use std::panic::Location;
use std::sync;

/// Lets so many tasks wait for each other; see [`std::sync::Barrier`].
pub struct Barrier {
    object: Object,
    size: usize,
    state: sync::Mutex<State>,
}

#[derive(Default)]
struct State {
    waiting: usize,
    /// How often all have come.
    rounds: usize,
}

/// Whether the task was the last to come.
#[derive(Clone, Copy, Debug)]
pub struct BarrierWaitResult(bool);

impl BarrierWaitResult {
    /// Whether it was: true for one of them.
    #[must_use]
    pub const fn is_leader(&self) -> bool {
        self.0
    }
}

impl Barrier {
    /// One for `size` tasks; for none as for one.
    #[must_use]
    pub fn new(size: usize) -> Self {
        Self { object: Object::new(Class::Barrier), size, state: sync::Mutex::default() }
    }

    fn state(&self) -> sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until all have come.
    #[track_caller]
    pub fn wait(&self) -> BarrierWaitResult {
        self.object.before(Kind::Inc, "wait", Location::caller());
        let (round, is_last) = {
            let mut state = self.state();
            let round = state.rounds;
            state.waiting += 1;
            let is_last = state.waiting >= self.size;
            if is_last {
                state.waiting = 0;
                state.rounds += 1;
            }
            (round, is_last)
        };
        Object::after(true);
        if is_last {
            self.object.wake();
        } else {
            while self.state().rounds == round {
                self.object.wait();
            }
        }
        BarrierWaitResult(is_last)
    }
}

impl fmt::Debug for Barrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Barrier").field("size", &self.size).finish_non_exhaustive()
    }
}
