//! What the tables name and the memory cannot do yet: neither exercised nor shown by tests that ask that of
//! everything else.
//!
//! What it is not: a place for what is hard to reach.

use super::tables::Op;

/// Operations that only fail.
pub(super) const OPS: &[Op] =
    &[Op::AllocGigantic, Op::Offline, Op::FragAlloc, Op::FragFree, Op::Poison, Op::Unpoison];

/// The beginnings of the names of outcomes that cannot occur.
const OUTCOMES: &[&str] = &[
    "gigantic-",
    "offline-",
    "isolate-",
    "free-to-isolated",
    "tag-",
    "frag-",
    "poison-",
    "unpoisoned",
];

/// Whether an outcome cannot occur.
pub(super) fn is_outcome(name: &str) -> bool {
    OUTCOMES.iter().any(|start| name.starts_with(start))
}
