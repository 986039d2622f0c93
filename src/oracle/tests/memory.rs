//! Conservation, ownership, overlap and reference counts.

use super::last_put_by;
use crate::exec::trace::{Ending, StepIndex, Waiter, What};
use crate::oracle::Class;
use crate::oracle::testing::{Script, frame};
use crate::program::OpId;
use crate::subject::FreeBlock;
use pagerace_core::event::{Event, FreeList, Holder, Order, RefChange};
use pagerace_core::sync::{CpuId, Kind, Waiting};

#[test]
fn a_block_freed_as_one_page_is_a_leak_that_names_everyone() {
    let mut s = last_put_by(Holder::Lookup, false, &[], 0);
    let found = s.free_blocks(&[(4, 0), (0, 2)]).find().expect("three frames are lost");
    assert_eq!(found.signature.as_str(), "leak/block/lookup");
    assert_eq!((found.class, found.at), (Class::Leak, None));
    assert_eq!(found.facts.frames, [frame(5), frame(6), frame(7)]);
    let [lost] = &found.facts.lost[..] else { panic!("one allocation") };
    assert_eq!(lost.block, Some((frame(4), Order(2))));
    assert_eq!(lost.allocated.map(|o| (o.step, o.cpu.index())), Some((StepIndex(1), 1)));
    let dropped: Vec<_> = lost.dropped.iter().map(|d| (d.holder, d.cpu.index())).collect();
    assert_eq!(dropped, [(Holder::Owner, 1), (Holder::Lookup, 0)]);
    let freed: Vec<_> = lost.freed_instead.iter().map(|f| (f.frame, f.order)).collect();
    assert_eq!(freed, [(frame(4), Order(0))]);
}

#[test]
fn a_leak_by_a_scanner_has_its_own_name() {
    let mut s = last_put_by(Holder::Scan, false, &[], 0);
    assert_eq!(s.free_blocks(&[(4, 0), (0, 2)]).signature(), "leak/block/scan");
}

#[test]
fn tails_freed_by_the_owner_are_no_leak_and_no_double_free() {
    let mut s = last_put_by(Holder::Lookup, false, &[(6, 1), (5, 0)], 0);
    assert_eq!(s.all_free().signature(), "-");
}

#[test]
fn a_compound_block_freed_by_its_last_reference_is_fine() {
    let mut s = last_put_by(Holder::Lookup, true, &[], 2);
    assert_eq!(s.all_free().signature(), "-");
}

#[test]
fn frames_freed_but_on_no_list_and_references_never_dropped_are_leaks() {
    let mut s = last_put_by(Holder::Lookup, true, &[], 2);
    assert_eq!(s.free_blocks(&[(0, 2)]).signature(), "leak/listed");
    let mut s = Script::new();
    s.alloc(0, 0, false).get(0, Holder::Lookup).put(0, Holder::Owner);
    assert_eq!(s.free_blocks(&[(1, 0), (2, 1), (4, 2)]).signature(), "leak/page/held-lookup");
    let mut s = Script::new();
    assert_eq!(s.free_blocks(&[(4, 2)]).signature(), "leak/untouched");
    s.run.census.quarantined = (0..4).map(frame).collect();
    assert_eq!(s.signature(), "-", "quarantined frames are accounted for");
}

#[test]
fn the_leak_given_up_first_names_the_finding() {
    let mut s = Script::new();
    s.alloc(0, 0, false).alloc(4, 2, true).alloc(2, 1, false);
    s.put(2, Holder::Owner).put(4, Holder::Owner);
    let found = s.free_blocks(&[(1, 0)]).find().expect("seven frames are lost");
    assert_eq!(found.signature.as_str(), "leak/block/owner");
    assert_eq!(found.facts.lost.len(), 3, "allocation by allocation");
}

#[test]
fn the_story_of_a_lost_frame_leaves_out_later_owners_of_its_neighbours() {
    let mut s = last_put_by(Holder::Lookup, false, &[(6, 1)], 0);
    s.alloc(6, 1, false).put(6, Holder::Owner).free(6, 1);
    let found = s.free_blocks(&[(4, 0), (6, 1), (0, 2)]).find().expect("a frame is lost");
    let lost = &found.facts.lost[0];
    assert_eq!(lost.frames, [frame(5)]);
    let freed: Vec<_> = lost.freed_instead.iter().map(|f| (f.frame, f.order)).collect();
    assert_eq!(freed, [(frame(6), Order(1)), (frame(4), Order(0))]);
    assert_eq!(lost.dropped.len(), 2);
}

#[test]
fn a_cut_run_has_no_census() {
    let mut s = Script::new();
    s.free_blocks(&[]).ending(Ending::Fatal);
    assert_eq!(s.signature(), "-");
}

