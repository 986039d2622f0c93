//! What `std::sync` has, for closures under exploration: change the import, keep the code.
//!
//! Each type has the shape of its namesake in std. Under exploration ([`crate::explore`]) its accesses
//! ask the schedule who goes on, a task that would block is disabled until it can go on, and what can
//! never go on is reported. Every access is sequentially consistent, whatever [`atomic::Ordering`] it
//! asks for.
//!
//! | mechanism | point | waits for |
//! |---|---|---|
//! | atomics | each access | nothing; loops that wait should call `yield_now` or `spin_loop` |
//! | [`Mutex`], [`RwLock`] | taking, and trying to; unlocking is none | the unlock |
//! | [`Condvar`] | wait, notify, and taking the mutex again | being notified |
//! | [`Barrier`], [`OnceLock`], [`Once`] | each call | the last to come, the one who initializes |
//! | [`mpsc`] | send, receive, the last sender's and the receiver's drop | a message, room |
//!
//! Where std leaves open what happens, the schedule decides: which waiter `notify_one` wakes, who gets
//! a lock, and whether a wait with a timeout times out, whatever its length (it always may; so it is no
//! deadlock). Nothing wakes up spuriously. A reader is never kept waiting by a writer that only waits.
//!
//! Objects are made inside the closure, so that each run begins with new ones: that `new` is not
//! `const` keeps them out of statics, which would carry state from run to run.
//!
//! What it is not: of use outside of explorations, but for what need not wait; and `compare_exchange_weak`
//! does not fail spuriously.

pub mod atomic;
mod barrier;
mod condvar;
pub mod mpsc;
mod mutex;
mod once;
mod rwlock;

pub use barrier::{Barrier, BarrierWaitResult};
pub use condvar::{Condvar, WaitTimeoutResult};
pub use mutex::{Mutex, MutexGuard};
pub use once::{Once, OnceLock};
pub use rwlock::{RwLock, RwLockReadGuard, RwLockWriteGuard};
pub use std::sync::{Arc, LockResult, PoisonError, TryLockError, TryLockResult, Weak};

use super::run::{Class, Name};
use super::world::{self, announce, announce_drop};
use pagerace_core::sync::{Backend as _, Controlled, Kind, Waiting};
use std::panic::Location;
use std::sync::atomic::Ordering;

/// What an object has in common with all others: a name, and an address by which tasks wait for it.
struct Object(Name);

impl Object {
    fn new(class: Class) -> Self {
        Self(world::born(Name::new(class)))
    }

    fn addr(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    /// The running task is about to do this; others may run before.
    fn before(&self, kind: Kind, word: &'static str, at: &'static Location<'static>) {
        announce(&self.0, word, at);
        Controlled::before(self.addr(), kind, Ordering::SeqCst);
    }

    /// The same from a destructor.
    fn before_drop(&self, kind: Kind, word: &'static str) {
        announce_drop(&self.0, word);
        Controlled::before(self.addr(), kind, Ordering::SeqCst);
    }

    /// It was done.
    fn after(changed: bool) {
        Controlled::after(0, u64::from(changed));
    }

    /// Waits to be told of this object.
    fn wait(&self) {
        Controlled::wait(&[self.addr()], Waiting::Sleep);
    }

    /// The same, where something else was announced in between.
    fn wait_for(&self, word: &'static str, at: &'static Location<'static>) {
        announce(&self.0, word, at);
        self.wait();
    }

    /// Waits to be told of this object, or until the schedule lets the time be over.
    fn wait_some_time(&self, word: &'static str, at: &'static Location<'static>) {
        announce(&self.0, word, at);
        match world::current() {
            Some(world) => world.block(self.addr(), false, true),
            None => self.wait(),
        }
    }

    /// Tells those who wait for it.
    fn wake(&self) {
        Controlled::wake(self.addr());
    }

    /// Takes what is waited for by `take`, once it gives something.
    fn acquire<T>(
        &self,
        word: &'static str,
        at: &'static Location<'static>,
        take: impl Fn() -> Option<T>,
    ) -> T {
        self.before(Kind::Lock, word, at);
        let taken = loop {
            if let Some(taken) = take() {
                break taken;
            }
            Controlled::wait(&[self.addr()], Waiting::Lock);
        };
        Self::after(true);
        taken
    }

    /// Gives back what was taken. That a run is cut is no panic: where it poisons, `cure` takes that back.
    fn release(&self, word: &'static str, give: impl FnOnce(), cure: impl FnOnce()) {
        self.before_drop(Kind::Unlock, word);
        give();
        if world::current().is_some_and(|world| world.run.borrow().is_cut()) {
            cure();
        }
        Self::after(true);
        self.wake();
    }
}
