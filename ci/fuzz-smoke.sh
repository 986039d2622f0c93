#!/bin/sh
# Do the fuzz targets build on stable, and does the canary find its race from nothing?
# Cost: 2 minutes for the build, then as long as the canary takes: 120 seconds at most.
#
# From nothing: the engine gets an empty folder, and the store is another empty folder, so that no
# entry of the checkout is in reach.
. "$(dirname "$0")/common.sh"
need_cargo_fuzz
LIMIT=120
# The race of the free path that the canary is kept for; any other finding is not what is asked.
RACE=leak/block/lookup

cargo +stable fuzz build -O -s none

make_scratch
mkdir "$scratch/empty" "$scratch/store"
unset PAGERACE_PROFILE
export PAGERACE_CORPUS="$scratch/store"
start=$(date +%s)
status=0
cargo +stable fuzz run -O -s none seed_race "$scratch/empty" -- \
    "-max_total_time=$LIMIT" "-artifact_prefix=$scratch/" >"$scratch/log" 2>&1 || status=$?
seconds=$(($(date +%s) - start))

token=$(sed -n 's/^DEDUP_TOKEN: //p' "$scratch/log" | head -n 1)
if [ "$status" -eq 0 ] || [ -z "$token" ]; then
    tail -n 40 "$scratch/log" >&2
    fail "seed_race found nothing within $LIMIT seconds"
fi
if [ "$token" != "$RACE" ]; then
    tail -n 40 "$scratch/log" >&2
    fail "seed_race found $token, not $RACE"
fi
[ -n "$(find "$scratch/store" -name '*.case')" ] || fail "the finding is not in the store"
echo "seed_race: $token after $seconds s"
