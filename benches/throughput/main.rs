//! Executions per second, trace and oracles included, beside what a shuttle user has without pagerace.
//!
//! Recorded cases are run in several ways (`ways`, where each is described). The baselines are in `bare`: a new
//! shuttle `Runner` per input, and one `Runner` for all. Beside them:
//!
//! * *small cases*: the first baseline and in process once more, on the cases of at most 24 accesses, those of
//!   set-up and drain included. That is the size the limit was set for; a new Runner costs much the same for
//!   every case, so that the ratio falls as cases grow;
//! * *inside libFuzzer*: the fuzz target `page_cache` beside the baseline as a fuzz target
//!   (`benches/plain`), each of the cases as an input, starts not counted. The baseline is built twice: with the
//!   options of ours, and as cargo-fuzz builds where nothing is said (AddressSanitizer, debug assertions);
//! * *fuzzing*: the same, each mutating from there on, as `cargo fuzz run` has them do: reading files is
//!   not counted, but the inputs are no longer the same.
//!
//! All take turns in short rounds, so that a machine that changes speed changes all; medians of the
//! rounds are compared.
//!
//! Also counts the heap allocations per case in the steady state: those of a whole warm execution less
//! those of one that runs no case.
//!
//! Exits with 1 if a limit below is missed, or if a case allocates; with 2 if the fuzz targets were not built.
//!
//! With the arguments `--count WAY PASSES` it only runs all cases that often in that way, after once to warm up,
//! and measures nothing: for tools that count instructions. With `--sizes` it prints how large the cases are, with
//! `--ways` how many of them a pass has in each way.

#[path = "../bare/mod.rs"]
mod bare;
mod counting;
mod inside;
mod ways;

use inside::{Inputs, Inside};
use pagerace::program::Case;
use std::time::Instant;
use ways::{CASES, Ours, Way};

const ROUNDS: usize = 9;
/// Executions per second in process, of all cases and of small ones, in those of a new Runner per input.
const IN_PROCESS: f64 = 20.0;
/// The most accesses of a small case.
const SMALL: usize = 24;
/// The same inside libFuzzer, the baseline built alike;
const LIBFUZZER: f64 = 5.0;
/// and built as cargo-fuzz builds by itself.
const LIBFUZZER_DEFAULT: f64 = 10.0;
/// Executions per second of the target inside libFuzzer, in those of the same without an engine.
const WITHOUT_ENGINE: f64 = 0.8;
/// Executions per second of a campaign, in those of a bare shuttle loop.
const BARE_LOOP: f64 = 3.0;
/// Shuttle keeps one step per switch of an execution: that this list grows is its own.
const ALLOCATIONS_LEFT: f64 = 0.01;

