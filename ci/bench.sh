#!/bin/sh
# How many cases a second, beside a new shuttle Runner per input and one for all, in process and inside libFuzzer?
# Cost: 10 minutes for the builds, then 4.
. "$(dirname "$0")/common.sh"
need_cargo_fuzz
need_nightly

cargo +stable fuzz build -O -s none page_cache
# The baseline has every crate instrumented, with the options of ours, and with none: AddressSanitizer and debug
# assertions, for which cargo-fuzz needs a nightly toolchain.
RUSTC_WRAPPER="" cargo +stable fuzz build --fuzz-dir benches/plain -O -s none --target-dir target/plain plain
RUSTC_WRAPPER="" cargo +nightly fuzz build --fuzz-dir benches/plain --target-dir target/plain-default plain
cargo bench --locked --bench throughput
