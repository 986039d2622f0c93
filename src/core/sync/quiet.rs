//! Words that are written without a point: by an owner whom nobody contests, or where order cannot matter.
//!
//! What it is not: a way around points. A reader that owns nothing has one; what decides anything does not
//! belong here.

use super::word::Inner;
use super::{Backend, Ordering, Word};
use core::sync::atomic::AtomicI64;

/// A field of which one task at a time is the owner. The owner reads and writes it as part of the access that
/// made it the owner, or that ends that; others may read it.
#[derive(Debug)]
pub struct Owned<B: Backend, T: Word>(Inner<B, T>);

impl<B: Backend, T: Word> Owned<B, T> {
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

    /// The value; the caller is the owner. No access.
    #[inline(always)]
    pub fn get(&self) -> T {
        self.0.get()
    }

    /// Stores a value; the caller is the owner. No access.
    #[inline(always)]
    pub fn set(&self, value: T) {
        self.0.set(value);
    }

    /// Loads the value; the caller need not be the owner.
    #[inline(always)]
    pub fn load(&self) -> T {
        self.0.load()
    }

    /// Sets the value between two runs.
    pub fn reset(&mut self, value: T) {
        self.0.reset(value);
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
