#!/bin/sh
# Does only pagerace-core carry libFuzzer's edge counters, and enough of them to steer by?
# Cost: 2 minutes for the first build of the targets, then seconds.
#
# Counts bytes of the counter sections: one byte an edge. A generic function counts for the crate in
# which it is instantiated, hence the lower bound: code of the core that only its users instantiate
# would be without counters, and nobody would notice.
. "$(dirname "$0")/common.sh"
need_cargo_fuzz
AT_LEAST=${1:-300}

cargo +stable fuzz build -O -s none seed_race
release=fuzz/target/$TARGET_TRIPLE/release

# The edges in an archive or a binary.
edges() {
    sum=0
    for size in $(objdump -h "$1" 2>/dev/null | awk '$2 == "__sancov_cntrs" { print $3 }'); do
        sum=$((sum + 0x$size))
    done
    echo "$sum"
}

core=0
others=0
for archive in "$release"/deps/*.rlib; do
    count=$(edges "$archive")
    case $archive in
    */libpagerace_core-*) [ "$count" -le "$core" ] || core=$count ;;
    *)
        [ "$count" -eq 0 ] || echo "$count edges in $archive"
        others=$((others + count))
        ;;
    esac
done
binary=$(edges "$release/seed_race")
echo "edges: pagerace-core $core, other crates $others, in the binary $binary"
[ "$others" -eq 0 ] || fail "crates other than pagerace-core are instrumented (ci/rustc-wrapper.sh)"
[ "$binary" -le "$core" ] || fail "the target's own crate is instrumented (ci/rustc-wrapper.sh)"
[ "$binary" -ge "$AT_LEAST" ] || fail "fewer than $AT_LEAST edges: is the core instantiated elsewhere?"
