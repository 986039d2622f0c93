//! Pageblocks: frames have a type, pageblock by pageblock, and free blocks lie on the lists of theirs.
//!
//! What it is not: the choice between types that an allocation has in Linux (`fallbacks`): what is isolated
//! is not allocated from at all.
//!
//! Invariant: a free block that is larger than a pageblock has pageblocks of one type only, but while the type
//! of one of its pageblocks was changed and that of the other is not yet. It then lies on the list of the type
//! of its first.

use super::limits::MAX_ORDER;
use super::{Memory, outcome};
use crate::event::{FrameNumber, Order};
use crate::sync::Backend;

/// Free for all uses (`MIGRATE_MOVABLE`).
pub(super) const MOVABLE: u32 = 0;
/// Kept from being allocated (`MIGRATE_ISOLATE`).
pub(super) const ISOLATE: u32 = 1;

impl<B: Backend> Memory<B> {
    /// The type of the pageblock of a frame. The zone lock is held.
    pub(super) fn block_type(&self, frame: FrameNumber) -> u32 {
        let at = frame.index() >> self.sizes.pageblock_order().0;
        self.pageblocks[at].get(&self.zone.lock)
    }

    /// The type of the pageblock of a frame as it is now, without the zone lock: old as soon as it is read.
    pub(super) fn peek_block_type(&self, frame: FrameNumber) -> u32 {
        self.pageblocks[frame.index() >> self.sizes.pageblock_order().0].load()
    }

    /// Changes the type of the pageblock that begins with a frame and takes its free pages to the lists of
    /// that type, of a larger free block those in it (`set_migratetype_isolate`, `move_freepages_block`,
    /// `unset_migratetype_isolate`). What can be merged then, is. The zone lock is held.
    pub(super) fn set_block_type(&self, first: FrameNumber, kind: u32) {
        let (lock, size) = (&self.zone.lock, self.sizes.pageblock_order());
        let mut moved = [(first, Order(0)); MAX_ORDER.frames()];
        let mut blocks = 0;
        let mut take = |block, listed, parts| {
            self.list_del(block, listed);
            let order = Order(listed.0 - parts);
            for part in 0..1_usize << parts {
                moved[blocks] = (block.offset(part * order.frames()), order);
                blocks += 1;
            }
        };
        match self.free_around(first, size) {
            // Larger than a pageblock it is the largest, and half of it is this pageblock.
            Some((whole, listed)) if listed > size => {
                if kind == ISOLATE {
                    B::outcome(outcome::ISOLATE_SPLIT);
                }
                take(whole, listed, 1);
            }
            _ => {
                for frame in (0..size.frames()).map(|at| first.offset(at)) {
                    let order = self.frame(frame).buddy.get(lock);
                    if order > 0 {
                        take(frame, Order(order as u8 - 1), 0);
                    }
                }
            }
        }
        self.pageblocks[first.index() >> size.0].set(lock, kind);
        for &(block, order) in &moved[..blocks] {
            self.free_one_page(block, order);
        }
    }

    /// Whether two buddies of this order may be one block: not if that would join types. The zone lock is
    /// held.
    pub(super) fn types_agree(&self, block: FrameNumber, order: Order) -> bool {
        order < self.sizes.pageblock_order()
            || self.block_type(block) == self.block_type(block.buddy(order))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mm::{History, Report, Sizes};
    use crate::sync::{CpuId, Native};

    const SIZES: Sizes = Sizes { cpus: 1, frames: 8, pcp_batch: 0, mappings: 1, indices: 1 };

    fn set_type(memory: &Memory<Native>, at: usize, kind: u32) {
        let _zone = memory.zone.lock.lock();
        memory.pageblocks[at].set(&memory.zone.lock, kind);
    }

    /// The free blocks, by frame; the structures must agree.
    fn free(memory: &Memory<Native>) -> Vec<(u32, u8)> {
        let mut free = Vec::new();
        memory.walk_all(|report| match report {
            Report::Free(frame, order, _) => free.push((frame.0, order.0)),
            Report::Broken(rule) => panic!("{rule}"),
            _ => {}
        });
        free.sort_unstable();
        free
    }

    #[test]
    fn blocks_lie_on_the_list_of_their_type_and_do_not_merge_with_others() {
        let memory = Memory::<Native>::new(SIZES, History::CURRENT);
        let cpu = CpuId::new(0);
        let alloc = || memory.alloc_pages(cpu, Order(2), false);
        let [low, high] = [alloc(), alloc()].map(|block| block.expect("there are two"));
        set_type(&memory, 1, ISOLATE);
        memory.free_pages(cpu, low, Order(2));
        memory.free_pages(cpu, high, Order(2));
        assert_eq!(free(&memory), [(0, 2), (4, 2)]);
        assert_eq!(memory.zone.isolated.peek(), 1);
        // What is isolated is not allocated from.
        assert_eq!((alloc(), alloc()), (Some(low), None));
        memory.free_pages(cpu, low, Order(2));
        assert_eq!(free(&memory), [(0, 2), (4, 2)]);
    }

    #[test]
    fn blocks_within_a_pageblock_merge_whatever_its_type() {
        let memory = Memory::<Native>::new(SIZES, History::CURRENT);
        let cpu = CpuId::new(0);
        let pages = memory.alloc_pages_exact(cpu, 8).expect("all is free");
        set_type(&memory, 0, ISOLATE);
        set_type(&memory, 1, ISOLATE);
        memory.free_pages_exact(cpu, pages, 8);
        assert_eq!(free(&memory), [(0, 3)]);
    }

    #[test]
    fn every_zone_has_pageblocks_of_half_its_largest_block() {
        for (frames, order, blocks) in [(1, 0, 1), (2, 0, 2), (4, 1, 2), (8, 2, 2), (64, 2, 16)] {
            let sizes = Sizes { frames, ..SIZES };
            assert_eq!((sizes.pageblock_order().0, sizes.pageblocks()), (order, blocks));
        }
    }
}
