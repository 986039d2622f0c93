#!/usr/bin/env bash
# Would a mistake in the core be noticed? Mutants of src/core by cargo-mutants, a sample by seed.
# Cost: 2 minutes for the first build of a shard, then 4 to 8 seconds a mutant on a core of its own.
#
# cargo-mutants lists the mutants, all of them: no attribute, pattern or configuration leaves one out. The
# sample is the first --sample of that list, sorted by the SHA-256 of "SEED NAME". Each mutant is applied
# to a copy of the tree, built, and put to three tests, of which the first that fails catches it: the golden
# access sequences, the replay suite, and a bounded hunts. All are in the library's own test binary,
# since building is most of what a mutant costs. A mutant that does not build is unviable and is not counted;
# one that takes more than the limits below is a timeout and is counted apart. Tests of the core itself are
# not run. The feature `faults` is on: planted faults are code of the core as well.
#
# What it is not: a gate of .ci/run, or cargo-mutants' own loop, which knows neither stages nor a state.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

# Published here and in docs/mutants.md.
SEED=1
SAMPLE=330
# In per cent of what is caught or survives.
LEAST=90
# What a mutant may take in each test: processor seconds, of which the longest takes 5 without any
# mutant, and seconds by the clock, for what waits for ever.
CPU_SECONDS=20
CLOCK_SECONDS=90

usage() {
    cat <<USAGE
Usage: ci/mutants.sh [--seed S] [--sample N] [--shard K/N] [--state FILE] [--retry]
       ci/mutants.sh --list | --report | --self-test | --help

  --seed S       which sample is drawn ($SEED)
  --sample N     how many mutants are drawn ($SAMPLE)
  --shard K/N    run every N-th mutant of the sample, beginning with the K-th (1/1); shards may run at once
  --state FILE   where the answers are kept, a line a mutant (target/mutants/state.tsv); what has an
                 answer is not run again, so an interrupted run goes on where it was
  --retry        run those again that survived or timed out: what tests were added for
  --list         print the sample
  --report       print the score of the state; fails if it is below $LEAST %, if mutants have no answer yet, or
                 if docs/mutants.md does not name a survivor
  --self-test    four mutants by hand: one of each answer

Example, on two cores:
  bash ci/mutants.sh --shard 1/2 & bash ci/mutants.sh --shard 2/2 & wait; bash ci/mutants.sh --report
USAGE
}

bad_use() {
    cannot "$*; see: bash ci/mutants.sh --help"
}

mode=run
shard=1/1
state=target/mutants/state.tsv
retry=no
while [ $# -gt 0 ]; do
    case $1 in
    --seed | --sample | --shard | --state)
        [ $# -ge 2 ] || bad_use "$1 needs a value"
        case $1 in
        --seed) SEED=$2 ;;
        --sample) SAMPLE=$2 ;;
        --shard) shard=$2 ;;
        --state) state=$2 ;;
        esac
        shift
        ;;
    --retry) retry=yes ;;
    --list | --report | --self-test) mode=${1#--} ;;
    --help | -h)
        usage
        exit 0
        ;;
    *) bad_use "unknown argument $1" ;;
    esac
    shift
done
[[ $SEED =~ ^[0-9]+$ ]] || bad_use "--seed takes a number, not $SEED"
[[ $SAMPLE =~ ^[1-9][0-9]*$ ]] || bad_use "--sample takes a number from 1 on, not $SAMPLE"
[[ $shard =~ ^([1-9][0-9]*)/([1-9][0-9]*)$ ]] || bad_use "--shard takes K/N, not $shard"
nth=${BASH_REMATCH[1]} of=${BASH_REMATCH[2]}
[ "$nth" -le "$of" ] || bad_use "there is no shard $shard"

make_scratch
root=$PWD

