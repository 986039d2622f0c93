//! Taking memory offline: a range of frames is isolated, and then all of it must come to the buddy lists.
//!
//! What it is not: migration, which in Linux empties the range first, or removal. A range of which a page is
//! in use is given up at once, and one that went offline is undone in the same call, so that the zone keeps
//! its size. The range is as large and as aligned as the largest block, so that no block lies across its
//! edge.
//!
//! Waiting: a frame that is on no buddy list and has no count is on its way, and either comes to the lists
//! (`Zone::isolated`) or gets a count. Or it is parked on a per-CPU list and does neither, which is what
//! [`Offline`] is about. The first such frame of a range is the first of what is on its way, as what comes
//! before it are whole free blocks: tails, whose count says nothing, come after their head.

use super::history::Offline;
use super::pageblock::{ISOLATE, MOVABLE};
use super::{Memory, outcome};
use crate::event::FrameNumber;
use crate::sync::{Backend, CpuId, MAX_CPUS, Ordering, Watch, relax};

/// Why not all of a range is on the buddy lists.
struct Missing {
    /// The first frame that is not.
    frame: FrameNumber,
    /// How often a block had been put on a list of isolated ones by then.
    isolated: u32,
}

impl<B: Backend> Memory<B> {
    /// Isolates the range around a frame, waits until all of it is free, and undoes it (`offline_pages`,
    /// `undo_isolate_page_range`). False if a page of it is in use or somebody else is at this.
    ///
    /// The steps of each variant, and their race: [`Offline`].
    pub fn offline(&self, frame: FrameNumber) -> bool {
        let done = self.hotplug.try_lock().is_some_and(|_hotplug| {
            let first = FrameNumber(frame.0 >> self.max_order.0 << self.max_order.0);
            let disables = self.history.offline == Offline::PcpDisabled;
            if disables {
                self.disable_pcp();
            }
            self.set_range_type(first, ISOLATE);
            let done = self.wait_until_free(first);
            self.set_range_type(first, MOVABLE);
            if disables {
                self.enable_pcp();
            }
            done
        });
        B::outcome(if done { outcome::OFFLINE_DONE } else { outcome::OFFLINE_BUSY });
        done
    }

    /// Changes the type of all pageblocks of a range, one by one.
    fn set_range_type(&self, first: FrameNumber, kind: u32) {
        let pageblock = self.sizes.pageblock_order();
        for at in (0..self.max_order.frames()).step_by(pageblock.frames()) {
            let _zone = self.zone.lock.lock();
            self.set_block_type(first.offset(at), kind);
        }
    }

    /// Waits until all frames of an isolated range are on the buddy lists; false if one is in use
    /// (`test_pages_isolated`).
    fn wait_until_free(&self, first: FrameNumber) -> bool {
        let drains_again = match self.history.offline {
            Offline::PcpDisabled => false,
            Offline::DrainOnce => {
                self.drain_each();
                false
            }
            Offline::DrainLoop => {
                self.drain_each();
                true
            }
        };
        while let Some(missing) = self.missing(first) {
            let count = &self.frame(missing.frame).refcount;
            if count.load(Ordering::Relaxed) > 0 {
                return false;
            }
            B::outcome(outcome::OFFLINE_WAITED);
            let isolated = (&self.zone.isolated, missing.isolated);
            let count = (count, 0);
            if !drains_again {
                relax::<B>(&[&isolated, &count]);
                continue;
            }
            let lists = core::array::from_fn::<_, MAX_CPUS, _>(|cpu| {
                (&self.pcp.of(CpuId::new(cpu)).pages, 0)
            });
            let mut watched: [&dyn Watch; 2 + MAX_CPUS] = [&isolated; 2 + MAX_CPUS];
            watched[1] = &count;
            for (watch, list) in watched[2..].iter_mut().zip(&lists) {
                *watch = list;
            }
            relax::<B>(&watched);
            self.drain_each();
        }
        true
    }

    /// The first frame of a range that is in no free block.
    fn missing(&self, first: FrameNumber) -> Option<Missing> {
        let zone = &self.zone;
        let _zone = zone.lock.lock();
        let mut at = 0;
        while at < self.max_order.frames() {
            let frame = first.offset(at);
            match self.frame(frame).buddy.get(&zone.lock) {
                0 => return Some(Missing { frame, isolated: zone.isolated.get(&zone.lock) }),
                order => at += 1 << (order - 1),
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Order;
    use crate::mm::{History, Report, Sizes};
    use crate::sync::Native;

    const SIZES: Sizes = Sizes { cpus: 2, frames: 16, pcp_batch: 2, mappings: 1, indices: 1 };
    const VARIANTS: [Offline; 3] = [Offline::DrainOnce, Offline::DrainLoop, Offline::PcpDisabled];

    /// The orders of the free blocks; the structures must agree.
    fn free(memory: &Memory<Native>) -> Vec<u8> {
        let mut free = Vec::new();
        memory.walk_all(|report| match report {
            Report::Free(_, order, _) => free.push(order.0),
            Report::Broken(rule) => panic!("{rule}"),
            _ => {}
        });
        free
    }

    #[test]
    fn pages_that_were_parked_do_not_keep_a_range_online_and_all_merges_again() {
        for offline in VARIANTS {
            let memory = Memory::<Native>::new(SIZES, History { offline, ..History::CURRENT });
            for cpu in [0, 1].map(CpuId::new) {
                let page = memory.alloc_pages(cpu, Order(0), false).expect("all is free");
                memory.free_pages(cpu, page, Order(0));
            }
            assert!(free(&memory).len() > 2, "pages are parked");
            assert!(memory.offline(FrameNumber(5)), "{offline:?}");
            assert_eq!(free(&memory), [3, 3]);
            assert!(memory.pageblocks.iter().all(|block| block.peek() == MOVABLE));
            // The lists are on again.
            let page = memory.alloc_pages(CpuId::new(0), Order(0), false).expect("all is free");
            memory.free_pages(CpuId::new(0), page, Order(0));
            assert!(free(&memory).len() > 2, "{offline:?}");
        }
    }

    #[test]
    fn a_page_in_use_keeps_its_range_online_and_no_other() {
        for offline in VARIANTS {
            let memory = Memory::<Native>::new(SIZES, History { offline, ..History::CURRENT });
            let block = memory.alloc_pages(CpuId::new(0), Order(2), true).expect("all is free");
            let other = FrameNumber(block.0 ^ 8);
            assert!(!memory.offline(block) && memory.offline(other), "{offline:?}");
            memory.free_pages(CpuId::new(0), block, Order(2));
            assert!(memory.offline(block));
            assert_eq!(free(&memory), [3, 3]);
        }
    }
}
