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
    /// The operations that have decisions, as bits: asked for at every point.
    ops: Cell<u64>,
    /// For each of these, where its decisions begin.
    starts: [Cell<u16>; MAX_OPS],
}

const _: () = assert!(MAX_OPS <= u64::BITS as usize, "an operation is a bit of a word");

impl Default for Decisions {
    fn default() -> Self {
        let starts = [const { Cell::new(0) }; MAX_OPS];
        Self { list: RefCell::default(), ops: Cell::new(0), starts }
    }
}

impl Decisions {
    /// Takes over those of `case`, or only the ones that fail something.
    pub(super) fn load(&self, case: &Case, with_switches: bool) {
        let mut list = self.list.borrow_mut();
        list.clear();
        let mut ops = 0u64;
        for decision in &case.decisions {
            let op = decision.at.op.index();
            if op < MAX_OPS && (with_switches || decision.action == Action::Fail) {
                if ops >> op & 1 == 0 {
                    ops |= 1 << op;
                    self.starts[op].set(list.len() as u16);
                }
                list.push((*decision, false));
            }
        }
        self.ops.set(ops);
    }

    /// What the case decides at this point, with the number to [`Decisions::taken`] it by.
    #[inline]
    pub(super) fn at(&self, point: &Pending) -> Option<(usize, Action)> {
        let op = usize::from(point.op);
        if op >= MAX_OPS || self.ops.get() >> op & 1 == 0 {
            return None;
        }
        self.find(point)
    }

    #[inline(never)]
    fn find(&self, point: &Pending) -> Option<(usize, Action)> {
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
