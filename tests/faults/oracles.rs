//! With its oracle switched off a fault survives: nothing else reports it in the same campaign.
//!
//! For each class one fault that no other oracle sees. Others of the class may well be seen by several
//! oracles, one after the other; the first violation in a trace names the finding.

use super::{Hunt, SEED};
use pagerace::oracle::Class;
use pagerace::subject::mm::MmSubject;

/// A class, a fault that only its oracle sees, and what this takes of every case.
type Row = (Class, &'static str, &'static [(&'static str, u32)]);

const ROWS: &[Row] = &[
    (Class::Leak, "expand-loses-half", &[]),
    (Class::DoubleFree, "halves-freed", &[]),
    (Class::Overlap, "pcp-steals", &[("pcp_batch", 1)]),
    (Class::NotCoalesced, "merge-skipped", &[]),
    // Alone, a CPU overwrites nobody's reference.
    (Class::Refcount, "split-sets-twice", &[("cpus", 1)]),
    (Class::Lookup, "no-reload", &[]),
    (Class::BadPage, "freed-locked", &[]),
    (Class::Unlocked, "pages-unlocked", &[]),
    (Class::SleepingInAtomic, "sleep-without-preemption", &[]),
    // One tree lock keeps the two orders apart, so they never come to a deadlock.
    (Class::LockOrder, "node-and-zone", &[("mappings", 1)]),
    // Nodes that come back to the tree they left do not mislead anyone.
    (Class::Rcu, "node-freed-at-once", &[("mappings", 1)]),
    (Class::Deadlock, "unlock-no-wake", &[]),
    (Class::Livelock, "relocks-same-page", &[]),
    (Class::Panic, "mismatch-panics", &[]),
];

const BUDGET: u64 = 20_000;

fn hunt(row: &Row, without: &[Class]) -> Vec<String> {
    let (_, fault, fields) = *row;
    let mut hunt = Hunt::with_fault(fault, BUDGET);
    hunt.without = without.to_vec();
    for &(field, value) in fields {
        hunt = hunt.field(field, value);
    }
    let (_, found) = hunt.run::<MmSubject>();
    found.iter().map(|d| d.finding.signature.to_string()).collect()
}

#[test]
fn a_fault_survives_where_its_oracle_is_switched_off() {
    let mut wrong = Vec::new();
    for row in ROWS {
        let (class, fault, _) = *row;
        let seen = hunt(row, &[]);
        if !seen.iter().any(|signature| signature.starts_with(class.name())) {
            wrong.push(format!("{fault} shows {seen:?}, not {class}"));
        }
        let survives = hunt(row, &[class]);
        if !survives.is_empty() {
            wrong.push(format!("{fault} without {class} still shows {survives:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_class_has_a_row() {
    // Nondeterminism needs a subject that is not deterministic: `toy`.
    let rest = Class::ALL.iter().filter(|class| **class != Class::Nondeterminism);
    assert!(rest.eq(ROWS.iter().map(|(class, ..)| class)), "seed {SEED}");
}
