//! The buddy lists: free blocks by pageblock type and order, merged with their buddies as they come back.
//!
//! Everything here is called with the zone lock held and touches only fields guarded by it, so there
//! is no point inside, but for the count of isolated blocks.
//!
//! What it is not: the kernel's choice between head and tail of a list.
//!
//! Invariants: a frame's `buddy` is set if and only if it is the first of a block on the list of that
//! order; `free` counts the blocks of each list; a block is aligned to its size; two free buddies of
//! one order below the largest, of one type where that is larger than a pageblock, never exist together.

use super::frame::{Frame, NONE};
use super::limits::PAGEBLOCK_TYPES;
use super::pageblock::{ISOLATE, MOVABLE};
use super::{Memory, outcome};
use crate::event::{Event, FrameNumber, FreeList, Order};
use crate::sync::{Backend, Guarded, Published, SpinLock};

/// How many orders there are.
pub(super) const ORDERS: usize = super::limits::MAX_ORDER.0 as usize + 1;

/// The zone's lists (`struct zone`, `struct free_area`).
#[derive(Debug)]
pub(super) struct Zone<B: Backend> {
    pub lock: SpinLock<B>,
    /// First block of each list, by type and order.
    pub heads: [[Guarded<B, u32>; ORDERS]; PAGEBLOCK_TYPES],
    /// Blocks on each list (`nr_free`).
    pub free: [[Guarded<B, u32>; ORDERS]; PAGEBLOCK_TYPES],
    /// How often a block was put on a list of isolated ones: what offlining waits for.
    pub isolated: Published<B, u32>,
}

impl<B: Backend> Default for Zone<B> {
    fn default() -> Self {
        Self {
            lock: SpinLock::new(),
            heads: core::array::from_fn(|_| core::array::from_fn(|_| Guarded::new(NONE))),
            free: core::array::from_fn(|_| core::array::from_fn(|_| Guarded::new(0))),
            isolated: Published::new(0),
        }
    }
}

impl<B: Backend> Zone<B> {
    pub fn reset(&mut self) {
        self.lock.reset();
        let (heads, free) = (self.heads.as_flattened_mut(), self.free.as_flattened_mut());
        for (head, free) in heads.iter_mut().zip(free) {
            head.reset(NONE);
            free.reset(0);
        }
        self.isolated.reset(0);
    }
}

/// Which checks of a free block are those of the kernel.
const FREED_WHILE_FREE: &str = "buddy-at-free";
const ALLOCATED_WHILE_FREE: &str = "buddy-at-alloc";

impl<B: Backend> Memory<B> {
    /// Puts all frames on the lists, before anything runs.
    pub(super) fn fill(&mut self) {
        let order = self.max_order;
        let size = order.frames();
        let blocks = self.sizes.frames / size;
        for block in 0..blocks {
            let at = block * size;
            self.frames[at].buddy.reset(u32::from(order.0) + 1);
            self.frames[at].next.reset(if block + 1 < blocks { (at + size) as u32 } else { NONE });
            self.frames[at].prev.reset(if block > 0 { (at - size) as u32 } else { NONE });
        }
        self.zone.heads[MOVABLE as usize][usize::from(order.0)].reset(0);
        self.zone.free[MOVABLE as usize][usize::from(order.0)].reset(blocks as u32);
    }

    /// Puts a block at the front of the list of its type and order.
    pub(super) fn list_add(&self, block: FrameNumber, order: Order) {
        let (lock, at) = (&self.zone.lock, usize::from(order.0));
        let kind = self.block_type(block);
        let (heads, free) = (&self.zone.heads[kind as usize], &self.zone.free[kind as usize]);
        let old = heads[at].get(lock);
        let frame = self.frame(block);
        frame.buddy.set(lock, u32::from(order.0) + 1);
        frame.prev.set(lock, NONE);
        frame.next.set(lock, old);
        if old != NONE {
            self.frame(FrameNumber(old)).prev.set(lock, block.0);
        }
        heads[at].set(lock, block.0);
        free[at].set(lock, free[at].get(lock) + 1);
        if kind == ISOLATE {
            let isolated = &self.zone.isolated;
            isolated.set(lock, isolated.get(lock).wrapping_add(1));
        }
    }

    /// Takes a block off the list of its type and order.
    pub(super) fn list_del(&self, block: FrameNumber, order: Order) {
        let (lock, at) = (&self.zone.lock, usize::from(order.0));
        let kind = self.block_type(block) as usize;
        let frame = self.frame(block);
        let (prev, next) = (frame.prev.get(lock), frame.next.get(lock));
        let link = |to: &Guarded<B, u32>, value| to.set(lock, value);
        if prev == NONE {
            link(&self.zone.heads[kind][at], next);
        } else {
            link(&self.frame(FrameNumber(prev)).next, next);
        }
        if next != NONE {
            link(&self.frame(FrameNumber(next)).prev, prev);
        }
        frame.buddy.set(lock, 0);
        let free = &self.zone.free[kind][at];
        free.set(lock, free.get(lock) - 1);
    }

