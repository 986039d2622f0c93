//! `std::sync::atomic`: one point before each operation, and sequential consistency.

use super::Object;
use crate::explore::run::Class;
use pagerace_core::sync::{self as core_sync, Controlled, Kind};
use std::fmt;
use std::panic::Location;
use std::sync::atomic as std_atomic;

pub use std::sync::atomic::Ordering;

/// Does nothing: every access is sequentially consistent already.
pub fn fence(order: Ordering) {
    let _ = order;
}

macro_rules! common {
    ($name:ident, $t:ty) => {
        #[doc = concat!("See [`std::sync::atomic::", stringify!($name), "`].")]
        pub struct $name {
            object: Object,
            value: core_sync::$name<Controlled>,
        }

        impl $name {
            /// An object holding `value`.
            #[must_use]
            pub fn new(value: $t) -> Self {
                Self { object: Object::new(Class::Atomic), value: core_sync::$name::new(value) }
            }

            /// Says what is done, and lends what does it.
            #[inline]
            fn at(
                &self,
                word: &'static str,
                at: &'static Location<'static>,
            ) -> &core_sync::$name<Controlled> {
                super::announce(&self.object.0, word, at);
                &self.value
            }

            /// Loads the value.
            #[track_caller]
            pub fn load(&self, order: Ordering) -> $t {
                self.at("load", Location::caller()).load(order)
            }

            /// Stores `value`.
            #[track_caller]
            pub fn store(&self, value: $t, order: Ordering) {
                self.at("store", Location::caller()).store(value, order);
            }

            /// Stores `value` and returns what was there.
            #[track_caller]
            pub fn swap(&self, value: $t, order: Ordering) -> $t {
                self.at("swap", Location::caller()).swap(value, order)
            }

            /// Replaces `current` by `new`.
            ///
            /// # Errors
            /// The value found, if it was not `current`.
            #[track_caller]
            pub fn compare_exchange(
                &self,
                current: $t,
                new: $t,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$t, $t> {
                let value = self.at("compare_exchange", Location::caller());
                value.compare_exchange(current, new, success, failure)
            }

            /// The same: it does not fail spuriously.
            ///
            /// # Errors
            /// The value found, if it was not `current`.
            #[track_caller]
            pub fn compare_exchange_weak(
                &self,
                current: $t,
                new: $t,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$t, $t> {
                self.compare_exchange(current, new, success, failure)
            }

            /// Replaces the value by what `update` makes of it, in as many attempts as it takes.
            ///
            /// # Errors
            /// The value for which `update` gave nothing.
            #[track_caller]
            pub fn fetch_update(
                &self,
                set: Ordering,
                fetch: Ordering,
                mut update: impl FnMut($t) -> Option<$t>,
            ) -> Result<$t, $t> {
                let mut found = self.load(fetch);
                while let Some(new) = update(found) {
                    match self.compare_exchange_weak(found, new, set, fetch) {
                        Ok(old) => return Ok(old),
                        Err(other) => found = other,
                    }
                }
                Err(found)
            }

            /// The value, which nobody else has. No access.
            #[must_use]
            pub fn into_inner(self) -> $t {
                self.value.peek()
            }

            /// The value, which nobody else has. No access.
            pub fn get_mut(&mut self) -> &mut $t {
                self.value.get_mut()
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self::new(<$t>::default())
            }
        }

        impl From<$t> for $name {
            fn from(value: $t) -> Self {
                Self::new(value)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.value.fmt(f)
            }
        }
    };
}

macro_rules! fetch {
    ($name:ident, $t:ty: $($(#[$doc:meta])* $fetch:ident),* $(,)?) => {
        impl $name {
            $(
                $(#[$doc])*
                #[track_caller]
                pub fn $fetch(&self, value: $t, order: Ordering) -> $t {
                    self.at(stringify!($fetch), Location::caller()).$fetch(value, order)
                }
            )*
        }
    };
}

macro_rules! integers {
    ($($name:ident: $t:ty),* $(,)?) => {$(
        common!($name, $t);
        fetch!(
            $name, $t:
            /// Adds, wrapping; returns the value before.
            fetch_add,
            /// Subtracts, wrapping; returns the value before.
            fetch_sub,
            /// Keeps only these bits; returns the value before.
            fetch_and,
            /// Sets these bits; returns the value before.
            fetch_or,
            /// Flips these bits; returns the value before.
            fetch_xor,
            /// Keeps the greater of the two; returns the value before.
            fetch_max,
            /// Keeps the lesser of the two; returns the value before.
            fetch_min,
        );
    )*};
}

integers!(
    AtomicI8: i8,
    AtomicU8: u8,
    AtomicI16: i16,
    AtomicU16: u16,
    AtomicI32: i32,
    AtomicU32: u32,
    AtomicI64: i64,
    AtomicU64: u64,
    AtomicIsize: isize,
    AtomicUsize: usize,
);

common!(AtomicBool, bool);
fetch!(
    AtomicBool, bool:
    /// Clears the flag unless `value` is set; returns what it was.
    fetch_and,
    /// Sets the flag if `value` is; returns what it was.
    fetch_or,
    /// Flips the flag if `value` is set; returns what it was.
    fetch_xor,
);

/// See [`std::sync::atomic::AtomicPtr`].
pub struct AtomicPtr<T> {
    object: Object,
    value: std_atomic::AtomicPtr<T>,
}

impl<T> AtomicPtr<T> {
    /// An object holding `value`.
    #[must_use]
    pub fn new(value: *mut T) -> Self {
        Self { object: Object::new(Class::Atomic), value: std_atomic::AtomicPtr::new(value) }
    }

    /// Loads the pointer.
    #[track_caller]
    pub fn load(&self, order: Ordering) -> *mut T {
        self.object.before(Kind::Load, "load", Location::caller());
        let value = self.value.load(order);
        Object::after(false);
        value
    }

    /// Stores `value`.
    #[track_caller]
    pub fn store(&self, value: *mut T, order: Ordering) {
        self.object.before(Kind::Store, "store", Location::caller());
        let changed = self.value.load(Ordering::Relaxed) != value;
        self.value.store(value, order);
        Object::after(changed);
    }

    /// Stores `value` and returns what was there.
    #[track_caller]
    pub fn swap(&self, value: *mut T, order: Ordering) -> *mut T {
        self.object.before(Kind::Swap, "swap", Location::caller());
        let old = self.value.swap(value, order);
        Object::after(old != value);
        old
    }

    /// Replaces `current` by `new`.
    ///
    /// # Errors
    /// The pointer found, if it was not `current`.
    #[track_caller]
    pub fn compare_exchange(
        &self,
        current: *mut T,
        new: *mut T,
        success: Ordering,
        failure: Ordering,
    ) -> Result<*mut T, *mut T> {
        self.object.before(Kind::Cas, "compare_exchange", Location::caller());
        let result = self.value.compare_exchange(current, new, success, failure);
        Object::after(result.is_ok() && current != new);
        result
    }

    /// The same: it does not fail spuriously.
    ///
    /// # Errors
    /// The pointer found, if it was not `current`.
    #[track_caller]
    pub fn compare_exchange_weak(
        &self,
        current: *mut T,
        new: *mut T,
        success: Ordering,
        failure: Ordering,
    ) -> Result<*mut T, *mut T> {
        self.compare_exchange(current, new, success, failure)
    }

    /// The pointer, which nobody else has. No access.
    pub fn get_mut(&mut self) -> &mut *mut T {
        self.value.get_mut()
    }

    /// The pointer, which nobody else has. No access.
    #[must_use]
    pub fn into_inner(self) -> *mut T {
        self.value.into_inner()
    }
}

impl<T> Default for AtomicPtr<T> {
    fn default() -> Self {
        Self::new(std::ptr::null_mut())
    }
}

impl<T> fmt::Debug for AtomicPtr<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}
