//! Executions per second, trace and oracles included, beside a new shuttle `Runner` per input.
//!
//! The baseline is in `bare`. Beside it, on the same recorded cases:
//!
//! * *in process*: many cases in one warm execution, each run, traced and judged;
//! * *the operations alone*: the same operations one after the other, under a hook that does nothing, so that nothing
//!   is recorded, decided or judged: what no executor can be faster than;
//! * *small cases*: the baseline and in process once more, on the cases of at most 24 accesses, those of
//!   set-up and drain included. That is the size the limit was set for; a new Runner costs much the same for every case, so that the ratio falls as
//!   cases grow;
//! * *one case per execution*: as in process, with an execution for each case;
//! * *one case per call*: as a fuzz target does it, returning to the caller after each case, with an
//!   execution that is kept;
//! * *campaign*: what `hunt` does, drawing and editing its own cases and counting what met included;
//! * *inside libFuzzer*: the fuzz target `page_cache` beside the baseline as a fuzz target
//!   (`benches/plain`), both as cargo-fuzz builds them, each of the cases as an input, starts not counted;
//! * *fuzzing*: the same two, each mutating from there on, as `cargo fuzz run` has them do: reading files is
//!   not counted, but the inputs are no longer the same.
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
use pagerace::exec::trace::What;
use pagerace::exec::{Executor, Resident};
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
/// The most accesses of a small case.
const SMALL: usize = 24;
const LIBFUZZER: f64 = 5.0;
/// Shuttle keeps one step per switch of an execution: that this list grows is its own.
const ALLOCATIONS_LEFT: f64 = 0.01;
/// Mutated inputs of a round inside libFuzzer.
const MUTATED: usize = 20_000;
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
    resident: Resident<MmSubject>,
    examiner: Examiner,
}

impl Ours {
    fn new() -> Self {
        Self {
            executor: Executor::new(),
            resident: Resident::new(),
            examiner: Examiner::new(MmSubject::spec()),
        }
    }

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

    /// The small ones among the cases, and how many accesses these have on average.
    fn small(&mut self, cases: &[Case]) -> (Vec<Case>, f64) {
        let accesses = |what: &What| matches!(what, What::Access { .. });
        let mut total = 0;
        let small: Vec<Case> = cases
            .iter()
            .filter(|case| {
                let run = self.executor.run(case);
                let size = run.trace.iter().filter(|entry| accesses(&entry.what)).count();
                total += if size <= SMALL { size } else { 0 };
                size <= SMALL
            })
            .cloned()
            .collect();
        assert!(!small.is_empty(), "some cases are small");
        let average = total as f64 / small.len() as f64;
        (small, average)
    }

    fn one_by_one(&mut self, cases: &[Case]) {
        for case in cases {
            let run = self.executor.run(case);
            black_box(self.examiner.judge(run, case));
        }
    }

