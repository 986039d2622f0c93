//! Where the CPUs of a run could have met otherwise: the accesses of its programs to objects that two of
//! them touched, one of them changing it.
//!
//! Locks count: which of two sections goes first is a difference too. Releases do not, nobody can come in
//! before one.
//!
//! What it is not: a signal (see [`super::coverage`]), or a choice among what it lists.

use super::coverage::site;
use super::trace::{Phase, Run, What};
use crate::program::{Case, Key, Site};
use crate::subject::ObjectId;
use pagerace_core::sync::{Kind, MAX_CPUS};

/// One such access.
#[derive(Clone, Copy, Debug)]
pub struct Contended {
    /// Its point.
    pub at: Key,
    /// Whose it is.
    pub cpu: u8,
    /// To what.
    pub object: ObjectId,
    /// Whether it leaves the object as it was.
    pub reads: bool,
    /// Its line in the trace.
    pub line: usize,
    /// Where in the code it is made, whichever operation of the case does.
    pub site: u32,
    /// The point that its CPU came to next, unless its program ended.
    pub next: Option<Key>,
}

impl Contended {
    /// Whether the order of the two makes a difference, and could be another one.
    #[must_use]
    pub fn conflicts(&self, other: &Self) -> bool {
        self.cpu != other.cpu && self.object == other.object && !(self.reads && other.reads)
    }
}

/// Lists them. Its table is reused.
#[derive(Debug, Default)]
pub struct Contention {
    /// Which CPUs touched an object, as bits, and whether one of them changed it.
    touched: Vec<(ObjectId, u8, bool)>,
}

impl Contention {
    /// Lists those of a run of `case`, in order.
    pub fn list(&mut self, case: &Case, run: &Run, into: &mut Vec<Contended>) {
        into.clear();
        let first = phase(run, Phase::Programs);
        let programs = &run.trace[first..phase(run, Phase::Drain)];
        self.touched.clear();
        for entry in programs {
            let What::Access { object: Some(object), kind, .. } = entry.what else { continue };
            if may_meet(kind) {
                self.touch(object, entry.cpu.index(), kind);
            }
        }
        self.touched.retain(|(_, cpus, written)| *written && !cpus.is_power_of_two());
        // Backwards: each line knows what its CPU does next.
        let mut next = [None; MAX_CPUS];
        for (line, entry) in programs.iter().enumerate().rev() {
            let What::Access { object: Some(object), kind, nth, .. } = entry.what else { continue };
            let Some(op) = entry.op else { continue };
            let at = Key { op, site: Site::Named { class: object.class(), kind, nth } };
            let cpu = entry.cpu.index();
            if may_meet(kind) && self.is_contended(object) {
                into.push(Contended {
                    at,
                    cpu: cpu as u8,
                    object,
                    reads: kind.is_read(),
                    line: first + line,
                    site: site(case.ops[op.index()].op, object, kind, nth),
                    next: next[cpu],
                });
            }
            if kind.is_point() {
                next[cpu] = Some(at);
            }
        }
        into.reverse();
    }

    fn touch(&mut self, object: ObjectId, cpu: usize, kind: Kind) {
        let (cpu, writes) = (1 << cpu, !kind.is_read());
        match self.touched.iter_mut().find(|(other, ..)| *other == object) {
            Some((_, cpus, written)) => (*cpus, *written) = (*cpus | cpu, *written || writes),
            None => self.touched.push((object, cpu, writes)),
        }
    }

    /// Only of those that are left.
    fn is_contended(&self, object: ObjectId) -> bool {
        self.touched.iter().any(|(other, ..)| *other == object)
    }
}

/// The line on which a phase begins, or the end of a trace that does not come to it.
fn phase(run: &Run, phase: Phase) -> usize {
    let begins = run.trace.iter().position(|entry| entry.what == What::Phase(phase));
    begins.unwrap_or(run.trace.len())
}

/// Whether the order of accesses of this kind may matter, with a switch before them.
fn may_meet(kind: Kind) -> bool {
    !matches!(kind, Kind::Unlock | Kind::Wait | Kind::Wake | Kind::Fail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exec::Executor;
    use crate::program::text::parse;
    use crate::subject::Subject;
    use crate::subject::mm::MmSubject;

    #[test]
    fn what_two_cpus_touch_is_listed_in_order_with_what_comes_next() {
        let spec = MmSubject::spec();
        let entry = include_bytes!("../../corpus/seed_race/nc-free-leak.case");
        let case = parse(spec, entry).expect("it is a case").case;
        let mut executor = Executor::<MmSubject>::new();
        let run = executor.run(&case);
        let mut list = Vec::new();
        Contention::default().list(&case, run, &mut list);
        assert!(list.is_sorted_by_key(|one| one.line));
        let named = |at: Key| format!("{at:?}");
        for one in &list {
            let others = list.iter().filter(|other| other.object == one.object);
            assert!(others.clone().any(|other| other.cpu != one.cpu), "{one:?}");
            assert!(others.clone().any(|other| !other.reads), "{one:?}");
            // The next point of its CPU stands further down, and no other one is between.
            let after = &run.trace[one.line + 1..phase(run, Phase::Drain)];
            let next = after.iter().find_map(|entry| match entry.what {
                What::Access { object: Some(object), kind, nth, .. }
                    if entry.cpu.index() == usize::from(one.cpu) && kind.is_point() =>
                {
                    let site = Site::Named { class: object.class(), kind, nth };
                    entry.op.map(|op| Key { op, site })
                }
                _ => None,
            });
            assert_eq!(one.next.map(named), next.map(named));
        }
        // The reference of the lookup, the slot that it reads twice, and locks of the zone: but no object
        // that one CPU has for itself, and no load of what nobody changes.
        let classes: std::collections::BTreeSet<u8> =
            list.iter().map(|one| one.object.class()).collect();
        assert!(classes.len() >= 3 && list.len() >= 10, "{classes:?} {}", list.len());
        let conflicts = |a: &Contended| list.iter().any(|b| a.conflicts(b));
        assert!(list.iter().filter(|one| conflicts(one)).count() >= 10);
    }
}
