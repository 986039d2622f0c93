#!/usr/bin/env bash
# Do docs/races.md and the pages in docs/races/ show what the program says?
# Cost: a release build, then a second; with --hunt some minutes more.
#
# Puts between the markers of each page what the record has of its race and the report of its entry, and
# between those of docs/races.md the tables of all. With --hunt also the table of a hunt for each; nothing
# else in the documents depends on time. What stands outside the markers is written by hand and kept. With
# --check, changes nothing and says what is stale: of the hunt, which differs from run to run, only which
# races it was for. PROGRAM names a program that is built already.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
set -o pipefail
# Nothing of the surroundings decides what is run.
unset PAGERACE_PROFILE PAGERACE_CORPUS
hunt_line='hunt --all-races --jobs 2 --seconds 300 --seeds 3'
regenerate='bash ci/race-pages.sh'
open_question='Not compared yet.'

mode=${1-}
case $mode in
'' | --check | --hunt) ;;
*) cannot "unknown option $mode; there are --check and --hunt" ;;
esac
program=${PROGRAM-}
if [ -z "$program" ]; then
    cargo build --release --locked --target-dir target
    program=$PWD/target/release/pagerace
fi
# By this name, as commands that are shown have it.
pagerace() { (exec -a pagerace "$program" "$@"); }

make_scratch
pagerace races >"$scratch/races"
# Name and entry of each race.
awk 'NR > 1 && $1 !~ /^\(/ { print $1, "corpus/" $NF }' "$scratch/races" >"$scratch/names"
[ -s "$scratch/names" ] || fail "there are no races on record"

# What stands on a page above the part that is written by hand.
page() {
    local name=$1 entry=$2
    pagerace races show "$name" | as_text
    printf '\nIts entry, [%s](../../%s), as it runs:\n\n' "$entry" "$entry"
    pagerace show "$entry" | as_text
    printf '\nTo run it and compare it with what it expects:\n\n```console\n'
    printf '$ cargo run --release -- replay %s\n```\n' "$entry"
}

# In a directory of nothing but the entries of the record: a checkout may have others.
sizes() {
    awk '{ print $2 }' "$scratch/names" | xargs cp --parents -t "$scratch"
    (cd "$scratch" && pagerace races --sizes --corpus corpus)
}

# One line for each race: its page, and how it begins to be told.
list() {
    local name entry
    while read -r name entry; do
        printf -- '- [%s](races/%s.md): ' "$name" "$name"
        # The first paragraph after the table.
        pagerace races show "$name" | awk -v RS= 'NR == 3 { gsub(/\n/, " "); print }'
    done <"$scratch/names"
}

# New documents from the ones there are.
new=$scratch/docs
mkdir -p "$new/races"
cp docs/races.md "$new"
while read -r name entry; do
    file=$new/races/$name.md
    if [ -e "docs/races/$name.md" ]; then
        cp "docs/races/$name.md" "$file"
    else
        printf '# %s\n\n<!-- output: race -->\n<!-- /output: race -->\n\n## Against the record\n\n%s\n' \
            "$name" "$open_question" >"$file"
    fi
    page "$name" "$entry" | put_output "$file" race
done <"$scratch/names"
list | put_output "$new/races.md" pages
as_text <"$scratch/races" | put_output "$new/races.md" races
sizes | as_text | put_output "$new/races.md" sizes
if [ "$mode" = --hunt ]; then
    # Its progress goes to standard error.
    pagerace $hunt_line >"$scratch/hunt" || fail "$hunt_line ended with $?"
    { echo "\$ pagerace $hunt_line" && cat "$scratch/hunt"; } | as_text | put_output "$new/races.md" hunt
fi

if [ "$mode" != --check ]; then
    cp -r "$new/." docs
    echo "docs/races.md and $(wc -l <"$scratch/names") pages in docs/races/ are written"
    exit 0
fi

diff -ru docs/races "$new/races" || fail "the pages above are stale; run: $regenerate"
diff -u docs/races.md "$new/races.md" || fail "docs/races.md is stale; run: $regenerate"
! grep -lxF -e "$open_question" docs/races/*.md || fail "the pages above say nothing of the record; write it there"
while read -r name entry; do
    grep -qxF -e '## Against the record' "docs/races/$name.md" ||
        fail "docs/races/$name.md has no part '## Against the record'; write it there"
done <"$scratch/names"
hunted=$(sed -n '/^<!-- output: hunt -->$/,/^<!-- \/output: hunt -->$/p' docs/races.md |
    awk '!NF || /^```/ { inside = 0 } inside { print $1 } $1 == "race" { inside = 1 }')
[ "$hunted" = "$(awk '{ print $1 }' "$scratch/names")" ] ||
    fail "the hunt in docs/races.md was not for the races on record; run: $regenerate --hunt"
echo "docs/races.md and $(wc -l <"$scratch/names") pages in docs/races/ show what the program says"
