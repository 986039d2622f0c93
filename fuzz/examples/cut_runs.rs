//! Twelve thousand runs that are cut, for AddressSanitizer and LeakSanitizer to look at: panics, deadlocks,
//! the bound on points and fatal events, of the subject `mm` with a planted fault for each.
//!
//! Ends with 1 if the resident memory still grows once it has settled; leaks are reported by the
//! sanitizer when the process ends. To show that either is noticed, the argument `forget` loses memory
//! with every cut run, and `keep` keeps some that can be reached.
//!
//! What it is not: a fuzz target. `ci/cut-runs.sh` builds and runs it.

use pagerace::examine::Examiner;
use pagerace::exec::{Ending, Executor};
use pagerace::program::Case;
use pagerace::program::generate::{Fixed, Generator};
use pagerace::subject::mm::{MmSubject, SPEC};
use std::cell::{Cell, RefCell};
use std::hint::black_box;
use std::process::ExitCode;

/// Whether a run ended in a certain way.
type Expected = fn(&Ending) -> bool;

/// Faults, and how they end a run.
const FAULTS: [(&str, Expected); 4] = [
    ("mismatch-panics", |ending| matches!(ending, Ending::Panic(_))),
    ("unlock-no-wake", |ending| matches!(ending, Ending::Deadlock(_))),
    ("relocks-same-page", |ending| matches!(ending, Ending::Bound { .. })),
    ("freed-locked", |ending| matches!(ending, Ending::Fatal)),
];
/// Different cases of each fault, all of which are cut.
const CASES: usize = 250;
/// How often all of them run. After the first time all buffers have their sizes, after the second the
/// allocator, which holds freed memory back, has mostly settled.
const SETTLING: usize = 2;
const ROUNDS: usize = SETTLING + 10;
/// Growth beyond this is a leak, in KiB: it stands for 210 bytes a run. Measured: 850 to 970.
const LIMIT: usize = 2_048;
/// Cases after which a fault that does not show will not.
const MOST_TRIES: usize = 1_000_000;

thread_local! {
    /// Lives as long as the process: an executor has parts that do, and the leak checker shall see at
    /// exit that somebody knows of them.
    static EXECUTOR: Cell<Option<&'static mut Executor<MmSubject>>> = const { Cell::new(None) };
    /// What the argument `keep` keeps.
    static KEPT: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// What is lost or kept per cut run with an argument.
const PLANTED: usize = 1_024;

fn plant(argument: Option<&str>) {
    match argument {
        Some("forget") => std::mem::forget(black_box(vec![1u8; PLANTED])),
        Some("keep") => KEPT.with_borrow_mut(|kept| kept.push(black_box(vec![1u8; PLANTED]))),
        _ => {}
    }
}

/// The resident memory of this process in KiB.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux has it");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a line");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

/// Random cases that this fault cuts as it must.
fn cut_cases(executor: &mut Executor<MmSubject>, fault: &str, ending: Expected) -> Vec<Case> {
    let (switch, variant) = SPEC.variant("fault", fault).expect("a fault");
    let mut generator = Generator::new(&SPEC, 1, Fixed::default());
    let mut case = Case::empty(&SPEC);
    case.history[switch] = variant;
    let mut cases = Vec::new();
    executor.session(|session| {
        for _ in 0..MOST_TRIES {
            generator.fill(&mut case);
            if ending(&session.run(&case).ending) {
                cases.push(case.clone());
            }
            if cases.len() == CASES {
                return;
            }
        }
        panic!("{fault} cuts {} of {MOST_TRIES} cases only", cases.len());
    });
    cases
}

fn main() -> ExitCode {
    let argument = std::env::args().nth(1);
    let executor = Box::leak(Box::new(Executor::<MmSubject>::new()));
    let mut examiner = Examiner::new(&SPEC);
    let cases = FAULTS.map(|(fault, ending)| (cut_cases(executor, fault, ending), ending));
    let (mut runs, mut before) = (0, 0);
    for round in 0..ROUNDS {
        for (cases, ending) in &cases {
            // One execution for all of a fault's cases: each must leave it fit for the next.
            executor.session(|session| {
                for case in cases {
                    let run = session.run(case);
                    assert!(ending(&run.ending), "{:?}", run.ending);
                    assert!(examiner.judge(run, case).is_some());
                    plant(argument.as_deref());
                    runs += 1;
                }
            });
        }
        if round + 1 == SETTLING {
            before = resident();
        }
    }
    EXECUTOR.set(Some(executor));
    let growth = resident().saturating_sub(before);
    println!(
        "{runs} cut runs: {before} KiB resident after the first {}; {growth} more at the end (limit {LIMIT})",
        SETTLING * runs / ROUNDS
    );
    if growth <= LIMIT { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