    fn by_call(&mut self, cases: &[Case]) {
        for case in cases {
            let run = self.resident.run(case);
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

/// Lets libFuzzer run all inputs in a folder once, and then so many mutated ones.
fn fuzz(target: &Path, inputs: &Path, mutated: usize) {
    let evolved = tempfile::tempdir().expect("there is room for a folder");
    let runs = if mutated == 0 { 0 } else { CASES + mutated };
    let status = Command::new(target)
        .args([format!("-runs={runs}"), "-seed=1".to_owned()])
        .args([evolved.path(), inputs])
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

/// What the rounds took, in seconds.
#[derive(Default)]
struct Times {
    bare: Vec<f64>,
    warm: Vec<f64>,
    alone: Vec<f64>,
    one_by_one: Vec<f64>,
    by_call: Vec<f64>,
    campaign: Vec<f64>,
    /// Small cases: the baseline, and in process.
    small: [Vec<f64>; 2],
    /// Ours and the baseline as fuzz targets: each input once, and the mutated ones.
    inside: [[Vec<f64>; 2]; 2],
}

impl Times {
    fn round(&mut self, round: usize, ours: &mut Ours, cases: &[Case], small: &[Case]) {
        let bare = |cases: &[Case]| {
            for (seed, case) in cases.iter().enumerate() {
                bare::run(case, (round * CASES + seed) as u64);
            }
        };
        self.bare.push(timed(|| bare(cases)));
        self.warm.push(timed(|| ours.warm(cases)));
        self.alone.push(timed(|| Ours::alone(cases)));
        self.one_by_one.push(timed(|| ours.one_by_one(cases)));
        self.by_call.push(timed(|| ours.by_call(cases)));
        self.campaign.push(timed(|| hunt(round as u64)));
        self.small[0].push(timed(|| bare(small)));
        self.small[1].push(timed(|| ours.warm(small)));
    }

    fn round_inside(&mut self, targets: &[PathBuf; 2], [all, none]: &[tempfile::TempDir; 2]) {
        for (target, [given, mutated]) in targets.iter().zip(&mut self.inside) {
            let start = timed(|| fuzz(target, none.path(), 0));
            let once = timed(|| fuzz(target, all.path(), 0));
            let more = timed(|| fuzz(target, all.path(), MUTATED));
            given.push(once - start);
            mutated.push(more - once);
        }
    }
}

fn main() {
    let cases = cases();
    let targets = fuzz_targets();
    let inputs = inputs(&cases);
    let mut ours = Ours::new();
    ours.warm(&cases[..256]);
    let (small, accesses) = ours.small(&cases);
    let mut times = Times::default();
    for round in 0..ROUNDS {
        times.round(round, &mut ours, &cases, &small);
        if let Some(targets) = &targets {
            times.round_inside(targets, &inputs);
        }
    }
    let rate = |times: &[f64], cases: usize| cases as f64 / median(times.to_vec());
    let bare = rate(&times.bare, CASES);
    println!("a new shuttle Runner per input: {bare:.0} executions/s");
    let warm = rate(&times.warm, CASES) / bare;
    println!("in process: {:.0} executions/s, ratio {warm:.1} (limit {IN_PROCESS})", warm * bare);
    for (name, rate) in [
        ("the operations alone", rate(&times.alone, CASES)),
        ("one case per execution", rate(&times.one_by_one, CASES)),
        ("one case per call", rate(&times.by_call, CASES)),
        ("campaign", rate(&times.campaign, CAMPAIGN as usize)),
    ] {
        println!("{name}: {rate:.0} executions/s, ratio {:.1}", rate / bare);
    }
    let on_small = rate(&times.small[0], 1).recip() * rate(&times.small[1], 1);
    println!(
        "small cases in process: {} of {accesses:.0} accesses, ratio {on_small:.1} (limit {IN_PROCESS})",
        small.len()
    );
    let allocations = ours.allocations(&cases);
    println!("allocations per case: {allocations:.3} (limit {ALLOCATIONS_LEFT})");
    if targets.is_none() {
        eprintln!("error: the fuzz targets to measure were not built; run: sh ci/bench.sh");
        std::process::exit(2);
    }
    let [[ours, fuzzing], [plain, plainly]] =
        times.inside.map(|[once, more]| [rate(&once, CASES), rate(&more, MUTATED)]);
    let inside = ours / plain;
    let ratio = fuzzing / plainly;
    println!("fuzzing: {fuzzing:.0} executions/s beside {plainly:.0}, ratio {ratio:.1}");
    println!("a new shuttle Runner per input inside libFuzzer: {plain:.0} executions/s");
    println!("inside libFuzzer: {ours:.0} executions/s, ratio {inside:.1} (limit {LIBFUZZER})");
    let slow = warm < IN_PROCESS || on_small < IN_PROCESS || inside < LIBFUZZER;
    if slow || allocations > ALLOCATIONS_LEFT {
        std::process::exit(1);
    }
}
