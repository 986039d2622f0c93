//! The races on record by their smallest witnesses, and what comes close to them and is none.
//!
//! What it is not: how the campaign finds them.

use super::{Interrupts, PROFILES, SIZES, cpu, free_frames, memory};
use pagerace_core::event::{Event, FrameNumber, Holder, Order};
use pagerace_core::mm::history::{
    Collapse, FreePages, MultiHolder, PcpDrain, PrivateRef, TableSharing, TailGet,
};
use pagerace_core::mm::{History, Memory, Sizes};
use pagerace_core::sync::{Backend, Controlled, Kind, Native};
use std::cell::Cell;

/// Allocates order 3, takes a reference, frees, puts; returns how many frames are lost.
fn get_free_put<B: Backend>(history: History, compound: bool) -> usize {
    let memory = Memory::<B>::new(SIZES, history);
    let block = memory.alloc_pages(cpu(0), Order(3), compound).expect("memory is free");
    memory.get_page(block, Holder::Get);
    memory.free_pages(cpu(0), block, Order(3));
    memory.put_page(cpu(0), block, Holder::Get);
    SIZES.frames - free_frames(&memory)
}

#[test]
fn a_get_before_the_free_loses_seven_pages_on_5_9_only() {
    for history in PROFILES {
        let lost = if history.free_pages == FreePages::V5_9 { 7 } else { 0 };
        for lost_now in
            [get_free_put::<Native>(history, false), get_free_put::<Controlled>(history, false)]
        {
            assert_eq!(lost_now, lost, "{history:?}");
        }
        for lost_now in
            [get_free_put::<Native>(history, true), get_free_put::<Controlled>(history, true)]
        {
            assert_eq!(lost_now, 0, "compound, {history:?}");
        }
    }
}

/// A lookup interrupted before its reference by delete and allocation, and before its reload by the
/// free. Returns lost frames.
fn stale_lookup(history: History, compound: bool, free_at: usize) -> (usize, &'static Interrupts) {
    let memory = memory(history);
    assert!(memory.add(cpu(0), 0, 0));
    let hook = Interrupts::install();
    hook.at(Kind::IncNotZero, 1, move || {
        assert!(memory.delete(cpu(1), 0, 0));
        let block = memory.alloc_pages(cpu(1), Order(2), compound).expect("memory is free");
        assert_eq!(block, FrameNumber(0), "the frame that the lookup has seen");
    });
    hook.at(Kind::Load, free_at, move || memory.free_pages(cpu(1), FrameNumber(0), Order(2)));
    assert_eq!(memory.find_get(cpu(0), 0, 0), None);
    assert!(hook.steps.borrow().is_empty(), "all steps ran");
    (SIZES.frames - free_frames(memory), hook)
}

#[test]
fn a_stale_lookup_that_puts_last_leaks_the_tails_on_5_9_only() {
    for history in PROFILES {
        let (lost, hook) = stale_lookup(history, false, 1);
        assert_eq!(lost, if history.free_pages == FreePages::V5_9 { 3 } else { 0 }, "{history:?}");
        assert_eq!(hook.saw(|event| matches!(event, Event::LookupRetry { .. })), 1);
    }
}

#[test]
fn a_stale_lookup_of_a_compound_block_is_harmless() {
    for history in PROFILES {
        assert_eq!(stale_lookup(history, true, 1).0, 0, "{history:?}");
    }
}

#[test]
fn a_stale_lookup_that_puts_first_is_harmless() {
    for history in PROFILES {
        // The loads after the reference: the slot, the link to the head, then those of a new walk.
        assert_eq!(stale_lookup(history, false, 3).0, 0, "{history:?}");
    }
}

/// `free_pages` of a compound block, interrupted by the put of another reference before the access
/// that looks at the head flag after its own put.
fn put_inside_free(history: History) -> (usize, usize) {
    let memory = memory(history);
    let hook = Interrupts::install();
    let block = memory.alloc_pages(cpu(0), Order(2), true).expect("memory is free");
    memory.get_page(block, Holder::Get);
    let put = move || memory.put_page(cpu(1), block, Holder::Get);
    match history.free_pages {
        // The first load is that of the tag; the next one is after the put.
        FreePages::V5_10 => hook.at(Kind::Load, 2, put),
        // There is no access after the put; before it the other reference goes first.
        FreePages::V5_9 | FreePages::V6_2 => hook.at(Kind::Dec, 1, put),
    }
    memory.free_pages(cpu(0), block, Order(2));
    let freed = hook.events.borrow();
    let freed = freed.iter().filter_map(|event| match event {
        Event::PageFree { order, .. } => Some(order.frames()),
        _ => None,
    });
    (freed.sum(), free_frames(memory))
}

