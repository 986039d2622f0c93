//! Glue between libFuzzer and [`pagerace::target`]: one target per process, and its start.
//!
//! What it is not: part of the tool. What a target does with an input stands in `pagerace::target`.

use pagerace::program::input::Input;
use pagerace::subject::mm::MmSubject;
use pagerace::target::{Mutator, Plan, Target};
use std::cell::RefCell;
use std::fmt::Display;
use std::process::exit;

thread_local! {
    /// libFuzzer calls a target on one thread only.
    static TARGET: RefCell<Option<Target<MmSubject>>> = const { RefCell::new(None) };
    static MUTATOR: RefCell<Mutator<MmSubject>> = RefCell::default();
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
        Ok(target) => TARGET.set(Some(target)),
        Err(error) => refuse(error),
    }
}

/// Runs one input; a finding ends the process.
pub fn run(input: &Input<MmSubject>) {
    TARGET.with_borrow_mut(|target| {
        target.as_mut().expect("init() came first").run(&input.case);
    });
}

/// Mutates one input; see `fuzz_mutator!`.
pub fn mutate(data: &mut [u8], size: usize, max_size: usize, seed: u32) -> usize {
    MUTATOR.with_borrow_mut(|mutator| {
        mutator.mutate(data, size, max_size, seed, libfuzzer_sys::fuzzer_mutate)
    })
}

fn refuse(why: impl Display) -> ! {
    eprintln!("error: {why}");
    exit(2)
}
