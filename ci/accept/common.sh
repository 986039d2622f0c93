# What the acceptance scripts share; sourced by them, from the root of the checkout. Answers nothing.
#
# A line calls `missed` for what is not kept, and `say` once, with its figures. The line is printed when
# it ends, so that what is missed stands beside what was measured.

set -eu -o pipefail
PATH="$PWD/target/tools/bin:$HOME/.cargo/bin:$PATH"
export PATH
PWD_CHECKOUT=$PWD
pagerace=$PWD/target/release/pagerace
# Where edited copies of the tree are built: dependencies are compiled once.
built=$PWD/target/accept
failed=0
# Nothing of the surroundings decides what is hunted, or where findings go.
unset PAGERACE_PROFILE PAGERACE_CORPUS RUSTFLAGS

cannot() {
    echo "error: $*" >&2
    exit 2
}

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 2' HUP INT TERM
cargo build --quiet --release --locked || cannot "the program does not build"

start_line() {
    figures_said=
    : >"$scratch/missed"
}

# What is missed may be found out in a subshell: it goes through a file.
missed() {
    echo "$*" >>"$scratch/missed"
}

say() {
    figures_said=$*
}

end_line() {
    local verdict=ok
    if [ -s "$scratch/missed" ]; then
        verdict="MISSED: $(joined <"$scratch/missed")"
        failed=1
    fi
    echo "accept $line: ${figures_said:-nothing measured}: $verdict"
}

# Runs the functions of these lines, and ends the script.
run_lines() {
    for line in "$@"; do
        start_line
        "line_$line"
        end_line
    done
    exit "$failed"
}

# Lines as a list.
joined() {
    sed '/^$/d' | paste -s -d, | sed 's/,/, /g'
}

now() { date +%s.%N; }
since() { awk -v a="$1" -v b="$(now)" 'BEGIN { printf "%.1f", b - a }'; }
median() {
    printf '%s\n' "$@" | sort -g | awk '{ v[NR] = $1 } END { printf "%.1f", NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'
}
largest() { printf '%s\n' "$@" | sort -g | awk '{ last = $1 } END { printf "%.1f", last }'; }
below() { awk -v a="$1" -v b="$2" 'BEGIN { exit !(a < b) }'; }

# Hunts into an empty store; the summary is in $scratch/hunt.json. A hunt that cannot run ends the script.
hunt() {
    local store=$scratch/stores/$line/$1 status=0
    shift
    rm -rf "$store"
    mkdir -p "$(dirname "$store")"
    "$pagerace" hunt --json --out "$store" "$@" >"$scratch/hunt.json" 2>"$scratch/hunt.log" || status=$?
    if [ "$status" -gt 1 ]; then
        tail -n 5 "$scratch/hunt.log" >&2
        cannot "hunt ended with $status"
    fi
}

# A number of the last summary by its key.
number() {
    sed -n "s/^  \"$1\": \([0-9.]*\),\{0,1\}\$/\1/p" "$scratch/hunt.json"
}

# The findings of the last summary, one a line, the values separated by tabs in the order documented:
# signature class kind first_execution first_seconds cpus ops switches entry count.
findings() {
    awk '/^    \{/ { row = ""; next }
        /^    \}/ { print row; next }
        /^      "/ {
            sub(/^ *"[^"]*": /, ""); sub(/,$/, ""); gsub(/"/, "")
            row = row (row == "" ? "" : "\t") $0
        }' "$scratch/hunt.json"
}

# The outcomes of the last summary: name, tab, count.
outcomes() {
    awk '/^  "outcomes": \{/ { inside = 1; next }
        /^  \}/ { inside = 0 }
        inside { gsub(/[",:]/, ""); print $1 "\t" $2 }' "$scratch/hunt.json"
}

# The last summary without what depends on the machine.
untimed() {
    grep -v -e '"seconds":' -e '"executions_per_second":' -e '"first_seconds":' "$scratch/hunt.json"
}

# The operations of an entry, sorted, without what they take and give and without mapping and index.
operations() {
    sed -n '/^setup:\|^cpu[0-9]:/,/^schedule:/p' "$1" | sed -n 's/^  //p' |
        sed -e '/^at \|^policy /d' -e 's/^p[0-9]* = //' -e 's/ p[0-9]*$//' -e 's/ mapping=.*//' |
        sort | paste -s -d' '
}

# The trace of an entry that is replayed so often, if it is as expected.
traces() {
    "$1" replay "$2" --times "$3" | sed -n 's/.*: as expected .*, trace \([0-9a-f]*\))$/\1/p'
}

copy_entries() {
    rm -rf "$scratch/entries"
    mkdir -p "$scratch/entries"
    cp corpus/seed_race/*.case "$scratch/entries"
}

# Copies the tree without what is built.
copy_tree() {
    mkdir -p "$1"
    tar --exclude=./target --exclude=./fuzz/target --exclude=./.git -cf - . | tar -xf - -C "$1"
}

# Runs tests by name: a name for the log, the least that must run, and what to tell cargo (test names
# come last, and mean all tests that contain them). How many ran is in $ran.
cargo_tests() {
    local log=$scratch/$1.log least=$2 args=() names=() status=0
    shift 2
    while [ $# -gt 0 ]; do
        case $1 in
        -p | --test | --features) args+=("$1" "$2") && shift 2 ;;
        -*) args+=("$1") && shift ;;
        *) names+=("$1") && shift ;;
        esac
    done
    cargo test --locked "${args[@]}" -- "${names[@]}" >"$log" 2>&1 || status=1
    ran=$(sed -n 's/^test result: [a-zA-Z]*\. \([0-9]*\) passed.*/\1/p' "$log" | awk '{ n += $1 } END { print n + 0 }')
    [ "$status" -eq 0 ] || tail -n 20 "$log" >&2
    [ "$status" -eq 0 ] && [ "$ran" -ge "$least" ]
}
