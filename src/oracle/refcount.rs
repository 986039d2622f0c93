//! Reference counts: every change is somebody's, and nobody drops what he does not have.
//!
//! Verifies, at each `page_ref`: a plain or speculative get never raises a count from zero, whoever
//! allocated the page; a set or unfreeze never overwrites a live count, and a store only references of the
//! storer's own; a put or freeze is by a holder that has that many references; no update is lost. At the
//! census: the counts are what the ledger predicts.
//!
//! It also checks the subject's reporting: each change of an object of a class flagged `refcount`
//! (its instance is the frame number) is explained by exactly one `page_ref` in the same step. A change
//! without one, or one without an access, is a mistake in the subject's reporting, not a finding, and
//! stops the program. An event that explains the access but not by how much the count changed is a
//! finding: somebody's update was lost. Subjects without such a class skip this.
//!
//! A freeze names its caller's holder: one of the references it claims is his, the rest are the cache's and
//! that of private data. An unfreeze gives the same back, or one less of the cache's.
//!
//! Cannot verify: *which* of several holders of one kind dropped a reference.
//!
//! Needs: `page_ref` for every change, refused ones (`done: false`) optional.

use super::finding::{Class, Facts};
use super::ledger::Ledger;
use super::scene::{Scene, Verdict, at_the_end, class_name};
use crate::exec::trace::StepIndex;
use crate::subject::{Census, ObjectId, Spec};
use pagerace_core::event::{FrameNumber, Holder, RefChange};
use pagerace_core::sync::{CpuId, MAX_CPUS};

/// An access to a refcount.
#[derive(Clone, Copy)]
struct Pending {
    step: StepIndex,
    object: ObjectId,
    old: i32,
    new: i32,
}

/// The latest access of each CPU, if it was to a refcount and no event has explained it.
pub(super) struct Refcounts {
    spec: &'static Spec,
    /// The classes flagged `refcount`, as bits.
    classes: u64,
    pending: [Option<Pending>; MAX_CPUS],
}

impl Refcounts {
    /// For runs of this subject.
    pub fn new(spec: &'static Spec) -> Self {
        let flagged = spec.classes.iter().enumerate().filter(|(_, class)| class.refcount);
        let classes = flagged.map(|(at, _)| 1 << at).sum();
        Self { spec, classes, pending: [None; MAX_CPUS] }
    }

    /// Forgets the run before.
    pub fn clear(&mut self) {
        self.pending = [None; MAX_CPUS];
    }

    /// An access is made; the one before it by this CPU must be explained by now.
    #[inline]
    pub fn access(
        &mut self,
        cpu: CpuId,
        step: StepIndex,
        object: Option<ObjectId>,
        old: u64,
        new: u64,
    ) {
        let pending = &mut self.pending[cpu.index()];
        if pending.is_some() {
            close(self.spec, pending);
        }
        if let Some(object) = object
            && self.classes >> object.class() & 1 == 1
        {
            *pending = Some(Pending { step, object, old: old as i32, new: new as i32 });
        }
    }

    /// The run is over, uncut: nothing may be left unexplained.
    pub fn end(&mut self) {
        for pending in &mut self.pending {
            close(self.spec, pending);
        }
    }

    /// Takes an event as the explanation of the access before it. Whether the count changed by what
    /// the event says.
    fn explain(&mut self, cpu: CpuId, change: RefChange, count: i32, f: FrameNumber) -> bool {
        if self.classes == 0 {
            return true;
        }
        let p = self.pending[cpu.index()]
            .take_if(|p| usize::from(p.object.instance()) == f.index())
            .expect("a page_ref event follows the one access that changed that refcount");
        match change {
            RefChange::Set | RefChange::Unfreeze | RefChange::Store => p.new == count,
            RefChange::Get | RefChange::TryGet => p.new == p.old + count,
            RefChange::Put => p.new == p.old - count,
            RefChange::Freeze => p.old == count && p.new == 0,
        }
    }

    /// Judges a change that took place.
    pub fn changed(
        &mut self,
        scene: &Scene<'_>,
        ledger: &Ledger,
        frame: FrameNumber,
        change: RefChange,
        count: i32,
        holder: Holder,
    ) -> Verdict {
        let exact = self.explain(scene.cpu, change, count, frame);
        let shadow = ledger.frame(frame);
        let (total, held) = (shadow.count(), shadow.held(holder));
        let (detail, why) = match change {
            RefChange::Set if total != 0 => ("set-live", "a live count is overwritten"),
            RefChange::Unfreeze if total != 0 => {
                ("unfreeze-live", "a count is restored that is not frozen")
            }
            RefChange::Store if total != held => {
                ("store-live", "a stored count loses somebody's reference")
            }
            RefChange::Get | RefChange::TryGet if total == 0 => {
                ("get-zero", "a reference is taken from nothing")
            }
            RefChange::Put if total < count => ("underflow", "the count drops below zero"),
            RefChange::Put if held < count => {
                ("not-held", "a reference is dropped that is not held")
            }
            RefChange::Freeze if !shadow.can_freeze(count, holder) => {
                ("freeze-not-held", "a freeze claims references that are not those it names")
            }
            _ if !exact => ("lost-update", "the count did not change by what was asked for"),
            _ => return None,
        };
        let block = ledger.last_block(frame);
        let facts = Facts {
            why,
            frames: vec![frame],
            allocated: block.map(|b| b.allocated),
            dropped_last: block.and_then(|b| b.dropped_last),
            ..Facts::default()
        };
        scene.found(Class::Refcount, &[detail, holder.name()], facts)
    }
    /// Judges the counts at quiescence.
    pub fn census(&self, ledger: &Ledger, census: &Census) -> Verdict {
        if self.classes == 0 {
            return None;
        }
        let wrong = census.refcounts.iter().enumerate().find_map(|(n, &count)| {
            let frame = FrameNumber(n as u32);
            (ledger.frame(frame).count() != count).then_some(frame)
        })?;
        let why = "the count is not the number of references that were taken and not dropped";
        let facts = Facts { why, frames: vec![wrong], ..Facts::default() };
        at_the_end(Class::Refcount, &["census"], facts)
    }
}

/// What is pending has got no event.
fn close(spec: &Spec, pending: &mut Option<Pending>) {
    let Some(p) = pending.take() else { return };
    assert!(
        p.old == p.new,
        "{}: the subject reports no event for a refcount that went from {} to {} at line {}",
        class_name(spec, Some(p.object)),
        p.old,
        p.new,
        p.step.0
    );
}
