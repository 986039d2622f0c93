//! The decisions of the case being run, and which of them were taken.
//!
//! What it is not: a policy. It has an answer only where the case gives one.

use super::sites::Pending;
use crate::program::{Action, Case, Decision, Site};
use std::cell::{Cell, RefCell};

/// The decisions of a case, by operation.
#[derive(Default)]
pub(super) struct Decisions {
    /// Sorted by operation; whether it was taken.
    list: RefCell<Vec<(Decision, bool)>>,
    /// For each operation, where its decisions begin.
    starts: RefCell<Vec<u16>>,
    none: Cell<bool>,
}

impl Decisions {
    /// Takes over those of `case`, or only the ones that fail something.
    pub(super) fn load(&self, case: &Case, with_switches: bool) {
        let mut list = self.list.borrow_mut();
        let mut starts = self.starts.borrow_mut();
        list.clear();
        starts.clear();
        let mut next = case.decisions.iter().peekable();
        for op in 0..case.ops.len() {
            starts.push(list.len() as u16);
            while let Some(d) = next.next_if(|d| d.at.op.index() == op) {
                if with_switches || d.action == Action::Fail {
                    list.push((*d, false));
                }
            }
        }
        starts.push(list.len() as u16);
        self.none.set(list.is_empty());
    }

    /// What the case decides at this point, with the number to [`Decisions::taken`] it by.
    #[inline]
    pub(super) fn at(&self, point: &Pending) -> Option<(usize, Action)> {
        if self.none.get() { None } else { self.find(point) }
    }

    fn find(&self, point: &Pending) -> Option<(usize, Action)> {
        let starts = self.starts.borrow();
        let op = usize::from(point.op);
        let range = usize::from(*starts.get(op)?)..usize::from(*starts.get(op + 1)?);
        if range.is_empty() {
            return None;
        }
        let named = point.key().site;
        let list = self.list.borrow();
        range
            .filter(|&i| {
                let site = list[i].0.at.site;
                site == named || site == Site::Nth(point.point)
            })
            .map(|i| (i, list[i].0.action))
            .next()
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
