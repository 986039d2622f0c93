//! The allocator alone, as it is now: must stay silent.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pagerace::program::input::Input;
use pagerace::subject::mm::Mm;
use pagerace::target::Plan;

static PLAN: Plan = Plan { name: "buddy", profile: "current", without: &[] };

fuzz_target!(init: pagerace_fuzz::init(&PLAN), |input: Input<Mm>| pagerace_fuzz::run(&input));
