//! The word of a field whose accesses are not all points.
//!
//! What it is not: the rules. Who may read and write such a field when, and what of that is a point, say
//! [`Published`](super::Published) and [`Owned`](super::Owned), which are each one of these.

use super::{Backend, Kind, Ordering, Word};
use core::marker::PhantomData;
use core::sync::atomic::AtomicU64;

/// A word by which a field is kept. Its address is the field's.
pub(super) struct Inner<B: Backend, T: Word> {
    word: AtomicU64,
    value: PhantomData<(B, T)>,
}

impl<B: Backend, T: Word> Inner<B, T> {
    pub fn new(value: T) -> Self {
        Self { word: AtomicU64::new(value.to_word()), value: PhantomData }
    }

    #[inline(always)]
    pub fn addr(&self) -> usize {
        core::ptr::from_ref(self).addr()
    }

    /// The value. No access.
    #[inline(always)]
    pub fn get(&self) -> T {
        T::from_word(self.word.load(Ordering::Relaxed))
    }

    /// Stores a value. No access.
    #[inline(always)]
    pub fn set(&self, value: T) {
        self.word.store(value.to_word(), Ordering::Relaxed);
    }

    /// Loads the value.
    #[inline(always)]
    pub fn load(&self) -> T {
        B::before(self.addr(), Kind::Load, Ordering::Relaxed);
        let value = self.get();
        B::after(value.to_word(), value.to_word());
        value
    }

    /// Stores a value.
    #[inline(always)]
    pub fn store(&self, value: T) {
        B::before(self.addr(), Kind::Store, Ordering::Relaxed);
        let old = self.get();
        self.set(value);
        B::after(old.to_word(), value.to_word());
    }

    pub fn reset(&mut self, value: T) {
        *self.word.get_mut() = value.to_word();
    }
}

impl<B: Backend, T: Word + core::fmt::Debug> core::fmt::Debug for Inner<B, T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.get().fmt(f)
    }
}
