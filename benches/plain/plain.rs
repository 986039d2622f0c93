//! The baseline inside libFuzzer, as cargo-fuzz builds it: nothing left out of coverage, no mutations of
//! its own.
#![no_main]

#[path = "../bare/mod.rs"]
#[expect(dead_code, reason = "the benchmark in process uses more of it")]
mod bare;

use libfuzzer_sys::fuzz_target;
use pagerace::program::input::Input;
use pagerace::subject::Subject;
use pagerace::subject::mm::MmSubject;

fuzz_target!(|input: Input<MmSubject>| {
    let mut case = input.case.clone();
    case.set_profile(MmSubject::spec().profiles.last().expect("the fixed one"));
    bare::run(&case, 1);
});
