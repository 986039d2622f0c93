//! `std::sync::Condvar`: who is woken is the schedule's choice.
//!
//! A `notify_one` may wake any of those who wait at that moment: all of them could go on, and the first that
//! does takes it; the others wait again. A notification that comes when nobody waits is lost, as in std.

use super::mutex::MutexGuard;
use super::{LockResult, Object, PoisonError};
use crate::explore::run::Class;
use crate::explore::world;
use pagerace_core::sync::Kind;
use std::fmt;
use std::panic::Location;
use std::sync;
use std::time::Duration;

/// Lets tasks wait for a condition on what a mutex holds; see [`std::sync::Condvar`].
pub struct Condvar {
    object: Object,
    queue: sync::Mutex<Queue>,
}

/// Whether a wait ended because its time was over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WaitTimeoutResult(bool);

impl WaitTimeoutResult {
    /// Whether it did.
    #[must_use]
    pub const fn timed_out(&self) -> bool {
        self.0
    }
}

#[derive(Default)]
struct Queue {
    waiters: Vec<Waiter>,
    /// Notifications so far.
    notified: u64,
}

struct Waiter {
    task: usize,
    timed: bool,
    /// The notifications it may take.
    may_take: Vec<u64>,
    /// Whether one was for all.
    all: bool,
}

impl Waiter {
    fn is_notified(&self) -> bool {
        self.all || !self.may_take.is_empty()
    }
}

impl Queue {
    /// Whether `task` was notified; it leaves the queue then. Returns who is not notified any more.
    fn take(&mut self, task: usize) -> Option<Vec<usize>> {
        let at = self.waiters.iter().position(|w| w.task == task && w.is_notified())?;
        let waiter = self.waiters.remove(at);
        if waiter.all {
            return Some(Vec::new());
        }
        let taken = waiter.may_take[0];
        let mut again = Vec::new();
        for other in &mut self.waiters {
            let was = other.is_notified();
            other.may_take.retain(|&other| other != taken);
            if was && !other.is_notified() && !other.timed {
                again.push(other.task);
            }
        }
        Some(again)
    }

    fn leave(&mut self, task: usize) {
        self.waiters.retain(|waiter| waiter.task != task);
    }
}

/// A task in the queue. Dropping it takes the task out, also where a wait is cut.
struct Queued<'a> {
    condvar: &'a Condvar,
    task: usize,
}

impl Drop for Queued<'_> {
    fn drop(&mut self) {
        self.condvar.queue().leave(self.task);
    }
}

impl Queued<'_> {
    /// Whether it was notified.
    fn take(&self) -> bool {
        let again = self.condvar.queue().take(self.task);
        let Some(again) = again else { return false };
        if let Some(world) = world::current() {
            let mut run = world.run.borrow_mut();
            for task in again {
                run.wait_again(task, self.condvar.object.addr());
            }
        }
        true
    }
}

impl Condvar {
    /// One that nobody waits for.
    #[must_use]
    pub fn new() -> Self {
        Self { object: Object::new(Class::Condvar), queue: sync::Mutex::default() }
    }

