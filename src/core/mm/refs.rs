//! References: taking and dropping them.
//!
//! Rules: a count is stored only while it is zero, by the frame's owner, but by [`Memory::store_refs`], which
//! breaks this rule; every other change is one read-modify-write; whoever makes it zero owns the frame and must free it or give it back; after a
//! put that left references nothing may be read from the page.
//!
//! What it is not: typed. The holder in the arguments is only what the event says.

use super::frame::{flag, head_of};
use super::{Memory, outcome};
use crate::event::{Event, FrameNumber, Holder, RefChange};
use crate::sync::{Backend, CpuId, Ordering};

const UNFREEZE: &str = "unfreeze-of-counted-page";

impl<B: Backend> Memory<B> {
    fn ref_event(page: FrameNumber, change: RefChange, count: i32, holder: Holder, done: bool) {
        B::event(|| Event::PageRef { frame: page, change, count, holder, done });
    }

    /// Takes another reference on a page that the caller already has a right to; `page` may be any
    /// frame of a compound block (`get_page`).
    pub fn get_page(&self, page: FrameNumber, holder: Holder) {
        let head = head_of(page, self.frame(page).compound_head.load(Ordering::Relaxed));
        self.add_ref(head, holder);
    }

    /// As [`Memory::get_page`], of a frame that is known not to be a tail (`folio_ref_add`).
    pub(super) fn add_ref(&self, page: FrameNumber, holder: Holder) {
        self.add_refs(page, 1, holder);
    }

    /// Raises the count of a page that the caller took off the free lists, which has none (`page_ref_inc`).
    pub(super) fn add_first_ref(&self, page: FrameNumber, holder: Holder) {
        self.frame(page).refcount.fetch_add(1, Ordering::Relaxed);
        Self::ref_event(page, RefChange::Set, 1, holder, true);
    }

    /// As [`Memory::add_ref`], several at once (`page_ref_add`).
    pub(super) fn add_refs(&self, page: FrameNumber, n: i32, holder: Holder) {
        let count = &self.frame(page).refcount;
        if planted!(self, LostGet) {
            let seen = count.load(Ordering::Relaxed);
            count.store(seen + n, Ordering::Relaxed);
        } else {
            count.fetch_add(n, Ordering::Relaxed);
        }
        Self::ref_event(page, RefChange::Get, n, holder, true);
    }

    /// Stores a count over whatever there is (`set_page_count`). The caller believes that all references
    /// are `holder`'s.
    pub(super) fn store_refs(&self, page: FrameNumber, n: i32, holder: Holder) {
        self.frame(page).refcount.store(n, Ordering::Relaxed);
        Self::ref_event(page, RefChange::Store, n, holder, true);
    }

    /// Takes a reference on a frame that the caller has no right to, unless its count is zero
    /// (`folio_try_get`).
    pub(super) fn try_get(&self, page: FrameNumber, holder: Holder) -> bool {
        let done = self.frame(page).refcount.add_unless_zero(1, Ordering::AcqRel);
        Self::ref_event(page, RefChange::TryGet, 1, holder, done);
        if !done {
            B::outcome(outcome::TRY_GET_REFUSED);
        }
        done
    }

    /// A speculative reference as anybody might take one, kept after the call: one access, and no
    /// look at what the frame is. False if its count is zero.
    pub fn hold_page(&self, frame: FrameNumber) -> bool {
        self.try_get(frame, Holder::Spec)
    }

    /// Drops a reference; true if it was the last (`put_page_testzero`).
    pub(super) fn put_testzero(&self, page: FrameNumber, holder: Holder) -> bool {
        let old = self.frame(page).refcount.fetch_sub(1, Ordering::AcqRel);
        Self::ref_event(page, RefChange::Put, 1, holder, true);
        old == 1
    }

    /// Drops a reference and frees the page if it was the last: by the size that the page itself
    /// knows, which is one frame unless it is compound (`put_page`).
    pub fn put_page(&self, cpu: CpuId, page: FrameNumber, holder: Holder) {
        let head = head_of(page, self.frame(page).compound_head.load(Ordering::Relaxed));
        let last = self.put_testzero(head, holder);
        B::outcome(if last { outcome::PUT_LAST } else { outcome::PUT_NOT_LAST });
        if last {
            let order = flag::order(self.frame(head).flags.load(Ordering::Relaxed));
            self.free_block(cpu, head, order);
        }
    }

    /// Replaces the expected count by zero, so that nobody can take a reference
    /// (`folio_ref_freeze`). The caller claims its own reference, `holder`'s, and the cache's and that of private
    /// data for the rest of the count.
    pub(super) fn freeze(&self, page: FrameNumber, expected: i32, holder: Holder) -> bool {
        let count = &self.frame(page).refcount;
        let done = count.compare_exchange(expected, 0, Ordering::AcqRel, Ordering::Relaxed).is_ok();
        Self::ref_event(page, RefChange::Freeze, expected, holder, done);
        B::outcome(if done { outcome::FREEZE_SUCCEEDED } else { outcome::FREEZE_FAILED });
        done
    }

    /// Gives a frozen page its references back (`folio_ref_unfreeze`).
    pub(super) fn unfreeze(&self, page: FrameNumber, expected: i32, holder: Holder) {
        let old = self.frame(page).refcount.swap(expected, Ordering::Release);
        Self::ref_event(page, RefChange::Unfreeze, expected, holder, true);
        if old != 0 {
            B::event(|| Event::BugOn { frame: page, check: UNFREEZE });
        }
        B::outcome(outcome::UNFREEZE);
    }
}
