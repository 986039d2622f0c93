#!/usr/bin/env bash
# Is the promise of the documented races kept, line by line?
# Cost in minutes on two idle cores, beside 2 for the build: line 1: 3, 2: 14, 3: 6, 4: hours, 5: 2, 6: 4.
# `bash ci/accept/races.sh 1 5` runs only those lines.
#
# Prints one line for each, with its figures. Works in a temporary directory and never writes to the
# checkout's corpus. What takes long keeps its state in target/accept/, goes on where it was killed, and
# is begun anew when that is deleted.
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. ci/accept/common.sh

[ $# -gt 0 ] || set -- 1 2 3 4 5 6
for line in "$@"; do
    [[ $line =~ ^[1-6]$ ]] || cannot "there is no line '$line'; there are 1 to 6"
done
mkdir -p "$built"
# What was measured with another program says nothing about this one.
version=$(sha256sum "$pagerace" | cut -c1-12)

# The races on record: name, switch=variant, signature; separated by tabs.
record() {
    "$pagerace" races --json | awk '
        /"name": "/ { gsub(/[",]/, "", $2); name = $2 } /"name": null/ { name = "" }
        /"switch": / { gsub(/[",]/, "", $2); set = $2 }
        /"variant": / { gsub(/[",]/, "", $2); set = set "=" $2 }
        /"signature": / { gsub(/[",]/, "", $2); if (name != "") print name "\t" set "\t" $2 }'
}

# ---------------------------------------------------------------------------------------------------
# 1: every race on record is found from nothing.
line_1() {
    local name found seconds rows=0 figures=() worst=()
    "$pagerace" hunt --all-races --jobs 2 --seeds 3 --seconds 300 --json >"$scratch/all.json" 2>"$scratch/all.log" ||
        [ $? -eq 1 ] || cannot "the hunt ended with an error: $(tail -n 1 "$scratch/all.log")"
    while IFS=$'\t' read -r name found seconds; do
        rows=$((rows + 1))
        [ "$found" -ge 2 ] || missed "$name is found with $found of 3 seeds"
        figures+=("$name $found of 3 in $seconds s")
        worst+=("$seconds")
    done < <(awk '
        /^      "(name|found|seconds)": / {
            gsub(/[",:]/, "", $1)
            gsub(/[",]/, "", $2)
            at[$1] = $2
            if ($1 == "seconds") printf "%s\t%s\t%s\n", at["name"], at["found"], $2 == "null" ? "-" : sprintf("%.1f", $2)
        }' \
        "$scratch/all.json")
    [ "$rows" -eq "$(record | wc -l)" ] || missed "$rows of $(record | wc -l) races were hunted"
    say "$(printf '%s\n' "${figures[@]-}" | joined); slowest median $(largest "${worst[@]-}") s (limit 300)"
}

# 2: silence, and what it is worth.
SILENT=20000000
CHUNK=2000000

# Hunts for silence once: the file of the state, what to call it there, and how to hunt.
silent_chunk() {
    local state=$1 chunk=$2
    shift 2
    ! grep -q "^done $chunk " "$state" || return 0
    hunt "silent-$chunk" "$@" --jobs 2 --executions "$CHUNK" --keep-going
    # The outcomes come first: a chunk counts only once its last line is written.
    outcomes | sed "s/^/outcome $chunk /" >>"$state"
    findings | cut -f1 | sed "s/^/finding $chunk /" >>"$state"
    echo "done $chunk $(number executions)" >>"$state"
}

# The variants without a race that the current version does not have: switch=variant.
neutral() {
    "$pagerace" races --json | awk -v RS='[{}]' '/"racy": false/ {
        match($0, /"switch": "[^"]*"/); switch_ = substr($0, RSTART + 11, RLENGTH - 12)
        match($0, /"variant": "[^"]*"/); print switch_ "=" substr($0, RSTART + 12, RLENGTH - 13) }' |
        grep -vxF -f <(current_history)
}

# What the current version has of each switch, as the entry of an empty case states it.
current_history() {
    printf 'pagerace case v1\nsubject mm\ncpus 1 first 0\n' >"$scratch/empty.case"
    "$pagerace" show "$scratch/empty.case" --profile current | sed -n 's/^history //p'
}

# Each of them is silent as well, and meets what only it can. A hunt lists the outcomes that can occur under
# its history: those that the current version's state has not are the variant's own.
neutral_variants() {
    local current=$1 state=$built/races-neutral-$version set executed names=() own name count
    touch "$state"
    while read -r set; do
        names+=("$set")
        silent_chunk "$state" "$set" --set "$set" --seed 1
        executed=$(awk -v set="$set" '$1 == "done" && $2 == set { print $3 }' "$state")
        [ "$executed" -ge "$CHUNK" ] || missed "only $executed cases ran with $set"
    done < <(neutral)
    [ "${#names[@]}" -gt 0 ] || missed "there is no neutral variant but the current ones"
    ! grep -q '^finding' "$state" || missed "$(awk '$1 == "finding" { print $2 ": " $3 }' "$state" | sort -u | joined)"
    own=$(awk '$1 != "outcome" { next } NR == FNR { current[$3]; next } !($3 in current) { print $2, $3, $4 }' "$current" "$state")
    [ -n "$own" ] || missed "no outcome is of a neutral variant alone"
    while read -r set name count; do
        [ "$count" -gt 0 ] || missed "$name is never met with $set"
    done <<<"$own"
    echo "with $(printf '%s\n' "${names[@]-}" | joined): $(grep -c '^finding' "$state" || true) findings in" \
        "$CHUNK cases each, of their own $(awk '{ print $2 " " $3 }' <<<"$own" | joined)"
}

line_2() {
    local state=$built/races-silence-$version seed executed=0 found=0 outcome figures=() name set signature count others
    touch "$state"
    for seed in $(seq $((SILENT / CHUNK))); do
        silent_chunk "$state" "$seed" --profile current --seed "$seed"
    done
    executed=$(awk '$1 == "done" { n += $3 } END { printf "%d", n }' "$state")
    found=$(grep -c '^finding' "$state" || true)
    [ "$executed" -ge "$SILENT" ] || missed "only $executed cases ran"
    [ "$found" -eq 0 ] || missed "current shows $(awk '$1 == "finding" { print $3 }' "$state" | sort -u | joined)"
    outcome=$(awk '$1 == "outcome" { sum[$3] += $4 } END { for (name in sum) if (!sum[name]) print name }' "$state")
    [ -z "$outcome" ] || missed "never met: $(joined <<<"$outcome")"
    # The first of those seeds, with one mechanism at a time as it was.
    while IFS=$'\t' read -r name set signature; do
        hunt "calibrated-$name" --set "$set" --seed 1 --jobs 2 --executions "$CHUNK" --keep-going
        count=$(findings | awk -F'\t' -v s="$signature" '$1 == s { n += $10 } END { print n + 0 }')
        [ "$count" -gt 0 ] || missed "$set shows nothing with the same seed"
        figures+=("$name $count")
    done < <(record)
    others=$(neutral_variants "$state")
    local swept
    swept=$(PAGERACE=$pagerace sh ci/sweep.sh 2000 2>"$scratch/sweep.log") || missed "the sweep: $(tail -n 1 "$scratch/sweep.log")"
    say "current: $found findings in $executed cases," \
        "$(awk '$1 == "outcome" { print $3 }' "$state" | sort -u | wc -l) outcomes, all met; $others;" \
        "the first $CHUNK of them with one mechanism as it was: $(printf '%s\n' "${figures[@]}" | joined); sweep: $swept"
}

# 3: two at once.
line_3() {
    local state=$built/races-pairs-$version
    PAGERACE=$pagerace bash ci/pairs.sh --state "$state" >"$scratch/pairs" 2>"$scratch/pairs.log" || {
        grep -e 'NOT FOUND' "$scratch/pairs" >&2 || true
        missed "$(tail -n 1 "$scratch/pairs.log")"
    }
    say "$(tail -n 1 "$scratch/pairs")"
}

# 4: what the tests notice.
line_4() {
    bash ci/mutants.sh >"$scratch/mutants" 2>"$scratch/mutants.log" || missed "$(tail -n 1 "$scratch/mutants.log")"
    bash ci/mutants.sh --report >"$scratch/mutants" 2>"$scratch/mutants.log" ||
        missed "$(tail -n 1 "$scratch/mutants.log")"
    say "$(sed -n 's/^score  *//p' "$scratch/mutants"), $(sed -n 's/^survived  */survived: /p' "$scratch/mutants")"
}

# 5: what is on record, and what runs.
line_5() {
    local name pages=0 contradicted=0 sizes
    while IFS=$'\t' read -r name _; do
        grep -q '^## Against the record' "docs/races/$name.md" || {
            missed "docs/races/$name.md does not compare"
            continue
        }
        pages=$((pages + 1))
        grep -q 'contradicts the record in nothing' "docs/races/$name.md" || contradicted=$((contradicted + 1))
    done < <(record)
    bash ci/race-pages.sh --check >"$scratch/pages.log" 2>&1 || missed "$(tail -n 1 "$scratch/pages.log")"
    sizes=$("$pagerace" races --sizes) || missed "the sizes"
    cargo_tests record 1 --test record || missed "the tests of what is promised"
    printf '%s\n' "$sizes"
    say "$pages pages, $contradicted of them contradict the record; $(grep -c "^corpus/" <<<"$sizes") sizes; $ran tests of what is promised"
}

# 6: the price, and the version.
line_6() {
    local speed version
    speed=$(sh ci/speed-before.sh 2>"$scratch/speed.log") || missed "$(tail -n 1 "$scratch/speed.log")"
    version=$("$pagerace" --version | cut -d' ' -f2)
    grep -q "^## $version\b" CHANGELOG.md || missed "CHANGELOG.md does not know $version"
    say "$(joined <<<"$speed"); version $version, in CHANGELOG.md"
}

run_lines "$@"
