//! Runs told line by line, the way an executor and a subject would.
//!
//! What it is not: an executor. Nothing checks that a script is possible.

use crate::exec::trace::{Entry, OpEnd, Phase, Run, SwitchReason, What};
use crate::program::{Action, Case, Decision, Key, OpId, Site, text};
use crate::subject::{
    Census, ClassSpec, FieldSpec, ObjectId, OpSpec, OperandSpec, ProfileSpec, RightKind, RightSet,
    Spec, SwitchSpec, VariantSpec,
};
use pagerace_core::event::{Event, FrameNumber, FreeList, Holder, Order, RefChange};
use pagerace_core::sync::{CpuId, Kind, Ordering, Waiting};

const fn row(
    name: &'static str,
    operands: &'static [OperandSpec],
    takes: RightSet,
    gives: Option<RightKind>,
) -> OpSpec {
    OpSpec { name, doc: "", operands, takes, gives, setup: true, simpler: &[], points: &[] }
}

/// Classes of [`SPEC`].
pub const COUNT: u8 = 0;
pub const WORD: u8 = 1;
pub const LOCK: u8 = 2;

/// A subject with blocks of frames, and one cache.
pub static SPEC: Spec = Spec {
    injected: &[],
    name: "scripted",
    ops: &[
        row("read", &[], RightSet::NONE, None),
        row("clear", &[], RightSet::NONE, None),
        row(
            "take",
            &[OperandSpec { name: "size", limit: 11, field: None }],
            RightSet::NONE,
            Some(0),
        ),
        row("drop", &[], RightSet::of(&[0]), None),
        row("fill", &[], RightSet::NONE, None),
    ],
    rights: &["block"],
    fields: &[
        FieldSpec { name: "frames", doc: "", values: &[4, 8, 4096], drawn: 2 },
        FieldSpec { name: "batch", doc: "", values: &[0, 2], drawn: 2 },
    ],
    switches: &[SwitchSpec {
        name: "mode",
        variants: &[
            VariantSpec { name: "new", racy: false, doc: "" },
            VariantSpec { name: "old", racy: true, doc: "" },
        ],
    }],
    retired: &[],
    profiles: &[ProfileSpec { name: "now", history: &[0] }],
    classes: &[
        ClassSpec { name: "refcount", refcount: true },
        ClassSpec { name: "slot", refcount: false },
        ClassSpec { name: "zone_lock", refcount: false },
    ],
    races: &[],
    outcomes: &[],
    stack: 0,
};

/// A case of [`SPEC`] with these operations, on the old variant.
pub fn case(cpus: u8, blocks: &str) -> Case {
    let head = text::HEADER;
    let text = format!(
        "{head}\nsubject scripted\ncpus {cpus} first 0\nhistory mode=old\n{blocks}\nschedule:\n"
    );
    text::parse(&SPEC, text.as_bytes()).unwrap().case
}

/// A run under construction.
pub struct Script {
    pub spec: &'static Spec,
    pub case: Case,
    pub run: Run,
    cpu: CpuId,
    op: Option<OpId>,
}

impl Script {
    pub fn new(case: Case) -> Self {
        let census = Census { frames: 4, max_order: Order(2), ..Census::default() };
        let run = Run { census, ..Run::empty(0) };
        Self { spec: &SPEC, case, run, cpu: CpuId::new(0), op: None }
    }

    /// The number of the last line.
    pub fn last(&self) -> usize {
        self.run.trace.len() - 1
    }

    pub fn line(&mut self, what: What) -> &mut Self {
        self.run.trace.push(Entry { cpu: self.cpu, op: self.op, what });
        self
    }

    pub fn cpu(&mut self, cpu: usize) -> &mut Self {
        self.cpu = CpuId::new(cpu);
        self
    }

    pub fn op(&mut self, op: u8) -> &mut Self {
        self.op = Some(OpId(op));
        self
    }

    pub fn phase(&mut self, phase: Phase) -> &mut Self {
        self.cpu(0).op = None;
        self.line(What::Phase(phase))
    }

    pub fn start(&mut self) -> &mut Self {
        self.line(What::OpStart)
    }

    pub fn done(&mut self) -> &mut Self {
        self.line(What::OpEnd(OpEnd::Done { gave: false }))
    }

