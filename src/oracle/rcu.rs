//! RCU: nothing is freed while a reader that may have found it is still inside.
//!
//! Verifies: when an object is freed, no reader section is open that began before the freeing
//! operation did. This is sound for both ways there are of waiting for readers: `Rcu::synchronize`
//! after an unlink in the same operation (readers of before are gone), and deferred work that frees
//! when `Rcu::quiet` (no reader is inside at all).
//!
//! Cannot verify: a reader that entered after the operation began but before the unlink (no event
//! says when that was); another schedule has it enter earlier. Whether the reader really holds the
//! object.
//!
//! Needs: `rcu_read` and `rcu_free`.
//!
//! Names no frames: what is freed is an object of the subject's own, which is on the line of the finding;
//! `sites` has the line on which the reader went in.
//!
//! Signature: `rcu/FREEING_OP/READING_OP`.

use super::finding::{Class, Facts};
use super::scene::{Scene, Verdict};
use crate::exec::trace::StepIndex;
use crate::program::OpId;
use pagerace_core::sync::{CpuId, MAX_CPUS};

/// A reader section that is open.
#[derive(Clone, Copy)]
struct Section {
    begun: StepIndex,
    op: Option<OpId>,
}

/// The reader sections and operations of all CPUs.
#[derive(Default)]
pub(super) struct Readers {
    sections: [Option<Section>; MAX_CPUS],
    /// The line on which the operation of each CPU began.
    op_begun: [usize; MAX_CPUS],
}

impl Readers {
    /// Forgets the run before.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// An operation begins.
    pub fn op_starts(&mut self, cpu: CpuId, step: StepIndex) {
        self.op_begun[cpu.index()] = step.0;
    }

    /// A part of the run begins: no operation is under way.
    pub fn phase_starts(&mut self, step: StepIndex) {
        self.op_begun = [step.0; MAX_CPUS];
    }

    /// A reader section begins or ends.
    pub fn read(&mut self, scene: &Scene<'_>, inside: bool) {
        let section = Section { begun: scene.step, op: scene.op };
        self.sections[scene.cpu.index()] = inside.then_some(section);
    }

    /// Judges the free of an object.
    pub fn free(&self, scene: &Scene<'_>) -> Verdict {
        let since = self.op_begun[scene.cpu.index()];
        let reader = self.sections.iter().flatten().find(|section| section.begun.0 < since)?;
        let facts = Facts {
            why: "an object is freed while a reader that may have found it is inside",
            sites: vec![reader.begun],
            ..Facts::default()
        };
        let names = [scene.op_name(scene.op), scene.op_name(reader.op)];
        scene.found(Class::Rcu, &names, facts)
    }
}
