//! `std::sync::RwLock`, with a point before it is taken.
//!
//! The value lies in std's lock, which a task only takes when it is free for that; so poisoning is std's.
//! A task that holds it for reading and asks to write waits for itself, as std's documentation allows.

use super::{LockResult, Object, PoisonError, TryLockError, TryLockResult};
use crate::explore::run::Class;
use pagerace_core::sync::Kind;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::panic::Location;
use std::sync;

/// A lock that many may hold to read, or one to write; see [`std::sync::RwLock`].
pub struct RwLock<T: ?Sized> {
    object: Object,
    value: sync::RwLock<T>,
}

impl<T> RwLock<T> {
    /// A free lock.
    #[must_use]
    pub fn new(value: T) -> Self {
        Self { object: Object::new(Class::RwLock), value: sync::RwLock::new(value) }
    }

    /// The value.
    ///
    /// # Errors
    /// If a task panicked while it wrote.
    pub fn into_inner(self) -> LockResult<T> {
        self.value.into_inner()
    }
}

/// Std's guard in ours, poisoned or not.
fn wrap<H, G>(held: TryLockResult<H>, wrap: impl FnOnce(H) -> G) -> TryLockResult<G> {
    match held {
        Ok(held) => Ok(wrap(held)),
        Err(TryLockError::Poisoned(held)) => Err(PoisonError::new(wrap(held.into_inner())).into()),
        Err(TryLockError::WouldBlock) => Err(TryLockError::WouldBlock),
    }
}

/// What was got, unless it was not free.
fn got<G>(held: TryLockResult<G>) -> Option<LockResult<G>> {
    match held {
        Ok(held) => Some(Ok(held)),
        Err(TryLockError::Poisoned(held)) => Some(Err(held)),
        Err(TryLockError::WouldBlock) => None,
    }
}

impl<T: ?Sized> RwLock<T> {
    fn take_read(&self) -> TryLockResult<RwLockReadGuard<'_, T>> {
        wrap(self.value.try_read(), |held| RwLockReadGuard { held: Some(held), lock: self })
    }

    fn take_write(&self) -> TryLockResult<RwLockWriteGuard<'_, T>> {
        wrap(self.value.try_write(), |held| RwLockWriteGuard { held: Some(held), lock: self })
    }

    fn attempt<G>(
        &self,
        word: &'static str,
        at: &'static Location<'static>,
        take: impl FnOnce() -> TryLockResult<G>,
    ) -> TryLockResult<G> {
        self.object.before(Kind::TryLock, word, at);
        let taken = take();
        Object::after(!matches!(taken, Err(TryLockError::WouldBlock)));
        taken
    }

    /// Takes the lock to read, waiting for it if need be.
    ///
    /// # Errors
    /// If a task panicked while it wrote. The lock is taken nevertheless.
    #[track_caller]
    pub fn read(&self) -> LockResult<RwLockReadGuard<'_, T>> {
        self.object.acquire("read", Location::caller(), || got(self.take_read()))
    }

    /// Takes the lock to write, waiting for it if need be.
    ///
    /// # Errors
    /// If a task panicked while it wrote. The lock is taken nevertheless.
    #[track_caller]
    pub fn write(&self) -> LockResult<RwLockWriteGuard<'_, T>> {
        self.object.acquire("write", Location::caller(), || got(self.take_write()))
    }

    /// Takes the lock to read if it is free for that.
    ///
    /// # Errors
    /// If it is not, or a task panicked while it wrote.
    #[track_caller]
    pub fn try_read(&self) -> TryLockResult<RwLockReadGuard<'_, T>> {
        self.attempt("try_read", Location::caller(), || self.take_read())
    }

    /// Takes the lock to write if it is free.
    ///
    /// # Errors
    /// If it is not, or a task panicked while it wrote.
    #[track_caller]
    pub fn try_write(&self) -> TryLockResult<RwLockWriteGuard<'_, T>> {
        self.attempt("try_write", Location::caller(), || self.take_write())
    }

    /// The value, which nobody else has.
    ///
    /// # Errors
    /// If a task panicked while it wrote.
    pub fn get_mut(&mut self) -> LockResult<&mut T> {
        self.value.get_mut()
    }

    /// Whether a task panicked while it wrote.
    pub fn is_poisoned(&self) -> bool {
        self.value.is_poisoned()
    }

    /// Forgets that a task panicked while it wrote.
    pub fn clear_poison(&self) {
        self.value.clear_poison();
    }
}

impl<T: Default> Default for RwLock<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> From<T> for RwLock<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}

const HELD: &str = "a guard holds its lock until it is dropped";

macro_rules! guard {
    ($(#[$doc:meta])* $name:ident, $std:ident, $word:literal) => {
        $(#[$doc])*
        #[must_use = "the lock is released when this is dropped"]
        pub struct $name<'a, T: ?Sized> {
            /// There until it is dropped.
            held: Option<sync::$std<'a, T>>,
            lock: &'a RwLock<T>,
        }

        impl<T: ?Sized> Deref for $name<'_, T> {
            type Target = T;
            fn deref(&self) -> &T {
                self.held.as_ref().expect(HELD)
            }
        }

        impl<T: ?Sized> Drop for $name<'_, T> {
            fn drop(&mut self) {
                let RwLock { object, value } = self.lock;
                object.release($word, || drop(self.held.take()), || value.clear_poison());
            }
        }

        impl<T: ?Sized + fmt::Debug> fmt::Debug for $name<'_, T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                (**self).fmt(f)
            }
        }

        impl<T: ?Sized + fmt::Display> fmt::Display for $name<'_, T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                (**self).fmt(f)
            }
        }
    };
}

guard!(
    /// A lock held to read; dropping it releases the lock.
    RwLockReadGuard,
    RwLockReadGuard,
    "unlock_read"
);
guard!(
    /// A lock held to write; dropping it releases the lock.
    RwLockWriteGuard,
    RwLockWriteGuard,
    "unlock_write"
);

impl<T: ?Sized> DerefMut for RwLockWriteGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.held.as_mut().expect(HELD)
    }
}
