//! `std::sync::OnceLock` and `std::sync::Once`.

use super::Object;
use crate::explore::run::Class;
use pagerace_core::sync::Kind;
use std::fmt;
use std::panic::Location;
use std::sync;
use std::sync::atomic::{AtomicBool, Ordering};

/// A value that is written once; see [`std::sync::OnceLock`].
pub struct OnceLock<T> {
    object: Object,
    value: sync::OnceLock<T>,
    /// A task computes it.
    running: AtomicBool,
}

/// The task that computes a value. Dropping it lets others go on, also where it has panicked.
struct Running<'a>(&'a Object, &'a AtomicBool);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.release("done", || self.1.store(false, Ordering::Relaxed), || ());
    }
}

impl<T> OnceLock<T> {
    /// One without a value.
    #[must_use]
    pub fn new() -> Self {
        let running = AtomicBool::new(false);
        Self { object: Object::new(Class::Once), value: sync::OnceLock::new(), running }
    }

    /// The value, if there is one.
    #[track_caller]
    pub fn get(&self) -> Option<&T> {
        self.object.before(Kind::Load, "get", Location::caller());
        Object::after(false);
        self.value.get()
    }

    /// Gives it this value, waiting for a task that computes one.
    ///
    /// # Errors
    /// The value, if there was one already.
    #[track_caller]
    pub fn set(&self, value: T) -> Result<(), T> {
        let mut value = Some(value);
        self.init("set", Location::caller(), || value.take());
        value.map_or(Ok(()), Err)
    }

    /// The value, computed now if there was none.
    ///
    /// # Panics
    /// If `compute` does. There is no value then.
    #[track_caller]
    pub fn get_or_init(&self, compute: impl FnOnce() -> T) -> &T {
        self.init("get_or_init", Location::caller(), || Some(compute()));
        self.value.get().expect("there is one now")
    }

    fn init(
        &self,
        word: &'static str,
        at: &'static Location<'static>,
        compute: impl FnOnce() -> Option<T>,
    ) {
        let there = self.object.acquire(word, at, || {
            let there = self.value.get().is_some();
            (there || !self.running.swap(true, Ordering::Relaxed)).then_some(there)
        });
        if !there {
            let running = Running(&self.object, &self.running);
            if let Some(value) = compute() {
                let set = self.value.set(value);
                assert!(set.is_ok(), "only the running task sets it");
            }
            drop(running);
        }
    }

    /// The value, which nobody else has.
    pub fn get_mut(&mut self) -> Option<&mut T> {
        self.value.get_mut()
    }

    /// The value.
    #[must_use]
    pub fn into_inner(self) -> Option<T> {
        self.value.into_inner()
    }
}

impl<T> Default for OnceLock<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: fmt::Debug> fmt::Debug for OnceLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}

/// Something that is done once; see [`std::sync::Once`].
#[derive(Default, Debug)]
pub struct Once {
    done: OnceLock<()>,
    poisoned: AtomicBool,
}

impl Once {
    /// One that has not been done.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Does it, or waits for the task that does.
    ///
    /// # Panics
    /// If `work` does, or did before.
    #[track_caller]
    pub fn call_once(&self, work: impl FnOnce()) {
        self.done.init("call_once", Location::caller(), || {
            let poisoned = self.poisoned.swap(true, Ordering::Relaxed);
            assert!(!poisoned, "Once instance has previously been poisoned");
            work();
            self.poisoned.store(false, Ordering::Relaxed);
            Some(())
        });
    }

    /// Whether it was done.
    #[track_caller]
    pub fn is_completed(&self) -> bool {
        self.done.get().is_some()
    }
}
