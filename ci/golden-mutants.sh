#!/usr/bin/env bash
# Does the golden test of the access sequences notice an access removed, swapped or merged in mm?
# Cost: about a minute for each mutant, on two cores.
#
# Works on a copy of the sources. Each mutant is one edit; the test must pass without any, and fail
# with each. An edit that no longer changes anything, or does not compile, is an error, not a pass.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
make_scratch
root=$PWD
export CARGO_TARGET_DIR="$root/target/mutants" CARGO_PROFILE_TEST_OPT_LEVEL=0

mkdir "$scratch/tree"
tar -c --exclude=./target --exclude=./fuzz/target --exclude=./.git . | tar -x -C "$scratch/tree"
cd "$scratch/tree"
test_name=subject::mm::golden::access_sequences_are_the_golden_ones

# What cargo says is in $scratch/log.
build() {
    cargo test --locked --no-default-features --lib --no-run >"$scratch/log" 2>&1
}
golden() {
    cargo test --locked --no-default-features --lib -- --exact "$test_name" >"$scratch/log" 2>&1 &&
        grep -q '^test result: ok. 1 passed' "$scratch/log"
}

if ! build || ! golden; then
    tail -n 20 "$scratch/log" >&2
    cannot "the golden test does not pass on the sources as they are"
fi

survivors=0
rows=()
mutant() {
    local what=$1 file=src/core/mm/$2 answer
    shift 2
    cp "$file" "$scratch/original"
    sed -i "$@" "$file"
    ! cmp -s "$file" "$scratch/original" || cannot "the edit changes nothing: $what"
    if ! build; then
        grep -m 1 '^error' "$scratch/log" >&2 || true
        cannot "the mutant does not compile: $what"
    fi
    if golden; then
        answer=SURVIVES
        survivors=$((survivors + 1))
    else
        answer=noticed
    fi
    rows+=("$(printf '%-9s %s' "$answer" "$what")")
    echo "${rows[-1]}"
    cp "$scratch/original" "$file"
}

mutant "remove: a lookup's second load of the slot" cache.rs \
    's/if planted!(self, NoReload) || .*{$/if Entry::of(entry.word()) == entry {/'
mutant "remove: clearing the mapping of a deleted page" tree.rs \
    '/self.frame(page).mapping.store(0/d'
mutant "remove: reclaim's look at the dirty bit after the freeze" reclaim.rs \
    's/if self.frame(page).flags.load(Ordering::Acquire) & flag::DIRTY != 0 {/if self.sizes.frames == 0 {/'
mutant "swap: the head test and the put of free_pages" free.rs \
    '/let head = is_head();/{N;s/\( *let head.*\)\n\( *let last.*\)/\2\n\1/}'
mutant "swap: counting a block and making it compound" alloc.rs \
    -e '/AllocResult::Frozen => {/,/}/{s/prepare();/SWAPPED/;s/self.set_page_refcounted(block);/prepare();/' \
    -e 's/SWAPPED/self.set_page_refcounted(block);/}'
mutant "swap: mapping and index of an added page" cache.rs \
    '/frame.mapping.store(mapping + 1/{N;s/\(.*\)\n\(.*\)/\2\n\1/}'
mutant "merge: clearing dirty and setting writeback" writeback.rs \
    -e '/flags.fetch_and(!flag::DIRTY/d' \
    -e 's/flags.fetch_or(flag::WRITEBACK, /flags.fetch_add(flag::WRITEBACK - flag::DIRTY, /'
mutant "merge: looking at the flags of a freed page and clearing them" free.rs \
    -e '/fn free_pages_prepare/,/^    }/{s/frame.flags.load(Ordering::Relaxed)/frame.flags.swap(0, Ordering::Relaxed)/' \
    -e '/frame.flags.store(0/d}'

printf '\n%d mutants, %d survive\n' "${#rows[@]}" "$survivors"
[ "$survivors" -eq 0 ]
