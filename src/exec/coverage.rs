//! Concurrency coverage: which accesses of two CPUs met, and what references met.
//!
//! A *meeting* is a pair of accesses to one object, next to each other in time among the accesses to
//! that object, by two CPUs, at least one of them a write; it is named by the operations and sites of
//! both, never by which object, CPU or value. Locks, and waits on them, do not count: who takes a lock
//! after whom says little, and there are so many pairs of places that take one that they would drown
//! the rest.
//!
//! An *encounter* is a change of a reference (or the refusal of one) and the state of what it is a
//! reference to: what kind of block the frame is in, whether it is the first frame of it, how many
//! references there are, whether another CPU's operation has one that it took and not dropped yet, and
//! whether another CPU has allocated or freed the frame since the operation began. It is named by the
//! operation and these. So is a wait, by what for, how many locks the CPU holds, and how many others
//! wait; and the freeing of what RCU protects, by how many readers are inside. A meeting says which code
//! met; an encounter says what it met there, which one and the same code may find in many states.
//!
//! The signals of a subject with typed references are its encounters, of any other one its meetings. Both
//! together find less: among the many pairs of places that seldom meet, the few states that matter drown.
//! They are hashed into [`SIGNALS`] counters.
//!
//! What it is not: a verdict, or edge coverage. Set-up and drain have no signals.

use super::sites::MAX_CLASSES;
use super::trace::{Phase, Run, SwitchReason, What};
use crate::program::{Case, Key, OpId, Site};
use crate::subject::{ObjectId, Spec};
use pagerace_core::event::{Event, FrameNumber, FreeList, Holder, Order, RefChange};
use pagerace_core::sync::{Kind, MAX_CPUS};

/// How many counters signals are hashed into.
pub const SIGNALS: usize = 1 << 16;
/// Objects are told apart by class and the low bits of their instance.
const INSTANCES: usize = 64;
/// Frames are told apart by the low bits of their number.
const FRAMES: usize = 64;
/// Counts from here on are alike.
const MANY: i32 = 3;

/// What tells the kinds of encounter apart from each other and from meetings, whose names never have all
/// of the upper bits.
const FINDS: u64 = 0xffff << 48;
const WAITS: u64 = 0xfffe << 48;
const FREES: u64 = 0xfffd << 48;

/// The access made last to an object.
#[derive(Clone, Copy, Default)]
struct Last {
    /// Of which run; older ones do not count.
    run: u32,
    cpu: u8,
    reads: bool,
    site: u32,
}

/// What kind of block a frame is in.
#[derive(Clone, Copy, Default)]
enum Within {
    #[default]
    Free,
    PerCpuList,
    Page,
    Block,
    Compound,
}

/// What is known of a frame.
#[derive(Clone, Copy, Default)]
struct Frame {
    within: Within,
    /// Whether it is the first of its block.
    first: bool,
    references: i32,
    /// The line on which it was allocated or freed last, and by whom.
    changed: usize,
    by: u8,
}

/// Finds the signals of runs. Its tables are reused.
pub struct Coverage {
    /// Whether the subject has typed references.
    references: bool,
    last: Vec<Last>,
    run: u32,
    frames: [Frame; FRAMES],
    /// The line on which the operation of each CPU began, and the frames that it has taken references on
    /// and not dropped, as bits.
    begun: [usize; MAX_CPUS],
    taken: [u64; MAX_CPUS],
    /// Of each CPU: the locks that it holds, whether it waits, and whether it is inside an RCU section.
    held: [u8; MAX_CPUS],
    waits: [bool; MAX_CPUS],
    reads: [bool; MAX_CPUS],
    signals: Vec<u16>,
    /// The line of each signal.
    lines: Vec<usize>,
}

impl std::fmt::Debug for Coverage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Coverage").field("signals", &self.signals.len()).finish_non_exhaustive()
    }
}

