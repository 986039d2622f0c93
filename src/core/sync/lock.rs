//! Spin locks, and the fields that only make sense under one.
//!
//! Taking a lock is a point; releasing it is recorded but is none, since the next access has its
//! own and nothing shared happens in between. A task that finds a lock taken is disabled until the
//! release. Holding a spin lock is atomic context: a task that sleeps then is reported.
//!
//! What it is not: fair, reentrant (taking a held lock again on the same CPU never ends, and is
//! reported as a deadlock), or a container: a field that belongs to a lock is [`Guarded`] and names
//! the lock at each access, as Linux's fields do in comments.

use super::atomic::Word;
use super::{Backend, Kind, Ordering, Waiting};
use crate::event::Event;
use core::marker::PhantomData;
use core::sync::atomic::AtomicU32;

const FREE: u32 = 0;
/// What a native holder stores; a controlled one stores its CPU's number plus one.
const HELD_NATIVE: u32 = 1;

/// A test-and-test-and-set spin lock.
pub struct SpinLock<B: Backend> {
    holder: AtomicU32,
    backend: PhantomData<B>,
}

impl<B: Backend> Default for SpinLock<B> {
    fn default() -> Self {
        Self::new()
    }
}

impl<B: Backend> core::fmt::Debug for SpinLock<B> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("SpinLock").field("holder", &self.holder).finish()
    }
}

impl<B: Backend> SpinLock<B> {
    /// A free lock.
    #[must_use]
    pub const fn new() -> Self {
        Self { holder: AtomicU32::new(FREE), backend: PhantomData }
    }

    /// Its address, by which a run names it.
    #[inline(always)]
    #[must_use]
    pub fn addr(&self) -> usize {
        core::ptr::from_ref(self).addr()
    }

    /// Makes it free between two runs.
    pub fn reset(&mut self) {
        *self.holder.get_mut() = FREE;
    }

    fn me() -> u32 {
        if B::CONTROLLED { B::cpu().index() as u32 + 1 } else { HELD_NATIVE }
    }

    fn try_take(&self) -> bool {
        self.holder.compare_exchange(FREE, Self::me(), Ordering::Acquire, Ordering::Relaxed).is_ok()
    }

    /// Takes the lock, waiting for it if need be.
    #[inline]
    pub fn lock(&self) -> SpinGuard<'_, B> {
        B::before(self.addr(), Kind::Lock, Ordering::Acquire);
        while !self.try_take() {
            B::wait(&[self.addr()], Waiting::Lock);
        }
        B::after(u64::from(FREE), 1);
        SpinGuard { lock: self }
    }

    /// Takes the lock if it is free.
    #[inline]
    pub fn try_lock(&self) -> Option<SpinGuard<'_, B>> {
        B::before(self.addr(), Kind::TryLock, Ordering::Acquire);
        let took = self.try_take();
        B::after(u64::from(!took), 1);
        took.then(|| SpinGuard { lock: self })
    }

    /// Reports that `field`, which belongs to this lock, is touched, if the running CPU does not hold it.
    #[inline(always)]
    pub(super) fn check_held_for(&self, field: usize) {
        if !self.is_mine() {
            B::event(|| Event::Unlocked { field, lock: self.addr() });
        }
    }

    /// Whether the running CPU holds it. Always true natively, where holders are not recorded.
    #[inline(always)]
    fn is_mine(&self) -> bool {
        !B::CONTROLLED || self.holder.load(Ordering::Relaxed) == Self::me()
    }

    fn release(&self) {
        B::before(self.addr(), Kind::Unlock, Ordering::Release);
        self.holder.store(FREE, Ordering::Release);
        B::after(1, u64::from(FREE));
        B::wake(self.addr());
    }
}

/// A held spin lock; dropping it releases the lock.
#[must_use = "the lock is released when this is dropped"]
pub struct SpinGuard<'a, B: Backend> {
    lock: &'a SpinLock<B>,
}

impl<B: Backend> core::fmt::Debug for SpinGuard<'_, B> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.lock.fmt(f)
    }
}

impl<B: Backend> Drop for SpinGuard<'_, B> {
    #[inline]
    fn drop(&mut self) {
        self.lock.release();
    }
}

/// A field that is only touched under a lock, which each access names.
///
/// No access and no point. In a controlled run, touching it while the running CPU does not hold
/// that lock is reported ([`Event::Unlocked`]). Natively it is a relaxed atomic, so a mistake cannot
/// be undefined behaviour; built with `--cfg pagerace_plain` it is plain memory instead, for
/// ThreadSanitizer to check the same discipline.
pub struct Guarded<B: Backend, T: Word> {
    cell: Cell,
    value: PhantomData<(B, T)>,
}

impl<B: Backend, T: Word> Guarded<B, T> {
    /// A field holding `value`.
    #[must_use]
    pub fn new(value: T) -> Self {
        Self { cell: Cell::new(value.to_word()), value: PhantomData }
    }

    #[inline(always)]
    fn check(&self, lock: &SpinLock<B>) {
        lock.check_held_for(core::ptr::from_ref(self).addr());
    }

    /// Its address, by which a run names it.
    #[must_use]
    pub fn addr(&self) -> usize {
        core::ptr::from_ref(self).addr()
    }

    /// The value; the caller holds `lock`.
    #[inline(always)]
    pub fn get(&self, lock: &SpinLock<B>) -> T {
        self.check(lock);
        T::from_word(self.cell.get())
    }

    /// Sets the value; the caller holds `lock`.
    #[inline(always)]
    pub fn set(&self, lock: &SpinLock<B>, value: T) {
        self.check(lock);
        self.cell.set(value.to_word());
    }

    /// The value, for whoever owns the whole run. Not for code under test.
    #[must_use]
    pub fn peek(&self) -> T {
        T::from_word(self.cell.get())
    }

    /// Sets the value between two runs.
    pub fn reset(&mut self, value: T) {
        self.cell.set(value.to_word());
    }
}

impl<B: Backend, T: Word + core::fmt::Debug> core::fmt::Debug for Guarded<B, T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.peek().fmt(f)
    }
}

#[cfg(not(pagerace_plain))]
struct Cell(core::sync::atomic::AtomicU64);

#[cfg(not(pagerace_plain))]
impl Cell {
    fn new(word: u64) -> Self {
        Self(core::sync::atomic::AtomicU64::new(word))
    }
    #[inline(always)]
    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
    #[inline(always)]
    fn set(&self, word: u64) {
        self.0.store(word, Ordering::Relaxed);
    }
}

#[cfg(pagerace_plain)]
struct Cell(core::cell::UnsafeCell<u64>);

// SAFETY: only in the ThreadSanitizer build, whose purpose is to find two threads in here at once.
// The callers name the lock that orders them; a caller that does not hold it is the bug looked for.
#[cfg(pagerace_plain)]
unsafe impl Sync for Cell {}

#[cfg(pagerace_plain)]
impl Cell {
    fn new(word: u64) -> Self {
        Self(core::cell::UnsafeCell::new(word))
    }
    fn get(&self) -> u64 {
        // SAFETY: as for `Sync` above: the caller holds the field's lock, or is what TSan looks for.
        unsafe { *self.0.get() }
    }
    fn set(&self, word: u64) {
        // SAFETY: as for `Sync` above.
        unsafe { *self.0.get() = word }
    }
}
