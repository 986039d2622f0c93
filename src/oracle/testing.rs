//! Hand-written runs: a trace is told line by line, the way a subject and an executor would.
//!
//! What it is not: an executor. Nothing checks that a script is possible, which is the point: oracles
//! must be shown what a correct subject never does.

use super::{Finding, Judge};
use crate::exec::trace::{Ending, Entry, OpEnd, Run, SwitchReason, TraceEvent, What};
use crate::program::{Case, OpId, OpInstance, Place};
use crate::subject::{
    Census, ClassSpec, FreeBlock, MAX_OPERANDS, ObjectId, OpSpec, ProfileSpec, RightSet, Spec,
};
use pagerace_core::event::{Event, FrameNumber, FreeList, Holder, Order, RefChange};
use pagerace_core::sync::{CpuId, Kind, Ordering, Waiting};

const fn op(name: &'static str) -> OpSpec {
    OpSpec {
        name,
        doc: "",
        operands: &[],
        takes: RightSet::NONE,
        gives: None,
        setup: true,
        simpler: &[],
        points: &[],
    }
}

const fn class(name: &'static str, refcount: bool) -> ClassSpec {
    ClassSpec { name, refcount }
}

/// Classes of [`SPEC`], by index.
pub const REFCOUNT: u8 = 0;
pub const ZONE_LOCK: u8 = 1;
pub const TREE_LOCK: u8 = 2;
pub const FLAGS: u8 = 3;

/// A subject with typed references.
pub static SPEC: Spec = Spec {
    injected: &[],
    name: "scripted",
    ops: &[op("read"), op("write")],
    rights: &[],
    fields: &[],
    switches: &[],
    retired: &[],
    profiles: &[ProfileSpec { name: "only", history: &[] }],
    races: &[],
    classes: &[
        class("refcount", true),
        class("zone_lock", false),
        class("tree_lock", false),
        class("flags", false),
    ],
    outcomes: &[],
    stack: 0,
};

/// A case whose CPU n runs the n-th operation of [`SPEC`], for as many CPUs.
pub fn case(cpus: u8) -> Case {
    let mut case = Case::empty(&SPEC);
    case.cpus = cpus;
    case.ops = (0..cpus)
        .map(|cpu| OpInstance {
            place: Place::Cpu(cpu),
            op: cpu % SPEC.ops.len() as u8,
            operands: [0; MAX_OPERANDS],
            right: None,
        })
        .collect();
    case
}

pub fn frame(n: u32) -> FrameNumber {
    FrameNumber(n)
}

/// A run under construction. CPU n is in operation n all the time, unless said otherwise.
pub struct Script {
    pub run: Run,
    cpu: CpuId,
    counts: [i32; 16],
}

impl Script {
    pub fn new() -> Self {
        let census = Census { frames: 8, max_order: Order(3), ..Census::default() };
        let run = Run { census, ..Run::empty(0) };
        Self { run, cpu: CpuId::new(0), counts: [0; 16] }
    }

    fn line(&mut self, what: What) -> &mut Self {
        let op = Some(OpId(self.cpu.index() as u8));
        self.run.trace.push(Entry { cpu: self.cpu, op, what });
        self
    }

    pub fn cpu(&mut self, cpu: usize) -> &mut Self {
        self.cpu = CpuId::new(cpu);
        self
    }

    pub fn op_start(&mut self) -> &mut Self {
        self.line(What::OpStart)
    }

    pub fn op_end(&mut self) -> &mut Self {
        self.line(What::OpEnd(OpEnd::Done { gave: false }))
    }

    pub fn event(&mut self, event: TraceEvent) -> &mut Self {
        self.line(What::Event(event))
    }

    pub fn access(&mut self, class: u8, at: u16, kind: Kind, old: i32, new: i32) -> &mut Self {
        let object = Some(ObjectId::new(class, at));
        let (old, new) = (old as u64, new as u64);
        self.line(What::Access { object, kind, nth: 1, order: Ordering::SeqCst, old, new })
    }

