//! Drains, and sums at rest.

use super::super::testing::{Script, frame};
use crate::exec::trace::Ending;
use pagerace_core::event::{Event, FreeList, Order};
use pagerace_core::sync::CpuId;

const LIST: CpuId = CpuId::new(1);

/// A page moves to a list, or back.
fn moved(s: &mut Script, f: u32, to: FreeList) {
    s.event(Event::PageMove { frame: frame(f), order: Order(0), to });
}

fn drain(s: &mut Script, list: CpuId, done: bool) {
    s.event(Event::ListDrain { list, done });
}

#[test]
fn a_drain_leaves_nothing_that_was_there_when_it_looked() {
    let mut s = Script::new();
    moved(&mut s, 4, FreeList::PerCpu(LIST));
    moved(&mut s, 5, FreeList::PerCpu(LIST));
    drain(&mut s, LIST, false);
    moved(&mut s, 4, FreeList::Buddy);
    drain(&mut s, LIST, true);
    let found = s.find().expect("f5 is still there");
    assert_eq!(found.signature.as_str(), "not-drained/pcp");
    assert_eq!(found.facts.frames, [frame(5)]);
    assert_eq!(found.at.map(|at| at.0 + 1), Some(s.run.trace.len()));
}

#[test]
fn a_drain_answers_for_its_list_and_its_time_only() {
    // Everything there is given back; another list is another drain's.
    let mut s = Script::new();
    moved(&mut s, 4, FreeList::PerCpu(LIST));
    moved(&mut s, 5, FreeList::PerCpu(CpuId::new(0)));
    drain(&mut s, LIST, false);
    moved(&mut s, 4, FreeList::Buddy);
    drain(&mut s, LIST, true);
    // What comes after the look is not its business, nor is what left for somebody's use.
    drain(&mut s, LIST, false);
    moved(&mut s, 6, FreeList::PerCpu(LIST));
    drain(&mut s, LIST, true);
    drain(&mut s, LIST, false);
    let from = FreeList::PerCpu(LIST);
    s.event(Event::PageAlloc { frame: frame(6), order: Order(0), compound: false, from });
    drain(&mut s, LIST, true);
    assert_eq!(s.ending(Ending::Fatal).signature(), "-");
}

#[test]
fn two_drains_of_one_list_at_once_answer_each_for_itself() {
    let mut s = Script::new();
    moved(&mut s, 4, FreeList::PerCpu(LIST));
    drain(s.cpu(0), LIST, false);
    moved(&mut s, 4, FreeList::Buddy);
    moved(&mut s, 5, FreeList::PerCpu(LIST));
    drain(s.cpu(1), LIST, false);
    drain(s.cpu(0), LIST, true);
    assert_eq!(s.ending(Ending::Fatal).signature(), "-");
    drain(s.cpu(1), LIST, true);
    assert_eq!(s.signature(), "not-drained/pcp");
}

/// CPU 0 is in an operation that puts f4 and f5 on the list, and takes f4; CPU 1's drain passes both by.
fn passed_by(s: &mut Script) {
    s.op_start();
    moved(s, 4, FreeList::PerCpu(LIST));
    moved(s, 5, FreeList::PerCpu(LIST));
    drain(s.cpu(1).op_start(), LIST, false);
    drain(s, LIST, true);
    s.op_end().cpu(0);
    take(s, 4);
}

fn take(s: &mut Script, f: u32) {
    let from = FreeList::PerCpu(LIST);
    s.event(Event::PageAlloc { frame: frame(f), order: Order(0), compound: false, from });
}

#[test]
fn what_an_operation_under_way_put_there_is_judged_when_that_ends() {
    let mut s = Script::new();
    passed_by(&mut s);
    assert_eq!(s.ending(Ending::Fatal).signature(), "-", "it may yet take it");
    s.op_end();
    let found = s.find().expect("f5 stays");
    assert_eq!(found.signature.as_str(), "not-drained/pcp");
    assert_eq!(found.facts.frames, [frame(5)]);
    assert_eq!(found.at.map(|at| at.0 + 1), Some(s.run.trace.len()));
    let mut s = Script::new();
    passed_by(&mut s);
    take(&mut s, 5);
    assert_eq!(s.op_end().ending(Ending::Fatal).signature(), "-", "it has taken both");
}

#[test]
fn what_was_taken_and_comes_back_was_not_left() {
    let mut s = Script::new();
    passed_by(&mut s);
    take(&mut s, 5);
    let to = FreeList::PerCpu(LIST);
    s.event(Event::PageFree { frame: frame(4), order: Order(0), to });
    assert_eq!(s.op_end().ending(Ending::Fatal).signature(), "-");
}

#[test]
fn nobody_takes_what_an_operation_that_has_ended_or_the_drainer_put_there() {
    let mut s = Script::new();
    s.op_start();
    moved(&mut s, 4, FreeList::PerCpu(LIST));
    drain(s.op_end().cpu(1).op_start(), LIST, false);
    drain(&mut s, LIST, true);
    assert_eq!(s.signature(), "not-drained/pcp");
    let mut s = Script::new();
    moved(s.cpu(1).op_start(), 4, FreeList::PerCpu(LIST));
    drain(&mut s, LIST, false);
    drain(&mut s, LIST, true);
    assert_eq!(s.signature(), "not-drained/pcp");
}

#[test]
fn a_sum_that_is_off_is_judged_after_everything_that_explains_it() {
    let mut s = Script::new();
    s.all_free().run.census.miscounted.push("pages-in-use");
    assert_eq!(s.signature(), "accounting/pages-in-use");
    s.run.census.broken.push("list-link");
    assert_eq!(s.signature(), "overlap/list-link");
    s.free_blocks(&[(0, 2)]);
    assert_eq!(s.signature(), "leak/untouched");
}
