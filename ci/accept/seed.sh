#!/usr/bin/env bash
# Is the first release's promise kept, line by line?
# Cost in minutes on two idle cores, beside 3 for the builds: line 1: 1, 2: 7, 3: 7, 4: 6, 5: 9, 6: 4,
# 7: 1, 8: 4, 9: 3, 10: 4, 11: 2. `bash ci/accept/seed.sh 3 6` runs only those lines.
#
# Prints one line for each, with its figures. Works in a temporary directory and never writes to the
# checkout's corpus. Nothing makes a line easier: a figure that is missed on a slow machine is missed.
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. ci/accept/common.sh

[ $# -gt 0 ] || set -- 1 2 3 4 5 6 7 8 9 10 11
for line in "$@"; do
    [[ $line =~ ^([1-9]|10|11)$ ]] || cannot "there is no line '$line'; there are 1 to 11"
done

# ---------------------------------------------------------------------------------------------------
# 1: the race of 2021, from nothing.
line_1() {
    local seed times=() found=0 shapes=() shape
    for seed in 1 2 3 4 5 6 7 8 9 10; do
        hunt "$seed" --seed "$seed"
        while IFS=$'\t' read -r signature class kind _ first cpus ops switches entry _; do
            [[ $class == leak && $kind == race && $signature == */lookup ]] || continue
            found=$((found + 1))
            times+=("$first")
            shape="$cpus cpus $ops ops $switches switches: $(operations "$entry")"
            shapes+=("$shape")
            [[ $shape =~ ^2\ cpus\ 5\ ops\ 3\ switches:\ add\ alloc\ order=[12]\ delete\ free_pages\ lookup$ ]] ||
                missed "seed $seed is reduced to $shape"
        done < <(findings)
    done
    [ "$found" -eq 10 ] || missed "found with $found of 10 seeds"
    local median worst
    median=$(median "${times[@]-}") worst=$(largest "${times[@]-}")
    below "$median" 5 || missed "the median"
    below "$worst" 20 || missed "the worst"
    say "median $median s (limit 5), worst $worst s (limit 20), $found of 10 found," \
        "$(printf '%s\n' "${shapes[@]-}" | sort | uniq -c | sort -rn | sed 's/^ *//' | joined)"
}

# 2: the racy head check, on its own version only.
line_2() {
    local seed signature times=() found=0 later=0 shapes=() shape executions=0
    for seed in 1 2 3 4 5; do
        hunt "$seed" --profile linux-5.10 --seed "$seed" --jobs 2 --seconds 60
        while IFS=$'\t' read -r signature _ kind _ first cpus ops switches entry _; do
            [[ $kind == race ]] && racy_head_check "$signature" "$entry" || continue
            found=$((found + 1))
            times+=("$first")
            shape="$cpus cpus $ops ops $switches switches"
            shapes+=("$shape")
            [ "$shape" = "2 cpus 5 ops 4 switches" ] || missed "seed $seed is reduced to $shape"
        done < <(findings)
        hunt "later-$seed" --profile linux-6.2 --seed "$seed" --jobs 2 --seconds 60 --keep-going
        later=$((later + $(findings | wc -l)))
        executions=$((executions + $(number executions)))
    done
    [ "$found" -eq 5 ] || missed "found with $found of 5 seeds"
    [ "$later" -eq 0 ] || missed "linux-6.2 shows something"
    below "$(largest "${times[@]-}")" 60 || missed "the time"
    local matrix control
    cargo_tests controls 3 --test controls || missed "the controls' tests"
    matrix=$(matrix) || missed "the matrix"
    control=$(controls) || missed "the negative controls"
    say "$found of 5 found, worst $(largest "${times[@]-}") s (limit 60)," \
        "$(printf '%s\n' "${shapes[@]-}" | sort | uniq -c | sed 's/^ *//' | joined);" \
        "linux-6.2: $later findings in $executions cases; $matrix; $control"
}

# Whether a finding is the racy head check: the reference that ends the block is a lookup's. An overlap
# is not named after that reference, so its case must have a lookup, and no walker instead.
racy_head_check() {
    case $1 in
    double-free/compound/lookup) return 0 ;;
    overlap/*) [[ " $(operations "$2") " == *" lookup"* && " $(operations "$2") " != *" scan "* ]] ;;
    *) return 1 ;;
    esac
}

# The two entries by the profiles on which they fail.
matrix() {
    local fails want=$'nc-free-leak linux-5.9\nracy-pagehead linux-5.10'
    copy_entries
    PAGERACE_CORPUS=$scratch/entries "$pagerace" races --matrix --json >"$scratch/matrix.json"
    fails=$(awk -F'"' '/"entry":/ { entry = $4; sub(/.*\//, "", entry); sub(/\.case$/, "", entry) }
        /": "fails"/ { print entry, $2 }' "$scratch/matrix.json" | sort)
    grep -q '"other\|"unknown' "$scratch/matrix.json" && return 1
    echo "matrix: $(joined <<<"$fails")"
    [ "$fails" = "$want" ]
}

# The race's programs where they must pass on 5.9: strictly, so every operation runs and every decision
# is taken. Before that, the same edit of the entry without its point must be refused.
controls() {
    local entry=corpus/seed_race/nc-free-leak.case bad=0
    # The reader's put comes before the owner's: it is not sent away before it reloads.
    sed -e 's/^expect .*/expect pass/' -e '/slot\.load#2: run cpu1/d' "$entry" >"$scratch/put-first.case"
    # A compound block stays whole, whoever puts it last.
    sed -e 's/^expect .*/expect pass/' -e 's/= alloc order/= alloc_compound order/' "$entry" >"$scratch/compound.case"
    sed -e 's/^expect .*/expect pass/' "$entry" >"$scratch/neither.case"
    "$pagerace" replay "$scratch/put-first.case" "$scratch/compound.case" >"$scratch/controls.log" || bad=1
    "$pagerace" replay "$scratch/neither.case" >>"$scratch/controls.log" && bad=1
    [ "$bad" -eq 0 ] || sed 's/^/    /' "$scratch/controls.log" >&2
    echo "controls: $(grep -c 'as expected' "$scratch/controls.log") of 2 silent"
    return "$bad"
}

