//! What `mm` cannot be made to do: a run that depends on the one before, and two locks whose order
//! depends on the set-up, so that no single case takes them in both.

use super::Hunt;
use pagerace::campaign::Discovery;
use pagerace::oracle::{Class, Kind};
use pagerace::program::generate::Fixed;
use pagerace::subject::{
    Call, Census, ClassSpec, Done, FieldSpec, Names, OpSpec, ProfileSpec, RightSet, Setup, Spec,
    Subject, SwitchSpec, VariantSpec,
};
use pagerace_core::sync::{AtomicU32, Controlled, CpuId, Ordering, SpinLock};
use std::cell::Cell;

/// A counter and two locks.
struct Toy {
    counter: AtomicU32<Controlled>,
    locks: [SpinLock<Controlled>; 2],
    /// Which lock comes first.
    first: usize,
    fault: u8,
    /// Survives from run to run, as nothing of a subject may.
    runs: Cell<u32>,
}

const fn op(name: &'static str) -> OpSpec {
    let (operands, takes) = (&[], RightSet::NONE);
    OpSpec { name, doc: "For tests.", operands, takes, gives: None, setup: true, simpler: &[] }
}

const fn fault(name: &'static str, racy: bool) -> VariantSpec {
    VariantSpec { name, racy, doc: "For tests." }
}

const NONE: u8 = 0;
const WOBBLES: u8 = 1;
const INVERTS: u8 = 2;

static SPEC: Spec = Spec {
    name: "wobbly",
    ops: &[op("count"), op("nest")],
    rights: &[],
    fields: &[FieldSpec { name: "first", doc: "the first lock", values: &[0, 1], drawn: 2 }],
    switches: &[SwitchSpec {
        name: "fault",
        variants: &[fault("none", false), fault("wobbles", true), fault("inverts", true)],
    }],
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
        }
    }

    fn reset(&mut self, setup: &Setup<'_>) -> bool {
        self.fault = setup.history[0];
        self.first = if self.fault == INVERTS { setup.fields[0] as usize } else { 0 };
        self.counter.reset(0);
        self.locks.iter_mut().for_each(SpinLock::reset);
        self.runs.set(self.runs.get() + 1);
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
            self.counter.fetch_add(1, Ordering::Relaxed);
            if self.fault == WOBBLES && self.runs.get() % 2 == 1 {
                self.counter.load(Ordering::Relaxed);
            }
        } else {
            let _outer = self.locks[self.first].lock();
            let _inner = self.locks[1 - self.first].lock();
        }
        Done::Ok(None)
    }

    fn give_back(&self, _: CpuId, (): ()) {}

    fn census(&self, _: &mut Census) {}
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
fn a_subject_that_remembers_the_run_before_is_nondeterministic() {
    let found = hunt(WOBBLES, &[]);
    assert_eq!(found[0].finding.signature.as_str(), "nondeterminism/trace");
    assert!(hunt(WOBBLES, &[Class::Nondeterminism]).is_empty());
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
