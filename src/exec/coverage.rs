//! Concurrency coverage: which accesses of two CPUs met.
//!
//! A *meeting* is a pair of accesses to one object, next to each other in time among the accesses to
//! that object, by two CPUs, at least one of them a write; it is named by the operations and sites of
//! both, never by which object, CPU or value. Meetings are hashed into [`MEETINGS`] counters.
//!
//! Locks, and waits on them, do not count: who takes a lock after whom says little, and there are so
//! many pairs of places that take one that they would drown the rest.
//!
//! What it is not: a verdict, or edge coverage. Set-up and drain have no meetings.

use super::trace::{Phase, Run, What};
use crate::program::{Case, Key, Site};
use crate::subject::ObjectId;
use pagerace_core::sync::Kind;

/// How many counters meetings are hashed into.
pub const MEETINGS: usize = 1 << 16;
/// Objects are told apart by class and the low bits of their instance.
const INSTANCES: usize = 64;

/// The access made last to an object.
#[derive(Clone, Copy, Default)]
struct Last {
    /// Of which run; older ones do not count.
    run: u32,
    cpu: u8,
    reads: bool,
    site: u32,
}

/// Finds the meetings of runs. Its tables are reused.
pub struct Coverage {
    last: Vec<Last>,
    run: u32,
    met: Vec<u16>,
}

impl std::fmt::Debug for Coverage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Coverage").field("met", &self.met.len()).finish_non_exhaustive()
    }
}

impl Default for Coverage {
    fn default() -> Self {
        Self { last: vec![Last::default(); 32 * INSTANCES], run: 0, met: Vec::new() }
    }
}

impl Coverage {
    /// The meetings of a run of `case`, as indices below [`MEETINGS`], in order, possibly repeated.
    pub fn meetings(&mut self, case: &Case, run: &Run) -> &[u16] {
        self.run = self.run.wrapping_add(1);
        self.met.clear();
        let mut inside = false;
        for entry in &run.trace {
            match entry.what {
                What::Phase(phase) => inside = phase == Phase::Programs,
                What::Access { object: Some(object), kind, nth, .. } if inside && counts(kind) => {
                    let Some(op) = entry.op else { continue };
                    let op = case.ops[op.index()].op;
                    self.access(object, entry.cpu.index() as u8, kind, site(op, object, kind, nth));
                }
                _ => {}
            }
        }
        &self.met
    }

    fn access(&mut self, object: ObjectId, cpu: u8, kind: Kind, site: u32) {
        let at =
            usize::from(object.class()) * INSTANCES + usize::from(object.instance()) % INSTANCES;
        let Some(last) = self.last.get_mut(at) else { return };
        let now = Last { run: self.run, cpu, reads: kind.is_read(), site };
        let before = std::mem::replace(last, now);
        if before.run == now.run && before.cpu != cpu && !(before.reads && now.reads) {
            let pair = u64::from(before.site) << 32 | u64::from(site);
            self.met.push((pair.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 48) as u16);
        }
    }
}

/// Collects the points of a run's programs at objects that two CPUs touch, one of them writing: where
/// another switch may make another difference.
pub fn contended(run: &Run, into: &mut Vec<Key>) {
    into.clear();
    let mut touched: Vec<(ObjectId, u8, bool)> = Vec::new();
    let programs = || {
        let inside = run.trace.iter().skip_while(|e| e.what != What::Phase(Phase::Programs));
        let inside = inside.take_while(|e| e.what != What::Phase(Phase::Drain));
        inside.filter_map(|e| match e.what {
            What::Access { object: Some(object), kind, nth, .. } if counts(kind) => {
                Some((e, object, kind, nth))
            }
            _ => None,
        })
    };
    for (entry, object, kind, _) in programs() {
        let cpu = 1 << entry.cpu.index();
        match touched.iter_mut().find(|(o, ..)| *o == object) {
            Some((_, cpus, written)) => {
                *cpus |= cpu;
                *written |= !kind.is_read();
            }
            None => touched.push((object, cpu, !kind.is_read())),
        }
    }
    for (entry, object, kind, nth) in programs() {
        let shared = |(o, cpus, written): &(ObjectId, u8, bool)| {
            *o == object && *written && cpus.count_ones() > 1
        };
        if let Some(op) = entry.op
            && touched.iter().any(shared)
        {
            into.push(Key { op, site: Site::Named { class: object.class(), kind, nth } });
        }
    }
}

/// Whether accesses of this kind meet others.
fn counts(kind: Kind) -> bool {
    !matches!(
        kind,
        Kind::Lock | Kind::TryLock | Kind::Unlock | Kind::Wait | Kind::Wake | Kind::Fail
    )
}

fn site(op: u8, object: ObjectId, kind: Kind, nth: u8) -> u32 {
    u32::from(op) << 24
        | u32::from(object.class()) << 16
        | (kind as u32) << 8
        | u32::from(nth.min(3))
}
