//! Each oracle is shown a run that violates and a near miss of the same operations.

use super::testing::{FLAGS, SPEC, Script, TREE_LOCK, ZONE_LOCK, case, frame};
use super::{Class, Judge, Kind as FindingKind, LockOrder, Signature, kind_of, nondeterminism};
use crate::exec::trace::{Ending, StepIndex, Waiter, What};
use crate::program::{Action, Case, Decision, Key, OpId, Place, Policy, Site};
use crate::subject::{FreeBlock, ObjectId};
use pagerace_core::event::{Context, Event, FreeList, Holder, Order, RefChange};
use pagerace_core::sync::{CpuId, Kind, Waiting};

/// The race: a block of four with a reference that `holder` took in vain, dropped last. The owner's
/// put is not the last; then the parts that `tails` says are freed, and by the last put the head.
fn last_put_by(holder: Holder, compound: bool, tails: &[(u32, u8)], head_order: u8) -> Script {
    let mut s = Script::new();
    s.cpu(1).op_start().alloc(4, 2, compound);
    s.cpu(0).op_start().get(4, holder);
    s.cpu(1).put(4, Holder::Owner);
    for &(f, order) in tails {
        s.free(f, order);
    }
    s.op_end();
    s.cpu(0).put(4, holder).free(4, head_order).op_end();
    s
}

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
fn a_cut_run_has_no_census() {
    let mut s = Script::new();
    s.free_blocks(&[]).ending(Ending::Fatal);
    assert_eq!(s.signature(), "-");
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
        "double-free/block",
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
    s.taken(4, 0, false).get(4, Holder::Scan);
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
    let freeze = |first, second| {
        let mut s = Script::new();
        s.alloc(4, 0, false).get(4, Holder::Cache).count(4, Kind::Cas, 0);
        s.page_ref(4, RefChange::Freeze, 1, first).page_ref(4, RefChange::Freeze, 1, second);
        s.free(4, 0).all_free();
        s
    };
    assert_eq!(freeze(Holder::Owner, Holder::Cache).signature(), "-");
    assert_eq!(
        freeze(Holder::Cache, Holder::Lookup).signature(),
        "refcount/freeze-not-held/lookup"
    );
    let mut s = Script::new();
    s.alloc(4, 0, false).count(4, Kind::Cas, 0).page_ref(4, RefChange::Freeze, 1, Holder::Owner);
    s.count(4, Kind::Store, 1).page_ref(4, RefChange::Unfreeze, 1, Holder::Owner);
    s.put(4, Holder::Owner).free(4, 0).all_free();
    assert_eq!(s.signature(), "-");
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

#[test]
fn a_lookup_returns_what_was_there_at_some_instant() {
    let mut s = Script::new();
    s.cpu(1).alloc(4, 0, false).add(4).cpu(0).lookup_start().cpu(1).delete(4);
    s.cpu(0).lookup_end(Some(4), false).ending(Ending::Fatal);
    assert_eq!(s.signature(), "-", "it was there when the lookup began");
    let mut s = Script::new();
    s.cpu(1).alloc(4, 0, false).add(4).delete(4).cpu(0).lookup_start().lookup_end(Some(4), false);
    assert_eq!(s.signature(), "lookup/wrong-page");
    let mut s = Script::new();
    s.cpu(1).alloc(4, 0, false).cpu(0).lookup_start().cpu(1).add(4).delete(4);
    s.cpu(0).lookup_end(Some(4), false).ending(Ending::Fatal);
    assert_eq!(s.signature(), "-", "it was there during the lookup only");
}

#[test]
fn a_frame_that_holds_another_page_is_not_what_was_looked_up() {
    let mut s = Script::new();
    s.cpu(1).alloc(4, 0, false).add(4).cpu(0).lookup_start();
    s.cpu(1).delete(4).put(4, Holder::Owner).free(4, 0);
    let before = s.run.trace.len();
    s.alloc(4, 0, false);
    s.cpu(0).get(4, Holder::Lookup).lookup_end(Some(4), false);
    assert_eq!(s.signature(), "lookup/reused");
    s.run.trace.drain(before..s.run.trace.len() - 1);
    assert_eq!(s.signature(), "lookup/freed");
}

#[test]
fn a_locked_page_is_in_the_mapping_at_the_return() {
    let run = |deleted_first: bool| {
        let mut s = Script::new();
        s.cpu(1).alloc(4, 0, false).add(4).cpu(0).lookup_start();
        if deleted_first {
            s.cpu(1).delete(4).cpu(0).lookup_end(Some(4), true);
        } else {
            s.lookup_end(Some(4), true).cpu(1).delete(4);
        }
        s.ending(Ending::Fatal).signature()
    };
    assert_eq!(run(true), "lookup/removed");
    assert_eq!(run(false), "-");
}

#[test]
fn a_lookup_that_finds_nothing_saw_nothing_there() {
    let run = |gap: bool| {
        let mut s = Script::new();
        s.cpu(1).alloc(4, 1, false).add(4).cpu(0).lookup_start().cpu(1);
        if gap {
            s.delete(4);
        }
        s.add(5).cpu(0).lookup_end(None, false);
        s.ending(Ending::Fatal).signature()
    };
    assert_eq!(run(true), "-");
    assert_eq!(run(false), "lookup/missed", "one page replaced the other");
    let mut s = Script::new();
    assert_eq!(s.lookup_start().lookup_end(None, false).all_free().signature(), "-");
}

#[test]
#[should_panic(expected = "start of each lookup before its end")]
fn a_lookup_without_a_start_stops_the_program() {
    Script::new().lookup_end(None, false).find();
}

#[test]
fn sleeping_is_for_those_in_no_section() {
    let section = |context, entered| Event::Section { context, entered };
    let sections = [
        (section(Context::Irq, true), section(Context::Irq, false), "irq"),
        (section(Context::Preempt, true), section(Context::Preempt, false), "preempt"),
        (Event::RcuRead { inside: true }, Event::RcuRead { inside: false }, "rcu"),
    ];
    for (begin, end, name) in sections {
        let mut s = Script::new();
        s.event(begin).access(FLAGS, 2, Kind::Wait, 0, 0);
        assert_eq!(s.signature(), format!("sleeping-in-atomic/{name}/flags"));
        let mut s = Script::new();
        s.event(begin).event(end).access(FLAGS, 2, Kind::Wait, 0, 0).all_free();
        assert_eq!(s.signature(), "-");
        let mut s = Script::new();
        s.event(begin).cpu(1).access(FLAGS, 2, Kind::Wait, 0, 0).all_free();
        assert_eq!(s.signature(), "-", "another CPU's section");
    }
}

#[test]
fn sleeping_is_for_those_who_hold_no_lock() {
    for waiting in [Waiting::Sleep, Waiting::Grace, Waiting::Lock, Waiting::Change] {
        let sleeps = matches!(waiting, Waiting::Sleep | Waiting::Grace);
        let mut s = Script::new();
        s.lock(ZONE_LOCK, 0, Kind::Lock).wait(FLAGS, waiting).all_free();
        let expected = if sleeps { "sleeping-in-atomic/zone_lock/flags" } else { "-" };
        assert_eq!(s.signature(), expected);
        let mut s = Script::new();
        s.lock(ZONE_LOCK, 0, Kind::Lock).unlock(ZONE_LOCK, 0).wait(FLAGS, waiting).all_free();
        assert_eq!(s.signature(), "-");
    }
}

#[test]
fn what_the_subject_refuses_is_passed_on() {
    let mut s = Script::new();
    s.access(FLAGS, 0, Kind::Load, 0, 0).event(Event::Unlocked { field: 8, lock: 16 });
    s.ending(Ending::Fatal);
    assert_eq!(s.signature(), "unlocked/read/flags.load");
    let mut s = Script::new();
    s.event(Event::BadPage { frame: frame(4), order: Order(1), check: "mapcount" });
    assert_eq!(s.ending(Ending::Fatal).signature(), "bad-page/mapcount");
    let mut s = Script::new();
    s.event(Event::BugOn { frame: frame(4), check: "refcount-zero" });
    assert_eq!(s.ending(Ending::Fatal).signature(), "bad-page/refcount-zero");
}

/// CPU 0 takes the zone lock under the tree lock.
fn nested() -> Script {
    let mut s = Script::new();
    s.lock(TREE_LOCK, 0, Kind::Lock).lock(ZONE_LOCK, 0, Kind::Lock);
    s.unlock(ZONE_LOCK, 0).unlock(TREE_LOCK, 0).cpu(1).all_free();
    s
}

#[test]
fn two_locks_are_taken_in_one_order() {
    let mut s = nested();
    s.lock(ZONE_LOCK, 0, Kind::Lock).lock(TREE_LOCK, 0, Kind::Lock);
    assert_eq!(s.signature(), "lock-order/tree_lock/zone_lock");
    let mut s = nested();
    s.lock(ZONE_LOCK, 0, Kind::Lock).lock(TREE_LOCK, 0, Kind::TryLock);
    assert_eq!(s.signature(), "-", "who only tries does not wait");
    let mut s = nested();
    s.lock(ZONE_LOCK, 0, Kind::Lock).unlock(ZONE_LOCK, 0).lock(TREE_LOCK, 0, Kind::Lock);
    assert_eq!(s.signature(), "-", "one after the other");
}

#[test]
fn locks_of_one_class_nest_in_ascending_order() {
    for (first, second, expected) in [(0, 1, "-"), (1, 0, "lock-order/tree_lock/tree_lock")] {
        let mut s = Script::new();
        s.lock(TREE_LOCK, first, Kind::Lock).lock(TREE_LOCK, second, Kind::Lock).all_free();
        assert_eq!(s.signature(), expected);
    }
}

#[test]
fn a_campaign_keeps_the_order_across_runs() {
    let mut opposite = Script::new();
    opposite.lock(ZONE_LOCK, 0, Kind::Lock).lock(TREE_LOCK, 0, Kind::Lock).all_free();
    let (mut judge, mut campaign) = (Judge::new(&SPEC), LockOrder::default());
    for _ in 0..2 {
        assert_eq!(judge.judge(&nested().run, &case(2)), None);
        assert_eq!(campaign.absorb(&SPEC, judge.lock_order()), None);
    }
    assert_eq!(judge.judge(&opposite.run, &case(2)), None);
    let found = campaign.absorb(&SPEC, judge.lock_order()).expect("both orders were seen");
    assert_eq!(found.signature.as_str(), "lock-order/tree_lock/zone_lock");
}

#[test]
fn an_object_is_freed_after_the_readers_of_before_left() {
    let free = Event::RcuFree { object: 64 };
    let reads = |inside| Event::RcuRead { inside };
    let mut s = Script::new();
    s.op_start().event(reads(true)).cpu(1).op_start().event(free);
    assert_eq!(s.signature(), "rcu/write/read");
    let mut s = Script::new();
    s.op_start().event(reads(true)).cpu(1).op_start().cpu(0).event(reads(false)).cpu(1);
    assert_eq!(s.event(free).all_free().signature(), "-");
    let mut s = Script::new();
    s.cpu(1).op_start().cpu(0).op_start().event(reads(true)).cpu(1).event(free).all_free();
    assert_eq!(s.signature(), "-", "a reader that came later cannot be told from a late one");
}

#[test]
fn runs_that_do_not_end_are_named_by_what_they_wait_for() {
    let waiter = |cpu, class, waiting| Waiter {
        cpu: CpuId::new(cpu),
        op: None,
        object: Some(ObjectId { class, instance: 0 }),
        waiting,
    };
    let mut waiters = vec![waiter(0, ZONE_LOCK, Waiting::Lock), waiter(1, FLAGS, Waiting::Sleep)];
    let mut s = Script::new();
    for _ in 0..2 {
        s.ending(Ending::Deadlock(waiters.clone()));
        assert_eq!(s.signature(), "deadlock/flags.sleep+zone_lock.lock");
        waiters.reverse();
    }
    let mut s = Script::new();
    for _ in 0..20 {
        s.access(FLAGS, 0, Kind::Load, 0, 0).access(0, 4, Kind::IncNotZero, 0, 0);
    }
    s.ending(Ending::Bound { cpu: CpuId::new(0), op: Some(OpId(0)) });
    assert_eq!(s.signature(), "livelock/read/flags.load+refcount.inc_not_zero");
    let panics =
        |message: &str| Script::new().ending(Ending::Panic(message.to_owned())).signature();
    assert_eq!(panics("index 5 is out of bounds"), "panic/index-is-out-of-bounds");
    assert_eq!(panics("index 6 is out of bounds"), "panic/index-is-out-of-bounds");
}

#[test]
fn the_first_violation_in_the_trace_is_the_finding() {
    let mut s = Script::new();
    s.free(4, 0).event(Event::BadPage { frame: frame(4), order: Order(0), check: "later" });
    s.ending(Ending::Panic("still later".to_owned()));
    assert_eq!(s.signature(), "double-free/never-allocated");
}

#[test]
fn dropping_one_event_of_a_good_run_is_noticed() {
    let mut s = last_put_by(Holder::Lookup, false, &[(6, 1), (5, 0)], 0);
    s.all_free();
    let is = |what: &What, wanted: &str| format!("{what:?}").contains(wanted);
    for (dropped, expected) in [
        ("PageFree { frame: FrameNumber(6)", "overlap/listed-in-use"),
        ("PageFree { frame: FrameNumber(4)", "overlap/listed-in-use"),
        ("PageAlloc", "double-free/never-allocated"),
    ] {
        let mut mutant = Script::new();
        mutant.all_free();
        mutant.run.trace = s.run.trace.clone();
        mutant.run.trace.retain(|e| !is(&e.what, dropped));
        assert_eq!(mutant.run.trace.len() + 1, s.run.trace.len(), "{dropped}");
        assert_eq!(mutant.signature(), expected, "{dropped}");
    }
}

#[test]
fn a_judge_is_as_good_as_new_after_a_finding() {
    let mut judge = Judge::new(&SPEC);
    let mut good = last_put_by(Holder::Lookup, true, &[], 2);
    good.all_free();
    let mut bad = last_put_by(Holder::Lookup, false, &[], 0);
    bad.free_blocks(&[(4, 0), (0, 2)])
        .event(Event::Section { context: Context::Irq, entered: true });
    for _ in 0..3 {
        assert_eq!(judge.judge(&good.run, &case(2)), None);
        let found = judge.judge(&bad.run, &case(2)).expect("three frames are lost");
        assert_eq!(found.signature.as_str(), "leak/block/lookup");
    }
}

#[test]
fn two_hashes_of_one_case_are_equal() {
    assert_eq!(nondeterminism::differ(1, 1), None);
    let found = nondeterminism::differ(1, 2).expect("the hashes differ");
    assert_eq!(found.signature.as_str(), "nondeterminism/trace");
}

#[test]
fn classes_are_printed_as_listed() {
    let listed = Class::ALL.map(Class::name).join(" ");
    let expected = "leak double-free overlap not-coalesced refcount lookup bad-page unlocked \
                    sleeping-in-atomic lock-order rcu deadlock livelock panic nondeterminism";
    assert_eq!(listed, expected);
    assert_eq!(format!("{:>5}|", Signature::new(Class::Rcu, &[])), "  rcu|");
}

/// The order in which the operations of a case without switches run, by the number they had.
fn executed(case: &Case) -> Vec<u8> {
    let mut cpus: Vec<u8> = (0..case.cpus).collect();
    cpus.sort_by_key(|&cpu| (cpu != case.first, cpu));
    cpus.iter()
        .flat_map(|&cpu| case.program(Place::Cpu(cpu)).map(|(_, op)| op.operands[0] as u8))
        .collect()
}

#[test]
fn every_order_is_tried_before_a_finding_is_called_a_race() {
    for cpus in 1..=4u8 {
        let mut all = case(cpus);
        for (n, op) in all.ops.iter_mut().enumerate() {
            op.operands[0] = n as u32;
        }
        let mut seen = Vec::new();
        let kind = kind_of(&all, |case| {
            seen.push(executed(case));
            None
        });
        assert_eq!(kind, FindingKind::Race);
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), (1..=usize::from(cpus)).product::<usize>(), "{cpus} CPUs");
    }
}

#[test]
fn one_order_that_fails_makes_a_finding_sequential() {
    let mut programs = case(3);
    programs.policy = Policy::Walk { seed: 1, rate: 0 };
    let at = |op| Key { op: OpId(op), site: Site::Nth(1) };
    programs.decisions = vec![
        Decision { at: at(0), action: Action::Run(2) },
        Decision { at: at(1), action: Action::Fail },
    ];
    for (n, op) in programs.ops.iter_mut().enumerate() {
        op.operands[0] = n as u32;
    }
    let kind = kind_of(&programs, |case| {
        assert_eq!((case.policy, case.switches(), case.decisions.len()), (Policy::Stay, 0, 1));
        let failing = case.decisions[0].at.op.index();
        assert_eq!(case.ops[failing].operands[0], 1, "the decision stays with its operation");
        (executed(case) == [2, 1, 0]).then(|| nondeterminism::differ(1, 2).expect("differ"))
    });
    assert_eq!(kind, FindingKind::Sequential);
    assert_eq!(
        (FindingKind::Race.to_string(), kind.to_string()),
        ("race".into(), "sequential".into())
    );
}
