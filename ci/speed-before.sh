#!/bin/sh
# Are the plain operations of the page cache as fast as in the release before?
# Cost: 3 minutes, nearly all of it for building that release. Usage: speed-before.sh [COMMIT]
#
# Builds COMMIT (0.1.0 if nothing is said) beside this tree, has both replay ci/plain/*.case in turns, and
# prints the median of the rounds' ratios. Replaying judges every run, so what is compared is all that an
# execution costs: operations, trace and oracles. Exits with 1 if cached-pages.case, which has operations of
# the page cache alone, is below 0.9. The other case is for comparison: per-CPU lists have accesses that they had not.
. "$(dirname "$0")/common.sh"
make_scratch
# 0.1.0: before the ten further races.
before=${1:-a93eb02}
ROUNDS=11
# Replays of each case in a round; some half a second.
TIMES=30000
LIMIT=0.9

commit=$(git rev-parse --verify --quiet "$before^{commit}") ||
    cannot "there is no commit $before: the history is needed (git fetch --unshallow), or name another one"
tree=$PWD/target/before/$commit
if [ ! -d "$tree" ]; then
    mkdir -p target/before
    rm -rf "$tree.part"
    mkdir "$tree.part"
    git archive "$commit" | tar -xf - -C "$tree.part"
    mv "$tree.part" "$tree"
fi
cargo build --quiet --release --locked
(cd "$tree" && CARGO_TARGET_DIR=$tree/target cargo build --quiet --release --locked) ||
    cannot "$before does not build"

old=$tree/target/release/pagerace
new=$PWD/target/release/pagerace
now() { date +%s.%N; }
# Seconds for one round of a case.
round() {
    start=$(now)
    "$1" replay --times "$TIMES" "$2" >"$scratch/replayed"
    awk -v a="$start" -v b="$(now)" 'BEGIN { print b - a }'
}
median() { sort -g | sed -n "$(((ROUNDS + 1) / 2))p"; }
rate() { cut -d' ' -f"$1" "$scratch/rounds" | awk -v n="$TIMES" '{ printf "%.0f\n", n / $1 }' | median; }
# The ratio of a case, with its figures.
compare() {
    round "$old" "$1" >/dev/null
    round "$new" "$1" >/dev/null
    for _ in $(seq "$ROUNDS"); do
        echo "$(round "$old" "$1") $(round "$new" "$1")"
    done >"$scratch/rounds"
    ratio=$(awk '{ printf "%.3f\n", $1 / $2 }' "$scratch/rounds" | median)
    echo "$(basename "$1" .case): $(rate 2) executions/s, $before $(rate 1), ratio $ratio"
}
compare ci/plain/parked-pages.case
compare ci/plain/cached-pages.case
echo "limit of the last: $LIMIT"
awk -v ratio="$ratio" -v limit="$LIMIT" 'BEGIN { exit ratio < limit }' || fail "slower than $before"
