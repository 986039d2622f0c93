//! What happened in a run: accesses, events and operations, in order.
//!
//! What it is not: a verdict, or a schedule (that is [`Run::executed`]).

use crate::program::{Action, Case, Decision, Key, OpId, PolicyGene};
use crate::subject::{Census, ObjectId};
use pagerace_core::event::Event;
use pagerace_core::sync::{CpuId, Kind, Ordering, Waiting};

/// A position in a trace, counted from zero.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct StepIndex(pub usize);

/// The parts of a run.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Phase {
    /// The sequential set-up, on CPU 0.
    Setup,
    /// The programs, under the schedule.
    Programs,
    /// Rights given back and caches emptied, on CPU 0, without switches.
    Drain,
}

/// How an operation ended.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum OpEnd {
    /// It did what it says; whether it produced a right.
    Done {
        /// A right was produced.
        gave: bool,
    },
    /// It failed as it may.
    Failed,
    /// It did not apply.
    Skipped,
}

/// Why another CPU goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SwitchReason {
    /// The schedule decided so.
    Chosen,
    /// The one that ran has to wait for this object.
    Waits {
        /// What for.
        object: Option<ObjectId>,
        /// In which way.
        waiting: Waiting,
    },
    /// The one that ran has come to its end.
    Ended,
}

/// A tracepoint that speaks of objects by name. None where the subject did not name one.
pub type TraceEvent = Event<Option<ObjectId>>;

/// One line of a trace.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Entry {
    /// Who.
    pub cpu: CpuId,
    /// During which operation; none in the drain.
    pub op: Option<OpId>,
    /// What.
    pub what: What,
}

/// What a line of a trace says.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum What {
    /// The next part of the run begins.
    Phase(Phase),
    /// An operation begins.
    OpStart,
    /// An operation ends.
    OpEnd(OpEnd),
    /// An access was made.
    Access {
        /// To which object. None if the subject did not name it.
        object: Option<ObjectId>,
        /// What was done.
        kind: Kind,
        /// Which of this kind to this class within the operation, from 1.
        nth: u8,
        /// The memory order asked for.
        order: Ordering,
        /// What the object held before.
        old: u64,
        /// What it holds now.
        new: u64,
    },
    /// The subject reports something about the access before.
    Event(TraceEvent),
    /// Another CPU goes on.
    Switch {
        /// Which.
        to: CpuId,
        /// Why.
        why: SwitchReason,
    },
}

impl What {
    /// Whether a spin lock is taken (`true`) or released (`false`) on this line.
    #[must_use]
    pub const fn lock_taken(&self) -> Option<bool> {
        match self {
            Self::Access { kind: Kind::Lock, .. }
            | Self::Access { kind: Kind::TryLock, old: 0, .. } => Some(true),
            Self::Access { kind: Kind::Unlock, .. } => Some(false),
            _ => None,
        }
    }
}

/// One CPU of a deadlock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Waiter {
    /// Which CPU.
    pub cpu: CpuId,
    /// In which operation; none in the drain.
    pub op: Option<OpId>,
    /// What it waits for.
    pub object: Option<ObjectId>,
    /// In which way.
    pub waiting: Waiting,
}

/// How a run ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Ending {
    /// All programs ended, everything was given back, and the census was taken.
    Quiescent,
    /// The subject's own checks failed (an [`Event`] with [`is_fatal`]); the run was cut there.
    Fatal,
    /// All CPUs that had not ended were waiting.
    Deadlock(Vec<Waiter>),
    /// The bound on points was reached.
    Bound {
        /// Who was running.
        cpu: CpuId,
        /// In which operation; none in the drain.
        op: Option<OpId>,
    },
    /// The subject panicked with this message.
    Panic(String),
}

/// Whether an event ends the run: after it the state cannot be trusted.
#[must_use]
pub fn is_fatal<O>(event: &Event<O>) -> bool {
    matches!(event, Event::BadPage { .. } | Event::BugOn { .. } | Event::Unlocked { .. })
}

