//! The least that shows what an entry promises, on counters: what is too large is seen, and what cannot be
//! told is not claimed.

mod common;

use common::{Counters, entry_of, tools};
use pagerace::corpus::smallest::{MAX_OPS, smallest_within};
use pagerace::corpus::{Least, Smallest, smallest};

/// One update lost, with an operation and a switch that are not needed for it.
const LARGE: &str = "\
pagerace case v1
# Found by a test on old, seed 7.
subject counters
cpus 2 first 0
history bump=split
expect overlap/lost-update race

cpu0:
  bump counter=0
  read counter=1
cpu1:
  bump counter=0
schedule:
  policy stay
  at cpu0 op1 counter.store#1: run cpu1
  at cpu1 op1 counter.store#1: run cpu0
";

fn least(text: &str) -> Smallest {
    let (mut executor, mut examiner) = tools();
    smallest::<Counters>(&mut executor, &mut examiner, &entry_of(text)).expect("a finding")
}

fn small() -> String {
    let small = LARGE.replace("  read counter=1\n", "");
    small.replace("  at cpu1 op1 counter.store#1: run cpu0\n", "")
}

#[test]
fn what_is_as_small_as_it_can_be_is_said_to_be() {
    let least = least(&small());
    assert_eq!((least.switches, least.ops), (Least::Shown(1), Least::Shown(2)));
}

#[test]
fn a_switch_and_an_operation_too_many_are_seen() {
    let least = least(LARGE);
    assert_eq!((least.switches, least.ops), (Least::Shown(1), Least::Shown(2)));
}

#[test]
fn two_operations_that_are_only_together_of_no_use_are_both_left_out() {
    // Without the right of the other one, `give` is skipped: only the two together can be left out.
    let text = small().replace("cpu1:\n", "cpu1:\n  p0 = take\n  give p0\n");
    assert_eq!(least(&text).ops, Least::Shown(2));
}

#[test]
fn the_kind_is_not_asked_for() {
    // Loses an update of its own, whoever else runs.
    let text = small().replace("cpu1:\n", "cpu1:\n  lose counter=1\n");
    let least = least(&text);
    assert_eq!((least.switches, least.ops), (Least::Shown(0), Least::Shown(1)));
}

#[test]
fn what_no_schedule_shows_has_no_size() {
    let least = least(&small().replace("lost-update", "lost-page"));
    assert_eq!((least.switches, least.ops), (Least::Never, Least::Never));
}

#[test]
fn an_entry_that_is_to_pass_has_none() {
    let (mut executor, mut examiner) = tools();
    let entry = entry_of(&small().replace("overlap/lost-update race", "pass"));
    assert_eq!(smallest::<Counters>(&mut executor, &mut examiner, &entry), None);
}

#[test]
fn where_the_search_ends_is_said() {
    let (mut executor, mut examiner) = tools();
    let entry = entry_of(LARGE);
    let mut within = |steps| {
        smallest_within::<Counters>(&mut executor, &mut examiner, &entry, steps).expect("a finding")
    };
    let none = within(1);
    assert_eq!((none.switches, none.ops), (Least::AtLeast(0), Least::AtLeast(1)));
    // It is enough to tell the switches, and then not all of the operations.
    let some = (1..).map(&mut within).find(|least| least.switches == Least::Shown(1)).unwrap();
    assert_eq!(some.ops, Least::AtLeast(1));
    assert_eq!(within(u64::MAX), least(LARGE));
    let many =
        LARGE.replace("cpu1:\n", &format!("cpu1:\n{}", "  read counter=1\n".repeat(MAX_OPS)));
    assert_eq!(least(&many).ops, Least::AtLeast(1));
}