impl Coverage {
    /// For runs of this subject.
    #[must_use]
    pub fn new(spec: &Spec) -> Self {
        Self {
            references: spec.classes.iter().any(|class| class.refcount),
            last: vec![Last::default(); (MAX_CLASSES + 1) * INSTANCES],
            run: 0,
            frames: [Frame::default(); FRAMES],
            begun: [0; MAX_CPUS],
            taken: [0; MAX_CPUS],
            held: [0; MAX_CPUS],
            waits: [false; MAX_CPUS],
            reads: [false; MAX_CPUS],
            signals: Vec::new(),
            lines: Vec::new(),
        }
    }

    /// Finds the signals of a run of `case`: indices below [`SIGNALS`], in order, possibly repeated.
    pub fn signals(&mut self, case: &Case, run: &Run) {
        self.run = self.run.wrapping_add(1);
        self.signals.clear();
        self.lines.clear();
        self.frames = [Frame::default(); FRAMES];
        self.held = [0; MAX_CPUS];
        self.waits = [false; MAX_CPUS];
        self.reads = [false; MAX_CPUS];
        let mut inside = false;
        for (step, entry) in run.trace.iter().enumerate() {
            let cpu = entry.cpu.index();
            // Most lines of a subject with references, and they only say that the CPU goes on.
            if self.references && matches!(entry.what, What::Access { kind, .. } if counts(kind)) {
                self.waits[cpu] = false;
                continue;
            }
            if let Some(taken) = entry.what.lock_taken() {
                self.hold(cpu, taken);
            }
            if !matches!(entry.what, What::Switch { .. }) {
                self.waits[cpu] = false;
            }
            match entry.what {
                What::Phase(Phase::Drain) => break,
                What::Phase(phase) => inside = phase == Phase::Programs,
                What::OpStart => (self.begun[cpu], self.taken[cpu]) = (step, 0),
                What::OpEnd(_) => self.taken[cpu] = 0,
                What::Access { object: Some(object), kind, nth, .. } if inside && counts(kind) => {
                    let Some(op) = entry.op else { continue };
                    let op = case.ops[op.index()].op;
                    self.access(step, object, cpu as u8, kind, site(op, object, kind, nth));
                }
                What::Event(Event::PageRef { frame, change, count, holder, done }) => {
                    if let Some(op) = entry.op.filter(|_| inside) {
                        let reference = Reference { frame, change, holder, done };
                        self.encounter(step, case.ops[op.index()].op, cpu, &reference);
                    }
                    if done {
                        self.count(cpu, frame, change, count);
                    }
                }
                What::Event(event) => {
                    if let Event::RcuFree { .. } = event
                        && let Some(op) = entry.op.filter(|_| inside)
                    {
                        let readers = self.reads.iter().filter(|inside| **inside).count() as u64;
                        self.signal(step, FREES | number(case, op) << 16 | readers);
                    }
                    self.event(step, cpu as u8, &event);
                }
                What::Switch { why: SwitchReason::Waits { object, waiting }, .. } => {
                    if let Some(op) = entry.op.filter(|_| inside) {
                        let others = self.waits.iter().filter(|waits| **waits).count() as u64;
                        let class = object.map_or(u64::from(u8::MAX), |o| u64::from(o.class()));
                        let state = (waiting as u64) << 8 | u64::from(self.held[cpu]) << 4 | others;
                        self.signal(step, WAITS | number(case, op) << 32 | class << 16 | state);
                    }
                    self.waits[cpu] = true;
                }
                _ => {}
            }
        }
    }

    /// The signals of the last run.
    #[must_use]
    pub fn last(&self) -> &[u16] {
        &self.signals
    }

    /// The lines of the signals of the last run, in their order.
    #[must_use]
    pub fn lines(&self) -> &[usize] {
        &self.lines
    }

