#!/bin/sh
# How many instructions does a case cost, and a point, in each way of running cases?
# Cost: 1 minute for the build, then 2. Needs valgrind.
#
# What callgrind counts for several passes over the recorded cases (benches/throughput), less what it counts for
# one; fresh cases, so that a campaign's, of which most are edited, are longer. Counts hardly depend on what else the
# machine does, but say nothing about waiting for memory or a branch that was guessed wrong.
. "$(dirname "$0")/common.sh"
command -v valgrind >/dev/null 2>&1 || cannot "valgrind is missing; install the system's package of it"
make_scratch

cargo bench --locked --bench throughput --no-run --message-format=json >"$scratch/built"
program=$(sed -n 's/.*"executable":"\([^"]*throughput-[^"]*\)".*/\1/p' "$scratch/built" | tail -n 1)
[ -x "$program" ] || cannot "cargo does not say where it put the benchmark"

# Instructions of so many passes in a way.
counted() {
    valgrind --tool=callgrind --callgrind-out-file=/dev/null "$program" --count "$1" "$2" 2>"$scratch/log" ||
        cannot "the benchmark does not run under callgrind: $(tail -n 1 "$scratch/log")"
    sed -n 's/.*Collected : \([0-9]*\).*/\1/p' "$scratch/log"
}

sizes=$("$program" --sizes)
echo "$sizes (of a case)"
points=$(echo "$sizes" | sed 's/.*points \([0-9.]*\).*/\1/')
"$program" --ways >"$scratch/ways"
while read -r executions way; do
    one=$(counted "$way" 1)
    three=$(counted "$way" 3)
    awk -v n="$executions" -v one="$one" -v three="$three" -v points="$points" -v way="$way" 'BEGIN {
        each = (three - one) / 2 / n
        if (way == "campaign") printf "%s: %.0f per case\n", way, each
        else printf "%s: %.0f per case, %.0f per point\n", way, each, each / points
    }'
done <"$scratch/ways"
