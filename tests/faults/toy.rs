//! What `mm` cannot be made to do: a run that depends on something beside its case, and two locks whose
//! order depends on the set-up, so that no single case takes them in both.

use super::Hunt;
use pagerace::campaign::Discovery;
use pagerace::oracle::{Class, Kind};
use pagerace::program::generate::Fixed;
use pagerace::subject::{
    Call, Census, ClassSpec, Done, FieldSpec, Names, OpSpec, ProfileSpec, RightSet, Setup, Spec,
    Subject, SwitchSpec, VariantSpec,
};
use pagerace_core::sync::{AtomicU32, Controlled, CpuId, Ordering, SpinLock};
use std::cell::{Cell, RefCell};
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher, RandomState};

/// A counter and two locks.
struct Toy {
    counter: AtomicU32<Controlled>,
    locks: [SpinLock<Controlled>; 2],
    /// Which lock comes first.
    first: usize,
    fault: u8,
    /// Survives from run to run, as nothing of a subject may.
    runs: Cell<u32>,
    /// What the last operation allocated: the next one cannot get the same address.
    allocated: RefCell<Box<u64>>,
}

const fn op(name: &'static str) -> OpSpec {
    let (operands, takes) = (&[], RightSet::NONE);
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

const fn fault(name: &'static str, racy: bool) -> VariantSpec {
    VariantSpec { name, racy, doc: "For tests." }
}

const NONE: u8 = 0;
const INVERTS: u8 = 1;
/// Faults, each followed by its near miss: it asks the same, and the answer is always the same.
const SURVIVES: u8 = 2;
const RESET: u8 = 3;
const ADDRESS: u8 = 4;
const ALIGNMENT: u8 = 5;
const RANDOM_HASH: u8 = 6;
const FIXED_HASH: u8 = 7;

static SPEC: Spec = Spec {
    injected: &[],
    name: "wobbly",
    ops: &[op("count"), op("nest")],
    rights: &[],
    fields: &[FieldSpec { name: "first", doc: "the first lock", values: &[0, 1], drawn: 2 }],
    switches: &[SwitchSpec {
        name: "fault",
        variants: &[
            fault("none", false),
            fault("inverts", true),
            fault("survives-reset", true),
            fault("is-reset", false),
            fault("reads-an-address", true),
            fault("reads-an-alignment", false),
            fault("random-hash", true),
            fault("fixed-hash", false),
        ],
    }],
    retired: &[],
    profiles: &[ProfileSpec { name: "sound", history: &[NONE] }],
    races: &[],
    classes: &[
        ClassSpec { name: "counter", refcount: false },
        ClassSpec { name: "lock_a", refcount: false },
        ClassSpec { name: "lock_b", refcount: false },
    ],
    outcomes: &[],
    stack: 0,
};

impl Subject for Toy {
    type Right = ();

    fn spec() -> &'static Spec {
        &SPEC
    }

    fn new(_: &Setup<'_>) -> Self {
        Self {
            counter: AtomicU32::new(0),
            locks: [const { SpinLock::new() }; 2],
            first: 0,
            fault: NONE,
            runs: Cell::new(0),
            allocated: RefCell::default(),
        }
    }

    fn reset(&mut self, setup: &Setup<'_>) -> bool {
        self.fault = setup.history[0];
        self.first = if self.fault == INVERTS { setup.fields[0] as usize } else { 0 };
        self.counter.reset(0);
        self.locks.iter_mut().for_each(SpinLock::reset);
        self.runs.set(if self.fault == RESET { 0 } else { self.runs.get() + 1 });
        false
    }

    fn name(&self, names: &mut Names) {
        names.region(self);
        names.add(self.counter.addr(), 0, 0);
        for (at, lock) in self.locks.iter().enumerate() {
            names.add(lock.addr(), at + 1, 0);
        }
    }

    fn kind((): &()) -> u8 {
        0
    }

    fn execute(&self, _: CpuId, call: Call<()>) -> Done<()> {
        if call.op == 0 {
            self.counter.fetch_add(1 + self.strays(), Ordering::Relaxed);
        } else {
            let _outer = self.locks[self.first].lock();
            let _inner = self.locks[1 - self.first].lock();
        }
        Done::Ok(None)
    }

    fn give_back(&self, _: CpuId, (): ()) {}

    fn census(&self, _: &mut Census) {}
}

impl Toy {
    /// What reaches the counter, and so the trace, beside the case.
    fn strays(&self) -> u32 {
        let fixed = BuildHasherDefault::<DefaultHasher>::default();
        match self.fault {
            SURVIVES | RESET => self.runs.get(),
            ADDRESS => self.allocate(),
            ALIGNMENT => self.allocate() % align_of::<u64>() as u32,
            RANDOM_HASH => RandomState::new().hash_one(1) as u32,
            FIXED_HASH => fixed.hash_one(1) as u32,
            _ => 0,
        }
    }

    fn allocate(&self) -> u32 {
        let new = Box::new(0);
        let address = std::ptr::from_ref(&*new).addr() as u32;
        self.allocated.replace(new);
        address
    }
}

fn hunt(fault: u8, without: &[Class]) -> Vec<Discovery> {
    let hunt = Hunt {
        history: vec![fault],
        fixed: Fixed::default(),
        executions: 2_000,
        without: without.to_vec(),
        until: None,
        reduce: true,
    };
    hunt.run::<Toy>().1
}

#[test]
fn what_depends_on_more_than_its_case_is_nondeterministic() {
    for (fault, near_miss) in [(SURVIVES, RESET), (ADDRESS, ALIGNMENT), (RANDOM_HASH, FIXED_HASH)] {
        let found = hunt(fault, &[]);
        let first = found.first().unwrap_or_else(|| panic!("{fault} is not found"));
        assert_eq!(first.finding.signature.as_str(), "nondeterminism/trace");
        assert!(first.case.ops.iter().any(|op| op.op == 0), "{fault} is in the first operation");
        assert!(hunt(fault, &[Class::Nondeterminism]).is_empty(), "{fault} survives");
        assert!(hunt(near_miss, &[]).is_empty(), "{near_miss} is none");
    }
    assert!(hunt(NONE, &[]).is_empty());
}

#[test]
fn an_inversion_that_takes_two_cases_names_both() {
    let found = hunt(INVERTS, &[]);
    let [found] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!(found.finding.signature.as_str(), "lock-order/lock_a/lock_b");
    assert_eq!(found.kind, Kind::Sequential);
    assert!(found.reduced.is_none());
    let with = found.with.as_ref().expect("the other case");
    assert_ne!(with.fields, found.case.fields, "they take the locks in opposite orders");
    for case in [with, &found.case] {
        assert!(case.ops.iter().any(|op| op.op == 1));
    }
    // Neither shows it alone, and with the oracle switched off nothing does.
    assert!(hunt(INVERTS, &[Class::LockOrder]).is_empty());
}