/// CPU 1 waits in this operation for something to change.
fn waits(op: u8) -> Ending {
    let (cpu, op, waiting) = (CpuId::new(1), Some(OpId(op)), Waiting::Change);
    Ending::Deadlock(vec![Waiter { cpu, op, object: None, waiting }])
}

#[test]
fn what_was_lost_before_everyone_waits_is_named_before_the_deadlock() {
    let mut s = last_put_by(Holder::Lookup, false, &[], 0);
    assert_eq!(s.ending(waits(7)).signature(), "leak/block/lookup");
    assert_eq!(s.find().expect("as before").facts.frames, [frame(5), frame(6), frame(7)]);
    // Whoever waits in the operation that gave it up may be about to free the rest.
    assert_eq!(s.ending(waits(1)).signature(), "deadlock/unnamed.change");
    // All of it came to the lists.
    let mut freed = last_put_by(Holder::Lookup, false, &[(6, 1), (5, 0)], 0);
    assert_eq!(freed.ending(waits(7)).signature(), "deadlock/unnamed.change");
    // A reference is left, or the owner's never was given up.
    let mut held = Script::new();
    held.alloc(4, 2, false).get(4, Holder::Lookup).put(4, Holder::Owner);
    assert_eq!(held.ending(waits(7)).signature(), "deadlock/unnamed.change");
    let mut owned = Script::new();
    owned.alloc(4, 2, false).count(5, Kind::Inc, 1).page_ref(5, RefChange::Set, 1, Holder::Scan);
    owned.put(5, Holder::Scan);
    assert_eq!(owned.ending(waits(7)).signature(), "deadlock/unnamed.change");
}

#[test]
fn the_racy_head_check_has_one_name_whoever_frees_first() {
    let last = last_put_by(Holder::Lookup, true, &[], 2);
    let mut reader_first = last;
    reader_first.cpu(1).free(6, 1);
    assert_eq!(reader_first.signature(), "double-free/compound/lookup");
    let mut owner_first = Script::new();
    owner_first.cpu(1).alloc(4, 2, true).cpu(0).get(4, Holder::Lookup);
    owner_first.cpu(1).put(4, Holder::Owner).cpu(0).put(4, Holder::Lookup);
    owner_first.cpu(1).free(6, 1);
    let found = owner_first.find().expect("a part of a compound block is freed");
    assert_eq!(found.signature.as_str(), "double-free/compound/lookup");
    assert_eq!(found.at, Some(StepIndex(owner_first.run.trace.len() - 1)));
    assert_eq!(found.facts.frames, [frame(6), frame(7)]);
}

#[test]
fn a_check_that_refuses_a_block_given_up_names_its_last_reference_not_the_next_owner() {
    let mut s = Script::new();
    s.cpu(1).alloc(4, 1, true).cpu(0).get(4, Holder::Scan);
    s.cpu(1).put(4, Holder::Owner).cpu(0).put(4, Holder::Scan).free(4, 1);
    s.cpu(0).alloc(4, 1, false);
    let refused = Event::BadPage { frame: frame(5), order: Order(0), check: "refcount" };
    let found = s.cpu(1).event(refused).find().expect("the check is a finding");
    assert_eq!(found.signature.as_str(), "bad-page/refcount");
    assert_eq!(found.facts.dropped_last.map(|last| last.holder), Some(Holder::Scan));
    // Its name is the same whoever dropped the last one, so it counts.
    assert!(!found.is_scanners(), "{found:?}");
}

#[test]
fn what_is_named_after_a_scanner_is_a_scanners_and_nothing_else() {
    for holder in Holder::ALL {
        let mut s = Script::new();
        s.alloc(4, 1, false).get(4, holder).put(4, Holder::Owner).put(4, holder).free(4, 0);
        let found = s.free_blocks(&[(0, 2), (4, 0), (6, 1)]).find().expect("f5 is lost");
        assert_eq!(found.signature.as_str(), format!("leak/block/{}", holder.name()));
        assert_eq!(found.is_scanners(), holder == Holder::Scan);
    }
}

#[test]
fn only_the_operation_that_gave_up_a_block_frees_its_tails() {
    let mut s = Script::new();
    s.cpu(1).alloc(4, 2, false).cpu(0).get(4, Holder::Lookup);
    s.cpu(1).put(4, Holder::Owner).cpu(0).free(6, 1);
    assert_eq!(s.signature(), "double-free/block/owner");
    // With the owner's reference still there nobody may.
    let mut s = Script::new();
    s.alloc(4, 2, false).free(6, 1);
    assert_eq!(s.signature(), "double-free/block");
}

