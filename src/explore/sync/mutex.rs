//! `std::sync::Mutex`, with a point before it is taken.
//!
//! The value lies in std's mutex, which a task only takes when it is free; so poisoning is std's.

use super::{LockResult, Object, PoisonError, TryLockError, TryLockResult};
use crate::explore::run::Class;
use pagerace_core::sync::Kind;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::panic::Location;
use std::sync;

/// A lock around a value; see [`std::sync::Mutex`].
pub struct Mutex<T: ?Sized> {
    object: Object,
    value: sync::Mutex<T>,
}

impl<T> Mutex<T> {
    /// A free lock.
    #[must_use]
    pub fn new(value: T) -> Self {
        Self { object: Object::new(Class::Mutex), value: sync::Mutex::new(value) }
    }

    /// The value.
    ///
    /// # Errors
    /// If a task panicked while it held the lock.
    pub fn into_inner(self) -> LockResult<T> {
        self.value.into_inner()
    }
}

impl<T: ?Sized> Mutex<T> {
    /// Takes the lock, waiting for it if need be.
    ///
    /// # Errors
    /// If a task panicked while it held the lock. The lock is taken nevertheless.
    #[track_caller]
    pub fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
        self.lock_at(Location::caller())
    }

    pub(super) fn lock_at(&self, at: &'static Location<'static>) -> LockResult<MutexGuard<'_, T>> {
        self.object.acquire("lock", at, || match self.value.try_lock() {
            Ok(held) => Some(Ok(self.guard(held))),
            Err(TryLockError::Poisoned(held)) => {
                Some(Err(PoisonError::new(self.guard(held.into_inner()))))
            }
            Err(TryLockError::WouldBlock) => None,
        })
    }

    fn guard<'a>(&'a self, held: sync::MutexGuard<'a, T>) -> MutexGuard<'a, T> {
        MutexGuard { held: Some(held), mutex: self }
    }

    /// Takes the lock if it is free.
    ///
    /// # Errors
    /// If it is not, or a task panicked while it held the lock.
    #[track_caller]
    pub fn try_lock(&self) -> TryLockResult<MutexGuard<'_, T>> {
        self.object.before(Kind::TryLock, "try_lock", Location::caller());
        let taken = match self.value.try_lock() {
            Ok(held) => Ok(self.guard(held)),
            Err(TryLockError::Poisoned(held)) => {
                Err(PoisonError::new(self.guard(held.into_inner())).into())
            }
            Err(TryLockError::WouldBlock) => Err(TryLockError::WouldBlock),
        };
        Object::after(!matches!(taken, Err(TryLockError::WouldBlock)));
        taken
    }

    /// The value, which nobody else has.
    ///
    /// # Errors
    /// If a task panicked while it held the lock.
    pub fn get_mut(&mut self) -> LockResult<&mut T> {
        self.value.get_mut()
    }

    /// Whether a task panicked while it held the lock.
    pub fn is_poisoned(&self) -> bool {
        self.value.is_poisoned()
    }

    /// Forgets that a task panicked while it held the lock.
    pub fn clear_poison(&self) {
        self.value.clear_poison();
    }
}

impl<T: Default> Default for Mutex<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> From<T> for Mutex<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}

/// A held lock; dropping it releases the lock.
#[must_use = "the lock is released when this is dropped"]
pub struct MutexGuard<'a, T: ?Sized> {
    /// There until it is dropped.
    held: Option<sync::MutexGuard<'a, T>>,
    mutex: &'a Mutex<T>,
}

const HELD: &str = "a guard holds its lock until it is dropped";

impl<'a, T: ?Sized> MutexGuard<'a, T> {
    pub(super) fn mutex(&self) -> &'a Mutex<T> {
        self.mutex
    }
}

impl<T: ?Sized> Deref for MutexGuard<'_, T> {
    type Target = T;
    fn deref(&self) -> &T {
        self.held.as_ref().expect(HELD)
    }
}

impl<T: ?Sized> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.held.as_mut().expect(HELD)
    }
}

impl<T: ?Sized> Drop for MutexGuard<'_, T> {
    fn drop(&mut self) {
        let Mutex { object, value } = self.mutex;
        object.release("unlock", || drop(self.held.take()), || value.clear_poison());
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
