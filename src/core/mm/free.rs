//! Freeing: the checks on the way to the free lists, and `free_pages` as each version had it.
//!
//! What it is not: waiting. Nobody here waits for lookups that still carry a frame's number; a
//! reference they take from zero on is refused, one they take after the next allocation is theirs to
//! drop, and may be the last.

use super::frame::{flag, link_to};
use super::history::FreePages;
use super::tag::Tag;
use super::{Memory, outcome};
use crate::event::{Event, FrameNumber, Holder, Order};
use crate::sync::{Backend, CpuId, Ordering};

const FLAGS: &str = "flags-at-free";
const TABLE: &str = "table-at-free";
const MAPPING: &str = "mapping-at-free";
const COUNT: &str = "refcount-at-free";
const LINK: &str = "compound_head-at-free";
const ORDER: &str = "compound-order-at-free";

impl<B: Backend> Memory<B> {
    /// Frees a block whose count is zero (`free_unref_page`, `__free_pages_ok`).
    pub(super) fn free_block(&self, cpu: CpuId, block: FrameNumber, order: Order) {
        if let Err(check) = self.free_pages_prepare(block, order) {
            return self.refuse(block, order, check);
        }
        if planted!(self, HalvesFreed) && order.0 > 0 {
            let half = Order(order.0 - 1);
            self.free_to_buddy(block.offset(half.frames()), half);
            return self.free_to_buddy(block, half);
        }
        if !(self.pcp_takes(order) && self.free_to_pcp(cpu, block, order)) {
            self.free_to_buddy(block, order);
        }
    }

    /// Checks a block that is about to be free and clears what its use left behind; the error is the
    /// check that refuses it (`free_pages_prepare`).
    fn free_pages_prepare(&self, block: FrameNumber, order: Order) -> Result<(), &'static str> {
        let frame = self.frame(block);
        let flags = frame.flags.load(Ordering::Relaxed);
        if flags & flag::REFUSED_AT_FREE != 0 {
            return Err(FLAGS);
        }
        if flags & flag::TABLE != 0 {
            return Err(TABLE);
        }
        let compound = flags & flag::HEAD != 0;
        if compound && flag::order(flags) != order {
            B::event(|| Event::BugOn { frame: block, check: ORDER });
        }
        if frame.mapping.load(Ordering::Relaxed) != 0 {
            return Err(MAPPING);
        }
        for i in 0..order.frames() {
            let page = self.frame(block.offset(i));
            if page.refcount.load(Ordering::Relaxed) != 0 {
                return Err(COUNT);
            }
            // Only the owner of the zero count writes the link: looking and clearing are one step.
            if compound && i > 0 && page.compound_head.swap(0, Ordering::Relaxed) != link_to(block)
            {
                return Err(LINK);
            }
        }
        frame.flags.store(0, Ordering::Relaxed);
        self.tag_sub(block, order);
        Ok(())
    }

    /// Drops the owner's reference on a block and frees what is then free, as far as the version
    /// knew how to (`__free_pages`). `order` is the one the block was allocated with.
    ///
    /// The steps of each variant, and their races: [`FreePages`].
    pub fn free_pages(&self, cpu: CpuId, block: FrameNumber, order: Order) {
        let is_head = || self.frame(block).flags.load(Ordering::Acquire) & flag::HEAD != 0;
        let tag = self.tag_before_put(block);
        match self.history.free_pages {
            FreePages::V5_9 => {
                if self.free_pages_put(block) {
                    self.free_block(cpu, block, order);
                }
            }
            FreePages::V5_10 => {
                if self.free_pages_put(block) {
                    self.free_block(cpu, block, order);
                } else if !is_head() {
                    self.free_tails(cpu, block, order, tag);
                }
            }
            FreePages::V6_2 => {
                let head = is_head();
                let last = self.free_pages_put(block);
                if last {
                    self.free_block(cpu, block, order);
                }
                if !head && (!last || planted!(self, TailsAnyway)) {
                    self.free_tails(cpu, block, order, tag);
                }
            }
        }
        if planted!(self, FreeTwice) && order.0 > 0 {
            self.free_block(cpu, block, order);
        }
    }

    fn free_pages_put(&self, block: FrameNumber) -> bool {
        let last = self.put_testzero(block, Holder::Owner);
        B::outcome(if last { outcome::FREE_PAGES_LAST } else { outcome::FREE_PAGES_NOT_LAST });
        last
    }

    /// Frees all of a block but its first frame, largest part first. `tag` is the block's, if it is known.
    fn free_tails(&self, cpu: CpuId, block: FrameNumber, order: Order, tag: Option<Tag>) {
        self.tag_sub_tails(block, order, tag);
        for part in (0..order.0).rev().map(Order) {
            self.free_block(cpu, block.offset(part.frames()), part);
        }
    }
}
