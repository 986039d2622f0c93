//! Allocation: blocks of 2^n frames, compound or not, split blocks and exact numbers of pages.
//!
//! What it is not: reclaim. An allocation fails if the lists are empty, or where the schedule says so
//! (`alloc.may_fail`).
//!
//! Invariant: a block leaves here with a count of one on its first frame and zero on the others; the
//! tails of a compound block lead to its head, those of another lead nowhere.

use super::Memory;
use super::frame::{flag, link_to};
use super::history::AllocResult;
use super::tag::Tag;
use crate::event::{Event, FrameNumber, Holder, Order, RefChange};
use crate::sync::{Backend, CpuId, Kind, Ordering};

const COUNTED_WHILE_FREE: &str = "refcount-at-alloc";

impl<B: Backend> Memory<B> {
    /// Allocates a block of `order`, counted once for its owner (`__alloc_pages`). One count stands
    /// for the whole block; if it is `compound`, every frame leads to it.
    ///
    /// `None` if there is no block of that size, or the schedule fails the allocation.
    pub fn alloc_pages(&self, cpu: CpuId, order: Order, compound: bool) -> Option<FrameNumber> {
        self.alloc_tagged(cpu, order, compound, Tag::DRIVER)
    }

    /// As [`Memory::alloc_pages`], accounted for under `tag`.
    pub(super) fn alloc_tagged(
        &self,
        cpu: CpuId,
        order: Order,
        compound: bool,
        tag: Tag,
    ) -> Option<FrameNumber> {
        if self.alloc_fails() {
            return None;
        }
        let compound = compound && order.0 > 0;
        let listed =
            self.pcp_takes(order).then(|| self.rmqueue_pcp(cpu, order, compound)).flatten();
        let block = match listed {
            Some(block) => block?,
            None => self.rmqueue_buddy(order, compound)?,
        };
        self.check_new_page(block, order)?;
        self.tag_add(block, order, tag);
        let prepare = || {
            if compound {
                self.prep_compound(block, order);
            }
        };
        match self.history.alloc_result {
            AllocResult::RefcountedThenCompound => {
                self.set_page_refcounted(block, Holder::Owner);
                prepare();
            }
            AllocResult::Frozen => {
                prepare();
                self.set_page_refcounted(block, Holder::Owner);
            }
        }
        Some(block)
    }

    /// The point at which the schedule may fail an allocation.
    pub(super) fn alloc_fails(&self) -> bool {
        B::before(self.may_fail.addr(), Kind::Fail, Ordering::Relaxed);
        let fails = B::fails();
        B::after(0, 0);
        fails
    }

    /// What must hold of frames that come from the lists (`check_new_page`).
    fn check_new_page(&self, block: FrameNumber, order: Order) -> Option<()> {
        let counted = |i| self.frame(block.offset(i)).refcount.load(Ordering::Relaxed) != 0;
        if (0..order.frames()).any(counted) {
            self.refuse(block, order, COUNTED_WHILE_FREE);
            return None;
        }
        Some(())
    }

    /// Gives a frame whose count is zero the reference of whoever takes it.
    pub(super) fn set_page_refcounted(&self, page: FrameNumber, holder: Holder) {
        self.frame(page).refcount.store(1, Ordering::Relaxed);
        let change = RefChange::Set;
        B::event(|| Event::PageRef { frame: page, change, count: 1, holder, done: true });
    }

    /// Makes a block compound: the head flag first, then the tails' links (`prep_compound_page`).
    pub(super) fn prep_compound(&self, head: FrameNumber, order: Order) {
        self.frame(head).flags.fetch_or(flag::head(order), Ordering::Relaxed);
        let linked = order.frames() - usize::from(planted!(self, LinkForgotten));
        for i in 1..linked {
            self.frame(head.offset(i)).compound_head.store(link_to(head), Ordering::Relaxed);
        }
    }

    /// Makes a block that is not compound into single pages, each with its owner's reference
    /// (`split_page`). References that others hold on the first frame stay with it.
    pub fn split_page(&self, block: FrameNumber, order: Order) {
        B::event(|| Event::PageSplit { frame: block, order });
        for i in 1..order.frames() {
            self.set_page_refcounted(block.offset(i), Holder::Owner);
            self.tag_split(block, block.offset(i));
            if planted!(self, SplitSetsTwice) {
                self.set_page_refcounted(block.offset(i), Holder::Owner);
            }
        }
    }

    /// Allocates exactly `pages` single pages in a row (`alloc_pages_exact`): the next larger block,
    /// split, without its last pages.
    pub fn alloc_pages_exact(&self, cpu: CpuId, pages: usize) -> Option<FrameNumber> {
        let order = Order(pages.next_power_of_two().ilog2() as u8);
        let block = self.alloc_tagged(cpu, order, false, Tag::EXACT)?;
        self.split_page(block, order);
        for i in pages..order.frames() {
            self.put_page(cpu, block.offset(i), Holder::Owner);
        }
        Some(block)
    }

    /// Frees what [`Memory::alloc_pages_exact`] or [`Memory::split_page`] gave, page by page
    /// (`free_pages_exact`).
    pub fn free_pages_exact(&self, cpu: CpuId, first: FrameNumber, pages: usize) {
        for i in 0..pages {
            self.free_pages(cpu, first.offset(i), Order(0));
        }
    }

    /// Keeps a block that a check refused out of circulation (`bad_page`).
    pub(super) fn refuse(&self, block: FrameNumber, order: Order, check: &'static str) {
        B::event(|| Event::BadPage { frame: block, order, check });
        for i in 0..order.frames() {
            self.frame(block.offset(i)).flags.fetch_or(flag::QUARANTINED, Ordering::Relaxed);
        }
    }
}
