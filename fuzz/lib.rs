//! Glue between libFuzzer and [`pagerace::target`]: one target per process, its start, and the
//! counters that tell the engine what met.
//!
//! What it is not: part of the tool. What a target does with an input stands in `pagerace::target`.

use pagerace::program::input::Input;
use pagerace::subject::mm::MmSubject;
use pagerace::target::{Plan, Target};
use std::cell::RefCell;
use std::fmt::Display;
use std::process::exit;
use std::sync::atomic::{AtomicU8, Ordering};

/// How many counters the signals of runs are folded into. More would be finer, and would cost
/// the engine more after each input.
const COUNTERS: usize = 1_024;

/// libFuzzer goes over them by words.
#[repr(C, align(64))]
struct Counters([AtomicU8; COUNTERS]);

/// Counts, as libFuzzer's edge counters do, what happened in one input. libFuzzer clears them before
/// each input and takes them for coverage after it, so schedules are coverage too.
// SAFETY: all that libFuzzer asks of this section is that it holds plain bytes. It reads and writes
// them between inputs only, on the thread that runs these.
#[unsafe(link_section = "__libfuzzer_extra_counters")]
#[used]
static MET: Counters = Counters([const { AtomicU8::new(0) }; COUNTERS]);

thread_local! {
    /// libFuzzer calls a target on one thread only. It lives as long as the process: an executor has
    /// parts that do, and leak checkers shall see at exit that somebody knows of them.
    static TARGET: RefCell<Option<&'static mut Target<MmSubject>>> = const { RefCell::new(None) };
}

/// Called before the first input, after libfuzzer-sys has installed its panic hook. Ends the process
/// with exit code 2 where there is nothing to run.
pub fn init(plan: &'static Plan) {
    if cfg!(asan) && cfg!(not(feature = "asan-fibers")) {
        refuse(format_args!(
            "AddressSanitizer has to know of the stacks that tasks run on, or it reports errors that \
             are none. Build with:\n    cargo +nightly fuzz run --features asan-fibers {}",
            plan.name
        ));
    }
    match Target::new(plan) {
        Ok(target) => {
            eprintln!("{}", target.header());
            TARGET.set(Some(Box::leak(Box::new(target))));
        }
        Err(error) => refuse(error),
    }
}

/// Runs one input; a finding ends the process.
pub fn run(input: &Input<MmSubject>) {
    TARGET.with_borrow_mut(|target| {
        let target = target.as_mut().expect("init() came first");
        target.run(&input.case);
        for &signal in target.signals() {
            MET.0[usize::from(signal) % COUNTERS].store(1, Ordering::Relaxed);
        }
    });
}

/// Mutates one input; see `fuzz_mutator!`.
pub fn mutate(data: &mut [u8], size: usize, max_size: usize, seed: u32) -> usize {
    TARGET.with_borrow_mut(|target| {
        let target = target.as_mut().expect("init() came first");
        target.mutate(data, size, max_size, seed, libfuzzer_sys::fuzzer_mutate)
    })
}

fn refuse(why: impl Display) -> ! {
    eprintln!("error: {why}");
    exit(2)
}