#[test]
fn freeing_needs_frames_that_are_owned_and_not_referenced() {
    let mut s = Script::new();
    s.alloc(4, 0, false).free(4, 0);
    assert_eq!(s.signature(), "double-free/page");
    let mut s = Script::new();
    s.free(4, 0);
    assert_eq!(s.signature(), "double-free/never-allocated");
    let mut s = Script::new();
    s.alloc(4, 1, false).alloc(6, 1, false).put(4, Holder::Owner).free(4, 2);
    assert_eq!(s.signature(), "double-free/block/owner", "beyond its end");
    let mut s = Script::new();
    s.taken(4, 2, false).free(4, 2).all_free();
    assert_eq!(s.signature(), "-", "a frozen block never had a reference");
}

#[test]
fn a_split_block_is_freed_page_by_page() {
    let split = Event::PageSplit { frame: frame(4), order: Order(1) };
    let mut s = Script::new();
    s.alloc(4, 1, false).event(split).set(5);
    s.put(5, Holder::Owner).free(5, 0).put(4, Holder::Owner).free(4, 0).all_free();
    assert_eq!(s.signature(), "-");
    s.run.trace.retain(|e| e.what != What::Event(split));
    assert_eq!(
        s.signature(),
        "double-free/block/owner",
        "without the split it is a tail of a live block"
    );
}

#[test]
fn a_frame_is_allocated_once_at_a_time_from_its_list() {
    let mut s = Script::new();
    s.alloc(4, 1, false).taken(5, 0, false);
    assert_eq!(s.signature(), "overlap/allocated-twice/block");
    let mut s = Script::new();
    s.alloc(4, 1, false).put(4, Holder::Owner).free(4, 1).alloc(5, 0, false);
    s.put(5, Holder::Owner).free(5, 0).all_free();
    assert_eq!(s.signature(), "-");
    let to = FreeList::PerCpu(CpuId::new(1));
    let parked = Event::PageMove { frame: frame(4), order: Order(0), to };
    let mut s = Script::new();
    s.event(parked).taken(4, 0, false);
    assert_eq!(s.signature(), "overlap/wrong-list");
}

#[test]
fn blocks_move_and_merge_only_while_free_and_aligned() {
    let merge = |f, order| Event::PageMerge { frame: frame(f), order: Order(order) };
    let to = FreeList::Buddy;
    let moved = |f, order| Event::PageMove { frame: frame(f), order: Order(order), to };
    let mut s = Script::new();
    s.alloc(4, 0, false).event(merge(4, 1));
    assert_eq!(s.signature(), "overlap/merge");
    let mut s = Script::new();
    s.alloc(4, 0, false).put(4, Holder::Owner).free(4, 0).event(merge(4, 1)).all_free();
    assert_eq!(s.signature(), "-");
    let mut s = Script::new();
    s.alloc(4, 0, false).event(moved(4, 0));
    assert_eq!(s.signature(), "overlap/move");
    let mut s = Script::new();
    let parked =
        Event::PageMove { frame: frame(4), order: Order(0), to: FreeList::PerCpu(CpuId::new(0)) };
    s.event(parked).event(merge(4, 1));
    assert_eq!(s.signature(), "overlap/merge", "what is parked is not merged");
    let mut s = Script::new();
    s.event(parked).event(moved(4, 0)).event(merge(4, 1)).all_free();
    assert_eq!(s.signature(), "-");
    let mut s = Script::new();
    s.event(merge(3, 1));
    assert_eq!(s.signature(), "overlap/unaligned");
}

#[test]
fn the_census_shows_blocks_that_do_not_fit_together() {
    for (blocks, expected) in [
        (&[(0, 3)][..], "-"),
        (&[(0, 3), (4, 2)], "overlap/listed-twice"),
        (&[(1, 1)], "overlap/unaligned"),
        (&[(8, 2)], "overlap/out-of-range"),
        (&[(0, 2), (4, 2)], "not-coalesced/buddies"),
        (&[(0, 2), (4, 1), (6, 1)], "not-coalesced/buddies"),
        (&[(0, 2), (4, 1), (7, 0)], "leak/untouched"),
    ] {
        assert_eq!(Script::new().free_blocks(blocks).signature(), expected, "{blocks:?}");
    }
    let mut s = Script::new();
    s.alloc(4, 0, false).all_free();
    assert_eq!(s.signature(), "overlap/listed-in-use");
    let mut s = Script::new();
    s.all_free().run.census.cached.push(frame(4));
    assert_eq!(s.signature(), "overlap/cached-and-free");
}