/// A point of the programs, as it was announced.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Point {
    /// Its name.
    pub at: Key,
    /// Whose it is.
    pub cpu: u8,
    /// The CPUs that could have run next, as bits.
    pub enabled: u8,
    /// No access was made since the schedule chose this CPU: choosing another one here is the same
    /// as having chosen it before.
    pub idle: bool,
    /// How much of the trace was written then: the access is none of that.
    pub step: StepIndex,
}

/// A finished run. Its buffers are reused by the next one of the same executor.
#[derive(Debug)]
pub struct Run {
    /// Everything that happened.
    pub trace: Vec<Entry>,
    /// How it ended.
    pub ending: Ending,
    /// How many operations there were, the set-up's included.
    pub ops: usize,
    /// How many of them did not apply.
    pub skipped: usize,
    /// The schedule as it was executed, in normal form: the decisions that differ from staying.
    pub executed: Vec<Decision>,
    /// The points in the order they were announced, if [`super::Options::announce`] asked for them.
    pub announced: Vec<Point>,
    /// Decisions of the case whose access was not reached.
    pub unreached: usize,
    /// How often each outcome of the spec was reported.
    pub outcomes: Vec<u64>,
    /// The walk of the subject's structures; meaningful only if the ending is [`Ending::Quiescent`].
    pub census: Census,
}

impl Run {
    /// A run of nothing, of a subject with so many outcomes.
    #[must_use]
    pub fn empty(outcomes: usize) -> Self {
        Self {
            trace: Vec::new(),
            ending: Ending::Quiescent,
            ops: 0,
            skipped: 0,
            executed: Vec::new(),
            announced: Vec::new(),
            unreached: 0,
            outcomes: vec![0; outcomes],
            census: Census::default(),
        }
    }

    /// Over (cpu, op, access, object, old value, new value) of every access, in order.
    #[must_use]
    pub fn hash(&self) -> u64 {
        let mut hash = 0u64;
        for entry in &self.trace {
            let What::Access { object, kind, nth, old, new, .. } = entry.what else { continue };
            let id =
                object.map_or(u32::MAX, |o| u32::from(o.class()) << 16 | u32::from(o.instance()));
            let op = entry.op.map_or(u8::MAX, |op| op.0);
            let who = (entry.cpu.index() as u64) << 56 | u64::from(op) << 48 | (kind as u64) << 40;
            for word in [who | u64::from(nth) << 32 | u64::from(id), old, new] {
                // FxHash's step: order matters.
                hash = (hash.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95);
            }
        }
        hash
    }

    /// The decisions that were executed, each with the line on which it was: of a switch its own, of a
    /// failure that of the switch before it.
    pub fn decided(&self) -> impl Iterator<Item = (Decision, usize)> {
        let is_chosen =
            |entry: &Entry| matches!(entry.what, What::Switch { why: SwitchReason::Chosen, .. });
        let mut lines = (0..self.trace.len()).filter(move |&at| is_chosen(&self.trace[at]));
        let mut line = 0;
        self.executed.iter().map(move |decision| {
            if decision.action != Action::Fail {
                line = lines.next().unwrap_or(self.trace.len());
            }
            (*decision, line)
        })
    }

    /// Whether an operation ran: it began, and applied.
    #[must_use]
    pub fn ran(&self, op: OpId) -> bool {
        let mut lines = self.trace.iter().filter(|line| line.op == Some(op)).peekable();
        lines.peek().is_some() && lines.all(|line| line.what != What::OpEnd(OpEnd::Skipped))
    }

    /// `case` with the schedule that was executed in place of its own: running it gives this run
    /// again.
    #[must_use]
    pub fn normal_form(&self, case: &Case) -> Case {
        let mut normal = case.clone();
        normal.policy = PolicyGene::Stay;
        normal.decisions.clone_from(&self.executed);
        normal.normalize();
        normal
    }
}
