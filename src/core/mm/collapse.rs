//! Collapse: a new page takes the place of a cached one, and is taken back if someone uses that
//! (`collapse_file`).
//!
//! What it is not: several small pages that become a large one. One page stands for all, and an index
//! without a page for a hole; what is the same is that the new page can be found before it is known
//! whether it may stay.
//!
//! Invariants: the new page is locked as long as it may have to be taken back, and so is the old one, which
//! is put back in its place under its lock. A page that was taken back is not cached, has its owner's
//! reference and those of who found it meanwhile, and is kept by the CPU for the next attempt.

use super::frame::{Place, flag};
use super::history::Collapse;
use super::{Memory, outcome};
use crate::event::{FrameNumber, Holder, Order};
use crate::sync::{Backend, CpuId, Ordering};

/// The references of a page that can be replaced: the cache's and collapse's own.
const UNUSED: i32 = 2;
/// What keeps a page from being replaced.
const BUSY: u32 = flag::DIRTY | flag::WRITEBACK | flag::PRIVATE;

impl<B: Backend> Memory<B> {
    /// Puts a new page at an index, in the place of the page there if there is one; false if there is no
    /// memory or someone else uses that page.
    pub fn collapse(&self, cpu: CpuId, mapping: u32, index: u32) -> bool {
        let Some(new) = self.collapse_page(cpu) else { return false };
        let place = Place { mapping, index };
        self.lock_page(new);
        let done = match self.find_get(cpu, mapping, index) {
            Some(old) => self.collapse_over(cpu, place, old, new),
            None => {
                let added = self.add_locked(cpu, place, new);
                if added {
                    self.fill_page(place, new);
                }
                added
            }
        };
        self.unlock_page(new);
        if done {
            self.put_page(cpu, new, Holder::Owner);
            B::outcome(outcome::COLLAPSE_DONE);
        } else {
            self.kept.of(cpu).store(new.0 + 1, Ordering::Relaxed);
        }
        done
    }

    /// The page for an attempt: what is left from the attempt before, or a new one
    /// (`khugepaged_prealloc_page`).
    ///
    /// When each variant uses the same page again, and the race: [`Collapse`].
    fn collapse_page(&self, cpu: CpuId) -> Option<FrameNumber> {
        if let Some(page) = self.kept.of(cpu).swap(0, Ordering::Relaxed).checked_sub(1) {
            let page = FrameNumber(page);
            let reuse = match self.history.collapse {
                Collapse::Reuse => true,
                Collapse::ReleaseIfShared => self.frame(page).refcount.load(Ordering::Relaxed) == 1,
            };
            if reuse {
                B::outcome(outcome::COLLAPSE_PAGE_KEPT);
                return Some(page);
            }
            self.put_page(cpu, page, Holder::Owner);
            B::outcome(outcome::COLLAPSE_PAGE_DROPPED);
        }
        self.alloc_pages(cpu, Order(0), false)
    }

    /// Replaces the page that was found, and drops or frees it.
    fn collapse_over(&self, cpu: CpuId, place: Place, old: FrameNumber, new: FrameNumber) -> bool {
        if !self.trylock_page(old) {
            self.put_page(cpu, old, Holder::Lookup);
            return false;
        }
        let flags = &self.frame(old).flags;
        let done = self.covers(old, place)
            && flags.load(Ordering::Acquire) & BUSY == 0
            && self.exchange(cpu, place, old, new);
        if done {
            self.frame(old).mapping.store(0, Ordering::Relaxed);
        }
        self.unlock_page(old);
        if done {
            self.free_block(cpu, old, Order(0));
        } else {
            self.put_page(cpu, old, Holder::Lookup);
        }
        done
    }

    /// Puts the new page in the place of the old one, which is then frozen; false, and all as before, if
    /// someone else holds the old one or made it dirty. Both are locked.
    fn exchange(&self, cpu: CpuId, place: Place, old: FrameNumber, new: FrameNumber) -> bool {
        let lock = &self.mappings[place.mapping as usize].lock;
        self.say_place(place, new);
        self.fill_page(place, new);
        self.add_ref(new, Holder::Cache);
        {
            let _tree = lock.lock();
            self.replace_or_bug(place, old, new);
        }
        if self.freeze(old, UNUSED, Holder::Lookup) {
            // After the freeze: who dirtied the page held a reference while doing so.
            if self.frame(old).flags.load(Ordering::Acquire) & flag::DIRTY == 0 {
                return true;
            }
            self.unfreeze(old, UNUSED, Holder::Lookup);
        }
        {
            let _tree = lock.lock();
            self.replace_or_bug(place, new, old);
        }
        self.take_back(cpu, new);
        B::outcome(outcome::COLLAPSE_UNDONE);
        false
    }

    /// Gives up what CPUs keep for their next attempt. For the end of a run.
    pub(super) fn drop_kept(&self, cpu: CpuId) {
        for (_, kept) in self.kept.iter() {
            if let Some(page) = kept.peek().checked_sub(1) {
                kept.store(0, Ordering::Relaxed);
                self.put_page(cpu, FrameNumber(page), Holder::Owner);
            }
        }
    }
}
