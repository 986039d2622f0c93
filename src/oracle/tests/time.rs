//! What depends on when: lookups, contexts, locks, RCU and progress.

use crate::exec::trace::{Ending, Waiter};
use crate::oracle::testing::{FLAGS, SPEC, Script, TREE_LOCK, ZONE_LOCK, case, frame};
use crate::oracle::{Judge, LockOrder};
use crate::program::OpId;
use crate::subject::ObjectId;
use pagerace_core::event::{Context, Event, Holder, Order};
use pagerace_core::sync::{CpuId, Kind, Waiting};

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
    s.access(FLAGS, 0, Kind::Load, 0, 0).event(Event::Unlocked { field: None, lock: None });
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
    let (found, _) = campaign.absorb(&SPEC, judge.lock_order()).expect("both orders were seen");
    assert_eq!(found.signature.as_str(), "lock-order/tree_lock/zone_lock");
    assert_eq!(campaign.absorb(&SPEC, judge.lock_order()), None, "it is reported once");
}

#[test]
fn an_object_is_freed_after_the_readers_of_before_left() {
    let free = Event::RcuFree { object: None };
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
        object: Some(ObjectId::new(class, 0)),
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
