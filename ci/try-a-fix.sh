#!/usr/bin/env bash
# Do the steps of "Trying a fix of your own" lead where the README says?
# Cost: 3 minutes for the first build, half a minute for later ones, then 60 seconds at most.
#
# Runs the README's own commands in a copy of the tree: a naive fix of the first race on record is
# applied, the race's entry passes with it, and a hunt from nothing finds the race that it opens.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
make_scratch
# Dependencies are compiled once, and of the tree only what the command line needs.
export CARGO_TARGET_DIR="$PWD/target/try-a-fix" CARGO_PROFILE_RELEASE_DEBUG=0
unset PAGERACE_PROFILE PAGERACE_CORPUS

mapfile -t commands < <(sed -n '/<!-- try-a-fix -->/,/<!-- \/try-a-fix -->/p' README.md |
    grep -v -e '^<!--' -e '^```')
[ "${#commands[@]}" -eq 3 ] || fail "the README has ${#commands[@]} commands between its markers, not 3"

mkdir "$scratch/tree"
tar --exclude=./target --exclude=./fuzz/target --exclude=./.git -cf - . | tar -xf - -C "$scratch/tree"
cd "$scratch/tree"
# What is found must come from nothing.
rm corpus/seed_race/racy-pagehead.case

# Runs a command of the README, expects this exit code and this in its output.
expect() {
    local command=$1 code=$2 wanted=$3 status=0
    echo "\$ $command"
    bash -euo pipefail -c "$command" >"$scratch/log" 2>&1 || status=$?
    [ "$status" -eq "$code" ] && grep -q -e "$wanted" "$scratch/log" && return
    tail -n 40 "$scratch/log" >&2
    fail "it ends with $status instead of $code, or does not say '$wanted'"
}

expect "${commands[0]}" 0 'src/core/mm/history.rs'
expect "${commands[1]}" 0 'nc-free-leak.case: shows nothing'
tail -n 1 "$scratch/log"
expect "${commands[2]}" 1 '^found double-free/compound/lookup (race)'
grep '^found ' "$scratch/log"
echo "the fix closes nc-free-leak and opens racy-pagehead"
