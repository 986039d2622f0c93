//! Which lines of a trace a reader needs.
//!
//! Needed are accesses to objects that two CPUs touch and one changes, accesses that change what the
//! finding is about, those on either side of a switch, and the events that move pages about. Locks
//! count only where somebody waits for one or the finding is about them.
//!
//! What it is not: a judgement. Nothing is hidden without being counted (see `story`).

use super::words::{Words, block, is_lock};
use crate::exec::trace::{Entry, Phase, SwitchReason, TraceEvent, What, is_fatal};
use crate::oracle::{Class, Finding};
use crate::subject::ObjectId;
use pagerace_core::event::{Event, FrameNumber, Order};
use pagerace_core::sync::MAX_CPUS;
use std::collections::{BTreeMap, BTreeSet};

/// What a finding is about, for deciding line by line.
pub(super) struct Interest<'a> {
    words: &'a Words<'a>,
    finding: &'a Finding,
    /// The frames of the finding, with the blocks that they were lost from.
    frames: BTreeSet<FrameNumber>,
    contested: BTreeSet<ObjectId>,
    waited_for: BTreeSet<ObjectId>,
    /// The accesses on either side of a switch.
    beside_switch: BTreeSet<usize>,
}

/// Who touches an object, and whether someone changes it.
#[derive(Default)]
struct Touched {
    cpus: u8,
    changed: bool,
}

impl<'a> Interest<'a> {
    pub fn new(words: &'a Words<'a>, finding: &'a Finding) -> Self {
        let facts = &finding.facts;
        let mut frames: BTreeSet<FrameNumber> = facts.frames.iter().copied().collect();
        for lost in &facts.lost {
            frames.extend(lost.block.iter().flat_map(|&(frame, order)| block(frame, order)));
        }
        let mut interest = Self {
            words,
            finding,
            frames,
            contested: BTreeSet::new(),
            waited_for: BTreeSet::new(),
            beside_switch: BTreeSet::new(),
        };
        interest.scan();
        interest
    }

    /// One pass over the programs.
    fn scan(&mut self) {
        let mut objects: BTreeMap<ObjectId, Touched> = BTreeMap::new();
        let mut last = [None; MAX_CPUS];
        let mut resumes = [false; MAX_CPUS];
        let mut phase = Phase::Setup;
        for (step, entry) in self.words.run.trace.iter().enumerate() {
            let cpu = entry.cpu.index();
            match entry.what {
                What::Phase(next) => phase = next,
                What::Access { object, kind, old, new, .. } if phase == Phase::Programs => {
                    if let Some(object) = object
                        && !is_lock(kind)
                    {
                        let touched = objects.entry(object).or_default();
                        touched.cpus |= 1 << cpu;
                        touched.changed |= old != new;
                    }
                    if std::mem::take(&mut resumes[cpu]) {
                        self.beside_switch.insert(step);
                    }
                    last[cpu] = Some(step);
                }
                What::Switch { why: SwitchReason::Chosen, .. } => {
                    self.beside_switch.extend(last[cpu]);
                    resumes[cpu] = true;
                }
                What::Switch { why: SwitchReason::Waits { object, .. }, .. } => {
                    self.waited_for.extend(object);
                }
                _ => {}
            }
        }
        let contested = objects.into_iter().filter(|(_, t)| t.changed && t.cpus.count_ones() > 1);
        self.contested = contested.map(|(object, _)| object).collect();
    }

    /// Whether the finding is decided on this line.
    pub fn decides(&self, step: usize) -> bool {
        self.finding.at.is_some_and(|at| at.0 == step)
            || self.finding.facts.sites.iter().any(|site| site.0 == step)
    }

    /// Whether the line at `step` is needed.
    pub fn wants(&self, step: usize, entry: &Entry) -> bool {
        if self.decides(step) {
            return true;
        }
        match entry.what {
            What::Access { .. } if self.beside_switch.contains(&step) => true,
            What::Access { object: Some(object), kind, old, new, .. } => {
                if is_lock(kind) {
                    return self.about_locks() || self.waited_for.contains(&object);
                }
                let of_finding = self.words.is_refcount(Some(object))
                    && self.frames.contains(&FrameNumber(u32::from(object.instance)));
                self.contested.contains(&object) || (of_finding && old != new)
            }
            What::Event(event) => self.wants_event(&event),
            _ => false,
        }
    }

    fn about_locks(&self) -> bool {
        matches!(
            self.finding.class,
            Class::Deadlock | Class::LockOrder | Class::SleepingInAtomic | Class::Unlocked
        )
    }

    /// Whether an event is needed on its own, without the access before it.
    pub fn wants_event(&self, event: &TraceEvent) -> bool {
        match *event {
            Event::PageAlloc { .. }
            | Event::PageFree { .. }
            | Event::PageSplit { .. }
            | Event::CacheAdd { .. }
            | Event::CacheDelete { .. }
            | Event::LookupEnd { .. }
            | Event::LookupRetry { .. }
            | Event::RcuFree { .. } => true,
            Event::PageMove { frame, order, .. } | Event::PageMerge { frame, order } => {
                self.touches(frame, order)
            }
            Event::PageRef { frame, .. } => self.touches(frame, Order(0)),
            Event::RcuRead { .. } => {
                matches!(self.finding.class, Class::Rcu | Class::SleepingInAtomic)
            }
            Event::Section { .. } => self.finding.class == Class::SleepingInAtomic,
            Event::PageLock { .. }
            | Event::LookupStart { .. }
            | Event::LockTaken { .. }
            | Event::LockReleased { .. }
            | Event::Outcome(_) => false,
            Event::Unlocked { .. } | Event::BadPage { .. } | Event::BugOn { .. } => is_fatal(event),
        }
    }

    /// Whether a block has frames that the finding is about.
    pub fn touches(&self, frame: FrameNumber, order: Order) -> bool {
        let last = block(frame, order).last().copied().unwrap_or(frame);
        self.frames.range(frame..=last).next().is_some()
    }
}
