//! Free pages with broken memory: taken off the buddy lists and kept out of use.
//!
//! What it is not: memory failure of pages in use, which Linux isolates, unmaps and replaces. One of those is
//! left alone here.
//!
//! Who unpoisons a page drops the reference that kept it, and whoever drops the last one frees it in the
//! ordinary way: a walker may have one meanwhile.

use super::frame::flag;
use super::history::HwpoisonInc;
use super::{Memory, outcome};
use crate::event::{Event, FrameNumber, FreeList, Holder, Order};
use crate::sync::{Backend, CpuId, Ordering};

impl<B: Backend> Memory<B> {
    /// Takes a free page out of use and keeps it by a reference (`memory_failure`, `page_handle_poison`).
    /// False if it is in use or cannot be got at.
    ///
    /// The steps of each variant, and their race: [`HwpoisonInc`].
    pub fn poison(&self, cpu: CpuId, page: FrameNumber) -> bool {
        if self.scan(cpu, page) {
            B::outcome(outcome::POISON_IN_USE);
            return false;
        }
        if !self.is_on_buddy_lists(page) {
            return false;
        }
        // What lies on a per-CPU list could not be taken off the buddy lists.
        self.drain_each();
        let taken = self.take_page_off_buddy(page);
        B::outcome(if taken { outcome::POISON_TAKEN } else { outcome::POISON_MISSED });
        let keeps = match self.history.hwpoison_inc {
            HwpoisonInc::Dissolved => true,
            HwpoisonInc::TakenOff => taken,
        };
        if keeps {
            self.frame(page).flags.fetch_or(flag::HWPOISON, Ordering::Relaxed);
            if taken {
                self.add_first_ref(page, Holder::Poison);
            } else {
                self.add_ref(page, Holder::Poison);
            }
        }
        keeps
    }

    /// Gives a page that was kept out of use back (`unpoison_memory`).
    pub fn unpoison(&self, cpu: CpuId, page: FrameNumber) {
        B::outcome(outcome::UNPOISONED);
        self.frame(page).flags.fetch_and(!flag::HWPOISON, Ordering::Relaxed);
        self.put_page(cpu, page, Holder::Poison);
    }

    /// Whether a page lies in a block on the buddy lists.
    fn is_on_buddy_lists(&self, page: FrameNumber) -> bool {
        let _zone = self.zone.lock.lock();
        self.free_around(page, Order(0)).is_some()
    }

    /// Takes a page off the buddy lists, if it is on them.
    fn take_page_off_buddy(&self, page: FrameNumber) -> bool {
        let (order, from) = (Order(0), FreeList::Buddy);
        let _zone = self.zone.lock.lock();
        let Some((_, size)) = self.free_around(page, order) else { return false };
        if size > order {
            B::outcome(outcome::POISON_SPLIT);
        }
        self.carve(page, order);
        self.count_generation(page, &self.zone.lock);
        B::event(|| Event::PageAlloc { frame: page, order, compound: false, from });
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mm::{History, Report, Sizes};
    use crate::sync::Native;

    const SIZES: Sizes = Sizes { cpus: 2, frames: 8, pcp_batch: 2, mappings: 1, indices: 1 };

    fn free(memory: &Memory<Native>) -> usize {
        let mut free = 0;
        memory.walk_all(|report| match report {
            Report::Free(_, order, _) => free += order.frames(),
            Report::Broken(rule) => panic!("{rule}"),
            _ => {}
        });
        free
    }

    #[test]
    fn a_poisoned_page_is_not_allocated_until_it_is_given_back() {
        for hwpoison_inc in [HwpoisonInc::Dissolved, HwpoisonInc::TakenOff] {
            let memory = Memory::<Native>::new(SIZES, History { hwpoison_inc, ..History::CURRENT });
            let cpu = CpuId::new(0);
            assert!(memory.poison(cpu, FrameNumber(5)));
            assert!(!memory.poison(cpu, FrameNumber(5)), "it is in use");
            assert_eq!(free(&memory), 7);
            let pages: Vec<_> =
                std::iter::from_fn(|| memory.alloc_pages(cpu, Order(0), false)).collect();
            assert!(pages.len() == 7 && !pages.contains(&FrameNumber(5)));
            for page in pages {
                memory.free_pages(cpu, page, Order(0));
            }
            memory.unpoison(cpu, FrameNumber(5));
            memory.drain_local(cpu);
            assert!(memory.alloc_pages(cpu, Order(3), false).is_some(), "all merged");
        }
    }

    #[test]
    fn a_page_in_use_or_parked_is_not_poisoned() {
        let memory = Memory::<Native>::new(SIZES, History::CURRENT);
        let cpu = CpuId::new(0);
        let page = memory.alloc_pages(cpu, Order(0), false).expect("all is free");
        assert!(!memory.poison(cpu, page));
        memory.free_pages(cpu, page, Order(0));
        assert!(!memory.poison(cpu, page), "it is on a list of its CPU");
        memory.drain_local(cpu);
        assert!(memory.poison(cpu, page));
    }
}
