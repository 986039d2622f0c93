//! Fragments: one page handed out in parts, each with a reference, so that whoever is last frees it.
//!
//! What it is not: memory within a page, or a cache of pages that are refilled. A fragment is nothing but
//! its reference.

use super::history::SetCount;
use super::limits::FRAG_BIAS;
use super::tag::Tag;
use super::{Memory, outcome};
use crate::event::{FrameNumber, Holder, Order};
use crate::sync::{Backend, CpuId};

impl<B: Backend> Memory<B> {
    /// Allocates a page with a reference for each of its [`FRAG_BIAS`] fragments
    /// (`page_frag_alloc`, `__netdev_alloc_frag`).
    pub fn frag_alloc(&self, cpu: CpuId) -> Option<FrameNumber> {
        let page = self.alloc_tagged(cpu, Order(0), false, Tag::FRAG)?;
        // The page is counted once by now: others may have seen that.
        match self.history.set_count {
            SetCount::Store => self.store_refs(page, FRAG_BIAS, Holder::Owner),
            SetCount::Add => self.add_refs(page, FRAG_BIAS - 1, Holder::Owner),
        }
        B::outcome(outcome::FRAG_BIASED);
        Some(page)
    }

    /// Frees one of the fragments that are left of a page (`page_frag_free`); how many are left then.
    pub fn frag_free(&self, cpu: CpuId, page: FrameNumber, left: u8) -> u8 {
        self.put_page(cpu, page, Holder::Owner);
        if left == 1 {
            B::outcome(outcome::FRAG_LAST);
        }
        left - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mm::{History, Sizes};
    use crate::sync::Native;

    #[test]
    fn the_last_fragment_frees_the_page_whichever_way_it_was_counted() {
        let sizes = Sizes { cpus: 1, frames: 2, pcp_batch: 0, mappings: 1, indices: 1 };
        let cpu = CpuId::new(0);
        for set_count in [SetCount::Store, SetCount::Add] {
            let history = History { set_count, ..History::CURRENT };
            let memory = Memory::<Native>::new(sizes, history);
            let whole = || memory.alloc_pages(cpu, Order(1), false);
            let page = memory.frag_alloc(cpu).expect("all is free");
            let mut left = FRAG_BIAS as u8;
            assert_eq!(memory.frame(page).refcount.peek(), FRAG_BIAS);
            while left > 0 {
                assert_eq!(whole(), None);
                left = memory.frag_free(cpu, page, left);
            }
            assert_eq!(whole(), Some(FrameNumber(0)));
        }
    }
}
