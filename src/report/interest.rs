//! Which lines of a trace a reader needs.
//!
//! An object is *contested* if two CPUs touch it and one changes it, and *decisive* if, moreover, it is
//! the contested object that a CPU touched last before a chosen switch, or first after one: in a
//! reduced case these are what the switches are for. Needed are
//!
//! * changes of decisive objects, of contested refcounts, and of the finding's own frames;
//! * loads of the former that meet another CPU's change: the first look at it, or the last look before;
//! * the accesses on either side of a chosen switch;
//! * locks, where somebody waits for one or the finding is about them;
//! * events that move pages about or say what a lookup found.
//!
//! What it is not: a judgement. Nothing is hidden without being counted (see `story`).

use super::story::phase;
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
    /// The accesses that are needed for what they touch or where they stand.
    accesses: BTreeSet<usize>,
    waited_for: BTreeSet<ObjectId>,
}

/// An access to a named object while the programs run.
#[derive(Clone, Copy)]
struct Touch {
    step: usize,
    cpu: usize,
    changes: bool,
}

type Objects = BTreeMap<ObjectId, Vec<Touch>>;

impl<'a> Interest<'a> {
    pub fn new(words: &'a Words<'a>, finding: &'a Finding) -> Self {
        let facts = &finding.facts;
        let mut frames: BTreeSet<FrameNumber> = facts.frames.iter().copied().collect();
        for lost in &facts.lost {
            frames.extend(lost.block.iter().flat_map(|&(frame, order)| block(frame, order)));
        }
        let mut interest =
            Self { words, finding, frames, accesses: BTreeSet::new(), waited_for: BTreeSet::new() };
        let contested = interest.contested();
        let decisive = interest.decisive(&contested);
        for (object, touches) in &contested {
            if decisive.contains(object) || words.is_refcount(Some(*object)) {
                interest.accesses.extend(meetings(touches));
            }
        }
        interest
    }

    /// The objects that two CPUs touch and one changes. Locks are another matter.
    fn contested(&self) -> Objects {
        let mut objects = Objects::new();
        for step in phase(self.words, Phase::Programs) {
            let entry = &self.words.run.trace[step];
            if let What::Access { object: Some(object), kind, old, new, .. } = entry.what
                && !is_lock(kind)
            {
                let touch = Touch { step, cpu: entry.cpu.index(), changes: old != new };
                objects.entry(object).or_default().push(touch);
            }
        }
        objects.retain(|_, touches| {
            touches.iter().any(|t| t.changes) && touches.iter().any(|t| t.cpu != touches[0].cpu)
        });
        objects
    }

    /// The contested objects around chosen switches; all, if nothing was chosen. Notes what else
    /// stands there.
    fn decisive(&mut self, contested: &Objects) -> BTreeSet<ObjectId> {
        let mut decisive = BTreeSet::new();
        let mut last: [Option<(usize, Option<ObjectId>)>; MAX_CPUS] = [None; MAX_CPUS];
        let mut resumes = [false; MAX_CPUS];
        let mut seeks = [false; MAX_CPUS];
        let mut chosen = false;
        for step in phase(self.words, Phase::Programs) {
            let entry = &self.words.run.trace[step];
            let cpu = entry.cpu.index();
            match entry.what {
                What::Access { object, kind, .. } => {
                    if std::mem::take(&mut resumes[cpu]) {
                        self.accesses.insert(step);
                    }
                    let object = object.filter(|o| !is_lock(kind) && contested.contains_key(o));
                    if seeks[cpu] && object.is_some() {
                        seeks[cpu] = false;
                        decisive.extend(object);
                    }
                    last[cpu] = Some((step, object.or(last[cpu].and_then(|(_, object)| object))));
                }
                What::Switch { why: SwitchReason::Chosen, .. } => {
                    chosen = true;
                    resumes[cpu] = true;
                    seeks[cpu] = true;
                    if let Some((step, object)) = last[cpu] {
                        self.accesses.insert(step);
                        decisive.extend(object);
                    }
                }
                What::Switch { why: SwitchReason::Waits { object, .. }, .. } => {
                    self.waited_for.extend(object);
                }
                _ => {}
            }
        }
        if chosen { decisive } else { contested.keys().copied().collect() }
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
            What::Access { .. } if self.accesses.contains(&step) => true,
            What::Access { object: Some(object), kind, old, new, .. } => {
                if is_lock(kind) {
                    return self.about_locks() || self.waited_for.contains(&object);
                }
                self.words.is_refcount(Some(object))
                    && self.frames.contains(&FrameNumber(u32::from(object.instance())))
                    && old != new
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
            | Event::PageCompound { .. }
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
            Event::ListDrain { .. } => self.finding.class == Class::NotDrained,
            Event::Section { .. } => self.finding.class == Class::SleepingInAtomic,
            Event::PageLock { .. } | Event::LookupStart { .. } => false,
            Event::Unlocked { .. } | Event::BadPage { .. } | Event::BugOn { .. } => is_fatal(event),
        }
    }

    /// Whether a block has frames that the finding is about.
    pub fn touches(&self, frame: FrameNumber, order: Order) -> bool {
        let last = block(frame, order).last().copied().unwrap_or(frame);
        self.frames.range(frame..=last).next().is_some()
    }
}

/// The accesses to one object that change it, or look at it just before or after another CPU does.
fn meetings(touches: &[Touch]) -> impl Iterator<Item = usize> {
    let meets = |at: usize| {
        let me = touches[at];
        // What this CPU did itself, it knows; what another one only read, nobody notices.
        let others = |t: &&Touch| t.cpu == me.cpu || t.changes;
        let before = touches[..at].iter().rev().find(others);
        let after = touches[at + 1..].iter().find(others);
        me.changes || [before, after].into_iter().flatten().any(|t| t.cpu != me.cpu)
    };
    touches.iter().enumerate().filter(move |(at, _)| meets(*at)).map(|(_, touch)| touch.step)
}
