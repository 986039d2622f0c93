#!/bin/sh
# Do runs that are cut leave memory as it was, and nothing lost?
# Cost: 4 minutes for the build, then about a minute.
#
# fuzz/examples/cut_runs.rs makes 12,000 of them under AddressSanitizer, which ends the process with a
# report of what was lost (LeakSanitizer), and compares its resident memory. That both would be noticed
# is shown by losing memory with each, and by keeping it.
. "$(dirname "$0")/common.sh"
need_nightly
make_scratch
# Freed memory is held back for a while, and would hide growth: here for a shorter while.
export ASAN_OPTIONS="$BASE_RUNNER_ASAN_OPTIONS:quarantine_size_mb=1"

# As cargo-fuzz builds, but for the engine: its coverage is of no use here, and no archive of it is
# linked by an example, so an empty one serves.
mkdir -p target/cut-runs
[ -f target/cut-runs/libnone.a ] || ar rc target/cut-runs/libnone.a
RUSTFLAGS="-Zsanitizer=address --cfg fuzzing -Cforce-frame-pointers" \
    CUSTOM_LIBFUZZER_PATH="$PWD/target/cut-runs/libnone.a" CUSTOM_LIBFUZZER_STD_CXX=none \
    cargo +nightly build --locked --release --manifest-path fuzz/Cargo.toml --target "$TARGET_TRIPLE" \
    --target-dir target/cut-runs --features asan-fibers,faults --example cut_runs
program=target/cut-runs/$TARGET_TRIPLE/release/examples/cut_runs

status=0
"$program" >"$scratch/log" 2>&1 || status=$?
# It needs to stop the threads of its own process, which a sandbox or a debugger can forbid.
if grep -q 'LeakSanitizer has encountered a fatal error' "$scratch/log"; then
    tail -n 20 "$scratch/log" >&2
    cannot "LeakSanitizer cannot work here"
fi
if [ "$status" -ne 0 ]; then
    tail -n 60 "$scratch/log" >&2
    fail "a report, or memory that grows"
fi
grep ' cut runs: ' "$scratch/log"

"$program" forget >"$scratch/log" 2>&1 && fail "what is lost on purpose makes nothing fail"
grep -q 'ERROR: LeakSanitizer: detected memory leaks' "$scratch/log" ||
    fail "what is lost on purpose is not reported"
"$program" keep >"$scratch/log" 2>&1 && fail "what is kept on purpose makes nothing fail"
grep -q 'LeakSanitizer' "$scratch/log" && fail "what is kept is reported as lost"
growth=$(sed -n 's/.*; \([0-9]*\) more at the end .*/\1/p' "$scratch/log")
[ -n "$growth" ] || fail "what is kept on purpose ends the program in another way"
echo "planted: LeakSanitizer reports what is lost; what is kept is noticed ($growth KiB more)"
