//! Oracles: judge a finished run by its trace, its ending and its census.
//!
//! | file | classes |
//! |---|---|
//! | [`conservation`] | `leak` |
//! | [`ownership`] | `double-free` |
//! | [`overlap`] | `overlap`, `not-coalesced` |
//! | [`drain`] | `not-drained` |
//! | [`refcount`] | `refcount` |
//! | [`lookup`] | `lookup` |
//! | [`context`] | `sleeping-in-atomic`, `unlocked` |
//! | [`lock_order`] | `lock-order` |
//! | [`rcu`] | `rcu` |
//! | [`bad_page`] | `bad-page` |
//! | [`progress`] | `deadlock`, `livelock`, `panic` |
//! | [`accounting`] | `accounting` |
//! | [`nondeterminism`] | `nondeterminism` |
//!
//! [`Judge`] passes once over the trace, showing each line to the oracles it concerns and then to the
//! `ledger` they share. The **first violation in the trace** is the finding: what comes after it
//! may be its consequence. On one line the order is: ownership or overlap, then the rest. The ending
//! comes after the trace, and a deadlock after what was lost before it; the census, which exists only at quiescence, comes last, in the order
//! overlap, leak, not-coalesced, refcount, contradicting structures, sums (a leak explains a counter that
//! is off, not the other way round).
//!
//! What it is not: it runs nothing, knows no operation by name and allocates nothing while it finds
//! nothing.
//!
//! # Panics
//! An oracle panics where the subject's *reporting* is at fault (see [`refcount`], [`lookup`]): a
//! mistake in a program of ours, not a finding about it.

pub mod accounting;
pub mod bad_page;
pub mod conservation;
pub mod context;
pub mod drain;
pub mod finding;
pub mod kind;
mod ledger;
pub mod lock_order;
pub mod lookup;
pub mod nondeterminism;
pub mod overlap;
pub mod ownership;
pub mod progress;
pub mod rcu;
pub mod refcount;
mod scene;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use finding::{Class, Dropped, Facts, Finding, Freed, Lost, Origin, Signature};
pub use kind::Kind;
pub use lock_order::LockOrder;

use crate::exec::trace::{Ending, Entry, Run, StepIndex, SwitchReason, TraceEvent, What};
use crate::program::Case;
use crate::subject::{ObjectId, Spec};
use context::Contexts;
use drain::Drains;
use ledger::Ledger;
use lookup::{Lookups, Slot};
use overlap::Map;
use pagerace_core::event::{Event, Holder, Order};
use pagerace_core::sync::{Kind as AccessKind, MAX_CPUS, Waiting};
use rcu::Readers;
use refcount::Refcounts;
use scene::{Scene, Verdict};

/// Judges runs of one subject, one after the other. Its buffers are reused.
pub struct Judge {
    spec: &'static Spec,
    ledger: Ledger,
    refcounts: Refcounts,
    lookups: Lookups,
    contexts: Contexts,
    locks: LockOrder,
    readers: Readers,
    drains: Drains,
    map: Map,
    /// The last access of each CPU.
    accesses: [Option<StepIndex>; MAX_CPUS],
    /// Classes that are switched off.
    without: Vec<Class>,
}

impl core::fmt::Debug for Judge {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Judge").field("subject", &self.spec.name).finish_non_exhaustive()
    }
}

impl Judge {
    /// A judge for runs of this subject.
    #[must_use]
    pub fn new(spec: &'static Spec) -> Self {
        Self {
            spec,
            ledger: Ledger::default(),
            refcounts: Refcounts::new(spec),
            lookups: Lookups::default(),
            contexts: Contexts::default(),
            locks: LockOrder::default(),
            readers: Readers::default(),
            drains: Drains::default(),
            map: Map::default(),
            accesses: [None; MAX_CPUS],
            without: Vec::new(),
        }
    }

    /// Switches off the oracles of these classes: what they say is not heard, and the others go on.
    /// For showing that an oracle is what catches a fault.
    #[must_use]
    pub fn without(self, classes: &[Class]) -> Self {
        Self { without: classes.to_vec(), ..self }
    }

    /// The first violation in a run of `case`, if there is one. What is found in a run in which a
    /// reference was injected says so in its signature.
    ///
    /// # Panics
    /// If the subject's events contradict its accesses: then there is nothing to judge by.
    pub fn judge(&mut self, run: &Run, case: &Case) -> Option<Finding> {
        let mut finding = self.first(run, case)?;
        if run.trace.iter().any(|entry| is_injected(&entry.what)) {
            finding.signature.involve(Holder::Spec);
        }
        Some(finding)
    }