# 3: silence, and how much it is worth.
# How many findings of the last hunt are the race of this variant, and have such a signature.
counted() {
    findings | awk -F'\t' -v variant="$1" -v signature="${2-}" '
        $3 == "race" && $1 ~ signature && (variant == "v5_9" ? $1 ~ /^leak.*\/lookup$/ : $2 ~ /^(double-free|overlap)$/) {
            n += $10
        }
        END { print n + 0 }'
}

line_3() {
    # No constant of the campaign was chosen by looking at this seed.
    local seed=11 profile batch count figures=() executed ops skipped outcome
    for profile in current linux-6.2; do
        : >"$scratch/outcomes"
        for batch in 0 2; do
            hunt "$profile-$batch" --profile "$profile" --pcp-batch "$batch" --seed "$seed" --jobs 2 \
                --executions 2000000 --keep-going
            executed=$(number executions)
            ops=$(number ops) skipped=$(number skipped_ops) count=$(findings | wc -l)
            [ "$executed" -ge 2000000 ] || missed "$profile ran $executed cases"
            [ "$count" -eq 0 ] || missed "$profile with batch $batch shows $(findings | cut -f1 | joined)"
            [ $((skipped * 2)) -le "$ops" ] || missed "$profile skips more than half"
            outcomes >>"$scratch/outcomes"
            figures+=("$profile/$batch: $count findings, $((skipped * 100 / ops)) % skipped")
        done
        # Lists that are off are neither hit nor drained: a batch of zero has no such outcome.
        outcome=$(awk -F'\t' '{ sum[$1] += $2 } END { for (name in sum) if (!sum[name]) print name }' "$scratch/outcomes")
        [ -z "$outcome" ] || missed "$profile never exercised $(joined <<<"$outcome")"
        [ "$(number skipped_ops)" -gt 0 ] || missed "$profile skipped nothing"
        figures+=("$(cut -f1 "$scratch/outcomes" | sort -u | wc -l) outcomes")
    done
    # The same seed and budget with one function switched back: what both batches together find is what
    # the silence is worth. The races are those of lines 1 and 2: a leak by a lookup, and a block freed
    # twice, or handed out twice, whoever held the other reference.
    local variant sum parts lookups
    for profile in current linux-6.2; do
        for variant in v5_9 v5_10; do
            sum=0 parts= lookups=0
            for batch in 0 2; do
                hunt "$profile-$variant-$batch" --profile "$profile" --set "free_pages=$variant" \
                    --pcp-batch "$batch" --seed "$seed" --jobs 2 --executions 2000000 --keep-going
                count=$(counted "$variant")
                lookups=$((lookups + $(counted "$variant" '/lookup$')))
                [ "$count" -gt 0 ] || missed "$profile with $variant shows nothing with batch $batch"
                sum=$((sum + count)) parts="$parts${parts:+ + }$count"
            done
            [ "$sum" -ge 20 ] || missed "$profile with $variant has fewer than 20"
            figures+=("$profile with $variant: $parts findings, $lookups by lookups (limit 20)")
        done
    done
    cargo_tests same-cases 1 --lib every_profile_is_shown_the_same_cases || missed "the cases"
    say "seed $seed: $(printf '%s\n' "${figures[@]}" | joined); the first cases are the same under every profile"
}

