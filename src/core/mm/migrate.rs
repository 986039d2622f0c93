//! Migration: a cached page moves to another frame, if nobody but the cache, its private data and
//! migration itself holds it.
//!
//! What it is not: a reason to move (the place is named by the caller), or a copy: the content is a number
//! that says which place it was read for.
//!
//! Invariants: both pages are locked from before the new one can be found until after the old one cannot;
//! lookups meet the old one frozen until its slot holds the new one.

use super::frame::{Place, flag};
use super::{Memory, outcome};
use crate::event::{FrameNumber, Holder, Order};
use crate::sync::{Backend, CpuId, Ordering};

/// The references of a page that can be moved, but for that of private data: the cache's and migration's.
const UNUSED: i32 = 2;

impl<B: Backend> Memory<B> {
    /// Moves the page at an index to a new frame; false if there is none, there is no memory, or someone
    /// else uses the page (`migrate_folio`).
    pub fn migrate(&self, cpu: CpuId, mapping: u32, index: u32) -> bool {
        let Some(old) = self.find_lock(cpu, mapping, index) else { return false };
        let place = Place { mapping, index };
        self.wait_on_writeback(old);
        let moved = self.alloc_pages(cpu, Order(0), false).is_some_and(|new| {
            self.lock_page(new);
            let moved = self.migrate_mapping(cpu, place, old, new);
            if moved {
                self.migrate_flags(cpu, place, old, new);
            }
            B::outcome(if moved { outcome::MIGRATE_DONE } else { outcome::MIGRATE_BUSY });
            self.unlock_page(new);
            self.put_page(cpu, new, Holder::Owner);
            moved
        });
        self.unlock_page(old);
        self.put_page(cpu, old, Holder::Lookup);
        moved
    }

    /// Puts a new page in the place of an old one, which keeps its reference of private data and
    /// migration's; false if it has others (`folio_migrate_mapping`). Both are locked.
    fn migrate_mapping(
        &self,
        cpu: CpuId,
        place: Place,
        old: FrameNumber,
        new: FrameNumber,
    ) -> bool {
        let [from, to] = [old, new].map(|page| self.frame(page));
        let private = from.flags.load(Ordering::Acquire) & flag::PRIVATE != 0;
        let expected = UNUSED + i32::from(private);
        self.say_place(place, new);
        self.add_ref(new, Holder::Cache);
        let tree = self.mappings[place.mapping as usize].lock.lock();
        let frozen = self.freeze(old, expected, Holder::Lookup);
        if frozen {
            // After the freeze: who dirtied the page held a reference while doing so.
            if from.flags.load(Ordering::Acquire) & flag::DIRTY != 0 {
                from.flags.fetch_and(!flag::DIRTY, Ordering::Relaxed);
                to.flags.fetch_or(flag::DIRTY, Ordering::Relaxed);
            }
            self.replace_or_bug(place, old, new);
            self.unfreeze(old, expected - 1, Holder::Lookup);
        }
        drop(tree);
        if !frozen {
            self.take_back(cpu, new);
        }
        frozen
    }

    /// Makes the new page what the old one was, which is not cached any more (`folio_migrate_flags`).
    fn migrate_flags(&self, cpu: CpuId, place: Place, old: FrameNumber, new: FrameNumber) {
        let from = self.frame(old);
        if from.flags.load(Ordering::Acquire) & flag::PRIVATE != 0 {
            self.detach_private(cpu, old);
            self.attach_private(new);
        }
        self.fill_page(place, new);
        from.mapping.store(0, Ordering::Relaxed);
    }
}
