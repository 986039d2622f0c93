//! What operations do without a race: sizes, lists, trees, dirty pages.
//!
//! What it is not: the races (`races.rs`).

use super::{Interrupts, PROFILES, SIZES, cpu, free_frames, memory};
use pagerace_core::event::{Event, FrameNumber, FreeList, Holder, Order};
use pagerace_core::mm::history::{AllocResult, Pcp};
use pagerace_core::mm::{History, Memory, Sizes, outcome};
use pagerace_core::sync::{Controlled, Kind, Native};

#[test]
fn reclaim_fails_while_a_reference_is_out_and_leaves_dirty_pages() {
    let memory = memory(History::CURRENT);
    assert!(memory.add(cpu(0), 0, 0));
    let page = memory.find_get(cpu(0), 0, 0).expect("it was added");
    assert!(!memory.reclaim(cpu(0), 0, 0), "one reference too many");
    memory.put_page(cpu(0), page, Holder::Lookup);
    assert!(memory.reclaim(cpu(0), 0, 0));
    assert_eq!(memory.find_get(cpu(0), 0, 0), None);
    assert_eq!(free_frames(memory), SIZES.frames);
}

#[test]
fn a_failed_put_of_the_current_version_reads_nothing_more() {
    let memory = memory(History::CURRENT);
    let hook = Interrupts::install();
    let block = memory.alloc_pages(cpu(0), Order(0), false).expect("memory is free");
    memory.get_page(block, Holder::Get);
    // Any load after the put of a block that others still hold would meet this step.
    hook.at(Kind::Dec, 1, || {});
    hook.at(Kind::Load, 1, || panic!("a load after the put"));
    memory.free_pages(cpu(0), block, Order(0));
    hook.steps.borrow_mut().clear();
    memory.put_page(cpu(0), block, Holder::Get);
    assert_eq!(free_frames(memory), SIZES.frames);
}

#[test]
fn blocks_split_and_merge_back_in_all_sizes() {
    for history in PROFILES {
        for order in (0..=3).map(Order) {
            let memory = Memory::<Native>::new(SIZES, history);
            let blocks: Vec<_> =
                std::iter::from_fn(|| memory.alloc_pages(cpu(0), order, false)).collect();
            assert_eq!(blocks.len(), SIZES.frames / order.frames());
            for block in blocks {
                assert_eq!(block.index() % order.frames(), 0, "aligned");
                memory.free_pages(cpu(0), block, order);
            }
            let whole = memory.alloc_pages(cpu(0), Order(3), true).expect("fully merged");
            memory.put_page(cpu(0), whole.offset(7), Holder::Owner);
            assert_eq!(free_frames(&memory), SIZES.frames);
        }
    }
}

#[test]
fn per_cpu_lists_keep_pages_until_they_overflow_or_are_drained() {
    let sizes = Sizes { pcp_batch: 2, ..SIZES };
    for (pcp, kept_order_1) in [(Pcp::V5_9, false), (Pcp::V6_2, true)] {
        let history = History { pcp, alloc_result: AllocResult::Frozen, ..History::CURRENT };
        let memory = Memory::<Native>::new(sizes, history);
        let largest = || memory.alloc_pages(cpu(1), Order(3), false);
        let block = memory.alloc_pages(cpu(0), Order(1), false).expect("memory is free");
        memory.free_pages(cpu(0), block, Order(1));
        assert_eq!(largest().is_none(), kept_order_1, "{pcp:?}");
        let memory = Memory::<Native>::new(sizes, history);
        let page = memory.alloc_pages(cpu(0), Order(0), false).expect("memory is free");
        memory.free_pages(cpu(0), page, Order(0));
        assert!(memory.alloc_pages(cpu(1), Order(3), false).is_none(), "pages are parked");
        memory.drain_all(cpu(1));
        let remote = pcp == Pcp::V6_2;
        let block = memory.alloc_pages(cpu(1), Order(3), false);
        assert_eq!(block.is_some(), remote, "only 6.2 drains other CPUs' lists: {pcp:?}");
        if !remote {
            memory.drain_local(cpu(0));
            assert!(memory.alloc_pages(cpu(1), Order(3), false).is_some());
        }
    }
}
#[test]
fn a_refill_is_allocated_in_order_and_the_coldest_pages_leave_first() {
    let sizes = Sizes { pcp_batch: 2, ..SIZES };
    for history in PROFILES {
        let memory = Memory::<Controlled>::new(sizes, history);
        let hook = Interrupts::install();
        let page = || memory.alloc_pages(cpu(0), Order(0), false).expect("memory is free");
        let pages: [_; 4] = std::array::from_fn(|_| page());
        assert_eq!(pages, [0, 1, 2, 3].map(FrameNumber), "each batch lowest first");
        for page in pages {
            memory.free_pages(cpu(0), page, Order(0));
        }
        let moved: Vec<_> = (hook.events.borrow().iter())
            .filter_map(|event| match event {
                Event::PageMove { frame, to: FreeList::Buddy, .. } => Some(*frame),
                _ => None,
            })
            .collect();
        assert_eq!(moved, [0, 1].map(FrameNumber), "freed first, so coldest: {history:?}");
        assert_eq!([page(), page()], [3, 2].map(FrameNumber), "freed last, so hottest");
    }
}

