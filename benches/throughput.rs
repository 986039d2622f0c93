//! Executions per second, trace and oracles included, beside a new shuttle `Runner` per input.
//!
//! The baseline is in `bare`. Beside it, on the same recorded cases:
//!
//! * *in process*: many cases in one warm execution, each run, traced and judged;
//! * *the operations alone*: the same operations one after the other, without a hook, so that nothing is
//!   recorded, decided or judged: what no executor can be faster than;
//! * *one case per execution*: as in process, with an execution for each case;
//! * *campaign*: what `hunt` does, drawing and editing its own cases and counting what met included;
//! * *inside libFuzzer*: the fuzz target `page_cache` beside the baseline as a fuzz target
//!   (`benches/plain`), both as cargo-fuzz builds them, each of the cases as an input, starts not counted.
//!
//! All take turns in short rounds, so that a machine that changes speed changes all; medians of the
//! rounds are compared.
//!
//! Also counts the heap allocations per case in the steady state: those of a whole warm execution less
//! those of one that runs no case.
//!
//! Exits with 1 if fewer than 20 times as many cases run in process as with the baseline, or fewer than 5
//! times as many inside libFuzzer, or if a case allocates; with 2 if the fuzz targets were not built.

mod bare;

use pagerace::campaign::{self, Discovery, Sink, SinkError};
use pagerace::examine::Examiner;
use pagerace::exec::Executor;
use pagerace::program::generate::{Fixed, Generator};
use pagerace::program::{Case, wire};
use pagerace::subject::Subject;
use pagerace::subject::mm::MmSubject;
use std::alloc::{GlobalAlloc, Layout, System};
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
/// Shuttle keeps one step per switch of an execution: that this list grows is its own.
const ALLOCATIONS_LEFT: f64 = 0.01;
/// Cases of a round of the campaign.
const CAMPAIGN: u64 = 8_192;

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

    /// The operations alone: set-up, then CPU by CPU, then the drain.
    fn alone(cases: &[Case]) {
        let mut memory = <MmSubject as Subject>::new(&cases[0].setup());
        for case in cases {
            Subject::reset(&mut memory, &case.setup());
            memory = bare::in_order(memory, case);
        }
        black_box(memory);
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

/// The fuzz target and the baseline's, as `ci/bench.sh` builds them.
fn fuzz_targets() -> Option<[PathBuf; 2]> {
    let built = ["fuzz/target", "target/plain"].into_iter().zip(["page_cache", "plain"]);
    let paths = built.map(|(dir, name)| format!("{dir}/x86_64-unknown-linux-gnu/release/{name}"));
    let paths: Vec<PathBuf> = paths.map(PathBuf::from).filter(|path| path.is_file()).collect();
    paths.try_into().ok()
}

/// Lets libFuzzer run all inputs in a folder once.
fn fuzz(target: &Path, inputs: &Path) {
    let status = Command::new(target)
        .arg("-runs=0")
        .arg(inputs)
        .env("PAGERACE_CORPUS", "off")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    assert!(status.is_ok_and(|status| status.success()), "the target runs and finds nothing");
}

/// A folder with the cases as inputs, and one with none.
fn inputs(cases: &[Case]) -> [tempfile::TempDir; 2] {
    let folders = [(), ()].map(|()| tempfile::tempdir().expect("there is room for a folder"));
    for (n, case) in cases.iter().enumerate() {
        let bytes = wire::encode(MmSubject::spec(), case);
        let path = folders[0].path().join(n.to_string());
        std::fs::write(path, bytes).expect("there is room for the inputs");
    }
    folders
}

fn main() {
    let cases = cases();
    let targets = fuzz_targets();
    let [all, none] = inputs(&cases);
    let mut ours = Ours { executor: Executor::new(), examiner: Examiner::new(MmSubject::spec()) };
    ours.warm(&cases[..256]);
    let mut times = [const { Vec::new() }; 5];
    let mut inside = [const { Vec::new() }; 2];
    for round in 0..ROUNDS {
        times[0].push(timed(|| {
            for (seed, case) in cases.iter().enumerate() {
                bare::run(case, (round * CASES + seed) as u64);
            }
        }));
        times[1].push(timed(|| ours.warm(&cases)));
        times[2].push(timed(|| Ours::alone(&cases)));
        times[3].push(timed(|| ours.one_by_one(&cases)));
        times[4].push(timed(|| hunt(round as u64)));
        for (target, times) in targets.iter().flatten().zip(&mut inside) {
            let start = timed(|| fuzz(target, none.path()));
            times.push(timed(|| fuzz(target, all.path())) - start);
        }
    }
    let rate = |times: &[f64], cases: usize| cases as f64 / median(times.to_vec());
    let bare = rate(&times[0], CASES);
    println!("a new shuttle Runner per input: {bare:.0} executions/s");
    let warm = rate(&times[1], CASES) / bare;
    println!("in process: {:.0} executions/s, ratio {warm:.1} (limit {IN_PROCESS})", warm * bare);
    for (name, rate) in [
        ("the operations alone", rate(&times[2], CASES)),
        ("one case per execution", rate(&times[3], CASES)),
        ("campaign", rate(&times[4], CAMPAIGN as usize)),
    ] {
        println!("{name}: {rate:.0} executions/s, ratio {:.1}", rate / bare);
    }
    let allocations = ours.allocations(&cases);
    println!("allocations per case: {allocations:.3} (limit {ALLOCATIONS_LEFT})");
    if targets.is_none() {
        eprintln!("error: the fuzz targets to measure were not built; run: sh ci/bench.sh");
        std::process::exit(2);
    }
    let [ours, plain] = inside.map(|times| rate(&times, CASES));
    let inside = ours / plain;
    println!("a new shuttle Runner per input inside libFuzzer: {plain:.0} executions/s");
    println!("inside libFuzzer: {ours:.0} executions/s, ratio {inside:.1} (limit {LIBFUZZER})");
    if warm < IN_PROCESS || inside < LIBFUZZER || allocations > ALLOCATIONS_LEFT {
        std::process::exit(1);
    }
}
