//! What the tables name and the memory cannot do yet: neither exercised nor shown by tests that ask that of
//! everything else.
//!
//! What it is not: a place for what is hard to reach.

use super::tables::Op;

/// Operations that only fail.
pub(super) const OPS: &[Op] = &[
    Op::TableMap,
    Op::TableUnmap,
    Op::SetPrivate,
    Op::Migrate,
    Op::Collapse,
];

/// The beginnings of the names of outcomes that cannot occur.
const OUTCOMES: &[&str] = &["table-", "private-", "migrate-", "collapse-"];

/// Whether an outcome cannot occur.
pub(super) fn is_outcome(name: &str) -> bool {
    OUTCOMES.iter().any(|start| name.starts_with(start))
}
