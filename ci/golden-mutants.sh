#!/usr/bin/env bash
# Does the golden test of the access sequences notice an access removed, swapped or merged in mm?
# Cost: 8 to 15 minutes, beside 1 for the first build, on two cores. Usage: golden-mutants.sh [--edits]
#
# Works on a copy of the sources. Each mutant is one edit; the test must pass without any, and fail
# with each. An edit that no longer changes anything, or does not compile, is an error, not a pass.
# The last line says how many there are and how many the test does not notice. With --edits nothing is
# built: only whether each edit still changes something is looked at, in a second.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
case ${1-} in
'' | --edits) edits_only=${1-} ;;
*) cannot "there is no option $1; there is --edits" ;;
esac
make_scratch
root=$PWD
export CARGO_TARGET_DIR="$root/target/mutants" CARGO_PROFILE_TEST_OPT_LEVEL=0

mkdir "$scratch/tree"
tar -c --exclude=./target --exclude=./fuzz/target --exclude=./.git . | tar -x -C "$scratch/tree"
cd "$scratch/tree"
# Cargo goes by times: an interrupted run leaves a mutant built that is younger than the sources.
find src -name '*.rs' -exec touch {} +
test_name=subject::mm::golden::access_sequences_are_the_golden_ones

# What cargo says is in $scratch/log.
build() {
    cargo test --locked --no-default-features --lib --no-run >"$scratch/log" 2>&1
}
golden() {
    cargo test --locked --no-default-features --lib -- --exact "$test_name" >"$scratch/log" 2>&1 &&
        grep -q '^test result: ok. 1 passed' "$scratch/log"
}

if [ -z "$edits_only" ] && { ! build || ! golden; }; then
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
    if cmp -s "$file" "$scratch/original"; then
        [ -n "$edits_only" ] || cannot "the edit changes nothing: $what"
        rows+=("changes nothing: $what")
        echo "${rows[-1]}"
        survivors=$((survivors + 1))
        return
    fi
    if [ -n "$edits_only" ]; then
        cp "$scratch/original" "$file"
        rows+=("$what")
        return
    fi
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

# Lookups, adding and deleting.
mutant "remove: a lookup's second load of the slot" cache.rs \
    's/if planted!(self, NoReload) || .*{$/if Entry::of(entry.word()) == entry {/'
mutant "remove: the put of a reference that was taken in vain" cache.rs \
    '/if !planted!(self, RetryKeepsReference) {/,/}/{/self.put_page/d}'
mutant "remove: the look at the mapping of a page that is locked" cache.rs \
    's/if planted!(self, NoRecheck) || self.covers(page, place) {/if self.sizes.frames > 0 {/'
mutant "remove: clearing the mapping of a deleted page" tree.rs \
    '/self.frame(page).mapping.store(0/d'
mutant "remove: clearing the mapping of a page that was not added" cache.rs \
    '/self.frame(page).mapping.store(0, Ordering::Relaxed);/d'
mutant "remove: deleting waits for writeback" cache.rs \
    '/if !planted!(self, SleepUnderTreeLock) {/,/}/{/self.wait_on_writeback/d}'
mutant "remove: deleting cancels dirty" cache.rs \
    '/self.cancel_dirty(page, flags);/d'
mutant "remove: the head's entry moves into the node that grows the tree" tree.rs \
    '/node.slots\[0\].store(head.word()/d'
mutant "remove: the head forgets the node when the tree shrinks" tree.rs \
    '/if left == 0 {/,/}/{/tree.head.store(0/d}'
mutant "swap: mapping and index of an added page" cache.rs \
    '/frame.mapping.store(place.mapping + 1/{N;s/\(.*\)\n\(.*\)/\2\n\1/}'

# Allocation and freeing.
mutant "swap: counting a block and making it compound" alloc.rs \
    -e '/AllocResult::Frozen => {/,/}/{s/prepare();/SWAPPED/;s/self.set_page_refcounted(block, Holder::Owner);/prepare();/' \
    -e 's/SWAPPED/self.set_page_refcounted(block, Holder::Owner);/}'
mutant "swap: the head test and the put of free_pages" free.rs \
    '/let head = is_head();/{N;s/\( *let head.*\)\n\( *let last.*\)/\2\n\1/}'
mutant "swap: the order in which the tails of a block are freed" free.rs \
    's/for part in (0..order.0).rev().map(Order) {/for part in (0..order.0).map(Order) {/'
mutant "remove: clearing the flags of a freed page" free.rs \
    '/frame.flags.store(0/d'
mutant "merge: looking at the flags of a freed page and clearing them" free.rs \
    -e '/fn free_pages_prepare/,/^    }/{s/frame.flags.load(Ordering::Relaxed)/frame.flags.swap(0, Ordering::Relaxed)/' \
    -e '/frame.flags.store(0/d}'
mutant "merge: the counts of the frames of a freed block" free.rs \
    's/if page.refcount.load(Ordering::Relaxed) != 0 {/if page.refcount.peek() != 0 {/'
mutant "remove: a walker's second look at the link to the head" scan.rs \
    's/let same = head_of(frame, link()) == head;/let same = self.sizes.frames > 0;/'

# Per-CPU lists.
mutant "swap: the end at which a list is refilled" pcp.rs \
    's/list.push_cold(block, order);/list.push_hot(block, order);/'
mutant "swap: the end at which a list overflows" pcp.rs \
    '/fn pop_cold/,/^    }/{s/|| self.remove(0)/|| self.remove(self.len.get(\&self.lock) as usize - 1)/}'
mutant "remove: a list that is in use is not waited for" pcp.rs \
    's/let lock = list.lock.try_lock();/let lock = Some(list.lock.lock());/'

# Page lock, writeback, reclaim.
mutant "remove: a sleeper announces itself" page_lock.rs \
    's/let old = flags.fetch_or(flag::WAITERS, Ordering::Relaxed);/let old = bit;/'
mutant "remove: who unlocks a page wakes its waiters" page_lock.rs \
    '/if !planted!(self, UnlockNoWake) {/,/}/{/self.wake_waiters/d}'
mutant "remove: who ends a write wakes its waiters" writeback.rs \
    '/if !planted!(self, WritebackNoWake) {/,/}/{/self.wake_waiters/d}'
mutant "remove: a writer's look at the dirty bit under the lock" writeback.rs \
    's/ && self.is_dirty(page);/;/'
mutant "merge: clearing dirty and setting writeback" writeback.rs \
    -e '/fn start_writeback/,/^    }/{/flags.fetch_and(!flag::DIRTY/d' \
    -e 's/flags.fetch_or(flag::WRITEBACK, /flags.fetch_add(flag::WRITEBACK - flag::DIRTY, /}'
mutant "add: cancelling dirty where it is not set" writeback.rs \
    '/fn cancel_dirty/,/^    }/{s/if flags & flag::DIRTY != 0 {/if flags < u32::MAX {/}'
mutant "remove: reclaim's look at the dirty bit after the freeze" reclaim.rs \
    's/if self.frame(page).flags.load(Ordering::Acquire) & flag::DIRTY != 0 {/if self.sizes.frames == 0 {/'
mutant "remove: reclaim gives a dirty page its references back" reclaim.rs \
    '/self.unfreeze(page, UNUSED/d'

# What has scenes of its own has mutants of its own.
for group in ci/golden-mutants.d/*.sh; do
    . "$group"
done

what=${edits_only:+change nothing}
printf '\n%d mutants, %d %s\n' "${#rows[@]}" "$survivors" "${what:-survive}"
[ "$survivors" -eq 0 ]
