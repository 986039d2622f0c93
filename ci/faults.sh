#!/bin/sh
# Does each oracle find what is planted for it, where it is, and does only that one?
# Cost: 2 minutes, half of it compiling.
#
# Not in .ci/run, which has no such time left; that only lints this code.
. "$(dirname "$0")/common.sh"
make_scratch

# Runs tests; fails too where fewer ran than there must be.
planted() {
    least=$1
    shift
    status=0
    cargo test --locked --features faults "$@" >"$scratch/log" 2>&1 || status=$?
    ran=$(sed -n 's/^test result: ok\. \([0-9]*\) passed.*/\1/p' "$scratch/log")
    if [ "$status" -ne 0 ] || [ "${ran:-0}" -lt "$least" ]; then
        tail -n 40 "$scratch/log" >&2
        fail "${ran:-0} tests passed, of at least $least: cargo test --features faults $*"
    fi
}

planted 2 --lib subject::mm::tests::faults
wired=$ran
planted 1 --lib sweep::tests::a_planted_fault
swept=$ran
planted 10 --test faults
echo "planted faults: $wired tests that they are wired up, $swept of the sweep, $ran of the oracles"