# Makes $scratch/sample, a line "NUMBER HASH NAME" a mutant, HASH being of its file, and $scratch/diffs/NUMBER, in the order of the draw.
draw() {
    need_cargo_mutants
    mkdir -p "$scratch/all" "$scratch/diffs"
    cargo mutants --no-config --skip-calls-defaults false --package pagerace-core --list --diff \
        --colors never >"$scratch/list" || cannot "cargo-mutants does not list the mutants"
    # A mutant is a line with its name, and the lines of its diff.
    awk -v seed="$SEED" -v to="$scratch/all/" '
        /^src\// { close(file); n = sprintf("%05d", ++all); file = to n; print seed, $0 > (to n ".key")
                   close(to n ".key"); next }
        file { print > file }' "$scratch/list"
    (cd "$scratch/all" && sha256sum -- *.key) | LC_ALL=C sort | head -n "$SAMPLE" |
        sed 's/.*  \(.*\)\.key$/\1/' >"$scratch/drawn"
    [ "$(wc -l <"$scratch/drawn")" -eq "$SAMPLE" ] ||
        bad_use "there are only $(wc -l <"$scratch/drawn") mutants, not $SAMPLE"
    local id name at=0 file hash
    declare -A hashes
    while read -r hash file; do
        hashes[$file]=${hash:0:12}
    done < <(find src/core -name '*.rs' -exec sha256sum {} +)
    while read -r id; do
        at=$((at + 1))
        read -r _ name <"$scratch/all/$id.key"
        mv "$scratch/all/$id" "$scratch/diffs/$at"
        echo "$at ${hashes[${name%%:*}]} $name"
    done <"$scratch/drawn" >"$scratch/sample"
}

# A line of the state is "ANSWER STAGE SECONDS-OF-BUILD SECONDS-OF-TESTS HASH NAME", by tabs. It holds while
# the file of the mutant is as it was, which HASH says; that the rest of the tree has changed is not looked at.
answer_of() {
    awk -F '\t' -v hash="$1" -v name="$2" '$5 == hash && $6 == name { print $1; exit }' "$state"
}

# The copy in which mutants are built. Cargo goes by times: an interrupted run leaves a mutant built that is
# younger than the sources.
make_tree() {
    work=$root/target/mutants/$1
    mkdir -p "$work"
    exec 9>"$work/lock"
    flock -n 9 || cannot "shard $shard is being run already; wait for it, or end it"
    rm -rf "$work/tree"
    mkdir "$work/tree"
    tar -c --exclude=./target --exclude=./fuzz/target --exclude=./.git . | tar -x -C "$work/tree"
    cd "$work/tree"
    find src -name '*.rs' -exec touch {} +
    export CARGO_TARGET_DIR=$work/build RUST_BACKTRACE=0
}

build() {
    cargo test --profile mutants --locked --no-default-features --features faults --lib --no-run \
        >"$work/log" 2>&1 9>&- || return
    binary=$(sed -n 's/^ *Executable unittests src\/lib.rs (\(.*\))$/\1/p' "$work/log")
    [ -x "$binary" ] || cannot "cargo names no test binary; see $work/log"
}

# Runs the tests whose names begin so. 1: one fails, 2: it takes too long.
test_of() {
    local status=0
    # The braces take what the shell says of a process that was killed.
    { (
        ulimit -S -t "$CPU_SECONDS"
        ulimit -H -t "$((CPU_SECONDS + 2))"
        # Kilobytes: what allocates without end must not take the machine down.
        ulimit -v 8000000
        exec timeout --foreground -k 5 "$CLOCK_SECONDS" "$binary" "$@" 9>&-
    ) >"$work/log" 2>&1; } 2>/dev/null || status=$?
    case $status in
    0) grep -q '^test result: ok. [1-9]' "$work/log" || cannot "no test is called $1" ;;
    # By the clock, or killed: the limit of processor time.
    124 | 137 | 152) return 2 ;;
    *) return 1 ;;
    esac
}

# Sets $answer and $stage for the tree as it is.
judge() {
    local status
    stage=- answer=unviable
    if ! build; then
        ! grep -q -e 'signal: ' -e 'No space left' "$work/log" || cannot "the build broke; see $work/log"
        grep -q '^error' "$work/log" || cannot "the build did not end; see $work/log"
        return 0
    fi
    built=${EPOCHREALTIME/[.,]/}
    for stage in golden replay hunt; do
        status=0
        case $stage in
        golden) test_of subject::mm::golden:: || status=$? ;;
        replay) test_of tests::every_entry || status=$? ;;
        hunt) test_of tests::a_hunt || status=$? ;;
        esac
        case $status in
        1) answer=caught; return ;;
        2) answer=timeout; return ;;
        esac
    done
    stage=- answer=survived
}

# Applies a diff to the copy, and says what becomes of it.
try() {
    local diff=$1 file
    file=$(sed -n '1s/^--- //p' "$diff")
    cp "$file" "$scratch/original"
    patch --quiet --no-backup-if-mismatch "$file" "$diff" >/dev/null || cannot "the diff does not apply: $diff"
    began=${EPOCHREALTIME/[.,]/} built=${EPOCHREALTIME/[.,]/}
    judge
    ended=${EPOCHREALTIME/[.,]/}
    cp "$scratch/original" "$file"
}

