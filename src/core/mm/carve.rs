//! Taking given frames off the buddy lists, out of the middle of a free block if need be.
//!
//! As everything about these lists it is called with the zone lock held, and has no point inside but for
//! the count of isolated blocks.
//!
//! What it is not: an allocation. The caller says what becomes of the frames, and whether those of an
//! isolated pageblock will do.

use super::Memory;
use crate::event::{FrameNumber, Order};
use crate::sync::Backend;

impl<B: Backend> Memory<B> {
    /// The free block that a run of 2^order frames, aligned to its size, lies in. There is one if and only
    /// if the whole run is free: free buddies of one type are always merged.
    pub(super) fn free_around(
        &self,
        run: FrameNumber,
        order: Order,
    ) -> Option<(FrameNumber, Order)> {
        let lock = &self.zone.lock;
        (order.0..=self.max_order.0).map(Order).find_map(|size| {
            let whole = FrameNumber(run.0 >> size.0 << size.0);
            Self::is_free_block(self.frame(whole), size, lock).then_some((whole, size))
        })
    }

    /// Takes a run of 2^order frames, aligned to its size, off the lists; what else there was of its block
    /// goes back to them (`take_page_off_buddy`, `break_down_buddy_pages`). False, and nothing done, if not
    /// all of it is free.
    pub(super) fn carve(&self, run: FrameNumber, order: Order) -> bool {
        let Some((mut block, mut size)) = self.free_around(run, order) else { return false };
        self.list_del(block, size);
        while size > order {
            size = Order(size.0 - 1);
            let (lower, upper) = (block, block.offset(size.frames()));
            let rest = if run < upper { upper } else { lower };
            block = if run < upper { lower } else { upper };
            self.list_add(rest, size);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::FreeList;
    use crate::mm::{History, Report, Sizes};
    use crate::sync::{CpuId, Native};

    const SIZES: Sizes = Sizes { cpus: 1, frames: 8, pcp_batch: 0, mappings: 1, indices: 1 };

    fn memory() -> Memory<Native> {
        Memory::new(SIZES, History::CURRENT)
    }

    fn carve(memory: &Memory<Native>, run: u32, order: u8) -> bool {
        let _zone = memory.zone.lock.lock();
        memory.carve(FrameNumber(run), Order(order))
    }

    /// The free blocks, by frame; the structures must agree.
    fn free(memory: &Memory<Native>) -> Vec<(u32, u8)> {
        let mut free = Vec::new();
        memory.walk_all(|report| match report {
            Report::Free(frame, order, FreeList::Buddy) => free.push((frame.0, order.0)),
            Report::Broken(rule) => panic!("{rule}"),
            _ => {}
        });
        free.sort_unstable();
        free
    }

    #[test]
    fn what_is_around_a_run_stays_free_and_merges_with_it_again() {
        for (run, order, rest) in [
            (5, 0, &[(0, 2), (4, 0), (6, 1)][..]),
            (2, 1, &[(0, 1), (4, 2)]),
            (4, 2, &[(0, 2)]),
            (0, 3, &[]),
        ] {
            let memory = memory();
            assert!(carve(&memory, run, order));
            assert_eq!(free(&memory), rest);
            let zone = memory.zone.lock.lock();
            memory.free_one_page(FrameNumber(run), Order(order));
            drop(zone);
            assert_eq!(free(&memory), [(0, 3)]);
        }
    }

    #[test]
    fn a_run_of_which_a_page_is_in_use_is_not_taken() {
        let memory = memory();
        let page = memory.alloc_pages(CpuId::new(0), Order(0), false).expect("all is free");
        let before = free(&memory);
        for (run, order) in [(page.0, 0), (0, 1), (0, 2), (0, 3)] {
            assert!(!carve(&memory, run, order));
        }
        assert_eq!(free(&memory), before);
        assert!(carve(&memory, 1, 0) && carve(&memory, 6, 1));
        assert_eq!(free(&memory), [(2, 1), (4, 1)]);
    }
}