#[test]
fn the_census_shows_what_the_drain_left_and_what_contradicts() {
    let mut s = Script::new();
    s.free_blocks(&[(0, 2)]);
    let list = FreeList::PerCpu(CpuId::new(1));
    s.run.census.free.push(FreeBlock { frame: frame(4), order: Order(2), list });
    assert_eq!(s.signature(), "not-coalesced/per-cpu");
    let mut s = Script::new();
    s.all_free();
    s.run.census.broken.push("nr_free");
    assert_eq!(s.signature(), "overlap/nr_free");
    // Buddies of the largest order stay apart.
    let mut s = Script::new();
    s.free_blocks(&[(0, 2), (4, 2)]).run.census.max_order = Order(2);
    assert_eq!(s.signature(), "-");
}

#[test]
fn references_come_from_something_and_are_dropped_by_who_has_them() {
    let mut s = Script::new();
    s.alloc(4, 0, false).put(4, Holder::Lookup);
    assert_eq!(s.signature(), "refcount/not-held/lookup");
    let mut s = Script::new();
    s.alloc(4, 0, false).put(4, Holder::Owner).put(4, Holder::Owner);
    assert_eq!(s.signature(), "refcount/underflow/owner");
    let mut s = Script::new();
    s.taken(4, 0, false).cpu(1).get(4, Holder::Scan);
    assert_eq!(s.signature(), "refcount/get-zero/scan");
    let mut s = Script::new();
    s.alloc(4, 0, false).get(4, Holder::Scan).set(4);
    // The store drops a reference on the floor; that it was there is the ledger's knowledge.
    assert_eq!(s.signature(), "refcount/set-live/owner");
    let mut s = Script::new();
    s.alloc(4, 0, false).get(4, Holder::Get).put(4, Holder::Get).put(4, Holder::Owner);
    assert_eq!(s.free(4, 0).all_free().signature(), "-");
}

#[test]
fn a_freeze_claims_the_references_that_it_names() {
    let freeze = |cached: Holder, by| {
        let mut s = Script::new();
        s.alloc(4, 0, false).get(4, cached).count(4, Kind::Cas, 0);
        s.page_ref(4, RefChange::Freeze, 2, by).free(4, 0).all_free();
        s.signature()
    };
    assert_eq!(freeze(Holder::Cache, Holder::Owner), "-");
    assert_eq!(freeze(Holder::Cache, Holder::Lookup), "refcount/freeze-not-held/lookup");
    assert_eq!(freeze(Holder::Scan, Holder::Owner), "refcount/freeze-not-held/owner");
    let mut s = Script::new();
    s.alloc(4, 0, false).count(4, Kind::Cas, 0).page_ref(4, RefChange::Freeze, 1, Holder::Owner);
    s.count(4, Kind::Store, 1).page_ref(4, RefChange::Unfreeze, 1, Holder::Owner);
    s.put(4, Holder::Owner).free(4, 0).all_free();
    assert_eq!(s.signature(), "-");
}

#[test]
fn nothing_is_restored_over_a_live_count() {
    let mut s = Script::new();
    s.alloc(4, 0, false).count(4, Kind::Swap, 1).page_ref(4, RefChange::Unfreeze, 1, Holder::Owner);
    assert_eq!(s.signature(), "refcount/unfreeze-live/owner");
}

#[test]
fn an_update_that_is_lost_is_found_where_it_is_lost() {
    let stored = |value| {
        let mut s = Script::new();
        s.alloc(4, 0, false).get(4, Holder::Lookup);
        s.count(4, Kind::Store, value).page_ref(4, RefChange::Get, 1, Holder::Get);
        for holder in [Holder::Get, Holder::Lookup, Holder::Owner] {
            s.put(4, holder);
        }
        s.free(4, 0).all_free().signature()
    };
    assert_eq!(stored(2), "refcount/lost-update/get");
    assert_eq!(stored(3), "-");
}

#[test]
fn counts_at_quiescence_are_what_the_ledger_predicts() {
    let mut s = Script::new();
    s.all_free().run.census.refcounts[3] = 1;
    assert_eq!(s.signature(), "refcount/census");
}

#[test]
#[should_panic(expected = "refcount: the subject reports no event for a refcount")]
fn a_change_without_an_event_stops_the_program() {
    let mut s = Script::new();
    s.alloc(4, 0, false).count(4, Kind::Inc, 2).put(4, Holder::Owner);
    s.find();
}

#[test]
#[should_panic(expected = "refcount: the subject reports no event for a refcount")]
fn a_last_change_without_an_event_stops_the_program() {
    let mut s = Script::new();
    s.count(4, Kind::Store, 1).all_free();
    s.find();
}

#[test]
#[should_panic(expected = "follows the one access that changed that refcount")]
fn an_event_without_its_change_stops_the_program() {
    let mut s = Script::new();
    s.alloc(4, 0, false).page_ref(4, RefChange::Get, 1, Holder::Get);
    s.find();
}