baseline() {
    echo "building without any mutant"
    judge
    [ "$answer" = survived ] || { tail -n 20 "$work/log" >&2; cannot "the tests fail without any mutant: $answer"; }
}

seconds() {
    printf '%d.%d' "$(($1 / 1000000))" "$(($1 % 1000000 / 100000))"
}

run() {
    draw
    case $state in /*) ;; *) state=$root/$state ;; esac
    mkdir -p "$(dirname "$state")"
    touch "$state"
    if [ "$retry" = yes ]; then
        sed -i -e '/^survived\t/d' -e '/^timeout\t/d' "$state"
    fi
    make_tree "${nth}of$of"
    baseline
    local at hash name
    while read -r at hash name; do
        [ $((at % of)) -eq $((nth % of)) ] || continue
        [ -z "$(answer_of "$hash" "$name")" ] || continue
        try "$scratch/diffs/$at"
        printf '%s\t%s\t%s\t%s\t%s\t%s\n' "$answer" "$stage" "$(seconds $((built - began)))" \
            "$(seconds $((ended - built)))" "$hash" "$name" >>"$state"
        printf '%4d  %-8s %-6s %5s s  %s\n' "$at" "$answer" "$stage" "$(seconds $((ended - began)))" "$name"
    done <"$scratch/sample"
    echo "shard $shard is done; for the score: bash ci/mutants.sh --report"
}

report() {
    [ -f "$state" ] || cannot "$state is not there; run: bash ci/mutants.sh"
    draw
    local missing=0 name
    # The last answer counts.
    awk -F '\t' 'NR == FNR { split($0, word, " "); key = substr($0, length(word[1]) + 2); asked[key]; next }
        ($5 " " $6) in asked { line[$5 " " $6] = $0 } END { for (key in line) print line[key] }' \
        "$scratch/sample" "$state" >"$scratch/answers"
    awk -F '\t' -v sample="$SAMPLE" -v least="$LEAST" '
        { n[$1]++; at[$1 "/" $2]++; build += $3; tests += $4; all++ }
        END {
            viable = all - n["unviable"]; judged = n["caught"] + n["survived"]
            printf "mutants    %d of a sample of %d, %d of them viable\n", all, sample, viable
            printf "caught     %d: %d by the golden sequences, %d by the replay suite, %d by the hunt\n", \
                n["caught"], at["caught/golden"], at["caught/replay"], at["caught/hunt"]
            printf "survived   %d\ntimeouts   %d\nunviable   %d\n", n["survived"], n["timeout"], n["unviable"]
            if (all) printf "a mutant   %.1f s to build, %.1f s to test, on average\n", build / all, tests / all
            score = judged ? 100 * n["caught"] / judged : 0
            printf "score      %.1f %% of %d, timeouts apart; %d %% is asked for\n", score, judged, least
            exit !(all == sample && score >= least)
        }' "$scratch/answers" || missing=1
    while IFS= read -r name; do
        grep -qF "\`$name\`" docs/mutants.md 2>/dev/null && continue
        echo "not in docs/mutants.md: $name"
        missing=1
    done < <(sed -n 's/^survived\t.*\t//p' "$scratch/answers")
    [ "$missing" -eq 0 ] || fail "what is above is not as it should be"
}

# One mutant of each answer, by hand: what could not say otherwise would say nothing.
self_test() {
    make_tree self-test
    baseline
    local row want edit file=src/core/mm/free.rs
    for row in "survived|s/^    fn put_page/    fn put_page/;1s/^/\/\/ Nothing but a remark.\n/" \
        "caught|s/let last = .*/let last = false;/" \
        "unviable|1s/^/fn f() -> u8 { \"\" }\n/" \
        "timeout|s/let head = is_head();/let head = { while self.sizes.frames > 0 {} false };/"; do
        want=${row%%|*} edit=${row#*|}
        cp "$file" "$scratch/before"
        sed "$edit" "$file" >"$scratch/after"
        ! cmp -s "$scratch/before" "$scratch/after" || cannot "the edit changes nothing: $edit"
        diff -u --label "$file" --label "$want" "$scratch/before" "$scratch/after" >"$scratch/diff" || true
        try "$scratch/diff"
        echo "$want: $answer $stage"
        [ "$answer" = "$want" ] || fail "a mutant that should be $want is $answer"
    done
}

case $mode in
run) run ;;
list)
    draw
    cut -d ' ' -f 3- "$scratch/sample"
    ;;
report) report ;;
self-test) self_test ;;
esac
