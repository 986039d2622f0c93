//! The page cache: lookups without a lock, adding and deleting under page lock and tree lock.
//!
//! A lookup's protocol: load the slot, take a reference unless the count is zero, load the slot
//! again. If it holds something else the reference fell on a page that may be anybody's by now: it is
//! put, which may free it, and the lookup starts over. Between the two loads nothing else of the page
//! is touched.
//!
//! What it is not: readahead, marks, shadow entries, or pages larger than a frame.
//!
//! Invariants: a cached page has one reference of its slot; its `mapping` and `index` say where it is
//! from before the slot holds it until after the slot is empty; `mapping` changes only under the page
//! lock.

use super::frame::{Place, flag};
use super::tag::Tag;
use super::tree::Entry;
use super::{Memory, outcome};
use crate::event::{Event, FrameNumber, Holder, Order};
use crate::sync::{Backend, CpuId, Ordering, Preempt, relax};

const INDEX: &str = "index-of-cached-page";
const CONTENT: &str = "content-of-cached-page";
const SLOT: &str = "slot-of-cached-page";

impl<B: Backend> Memory<B> {
    /// Finds the page at an index and takes a reference on it (`filemap_get_entry`).
    pub fn find_get(&self, cpu: CpuId, mapping: u32, index: u32) -> Option<FrameNumber> {
        B::event(|| Event::LookupStart { mapping, index });
        let frame = self.find(cpu, mapping, index);
        B::event(|| Event::LookupEnd { mapping, index, frame, locked: false });
        frame
    }

    fn find(&self, cpu: CpuId, mapping: u32, index: u32) -> Option<FrameNumber> {
        let _section = self.rcu.read(cpu);
        let (mut slot, mut entry) = self.walk(mapping, index);
        loop {
            let page = entry.page()?;
            let generation = self.generation(page);
            if !self.try_get(page, Holder::Lookup) {
                if !planted!(self, RetryNeverReloads) {
                    // The page is frozen or gone: wait until its count or its slot says more.
                    relax::<B>(&[&(slot, entry.word()), &(&self.frame(page).refcount, 0)]);
                    (slot, entry) = self.walk(mapping, index);
                }
                continue;
            }
            if self.generation(page) != generation {
                B::outcome(outcome::TRY_GET_REALLOCATED);
            }
            if planted!(self, NoReload) || Entry::of(slot.load(Ordering::Acquire)) == entry {
                return Some(page);
            }
            B::event(|| Event::LookupRetry { frame: page });
            B::outcome(outcome::RELOAD_MISMATCH);
            if planted!(self, MismatchPanics) {
                panic!("the slot changed under a lookup");
            }
            if !planted!(self, RetryKeepsReference) {
                self.put_page(cpu, page, Holder::Lookup);
            }
            if !planted!(self, MismatchNeverReloads) {
                (slot, entry) = self.walk(mapping, index);
            }
        }
    }

    /// How often the frame was allocated; for counting outcomes only.
    fn generation(&self, page: FrameNumber) -> u32 {
        if B::CONTROLLED { self.frame(page).generation.peek() } else { 0 }
    }

    /// Whether the page, which the caller has locked, is the one at this place.
    pub(super) fn covers(&self, page: FrameNumber, place: Place) -> bool {
        let frame = self.frame(page);
        if frame.mapping.load(Ordering::Relaxed) != place.mapping + 1 {
            B::outcome(outcome::LOCK_MISMATCH);
            return false;
        }
        if frame.index.load(Ordering::Relaxed) != place.index {
            B::event(|| Event::BugOn { frame: page, check: INDEX });
        }
        true
    }

    /// Finds the page at an index, takes a reference and the page lock, and makes sure that it still
    /// is at that index (`filemap_lock_folio`).
    pub(super) fn find_lock(&self, cpu: CpuId, mapping: u32, index: u32) -> Option<FrameNumber> {
        B::event(|| Event::LookupStart { mapping, index });
        let place = Place { mapping, index };
        let found = loop {
            let Some(page) = self.find(cpu, mapping, index) else { break None };
            if planted!(self, SleepWithoutPreemption) {
                let _section = Preempt::<B>::off();
                self.lock_page(page);
            } else {
                self.lock_page(page);
            }
            while planted!(self, RelocksSamePage) && !self.covers(page, place) {
                self.unlock_page(page);
                self.lock_page(page);
            }
            if planted!(self, NoRecheck) || self.covers(page, place) {
                break Some(page);
            }
            self.unlock_page(page);
            self.put_page(cpu, page, Holder::Lookup);
        };
        B::event(|| Event::LookupEnd { mapping, index, frame: found, locked: found.is_some() });
        found
    }

    /// Finds the page at an index, reads it under its lock, and keeps a reference.
    pub fn read_page(&self, cpu: CpuId, mapping: u32, index: u32) -> Option<FrameNumber> {
        let page = self.find_lock(cpu, mapping, index)?;
        let frame = self.frame(page);
        if frame.flags.load(Ordering::Acquire) & flag::UPTODATE != 0
            && frame.content.load(Ordering::Relaxed) != (Place { mapping, index }).content()
        {
            B::event(|| Event::BugOn { frame: page, check: CONTENT });
        }
        self.unlock_page(page);
        Some(page)
    }

