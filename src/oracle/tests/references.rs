//! Counts that are stored, frozen with private data, taken from zero, and kept when pages become one block.

use super::super::testing::{Script, frame};
use crate::exec::trace::Ending;
use pagerace_core::event::{Event, Holder, Order, RefChange};
use pagerace_core::sync::Kind;

fn stored(s: &mut Script, f: u32, count: i32, holder: Holder) {
    s.count(f, Kind::Store, count).page_ref(f, RefChange::Store, count, holder);
}

fn frozen(s: &mut Script, f: u32, count: i32, holder: Holder) {
    s.count(f, Kind::Cas, 0).page_ref(f, RefChange::Freeze, count, holder);
}

fn unfrozen(s: &mut Script, f: u32, count: i32, holder: Holder) {
    s.count(f, Kind::Swap, count).page_ref(f, RefChange::Unfreeze, count, holder);
}

#[test]
fn a_store_may_only_take_the_place_of_the_storers_references() {
    let mut s = Script::new();
    s.alloc(4, 0, false);
    stored(&mut s, 4, 2, Holder::Owner);
    s.put(4, Holder::Owner).put(4, Holder::Owner).free(4, 0).all_free();
    assert_eq!(s.signature(), "-");
    let mut s = Script::new();
    s.alloc(4, 0, false).cpu(1).get(4, Holder::Scan);
    stored(s.cpu(0), 4, 2, Holder::Owner);
    assert_eq!(s.signature(), "refcount/store-live/owner");
    // A tail whose count is to be zero, when a walker has it.
    let mut s = Script::new();
    s.taken(4, 1, false).event(Event::PageSplit { frame: frame(4), order: Order(1) });
    s.count(5, Kind::Store, 1).page_ref(5, RefChange::Set, 1, Holder::Contig);
    s.cpu(1).get(5, Holder::Scan);
    stored(s.cpu(0), 5, 0, Holder::Contig);
    assert_eq!(s.signature(), "refcount/store-live/contig");
}

#[test]
fn who_allocated_a_page_takes_no_reference_from_zero_either() {
    for holder in [Holder::Owner, Holder::Poison] {
        let mut s = Script::new();
        s.op_start().taken(4, 0, false).get(4, holder);
        assert_eq!(s.signature(), format!("refcount/get-zero/{}", holder.name()));
    }
    let mut s = Script::new();
    s.op_start().taken(4, 0, false).count(4, Kind::Inc, 1);
    s.page_ref(4, RefChange::Set, 1, Holder::Poison).put(4, Holder::Poison).free(4, 0).all_free();
    assert_eq!(s.signature(), "-", "its first one is set");
    // A page that is on a list is nobody's.
    let mut s = Script::new();
    s.get(4, Holder::Poison);
    assert_eq!(s.signature(), "refcount/get-zero/poison");
}

#[test]
fn a_store_sets_the_count_that_it_says() {
    let mut s = Script::new();
    s.alloc(4, 0, false).count(4, Kind::Store, 3);
    s.page_ref(4, RefChange::Store, 2, Holder::Owner);
    assert_eq!(s.signature(), "refcount/lost-update/owner");
}

/// A cached page that a lookup holds, with or without private data, and this many references.
fn cached(private: bool) -> (Script, i32) {
    let mut s = Script::new();
    s.alloc(4, 0, false).get(4, Holder::Cache).get(4, Holder::Lookup).put(4, Holder::Owner);
    if private {
        s.get(4, Holder::Private);
    }
    (s, 2 + i32::from(private))
}

#[test]
fn a_freeze_claims_the_reference_of_private_data_too() {
    let (mut s, count) = cached(true);
    frozen(&mut s, 4, count, Holder::Lookup);
    assert_eq!(s.ending(Ending::Fatal).signature(), "-");
    // Who counts on a reference that the data does not have gets somebody else's.
    let (mut s, count) = cached(false);
    s.cpu(1).get(4, Holder::Scan);
    frozen(s.cpu(0), 4, count + 1, Holder::Lookup);
    assert_eq!(s.signature(), "refcount/freeze-not-held/lookup");
}

#[test]
fn what_was_frozen_is_given_back_whole_or_without_the_cache() {
    let (mut s, count) = cached(true);
    frozen(&mut s, 4, count, Holder::Lookup);
    unfrozen(&mut s, 4, count, Holder::Lookup);
    for holder in [Holder::Cache, Holder::Private, Holder::Lookup] {
        s.put(4, holder);
    }
    assert_eq!(s.free(4, 0).all_free().signature(), "-");
    let (mut s, count) = cached(true);
    frozen(&mut s, 4, count, Holder::Lookup);
    unfrozen(&mut s, 4, count - 1, Holder::Lookup);
    s.put(4, Holder::Private).put(4, Holder::Lookup);
    assert_eq!(s.free(4, 0).all_free().signature(), "-");
    let (mut s, count) = cached(true);
    frozen(&mut s, 4, count, Holder::Lookup);
    unfrozen(&mut s, 4, count - 1, Holder::Lookup);
    assert_eq!(s.put(4, Holder::Cache).signature(), "refcount/not-held/cache");
}

#[test]
fn pages_that_become_a_compound_block_are_one_allocation_with_their_counts() {
    let compound = |s: &mut Script| {
        let (first, order) = (frame(4), Order(1));
        s.taken(4, 1, false).event(Event::PageSplit { frame: first, order }).set(4);
        s.event(Event::PageCompound { frame: first, order });
    };
    let mut s = Script::new();
    compound(&mut s);
    s.put(4, Holder::Owner).free(4, 1).all_free();
    assert_eq!(s.signature(), "-");
    // Before it the two are apart, and cannot be freed as one.
    let mut s = Script::new();
    s.taken(4, 1, false).event(Event::PageSplit { frame: frame(4), order: Order(1) }).set(4);
    s.put(4, Holder::Owner).free(4, 1);
    assert_eq!(s.signature(), "double-free/page/owner");
    let mut s = Script::new();
    compound(&mut s);
    s.cpu(1).get(4, Holder::Lookup).cpu(0).put(4, Holder::Owner).cpu(1).put(4, Holder::Lookup);
    assert_eq!(s.free(4, 0).signature(), "double-free/compound/lookup");
    // The way back.
    let mut s = Script::new();
    compound(&mut s);
    s.event(Event::PageSplit { frame: frame(4), order: Order(1) });
    s.put(4, Holder::Owner).free(4, 0);
    s.free_blocks(&[(0, 2), (4, 0), (6, 1)]);
    assert_eq!(s.signature(), "leak/page");
}
