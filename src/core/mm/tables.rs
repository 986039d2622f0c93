//! Page tables that several users share, each a page that leads to another page.
//!
//! What it is not: a walk or a translation. A table has one entry, which is there from when the table is
//! made until its last user takes it apart; levels, address spaces and huge pages do not exist.
//!
//! Invariants: a slot that names a table has its page, marked [`flag::TABLE`], and the page that the table
//! maps; both have an owner's reference. Who takes the table apart empties the slot. All under the table
//! lock, which comes before the locks of the allocator.

use super::frame::flag;
use super::history::TableSharing;
use super::limits::MAX_TABLES;
use super::{Memory, outcome};
use crate::event::{FrameNumber, Holder, Order};
use crate::sync::{Backend, CpuId, Guarded, Ordering, SpinLock};

/// Where a table is found.
#[derive(Debug)]
pub(super) struct Slot<B: Backend> {
    /// 0, or one more than the frame of the table.
    pub frame: Guarded<B, u32>,
    /// 0, or one more than the frame that the table maps.
    pub child: Guarded<B, u32>,
    /// Users beyond the first, where they are counted (`pt_share_count`).
    pub sharers: Guarded<B, u32>,
}

impl<B: Backend> Default for Slot<B> {
    fn default() -> Self {
        Self { frame: Guarded::new(0), child: Guarded::new(0), sharers: Guarded::new(0) }
    }
}

/// All tables.
#[derive(Debug)]
pub(super) struct Tables<B: Backend> {
    /// `i_mmap_rwsem` of the file that is mapped.
    pub lock: SpinLock<B>,
    pub slots: [Slot<B>; MAX_TABLES],
}

impl<B: Backend> Default for Tables<B> {
    fn default() -> Self {
        Self { lock: SpinLock::new(), slots: core::array::from_fn(|_| Slot::default()) }
    }
}

impl<B: Backend> Tables<B> {
    pub fn reset(&mut self) {
        self.lock.reset();
        for Slot { frame, child, sharers } in &mut self.slots {
            frame.reset(0);
            child.reset(0);
            sharers.reset(0);
        }
    }
}

impl<B: Backend> Memory<B> {
    /// Becomes a user of a table, and makes it if there is none; false if there is no memory for that
    /// (`huge_pmd_share`, `pmd_alloc`).
    pub fn table_map(&self, cpu: CpuId, table: usize) -> bool {
        let Tables { lock, slots } = &self.tables;
        let slot = &slots[table];
        let _tables = lock.lock();
        if let Some(page) = slot.frame.get(lock).checked_sub(1) {
            self.share_table(slot, FrameNumber(page));
            B::outcome(outcome::TABLE_SHARED);
            return true;
        }
        let Some(page) = self.alloc_pages(cpu, Order(0), false) else { return false };
        let Some(child) = self.alloc_pages(cpu, Order(0), false) else {
            self.put_page(cpu, page, Holder::Owner);
            return false;
        };
        self.frame(page).flags.fetch_or(flag::TABLE, Ordering::Relaxed);
        slot.frame.set(lock, page.0 + 1);
        slot.child.set(lock, child.0 + 1);
        B::outcome(outcome::TABLE_NEW);
        true
    }

    /// Gives up the use of a table, which the caller has; the last one takes the table apart
    /// (`huge_pmd_unshare`, `free_pgtables`).
    pub fn table_unmap(&self, cpu: CpuId, table: usize) {
        let Tables { lock, slots } = &self.tables;
        let slot = &slots[table];
        let _tables = lock.lock();
        let page = FrameNumber(slot.frame.get(lock) - 1);
        if self.unshare_table(cpu, slot, page) {
            B::outcome(outcome::TABLE_UNSHARED);
            return;
        }
        self.put_page(cpu, FrameNumber(slot.child.get(lock) - 1), Holder::Owner);
        self.frame(page).flags.fetch_and(!flag::TABLE, Ordering::Relaxed);
        slot.frame.set(lock, 0);
        slot.child.set(lock, 0);
        self.put_page(cpu, page, Holder::Owner);
        B::outcome(outcome::TABLE_ZAPPED);
    }

    /// One more user of a table that is there.
    fn share_table(&self, slot: &Slot<B>, page: FrameNumber) {
        let lock = &self.tables.lock;
        match self.history.table_sharing {
            TableSharing::Refcount => self.add_ref(page, Holder::Owner),
            TableSharing::ShareCount => slot.sharers.set(lock, slot.sharers.get(lock) + 1),
        }
    }

    /// One user less, if others are left; false if the caller is the last as far as the version can
    /// know.
    ///
    /// The steps of each variant, and the race: [`TableSharing`].
    fn unshare_table(&self, cpu: CpuId, slot: &Slot<B>, page: FrameNumber) -> bool {
        let lock = &self.tables.lock;
        match self.history.table_sharing {
            TableSharing::Refcount => {
                let shared = self.frame(page).refcount.load(Ordering::Relaxed) > 1;
                if shared {
                    self.put_page(cpu, page, Holder::Owner);
                }
                shared
            }
            TableSharing::ShareCount => {
                let sharers = slot.sharers.get(lock);
                if sharers > 0 {
                    slot.sharers.set(lock, sharers - 1);
                }
                sharers > 0
            }
        }
    }
}
