//! Executions per second, trace and oracles included, beside a new shuttle `Runner` per input.
//!
//! Baseline: for each input a new `shuttle_engine::Runner` with shuttle's `RandomScheduler` (no
//! persistence, the same stack size), a closure that resets the same `mm`, runs the same set-up,
//! spawns a task for each program and drains; the hook enters shuttle at every point and records
//! nothing. Beside it, on the same recorded cases:
//!
//! * *in process*: many cases in one warm execution, each run, traced and judged;
//! * *one case per execution*: the same with an execution for each case, as a fuzz target does it;
//! * *campaign*: what `hunt` does, drawing and editing its own cases and counting what met included;
//! * *inside libFuzzer*: the fuzz target `page_cache`, built as the README builds it, on inputs of its
//!   own making, its start not counted.
//!
//! All take turns in short rounds, so that a machine that changes speed changes all; medians of the
//! rounds are compared.
//!
//! Also counts the heap allocations per case in the steady state: those of a whole warm execution less
//! those of one that runs no case.
//!
//! Exits with 1 if in-process runs fewer than 20 times, or libFuzzer fewer than 5 times, as many cases
//! as the baseline, or if a case allocates; with 2 if there is no fuzz target to measure.

use pagerace::campaign::{self, Discovery, Sink, SinkError};
use pagerace::examine::Examiner;
use pagerace::exec::{Executor, STACK};
use pagerace::program::generate::{Fixed, Generator};
use pagerace::program::{Case, OpId, Place};
use pagerace::subject::mm::MmSubject;
use pagerace::subject::{Call, Done, Subject};
use pagerace_core::event::Event;
use pagerace_core::sync::{Access, Controlled, CpuId, Hook, Waiting};
use shuttle_engine::runtime::thread::switch;
use shuttle_engine::{Config, FailurePersistence, MaxSteps, Runner};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::{Cell, RefCell};
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// Counts heap allocations.
struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

