//! Atomics: `core`'s, with one hook before each operation.
//!
//! Each type is `repr(transparent)` over the type of the same name in `core::sync::atomic`, takes
//! the same memory orders, and is one access per call. `peek` and `reset` are for whoever owns the
//! whole run (set-up, census, report): they are no accesses and must not be used by code under test.

use super::{Backend, Kind, Ordering};
use core::marker::PhantomData;
use core::sync::atomic;

/// A value that fits a trace word.
pub trait Word: Copy + PartialEq {
    /// As a trace word.
    fn to_word(self) -> u64;
    /// Back from the word that [`Word::to_word`] gave.
    fn from_word(word: u64) -> Self;
}

macro_rules! integer_words {
    ($($t:ty: $to_word:expr),*) => {$(
        impl Word for $t {
            #[inline(always)]
            fn to_word(self) -> u64 {
                $to_word(self)
            }
            #[inline(always)]
            fn from_word(word: u64) -> Self {
                word as $t
            }
        }
    )*};
}
integer_words!(
    u8: u64::from,
    u16: u64::from,
    u32: u64::from,
    u64: core::convert::identity,
    usize: |value| value as u64,
    // The sign is extended, and cut off on the way back.
    i8: |value| value as u64,
    i16: |value| value as u64,
    i32: |value| value as u64,
    i64: |value| value as u64,
    isize: |value| value as u64
);

impl Word for bool {
    #[inline(always)]
    fn to_word(self) -> u64 {
        u64::from(self)
    }
    #[inline(always)]
    fn from_word(word: u64) -> Self {
        word != 0
    }
}