    fn first(&mut self, run: &Run, case: &Case) -> Option<Finding> {
        self.clear();
        for (step, entry) in run.trace.iter().enumerate() {
            let step = StepIndex(step);
            // Most lines are accesses, and most of those only refcounts care about.
            let verdict = if let What::Access { object, kind, old, new, .. } = entry.what {
                // An access is its CPU's last one from its own line on.
                self.accesses[entry.cpu.index()] = Some(step);
                self.refcounts.access(entry.cpu, step, object, old, new);
                if !synchronizes(kind) {
                    continue;
                }
                self.synchronization(&self.scene(run, case, step, entry), &entry.what, object, kind)
            } else {
                self.line(run, case, step, entry)
            };
            if verdict.is_some()
                && let Some(finding) = self.heard(verdict)
            {
                return Some(*finding);
            }
        }
        self.heard(self.lost_in_deadlock(run))
            .or_else(|| self.heard(progress::judge(self.spec, case, run)))
            .or_else(|| self.quiescence(run))
            .map(|finding| *finding)
    }

    /// A verdict, unless its oracle is switched off.
    fn heard(&self, verdict: Verdict) -> Verdict {
        verdict.filter(|finding| !self.without.contains(&finding.class))
    }

    /// In which order the run judged last took its locks, for a campaign to accumulate.
    #[must_use]
    pub fn lock_order(&self) -> &LockOrder {
        &self.locks
    }

    fn clear(&mut self) {
        self.ledger.clear();
        self.refcounts.clear();
        self.lookups.clear();
        self.contexts.clear();
        self.locks.clear();
        self.readers.clear();
        self.drains.clear();
        self.accesses = [None; MAX_CPUS];
    }

    /// One line in its surroundings.
    fn scene<'a>(&self, run: &'a Run, case: &'a Case, step: StepIndex, e: &Entry) -> Scene<'a> {
        let access = self.accesses[e.cpu.index()];
        Scene { spec: self.spec, case, run, step, cpu: e.cpu, op: e.op, access }
    }

    /// A line that is no access.
    fn line(&mut self, run: &Run, case: &Case, step: StepIndex, entry: &Entry) -> Verdict {
        let cpu = entry.cpu;
        match entry.what {
            What::Event(event) => {
                let scene = self.scene(run, case, step, entry);
                return self.event(&scene, event);
            }
            What::Phase(_) => self.readers.phase_starts(step),
            What::OpStart => {
                self.readers.op_starts(cpu, step);
                self.drains.op_starts(cpu, entry.op);
            }
            What::OpEnd(_) if self.drains.op_ends(cpu) => {
                return self.drains.left(&self.scene(run, case, step, entry), &self.ledger);
            }
            What::Switch { why: SwitchReason::Waits { object, waiting }, .. } => {
                return self.waits(&self.scene(run, case, step, entry), object, waiting);
            }
            What::Access { .. } | What::OpEnd(_) | What::Switch { .. } => {}
        }
        None
    }

    fn synchronization(
        &mut self,
        scene: &Scene<'_>,
        what: &What,
        object: Option<ObjectId>,
        kind: AccessKind,
    ) -> Verdict {
        match what.lock_taken() {
            Some(true) => {
                let verdict = self.locks.taken(scene, self.contexts.held(scene), object, kind);
                self.contexts.taken(scene, object);
                verdict
            }
            Some(false) => {
                self.contexts.released(scene, object);
                None
            }
            None if kind == AccessKind::Wait => self.contexts.sleeps(scene, object),
            None => None,
        }
    }

    fn waits(&self, scene: &Scene<'_>, object: Option<ObjectId>, waiting: Waiting) -> Verdict {
        match waiting {
            Waiting::Sleep | Waiting::Grace => self.contexts.sleeps(scene, object),
            Waiting::Lock | Waiting::Change => None,
        }
    }