fn median(times: &[f64]) -> f64 {
    let mut times = times.to_vec();
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn timed(work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_secs_f64()
}

/// Allocations per case of a warm execution, beyond those of opening it and of the generator.
fn allocations(ours: &mut Ours, cases: &[Case]) -> f64 {
    let mut count = |times: usize| {
        let before = counting::allocations();
        ours.one_session(cases, times);
        counting::allocations() - before
    };
    count(CASES);
    let (empty, full) = (count(0), count(CASES));
    full.saturating_sub(empty) as f64 / CASES as f64
}

/// The small ones among the cases, and how many accesses these have on average.
fn small(ours: &mut Ours, cases: &[Case]) -> (Vec<Case>, f64) {
    let mut total = 0;
    let mut small = Vec::new();
    for case in cases {
        let [accesses, ..] = ours.size(case);
        if accesses <= SMALL {
            total += accesses;
            small.push(case.clone());
        }
    }
    assert!(!small.is_empty(), "some cases are small");
    let average = total as f64 / small.len() as f64;
    (small, average)
}

/// What the rounds took in this process, in seconds.
#[derive(Default)]
struct Times {
    ways: [Vec<f64>; Way::ALL.len()],
    /// Small cases: the baseline, and in process.
    small: [Vec<f64>; 2],
}

impl Times {
    fn round(&mut self, ours: &mut Ours, round: u64, cases: &[Case], small: &[Case]) {
        for (way, times) in Way::ALL.into_iter().zip(&mut self.ways) {
            times.push(timed(|| ours.pass(way, cases, round)));
        }
        for (way, times) in [Way::Bare, Way::InProcess].into_iter().zip(&mut self.small) {
            times.push(timed(|| ours.pass(way, small, round)));
        }
    }

    fn rate(&self, way: Way) -> f64 {
        way.executions() as f64 / median(&self.ways[way as usize])
    }
}

/// What is compared with a limit. Whether it is kept.
fn limited(what: &str, ratio: f64, limit: f64) -> bool {
    println!("{what}: ratio {ratio:.2} (limit {limit})");
    ratio >= limit
}

fn in_process(times: &Times, small: usize, accesses: f64) -> bool {
    for way in Way::ALL {
        let rate = times.rate(way);
        println!("{}: {rate:.0} executions/s, {:.2} us each", way.name(), 1e6 / rate);
    }
    let bare = times.rate(Way::Bare);
    let on_small = median(&times.small[0]) / median(&times.small[1]);
    let on_small_of = format!("small cases in process: {small} of {accesses:.0} accesses");
    limited("in process by a new Runner per input", times.rate(Way::InProcess) / bare, IN_PROCESS)
        & limited(&on_small_of, on_small, IN_PROCESS)
        & limited(
            "campaign by a bare shuttle loop",
            times.rate(Way::Campaign) / times.rate(Way::BareLoop),
            BARE_LOOP,
        )
}

fn inside_libfuzzer(times: &Times, [ours, alike, default]: &[Inside; 3]) -> bool {
    for (name, inside) in [
        ("inside libFuzzer", ours),
        ("a new Runner per input inside libFuzzer", alike),
        ("the same as cargo-fuzz builds by itself", default),
    ] {
        let (once, mutated) = (inside.rate(), inside.rate_mutated());
        println!("{name}: {once:.0} executions/s, {mutated:.0} fuzzing");
    }
    limited("inside libFuzzer by the baseline built alike", ours.rate() / alike.rate(), LIBFUZZER)
        & limited(
            "inside libFuzzer by the baseline as cargo-fuzz builds",
            ours.rate() / default.rate(),
            LIBFUZZER_DEFAULT,
        )
        & limited(
            "fuzzing by the target without an engine",
            ours.rate_mutated() / times.rate(Way::Target),
            WITHOUT_ENGINE,
        )
}

/// What the arguments ask for in place of a measurement. Whether they ask for something.
fn asked(ours: &mut Ours, cases: &[Case]) -> bool {
    // cargo says `--bench`.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        [] => return false,
        ["--sizes"] => {
            let sum = |of: usize| cases.iter().map(|case| ours.size(case)[of]).sum::<usize>();
            let [accesses, points, lines] = [0, 1, 2].map(sum).map(|sum| sum as f64 / CASES as f64);
            println!("accesses {accesses:.1} points {points:.1} lines {lines:.1}");
        }
        ["--ways"] => {
            for way in Way::ALL {
                println!("{} {}", way.executions(), way.name());
            }
        }
        ["--count", name, passes] => {
            let way = Way::ALL.into_iter().find(|way| way.name() == name);
            let (Some(way), Ok(passes)) = (way, passes.parse()) else { bad_use() };
            for round in 0..=passes {
                ours.pass(way, cases, round);
            }
        }
        _ => bad_use(),
    }
    true
}

fn bad_use() -> ! {
    eprintln!("error: the arguments are none, --sizes, --ways, or --count WAY PASSES; ways:");
    for way in Way::ALL {
        eprintln!("    {:?}", way.name());
    }
    std::process::exit(2)
}

fn main() {
    let cases = ways::recorded();
    let mut ours = Ours::new();
    if asked(&mut ours, &cases) {
        return;
    }
    let built = [
        ("fuzz/target", "page_cache", 40_000),
        ("target/plain", "plain", 4_000),
        ("target/plain-default", "plain", 500),
    ];
    let mut targets = built.map(|(folder, name, mutations)| Inside::find(folder, name, mutations));
    let inputs = Inputs::new(&cases);
    let (small, accesses) = small(&mut ours, &cases);
    let mut times = Times::default();
    for round in 0..ROUNDS {
        times.round(&mut ours, round as u64, &cases, &small);
        for target in targets.iter_mut().flatten() {
            target.round(&inputs);
            target.mutated(&inputs);
        }
    }
    let mut kept = in_process(&times, small.len(), accesses);
    let allocations = allocations(&mut ours, &cases);
    println!("allocations per case: {allocations:.3} (limit {ALLOCATIONS_LEFT})");
    kept &= allocations <= ALLOCATIONS_LEFT;
    let [Some(ours), Some(alike), Some(default)] = targets else {
        eprintln!("error: the fuzz targets to measure were not built; run: sh ci/bench.sh");
        std::process::exit(2);
    };
    kept &= inside_libfuzzer(&times, &[ours, alike, default]);
    if !kept {
        std::process::exit(1);
    }
}
