//! What a judgement says: the class, the stable name and the facts of the first violation.
//!
//! What it is not: prose. A report makes sentences out of [`Facts`] and the trace. Strings are made
//! only when something was found; a clean run costs none.

use super::Kind;
use crate::exec::trace::StepIndex;
use crate::program::OpId;
use core::fmt;
use pagerace_core::event::{FrameNumber, Holder, Order};
use pagerace_core::sync::CpuId;

/// What kind of violation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Class {
    /// Frames are neither free nor held by anyone who could give them back.
    Leak,
    /// Frames were given to the free lists by a party that was not entitled to.
    DoubleFree,
    /// Two owners of one frame, or free blocks that overlap or are not aligned.
    Overlap,
    /// Free buddies that were not merged.
    NotCoalesced,
    /// Pages were left on a list that was drained.
    NotDrained,
    /// A reference that nobody has was dropped, or one was taken from nothing.
    Refcount,
    /// A lookup returned what was not there.
    Lookup,
    /// The subject's own checks refused a page.
    BadPage,
    /// A guarded field was touched without its lock.
    Unlocked,
    /// A task that must not sleep did, or could have.
    SleepingInAtomic,
    /// Two locks are taken in both orders.
    LockOrder,
    /// An object was freed under a reader's feet.
    Rcu,
    /// Everyone waits.
    Deadlock,
    /// The bound on points was reached.
    Livelock,
    /// The subject panicked.
    Panic,
    /// A sum at rest is not what it should be.
    Accounting,
    /// One case ran in two ways.
    Nondeterminism,
}

impl Class {
    /// All classes, in the order in which they are listed to users.
    pub const ALL: [Self; 17] = [
        Self::Leak,
        Self::DoubleFree,
        Self::Overlap,
        Self::NotCoalesced,
        Self::NotDrained,
        Self::Refcount,
        Self::Lookup,
        Self::BadPage,
        Self::Unlocked,
        Self::SleepingInAtomic,
        Self::LockOrder,
        Self::Rcu,
        Self::Deadlock,
        Self::Livelock,
        Self::Panic,
        Self::Accounting,
        Self::Nondeterminism,
    ];

    /// Its name, as printed and as the first part of a signature.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Leak => "leak",
            Self::DoubleFree => "double-free",
            Self::Overlap => "overlap",
            Self::NotCoalesced => "not-coalesced",
            Self::NotDrained => "not-drained",
            Self::Refcount => "refcount",
            Self::Lookup => "lookup",
            Self::BadPage => "bad-page",
            Self::Unlocked => "unlocked",
            Self::SleepingInAtomic => "sleeping-in-atomic",
            Self::LockOrder => "lock-order",
            Self::Rcu => "rcu",
            Self::Deadlock => "deadlock",
            Self::Livelock => "livelock",
            Self::Panic => "panic",
            Self::Accounting => "accounting",
            Self::Nondeterminism => "nondeterminism",
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The stable name of a finding: `class/detail/...`, made of names only, never of counts, frame
/// numbers, seeds, lines or addresses. Two findings with one signature are one bug until proved
/// otherwise.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Signature(String);

impl Signature {
    /// The class, then `details`, joined by slashes.
    #[must_use]
    pub fn new(class: Class, details: &[&str]) -> Self {
        let mut text = String::from(class.name());
        for detail in details {
            text.push('/');
            text.push_str(detail);
        }
        Self(text)
    }

    /// Says that references of this holder are part of the story, unless a detail says so already.
    pub(super) fn involve(&mut self, holder: Holder) {
        let named = |detail: &str| detail.strip_prefix("held-").unwrap_or(detail) == holder.name();
        if !self.0.split('/').any(named) {
            self.0.push('/');
            self.0.push_str(holder.name());
        }
    }

    /// As it is printed.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// A reference that was given up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Dropped {
    /// Whose reference it was.
    pub holder: Holder,
    /// Where it was given up.
    pub step: StepIndex,
    /// By which CPU.
    pub cpu: CpuId,
    /// In which operation; none in the drain.
    pub op: Option<OpId>,
}

/// Where something happened, and who did it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Origin {
    /// The line of the trace.
    pub step: StepIndex,
    /// Which CPU.
    pub cpu: CpuId,
    /// In which operation; none in the drain.
    pub op: Option<OpId>,
}

/// A block given to the free lists.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Freed {
    /// Where.
    pub at: Origin,
    /// First frame.
    pub frame: FrameNumber,
    /// Size.
    pub order: Order,
}

/// Lost frames of one allocation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lost {
    /// Which frames are neither free nor quarantined, in ascending order.
    pub frames: Vec<FrameNumber>,
    /// The first frame and the size of the block they were allocated with. None if they never were.
    pub block: Option<(FrameNumber, Order)>,
    /// Who allocated it.
    pub allocated: Option<Origin>,
    /// All references to the block that were given up, in order; the last one is the one that
    /// should have freed these frames.
    pub dropped: Vec<Dropped>,
    /// What was freed of the block instead.
    pub freed_instead: Vec<Freed>,
}

/// What a report needs to explain a finding. Which fields are filled depends on the class.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Facts {
    /// What is wrong, in words that fit after "because".
    pub why: &'static str,
    /// The frames the violation is about.
    pub frames: Vec<FrameNumber>,
    /// The lost frames, allocation by allocation; only for leaks.
    pub lost: Vec<Lost>,
    /// Who allocated the block last that the frames belong to.
    pub allocated: Option<Origin>,
    /// The reference to it that was dropped last.
    pub dropped_last: Option<Dropped>,
    /// The lines of the trace that decide, in ascending order.
    pub sites: Vec<StepIndex>,
}

/// The first violation in a run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// What kind.
    pub class: Class,
    /// Its stable name.
    pub signature: Signature,
    /// The line of the trace that violates. None if the violation shows only at the end.
    pub at: Option<StepIndex>,
    /// What a report needs.
    pub facts: Facts,
}

impl Finding {
    /// Whether it is named after a scanner: its signature ends in `/scan`. Scanners take references to
    /// frames that they know nothing of, so what they show is found in no time and stands for a question of
    /// its own; it is kept under its own name. Where a signature does not end in a holder it says the same
    /// whoever dropped the last reference, and so it counts the same.
    #[must_use]
    pub fn is_scanners(&self) -> bool {
        let last = self.signature.as_str().rsplit('/').next();
        last == Some(Holder::Scan.name())
    }

    /// Whether a search that shall find a race has found one: a race, and not a scanner's.
    #[must_use]
    pub fn counts(&self, kind: Kind) -> bool {
        kind == Kind::Race && !self.is_scanners()
    }
}