    fn queue(&self) -> sync::MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues the running task and unlocks, in one step.
    fn enter<T: ?Sized>(
        &self,
        guard: MutexGuard<'_, T>,
        timed: bool,
        at: &'static Location<'static>,
    ) -> Queued<'_> {
        self.object.before(Kind::Wait, word(timed), at);
        let queued = Queued { condvar: self, task: world::me() };
        let waiter = Waiter { task: queued.task, timed, may_take: Vec::new(), all: false };
        self.queue().waiters.push(waiter);
        Object::after(true);
        // Unlocking is no point, so nobody comes in between.
        drop(guard);
        queued
    }

    /// Unlocks, waits to be notified, and locks again.
    ///
    /// # Errors
    /// If a task panicked while it held the lock. The lock is taken nevertheless.
    #[track_caller]
    pub fn wait<'a, T: ?Sized>(&self, guard: MutexGuard<'a, T>) -> LockResult<MutexGuard<'a, T>> {
        self.wait_at(guard, Location::caller())
    }

    fn wait_at<'a, T: ?Sized>(
        &self,
        guard: MutexGuard<'a, T>,
        at: &'static Location<'static>,
    ) -> LockResult<MutexGuard<'a, T>> {
        let mutex = guard.mutex();
        let queued = self.enter(guard, false, at);
        loop {
            self.object.wait_for(word(false), at);
            if queued.take() {
                break;
            }
        }
        drop(queued);
        mutex.lock_at(at)
    }

    /// Waits while `condition` holds.
    ///
    /// # Errors
    /// If a task panicked while it held the lock. The lock is taken nevertheless.
    #[track_caller]
    pub fn wait_while<'a, T: ?Sized>(
        &self,
        mut guard: MutexGuard<'a, T>,
        mut condition: impl FnMut(&mut T) -> bool,
    ) -> LockResult<MutexGuard<'a, T>> {
        let at = Location::caller();
        while condition(&mut guard) {
            guard = self.wait_at(guard, at)?;
        }
        Ok(guard)
    }

    /// Unlocks, waits to be notified or until the schedule lets the time be over, and locks again.
    ///
    /// # Errors
    /// If a task panicked while it held the lock. The lock is taken nevertheless.
    #[track_caller]
    pub fn wait_timeout<'a, T: ?Sized>(
        &self,
        guard: MutexGuard<'a, T>,
        time: Duration,
    ) -> LockResult<(MutexGuard<'a, T>, WaitTimeoutResult)> {
        // However long it is, the others may take longer.
        let _ = time;
        let at = Location::caller();
        let mutex = guard.mutex();
        let queued = self.enter(guard, true, at);
        self.object.wait_some_time(word(true), at);
        let result = WaitTimeoutResult(!queued.take());
        drop(queued);
        match mutex.lock_at(at) {
            Ok(guard) => Ok((guard, result)),
            Err(guard) => Err(PoisonError::new((guard.into_inner(), result))),
        }
    }

    /// Waits while `condition` holds, or until the schedule lets the time be over.
    ///
    /// # Errors
    /// If a task panicked while it held the lock. The lock is taken nevertheless.
    #[track_caller]
    pub fn wait_timeout_while<'a, T: ?Sized>(
        &self,
        mut guard: MutexGuard<'a, T>,
        time: Duration,
        mut condition: impl FnMut(&mut T) -> bool,
    ) -> LockResult<(MutexGuard<'a, T>, WaitTimeoutResult)> {
        loop {
            if !condition(&mut guard) {
                return Ok((guard, WaitTimeoutResult(false)));
            }
            let (back, result) = self.wait_timeout(guard, time)?;
            guard = back;
            if result.timed_out() {
                let still = condition(&mut guard);
                return Ok((guard, WaitTimeoutResult(still)));
            }
        }
    }

    /// Wakes one of those who wait, if any do.
    #[track_caller]
    pub fn notify_one(&self) {
        self.notify("notify_one", Location::caller(), |queue| {
            queue.notified += 1;
            for waiter in &mut queue.waiters {
                waiter.may_take.push(queue.notified);
            }
        });
    }

    /// Wakes all who wait.
    #[track_caller]
    pub fn notify_all(&self) {
        self.notify("notify_all", Location::caller(), |queue| {
            queue.waiters.iter_mut().for_each(|waiter| waiter.all = true);
        });
    }

    fn notify(
        &self,
        word: &'static str,
        at: &'static Location<'static>,
        notify: impl FnOnce(&mut Queue),
    ) {
        self.object.before(Kind::Wake, word, at);
        let anyone = {
            let mut queue = self.queue();
            notify(&mut queue);
            !queue.waiters.is_empty()
        };
        Object::after(anyone);
        self.object.wake();
    }
}

const fn word(timed: bool) -> &'static str {
    if timed { "wait_timeout" } else { "wait" }
}

impl Default for Condvar {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Condvar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Condvar").finish_non_exhaustive()
    }
}
