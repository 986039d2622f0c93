#!/bin/sh
# How many cases a second, beside a new shuttle Runner per input, in process and inside libFuzzer?
# Cost: 5 minutes for the builds, then 2.
. "$(dirname "$0")/common.sh"
need_cargo_fuzz

cargo +stable fuzz build -O -s none page_cache
# As cargo-fuzz builds by itself: every crate instrumented.
RUSTC_WRAPPER="" cargo +stable fuzz build --fuzz-dir benches/plain -O -s none --target-dir target/plain plain
cargo bench --locked --bench throughput