    /// The access of a refcount alone, without its event.
    pub fn count(&mut self, f: u32, kind: Kind, new: i32) -> &mut Self {
        let old = core::mem::replace(&mut self.counts[f as usize], new);
        self.access(REFCOUNT, f as u16, kind, old, new)
    }

    pub fn page_ref(&mut self, f: u32, change: RefChange, n: i32, holder: Holder) -> &mut Self {
        self.event(Event::PageRef { frame: frame(f), change, count: n, holder, done: true })
    }

    pub fn set(&mut self, f: u32) -> &mut Self {
        self.count(f, Kind::Store, 1).page_ref(f, RefChange::Set, 1, Holder::Owner)
    }

    pub fn get(&mut self, f: u32, holder: Holder) -> &mut Self {
        let new = self.counts[f as usize] + 1;
        self.count(f, Kind::Inc, new).page_ref(f, RefChange::Get, 1, holder)
    }

    pub fn put(&mut self, f: u32, holder: Holder) -> &mut Self {
        let new = self.counts[f as usize] - 1;
        self.count(f, Kind::Dec, new).page_ref(f, RefChange::Put, 1, holder)
    }

    pub fn taken(&mut self, f: u32, order: u8, compound: bool) -> &mut Self {
        let (frame, order, from) = (frame(f), Order(order), FreeList::Buddy);
        self.event(Event::PageAlloc { frame, order, compound, from })
    }

    /// Allocates a block and gives its head the owner's reference.
    pub fn alloc(&mut self, f: u32, order: u8, compound: bool) -> &mut Self {
        self.taken(f, order, compound).set(f)
    }

    pub fn free(&mut self, f: u32, order: u8) -> &mut Self {
        self.event(Event::PageFree { frame: frame(f), order: Order(order), to: FreeList::Buddy })
    }

    pub fn add(&mut self, f: u32) -> &mut Self {
        self.event(Event::CacheAdd { mapping: 0, index: 1, frame: frame(f) })
    }

    pub fn delete(&mut self, f: u32) -> &mut Self {
        self.event(Event::CacheDelete { mapping: 0, index: 1, frame: frame(f) })
    }

    pub fn lookup_start(&mut self) -> &mut Self {
        self.event(Event::LookupStart { mapping: 0, index: 1 })
    }

    pub fn lookup_end(&mut self, f: Option<u32>, locked: bool) -> &mut Self {
        self.event(Event::LookupEnd { mapping: 0, index: 1, frame: f.map(FrameNumber), locked })
    }

    pub fn lock(&mut self, class: u8, at: u16, kind: Kind) -> &mut Self {
        self.access(class, at, kind, 0, 1)
    }

    pub fn unlock(&mut self, class: u8, at: u16) -> &mut Self {
        self.access(class, at, Kind::Unlock, 1, 0)
    }

    pub fn wait(&mut self, class: u8, waiting: Waiting) -> &mut Self {
        let object = Some(ObjectId::new(class, 0));
        let why = SwitchReason::Waits { object, waiting };
        self.line(What::Switch { to: CpuId::new(0), why })
    }

    /// The census: these blocks are free.
    pub fn free_blocks(&mut self, blocks: &[(u32, u8)]) -> &mut Self {
        let list = FreeList::Buddy;
        self.run.census.free = blocks
            .iter()
            .map(|&(f, o)| FreeBlock { frame: frame(f), order: Order(o), list })
            .collect();
        self.run.census.refcounts = self.counts[..8].to_vec();
        self
    }

    /// The census: everything is free, in one block.
    pub fn all_free(&mut self) -> &mut Self {
        self.free_blocks(&[(0, 3)])
    }

    pub fn ending(&mut self, ending: Ending) -> &mut Self {
        self.run.ending = ending;
        self
    }

    pub fn find(&self) -> Option<Finding> {
        Judge::new(&SPEC).judge(&self.run, &case(2))
    }

    /// The signature of what is found; `-` for nothing.
    pub fn signature(&self) -> String {
        self.find().map_or("-".to_owned(), |finding| finding.signature.to_string())
    }
}
