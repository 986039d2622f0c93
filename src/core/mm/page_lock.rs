//! The page lock and the sleep on a page's flags word.
//!
//! One `waiters` bit serves both bits that one can wait for (locked, under writeback). A waiter sets
//! it, and sleeps only while it and the bit it waits for are both still set; who clears the bit
//! clears `waiters` in the same step, and wakes all if it was set. So a sleeper always has a bit set
//! that obliges the next one who clears something to wake it.
//!
//! What it is not: fair, or Linux's hashed queue: the word itself is the queue.
//!
//! The lock sleeps, so it is taken before any spin lock, and only while holding a reference.

use super::frame::flag;
use super::{Memory, outcome};
use crate::event::{Event, FrameNumber};
use crate::sync::{Backend, Ordering, wait_on, wake};

const UNLOCKED: &str = "unlock-of-unlocked-page";

impl<B: Backend> Memory<B> {
    /// Takes the page lock if it is free (`folio_trylock`).
    pub(super) fn trylock_page(&self, page: FrameNumber) -> bool {
        let old = self.frame(page).flags.fetch_or(flag::LOCKED, Ordering::Acquire);
        let took = old & flag::LOCKED == 0;
        if took {
            B::event(|| Event::PageLock { frame: page, locked: true });
        }
        took
    }

    /// Takes the page lock, sleeping until it is free (`folio_lock`).
    pub(super) fn lock_page(&self, page: FrameNumber) {
        while !self.trylock_page(page) {
            B::outcome(outcome::PAGE_LOCK_WAIT);
            self.wait_on_bit(page, flag::LOCKED);
        }
    }

    /// Releases the page lock and wakes who waits for it (`folio_unlock`).
    pub(super) fn unlock_page(&self, page: FrameNumber) {
        let old = self.clear_bit(page, flag::LOCKED);
        B::event(|| Event::PageLock { frame: page, locked: false });
        if old & flag::LOCKED == 0 {
            B::event(|| Event::BugOn { frame: page, check: UNLOCKED });
        }
        if !planted!(self, UnlockNoWake) {
            self.wake_waiters(page, old);
        }
    }

    /// Clears a bit and `waiters`; returns the word before.
    pub(super) fn clear_bit(&self, page: FrameNumber, bit: u32) -> u32 {
        self.frame(page).flags.fetch_and(!(bit | flag::WAITERS), Ordering::Release)
    }

    /// Wakes the sleepers of a page whose word was `old` before a bit was cleared.
    pub(super) fn wake_waiters(&self, page: FrameNumber, old: u32) {
        if old & flag::WAITERS != 0 {
            wake(&self.frame(page).flags);
        }
    }

    /// Sleeps while `bit` is set, or until something was cleared: the caller looks again.
    pub(super) fn wait_on_bit(&self, page: FrameNumber, bit: u32) {
        let flags = &self.frame(page).flags;
        if planted!(self, WaiterUnannounced) {
            return wait_on(flags, |word| word & bit != 0);
        }
        let old = flags.fetch_or(flag::WAITERS, Ordering::Relaxed);
        if old & bit != 0 {
            wait_on(flags, |word| word & bit != 0 && word & flag::WAITERS != 0);
        }
    }
}
