//! Allocation tags: each allocated page is accounted for under the place that allocated it.
//!
//! The first frame of a block carries its tag; the sum of a tag is how many pages its blocks have. Whoever
//! frees a block takes its pages off the sum of the tag that its first frame carries, and clears that. So
//! what `free_pages` frees page by page after its put it has to account for by a tag that it knew before.
//!
//! What it is not: bytes, or calls. Nothing decides by it.
//!
//! Invariant: the tails of a block carry no tag. At rest all sums are zero.

use super::history::TagSample;
use super::{Memory, outcome};
use crate::event::{FrameNumber, Order};
use crate::sync::Backend;

/// A place that allocates (`struct alloc_tag`), or none.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Tag(u32);

impl Tag {
    /// Who drives the machine.
    pub const DRIVER: Self = Self(1);
    /// Exact numbers of pages.
    pub const EXACT: Self = Self(2);
    /// The page cache.
    pub const CACHE: Self = Self(3);
    /// Fragments.
    pub const FRAG: Self = Self(4);
    /// Gigantic blocks.
    pub const GIGANTIC: Self = Self(5);
    /// How many there are, with that of pages that are not accounted for.
    pub const COUNT: usize = 6;
}

impl<B: Backend> Memory<B> {
    fn tally(&self, tag: Tag, pages: i64) {
        if tag.0 != 0 {
            self.tags[tag.0 as usize].add(pages);
        }
    }

    /// Accounts for a block that was just taken off the lists (`pgalloc_tag_add`).
    pub(super) fn tag_add(&self, block: FrameNumber, order: Order, tag: Tag) {
        self.frame(block).tag.set(tag.0);
        self.tally(tag, order.frames() as i64);
    }

    /// No longer accounts for a block whose owner the caller is, and whose last access to it was just made
    /// (`pgalloc_tag_sub`).
    pub(super) fn tag_sub(&self, block: FrameNumber, order: Order) {
        if planted!(self, TagKept) {
            return;
        }
        let tag = &self.frame(block).tag;
        self.tally(Tag(tag.get()), -(order.frames() as i64));
        tag.set(0);
    }

    /// Gives a page that was a tail of this block the block's tag (`pgalloc_tag_split`).
    pub(super) fn tag_split(&self, block: FrameNumber, page: FrameNumber) {
        let tag = Tag(self.frame(block).tag.get());
        self.frame(page).tag.set(tag.0);
        if planted!(self, TagTwice) {
            self.tally(tag, 1);
        }
    }

    /// What `free_pages` knows of a block's tag when it puts its reference.
    pub(super) fn tag_before_put(&self, block: FrameNumber) -> Option<Tag> {
        match self.history.tag_sample {
            TagSample::After => None,
            TagSample::Before => Some(Tag(self.frame(block).tag.load())),
        }
    }

    /// No longer accounts for the tails of a block, which `free_pages` is about to free
    /// (`pgalloc_tag_sub_pages`).
    pub(super) fn tag_sub_tails(&self, block: FrameNumber, order: Order, known: Option<Tag>) {
        let tag = known.unwrap_or_else(|| Tag(self.frame(block).tag.load()));
        B::outcome(outcome::TAG_SAMPLED_NOT_LAST);
        if planted!(self, TailsUncounted) {
            return;
        }
        self.tally(tag, 1 - order.frames() as i64);
    }

    /// Whether all sums are zero, as they must be when nothing is allocated.
    pub(super) fn tags_are_zero(&self) -> bool {
        self.tags.iter().all(|sum| sum.peek() == 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Holder;
    use crate::mm::{History, Sizes};
    use crate::sync::{CpuId, Native};

    fn memory(tag_sample: TagSample) -> (Memory<Native>, CpuId) {
        let sizes = Sizes { cpus: 1, frames: 8, pcp_batch: 0, mappings: 1, indices: 1 };
        (Memory::new(sizes, History { tag_sample, ..History::CURRENT }), CpuId::new(0))
    }

    fn sum(memory: &Memory<Native>, tag: Tag) -> i64 {
        memory.tags[tag.0 as usize].peek()
    }

    #[test]
    fn pages_are_accounted_for_until_each_is_freed() {
        let (memory, cpu) = memory(TagSample::Before);
        let block = memory.alloc_pages(cpu, Order(1), false).expect("all is free");
        let exact = memory.alloc_pages_exact(cpu, 3).expect("half is free");
        let sums = || [Tag::DRIVER, Tag::EXACT].map(|tag| sum(&memory, tag));
        assert_eq!(sums(), [2, 3]);
        memory.split_page(block, Order(1));
        memory.put_page(cpu, block.offset(1), Holder::Owner);
        memory.free_pages_exact(cpu, exact, 2);
        assert_eq!(sums(), [1, 1]);
        memory.put_page(cpu, block, Holder::Owner);
        memory.put_page(cpu, exact.offset(2), Holder::Owner);
        assert!(memory.tags_are_zero());
    }

    #[test]
    fn tails_that_are_freed_after_a_put_are_accounted_for() {
        for variant in [TagSample::After, TagSample::Before] {
            let (memory, cpu) = memory(variant);
            let block = memory.alloc_pages(cpu, Order(2), false).expect("all is free");
            memory.get_page(block, Holder::Get);
            memory.free_pages(cpu, block, Order(2));
            assert_eq!(sum(&memory, Tag::DRIVER), 1);
            memory.put_page(cpu, block, Holder::Get);
            assert!(memory.tags_are_zero());
        }
    }
}
