//! Writeback: a page is handed to the device and comes back.
//!
//! What it is not: asynchronous. One operation starts the write and ends it, keeping its reference
//! throughout, as the end of writeback does from 5.10 on (073861ed77b6).

use super::frame::flag;
use super::{Memory, outcome};
use crate::event::{Event, FrameNumber, Holder};
use crate::sync::{Backend, CpuId, Ordering};

const NOT_UNDER_WRITEBACK: &str = "end-of-no-writeback";

impl<B: Backend> Memory<B> {
    /// Changes the cached page at this place and writes it out; false if there is none.
    ///
    /// The change is made without the page lock, as through a mapping; the write starts under it.
    pub fn write_page(&self, cpu: CpuId, mapping: u32, index: u32) -> bool {
        let Some(page) = self.find_get(cpu, mapping, index) else { return false };
        self.frame(page).flags.fetch_or(flag::DIRTY, Ordering::Relaxed);
        self.lock_page(page);
        if planted!(self, PageLocksCrossed)
            && let Some(other) =
                self.find_get(cpu, mapping, (index + 1) % self.sizes.indices as u32)
        {
            if other != page {
                self.lock_page(other);
                self.unlock_page(other);
            }
            self.put_page(cpu, other, Holder::Lookup);
        }
        let cached = self.covers(page, mapping, index);
        if cached {
            self.wait_on_writeback(page);
            self.start_writeback(page);
        }
        self.unlock_page(page);
        if cached {
            self.end_writeback(page);
        }
        self.put_page(cpu, page, Holder::Lookup);
        cached
    }

    /// The page is locked (`folio_start_writeback`, `folio_clear_dirty_for_io`).
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
