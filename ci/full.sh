#!/usr/bin/env bash
# Does everything hold that can be checked on one machine?
# Cost: about two hours on two cores.
#
# Runs every script, goes on where one fails, and ends in a table. The logs are in target/full/. Some are run by
# another: the golden mutants by line 4 of accept-seed, the sweep by line 2 of accept-races, the pairs by 3,
# the speed before by 6. Left out is what takes hours: line 4 of accept-races.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
set -o pipefail

mkdir -p target/full
rows=()
failed=0

check() {
    local name=$1 start=$SECONDS status=0 answer
    shift
    echo "=== $name"
    "$@" 2>&1 | tee "target/full/$name.log" || status=$?
    case $status in
    0) answer=yes ;;
    2) answer="could not run" ;;
    *) answer=NO ;;
    esac
    [ "$status" -eq 0 ] || failed=1
    rows+=("$(printf '%-16s %-14s %5d s  %s' "$name" "$answer" "$((SECONDS - start))" \
        "$(tail -n 1 "target/full/$name.log" | cut -c 1-80)")")
}

check merge bash .ci/run
check faults sh ci/faults.sh
check asan sh ci/asan.sh
check tsan sh ci/tsan.sh
check cut-runs sh ci/cut-runs.sh
check throughput sh ci/bench.sh
check native-cost cargo bench --locked --bench sync_native
check readme-output bash ci/readme-output.sh --check
check race-pages bash ci/race-pages.sh --check
check try-a-fix bash ci/try-a-fix.sh
check accept-seed bash ci/accept/seed.sh
check accept-races bash ci/accept/races.sh 1 2 3 5 6

printf '\n%-16s %-14s %7s  %s\n' check answer time "last line"
printf '%s\n' "${rows[@]}"
exit "$failed"
