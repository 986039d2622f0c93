//! A subject for the executor's own tests: registers, two locks, a bell, and ways to misbehave.

use crate::subject::{
    Call, Census, ClassSpec, Done, Names, OpSpec, OperandSpec, ProfileSpec, RightSet, Setup, Spec,
    Subject,
};
use pagerace_core::sync::{
    AtomicU32, Backend, Controlled, CpuId, Guarded, Ordering, SpinLock, Watch, relax, wait_on, wake,
};

/// The toy's state.
pub(crate) struct Toy {
    registers: [AtomicU32<Controlled>; 4],
    locks: [SpinLock<Controlled>; 2],
    bell: AtomicU32<Controlled>,
    guarded: Guarded<Controlled, u32>,
}

const REGISTER: OperandSpec = OperandSpec { name: "register", limit: 4, field: None };

const fn op(name: &'static str, operands: &'static [OperandSpec]) -> OpSpec {
    OpSpec {
        name,
        doc: "A toy operation.",
        operands,
        takes: RightSet::NONE,
        gives: None,
        setup: false,
        simpler: &[],
        points: &[],
    }
}

pub(crate) const BUMP: u8 = 0;
pub(crate) const TWICE: u8 = 1;
pub(crate) const LOCK_AB: u8 = 2;
pub(crate) const LOCK_BA: u8 = 3;
pub(crate) const SLEEP: u8 = 4;
pub(crate) const RING: u8 = 5;
pub(crate) const BOOM: u8 = 6;
pub(crate) const SPIN: u8 = 7;
pub(crate) const RELAX: u8 = 8;
pub(crate) const UNLOCKED: u8 = 9;

static SPEC: Spec = Spec {
    injected: &[],
    name: "toy",
    ops: &[
        op("bump", &[REGISTER]),
        op("twice", &[REGISTER]),
        op("lock_ab", &[]),
        op("lock_ba", &[]),
        op("sleep", &[]),
        op("ring", &[]),
        op("boom", &[]),
        op("spin", &[REGISTER]),
        op("relax", &[REGISTER]),
        op("unlocked", &[]),
    ],
    rights: &[],
    fields: &[],
    switches: &[],
    retired: &[],
    profiles: &[ProfileSpec { name: "toy", history: &[] }],
    races: &[],
    classes: &[
        ClassSpec { name: "register", refcount: false },
        ClassSpec { name: "lock", refcount: false },
        ClassSpec { name: "bell", refcount: false },
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
            registers: [const { AtomicU32::new(0) }; 4],
            locks: [const { SpinLock::new() }; 2],
            bell: AtomicU32::new(0),
            guarded: Guarded::new(0),
        }
    }

    fn reset(&mut self, _: &Setup<'_>) -> bool {
        for register in &mut self.registers {
            register.reset(0);
        }
        for lock in &mut self.locks {
            lock.reset();
        }
        self.bell.reset(0);
        self.guarded.reset(0);
        false
    }

    fn name(&self, names: &mut Names) {
        names.region(self);
        for (i, register) in self.registers.iter().enumerate() {
            names.add(register.addr(), 0, i);
        }
        for (i, lock) in self.locks.iter().enumerate() {
            names.add(lock.addr(), 1, i);
        }
        names.add(self.bell.addr(), 2, 0);
    }

    fn kind((): &()) -> u8 {
        0
    }

    fn execute(&self, _: CpuId, call: Call<()>) -> Done<()> {
        let register = &self.registers[call.operands[0] as usize];
        match call.op as u8 {
            BUMP => {
                let seen = register.load(Ordering::Relaxed);
                register.store(seen + 1, Ordering::Relaxed);
            }
            TWICE => {
                register.fetch_add(1, Ordering::Relaxed);
                register.fetch_add(1, Ordering::Relaxed);
            }
            LOCK_AB | LOCK_BA => {
                let first = usize::from(call.op as u8 == LOCK_BA);
                let _outer = self.locks[first].lock();
                let _inner = self.locks[1 - first].lock();
                self.guarded.set(&self.locks[0], 1);
            }
            SLEEP => wait_on(&self.bell, |rung| rung == 0),
            RING => {
                self.bell.store(1, Ordering::Release);
                wake(&self.bell);
            }
            BOOM => {
                let _held = self.locks[0].lock();
                panic!("the toy goes boom");
            }
            SPIN => while register.load(Ordering::Relaxed) == 0 {},
            RELAX => loop {
                let seen = register.load(Ordering::Relaxed);
                if seen != 0 {
                    break;
                }
                relax::<Controlled>(&[&(register, seen) as &dyn Watch]);
            },
            _ => self.guarded.set(&self.locks[0], 2),
        }
        Done::Ok(None)
    }

    fn give_back(&self, _: CpuId, (): ()) {}

    fn drain(&self, _: CpuId) {}

    fn census(&self, census: &mut Census) {
        census.frames = self.registers.iter().map(|r| r.peek() as usize).sum();
        let _ = Controlled::cpu();
    }
}