    pub(super) fn is_free_block(frame: &Frame<B>, order: Order, lock: &SpinLock<B>) -> bool {
        frame.buddy.get(lock) == u32::from(order.0) + 1
    }

    /// Gives a block to the lists, merging it with its buddies (`__free_one_page`). The zone lock is
    /// held.
    pub(super) fn free_one_page(&self, block: FrameNumber, order: Order) {
        let lock = &self.zone.lock;
        if self.frame(block).buddy.get(lock) != 0 {
            return self.refuse(block, order, FREED_WHILE_FREE);
        }
        let (mut block, mut order) = (block, order);
        if planted!(self, SkipListInsert) && order.0 == 0 {
            return;
        }
        if planted!(self, WrongOrder) && order.0 == 0 && block.0 % 2 == 0 {
            let buddy = self.frame(block.buddy(order));
            if buddy.buddy.get(lock) == 0 {
                order = Order(1);
            }
        }
        while self.merges_at(block, order) {
            let buddy = block.buddy(order);
            if planted!(self, MergeAllocated) && order.0 == 0 {
                if self.frame(buddy).buddy.get(lock) == 1 {
                    self.list_del(buddy, order);
                }
            } else if Self::is_free_block(self.frame(buddy), order, lock) {
                self.list_del(buddy, order);
            } else {
                break;
            }
            block = FrameNumber(block.0 & buddy.0);
            order = Order(order.0 + 1);
            B::event(|| Event::PageMerge { frame: block, order });
            B::outcome(outcome::merge(order));
        }
        self.list_add(block, order);
    }

    /// Whether this block can have a buddy to merge with.
    fn merges_at(&self, block: FrameNumber, order: Order) -> bool {
        let skips = planted!(self, MergeSkipped) && order.0 == 0;
        let stops = planted!(self, MergeStopsEarly) && order.0 + 1 == self.max_order.0;
        if skips || stops {
            return false;
        }
        if planted!(self, MergePastEnd) && order == self.max_order {
            return self.frame(FrameNumber(NONE)).buddy.get(&self.zone.lock) != 0;
        }
        order < self.max_order && self.types_agree(block, order)
    }

    /// Takes a block of `order` from the lists, halving a larger one if need be (`__rmqueue`,
    /// `expand`).
    pub(super) fn rmqueue(&self, order: Order) -> Option<FrameNumber> {
        let lock = &self.zone.lock;
        let (mut size, block) = (order.0..=self.max_order.0).find_map(|size| {
            let head = self.zone.heads[MOVABLE as usize][usize::from(size)].get(lock);
            (head != NONE).then_some((size, FrameNumber(head)))
        })?;
        self.list_del(block, Order(size));
        while size > order.0 {
            size -= 1;
            let upper = block.offset(Order(size).frames());
            if self.frame(upper).buddy.get(lock) != 0 {
                self.refuse(upper, Order(size), ALLOCATED_WHILE_FREE);
            } else if !(planted!(self, ExpandLosesHalf) && size == 0) {
                self.list_add(upper, Order(size));
            }
        }
        let listed = |i: &usize| self.frame(block.offset(*i)).buddy.get(lock) != 0;
        if (1..order.frames()).any(|i| listed(&i)) {
            self.refuse(block, order, ALLOCATED_WHILE_FREE);
            return None;
        }
        Some(block)
    }

    /// Counts an allocation of the block, under the lock of the list that it was on.
    pub(super) fn count_generation(&self, block: FrameNumber, lock: &SpinLock<B>) {
        if B::CONTROLLED {
            let generation = &self.frame(block).generation;
            generation.set(lock, generation.get(lock).wrapping_add(1));
        }
    }

    /// Allocates from the lists directly.
    pub(super) fn rmqueue_buddy(&self, order: Order, compound: bool) -> Option<FrameNumber> {
        let _zone = self.zone.lock.lock();
        let block = self.rmqueue(order)?;
        self.count_generation(block, &self.zone.lock);
        B::event(|| Event::PageAlloc { frame: block, order, compound, from: FreeList::Buddy });
        Some(block)
    }

    /// Frees to the lists directly.
    pub(super) fn free_to_buddy(&self, block: FrameNumber, order: Order) {
        let zone = self.zone.lock.lock();
        B::event(|| Event::PageFree { frame: block, order, to: FreeList::Buddy });
        if planted!(self, BuddyUnlocked) {
            drop(zone);
            return self.free_one_page(block, order);
        }
        self.free_one_page(block, order);
    }
}
