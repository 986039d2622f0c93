# What the scripts of this folder share; sourced by them. Costs nothing, answers nothing.
#
# Exit codes of all scripts: 0 the answer is as it should be, 1 it is not, 2 the question could not be asked.

set -eu
cd "$(dirname "$0")/.."
TARGET_TRIPLE=x86_64-unknown-linux-gnu
# Where ci/install-tools.sh puts what it installs.
PATH="$PWD/target/tools/bin:$HOME/.cargo/bin:$PATH"
export PATH

# The question is answered with no.
fail() {
    echo "FAIL: $*" >&2
    exit 1
}

# The question cannot be asked.
cannot() {
    echo "error: $*" >&2
    exit 2
}

need_cargo_fuzz() {
    cargo fuzz --version >/dev/null 2>&1 || cannot "cargo-fuzz is missing; run: sh ci/install-tools.sh"
}

need_cargo_mutants() {
    cargo mutants --version >/dev/null 2>&1 ||
        cannot "cargo-mutants is missing; run: sh ci/install-tools.sh cargo-mutants"
}

need_nightly() {
    cargo +nightly --version >/dev/null 2>&1 ||
        cannot "a nightly toolchain is missing; run: rustup toolchain install nightly --profile minimal"
}

# Makes a directory $scratch that goes away with the script.
make_scratch() {
    scratch=$(mktemp -d)
    trap 'rm -rf "$scratch"' EXIT
    trap 'exit 2' HUP INT TERM
}

# Puts standard input between the lines `<!-- output: NAME -->` and `<!-- /output: NAME -->` of a file, in
# place of what is there.
put_output() {
    local file=$1 begin="<!-- output: $2 -->" end="<!-- /output: $2 -->"
    grep -qxF -e "$begin" "$file" || cannot "$file has no line '$begin'"
    grep -qxF -e "$end" "$file" || cannot "$file has no line '$end'"
    awk -v begin="$begin" -v end="$end" '
        NR == FNR { output = output $0 "\n"; next }
        $0 == end { inside = 0 }
        !inside { print }
        $0 == begin { inside = 1; printf "%s", output }
    ' - "$file" >"$file.new"
    mv "$file.new" "$file"
}

# Standard input as a block of text in a document.
as_text() {
    echo '```text'
    cat
    echo '```'
}

# The options that OSS-Fuzz's base-runner sets; cargo-fuzz's own are weaker.
BASE_RUNNER_ASAN_OPTIONS=alloc_dealloc_mismatch=0:allocator_may_return_null=1\
:allocator_release_to_os_interval_ms=500:check_malloc_usable_size=0:detect_odr_violation=2\
:detect_leaks=1:detect_stack_use_after_return=1:fast_unwind_on_fatal=0:handle_abort=1\
:handle_segv=1:handle_sigill=1:max_uar_stack_size_log=16:print_scariness=1:quarantine_size_mb=10\
:strict_memcmp=1:symbolize=1:use_sigaltstack=1:dedup_token_length=3
