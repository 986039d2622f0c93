//! Fields that are written under a lock and also read without it.
//!
//! What it is not: [`Guarded`](super::Guarded), whose accesses are all under the lock, so that none of them
//! is a point. Here a store is a point, since a reader without the lock can tell before from after, and so
//! is that reader's load. Who holds the lock reads without a point: nobody can change the field meanwhile.

use super::word::Inner;
use super::{Backend, SpinLock, Watch, Word};

/// A field that is written under a lock, which each such access names, and read by anyone.
///
/// In a controlled run, writing it or reading it by [`Published::get`] while the running CPU does not hold
/// that lock is reported ([`Event::Unlocked`](crate::event::Event::Unlocked)).
#[derive(Debug)]
pub struct Published<B: Backend, T: Word>(Inner<B, T>);

impl<B: Backend, T: Word> Published<B, T> {
    /// A field holding `value`.
    #[must_use]
    pub fn new(value: T) -> Self {
        Self(Inner::new(value))
    }

    /// Its address, by which a run names it.
    #[inline(always)]
    #[must_use]
    pub fn addr(&self) -> usize {
        self.0.addr()
    }

    /// The value; the caller holds `lock`. No access.
    #[inline(always)]
    pub fn get(&self, lock: &SpinLock<B>) -> T {
        lock.check_held_for(self.addr());
        self.peek()
    }

    /// Stores a value; the caller holds `lock`.
    #[inline(always)]
    pub fn set(&self, lock: &SpinLock<B>, value: T) {
        self.0.store(value);
        lock.check_held_for(self.addr());
    }

    /// Loads the value, without the lock.
    #[inline(always)]
    pub fn load(&self) -> T {
        self.0.load()
    }

    /// The value, for whoever owns the whole run. Not for code under test.
    #[inline(always)]
    #[must_use]
    pub fn peek(&self) -> T {
        self.0.get()
    }

    /// Sets the value between two runs.
    pub fn reset(&mut self, value: T) {
        self.0.reset(value);
    }
}

impl<B: Backend, T: Word> Watch for (&Published<B, T>, T) {
    #[inline]
    fn addr(&self) -> usize {
        self.0.addr()
    }
    #[inline]
    fn unchanged(&self) -> bool {
        self.0.peek() == self.1
    }
}
