//! The allocator alone, as it is now: must stay silent.
#![no_main]

use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use pagerace::program::input::Input;
use pagerace::subject::mm::MmSubject;
use pagerace::target::Plan;

static PLAN: Plan =
    Plan { name: "buddy", profile: Some("current"), without: &["mapping"], canary: false };

fuzz_target!(init: pagerace_fuzz::init(&PLAN), |input: Input<MmSubject>| pagerace_fuzz::run(&input));

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    pagerace_fuzz::mutate(data, size, max_size, seed)
});
