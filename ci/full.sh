#!/usr/bin/env bash
# Does everything hold that can be checked on one machine?
# Cost: about 85 minutes on two cores.
#
# Runs every script, goes on where one fails, and ends in a table. The logs are in target/full/.
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
check accept bash ci/accept/seed.sh

printf '\n%-16s %-14s %7s  %s\n' check answer time "last line"
printf '%s\n' "${rows[@]}"
exit "$failed"
