#!/bin/sh
# Do the fuzz targets build on stable, and do those that shall find races find them from nothing?
# Cost: 2 minutes for the build, then as long as they take: 120 seconds and 20 at most.
#
# seed_race has to find its own race, history any race on record. From nothing: the engine gets an empty
# folder, and the store is another empty folder, so that no entry of the checkout is in reach.
. "$(dirname "$0")/common.sh"
need_cargo_fuzz
cargo +stable fuzz build -O -s none

make_scratch
unset PAGERACE_PROFILE

# Runs a target from nothing for so many seconds at most. What it found is in $token.
finds() {
    target=$1 limit=$2 status=0 start=$(date +%s)
    mkdir "$scratch/$target" "$scratch/$target/empty" "$scratch/$target/store"
    PAGERACE_CORPUS="$scratch/$target/store" cargo +stable fuzz run -O -s none "$target" "$scratch/$target/empty" -- \
        "-max_total_time=$limit" "-artifact_prefix=$scratch/$target/" >"$scratch/log" 2>&1 || status=$?
    seconds=$(($(date +%s) - start))
    token=$(sed -n 's/^DEDUP_TOKEN: //p' "$scratch/log" | head -n 1)
    if [ "$status" -eq 0 ] || [ -z "$token" ]; then
        tail -n 40 "$scratch/log" >&2
        fail "$target found nothing within $limit seconds"
    fi
    [ -n "$(find "$scratch/$target/store" -name '*.case')" ] || fail "$target's finding is not in the store"
    echo "$target: $token after $seconds s"
}

# Whatever it is, it is a race: the others have a name that says so, and no one is to end a search.
finds history 20
case $token in
sequential/* | */scan) fail "history found $token, which is none" ;;
esac
# The race of the free path that the canary is kept for; any other finding is not what is asked.
finds seed_race 120
[ "$token" = leak/block/lookup ] || fail "seed_race found $token, not leak/block/lookup"
