//! Execution contexts: no sleep in atomic context, no guarded field without its lock.
//!
//! Verifies: a task that waits on a wait queue (asleep or only about to be: the check does not
//! depend on whether it had to) or for a grace period has no interrupt, preemption or RCU reader
//! section open and holds no spin lock. A guarded field touched without its lock is reported by the
//! field itself and passed on here.
//!
//! Cannot verify: a grace period that nobody had to be waited for, which leaves no line in a trace;
//! spinning for a long time in atomic context.
//!
//! Needs: accesses to spin locks, `section`, `rcu_read`, `unlocked`. All come from the layer below the
//! subject.
//!
//! Names no frames: a section belongs to none, and whether a guarded field does only the subject knows. The
//! line of the finding has the wait, or the field and its lock.
//!
//! Signatures: `sleeping-in-atomic/SECTION/OBJECT`, where the section is the class of the lock taken
//! last, else `irq`, `preempt` or `rcu`; `unlocked/OP/OBJECT.KIND` with the access made last.

use super::finding::{Class, Facts};
use super::scene::{Scene, Verdict, class_name};
use crate::subject::ObjectId;
use pagerace_core::event::Context;
use pagerace_core::sync::MAX_CPUS;

/// A spin lock that is held.
#[derive(Clone, Copy)]
pub(super) struct Held {
    /// Its name, if the subject gave it one.
    pub object: Option<ObjectId>,
}

/// The context of one CPU.
#[derive(Default)]
struct Cpu {
    held: Vec<Held>,
    irq: u32,
    preempt: u32,
    rcu: u32,
}

impl Cpu {
    /// Why the CPU must not sleep, if it must not.
    fn atomic(&self, scene: &Scene<'_>) -> Option<&'static str> {
        let lock = self.held.last().map(|held| class_name(scene.spec, held.object));
        lock.or((self.irq > 0).then_some("irq"))
            .or((self.preempt > 0).then_some("preempt"))
            .or((self.rcu > 0).then_some("rcu"))
    }
}

/// The context of each CPU.
#[derive(Default)]
pub(super) struct Contexts {
    cpus: [Cpu; MAX_CPUS],
}

impl Contexts {
    /// Forgets the run before.
    pub fn clear(&mut self) {
        for Cpu { held, irq, preempt, rcu } in &mut self.cpus {
            held.clear();
            (*irq, *preempt, *rcu) = (0, 0, 0);
        }
    }

    /// The locks that the scene's CPU holds, in the order in which it took them.
    pub fn held(&self, scene: &Scene<'_>) -> &[Held] {
        &self.cpus[scene.cpu.index()].held
    }

    /// A lock was taken.
    pub fn taken(&mut self, scene: &Scene<'_>, object: Option<ObjectId>) {
        self.cpus[scene.cpu.index()].held.push(Held { object });
    }

    /// A lock was released.
    pub fn released(&mut self, scene: &Scene<'_>, object: Option<ObjectId>) {
        self.cpus[scene.cpu.index()].held.retain(|held| held.object != object);
    }

    /// A section began or ended.
    pub fn section(&mut self, scene: &Scene<'_>, context: Context, entered: bool) {
        let cpu = &mut self.cpus[scene.cpu.index()];
        let depth = match context {
            Context::Irq => &mut cpu.irq,
            Context::Preempt => &mut cpu.preempt,
        };
        *depth = if entered { *depth + 1 } else { depth.saturating_sub(1) };
    }

    /// An RCU reader section began or ended.
    pub fn rcu_read(&mut self, scene: &Scene<'_>, inside: bool) {
        let depth = &mut self.cpus[scene.cpu.index()].rcu;
        *depth = if inside { *depth + 1 } else { depth.saturating_sub(1) };
    }

    /// Judges a place that sleeps, or may.
    pub fn sleeps(&self, scene: &Scene<'_>, object: Option<ObjectId>) -> Verdict {
        let section = self.cpus[scene.cpu.index()].atomic(scene)?;
        let why = "a task sleeps, or may, where it must not";
        let object = class_name(scene.spec, object);
        let facts = Facts { why, ..Facts::default() };
        scene.found(Class::SleepingInAtomic, &[section, object], facts)
    }
}

/// Passes on that a guarded field was touched without its lock.
#[cold]
pub(super) fn unlocked(scene: &Scene<'_>) -> Verdict {
    let why = "a field that belongs to a lock is touched without it";
    let facts = Facts { why, ..Facts::default() };
    let op = scene.op_name(scene.op);
    let Some((object, kind)) = scene.last_access() else {
        return scene.found(Class::Unlocked, &[op], facts);
    };
    let site = format!("{}.{}", class_name(scene.spec, object), kind.name());
    scene.found(Class::Unlocked, &[op, &site], facts)
}
