//! `std::thread::scope`: tasks that borrow from who started them.
//!
//! Invariant: [`scope`] does not return, nor unwind, before every task started in it has ended and all it
//! held is dropped. Where a run is cut, these unwind first.

use super::{Result, Started, Thread, world};
use crate::explore::run::{State, end_of};
use crate::explore::world::{Job, World, announce_task};
use std::fmt;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind};
use std::sync::{Mutex, PoisonError};

/// Starts tasks that end before [`scope`] does.
pub struct Scope<'scope, 'env: 'scope> {
    /// The tasks that were started in it.
    tasks: Mutex<Vec<usize>>,
    scope: PhantomData<&'scope mut &'scope ()>,
    env: PhantomData<&'env mut &'env ()>,
}

impl fmt::Debug for Scope<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope").finish_non_exhaustive()
    }
}

/// A handle to a task of a scope.
pub struct ScopedJoinHandle<'scope, T> {
    started: Started<T>,
    scope: PhantomData<&'scope ()>,
}

impl<T> fmt::Debug for ScopedJoinHandle<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScopedJoinHandle").finish_non_exhaustive()
    }
}

impl<T> ScopedJoinHandle<'_, T> {
    /// Waits for the task to end, and gives what it returned.
    ///
    /// # Errors
    /// What it panicked with.
    #[track_caller]
    pub fn join(self) -> Result<T> {
        self.started.join(Location::caller())
    }

    /// Whether the task has ended.
    #[track_caller]
    pub fn is_finished(&self) -> bool {
        self.started.is_finished(Location::caller())
    }

    /// What the task is called, and how to wake it.
    #[must_use]
    pub fn thread(&self) -> &Thread {
        &self.started.thread
    }
}

/// Lets `work` start tasks that borrow what it can see, and waits for them.
///
/// # Panics
/// If a task panicked that was not joined.
#[track_caller]
pub fn scope<'env, T>(work: impl for<'scope> FnOnce(&'scope Scope<'scope, 'env>) -> T) -> T {
    let world = world();
    let at = Location::caller();
    let scope = Scope { tasks: Mutex::default(), scope: PhantomData, env: PhantomData };
    let result = catch_unwind(AssertUnwindSafe(|| work(&scope)));
    let tasks = std::mem::take(&mut *scope.tasks.lock().unwrap_or_else(PoisonError::into_inner));
    for &task in &tasks {
        wait_for(world, task, at);
    }
    let mut run = world.run.borrow_mut();
    let anyone = tasks.iter().any(|&task| run.is_unhandled(task));
    match result {
        Err(payload) => {
            drop(run);
            resume_unwind(payload)
        }
        Ok(_) if anyone => {
            // The panic that follows hands theirs on.
            tasks.iter().for_each(|&task| run.joined(task));
            drop(run);
            panic!("a scoped thread panicked")
        }
        Ok(value) => value,
    }
}

/// Waits until a task has ended, whatever becomes of the run.
fn wait_for(world: &World, task: usize, at: &'static Location<'static>) {
    while world.run.borrow().state(task) != State::Ended {
        announce_task(task, "join", at);
        world.block_and_stay(end_of(task));
    }
}

impl<'scope> Scope<'scope, '_> {
    /// Starts a task.
    ///
    /// # Panics
    /// If the run has 256 already.
    #[track_caller]
    pub fn spawn<T: Send + 'scope>(
        &'scope self,
        work: impl FnOnce() -> T + Send + 'scope,
    ) -> ScopedJoinHandle<'scope, T> {
        let extend = |job: Box<dyn FnOnce() + 'scope>| -> Job {
            // SAFETY: only the lifetime changes. The task's job, and all it captures, is used and dropped
            // before the task has ended, and `scope` waits for that, on every way out of it, before
            // `'scope` ends: where it could not wait the process is aborted.
            unsafe { std::mem::transmute::<Box<dyn FnOnce() + 'scope>, Job>(job) }
        };
        let started = Started::new(None, work, extend).expect("failed to spawn thread");
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner).push(started.task);
        ScopedJoinHandle { started, scope: PhantomData }
    }
}
