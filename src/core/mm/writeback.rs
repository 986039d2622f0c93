//! Dirty pages and writeback: a page is changed, handed to the device and comes back.
//!
//! Who changes a page and who writes it out are two parties, each with a reference of its own; one
//! operation is first the one and then the other. Several may be at it: one writes what all changed.
//!
//! What it is not: asynchronous. A write starts and ends in one operation, which keeps its reference
//! throughout, as the end of writeback does from 5.10 on (073861ed77b6).
//!
//! Invariants: `DIRTY` is cleared and `WRITEBACK` set only under the page lock; a page is not under
//! two writes at once.

use super::frame::{Place, flag};
use super::{Memory, outcome};
use crate::event::{Event, FrameNumber, Holder};
use crate::sync::{Backend, CpuId, Ordering};

const NOT_UNDER_WRITEBACK: &str = "end-of-no-writeback";

impl<B: Backend> Memory<B> {
    /// Changes the cached page at this place, then writes it out if it is still there and dirty;
    /// false if there was nothing to change.
    pub fn write_page(&self, cpu: CpuId, mapping: u32, index: u32) -> bool {
        let dirtied = self.dirty_page(cpu, mapping, index);
        if dirtied {
            self.write_out(cpu, mapping, index);
        }
        dirtied
    }

    /// Changes the cached page at this place; false if there is none.
    ///
    /// The page is made dirty without its lock, as through a page table entry or by a device, whose
    /// reference goes right after. So it may be dirty although nobody but the cache holds it, and it
    /// may have left the cache before it is made dirty, which is then forgotten when it is freed.
    pub fn dirty_page(&self, cpu: CpuId, mapping: u32, index: u32) -> bool {
        let Some(page) = self.find_get(cpu, mapping, index) else { return false };
        self.frame(page).flags.fetch_or(flag::DIRTY, Ordering::Relaxed);
        self.put_page(cpu, page, Holder::Lookup);
        true
    }

    /// Writes out the cached page at this place, whoever made it dirty (`write_cache_pages`).
    pub fn write_out(&self, cpu: CpuId, mapping: u32, index: u32) {
        let Some(page) = self.find_get(cpu, mapping, index) else { return };
        self.lock_page(page);
        if planted!(self, PageLocksCrossed) {
            self.lock_neighbour(cpu, mapping, index, page);
        }
        // Whoever had the lock before may have deleted the page, or written it.
        let writes = self.covers(page, Place { mapping, index }) && self.is_dirty(page);
        if writes {
            self.wait_on_writeback(page);
            self.start_writeback(page);
        }
        self.unlock_page(page);
        if writes {
            self.end_writeback(page);
        }
        self.put_page(cpu, page, Holder::Lookup);
    }

    /// Locks the page at the next index while `page` is locked: the fault `PageLocksCrossed`.
    fn lock_neighbour(&self, cpu: CpuId, mapping: u32, index: u32, page: FrameNumber) {
        let next = (index + 1) % self.sizes.indices as u32;
        let Some(other) = self.find_get(cpu, mapping, next) else { return };
        if other != page {
            self.lock_page(other);
            self.unlock_page(other);
        }
        self.put_page(cpu, other, Holder::Lookup);
    }

    fn is_dirty(&self, page: FrameNumber) -> bool {
        self.frame(page).flags.load(Ordering::Acquire) & flag::DIRTY != 0
    }

    /// Forgets that a page was changed, which is about to leave the cache without being written
    /// (`folio_cancel_dirty`). The page is locked, and was seen with these flags.
    pub(super) fn cancel_dirty(&self, page: FrameNumber, flags: u32) {
        if flags & flag::DIRTY != 0 {
            self.frame(page).flags.fetch_and(!flag::DIRTY, Ordering::Relaxed);
        }
    }

    /// The page is locked and dirty (`folio_clear_dirty_for_io`, `folio_start_writeback`).
    fn start_writeback(&self, page: FrameNumber) {
        let flags = &self.frame(page).flags;
        flags.fetch_and(!flag::DIRTY, Ordering::Relaxed);
        flags.fetch_or(flag::WRITEBACK, Ordering::Relaxed);
    }

    /// The write is done; wakes who waits for that (`folio_end_writeback`).
    fn end_writeback(&self, page: FrameNumber) {
        let old = self.clear_bit(page, flag::WRITEBACK);
        if old & flag::WRITEBACK == 0 {
            B::event(|| Event::BugOn { frame: page, check: NOT_UNDER_WRITEBACK });
        }
        if !planted!(self, WritebackNoWake) {
            self.wake_waiters(page, old);
        }
    }

    /// Sleeps until the page is not being written (`folio_wait_writeback`).
    pub(super) fn wait_on_writeback(&self, page: FrameNumber) {
        while self.frame(page).flags.load(Ordering::Acquire) & flag::WRITEBACK != 0 {
            B::outcome(outcome::WRITEBACK_WAIT);
            self.wait_on_bit(page, flag::WRITEBACK);
        }
    }
}
