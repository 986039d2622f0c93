//! Gigantic blocks: a run of free frames, wherever it is, made into one compound block.
//!
//! What it is not: larger than the largest block of the buddy lists, or a reason to move pages that are in
//! the way: a run is free, or the allocation fails.
//!
//! Invariant: a block leaves here as one that the allocator made compound itself.

use super::frame::{flag, link_to};
use super::history::GiganticPrep;
use super::pageblock::MOVABLE;
use super::tag::Tag;
use super::{Memory, outcome};
use crate::event::{Event, FrameNumber, FreeList, Holder, Order};
use crate::sync::{Backend, CpuId, Ordering};

impl<B: Backend> Memory<B> {
    /// Allocates the aligned run of 2^order frames around `frame` as a compound block
    /// (`alloc_contig_pages`, `prep_compound_gigantic_page`). One page is an ordinary allocation.
    pub fn alloc_gigantic(
        &self,
        cpu: CpuId,
        order: Order,
        frame: FrameNumber,
    ) -> Option<FrameNumber> {
        if order.0 == 0 {
            return self.alloc_tagged(cpu, order, true, Tag::GIGANTIC);
        }
        if self.alloc_fails() {
            return None;
        }
        let run = FrameNumber(frame.0 >> order.0 << order.0);
        let frozen = self.history.gigantic_prep == GiganticPrep::FrozenAlloc;
        if !self.take_run(run, order, frozen) {
            B::outcome(outcome::GIGANTIC_BUSY);
            return None;
        }
        if frozen {
            self.prep_compound(run, order);
            self.set_page_refcounted(run, Holder::Owner);
        } else {
            B::event(|| Event::PageSplit { frame: run, order });
            self.count_singly(run, order);
            if let Err(counted) = self.prep_gigantic(run, order) {
                B::outcome(outcome::GIGANTIC_UNDO);
                self.undo_gigantic(cpu, run, order, counted);
                return None;
            }
            B::event(|| Event::PageCompound { frame: run, order });
        }
        B::outcome(outcome::GIGANTIC_DONE);
        Some(run)
    }

    /// Takes a run off the buddy lists, if all of it is free and may be allocated from.
    fn take_run(&self, run: FrameNumber, order: Order, compound: bool) -> bool {
        let _zone = self.zone.lock.lock();
        if self.block_type(run) != MOVABLE || !self.carve(run, order) {
            return false;
        }
        self.count_generation(run, &self.zone.lock);
        let from = FreeList::Buddy;
        B::event(|| Event::PageAlloc { frame: run, order, compound, from });
        self.tag_add(run, order, Tag::GIGANTIC);
        true
    }

    /// Makes the frames of a run single pages, each counted once.
    fn count_singly(&self, run: FrameNumber, order: Order) {
        self.set_page_refcounted(run, Holder::Owner);
        for i in 1..order.frames() {
            self.set_page_refcounted(run.offset(i), Holder::Contig);
        }
    }

    /// Makes one block of single pages: the head's bits first, then each tail's count and link. The error is
    /// the tail whose count is not the one that it was given; those before it are tails by then.
    fn prep_gigantic(&self, head: FrameNumber, order: Order) -> Result<(), usize> {
        self.frame(head).flags.fetch_or(flag::head(order), Ordering::Relaxed);
        for i in 1..order.frames() {
            let tail = head.offset(i);
            match self.history.gigantic_prep {
                GiganticPrep::Store0 => self.store_refs(tail, 0, Holder::Contig),
                // Without it nobody takes this path.
                GiganticPrep::Freeze1 | GiganticPrep::FrozenAlloc => {
                    if !self.freeze(tail, 1, Holder::Contig) {
                        return Err(i);
                    }
                }
            }
            self.frame(tail).compound_head.store(link_to(head), Ordering::Relaxed);
        }
        Ok(())
    }

    /// Takes a block apart whose tails from `counted` on are single pages still, and frees its pages. A
    /// page leads nowhere before it is counted again, and the head is a single page before it is put: whoever
    /// puts last frees one page.
    fn undo_gigantic(&self, cpu: CpuId, head: FrameNumber, order: Order, counted: usize) {
        for i in 1..counted {
            self.frame(head.offset(i)).compound_head.store(0, Ordering::Relaxed);
            self.set_page_refcounted(head.offset(i), Holder::Contig);
        }
        self.frame(head).flags.fetch_and(!flag::head(order), Ordering::Relaxed);
        for i in 1..order.frames() {
            self.tag_split(head, head.offset(i));
        }
        self.put_page(cpu, head, Holder::Owner);
        for i in 1..order.frames() {
            self.put_page(cpu, head.offset(i), Holder::Contig);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mm::{History, Sizes};
    use crate::sync::Native;

    fn memory(gigantic_prep: GiganticPrep) -> (Memory<Native>, CpuId) {
        let sizes = Sizes { cpus: 1, frames: 8, pcp_batch: 0, mappings: 1, indices: 1 };
        (Memory::new(sizes, History { gigantic_prep, ..History::CURRENT }), CpuId::new(0))
    }

    const ALL: [GiganticPrep; 3] =
        [GiganticPrep::Store0, GiganticPrep::Freeze1, GiganticPrep::FrozenAlloc];

    #[test]
    fn a_run_becomes_one_block_that_any_reference_frees() {
        for variant in ALL {
            let (memory, cpu) = memory(variant);
            let block = memory.alloc_gigantic(cpu, Order(1), FrameNumber(5));
            assert_eq!(block, Some(FrameNumber(4)));
            let counts = [4, 5].map(|at| memory.frames[at].refcount.peek());
            assert_eq!(counts, [1, 0]);
            memory.put_page(cpu, FrameNumber(5), Holder::Owner);
            assert_eq!(memory.alloc_pages(cpu, Order(3), false), Some(FrameNumber(0)));
        }
    }

    #[test]
    fn a_run_that_is_in_use_fails_and_stays_as_it_is() {
        for variant in ALL {
            let (memory, cpu) = memory(variant);
            let page = memory.alloc_pages(cpu, Order(0), false).expect("all is free");
            assert_eq!(memory.alloc_gigantic(cpu, Order(2), FrameNumber(3)), None);
            let high = memory.alloc_gigantic(cpu, Order(2), FrameNumber(4)).expect("it is free");
            memory.put_page(cpu, page, Holder::Owner);
            memory.free_pages(cpu, high, Order(2));
            assert_eq!(memory.alloc_pages(cpu, Order(3), false), Some(FrameNumber(0)));
        }
    }

    #[test]
    fn a_block_that_is_taken_apart_leaves_nothing() {
        let (memory, cpu) = memory(GiganticPrep::Freeze1);
        let (run, order) = (FrameNumber(0), Order(2));
        assert!(memory.take_run(run, order, false));
        memory.count_singly(run, order);
        assert!(memory.try_get(FrameNumber(2), Holder::Scan));
        assert_eq!(memory.prep_gigantic(run, order), Err(2));
        memory.undo_gigantic(cpu, run, order, 2);
        assert_eq!(memory.alloc_pages(cpu, Order(3), false), None);
        memory.put_page(cpu, FrameNumber(2), Holder::Scan);
        assert!(memory.tags_are_zero());
        assert_eq!(memory.alloc_pages(cpu, Order(3), false), Some(run));
    }
}