    fn access(&mut self, step: usize, object: ObjectId, cpu: u8, kind: Kind, site: u32) {
        let at =
            usize::from(object.class()) * INSTANCES + usize::from(object.instance()) % INSTANCES;
        let Some(last) = self.last.get_mut(at) else { return };
        let now = Last { run: self.run, cpu, reads: kind.is_read(), site };
        let before = std::mem::replace(last, now);
        if before.run == now.run && before.cpu != cpu && !(before.reads && now.reads) {
            self.signal(step, u64::from(before.site) << 32 | u64::from(site));
        }
    }

    fn encounter(&mut self, step: usize, op: u8, cpu: usize, reference: &Reference) {
        let at = reference.frame.index() % FRAMES;
        let frame = self.frames[at];
        let mut others = (0..MAX_CPUS).filter(|&other| other != cpu);
        let foreign = others.any(|other| self.taken[other] >> at & 1 == 1);
        let stale = frame.changed > self.begun[cpu] && usize::from(frame.by) != cpu;
        let count = frame.references.clamp(0, MANY) as u64;
        let state = (frame.within as u64) << 8
            | u64::from(frame.first) << 7
            | count << 2
            | u64::from(foreign) << 1
            | u64::from(stale);
        let what = (reference.change as u64) << 8
            | (reference.holder as u64) << 4
            | u64::from(reference.done) << 1;
        self.signal(step, FINDS | u64::from(op) << 40 | what << 20 | state);
    }

    fn hold(&mut self, cpu: usize, taken: bool) {
        let held = &mut self.held[cpu];
        *held = if taken { (*held + 1).min(MANY as u8) } else { held.saturating_sub(1) };
    }

    fn signal(&mut self, step: usize, name: u64) {
        self.lines.push(step);
        self.signals.push((name.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 48) as u16);
    }

    fn count(&mut self, cpu: usize, frame: FrameNumber, change: RefChange, count: i32) {
        let at = frame.index() % FRAMES;
        match change {
            RefChange::Get | RefChange::TryGet => self.taken[cpu] |= 1 << at,
            _ => self.taken[cpu] &= !(1 << at),
        }
        let references = &mut self.frames[at].references;
        *references = match change {
            RefChange::Set | RefChange::Unfreeze | RefChange::Store => count,
            RefChange::Get | RefChange::TryGet => references.saturating_add(count),
            RefChange::Put => references.saturating_sub(count),
            RefChange::Freeze => 0,
        };
    }

    fn event<O>(&mut self, step: usize, by: u8, event: &Event<O>) {
        let listed = |list| match list {
            FreeList::Buddy => Within::Free,
            FreeList::PerCpu(_) => Within::PerCpuList,
        };
        let (frame, order, within) = match *event {
            Event::PageAlloc { frame, order: Order(0), .. } => (frame, Order(0), Within::Page),
            Event::PageAlloc { frame, order, compound, .. } => {
                (frame, order, if compound { Within::Compound } else { Within::Block })
            }
            Event::PageFree { frame, order, to } | Event::PageMove { frame, order, to } => {
                (frame, order, listed(to))
            }
            Event::PageSplit { frame, order } => {
                for n in 0..order.frames().min(FRAMES) {
                    self.frames[frame.offset(n).index() % FRAMES].within = Within::Page;
                }
                return;
            }
            Event::PageCompound { frame, order } => (frame, order, Within::Compound),
            Event::PageLock { locked, .. } => return self.hold(usize::from(by), locked),
            Event::RcuRead { inside } => {
                self.reads[usize::from(by)] = inside;
                return;
            }
            _ => return,
        };
        for n in 0..order.frames().min(FRAMES) {
            let shadow = &mut self.frames[frame.offset(n).index() % FRAMES];
            *shadow = Frame { within, first: n == 0, changed: step, by, ..*shadow };
        }
    }
}

/// The number of the operation's kind.
fn number(case: &Case, op: OpId) -> u64 {
    u64::from(case.ops[op.index()].op)
}

/// A change of a reference, done or refused.
struct Reference {
    frame: FrameNumber,
    change: RefChange,
    holder: Holder,
    done: bool,
}

