//! The page cache and its allocator, each input under a history of its own: finds races on record.
#![no_main]

use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use pagerace::program::input::WithHistory;
use pagerace::subject::mm::MmSubject;
use pagerace::target::Plan;

static PLAN: Plan = Plan { name: "history", profile: None, without: &[], canary: true };

fuzz_target!(init: pagerace_fuzz::init(&PLAN), |input: WithHistory<MmSubject>| {
    pagerace_fuzz::run(input.input())
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    pagerace_fuzz::mutate(data, size, max_size, seed)
});
