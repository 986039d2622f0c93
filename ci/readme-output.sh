#!/usr/bin/env bash
# Does the README show what its command prints?
# Cost: a release build, then some seconds.
#
# Runs the command of the README's first screen and puts what it prints between the markers; with
# --check, only says whether the marked place is filled. Times and the seed differ from run to run, so
# the text is not compared.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

readme=README.md
begin='<!-- output: hunt -->'
end='<!-- /output: hunt -->'
grep -qxF -e "$begin" "$readme" || cannot "$readme has no line '$begin'"
grep -qxF -e "$end" "$readme" || cannot "$readme has no line '$end'"

if [ "${1-}" = --check ]; then
    lines=$(sed -n "\|^$begin\$|,\|^$end\$|p" "$readme" | wc -l)
    [ "$lines" -gt 12 ] || fail "the marked place of $readme is empty; run: bash ci/readme-output.sh"
    exit 0
fi

output=$(mktemp)
trap 'rm -f "$output"' EXIT
cargo build --release --locked
status=0
# Exit code 1 is the answer expected: a race was found.
cargo run --quiet --release --locked -- hunt >"$output" 2>/dev/null || status=$?
[ "$status" -eq 1 ] || fail "hunt ended with $status"

awk -v begin="$begin" -v end="$end" -v output="$output" '
    $0 == end { inside = 0 }
    !inside { print }
    $0 == begin {
        inside = 1
        print "```text"
        while ((getline line < output) > 0) print line
        print "```"
    }
' "$readme" >"$readme.new"
mv "$readme.new" "$readme"
echo "$readme shows what hunt printed"