macro_rules! common {
    ($(#[$doc:meta])* $name:ident, $t:ty) => {
        $(#[$doc])*
        #[repr(transparent)]
        pub struct $name<B: Backend>(atomic::$name, PhantomData<B>);

        impl<B: Backend> $name<B> {
            /// A new object holding `value`.
            #[must_use]
            pub const fn new(value: $t) -> Self {
                Self(atomic::$name::new(value), PhantomData)
            }

            /// Its address, by which a run names it.
            #[inline(always)]
            #[must_use]
            pub fn addr(&self) -> usize {
                core::ptr::from_ref(self).addr()
            }

            /// The value, without an access. Not for code under test.
            #[inline(always)]
            #[must_use]
            pub fn peek(&self) -> $t {
                self.0.load(Ordering::Relaxed)
            }

            /// Sets the value between two runs.
            #[inline(always)]
            pub fn reset(&mut self, value: $t) {
                *self.0.get_mut() = value;
            }

            /// The value, for whoever has the object alone. No access.
            #[inline(always)]
            pub fn get_mut(&mut self) -> &mut $t {
                self.0.get_mut()
            }

            #[inline(always)]
            fn access(
                &self,
                kind: Kind,
                order: Ordering,
                op: impl FnOnce(&atomic::$name) -> ($t, $t),
            ) -> $t {
                B::before(self.addr(), kind, order);
                let (old, new) = op(&self.0);
                B::after(old.to_word(), new.to_word());
                old
            }

            /// Loads the value.
            #[inline(always)]
            pub fn load(&self, order: Ordering) -> $t {
                self.access(Kind::Load, order, |a| {
                    let value = a.load(order);
                    (value, value)
                })
            }

            /// Stores `value`.
            #[inline(always)]
            pub fn store(&self, value: $t, order: Ordering) {
                // Only a controlled run, where nothing can come between, wants the old value.
                self.access(Kind::Store, order, |a| {
                    let old = if B::CONTROLLED { a.load(Ordering::Relaxed) } else { value };
                    a.store(value, order);
                    (old, value)
                });
            }

            /// Stores `value` and returns what was there.
            #[inline(always)]
            pub fn swap(&self, value: $t, order: Ordering) -> $t {
                self.access(Kind::Swap, order, |a| (a.swap(value, order), value))
            }

            /// Replaces `current` by `new`.
            ///
            /// # Errors
            /// The value found, if it was not `current`.
            #[inline(always)]
            pub fn compare_exchange(
                &self,
                current: $t,
                new: $t,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$t, $t> {
                B::before(self.addr(), Kind::Cas, success);
                let result = self.0.compare_exchange(current, new, success, failure);
                let old = result.unwrap_or_else(|found| found);
                B::after(old.to_word(), if result.is_ok() { new } else { old }.to_word());
                result
            }

            /// Replaces `current` by `new`; may fail although the value is `current`.
            ///
            /// # Errors
            /// The value found.
            #[inline(always)]
            pub fn compare_exchange_weak(
                &self,
                current: $t,
                new: $t,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$t, $t> {
                B::before(self.addr(), Kind::CasWeak, success);
                if B::fails() {
                    let found = self.peek();
                    B::after(found.to_word(), found.to_word());
                    return Err(found);
                }
                let result = self.0.compare_exchange_weak(current, new, success, failure);
                let old = result.unwrap_or_else(|found| found);
                B::after(old.to_word(), if result.is_ok() { new } else { old }.to_word());
                result
            }
        }

        impl<B: Backend> core::fmt::Debug for $name<B> {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                self.peek().fmt(f)
            }
        }
    };
}

macro_rules! integer {
    ($(#[$doc:meta])* $name:ident, $t:ty) => {
        common!($(#[$doc])* $name, $t);

        impl<B: Backend> $name<B> {
            /// Adds, wrapping; returns the value before.
            #[inline(always)]
            pub fn fetch_add(&self, n: $t, order: Ordering) -> $t {
                self.access(Kind::Inc, order, |a| {
                    let old = a.fetch_add(n, order);
                    (old, old.wrapping_add(n))
                })
            }

            /// Subtracts, wrapping; returns the value before.
            #[inline(always)]
            pub fn fetch_sub(&self, n: $t, order: Ordering) -> $t {
                self.access(Kind::Dec, order, |a| {
                    let old = a.fetch_sub(n, order);
                    (old, old.wrapping_sub(n))
                })
            }

            /// Adds `n` unless the value is zero, as one read-modify-write; true if it did.
            #[inline(always)]
            pub fn add_unless_zero(&self, n: $t, order: Ordering) -> bool {
                self.access(Kind::IncNotZero, order, |a| {
                    let mut old = a.load(Ordering::Relaxed);
                    while old != 0 {
                        let new = old.wrapping_add(n);
                        match a.compare_exchange_weak(old, new, order, Ordering::Relaxed) {
                            Ok(_) => return (old, new),
                            Err(found) => old = found,
                        }
                    }
                    (0, 0)
                }) != 0
            }

            /// Sets the bits of `mask`; returns the value before.
            #[inline(always)]
            pub fn fetch_or(&self, mask: $t, order: Ordering) -> $t {
                self.access(Kind::Set, order, |a| {
                    let old = a.fetch_or(mask, order);
                    (old, old | mask)
                })
            }

            /// Keeps only the bits of `mask`; returns the value before.
            #[inline(always)]
            pub fn fetch_and(&self, mask: $t, order: Ordering) -> $t {
                self.access(Kind::Clear, order, |a| {
                    let old = a.fetch_and(mask, order);
                    (old, old & mask)
                })
            }

            /// Flips the bits of `mask`; returns the value before.
            #[inline(always)]
            pub fn fetch_xor(&self, mask: $t, order: Ordering) -> $t {
                self.access(Kind::Swap, order, |a| {
                    let old = a.fetch_xor(mask, order);
                    (old, old ^ mask)
                })
            }

            /// Keeps the greater of the value and `other`; returns the value before.
            #[inline(always)]
            pub fn fetch_max(&self, other: $t, order: Ordering) -> $t {
                self.access(Kind::Swap, order, |a| {
                    let old = a.fetch_max(other, order);
                    (old, old.max(other))
                })
            }

            /// Keeps the lesser of the value and `other`; returns the value before.
            #[inline(always)]
            pub fn fetch_min(&self, other: $t, order: Ordering) -> $t {
                self.access(Kind::Swap, order, |a| {
                    let old = a.fetch_min(other, order);
                    (old, old.min(other))
                })
            }
        }
    };
}

integer!(
    /// An 8-bit signed integer.
    AtomicI8,
    i8
);
integer!(
    /// A byte.
    AtomicU8,
    u8
);
integer!(
    /// A 16-bit signed integer.
    AtomicI16,
    i16
);
integer!(
    /// A 16-bit word.
    AtomicU16,
    u16
);
integer!(
    /// A 32-bit signed integer: reference counts.
    AtomicI32,
    i32
);
integer!(
    /// A 32-bit word: flags, links.
    AtomicU32,
    u32
);
integer!(
    /// A 64-bit word: a pair that has to change at once.
    AtomicU64,
    u64
);
integer!(
    /// A count.
    AtomicUsize,
    usize
);
integer!(
    /// A 64-bit signed integer.
    AtomicI64,
    i64
);
integer!(
    /// A difference.
    AtomicIsize,
    isize
);
common!(
    /// A flag.
    AtomicBool,
    bool
);

impl<B: Backend> AtomicBool<B> {
    /// Sets the flag if `value` is; returns what it was.
    #[inline(always)]
    pub fn fetch_or(&self, value: bool, order: Ordering) -> bool {
        self.access(Kind::Set, order, |a| {
            let old = a.fetch_or(value, order);
            (old, old | value)
        })
    }

    /// Clears the flag unless `value` is set; returns what it was.
    #[inline(always)]
    pub fn fetch_and(&self, value: bool, order: Ordering) -> bool {
        self.access(Kind::Clear, order, |a| {
            let old = a.fetch_and(value, order);
            (old, old & value)
        })
    }

    /// Flips the flag if `value` is set; returns what it was.
    #[inline(always)]
    pub fn fetch_xor(&self, value: bool, order: Ordering) -> bool {
        self.access(Kind::Swap, order, |a| {
            let old = a.fetch_xor(value, order);
            (old, old ^ value)
        })
    }
}
