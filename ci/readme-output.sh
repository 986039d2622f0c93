#!/usr/bin/env bash
# Does the README show what its command prints?
# Cost: a release build, then some seconds.
#
# Runs the command of the README's first screen and puts between the markers what it prints of the race
# of lookups and after that, with `...` for what it finds before and for the counts at its end. With --check, says instead whether its
# seed still gives that finding, in a case of the recorded size. Times differ from run to run, and so
# does the text from commit to commit: neither is compared.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

readme=README.md
begin='<!-- output: hunt -->'
end='<!-- /output: hunt -->'
signature=leak/block/lookup
seed=$(sed -n 's/^\$ cargo run --release -- hunt --seed \([0-9]*\)$/\1/p' "$readme" | head -n 1)
[ -n "$seed" ] || cannot "$readme has no line '\$ cargo run --release -- hunt --seed N'"

# The kind and the sizes of the finding (cpus, operations, switches), as the table of a hunt's end says.
sizes() {
    awk -v signature="$signature" '$1 == signature { print $2 ": " $(NF - 2), $(NF - 1), $NF }' "$1"
}

# In a checkout of nothing but its entries: what a hunt keeps does not stay in this one, and what an
# earlier one kept here does not change what is printed.
make_scratch
cargo build --release --locked --target-dir target
mkdir "$scratch/corpus"
cp Cargo.toml "$scratch"
cp corpus/replay.rs "$scratch/corpus"
git ls-files -z 'corpus/*/*.case' | xargs -0 cp --parents -t "$scratch"
ln -s "$PWD/target" "$scratch/target"
status=0
# Exit code 1 is the answer expected: a race was found.
(cd "$scratch" && unset PAGERACE_CORPUS && target/release/pagerace hunt --seed "$seed") \
    >"$scratch/output" 2>"$scratch/progress" || status=$?
[ "$status" -eq 1 ] || fail "hunt --seed $seed ended with $status"
now=$(sizes "$scratch/output")
[ -n "$now" ] || fail "hunt --seed $seed did not find $signature; name another seed in $readme"

if [ "${1-}" = --check ]; then
    sed -n "\|^$begin\$|,\|^$end\$|p" "$readme" >"$scratch/recorded"
    grep -q "^seed $seed\$" "$scratch/recorded" || fail "$readme shows another seed; run: bash ci/readme-output.sh"
    recorded=$(sizes "$scratch/recorded")
    [ "$recorded" = "$now" ] ||
        fail "$readme shows $signature as ${recorded:-nothing}, it is $now; run: bash ci/readme-output.sh"
    echo "$readme shows $signature of seed $seed: $now"
    exit 0
fi

# The head, the finding and the end.
awk -v start="found $signature " '
    index($0, "found ") == 1 && !shown { shown = index($0, start) == 1; if (!shown && !left_out++) print "...\n" }
    /^what the cases exercised:/ { print "..."; exit }
    shown || !left_out
' "$scratch/output" | cat -s | sed -e :a -e '/^\n*$/{$d;N;ba' -e '}' >"$scratch/picked"

as_text <"$scratch/picked" | put_output "$readme" hunt
echo "$readme shows $signature of seed $seed: $now"
