#!/bin/sh
# Do the native primitives and every operation of the current version hold under ThreadSanitizer?
# Cost: 2 minutes, of which the stress test itself takes the seconds given as the argument (30).
#
# `std` is not built with the sanitizer (its source need not be installed), so what synchronizes inside
# it is not seen; src/core/tests/tsan.supp names those places. That a race would be reported in spite
# of this is shown by planting one.
. "$(dirname "$0")/common.sh"
need_nightly
make_scratch
export RUSTFLAGS="-Zsanitizer=thread -Cunsafe-allow-abi-mismatch=sanitizer --cfg pagerace_plain"
export PAGERACE_STRESS_SECONDS="${1:-30}"
export TSAN_OPTIONS="suppressions=$PWD/src/core/tests/tsan.supp"

native() {
    # With --target, build scripts and macros are left out of the flags.
    cargo +nightly test --locked --release -p pagerace-core --target "$TARGET_TRIPLE" \
        --target-dir target/tsan --test native -- --test-threads 1 >"$scratch/log" 2>&1
}

if ! native; then
    tail -n 60 "$scratch/log" >&2
    fail "the stress test, or a report of ThreadSanitizer"
fi
if grep -q 'WARNING: ThreadSanitizer' "$scratch/log"; then
    tail -n 60 "$scratch/log" >&2
    fail "ThreadSanitizer reports something"
fi
grep -q 'test result: ok. [1-9]' "$scratch/log" || fail "no test ran"
echo "zero reports"

export PAGERACE_PLANT_RACE=1 PAGERACE_STRESS_SECONDS=1
native && fail "the planted race makes nothing fail"
grep -q 'WARNING: ThreadSanitizer: data race' "$scratch/log" || fail "the planted race is not reported"
echo "the planted race is reported"
