//! Words that are written without a point: by an owner whom nobody contests, or where order cannot matter.
//!
//! What it is not: a way around points. A reader that owns nothing has one; what decides anything does not
//! belong here.

use super::{Backend, Kind, Ordering, Word};
use core::marker::PhantomData;
use core::sync::atomic::{AtomicI64, AtomicU64};

/// A field of which one task at a time is the owner. The owner reads and writes it as part of the access that
/// made it the owner, or that ends that; others may read it.
pub struct Owned<B: Backend, T: Word> {
    word: AtomicU64,
    value: PhantomData<(B, T)>,
}

impl<B: Backend, T: Word> Owned<B, T> {
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

    /// The value; the caller is the owner. No access.
    #[inline(always)]
    pub fn get(&self) -> T {
        T::from_word(self.word.load(Ordering::Relaxed))
    }

    /// Stores a value; the caller is the owner. No access.
    #[inline(always)]
    pub fn set(&self, value: T) {
        self.word.store(value.to_word(), Ordering::Relaxed);
    }

    /// Loads the value; the caller need not be the owner.
    #[inline(always)]
    pub fn load(&self) -> T {
        B::before(self.addr(), Kind::Load, Ordering::Relaxed);
        let value = self.get();
        B::after(value.to_word(), value.to_word());
        value
    }

    /// Sets the value between two runs.
    pub fn reset(&mut self, value: T) {
        *self.word.get_mut() = value.to_word();
    }
}

impl<B: Backend, T: Word + core::fmt::Debug> core::fmt::Debug for Owned<B, T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.get().fmt(f)
    }
}

/// A sum for reports, of which each CPU has a part of its own (`this_cpu_add`): adding is no access, as no
/// CPU looks at it while others run.
#[derive(Debug, Default)]
pub struct Tally(AtomicI64);

impl Tally {
    /// Adds, perhaps less than nothing.
    #[inline(always)]
    pub fn add(&self, n: i64) {
        self.0.fetch_add(n, Ordering::Relaxed);
    }

    /// The sum, for whoever owns the whole run.
    #[must_use]
    pub fn peek(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Sets the sum to nothing between two runs.
    pub fn reset(&mut self) {
        *self.0.get_mut() = 0;
    }
}
