//! The baselines: a new shuttle `Runner` for each input, which is what a harness looks like that was
//! written from shuttle's documentation, and one `Runner` for all, which is what shuttle is fastest at.
//!
//! A closure resets the same `mm`, runs the same set-up, spawns a task for each program and drains. The
//! hook enters shuttle at every point and records nothing; nothing is judged. Shared by the benchmark and
//! by the fuzz target that stands beside it.
//!
//! What it is not: a way to find anything.

use pagerace::exec::STACK;
use pagerace::program::{Case, OpId, Place};
use pagerace::subject::mm::MmSubject;
use pagerace::subject::{Call, Done, Subject};
use pagerace_core::event::Event;
use pagerace_core::sync::{Access, Controlled, CpuId, Hook, Waiting};
use shuttle_engine::runtime::thread::switch;
use shuttle_engine::{Config, FailurePersistence, MaxSteps, Runner};
use std::cell::{Cell, RefCell};

type Right = <MmSubject as Subject>::Right;

/// The baseline's hook: a switch at every point, and nothing else.
struct EveryPoint;

thread_local! {
    static CPU: Cell<usize> = const { Cell::new(0) };
    static PROGRAMS: Cell<bool> = const { Cell::new(false) };
}

impl Hook for EveryPoint {
    fn before(&self, access: Access) {
        if access.kind.is_point() && PROGRAMS.get() {
            let cpu = CPU.get();
            switch();
            CPU.set(cpu);
        }
    }
    fn after(&self, _: u64, _: u64) {}
    fn fails(&self) -> bool {
        false
    }
    fn wait(&self, _: &[usize], _: Waiting) {
        let cpu = CPU.get();
        switch();
        CPU.set(cpu);
    }
    fn wake(&self, _: usize) {}
    fn event(&self, _: Event) {}
    fn outcome(&self, _: usize) {}
    fn cpu(&self) -> CpuId {
        CpuId::new(CPU.get())
    }
}

/// What the baseline's tasks share.
struct Bare {
    subject: MmSubject,
    rights: RefCell<Vec<Option<Right>>>,
    case: Case,
}

impl Bare {
    fn new(subject: MmSubject, case: &Case) -> Self {
        let rights = RefCell::new(vec![None; case.ops.len()]);
        Self { subject, rights, case: case.clone() }
    }

    fn program(&self, place: Place, cpu: usize) {
        CPU.set(cpu);
        for (id, op) in self.case.program(place) {
            let takes = MmSubject::spec().ops[usize::from(op.op)].takes;
            let right =
                op.right.and_then(|from| self.take(from, |r| takes.has(MmSubject::kind(r))));
            if !takes.is_empty() && right.is_none() {
                continue;
            }
            let call = Call { op: usize::from(op.op), operands: op.operands, right };
            match self.subject.execute(CpuId::new(cpu), call) {
                Done::Ok(gave) => self.rights.borrow_mut()[id.index()] = gave,
                Done::Skipped(back) => {
                    if let Some(from) = op.right {
                        self.rights.borrow_mut()[from.index()] = back;
                    }
                }
                Done::Failed => {}
            }
        }
    }

    fn take(&self, from: OpId, wanted: impl Fn(&Right) -> bool) -> Option<Right> {
        let mut rights = self.rights.borrow_mut();
        let place = &mut rights[from.index()];
        if place.as_ref().is_some_and(wanted) { place.take() } else { None }
    }

    fn drain(&self) {
        CPU.set(0);
        loop {
            let Some(right) = self.rights.borrow_mut().pop() else { break };
            if let Some(right) = right {
                self.subject.give_back(CpuId::new(0), right);
            }
        }
        Subject::drain(&self.subject, CpuId::new(0));
    }
}

thread_local! {
    static BARE: RefCell<Option<std::rc::Rc<Bare>>> = const { RefCell::new(None) };
    /// The subject, between two iterations.
    static SUBJECT: RefCell<Option<MmSubject>> = const { RefCell::new(None) };
}

fn bare() -> std::rc::Rc<Bare> {
    BARE.with_borrow(|bare| bare.clone()).expect("the input was put there")
}

/// Runs a case under one random schedule: `RandomScheduler` with one iteration.
pub fn run(case: &Case, seed: u64) {
    let _guard = Controlled::install(&EveryPoint);
    prepare(<MmSubject as Subject>::new(&case.setup()), case);
    let scheduler = shuttle_schedulers::RandomScheduler::new_from_seed(seed, 1);
    Runner::new(scheduler, config()).run(|| perform(&bare()));
}

/// Runs all cases under random schedules: one `RandomScheduler`, with an iteration for each.
pub fn run_all(cases: &[Case], seed: u64) {
    let _guard = Controlled::install(&EveryPoint);
    let cases: std::sync::Arc<[Case]> = cases.into();
    let scheduler = shuttle_schedulers::RandomScheduler::new_from_seed(seed, cases.len());
    let next = std::sync::atomic::AtomicUsize::new(0);
    SUBJECT.set(Some(<MmSubject as Subject>::new(&cases[0].setup())));
    Runner::new(scheduler, config()).run(move || {
        let case = &cases[next.fetch_add(1, std::sync::atomic::Ordering::Relaxed)];
        prepare(SUBJECT.take().expect("the iteration before put it back"), case);
        perform(&bare());
        let shared = BARE.take().and_then(std::rc::Rc::into_inner);
        SUBJECT.set(Some(shared.expect("all tasks have ended").subject));
    });
}

fn prepare(mut subject: MmSubject, case: &Case) {
    Subject::reset(&mut subject, &case.setup());
    BARE.set(Some(std::rc::Rc::new(Bare::new(subject, case))));
}

fn config() -> Config {
    let mut config = Config::new();
    config.stack_size = STACK;
    config.failure_persistence = FailurePersistence::None;
    config.max_steps = MaxSteps::None;
    config.silence_warnings = true;
    config
}

/// Set-up, programs and drain, as the first task of an execution.
fn perform(shared: &Bare) {
    PROGRAMS.set(false);
    shared.program(Place::Setup, 0);
    PROGRAMS.set(true);
    let tasks: Vec<_> = (0..shared.case.cpus)
        .filter(|&cpu| shared.case.program(Place::Cpu(cpu)).next().is_some())
        .map(|cpu| {
            shuttle_std::thread::spawn(move || {
                bare().program(Place::Cpu(cpu), usize::from(cpu));
            })
        })
        .collect();
    for task in tasks {
        task.join().expect("no operation panics on the fixed profile");
    }
    PROGRAMS.set(false);
    shared.drain();
}

/// Runs the programs one after the other, without a hook and without shuttle. The memory was reset for the
/// case.
pub fn in_order(memory: MmSubject, case: &Case) -> MmSubject {
    let bare = Bare::new(memory, case);
    bare.program(Place::Setup, 0);
    for cpu in 0..case.cpus {
        bare.program(Place::Cpu(cpu), usize::from(cpu));
    }
    bare.drain();
    bare.subject
}