    /// Allocates a page, puts it into the cache at an index, reads it, and drops its own reference;
    /// false if there is no memory or the index has a page (`filemap_add_folio` and its caller).
    pub fn add(&self, cpu: CpuId, mapping: u32, index: u32) -> bool {
        let Some(page) = self.alloc_tagged(cpu, Order(0), false, Tag::CACHE) else { return false };
        let place = Place { mapping, index };
        self.lock_page(page);
        let added = self.add_locked(cpu, place, page);
        if added {
            self.fill_page(place, page);
        }
        self.unlock_page(page);
        self.put_page(cpu, page, Holder::Owner);
        added
    }

    /// Gives a locked page the content of this place.
    pub(super) fn fill_page(&self, place: Place, page: FrameNumber) {
        let frame = self.frame(page);
        frame.content.store(place.content(), Ordering::Relaxed);
        frame.flags.fetch_or(flag::UPTODATE, Ordering::Release);
    }

    /// Lets a locked page say where it is, which it does before a slot may hold it. The slot needs a
    /// reference, too.
    pub(super) fn say_place(&self, place: Place, page: FrameNumber) {
        let frame = self.frame(page);
        frame.mapping.store(place.mapping + 1, Ordering::Relaxed);
        frame.index.store(place.index, Ordering::Relaxed);
    }

    /// Takes back, of a locked page that no slot holds, [`Memory::say_place`] and the slot's reference.
    pub(super) fn take_back(&self, cpu: CpuId, page: FrameNumber) {
        self.frame(page).mapping.store(0, Ordering::Relaxed);
        self.put_page(cpu, page, Holder::Cache);
    }

    /// Puts a locked page, to which the caller has a reference, into the cache at an index; false if the index
    /// has a page, or there is no node.
    pub(super) fn add_locked(&self, cpu: CpuId, place: Place, page: FrameNumber) -> bool {
        self.add_ref(page, Holder::Cache);
        self.say_place(place, page);
        let tree = self.mappings[place.mapping as usize].lock.lock();
        let added = self.tree_insert(place, page);
        drop(tree);
        if !added {
            self.take_back(cpu, page);
        }
        added
    }

    /// Deletes the page at an index from the cache; false if there is none
    /// (`truncate_inode_folio` on what `find_lock_entries` found).
    pub fn delete(&self, cpu: CpuId, mapping: u32, index: u32) -> bool {
        let Some(page) = self.find_lock(cpu, mapping, index) else { return false };
        if !planted!(self, SleepUnderTreeLock) {
            self.wait_on_writeback(page);
        }
        let flags = self.frame(page).flags.load(Ordering::Acquire);
        self.release_private(cpu, page, flags);
        self.cancel_dirty(page, flags);
        {
            let _tree = self.mappings[mapping as usize].lock.lock();
            if planted!(self, SleepUnderTreeLock) {
                self.wait_on_writeback(page);
            }
            self.erase_or_bug(Place { mapping, index }, page);
            if planted!(self, TreeAndZone) {
                let _zone = self.zone.lock.lock();
            }
        }
        if planted!(self, PagesUnlocked) {
            self.count_out(mapping);
        }
        self.put_page(cpu, page, Holder::Cache);
        self.unlock_page(page);
        self.put_page(cpu, page, Holder::Lookup);
        true
    }

    /// Takes a page off its place, where it must be: page lock and tree lock are held.
    pub(super) fn erase_or_bug(&self, place: Place, page: FrameNumber) {
        if !self.tree_erase(place, page) {
            B::event(|| Event::BugOn { frame: page, check: SLOT });
        }
    }

    /// Puts a page in the place of another, which must be there: both page locks and the tree lock are held.
    pub(super) fn replace_or_bug(&self, place: Place, old: FrameNumber, new: FrameNumber) {
        if !self.tree_replace(place, old, new) {
            B::event(|| Event::BugOn { frame: old, check: SLOT });
        }
    }

    /// Deletes all pages of a mapping, in the order of their indices (`truncate_inode_pages`).
    pub fn truncate(&self, cpu: CpuId, mapping: u32) {
        for index in 0..self.sizes.indices as u32 {
            self.delete(cpu, mapping, index);
        }
    }

    /// Gives back everything that is kept for clients: cached pages, those for collapses, nodes in their grace period,
    /// pages on per-CPU lists. For the end of a run, when no other CPU runs.
    pub fn drain(&self, cpu: CpuId) {
        for mapping in 0..self.sizes.mappings as u32 {
            self.truncate(cpu, mapping);
        }
        self.drop_kept(cpu);
        // Nothing else runs, so what is not there now will not come.
        if self.nodes_wait() {
            self.synchronize_rcu(cpu);
        }
        if self.sizes.pcp_batch > 0 {
            self.drain_each();
        }
    }
}
