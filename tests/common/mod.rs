//! What the tests of the corpus put under test: counters whose `bump` is atomic, or was not once.
//!
//! What it is not: an allocator. One switch is enough to have a race, its fix, and an entry.

#![allow(dead_code, reason = "each test target uses a part of it")]
#![allow(missing_docs, reason = "a test's own module")]

pub mod mount;

use pagerace::corpus::{Entry, Provenance};
use pagerace::examine::Examiner;
use pagerace::exec::Executor;
use pagerace::oracle::{Class, Kind, Signature};
use pagerace::program::{Action, Case, Decision, Key, OpId, OpInstance, Place, Site, text};
use pagerace::subject::{
    Call, Census, ClassSpec, Done, Names, OpSpec, OperandSpec, ProfileSpec, RightSet, Setup, Spec,
    Subject, SwitchSpec, VariantSpec,
};
use pagerace_core::sync::{AtomicU32, Controlled, CpuId, Kind as Access, Ordering};
use std::cell::Cell;

/// Two counters, and how often each should have been bumped.
pub struct Counters {
    counters: [AtomicU32<Controlled>; 2],
    bumped: [Cell<u32>; 2],
    split: bool,
}

const COUNTER: OperandSpec = OperandSpec { name: "counter", limit: 2, field: None };

const fn op(name: &'static str, operands: &'static [OperandSpec]) -> OpSpec {
    let takes = RightSet::NONE;
    OpSpec {
        name,
        doc: "For tests.",
        operands,
        takes,
        gives: None,
        setup: true,
        simpler: &[],
        points: &[],
    }
}

pub static SPEC: Spec = Spec {
    injected: &[],
    name: "counters",
    ops: &[
        op("bump", &[COUNTER]),
        op("read", &[COUNTER]),
        OpSpec { gives: Some(0), ..op("take", &[]) },
        OpSpec { takes: RightSet::of(&[0]), ..op("give", &[]) },
        op("lose", &[COUNTER]),
        op("tally", &[COUNTER]),
    ],
    rights: &["thing"],
    fields: &[],
    switches: &[SwitchSpec {
        name: "bump",
        variants: &[
            VariantSpec { name: "atomic", racy: false, doc: "One access." },
            VariantSpec { name: "split", racy: true, doc: "A load, then a store." },
        ],
    }],
    retired: &[],
    profiles: &[
        ProfileSpec { name: "current", history: &[0] },
        ProfileSpec { name: "old", history: &[1] },
    ],
    classes: &[ClassSpec { name: "counter", refcount: false }],
    races: &[],
    outcomes: &[],
    stack: 0,
};

pub const BUMP: u8 = 0;
pub const READ: u8 = 1;
pub const GIVE: u8 = 3;
pub const LOSE: u8 = 4;
pub const TALLY: u8 = 5;

impl Subject for Counters {
    type Right = ();

    fn spec() -> &'static Spec {
        &SPEC
    }

    fn new(_: &Setup<'_>) -> Self {
        Self {
            counters: std::array::from_fn(|_| AtomicU32::new(0)),
            bumped: std::array::from_fn(|_| Cell::new(0)),
            split: false,
        }
    }

    fn reset(&mut self, setup: &Setup<'_>) -> bool {
        self.split = setup.history[0] == 1;
        self.counters.iter_mut().for_each(|counter| counter.reset(0));
        self.bumped.iter().for_each(|bumped| bumped.set(0));
        false
    }

    fn name(&self, names: &mut Names) {
        names.region(self);
        for (i, counter) in self.counters.iter().enumerate() {
            names.add(counter.addr(), 0, i);
        }
    }

    fn kind((): &()) -> u8 {
        0
    }

    fn execute(&self, _: CpuId, call: Call<()>) -> Done<()> {
        let at = call.operands[0] as usize;
        let counter = &self.counters[at];
        let should = &self.bumped[at];
        match call.op as u8 {
            BUMP if self.split => {
                let seen = counter.load(Ordering::Relaxed);
                counter.store(seen + 1, Ordering::Relaxed);
                should.set(should.get() + 1);
            }
            BUMP => {
                counter.fetch_add(1, Ordering::Relaxed);
                should.set(should.get() + 1);
            }
            READ => drop(counter.load(Ordering::Relaxed)),
            LOSE => should.set(should.get() + u32::from(self.split)),
            TALLY => {
                // Its "fix" only puts a store before the window, which is then not where it was.
                if !self.split {
                    self.counters[1 - at].store(0, Ordering::Relaxed);
                }
                let seen = counter.load(Ordering::Relaxed);
                counter.store(seen + 1, Ordering::Relaxed);
                should.set(should.get() + 1);
            }
            GIVE => {}
            _ => return Done::Ok(Some(())),
        }
        Done::Ok(None)
    }

    fn give_back(&self, _: CpuId, (): ()) {}

    fn drain(&self, _: CpuId) {}

    fn census(&self, census: &mut Census) {
        if self.counters.iter().zip(&self.bumped).any(|(is, should)| is.peek() != should.get()) {
            census.broken.push("lost-update");
        }
    }
}

/// CPU 1 bumps between the load and the store of CPU 0.
pub fn lost_update() -> Case {
    let mut case = Case::empty(&SPEC);
    case.set_profile(&SPEC.profiles[1]);
    for cpu in 0..2 {
        case.ops.push(OpInstance {
            place: Place::Cpu(cpu),
            op: BUMP,
            operands: [0; 2],
            right: None,
        });
    }
    let site = Site::Named { class: 0, kind: Access::Store, nth: 1 };
    case.decisions.push(Decision { at: Key { op: OpId(0), site }, action: Action::Run(1) });
    case.normalize();
    case
}

pub const BY: Provenance<'static> =
    Provenance { by: "a test", profile: "old", seed: Some(7), executions: None };

pub fn lost() -> Signature {
    Signature::new(Class::Overlap, &["lost-update"])
}

/// The entry of [`lost_update`].
pub fn entry() -> Entry {
    Entry::found(&lost_update(), &lost(), Kind::Race, &BY, true)
}

/// The entry of another finding, with as many operations as wanted so that files have different sizes.
pub fn entry_called(detail: &str, ops: usize) -> Entry {
    let mut case = lost_update();
    for _ in 2..ops {
        let op = OpInstance { place: Place::Cpu(1), op: READ, operands: [1, 0], right: None };
        case.ops.push(op);
    }
    case.normalize();
    Entry::found(&case, &Signature::new(Class::Overlap, &[detail]), Kind::Race, &BY, true)
}

/// The entry that this text is.
pub fn entry_of(text: &str) -> Entry {
    let document = text::parse(&SPEC, text.as_bytes()).unwrap_or_else(|e| panic!("{e}\n{text}"));
    Entry::new(document).expect("it expects something")
}

pub fn tools() -> (Executor<Counters>, Examiner) {
    (Executor::new(), Examiner::new(&SPEC))
}