    fn event(&mut self, scene: &Scene<'_>, event: TraceEvent) -> Verdict {
        match event {
            Event::PageAlloc { .. }
            | Event::PageFree { .. }
            | Event::PageMove { .. }
            | Event::PageMerge { .. }
            | Event::PageSplit { .. }
            | Event::PageCompound { .. }
            | Event::PageRef { .. } => return self.page_event(scene, event),
            Event::CacheAdd { mapping, index, frame } => {
                self.lookups.changed(&self.ledger, Slot { mapping, index }, Some(frame));
            }
            Event::CacheDelete { mapping, index, .. } => {
                self.lookups.changed(&self.ledger, Slot { mapping, index }, None);
            }
            Event::LookupStart { .. } => self.lookups.start(scene),
            Event::LookupEnd { mapping, index, frame, locked } => {
                let slot = Slot { mapping, index };
                return self.lookups.end(scene, &self.ledger, slot, frame, locked);
            }
            Event::RcuFree { .. } => return self.readers.free(scene),
            Event::RcuRead { inside } => {
                self.contexts.rcu_read(scene, inside);
                self.readers.read(scene, inside);
            }
            Event::Section { context, entered } => self.contexts.section(scene, context, entered),
            Event::Unlocked { .. } => return context::unlocked(scene),
            Event::BadPage { frame, order, check } => {
                return bad_page::refused(scene, &self.ledger, frame, order, check);
            }
            Event::BugOn { frame, check } => {
                return bad_page::refused(scene, &self.ledger, frame, Order(0), check);
            }
            Event::ListDrain { list, done } => {
                return self.drains.drain(scene, &self.ledger, list, done);
            }
            Event::LookupRetry { .. } | Event::PageLock { .. } => {}
        }
        None
    }

    /// What concerns the ledger: judged first, then believed.
    fn page_event(&mut self, scene: &Scene<'_>, event: TraceEvent) -> Verdict {
        let ledger = &mut self.ledger;
        match event {
            Event::PageAlloc { frame, order, compound, from } => {
                let verdict = overlap::alloc(scene, ledger, frame, order, from);
                ledger.alloc(scene, frame, order, compound);
                verdict
            }
            Event::PageFree { frame, order, to } => {
                let verdict = ownership::free(scene, ledger, frame, order)
                    .or_else(|| overlap::aligned(scene, frame, order));
                ledger.put_on(scene, frame, order, to);
                verdict
            }
            Event::PageMove { frame, order, to } => {
                let verdict = overlap::moved(scene, ledger, frame, order, false);
                ledger.put_on(scene, frame, order, to);
                verdict
            }
            Event::PageMerge { frame, order } => overlap::moved(scene, ledger, frame, order, true),
            Event::PageSplit { frame, order } => {
                ledger.split(frame, order);
                None
            }
            Event::PageCompound { frame, order } => {
                ledger.compound(frame, order);
                None
            }
            Event::PageRef { frame, change, count, holder, done: true } => {
                let verdict = self.refcounts.changed(scene, ledger, frame, change, count, holder);
                ledger.reference(scene, frame, change, count, holder);
                verdict
            }
            _ => None,
        }
    }

    fn lost_in_deadlock(&self, run: &Run) -> Verdict {
        let Ending::Deadlock(waiters) = &run.ending else { return None };
        conservation::judge_waiting(run, &self.ledger, waiters)
    }

    /// What only the census shows.
    fn quiescence(&mut self, run: &Run) -> Verdict {
        if run.ending != Ending::Quiescent {
            return None;
        }
        self.refcounts.end();
        let (ledger, census) = (&self.ledger, &run.census);
        let overlap = self.map.fill(ledger, census);
        if overlap.is_some() {
            // The map is not complete, so nothing else can be read from it.
            return self.heard(overlap);
        }
        self.heard(conservation::judge(run, ledger, &self.map))
            .or_else(|| self.heard(self.map.coalesced(census)))
            .or_else(|| self.heard(self.refcounts.census(ledger, census)))
            .or_else(|| self.heard(overlap::broken(census)))
            .or_else(|| self.heard(accounting::judge(census)))
    }
}

/// Whether a reference that no operation of the subject's own takes is taken on this line.
const fn is_injected(what: &What) -> bool {
    matches!(what, What::Event(Event::PageRef { holder: Holder::Spec, done: true, .. }))
}

/// Whether an access of this kind takes or releases a lock, or is made to sleep.
const fn synchronizes(kind: AccessKind) -> bool {
    matches!(kind, AccessKind::Lock | AccessKind::TryLock | AccessKind::Unlock | AccessKind::Wait)
}
