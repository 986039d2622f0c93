//! The order in which locks are taken, over all cases of a job.
//!
//! A case that takes two locks in both orders is a finding of its own; here are the inversions that it
//! takes two cases to see. The first case to take two locks in an order is kept, so that the finding
//! can name it. Each inversion is reported once.
//!
//! What it is not: shared by jobs. What one job saw in one order and another in the other stays
//! unseen, as the verdict would depend on which came first.

use crate::oracle::{Finding, LockOrder};
use crate::program::Case;
use crate::subject::Spec;

/// The orders seen so far.
#[derive(Debug, Default)]
pub(super) struct Orders {
    seen: LockOrder,
    /// The case that each order was first seen in.
    first: Vec<Case>,
}

impl Orders {
    /// Takes in the locks of a case without a finding of its own. An inversion with an earlier case
    /// is returned with that case.
    pub(super) fn consider(
        &mut self,
        spec: &Spec,
        run: &LockOrder,
        case: &Case,
    ) -> Option<(Finding, Case)> {
        let found = self.seen.absorb(spec, run);
        while self.first.len() < self.seen.len() {
            self.first.push(case.clone());
        }
        found.map(|(finding, place)| (finding, self.first[place].clone()))
    }
}