    pub fn gave(&mut self) -> &mut Self {
        self.line(What::OpEnd(OpEnd::Done { gave: true }))
    }

    pub fn failed(&mut self) -> &mut Self {
        self.line(What::OpEnd(OpEnd::Failed))
    }

    pub fn event(&mut self, event: Event<Option<ObjectId>>) -> &mut Self {
        self.line(What::Event(event))
    }

    pub fn access(&mut self, class: u8, at: u16, kind: Kind, old: i32, new: i32) -> &mut Self {
        let object = Some(ObjectId::new(class, at));
        let (old, new) = (old as u64, new as u64);
        self.line(What::Access { object, kind, nth: 1, order: Ordering::SeqCst, old, new })
    }

    pub fn load(&mut self, class: u8, at: u16, value: i32) -> &mut Self {
        self.access(class, at, Kind::Load, value, value)
    }

    pub fn store(&mut self, class: u8, at: u16, old: i32, new: i32) -> &mut Self {
        self.access(class, at, Kind::Store, old, new)
    }

    pub fn lock(&mut self) -> &mut Self {
        self.access(LOCK, 0, Kind::Lock, 0, 1)
    }

    pub fn unlock(&mut self) -> &mut Self {
        self.access(LOCK, 0, Kind::Unlock, 1, 0)
    }

    fn reference(&mut self, f: u32, change: RefChange, holder: Holder) -> &mut Self {
        let frame = FrameNumber(f);
        self.event(Event::PageRef { frame, change, count: 1, holder, done: true })
    }

    pub fn set(&mut self, f: u32, to: i32, holder: Holder) -> &mut Self {
        self.access(COUNT, f as u16, Kind::Store, 0, to).reference(f, RefChange::Set, holder)
    }

    /// A speculative reference on a count that is `from`.
    pub fn try_get(&mut self, f: u32, from: i32) -> &mut Self {
        self.access(COUNT, f as u16, Kind::IncNotZero, from, from + 1);
        self.reference(f, RefChange::TryGet, Holder::Lookup)
    }

    /// A reference dropped of a count that is `from`.
    pub fn put(&mut self, f: u32, from: i32, holder: Holder) -> &mut Self {
        self.access(COUNT, f as u16, Kind::Dec, from, from - 1);
        self.reference(f, RefChange::Put, holder)
    }

    pub fn alloc(&mut self, f: u32, order: u8) -> &mut Self {
        let (frame, order, from) = (FrameNumber(f), Order(order), FreeList::Buddy);
        self.event(Event::PageAlloc { frame, order, compound: false, from })
    }

    pub fn free(&mut self, f: u32, order: u8) -> &mut Self {
        let (frame, order, to) = (FrameNumber(f), Order(order), FreeList::Buddy);
        self.event(Event::PageFree { frame, order, to })
    }

    pub fn enters(&mut self, f: u32) -> &mut Self {
        self.event(Event::CacheAdd { mapping: 0, index: 0, frame: FrameNumber(f) })
    }

    pub fn leaves(&mut self, f: u32) -> &mut Self {
        self.event(Event::CacheDelete { mapping: 0, index: 0, frame: FrameNumber(f) })
    }

    pub fn retry(&mut self, f: u32) -> &mut Self {
        self.event(Event::LookupRetry { frame: FrameNumber(f) })
    }

    fn goes_on(&mut self, to: usize, why: SwitchReason) -> &mut Self {
        self.line(What::Switch { to: CpuId::new(to), why }).cpu(to)
    }

    /// A chosen switch, which the schedule that was executed then has, at some point of the operation.
    pub fn switch(&mut self, to: usize) -> &mut Self {
        if let Some(op) = self.op {
            let nth = self.run.executed.len() as u16 + 1;
            let at = Key { op, site: Site::Nth(nth) };
            self.run.executed.push(Decision { at, action: Action::Run(to as u8) });
        }
        self.goes_on(to, SwitchReason::Chosen)
    }

    pub fn ends(&mut self, to: usize) -> &mut Self {
        self.goes_on(to, SwitchReason::Ended)
    }

    pub fn waits(&mut self, object: Option<ObjectId>, waiting: Waiting, to: usize) -> &mut Self {
        self.goes_on(to, SwitchReason::Waits { object, waiting })
    }
}
