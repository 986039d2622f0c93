#!/bin/sh
# Is the tool itself free of memory errors and leaks while it fuzzes the current version?
# Cost: 4 minutes for the builds, then twice the seconds given as the argument (60).
#
# Runs under the options of OSS-Fuzz's base-runner. First: a build without the feature that tells the
# sanitizer of the tasks' stacks must refuse to start, since it would report errors that are none.
. "$(dirname "$0")/common.sh"
need_cargo_fuzz
need_nightly
SECONDS_EACH=${1:-60}
export ASAN_OPTIONS="$BASE_RUNNER_ASAN_OPTIONS"
unset PAGERACE_PROFILE
make_scratch
export PAGERACE_CORPUS=off

cargo +nightly fuzz build -O buddy
status=0
"fuzz/target/$TARGET_TRIPLE/release/buddy" -runs=1 >"$scratch/log" 2>&1 || status=$?
[ "$status" -eq 2 ] || fail "a build without asan-fibers ends with $status, not 2"
grep -q -e '--features asan-fibers' "$scratch/log" || fail "it does not say the command"
echo "a build without asan-fibers refuses to start"

for target in page_cache buddy; do
    mkdir "$scratch/$target"
    if ! cargo +nightly fuzz run -O --features asan-fibers "$target" "$scratch/$target" -- \
        "-max_total_time=$SECONDS_EACH" "-artifact_prefix=$scratch/" -print_final_stats=1 \
        >"$scratch/log" 2>&1; then
        tail -n 60 "$scratch/log" >&2
        fail "$target"
    fi
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$scratch/log")
    [ "${runs:-0}" -gt 1000 ] || fail "$target ran ${runs:-0} inputs only"
    echo "$target: $runs inputs in $SECONDS_EACH s, no report"
done