/// Which objects a run's CPUs touched, as bits, and whether one of them wrote. Reused.
pub type Touched = Vec<(ObjectId, u8, bool)>;

/// Collects the points of a run's programs at objects that two CPUs touch, one of them writing: where
/// another switch may make another difference. Returns how many of them stand up to this line.
pub fn contended(run: &Run, line: usize, touched: &mut Touched, into: &mut Vec<Key>) -> usize {
    into.clear();
    touched.clear();
    let mut phases = run.trace.iter().enumerate().filter(|(_, e)| matches!(e.what, What::Phase(_)));
    // The set-up's, the programs' and, unless the run was cut, the drain's.
    let first = phases.nth(1).map_or(run.trace.len(), |(line, _)| line);
    let end = phases.next().map_or(run.trace.len(), |(line, _)| line);
    let programs = || {
        let inside = run.trace[first..end].iter().zip(first..);
        inside.filter_map(|(e, step)| match e.what {
            What::Access { object: Some(object), kind, nth, .. } if counts(kind) => {
                Some((step, e, object, kind, nth))
            }
            _ => None,
        })
    };
    for (_, entry, object, kind, _) in programs() {
        let cpu = 1 << entry.cpu.index();
        match touched.iter_mut().find(|(o, ..)| *o == object) {
            Some((_, cpus, written)) => {
                *cpus |= cpu;
                *written |= !kind.is_read();
            }
            None => touched.push((object, cpu, !kind.is_read())),
        }
    }
    touched.retain(|(_, cpus, written)| *written && !cpus.is_power_of_two());
    let mut behind = 0;
    for (step, entry, object, kind, nth) in programs() {
        if let Some(op) = entry.op
            && touched.iter().any(|(shared, ..)| *shared == object)
        {
            into.push(Key { op, site: Site::Named { class: object.class(), kind, nth } });
            behind += usize::from(step <= line);
        }
    }
    behind
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exec::Executor;
    use crate::program::text::parse;
    use crate::program::{Action, Decision};
    use crate::subject::Subject;
    use crate::subject::mm::MmSubject;
    use std::collections::BTreeSet;

    /// The signals of a lookup against a delete, allocation and `free_pages`, with switches before accesses
    /// to a count: in which operation, of which kind, to whom.
    fn signals(schedule: &[(u8, Kind, u8)]) -> BTreeSet<u16> {
        let spec = MmSubject::spec();
        let entry = include_bytes!("../../corpus/seed_race/nc-free-leak.case");
        let mut case = parse(spec, entry).expect("it is a case").case;
        case.set_profile(spec.profiles.last().expect("there is one"));
        case.decisions.clear();
        case.decisions.extend(schedule.iter().map(|&(op, kind, to)| {
            let site = Site::Named { class: 0, kind, nth: 1 };
            Decision { at: Key { op: OpId(op), site }, action: Action::Run(to) }
        }));
        let mut executor = Executor::<MmSubject>::new();
        let run = executor.run(&case);
        assert_eq!(run.unreached, 0);
        let mut coverage = Coverage::new(spec);
        coverage.signals(&case, run);
        assert!(coverage.lines().iter().all(|&line| line < run.trace.len()));
        assert_eq!(coverage.lines().len(), coverage.last().len());
        coverage.last().iter().copied().collect()
    }

    #[test]
    fn a_reference_says_what_it_found_there() {
        // Numbers: 0 is the set-up's, 1 the lookup, 4 `free_pages`.
        let away = (1, Kind::IncNotZero, 1);
        let back = (4, Kind::Dec, 0);
        let alone = signals(&[]);
        let freed = signals(&[away]);
        let reused = signals(&[away, back]);
        let held = signals(&[away, (1, Kind::Dec, 1), back]);
        // Refused on a free frame; taken on another block's; dropped by its owner meanwhile.
        for (more, than) in [(&freed, &alone), (&reused, &freed), (&held, &reused)] {
            assert!(more.difference(than).count() > 0, "{more:?} {than:?}");
        }
    }
}