#[test]
fn the_head_flag_read_after_the_put_frees_the_tails_twice_on_5_10_only() {
    assert_eq!(put_inside_free(History::LINUX_5_10), (4 + 3, SIZES.frames + 3));
    for history in [History::LINUX_5_9, History::LINUX_6_2, History::CURRENT] {
        assert_eq!(put_inside_free(history), (4, SIZES.frames));
    }
}

#[test]
fn a_careless_get_on_a_tail_frees_a_page_in_use() {
    for (tail_get, frees) in [(TailGet::Plain, 1), (TailGet::Checked, 0)] {
        let memory = memory(History { tail_get, ..History::CURRENT });
        let hook = Interrupts::install();
        let block = memory.alloc_pages(cpu(0), Order(3), false).expect("memory is free");
        if memory.tail_get(block.offset(2)) {
            memory.tail_put(cpu(0), block.offset(2));
        }
        let freed = |event: &Event| matches!(event, Event::PageFree { frame, .. } if frame.0 == 2);
        assert_eq!(hook.saw(freed), frees);
    }
}

#[test]
fn two_holders_that_both_free_a_block_free_its_tails_twice_from_5_10_on() {
    for history in PROFILES {
        let memory = memory(History { multi_holder: MultiHolder::BothFree, ..history });
        let hook = Interrupts::install();
        let block = memory.alloc_pages(cpu(0), Order(1), false).expect("memory is free");
        memory.share_block(block);
        memory.free_shared(cpu(1), block, Order(1));
        memory.free_pages(cpu(0), block, Order(1));
        let frees = hook.saw(|event| matches!(event, Event::PageFree { .. }));
        assert_eq!(frees, if history.free_pages == FreePages::V5_9 { 1 } else { 2 }, "{history:?}");
    }
}

/// A scan of a page table, interrupted while it has its reference by the unmap of the table's last user.
/// Returns what refused a page, and how many frames are free in the end.
fn unmap_inside_scan(table_sharing: TableSharing, users: usize) -> (Option<&'static str>, usize) {
    let memory = memory(History { table_sharing, ..History::CURRENT });
    for _ in 0..users {
        assert!(memory.table_map(cpu(0), 0));
    }
    let hook = Interrupts::install();
    hook.at(Kind::IncNotZero, 1, || {});
    hook.at(Kind::Load, 1, move || memory.table_unmap(cpu(1), 0));
    assert!(memory.scan(cpu(0), FrameNumber(0)));
    assert!(hook.steps.borrow().is_empty(), "all steps ran");
    let refused = hook.events.borrow().iter().find_map(|event| match event {
        Event::BadPage { check, .. } => Some(*check),
        _ => None,
    });
    (refused, free_frames(memory))
}

#[test]
fn a_table_that_counts_its_users_by_references_is_lost_to_a_scan() {
    let whole = SIZES.frames;
    // Neither the table nor what it maps comes back.
    let lost = (Some("table-at-free"), whole - 2);
    assert_eq!(unmap_inside_scan(TableSharing::Refcount, 1), lost);
    assert_eq!(unmap_inside_scan(TableSharing::ShareCount, 1), (None, whole));
    for table_sharing in [TableSharing::Refcount, TableSharing::ShareCount] {
        assert_eq!(unmap_inside_scan(table_sharing, 2), (None, whole - 2), "it really is shared");
    }
}

/// A migration of a page with private data, with or without a walker that has a reference meanwhile.
/// Returns whether the page was moved, and whether it still is in its frame.
fn migrate_beside_a_walker(private_ref: PrivateRef, walker: bool) -> (bool, bool) {
    let memory = memory(History { private_ref, ..History::CURRENT });
    assert!(memory.add(cpu(0), 0, 0) && memory.set_private(cpu(0), 0, 0));
    assert!(!memory.set_private(cpu(0), 0, 0), "there is some already");
    assert!(!walker || memory.hold_page(FrameNumber(0)));
    let moved = memory.migrate(cpu(0), 0, 0);
    let page = memory.read_page(cpu(0), 0, 0).expect("it stays in the cache");
    memory.put_page(cpu(0), page, Holder::Lookup);
    (moved, page == FrameNumber(0))
}

