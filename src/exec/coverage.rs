//! Concurrency coverage: which accesses of two CPUs met.
//!
//! A *meeting* is a pair of accesses to one object, next to each other in time among the accesses to
//! that object, by two CPUs, at least one of them a write; it is named by the operations and sites of
//! both, never by which object, CPU or value. Meetings are hashed into [`MEETINGS`] counters.
//!
//! What it is not: a verdict, or edge coverage. Set-up and drain have no meetings.

use super::trace::{Phase, Run, What};
use crate::program::Case;
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
                What::Access { object: Some(object), kind, nth, .. } if inside => {
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
        let at = usize::from(object.class) * INSTANCES + usize::from(object.instance) % INSTANCES;
        let Some(last) = self.last.get_mut(at) else { return };
        let now = Last { run: self.run, cpu, reads: kind.is_read(), site };
        let before = std::mem::replace(last, now);
        if before.run == now.run && before.cpu != cpu && !(before.reads && now.reads) {
            let pair = u64::from(before.site) << 32 | u64::from(site);
            self.met.push((pair.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 48) as u16);
        }
    }
}

fn site(op: u8, object: ObjectId, kind: Kind, nth: u8) -> u32 {
    u32::from(op) << 24 | u32::from(object.class) << 16 | (kind as u32) << 8 | u32::from(nth.min(3))
}