# 4: the access sequences.
line_4() {
    cargo_tests golden 2 --lib subject::mm::golden || missed "the golden sequences"
    local scenes
    scenes=$(cat src/subject/mm/golden/accesses/*.golden | grep -c '^[^ ]')
    bash ci/golden-mutants.sh >"$scratch/mutants.log" 2>&1 || missed "an edit that the golden test does not notice"
    sed -n '/^SURVIVES\|^error/s/^/    /p' "$scratch/mutants.log" >&2
    say "$ran tests, $scenes scenes in the golden files; $(tail -n 1 "$scratch/mutants.log")"
}

# 5: libFuzzer.
line_5() {
    cargo fuzz --version >/dev/null 2>&1 || { missed "cargo-fuzz is missing; run: sh ci/install-tools.sh"; return; }
    local tree=$scratch/fuzzed start token="" seconds entry status=0
    copy_tree "$tree"
    rm -f "$tree"/corpus/*/*.case
    mkdir "$scratch/empty"
    (cd "$tree" && cargo +stable fuzz build -O -s none --target-dir "$PWD_CHECKOUT/target/accept-fuzz" seed_race) \
        >"$scratch/fuzz.log" 2>&1 || { tail -n 20 "$scratch/fuzz.log" >&2; missed "the build"; return; }
    start=$(now)
    (cd "$tree" && cargo +stable fuzz run -O -s none --target-dir "$PWD_CHECKOUT/target/accept-fuzz" seed_race \
        "$scratch/empty" -- -max_total_time=120 "-artifact_prefix=$scratch/") >"$scratch/fuzz.log" 2>&1 || status=1
    seconds=$(since "$start")
    token=$(sed -n 's/^DEDUP_TOKEN: //p' "$scratch/fuzz.log" | head -n 1)
    [ "$status" -ne 0 ] && [ -n "$token" ] || missed "no crash within 120 s"
    [ "$token" = leak/block/lookup ] || missed "it found another race"
    entry=$(find "$tree/corpus/seed_race" -name '*.case' | head -n 1)
    [ -n "$entry" ] || missed "no entry in the store"
    (cd "$tree" && CARGO_TARGET_DIR=$built cargo test --locked --test replay) >"$scratch/replay.log" 2>&1 ||
        missed "cargo test refuses the entry"
    grep -q "test .*seed_race/$(basename "${entry:-none}" .case) .*\.\.\. ok" "$scratch/replay.log" ||
        missed "cargo test does not run the entry"
    local asan
    asan=$(sh ci/asan.sh 60 2>"$scratch/asan.log") || { tail -n 5 "$scratch/asan.log" >&2; missed "ASan"; }
    say "$token after $seconds s (limit 120), kept as $(basename "${entry:-nothing}"), and cargo test runs it;" \
        "ASan: $(joined <<<"$asan")"
}

# 6: determinism.
line_6() {
    cargo_tests determinism 3 --test determinism || missed "determinism.rs"
    local first=$ran
    cargo_tests enumerated 1 --lib conflict || missed "the count of traces"
    local debug release entry process differ=0 runs=0
    cargo build --quiet --locked || cannot "no debug build"
    for entry in corpus/seed_race/*.case; do
        release=$(traces "$pagerace" "$entry" 1000)
        debug=$(traces target/debug/pagerace "$entry" 1000)
        [ "$debug" = "$release" ] && [ -n "$debug" ] || differ=$((differ + 1))
        for process in $(seq 20); do
            for program in "$pagerace" target/debug/pagerace; do
                [ "$(traces "$program" "$entry" 1)" = "$release" ] || differ=$((differ + 1))
                runs=$((runs + 1))
            done
        done
    done
    [ "$differ" -eq 0 ] || missed "$differ replays differ"
    hunt first --seed 6 --executions 200000 --jobs 1 --profile linux-5.9 --keep-going
    untimed >"$scratch/first.json"
    hunt second --seed 6 --executions 200000 --jobs 1 --profile linux-5.9 --keep-going
    untimed >"$scratch/second.json"
    sed -i 's#/first/#/second/#' "$scratch/first.json"
    cmp -s "$scratch/first.json" "$scratch/second.json" || missed "two hunts differ"
    [ -s "$scratch/first.json" ] || missed "no summary"
    say "$first tests (100,000 cases from their normal form, 10,000 with switch() at every point), $ran of the" \
        "enumeration; $(ls corpus/seed_race/*.case | wc -l) entries: 1,000 runs in one process and $runs" \
        "processes, debug and release, $differ differ; two hunts of 200,000 cases are equal but for times"
}

# 7: the smallest witness.
line_7() {
    cargo_tests witness 1 -p pagerace-core --test witness a_get_before_the_free_loses_seven_pages_on_5_9_only ||
        missed "the witness"
    say "$ran test, on both backends, with and without compound"
}

# 8: real threads.
line_8() {
    PAGERACE_STRESS_SECONDS=30 cargo_tests native 1 -p pagerace-core --release --test native || missed "native"
    local stress=$ran tsan
    tsan=$(sh ci/tsan.sh 30 2>"$scratch/tsan.log") || { tail -n 5 "$scratch/tsan.log" >&2; missed "ThreadSanitizer"; }
    say "$stress tests, 4 threads for 30 s; ThreadSanitizer: $(joined <<<"$tsan")"
}

# 9: speed.
line_9() {
    # It fails for any limit, also those that are not this line's; what it says decides.
    sh ci/bench.sh >"$scratch/bench.log" 2>"$scratch/bench.err" || tail -n 5 "$scratch/bench.err" >&2
    local figure ratio limit
    for figure in "in process by a new Runner per input" "small cases in process" \
        "inside libFuzzer by the baseline built alike"; do
        read -r ratio limit < <(sed -n "s/^$figure:.* ratio \([0-9.]*\) (limit \([0-9.]*\))$/\1 \2/p" \
            "$scratch/bench.log") || missed "nothing says '$figure'"
        below "${ratio:-0}" "${limit:-1}" && missed "$figure"
    done
    read -r ratio limit < <(sed -n 's/^allocations per case: \([0-9.]*\) (limit \([0-9.]*\))$/\1 \2/p' \
        "$scratch/bench.log") || missed "nothing says how many allocations a case makes"
    below "${ratio:-1}" "${limit:-0}" || missed "allocations per case"
    say "$(grep -E '^[a-zA-Z ]*: ' "$scratch/bench.log" | joined || true) "
}

# 10: after the worst, and the planted faults of time.
line_10() {
    cargo_tests cut 1 --lib exec::tests::cut_runs_leave_the_context_as_it_was || missed "cut runs"
    local cut=$ran
    cargo_tests progress 3 --features faults --test faults progress || missed "planted faults"
    local cuts
    cuts=$(sh ci/cut-runs.sh 2>"$scratch/cuts.log") || { tail -n 20 "$scratch/cuts.log" >&2; missed "ASan"; }
    say "$cut test of the context on the toy subject; under ASan $(joined <<<"$cuts"); $ran tests:" \
        "a lost wake-up, an ABBA deadlock and a loop" \
        "that never reloads have three names, a lookup that spins on a frozen page is silent, and 10,000 cases" \
        "after each ending keep their hashes"
}

# 11: bad files, bad stores.
line_11() {
    local total=0
    cargo_tests store 1 --test store || missed "store"
    total=$((total + ran))
    # A system that allows no mounts shows nothing about full and read-only ones.
    PAGERACE_NEED_MOUNT=1 cargo_tests stress 6 --test store_stress || missed "store_stress"
    total=$((total + ran))
    PAGERACE_NEED_MOUNT=1 cargo_tests files 16 --test cli bad_files:: stores:: || missed "cli"
    total=$((total + ran))
    say "$total tests: damaged, truncated, foreign, empty and 1 GiB files, folders, names with escapes, for" \
        "every command; stores that are full, read-only or shared; 50 kills of writers, 50 of hunts"
}

run_lines "$@"