// SAFETY: forwards to the system's allocator, unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's promise, passed on.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise, passed on.
        unsafe { System.dealloc(ptr, layout) }
    }
    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's promise, passed on.
        unsafe { System.realloc(ptr, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const CASES: usize = 2_048;
const ROUNDS: usize = 9;
const IN_PROCESS: f64 = 20.0;
const LIBFUZZER: f64 = 5.0;
/// Inputs of a round inside libFuzzer.
const INPUTS: usize = 30_000;
/// Cases of a round of the campaign.
const CAMPAIGN: u64 = 8_192;

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
}

fn bare() -> std::rc::Rc<Bare> {
    BARE.with_borrow(|bare| bare.clone()).expect("the input was put there")
}

/// One schedule, then the end: `RandomScheduler` with one iteration.
fn run_bare(case: &Case, seed: u64) {
    let mut subject = <MmSubject as Subject>::new(&case.setup());
    Subject::reset(&mut subject, &case.setup());
    let rights = RefCell::new(vec![None; case.ops.len()]);
    BARE.set(Some(std::rc::Rc::new(Bare { subject, rights, case: case.clone() })));
    let mut config = Config::new();
    config.stack_size = STACK;
    config.failure_persistence = FailurePersistence::None;
    config.max_steps = MaxSteps::None;
    config.silence_warnings = true;
    let scheduler = shuttle_schedulers::RandomScheduler::new_from_seed(seed, 1);
    Runner::new(scheduler, config).run(|| {
        let shared = bare();
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
    });
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn timed(work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_secs_f64()
}

fn cases() -> Vec<Case> {
    let spec = MmSubject::spec();
    let mut generator = Generator::new(spec, 1, Fixed::default());
    let mut case = Case::empty(spec);
    (0..CASES)
        .map(|_| {
            generator.fill(&mut case);
            case.clone()
        })
        .collect()
}

struct Ours {
    executor: Executor<MmSubject>,
    examiner: Examiner,
}

impl Ours {
    /// The in-process path.
    fn warm(&mut self, cases: &[Case]) {
        for cases in cases.chunks(256) {
            let examiner = &mut self.examiner;
            self.executor.session(|session| {
                for case in cases {
                    black_box(examiner.examine(session, case));
                }
            });
        }
    }

    fn one_by_one(&mut self, cases: &[Case]) {
        for case in cases {
            let run = self.executor.run(case);
            black_box(self.examiner.judge(run, case));
        }
    }

    /// Allocations per case of a warm execution, beyond those of opening it and of the generator.
    fn allocations(&mut self, cases: &[Case]) -> f64 {
        let mut count = |times: usize| {
            let before = ALLOCATIONS.load(Ordering::Relaxed);
            let examiner = &mut self.examiner;
            self.executor.session(|session| {
                for case in cases.iter().cycle().take(times) {
                    black_box(examiner.examine(session, case));
                }
            });
            ALLOCATIONS.load(Ordering::Relaxed) - before
        };
        count(CASES);
        // Shuttle keeps one step per switch of an execution; that it grows is its own.
        let (empty, full) = (count(0), count(CASES));
        full.saturating_sub(empty) as f64 / CASES as f64
    }
}

/// Keeps nothing.
struct Nowhere;

impl Sink for Nowhere {
    fn found(&self, _: &Discovery) -> Result<Option<String>, SinkError> {
        Ok(None)
    }
}

/// A campaign of one job on the fixed version.
fn hunt(seed: u64) {
    let config = campaign::Config {
        history: MmSubject::spec().profiles.last().expect("the fixed one").history.to_vec(),
        seed,
        jobs: 1,
        executions: Some(CAMPAIGN),
        time: None,
        keep_going: true,
        reduce: false,
        without: Vec::new(),
        fixed: Fixed::default(),
        started: Instant::now(),
    };
    let summary = campaign::run::<MmSubject>(&config, &campaign::Progress::default(), &Nowhere);
    assert_eq!(summary.expect("nothing refuses it").executions, CAMPAIGN);
}

/// The fuzz target, if it was built; its edges' overhead is part of what is measured.
fn fuzz_target() -> Option<PathBuf> {
    let built = "fuzz/target/x86_64-unknown-linux-gnu/release/page_cache";
    let path = std::env::var_os("PAGERACE_FUZZ_TARGET").map_or_else(|| built.into(), PathBuf::from);
    path.is_file().then_some(path)
}

/// Runs so many inputs inside libFuzzer, from an empty corpus that is not kept.
fn fuzz(target: &Path, inputs: usize, seed: usize) {
    let status = Command::new(target)
        .args([format!("-runs={inputs}"), format!("-seed={}", seed + 1)])
        .env("PAGERACE_CORPUS", "off")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    assert!(status.is_ok_and(|status| status.success()), "the target runs and finds nothing");
}

fn main() {
    let cases = cases();
    let target = fuzz_target();
    let mut ours = Ours { executor: Executor::new(), examiner: Examiner::new(MmSubject::spec()) };
    ours.warm(&cases[..256]);
    let mut times = [const { Vec::new() }; 6];
    for round in 0..ROUNDS {
        let guard = Controlled::install(&EveryPoint);
        times[0].push(timed(|| {
            for (seed, case) in cases.iter().enumerate() {
                run_bare(case, (round * CASES + seed) as u64);
            }
        }));
        drop(guard);
        times[1].push(timed(|| ours.warm(&cases)));
        times[2].push(timed(|| ours.one_by_one(&cases)));
        times[3].push(timed(|| hunt(round as u64)));
        if let Some(target) = &target {
            times[4].push(timed(|| fuzz(target, INPUTS, round)));
            times[5].push(timed(|| fuzz(target, 1, round)));
        }
    }
    let rate = |times: &[f64], cases: usize| cases as f64 / median(times.to_vec());
    let bare = rate(&times[0], CASES);
    println!("a new shuttle Runner per input: {bare:.0} executions/s");
    let warm = rate(&times[1], CASES) / bare;
    println!("in process: {:.0} executions/s, ratio {warm:.1} (limit {IN_PROCESS})", warm * bare);
    for (name, rate) in [
        ("one case per execution", rate(&times[2], CASES)),
        ("campaign", rate(&times[3], CAMPAIGN as usize)),
    ] {
        println!("{name}: {rate:.0} executions/s, ratio {:.1}", rate / bare);
    }
    let allocations = ours.allocations(&cases);
    println!("allocations per case: {allocations:.3} (limit 0)");
    let Some(target) = target else {
        eprintln!(
            "error: there is no fuzz target to measure\n\
             run: cargo +stable fuzz build -O -s none page_cache\n\
             or name a built one in PAGERACE_FUZZ_TARGET"
        );
        std::process::exit(2);
    };
    let start: f64 = median(times[5].clone());
    let inside = INPUTS as f64 / (median(times[4].clone()) - start) / bare;
    let rate = inside * bare;
    println!("inside libFuzzer: {rate:.0} executions/s, ratio {inside:.1} (limit {LIBFUZZER})");
    println!("measured: {}", target.display());
    if warm < IN_PROCESS || inside < LIBFUZZER || allocations > 0.0 {
        std::process::exit(1);
    }
}