#[test]
fn lists_of_all_orders_hold_what_is_put_on_them() {
    for pcp_batch in 1..=2 {
        let memory = Memory::<Native>::new(Sizes { pcp_batch, frames: 64, ..SIZES }, PROFILES[3]);
        for round in 0..=u8::MAX {
            // Every combination of orders, four at a time.
            let orders = [round % 4, round / 4 % 4, round / 16 % 4, round / 64 % 4].map(Order);
            let blocks = orders.map(|order| (memory.alloc_pages(cpu(0), order, false), order));
            for (block, order) in blocks {
                memory.free_pages(cpu(0), block.expect("memory is free"), order);
            }
        }
        assert_eq!(free_frames(&memory), 64);
    }
}

#[test]
fn a_tree_node_is_not_used_again_while_a_lookup_may_be_in_it() {
    let sizes = Sizes { indices: 2, ..SIZES };
    let memory: &'static _ =
        Box::leak(Box::new(Memory::<Controlled>::new(sizes, History::CURRENT)));
    let hook = Interrupts::install();
    assert!(memory.add(cpu(0), 0, 1), "index 1 needs a node");
    // The lookup stands between slot and reference; the others use up the nodes.
    hook.at(Kind::IncNotZero, 1, move || {
        for spare in [true, false] {
            assert!(memory.delete(cpu(1), 0, 1));
            assert_eq!(memory.add(cpu(1), 0, 1), spare, "the pool has one spare node");
        }
    });
    assert_eq!(memory.find_get(cpu(0), 0, 1), None);
    let freed = |event: &Event| matches!(event, Event::RcuFree { .. });
    assert_eq!(hook.saw(freed), 0);
    assert!(memory.add(cpu(0), 0, 1), "the reader has left");
    assert_eq!(hook.saw(freed), 1);
    memory.drain(cpu(0));
    assert_eq!(free_frames(memory), sizes.frames);
}

#[test]
fn a_tree_holds_what_was_added_at_each_index() {
    let sizes = Sizes { indices: 4, ..SIZES };
    for order in [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1]] {
        let memory = Memory::<Native>::new(sizes, History::CURRENT);
        for index in order {
            assert!(memory.add(cpu(0), 0, index));
            assert!(!memory.add(cpu(0), 0, index), "the index is taken");
        }
        let found: Vec<_> = (0..4).filter_map(|index| memory.read_page(cpu(0), 0, index)).collect();
        assert_eq!(found.len(), 4);
        for page in &found {
            assert_eq!(found.iter().filter(|other| *other == page).count(), 1);
            memory.put_page(cpu(0), *page, Holder::Lookup);
        }
        memory.truncate(cpu(0), 0);
        assert!((0..4).all(|index| memory.find_get(cpu(0), 0, index).is_none()));
        assert_eq!(free_frames(&memory), sizes.frames);
    }
}

/// Whether the page at index 0 is cached.
fn cached(memory: &Memory<Controlled>) -> bool {
    let page = memory.find_get(cpu(0), 0, 0);
    page.inspect(|&page| memory.put_page(cpu(0), page, Holder::Lookup)).is_some()
}

#[test]
fn a_page_made_dirty_before_the_freeze_gets_its_references_back() {
    let memory = memory(History::CURRENT);
    assert!(memory.add(cpu(0), 0, 0));
    let hook = Interrupts::install();
    hook.at(Kind::Cas, 1, move || assert!(memory.dirty_page(cpu(1), 0, 0)));
    assert!(!memory.reclaim(cpu(0), 0, 0));
    let unfrozen = hook.outcomes.borrow().iter().filter(|o| **o == outcome::UNFREEZE).count();
    assert_eq!(unfrozen, 1);
    assert!(cached(memory));
    memory.write_out(cpu(0), 0, 0);
    assert!(memory.reclaim(cpu(0), 0, 0), "it was written");
    assert_eq!(free_frames(memory), SIZES.frames);
}

#[test]
fn a_dirty_page_can_be_deleted_before_and_after_it_was_made_dirty() {
    for before in [true, false] {
        let memory = memory(History::CURRENT);
        assert!(memory.add(cpu(0), 0, 0));
        let hook = Interrupts::install();
        if before {
            // The first bits set are those of the change; then comes the lock of the write.
            hook.at(Kind::Set, 1, move || assert!(memory.delete(cpu(1), 0, 0)));
        } else {
            hook.at(Kind::Set, 2, move || assert!(memory.delete(cpu(1), 0, 0)));
        }
        assert!(memory.write_page(cpu(0), 0, 0));
        assert!(hook.steps.borrow().is_empty() && !cached(memory));
        assert!(!memory.write_page(cpu(0), 0, 0), "there is nothing to change");
        let refused = |event: &Event| matches!(event, Event::BadPage { .. } | Event::BugOn { .. });
        assert_eq!(hook.saw(refused), 0);
        assert_eq!(free_frames(memory), SIZES.frames);
    }
}
