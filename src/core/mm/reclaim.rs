//! Reclaim: a cached page is taken back if nobody but the cache and reclaim itself holds it.
//!
//! What it is not: a policy (there is no LRU; the place is named by the caller) or a writer (a dirty
//! page is left alone).

use super::Memory;
use super::frame::{Place, flag};
use crate::event::{FrameNumber, Holder};
use crate::sync::{Backend, CpuId, Ordering};

/// The references of a page that can be reclaimed: the cache's and reclaim's own.
const UNUSED: i32 = 2;

impl<B: Backend> Memory<B> {
    /// Takes the page at an index out of the cache and frees it; false if there is none, or it is
    /// locked, used, dirty or under writeback (`shrink_folio_list`).
    pub fn reclaim(&self, cpu: CpuId, mapping: u32, index: u32) -> bool {
        let Some(page) = self.find_get(cpu, mapping, index) else { return false };
        let place = Place { mapping, index };
        if self.trylock_page(page) {
            // What keeps the page goes first, if nothing else does.
            let released = || {
                let flags = self.frame(page).flags.load(Ordering::Acquire);
                let idle = flags & (flag::WRITEBACK | flag::DIRTY) == 0;
                if idle {
                    self.release_private(cpu, page, flags);
                }
                idle
            };
            if self.covers(page, place) && released() && self.remove_mapping(place, page) {
                if planted!(self, PagesUnlocked) {
                    self.count_out(mapping);
                }
                if !planted!(self, FreedLocked) {
                    self.unlock_page(page);
                }
                self.free_block(cpu, page, crate::event::Order(0));
                if planted!(self, ReclaimFreesTwice) {
                    self.free_block(cpu, page, crate::event::Order(0));
                }
                return true;
            }
            self.unlock_page(page);
        }
        self.put_page(cpu, page, Holder::Lookup);
        false
    }

    /// Freezes the page and takes it out of its tree; it stays frozen. False if someone else holds
    /// it, or it was made dirty before it was frozen (`__remove_mapping`).
    fn remove_mapping(&self, place: Place, page: FrameNumber) -> bool {
        let _tree = self.mappings[place.mapping as usize].lock.lock();
        let frozen = self.freeze(page, UNUSED, Holder::Lookup);
        if !frozen {
            if planted!(self, FreezeMustSucceed) {
                panic!("nobody else uses the page");
            }
            return false;
        }
        // After the freeze: who dirtied the page held a reference while doing so.
        if self.frame(page).flags.load(Ordering::Acquire) & flag::DIRTY != 0 {
            self.unfreeze(page, UNUSED, Holder::Lookup);
            return false;
        }
        self.erase_or_bug(place, page);
        true
    }
}
