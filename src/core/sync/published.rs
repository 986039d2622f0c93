//! Fields that are written under a lock and also read without it.
//!
//! What it is not: [`Guarded`](super::Guarded), whose accesses are all under the lock, so that none of them
//! is a point. Here a store is a point, since a reader without the lock can tell before from after, and so
//! is that reader's load. Who holds the lock reads without a point: nobody can change the field meanwhile.

use super::{Backend, Kind, Ordering, SpinLock, Watch, Word};
use core::marker::PhantomData;
use core::sync::atomic::AtomicU64;

/// A field that is written under a lock, which each such access names, and read by anyone.
///
/// In a controlled run, writing it or reading it by [`Published::get`] while the running CPU does not hold
/// that lock is reported ([`Event::Unlocked`](crate::event::Event::Unlocked)).
pub struct Published<B: Backend, T: Word> {
    word: AtomicU64,
    value: PhantomData<(B, T)>,
}

impl<B: Backend, T: Word> Published<B, T> {
    /// A field holding `value`.
    #[must_use]
    pub fn new(value: T) -> Self {
        Self { word: AtomicU64::new(value.to_word()), value: PhantomData }
    }

    /// Its address, by which a run names it.
    #[inline(always)]
    #[must_use]
    pub fn addr(&self) -> usize {
        core::ptr::from_ref(self).addr()
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
        B::before(self.addr(), Kind::Store, Ordering::Relaxed);
        let old = self.word.load(Ordering::Relaxed);
        self.word.store(value.to_word(), Ordering::Relaxed);
        B::after(old, value.to_word());
        lock.check_held_for(self.addr());
    }

    /// Loads the value, without the lock.
    #[inline(always)]
    pub fn load(&self) -> T {
        B::before(self.addr(), Kind::Load, Ordering::Relaxed);
        let word = self.word.load(Ordering::Relaxed);
        B::after(word, word);
        T::from_word(word)
    }

    /// The value, for whoever owns the whole run. Not for code under test.
    #[inline(always)]
    #[must_use]
    pub fn peek(&self) -> T {
        T::from_word(self.word.load(Ordering::Relaxed))
    }

    /// Sets the value between two runs.
    pub fn reset(&mut self, value: T) {
        *self.word.get_mut() = value.to_word();
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

impl<B: Backend, T: Word + core::fmt::Debug> core::fmt::Debug for Published<B, T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.peek().fmt(f)
    }
}
