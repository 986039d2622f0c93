//! With its oracle switched off a fault survives: nothing else reports it in the same campaign.
//!
//! The first violation in a trace names the finding, so what a fault leads to later is heard only when
//! its own oracle is off. Where others have good reason to see it too, [`ALSO`] says which and why. With
//! those off, the class that the fault is planted for is all that is found; with that off too, nothing.

use super::{Hunt, budget};
use pagerace::oracle::Class;
use pagerace::subject::mm::MmSubject;
use pagerace_core::mm::Fault;

/// Some faults, the oracles that see them too, and why.
type Row = (&'static [&'static str], &'static [Class], &'static str);

const ALSO: &[Row] = &[
    (
        &["skip-list-insert", "overflow-loses", "expand-loses-half"],
        &[Class::Deadlock],
        "who takes memory offline waits for what is lost",
    ),
    (
        &["free-twice", "tails-anyway", "reclaim-frees-twice"],
        &MEETINGS,
        "a frame that is freed twice gets two owners, who meet in any way there is",
    ),
    (
        &["retry-keeps-reference"],
        &[Class::Accounting],
        "a page that nobody frees stays accounted for",
    ),
    (
        &["drain-keeps", "wrong-order", "merge-allocated"],
        &MEETINGS,
        "a frame that is on a list and in use gets two owners too",
    ),
    (
        &["pcp-steals"],
        &[Class::NotDrained],
        "a block on two lists is still on one when the other is drained",
    ),
    (
        &["drain-skips-one", "drain-looks-only", "drain-one-batch"],
        &[Class::NotCoalesced, Class::Deadlock],
        "what the last drain leaves on a list does not merge; what any other leaves, offlining waits for",
    ),
    (
        &["lost-get", "scan-puts-twice", "split-sets-twice"],
        &MEETINGS,
        "a count that is too low frees the page under its holders; one lost with a put, never",
    ),
    (
        &["no-recheck", "no-reload"],
        &[Class::BadPage, Class::Leak, Class::Refcount, Class::Accounting],
        "who uses the wrong page asks where it is, takes it from where it is not, or claims its references",
    ),
    (
        &["stale-index"],
        &[Class::Leak, Class::BadPage, Class::Accounting],
        "a page that no lookup finds is not deleted; one found in its place has another index",
    ),
    (
        &["mapping-kept"],
        &[Class::Refcount, Class::Lookup, Class::Leak, Class::Accounting],
        "a page that says it is cached is returned, and its slot's reference claimed or left",
    ),
    (&["link-forgotten"], &[Class::Refcount], "a get on the tail does not reach the head"),
    (
        &["zone-then-pcp", "node-then-tree", "tree-and-zone"],
        &[Class::Deadlock],
        "two orders of locks are a deadlock when they meet",
    ),
];

/// What the classes of findings are that a frame with two owners, or none, leads to.
const MEETINGS: [Class; 11] = [
    Class::Leak,
    Class::DoubleFree,
    Class::Overlap,
    Class::NotDrained,
    Class::Refcount,
    Class::Lookup,
    Class::BadPage,
    Class::Deadlock,
    Class::Livelock,
    Class::Panic,
    Class::Accounting,
];

/// Faults that show seldom, and what every case is given so that they show within the budget.
const NARROWED: &[(&str, &str, u32)] = &[("grace-skipped", "pcp_batch", 1)];

const BUDGET: u64 = 20_000;

/// The class of the first finding, if there is one.
fn first(fault: &str, without: &[Class]) -> Option<Class> {
    let mut hunt = Hunt::with_fault(fault, budget(fault, BUDGET));
    hunt.without = without.to_vec();
    for &(_, field, value) in NARROWED.iter().filter(|(of, ..)| *of == fault) {
        hunt = hunt.field(field, value);
    }
    hunt.run::<MmSubject>().1.first().map(|found| found.finding.class)
}

#[test]
fn each_fault_survives_where_its_oracle_is_switched_off() {
    let mut wrong = Vec::new();
    for &(_, fault, class, _) in Fault::ALL {
        let class = Class::ALL.into_iter().find(|c| c.name() == class).expect("a class");
        let also = ALSO.iter().find(|(faults, ..)| faults.contains(&fault));
        let mut off: Vec<_> = also.map_or(&[][..], |(_, also, _)| also).to_vec();
        off.retain(|other| *other != class);
        let found = first(fault, &off);
        if found != Some(class) {
            wrong.push(format!("{fault} without {off:?} shows {found:?}, not {class}"));
        }
        off.push(class);
        if let Some(found) = first(fault, &off) {
            wrong.push(format!("{fault} without {off:?} still shows {found}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_tables_name_faults() {
    let faults = ALSO.iter().flat_map(|(faults, ..)| faults.iter());
    for name in faults.chain(NARROWED.iter().map(|(name, ..)| name)) {
        assert!(Fault::ALL.iter().any(|(_, fault, ..)| fault == name), "{name}");
    }
}