#[test]
fn migration_takes_a_walkers_reference_for_that_of_uncounted_private_data() {
    Interrupts::install();
    assert_eq!(migrate_beside_a_walker(PrivateRef::Uncounted, true), (true, false));
    assert_eq!(migrate_beside_a_walker(PrivateRef::Uncounted, false), (false, true));
    assert_eq!(migrate_beside_a_walker(PrivateRef::Counted, true), (false, true));
    assert_eq!(migrate_beside_a_walker(PrivateRef::Counted, false), (true, false));
}

#[test]
fn a_page_that_moves_takes_its_private_data_and_its_dirty_bit_along() {
    let memory = memory(History::CURRENT);
    assert!(memory.add(cpu(0), 0, 0) && memory.set_private(cpu(0), 0, 0));
    assert!(memory.dirty_page(cpu(0), 0, 0) && memory.migrate(cpu(0), 0, 0));
    assert!(!memory.set_private(cpu(0), 0, 0), "it came along");
    assert!(!memory.reclaim(cpu(0), 0, 0), "dirty still");
    memory.write_out(cpu(0), 0, 0);
    assert!(memory.reclaim(cpu(0), 0, 0), "private data goes first");
    assert_eq!(free_frames(memory), SIZES.frames);
}

#[test]
fn the_page_of_a_failed_collapse_is_used_again_under_a_reader_only_by_reuse() {
    for collapse in [Collapse::Reuse, Collapse::ReleaseIfShared] {
        let sizes = Sizes { indices: 2, ..SIZES };
        let history = History { collapse, ..History::CURRENT };
        let memory: &'static _ = Box::leak(Box::new(Memory::<Controlled>::new(sizes, history)));
        let hook = Interrupts::install();
        assert!(memory.add(cpu(0), 0, 0));
        let held = memory.find_get(cpu(0), 0, 0).expect("it was added");
        // The first compare-exchange is the freeze, when the new page can be found.
        let found = std::rc::Rc::new(Cell::new(None));
        let finds = std::rc::Rc::clone(&found);
        hook.at(Kind::Cas, 1, move || finds.set(memory.find_get(cpu(1), 0, 0)));
        assert!(!memory.collapse(cpu(0), 0, 0), "someone has the old page");
        let new = found.get().expect("the new page could be found");
        assert_ne!(new, held);
        assert_eq!(memory.find_get(cpu(0), 0, 0), Some(held), "it is back");
        memory.put_page(cpu(0), held, Holder::Lookup);
        memory.put_page(cpu(0), held, Holder::Lookup);
        assert!(memory.collapse(cpu(0), 0, 1), "a hole");
        let at_1 = memory.read_page(cpu(0), 0, 1).expect("it was filled");
        memory.put_page(cpu(0), at_1, Holder::Lookup);
        assert_eq!(at_1 == new, collapse == Collapse::Reuse, "{collapse:?}");
        memory.put_page(cpu(1), new, Holder::Lookup);
        assert!(memory.collapse(cpu(0), 0, 0), "nobody else has the old page now");
        memory.drain(cpu(0));
        assert_eq!(free_frames(memory), sizes.frames);
    }
}

#[test]
fn a_drain_that_only_peeks_misses_what_a_refill_has_linked_and_not_counted() {
    let sizes = Sizes { pcp_batch: 2, ..SIZES };
    // Counted in the refill's first store.
    for (before, missed) in [(1, true), (2, false)] {
        let history = History { pcp_drain: PcpDrain::UnlockedPeek, ..History::CURRENT };
        let memory: &Memory<Controlled> = Box::leak(Box::new(Memory::new(sizes, history)));
        let hook = Interrupts::install();
        // Its own list is empty too. Where the other is counted, this one would wait for its lock.
        let drain = move || memory.drain_all(cpu(1));
        let ended = move || {
            let drained = std::panic::catch_unwind(std::panic::AssertUnwindSafe(drain));
            assert_eq!(drained.is_ok(), missed);
        };
        hook.at(Kind::Store, before, ended);
        memory.alloc_pages(cpu(0), Order(0), false).expect("memory is free");
        let looks = hook.saw(
            |event| matches!(event, Event::ListDrain { list, done: true } if list.index() == 0),
        );
        assert_eq!(looks, usize::from(missed));
    }
}
