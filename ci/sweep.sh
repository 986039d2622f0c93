#!/bin/sh
# Does every allocation survive one more reference, and is one that does not found?
# Cost: a minute, half of it compiling. Usage: sweep.sh [CASES [STATE]]
#
# Silent on the current version over CASES random cases (2,000 if nothing is said); with STATE, a file,
# it goes on where it was. Then a program of one CPU on the allocator of 5.9, which loses frames.
. "$(dirname "$0")/common.sh"
make_scratch
cases=${1:-2000}
pagerace=${PAGERACE:-target/release/pagerace}
[ -n "${PAGERACE:-}" ] || cargo build --quiet --release --locked || cannot "no build"

set -- sweep --random "$cases" --seed 1 --profile current --json ${2:+--state "$2"}
status=0
"$pagerace" "$@" >"$scratch/current.json" 2>"$scratch/current.log" || status=$?
[ "$status" -le 1 ] || { tail -n 5 "$scratch/current.log" >&2; cannot "the sweep did not run"; }
[ "$status" -eq 0 ] || { cat "$scratch/current.log" >&2; fail "current shows something"; }
figure() { sed -n "s/^  \"$1\": \([0-9.]*\),*\$/\1/p" "$scratch/current.json"; }
[ "$(figure cases)" -ge "$cases" ] || fail "only $(figure cases) cases were swept"
[ "$(figure tried)" -gt "$cases" ] || fail "only $(figure tried) references were taken"
[ "$(figure cut)" -eq 0 ] || fail "$(figure cut) cases were cut"

cat >"$scratch/block.case" <<'CASE'
pagerace case v1
subject mm
cpus 1 first 0
history free_pages=v5_9
cpu0:
  p0 = alloc order=1
  free_pages p0
CASE
status=0
"$pagerace" sweep "$scratch/block.case" >"$scratch/old.log" 2>&1 || status=$?
[ "$status" -eq 1 ] || fail "5.9 shows nothing"
grep -q '^found leak/block/spec (race)' "$scratch/old.log" || fail "5.9 shows something else"
grep -q '^without an injected reference: leak/block/scan (race)' "$scratch/old.log" ||
    fail "no operation takes that reference"

echo "current: $(figure cases) cases, $(figure tried) references, $(figure runs) runs in $(figure seconds) s," \
    "nothing found; free_pages=v5_9: leak/block/spec, and leak/block/scan without it"
