//! The decisions of the case being run, and which of them were taken.
//!
//! What it is not: a policy. It has an answer only where the case gives one.

use super::sites::Pending;
use crate::program::case::MAX_OPS;
use crate::program::{Action, Case, Decision, Site};
use std::cell::{Cell, RefCell};

/// The decisions of a case, by operation.
pub(super) struct Decisions {
    /// Sorted by operation; whether it was taken.
    list: RefCell<Vec<(Decision, bool)>>,
    /// For each operation, at which of its points a decision may stand, as bits: asked for at every
    /// point. Those past the last bit share it.
    points: [Cell<u64>; MAX_OPS],
    /// For each operation that has decisions, where they begin.
    starts: [Cell<u16>; MAX_OPS],
}

const LAST_BIT: u16 = u64::BITS as u16 - 1;

impl Default for Decisions {
    fn default() -> Self {
        Self {
            list: RefCell::default(),
            points: [const { Cell::new(0) }; MAX_OPS],
            starts: [const { Cell::new(0) }; MAX_OPS],
        }
    }
}

impl Decisions {
    /// Takes over those of `case`, or only the ones that fail something.
    pub(super) fn load(&self, case: &Case, with_switches: bool) {
        let mut list = self.list.borrow_mut();
        for (decision, _) in &*list {
            self.points[decision.at.op.index()].set(0);
        }
        list.clear();
        for decision in &case.decisions {
            let op = decision.at.op.index();
            if op < MAX_OPS && (with_switches || decision.action == Action::Fail) {
                let points = self.points[op].get();
                if points == 0 {
                    self.starts[op].set(list.len() as u16);
                }
                // Which point a name stands for shows only when it is reached.
                let here = match decision.at.site {
                    Site::Nth(n) => 1 << n.min(LAST_BIT),
                    Site::Named { .. } => u64::MAX,
                };
                self.points[op].set(points | here);
                list.push((*decision, false));
            }
        }
    }

    /// Whether the case may decide something at this point of this operation.
    #[inline]
    pub(super) fn may_be_at(&self, op: u8, point: u16) -> bool {
        let points = self.points.get(usize::from(op));
        points.is_some_and(|points| points.get() >> point.min(LAST_BIT) & 1 == 1)
    }

    /// What the case decides at this point, with the number to [`Decisions::taken`] it by.
    pub(super) fn at(&self, point: &Pending) -> Option<(usize, Action)> {
        if !self.may_be_at(point.op, point.point) {
            return None;
        }
        let start = usize::from(self.starts[usize::from(point.op)].get());
        let named = point.key();
        let list = self.list.borrow();
        list[start..]
            .iter()
            .take_while(|(decision, _)| decision.at.op == named.op)
            .position(|(decision, _)| {
                let site = decision.at.site;
                site == named.site || site == Site::Nth(point.point)
            })
            .map(|at| (start + at, list[start + at].0.action))
    }

    /// The decision of this number has been taken.
    pub(super) fn taken(&self, number: usize) {
        self.list.borrow_mut()[number].1 = true;
    }

    /// How many were not taken.
    pub(super) fn unreached(&self) -> usize {
        self.list.borrow().iter().filter(|(_, taken)| !taken).count()
    }
}
