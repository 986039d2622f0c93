#!/usr/bin/env bash
# Do two races that are open at once both show themselves, and nothing besides?
# Cost: 6 minutes for 30 pairs. Usage: pairs.sh [--seed N] [--pairs N] [--seconds N] [--state FILE]
#
# Pairs of racy variants are drawn by seed from those that are independent: each of the two entries shows
# its signature with the other variant set too. Each pair is hunted with --keep-going; whatever is found
# must be what one of the two races is on record to show itself by. A pair gets a sixth of the seconds (60 if
# nothing is said), and all of them where that was not enough. With --state the pairs that FILE has of this
# seed and these seconds are not hunted again.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
set -o pipefail
seed=1 pairs=30 seconds=60 state=
while [ $# -gt 0 ]; do
    [ $# -ge 2 ] || cannot "usage: pairs.sh [--seed N] [--pairs N] [--seconds N] [--state FILE]"
    case $1 in
    --seed) seed=$2 ;;
    --pairs) pairs=$2 ;;
    --seconds) seconds=$2 ;;
    --state) state=$2 ;;
    *) cannot "there is no option $1; there are --seed, --pairs, --seconds and --state" ;;
    esac
    shift 2
done
[[ $seed$pairs$seconds =~ ^[0-9]+$ ]] || cannot "a seed, a number of pairs or of seconds is a number"
make_scratch
state=${state:-$scratch/state}
touch "$state" || cannot "$state cannot be written"
pagerace=${PAGERACE:-target/release/pagerace}
[ -n "${PAGERACE:-}" ] || cargo build --quiet --release --locked || cannot "no build"
unset PAGERACE_PROFILE PAGERACE_CORPUS

# What is on record about each race: name, set, signature, what else, entry; separated by tabs.
"$pagerace" races --json | sed -n 's/^ *"name": "\(.*\)",$/\1/p' | while read -r name; do
    "$pagerace" races show "$name" >"$scratch/told"
    field() { sed -n "s/^$1  *//p" "$scratch/told" | head -n 1; }
    printf '%s\t%s\t%s\t%s\t%s\n' "$name" "$(field switch)" "$(field signature | cut -d' ' -f1)" \
        "$(field also)" "$(field entry)"
done >"$scratch/record"
of() { awk -F'\t' -v name="$1" -v field="$2" '$1 == name { print $field }' "$scratch/record"; }

# Whether the entry of one race shows what it expects with the variant of the other set too.
shows() {
    { "$pagerace" replay "$(of "$1" 5)" --set "$(of "$1" 2)" --set "$(of "$2" 2)" 2>&1 || true; } |
        grep -qF "$(of "$1" 3) "
}


while read -r one; do
    while read -r other; do
        [[ $one < $other ]] || continue
        [ "$(of "$one" 2 | cut -d= -f1)" != "$(of "$other" 2 | cut -d= -f1)" ] || continue
        if shows "$one" "$other" && shows "$other" "$one"; then
            printf '%s %s %s\n' "$(printf '%s %s %s' "$seed" "$one" "$other" | sha256sum | cut -c1-16)" "$one" "$other"
        else
            echo "not independent: $one, $other" >&2
        fi
    done < <(cut -f1 "$scratch/record")
done < <(cut -f1 "$scratch/record") | sort >"$scratch/pairs"
independent=$(wc -l <"$scratch/pairs")
[ "$independent" -ge "$pairs" ] || cannot "there are only $independent independent pairs"

# Whether a signature is one that a race is on record to show itself by.
is_of() {
    local name=$1 signature=$2 also
    [ "$signature" != "$(of "$name" 3)" ] || return 0
    IFS=', ' read -ra also <<<"$(of "$name" 4)"
    local pattern
    for pattern in "${also[@]}"; do
        # A star at its end stands for all that begin so.
        # shellcheck disable=SC2053
        [[ $signature != $pattern ]] || return 0
    done
    return 1
}

# Hunts a pair for so many seconds; says of both whether they were found, and what was besides.
hunt_pair() {
    local one=$1 other=$2 budget=$3 status=0 signature found_one=no found_other=no third=
    "$pagerace" hunt --json --out "$scratch/store" --set "$(of "$one" 2)" --set "$(of "$other" 2)" --seed "$seed" \
        --jobs 2 --seconds "$budget" --keep-going >"$scratch/hunt.json" 2>"$scratch/log" || status=$?
    [ "$status" -le 1 ] || { tail -n 5 "$scratch/log" >&2; cannot "the hunt of $one and $other did not run"; }
    rm -rf "$scratch/store"
    while read -r signature; do
        if [ "$signature" = "$(of "$one" 3)" ]; then
            found_one=yes
        elif [ "$signature" = "$(of "$other" 3)" ]; then
            found_other=yes
        elif ! is_of "$one" "$signature" && ! is_of "$other" "$signature"; then
            third="$third${third:+,}$signature"
        fi
    done < <(sed -n 's/^ *"signature": "\(.*\)",$/\1/p' "$scratch/hunt.json" | sort -u)
    echo "$found_one $found_other ${third:--} $budget"
}

# The state of a pair: a line of it is whole or not there. What was measured otherwise answers nothing.
look_at() {
    local said
    said=$(hunt_pair "$1" "$2" $(((seconds + 5) / 6))) || exit
    case $said in
    no\ * | yes\ no\ *) said=$(hunt_pair "$1" "$2" "$seconds") || exit ;;
    esac
    echo "seed $seed seconds $seconds $1 $2 $said" >>"$state"
}

while read -r _ one other; do
    measured="seed $seed seconds $seconds $one $other "
    grep -q "^$measured" "$state" || look_at "$one" "$other"
    grep "^$measured" "$state" | cut -d' ' -f5- |
        awk '{ print $1 " " ($3 == "yes" ? "found" : "NOT FOUND") ", " $2 " " ($4 == "yes" ? "found" : "NOT FOUND") " in " $6 " s, besides: " $5 }'
done < <(head -n "$pairs" "$scratch/pairs") | tee "$scratch/lines"

both=$(grep -vc 'NOT FOUND' "$scratch/lines" || true)
thirds=$(grep -vc 'besides: -$' "$scratch/lines" || true)
echo "seed $seed: $pairs of $independent independent pairs, both found in $both, a third signature in $thirds"
[ "$both" -eq "$pairs" ] && [ "$thirds" -eq 0 ] || fail "a pair"
